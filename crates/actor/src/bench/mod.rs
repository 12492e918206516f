//! Measurements of the real parts: the core in process, an actor and its client on one thread, and
//! a load on an actor's process. `huntgraph bench` runs them and writes the results down.
//!
//! All samples are nanoseconds in memory made beforehand; whoever asked works out the percentiles.
//! A measurement fails when any of its moves was refused: what was not done must not look fast.

mod apply;
mod bus;
mod crowd;
mod floor;
mod handshake;
mod link;
mod load;
mod pair;

use std::path::PathBuf;
use std::time::Duration;

use crate::failure::Failure;
use crate::log::RawRecord;
use crate::quic::{ClientFiles, IdentityFiles, ServerFiles};

pub use apply::apply;
pub use bus::{Bus, Entry, Publish, SLOTS, Taker, measure_bus, ring};
pub use floor::{sync_floor, udp_round_trips};
pub use handshake::handshake;
pub use load::{Load, drive};
pub use pair::{frame, frames_in_turn, roundtrip};

/// Moves of one tick at the load of the reference: 80,000 a second.
const TICK_MOVES: usize = 4_000;

/// Rounds in which everyone moves before anything is timed: the field doubles with each that asks
/// from beyond it, and then knows the whole partition.
const GROWTH_ROUNDS: u32 = 8;

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Single numbers by name.
    pub numbers: Vec<(&'static str, f64)>,
    /// Samples in nanoseconds by name, in the order they were taken.
    pub samples_ns: Vec<(&'static str, Vec<u64>)>,
}

/// Told how far a measurement is (the word `measuring` when the clock starts to count, `measured`
/// when it stops, else nothing in particular); an error ends it.
pub type Watch<'a> = &'a mut dyn FnMut(&'static str) -> Result<(), Failure>;

/// PEM files of one end of a link.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authority that signed the other end.
    pub authority: PathBuf,
}

impl Identity {
    fn files(&self) -> IdentityFiles {
        IdentityFiles { certificate_chain: self.certificate.clone(), private_key: self.key.clone() }
    }

    fn as_server(&self) -> ServerFiles {
        ServerFiles { identity: self.files(), authority: self.authority.clone() }
    }

    fn as_client(&self) -> ClientFiles {
        ClientFiles { identity: Some(self.files()), authority: self.authority.clone() }
    }
}

/// What is measured on: a world, its hunts and its players.
#[derive(Clone, Debug)]
pub struct Scene {
    /// World file.
    pub world: PathBuf,
    /// An empty directory for log, ring and counters.
    pub directory: PathBuf,
    /// Rows of a hunt with a target and no traffic, for slot 0.
    pub hunt: Vec<RawRecord>,
    /// Rows of a hunt that only sets a traffic rule, for another slot.
    pub traffic: Vec<RawRecord>,
    /// Players that walk.
    pub players: u32,
    /// How long to measure, each of the measurement's parts alike.
    pub time: Duration,
}

/// CPU time of the calling thread. By the C library: rustix looks for the clock itself, in memory
/// that is not there under callgrind.
fn thread_cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes to `time`, which outlives it.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0, "Linux has a clock for every thread");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A time as a sample.
pub fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos() as u64
}

/// A measurement that failed.
pub fn failure(what: impl std::fmt::Display, location: impl std::fmt::Display) -> Failure {
    Failure::new("HG3030", what, location, "measure again; report it if it stays")
}
