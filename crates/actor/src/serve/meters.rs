//! The counters file of an actor: what it did, how long it took, how it is.

use std::path::Path;
use std::time::{Duration, Instant};

use huntgraph_core::schema::CODES;

use super::emit::Tally;
use crate::counters::{Counter, Counters, CountersError, Histogram, Kind};
use crate::resident::Resident;

/// How often the process looks at its own memory.
const RESIDENT_EVERY: Duration = Duration::from_secs(1);

/// Single numbers by name, in the file's order.
const SINGLE: [&str; 49] = [
    "partition",
    "world_id",
    "heartbeat_ms",
    "tick",
    "epoch",
    "position",
    "durable",
    "state_hash",
    "moves",
    "claims",
    "frames",
    "ticks_late",
    "players",
    "present",
    "connections",
    "connections_refused",
    "handshakes_failed",
    "fields_built",
    "nodes_settled",
    "searches",
    "epochs_lost",
    "rounds_begun",
    "rounds_joined",
    "rounds_done",
    "rounds_failed_late",
    "rounds_failed_changes",
    "rounds_failed_room",
    "rounds_failed_void",
    "rounds_failed_full",
    "bearings",
    "ring_events",
    "log_commits",
    "log_bytes",
    "allocations",
    "resident_bytes",
    "arena_blocks_in_use",
    "arena_blocks_peak",
    "page_faults",
    "log_first",
    "log_disk_bytes",
    "log_room",
    "log_failed",
    "draining",
    "neighbours",
    "parcels_waiting",
    "neighbour_rests",
    "held",
    "correction",
    "corrections",
];

/// Times by name.
const TIMES: [&str; 9] = [
    "frame_ns",
    "apply_ns",
    "durable_ns",
    "epoch_age_ns",
    "round_age_ns",
    "rounds_ns",
    "slice_ns",
    "stopped_ns",
    "tick_ns",
];

/// The actor's handles into its counters file.
pub struct Meters {
    single: Vec<Counter>,
    codes: Vec<(u16, Counter)>,
    resident: Resident,
    resident_due: Instant,
    /// Frames answered.
    pub frames: Counter,
    /// Last byte of a frame in to its last answer handed to the socket.
    pub frame: Histogram,
    /// The part of it in which the frame's records are applied and put into the log's batch.
    pub apply: Histogram,
    /// A frame applied to its records durable.
    pub durable: Histogram,
    /// Age of the guidance's epoch, once a tick.
    pub epoch_age: Histogram,
    /// Age of the oldest epoch that answers over the borders rest on, once a tick.
    pub round_age: Histogram,
    /// How long rounds took that began here.
    pub rounds: Histogram,
    /// Length of a slice of guidance work.
    pub slice: Histogram,
    /// How long moves and ticks waited for whoever held them or corrected the state.
    pub stopped: Histogram,
    /// How long a tick keeps the thread.
    pub tick: Histogram,
}

impl Meters {
    /// Makes the file.
    pub fn create(path: &Path, time_ms: u64) -> Result<Self, CountersError> {
        let by_code: Vec<String> =
            CODES.iter().map(|(_, name)| format!("answers_{}", name.to_lowercase())).collect();
        let names: Vec<(&str, Kind)> = SINGLE
            .iter()
            .map(|&name| (name, Kind::Counter))
            .chain(by_code.iter().map(|name| (name.as_str(), Kind::Counter)))
            .chain(TIMES.iter().map(|&name| (name, Kind::Histogram)))
            .collect();
        let file = Counters::create(path, &names, time_ms)?;
        let single = SINGLE.iter().map(|name| file.counter(name)).collect::<Result<_, _>>()?;
        let resident =
            Resident::open().map_err(|e| CountersError::Io("/proc/self/statm".into(), e))?;
        let codes = CODES.iter().zip(&by_code);
        let codes = codes.map(|(&(number, _), name)| Ok((number, file.counter(name)?)));
        Ok(Self {
            single,
            codes: codes.collect::<Result<_, CountersError>>()?,
            resident,
            resident_due: Instant::now(),
            frames: file.counter("frames")?,
            frame: file.histogram("frame_ns")?,
            apply: file.histogram("apply_ns")?,
            durable: file.histogram("durable_ns")?,
            epoch_age: file.histogram("epoch_age_ns")?,
            round_age: file.histogram("round_age_ns")?,
            rounds: file.histogram("rounds_ns")?,
            slice: file.histogram("slice_ns")?,
            stopped: file.histogram("stopped_ns")?,
            tick: file.histogram("tick_ns")?,
        })
    }

    /// The counter of this name, one of [`SINGLE`].
    fn of(&self, name: &str) -> &Counter {
        let at = SINGLE.iter().position(|&other| other == name);
        &self.single[at.expect("only names of the table are asked for")]
    }

    /// Sets a number; not for a move's way, the name is looked up.
    pub fn set(&self, name: &str, value: u64) {
        self.of(name).set(value);
    }

    /// Sets several numbers; not for a move's way either.
    pub fn set_all(&self, values: &[(&str, u64)]) {
        for &(name, value) in values {
            self.set(name, value);
        }
    }

    /// Raises a number; not for a move's way.
    pub fn add(&self, name: &str, amount: u64) {
        self.of(name).add(amount);
    }

    /// Looks at the process's memory if a second has passed.
    pub fn look_at_memory(&mut self, now: Instant) {
        if now >= self.resident_due {
            self.resident_due = now + RESIDENT_EVERY;
            self.set("resident_bytes", self.resident.bytes());
        }
    }

    /// Takes over the counts of some batches and clears them.
    pub fn take(&self, tally: &mut Tally) {
        self.add("moves", tally.logged);
        self.add("claims", tally.claims);
        for (number, counter) in &self.codes {
            let count = tally.codes[*number as usize];
            if count > 0 {
                counter.add(count as u64);
            }
        }
        *tally = Tally::NONE;
    }
}
