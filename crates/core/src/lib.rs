//! The state machine of a hunt partition.
//!
//! One partition is one block of memory ([`Line`]s), laid out at boot by [`Limits`] and worked on
//! through [`Partition`]. Every record goes through [`Partition::apply`]; what it does is written
//! down in `docs/reference/rules.md`. There is no I/O, no clock, no allocation, no float and no
//! thread in this crate: the same records give the same bytes on every machine.
//!
//! Read in this order: [`schema`] (records), `image` (memory), `apply` (the way of a record),
//! `moves`, `stages`, `edges`, `hunts`, `tick`, `correction` (cells set from outside), and
//! [`guidance`] (fields and searches).
#![no_std]
#![deny(unsafe_code)]

#[cfg(test)]
extern crate std;

mod added;
mod apply;
mod batch;
mod bits;
mod border;
mod carry;
pub mod cells;
mod census;
mod correction;
mod edge_lines;
mod edges;
mod entries;
mod grant;
pub mod guidance;
mod half_line;
mod hash;
mod heat;
pub mod history;
mod hunts;
mod image;
mod index;
mod limits;
mod lister;
mod loading;
mod mask_lister;
mod masks;
mod memory;
mod moves;
mod notices;
mod offsets;
mod players;
mod prices;
mod row_group;
mod row_span;
mod rows;
#[rustfmt::skip]
pub mod schema;
mod settable;
mod setting;
mod sha256;
mod stages;
mod stride;
mod tick;
mod topology;
mod warm;

pub use apply::{Answer, Silence, Sink};
pub use batch::SLOTS_AT_ONCE;
pub use border::{Border, Peer};
pub use edges::Edge;
pub use hash::mix;
pub use hunts::{Gate, Hunt, Stage};
pub use image::{Header, Partition};
pub use limits::{ImageError, Limits, WorldView};
pub use memory::{Line, bytes, bytes_mut};
pub use players::Player;
pub use sha256::sha256;
