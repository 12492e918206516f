//! What the actor's thread and the logger's thread share: a queue of records and some numbers.

use super::RawRecord;
use super::error::Failure;
use crate::stream;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Thread;

/// A number on a cache line of its own.
#[repr(align(128))]
#[derive(Debug, Default)]
pub(crate) struct Line(pub(crate) AtomicU64);

impl Line {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Release);
    }
}

/// Counts of what the logger has done since it was opened.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) commits: AtomicU64,
    pub(crate) blocks: AtomicU64,
    pub(crate) seals: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) segments_made: AtomicU64,
    pub(crate) segments_recycled: AtomicU64,
    pub(crate) segments_dropped: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct Shared {
    /// Queued records. Relaxed cells instead of plain bytes keep this free of unsafe code; the
    /// positions `committed` and `taken` order the accesses.
    slots: Box<[stream::Line]>,
    mask: u64,
    /// Last position handed to the logger.
    pub(crate) committed: Line,
    /// Last position copied out of the queue.
    pub(crate) taken: Line,
    /// Last position on the disk.
    pub(crate) durable: Line,
    /// First position in the log.
    pub(crate) first: Line,
    /// Segments in the directory, without one being prepared.
    pub(crate) segments: Line,
    /// Last position that surely fits into the segments at hand.
    pub(crate) limit: Line,
    pub(crate) time_ms: Line,
    pub(crate) drop_through: Line,
    pub(crate) no_space: AtomicBool,
    pub(crate) closing: AtomicBool,
    pub(crate) failure: OnceLock<Failure>,
    pub(crate) thread: OnceLock<Thread>,
    /// The number that the kernel knows the logger's thread by.
    pub(crate) tid: OnceLock<i32>,
    pub(crate) wake: OwnedFd,
    pub(crate) counts: Counts,
}

impl Shared {
    /// A queue of `records` (a power of two) for positions after `last_position`.
    pub(crate) fn new(records: usize, last_position: u64, time_ms: u64) -> io::Result<Self> {
        let shared = Self {
            slots: (0..records).map(|_| stream::Line::default()).collect(),
            mask: records as u64 - 1,
            committed: Line::default(),
            taken: Line::default(),
            durable: Line::default(),
            first: Line::default(),
            segments: Line::default(),
            limit: Line::default(),
            time_ms: Line::default(),
            drop_through: Line::default(),
            no_space: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            failure: OnceLock::new(),
            thread: OnceLock::new(),
            tid: OnceLock::new(),
            wake: eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?,
            counts: Counts::default(),
        };
        for line in [&shared.committed, &shared.taken, &shared.durable, &shared.limit] {
            line.set(last_position);
        }
        shared.time_ms.set(time_ms);
        Ok(shared)
    }

    pub(crate) fn capacity(&self) -> u64 {
        self.mask + 1
    }

    /// Puts a record into the slot of `position`; the caller knows that it is free.
    ///
    /// Past the caches, because the thread has read the slot: to be followed by a `stream_fence`.
    pub(crate) fn put(&self, position: u64, record: &RawRecord) {
        let words = record.as_chunks::<8>().0;
        let words = std::array::from_fn(|at| u64::from_ne_bytes(words[at]));
        stream::stream(&self.slots[(position & self.mask) as usize], &words);
    }

    /// Copies the record of `position` out.
    pub(crate) fn get(&self, position: u64, record: &mut [u8]) {
        let slot = &self.slots[(position & self.mask) as usize];
        for (cell, word) in slot.0.iter().zip(record.as_chunks_mut::<8>().0) {
            *word = cell.load(Ordering::Relaxed).to_ne_bytes();
        }
    }

    /// Makes `wake_fd` readable.
    pub(crate) fn wake_actor(&self) {
        // Fails only when the counter is at its maximum, where the reader is woken anyway.
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
    }

    /// Wakes the logger's thread; cheap when it is awake.
    pub(crate) fn wake_logger(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
