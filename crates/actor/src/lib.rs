//! Everything around the core that touches sockets, files and time.

pub mod client;
pub mod counters;
pub mod disk;
pub mod log;
pub mod quic;
pub mod ring;
