//! The log: the ordered inputs of a partition, on disk.
//!
//! Records get consecutive positions from 1. The actor's thread copies them into a queue
//! ([`Logger::append`], [`Logger::commit`]); a thread of its own writes what is there as blocks,
//! syncs, publishes the `durable` watermark and starts again at once. The format is described in
//! `docs/reference/log-format.md`.

mod block;
mod error;
mod open;
mod reader;
mod recovery;
mod segment;
mod shared;
mod spare;
mod worker;

pub use block::{
    BLOCK_BYTES, BLOCK_MAGIC, BLOCK_RECORDS, BlockHeader, HEADER_BYTES, LOG_VERSION, PAGE_BYTES,
    block_hash, genesis_hash,
};
pub use error::{AppendError, Damage, Failure, LogError};
pub use open::open;
pub use reader::{Block, LogReader};
pub use segment::SEGMENT_MAGIC;
pub use worker::{Turn, Worker};

use crate::disk::Disk;
use crate::stream::stream_fence;
use rustix::fd::{AsFd, BorrowedFd};
use shared::Shared;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

/// Bytes of a record.
pub const RECORD_BYTES: usize = 64;
/// A record, opaque to the log.
pub type RawRecord = [u8; RECORD_BYTES];

/// How to open a log.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Partition that owns the log.
    pub partition: u16,
    /// Id of the partition's world.
    pub world_id: u64,
    /// Bytes of a segment: a multiple of 4,096, at least 16,384. Existing segments keep theirs.
    pub segment_bytes: u64,
    /// Records that may wait between the two threads: a power of two.
    pub queue_records: usize,
    /// Bytes zeroed and synced at a time while the next segment is prepared: multiple of 4,096.
    pub slice_bytes: u64,
    /// How long to wait, in milliseconds, before trying again to make a segment on a full disk.
    pub space_retry_ms: u64,
    /// How long the log's thread looks for further records before it sleeps, in microseconds.
    pub linger_us: u64,
    /// Time of opening, in milliseconds, for the block that opens the new epoch.
    pub time_ms: u64,
    /// Position of the snapshot that the caller goes on from, 0 for none. Durable records up to it
    /// that cannot be read are passed over: their effects are in the snapshot.
    pub covered: u64,
}

impl LogOptions {
    /// Segments of 64 MiB, a queue of 8,192 records, slices of 256 KiB. So many records are a
    /// twentieth of a second of 150,000 moves/s: when the disk is slower than that for once, frames
    /// wait.
    pub fn new(partition: u16, world_id: u64) -> Self {
        Self {
            partition,
            world_id,
            segment_bytes: 64 << 20,
            queue_records: 8_192,
            slice_bytes: 256 << 10,
            space_retry_ms: 200,
            linger_us: 0,
            time_ms: 0,
            covered: 0,
        }
    }
}

/// What was found when the log was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// First position that can be read; equals `next_position` in an empty log.
    pub first_position: u64,
    /// Position of the next record to be appended.
    pub next_position: u64,
    /// This opening's number: one more than the last that stands in the log.
    pub epoch: u64,
    /// All positions up to this one are on disk: `next_position - 1`.
    pub durable: u64,
    /// Bytes of a torn tail that were cut (whole pages of 4,096).
    pub cut_bytes: u64,
    /// Segments in the directory before this opening made any.
    pub segments: u32,
    /// Time of the last block before this opening, in milliseconds; 0 in an empty log.
    pub time_ms: u64,
    /// Damage that was passed over, all of it up to [`LogOptions::covered`].
    pub damaged: Vec<Damage>,
}

/// Counts of work since a log was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Group commits, each with one sync or more.
    pub commits: u64,
    /// Blocks with records.
    pub blocks: u64,
    /// Blocks without records, which carry the watermark.
    pub seals: u64,
    /// Bytes of all blocks.
    pub bytes: u64,
    /// Segments made ready.
    pub segments_made: u64,
    /// Dropped segments whose space was kept for the next.
    pub segments_recycled: u64,
    /// Dropped segments that were removed.
    pub segments_dropped: u64,
}

/// The handle of an open log, for the one thread that appends. Closes the log when dropped.
#[derive(Debug)]
pub struct Logger {
    shared: Arc<Shared>,
    appended: u64,
    thread: Option<JoinHandle<()>>,
}

impl Logger {
    /// Opens the log in `disk` and starts its thread. Errors as [`open`].
    pub fn start<D: Disk>(disk: D, options: &LogOptions) -> Result<(Recovered, Self), LogError> {
        let directory = disk.describe();
        let (recovered, mut logger, worker) = open(disk, options)?;
        let thread = thread::Builder::new()
            .name(format!("log-{}", options.partition))
            .spawn(move || worker.run())
            .map_err(|source| LogError::Io {
                directory,
                operation: "start the log's thread",
                source,
            })?;
        let _ = logger.shared.thread.set(thread.thread().clone());
        logger.thread = Some(thread);
        Ok((recovered, logger))
    }

    /// Copies records into the queue, all or none; the position of the first.
    ///
    /// They are written from the next [`Logger::commit`] on. `time_ms` is noted in their block.
    ///
    /// # Errors
    /// [`AppendError::Full`] when they do not all fit now, [`AppendError::Failed`] once the log
    /// has stopped.
    pub fn append(&mut self, records: &[RawRecord], time_ms: u64) -> Result<u64, AppendError> {
        if let Some(failure) = self.failed() {
            return Err(AppendError::Failed(*failure));
        }
        let room = self.room();
        if records.len() > room {
            let no_space = self.shared.no_space.load(Ordering::Relaxed);
            return Err(AppendError::Full { room, no_space });
        }
        let first = self.appended + 1;
        self.shared.rewind(first);
        for (position, record) in (first..).zip(records) {
            self.shared.put(position, record);
        }
        stream_fence();
        self.appended += records.len() as u64;
        self.shared.time_ms.set(time_ms);
        Ok(first)
    }

    /// Hands everything appended so far to the logger's thread; returns at once.
    pub fn commit(&mut self) {
        if self.appended != self.shared.committed.get() {
            self.shared.committed.set(self.appended);
            self.shared.wake_logger();
        }
    }

    /// The number that the kernel knows the logger's thread by, once it runs.
    pub fn tid(&self) -> Option<i32> {
        self.shared.tid.get().copied()
    }

    /// Records that an append made now would surely take. 0 once the log has failed.
    pub fn room(&self) -> usize {
        if self.failed().is_some() {
            return 0;
        }
        let queued = self.appended - self.shared.taken.get();
        let queue = self.shared.capacity() - queued;
        let disk = self.shared.limit.get().saturating_sub(self.appended);
        queue.min(disk) as usize
    }

    /// Whether room is short because the disk is full, and not just because the thread is behind.
    pub fn no_space(&self) -> bool {
        self.shared.no_space.load(Ordering::Relaxed)
    }

    /// Position that the next appended record will get.
    pub fn next_position(&self) -> u64 {
        self.appended + 1
    }

    /// All records up to this position are on disk.
    pub fn durable(&self) -> u64 {
        self.shared.durable.get()
    }

    /// The first position that is there: others before it were dropped.
    pub fn first_position(&self) -> u64 {
        self.shared.first.get()
    }

    /// Segments that stand on the disk, with the empty one that is ready.
    pub fn segments(&self) -> u64 {
        self.shared.segments.get()
    }

    /// Why the log has stopped for good, if it has.
    pub fn failed(&self) -> Option<&Failure> {
        self.shared.failure.get()
    }

    /// Readable (8 bytes, an eventfd) after `durable`, `room` or `failed` changed.
    pub fn wake_fd(&self) -> BorrowedFd<'_> {
        self.shared.wake.as_fd()
    }

    /// Takes the wake-up back; call before looking at what changed.
    pub fn clear_wake(&self) {
        let _ = rustix::io::read(&self.shared.wake, &mut [0; 8]);
    }

    /// Lets segments go that hold only positions up to `position`, as those in a snapshot that is
    /// itself on disk. Positions that are not durable are kept whatever is asked.
    pub fn drop_through(&mut self, position: u64) {
        if position > self.shared.drop_through.get() {
            self.shared.drop_through.set(position);
            self.shared.wake_logger();
        }
    }

    /// What the log has done since it was opened.
    pub fn counts(&self) -> LogCounts {
        let counts = &self.shared.counts;
        LogCounts {
            commits: counts.commits.load(Ordering::Relaxed),
            blocks: counts.blocks.load(Ordering::Relaxed),
            seals: counts.seals.load(Ordering::Relaxed),
            bytes: counts.bytes.load(Ordering::Relaxed),
            segments_made: counts.segments_made.load(Ordering::Relaxed),
            segments_recycled: counts.segments_recycled.load(Ordering::Relaxed),
            segments_dropped: counts.segments_dropped.load(Ordering::Relaxed),
        }
    }

    /// Makes everything appended durable, seals the log and ends its thread; the last durable
    /// position.
    ///
    /// # Errors
    /// The failure that stopped the log before or while closing.
    pub fn close(mut self) -> Result<u64, Failure> {
        self.finish();
        match self.failed() {
            Some(failure) => Err(*failure),
            None => Ok(self.durable()),
        }
    }

    fn finish(&mut self) {
        self.commit();
        self.shared.closing.store(true, Ordering::Release);
        self.shared.wake_logger();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            // The thread panicked: whatever it had not synced is not durable.
            let _ = self.shared.failure.set(Failure {
                operation: "run the log's thread",
                errno: io::Error::last_os_error().raw_os_error().unwrap_or(0),
                segment: 0,
                durable: self.durable(),
            });
        }
    }
}

impl Drop for Logger {
    fn drop(&mut self) {
        self.finish();
    }
}
