//! Everything around the core that touches sockets, files and time.

pub mod allocations;
pub mod arena;
pub mod bench;
pub mod buckets;
pub mod client;
pub mod counters;
mod crc;
pub mod disk;
pub mod failure;
pub mod frame;
pub mod log;
pub mod page_faults;
pub mod priority;
pub mod quic;
mod resident;
pub mod ring;
pub mod serve;
pub mod snapshot;
pub mod stream;
pub mod world_file;
