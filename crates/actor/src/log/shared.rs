//! What the actor's thread and the logger's thread share: a queue of records and some numbers.

use super::RawRecord;
use super::error::Failure;
use crate::page_faults::populate;
use crate::stream;
use huntgraph_core::schema::FRAME_RECORDS;
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

/// Records whose slots have their memory from the start: four frames of the greatest size, which is
/// a twentieth of a second of 80,000 moves/s. The others get theirs when the disk is so far behind
/// for the first time.
const READY_RECORDS: usize = 4 * FRAME_RECORDS;

#[derive(Debug)]
pub(crate) struct Shared {
    /// Queued records, the next position of an empty queue in the first slot. Relaxed cells instead
    /// of plain bytes keep this free of unsafe code; the positions `committed` and `taken` order
    /// the accesses.
    slots: Box<[stream::Line]>,
    mask: u64,
    /// The position of the first slot; changes while the queue is empty. Ordered as the slots are.
    origin: AtomicU64,
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
        let slots: Box<[stream::Line]> = bytemuck::zeroed_slice_box(records);
        let ready = records.min(READY_RECORDS);
        populate(slots.as_ptr().cast(), size_of_val(&slots[..ready]));
        let shared = Self {
            slots,
            mask: records as u64 - 1,
            origin: AtomicU64::new(0),
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

    /// Lets `position`, the next one, have the first slot if the queue is empty: so as much of it
    /// is used as ever waits at once, and no more.
    pub(crate) fn rewind(&self, position: u64) {
        if self.taken.get() + 1 == position {
            self.origin.store(position, Ordering::Relaxed);
        }
    }

    /// Puts a record into the slot of `position`; the caller knows that it is free.
    ///
    /// Past the caches, because the thread has read the slot: to be followed by a `stream_fence`.
    pub(crate) fn put(&self, position: u64, record: &RawRecord) {
        let words = record.as_chunks::<8>().0;
        let words = std::array::from_fn(|at| u64::from_ne_bytes(words[at]));
        stream::stream(self.slot(position), &words);
    }

    fn slot(&self, position: u64) -> &stream::Line {
        let index = position.wrapping_sub(self.origin.load(Ordering::Relaxed));
        &self.slots[(index & self.mask) as usize]
    }

    /// Copies the record of `position` out.
    pub(crate) fn get(&self, position: u64, record: &mut [u8]) {
        let slot = self.slot(position);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn record(position: u64) -> RawRecord {
        [position as u8; 64]
    }

    /// Appends so many records behind `last` and commits them.
    fn put(shared: &Shared, last: u64, count: u64) {
        shared.rewind(last + 1);
        (last + 1..=last + count).for_each(|position| shared.put(position, &record(position)));
        stream::stream_fence();
        shared.committed.set(last + count);
    }

    /// Takes out all up to `last`.
    fn take(shared: &Shared, last: u64) {
        for position in shared.taken.get() + 1..=last {
            let mut found = [0; 64];
            shared.get(position, &mut found);
            assert_eq!(found, record(position), "position {position}");
        }
        shared.taken.set(last);
    }

    fn used(shared: &Shared) -> usize {
        let is_used = |slot: &stream::Line| slot.0[0].load(Ordering::Relaxed) != 0;
        shared.slots.iter().rposition(is_used).map_or(0, |last| last + 1)
    }

    #[test]
    fn as_many_slots_are_used_as_records_wait_at_once() {
        let shared = Shared::new(16, 1_000, 0).expect("an eventfd");
        for last in (1_000..1_200).step_by(5) {
            put(&shared, last, 5);
            take(&shared, last + 5);
        }
        assert_eq!(used(&shared), 5);
        put(&shared, 1_200, 4);
        take(&shared, 1_202);
        put(&shared, 1_204, 5);
        assert_eq!(used(&shared), 9, "two records waited: nothing begins anew");
        take(&shared, 1_209);
    }

    #[test]
    fn a_queue_that_is_never_empty_goes_round() {
        let shared = Shared::new(16, 0, 0).expect("an eventfd");
        for last in (0..1_000).step_by(10) {
            put(&shared, last, 10);
            take(&shared, last + 5);
        }
        assert_eq!(used(&shared), 16);
    }
}
