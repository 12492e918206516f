//! The state machine of a hunt partition.
#![no_std]
