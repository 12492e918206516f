//! The logger's own work: group commits, seals, preparing and dropping segments.

use super::block::{BLOCK_BYTES, BLOCK_RECORDS, BlockHeader, HEADER_BYTES, PAGE_BYTES};
use super::error::{Failure, is_no_space};
use super::segment::{Chain, Found, Identity, Segment, SegmentFault, open_segment};
use super::shared::{Shared, add};
use super::spare::{Progress, Spare};
use super::{LogOptions, RECORD_BYTES};
use crate::disk::{Access, Disk, DiskFile};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// What a turn of the worker asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Another turn at once.
    Again,
    /// Another turn when there are records, a drop request or a close.
    Idle,
    /// As `Idle`, but after this time at the latest.
    Within(Duration),
    /// No further turn: closed, all is durable.
    Closed,
    /// No further turn: the log has failed.
    Failed,
}

/// A failed operation on the disk.
pub(crate) struct Fault(pub(crate) &'static str, pub(crate) io::Error);

pub(crate) type Outcome<T> = Result<T, Fault>;

/// The half of an open log that touches the disk. One turn at a time, on any thread.
pub struct Worker<D: Disk> {
    pub(super) disk: D,
    pub(super) identity: Identity,
    pub(super) shared: Arc<Shared>,
    pub(super) chain: Chain,
    pub(super) buffer: Box<[u8]>,
    pub(super) current: Segment<D::File>,
    /// First free page of `current`.
    pub(super) page: u32,
    pub(super) next: Option<Segment<D::File>>,
    pub(super) spare: Spare<D::File>,
    /// Oldest segment in the directory.
    pub(super) oldest: u32,
    /// Newest segment whose first block is known to be on the disk.
    pub(super) synced: u32,
    /// Last record position written (durable only after the sync).
    pub(super) written: u64,
    /// Whether the newest watermark stands in the log.
    pub(super) sealed: bool,
    /// The drop request that was carried out last.
    pub(super) dropped_through: u64,
    pub(super) segment_bytes: u64,
    pub(super) slice_bytes: u64,
    pub(super) retry: Duration,
    pub(super) retry_at: Option<Instant>,
    pub(super) linger: Duration,
    // Held for as long as files are written.
    pub(super) _lock: D::Lock,
}

impl<D: Disk> Worker<D> {
    /// Does one piece of work, bounded by one commit or one slice of preparation.
    pub fn turn(&mut self) -> Turn {
        if self.shared.failure.get().is_some() {
            return Turn::Failed;
        }
        match self.try_turn() {
            Ok(turn) => turn,
            Err(Fault(operation, error)) => {
                let _ = self.shared.failure.set(Failure {
                    operation,
                    errno: error.raw_os_error().unwrap_or(0),
                    segment: self.current.sequence,
                    durable: self.shared.durable.get(),
                });
                self.shared.wake_actor();
                Turn::Failed
            }
        }
    }

    fn try_turn(&mut self) -> Outcome<Turn> {
        let closing = self.shared.closing.load(Ordering::Acquire);
        let committed = self.shared.committed.get();
        if committed > self.written {
            self.commit(committed)?;
            // Under steady load there is no idle time: interleave once the segment is half full.
            if self.next.is_none() && self.page * 2 >= self.current.pages {
                self.prepare()?;
            }
            self.drop_one()?;
            return Ok(Turn::Again);
        }
        if !self.sealed && self.pages_free() > 0 {
            self.write_block(0)?;
            self.sealed = true;
            return Ok(Turn::Again);
        }
        if closing {
            self.sync_current()?;
            return Ok(Turn::Closed);
        }
        if self.drop_one()? {
            return Ok(Turn::Again);
        }
        if self.next.is_some() {
            return Ok(Turn::Idle);
        }
        if let Some(at) = self.retry_at {
            let now = Instant::now();
            if now < at && self.shared.no_space.load(Ordering::Relaxed) {
                return Ok(Turn::Within(at - now));
            }
        }
        self.prepare()?;
        Ok(Turn::Again)
    }

    /// Writes all records up to `committed`, syncs once, publishes the watermark.
    fn commit(&mut self, committed: u64) -> Outcome<()> {
        while self.written < committed {
            if self.page == self.current.pages {
                self.advance_segment()?;
            }
            let room = (self.current.pages - self.page) as usize * PAGE_BYTES - HEADER_BYTES;
            let waiting = committed - self.written;
            let count = waiting.min(BLOCK_RECORDS as u64).min((room / RECORD_BYTES) as u64);
            self.write_block(count as usize)?;
        }
        self.sync_current()?;
        self.sealed = false;
        add(&self.shared.counts.commits, 1);
        self.publish_durable();
        Ok(())
    }

    /// Takes `count` records from the queue and writes them as one block; 0 makes a seal.
    pub(super) fn write_block(&mut self, count: usize) -> Outcome<()> {
        if self.page == self.current.pages {
            self.advance_segment()?;
        }
        for index in 0..count {
            let at = HEADER_BYTES + index * RECORD_BYTES;
            let record = &mut self.buffer[at..at + RECORD_BYTES];
            self.shared.get(self.written + 1 + index as u64, record);
        }
        self.shared.taken.set(self.written + count as u64);
        let header = BlockHeader {
            partition: self.identity.partition,
            epoch: self.chain.epoch,
            first_position: self.written + 1,
            count: count as u32,
            previous_hash: self.chain.hash,
            durable: self.shared.durable.get(),
            time_ms: self.shared.time_ms.get(),
            segment: self.current.sequence,
            page: self.page,
        };
        header.seal(&mut self.buffer);
        let bytes = header.pages() as usize * PAGE_BYTES;
        let offset = u64::from(self.page) * PAGE_BYTES as u64;
        let written = self.current.file.write_at(&self.buffer[..bytes], offset);
        written.map_err(|e| Fault("write a block", e))?;
        self.chain.advance(&header, &self.buffer[..header.used_bytes()]);
        self.page += header.pages();
        self.written += count as u64;
        let counts = &self.shared.counts;
        let kind = if count == 0 { &counts.seals } else { &counts.blocks };
        add(kind, 1);
        add(&counts.bytes, bytes as u64);
        Ok(())
    }

    /// Goes on in the segment that was prepared.
    fn advance_segment(&mut self) -> Outcome<()> {
        // The old segment is whole on the disk before the new one gets a block: only the newest
        // segment can have a torn tail.
        self.sync_current()?;
        let Some(next) = self.next.take() else {
            // Unreachable while `limit` holds; a wrong count must not become a lost record.
            return Err(Fault("find the next segment", io::ErrorKind::Other.into()));
        };
        self.current = next;
        self.page = 1;
        self.shared.durable.set(self.written);
        Ok(())
    }

    pub(super) fn sync_current(&mut self) -> Outcome<()> {
        let synced = self.current.file.sync_data();
        synced.map_err(|e| Fault("sync a segment", e))?;
        if self.page > 1 {
            self.synced = self.current.sequence;
        }
        Ok(())
    }

    pub(super) fn publish_durable(&mut self) {
        self.shared.durable.set(self.written);
        self.publish_limit();
        self.shared.wake_actor();
    }

    /// Publishes how far appends may go: a record needs at most two pages, one for a block of its
    /// own and one for the seal behind it, so this never falls.
    fn publish_limit(&self) {
        let pages = self.pages_free().saturating_sub(u64::from(!self.sealed));
        let limit = self.written + pages / 2;
        debug_assert!(limit >= self.shared.limit.get());
        self.shared.limit.set(limit);
    }

    /// Publishes how many segments there are, with the empty one.
    pub(super) fn publish_segments(&self) {
        let behind_oldest = self.current.sequence - self.oldest;
        self.shared.segments.set(u64::from(behind_oldest) + 1 + u64::from(self.next.is_some()));
    }

    fn pages_free(&self) -> u64 {
        let next = self.next.as_ref().map_or(0, |next| next.pages - 1);
        u64::from(self.current.pages - self.page) + u64::from(next)
    }

    /// Does a slice of preparing the next segment.
    pub(super) fn prepare(&mut self) -> Outcome<()> {
        let sequence = self.current.sequence + 1;
        match self.spare.advance(
            &self.disk,
            self.identity,
            sequence,
            self.segment_bytes,
            self.slice_bytes,
        ) {
            Ok(Progress::More) => {}
            Ok(Progress::Ready(segment)) => {
                self.next = Some(segment);
                self.retry_at = None;
                self.shared.no_space.store(false, Ordering::Relaxed);
                add(&self.shared.counts.segments_made, 1);
                self.publish_limit();
                self.publish_segments();
                self.shared.wake_actor();
            }
            Err(Fault(operation, error)) if is_no_space(&error) => {
                // Nothing depends on the unfinished file: give its space back, try again later.
                self.spare.discard(&self.disk).map_err(|e| Fault(operation, e))?;
                self.retry_at = Some(Instant::now() + self.retry);
                self.shared.no_space.store(true, Ordering::Relaxed);
            }
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    /// Drops the oldest segment if a request covers it; whether it did.
    fn drop_one(&mut self) -> Outcome<bool> {
        let request = self.shared.drop_through.get().min(self.shared.durable.get());
        if request <= self.dropped_through {
            return Ok(false);
        }
        // The next segment must keep a block on the disk to carry the chain on.
        let first = self.first_position_behind(self.oldest)?;
        if let Some(first) = first
            && first <= request + 1
        {
            let recycle = self.spare.take_over(&self.disk, self.oldest, self.segment_bytes)?;
            let counts = &self.shared.counts;
            add(if recycle { &counts.segments_recycled } else { &counts.segments_dropped }, 1);
            self.oldest += 1;
            self.shared.first.set(first);
            self.publish_segments();
            self.retry_at = None;
            return Ok(true);
        }
        self.dropped_through = request;
        Ok(false)
    }

    /// First position of the first segment on the disk behind `sequence` that begins with a whole
    /// block: what damage there was when the log was opened, a snapshot covers.
    fn first_position_behind(&mut self, sequence: u32) -> Outcome<Option<u64>> {
        let fault = |e| Fault("read a segment's first block", e);
        for sequence in sequence + 1..=self.synced {
            let opened = open_segment(&self.disk, self.identity, sequence, Access::Read);
            let segment = match opened {
                Ok(segment) => segment,
                Err(SegmentFault::Io(_, error)) => return Err(fault(error)),
                Err(_) => continue,
            };
            let found = segment.read_block(self.identity, 1, &mut self.buffer).map_err(fault)?;
            if let Found::Block(header) = found {
                return Ok(Some(header.first_position));
            }
        }
        Ok(None)
    }

    /// Stays awake for a while: true when there are records to write again. Waking a parked thread
    /// costs its waker, which is the actor, 25 to 30 us on a virtual machine.
    fn linger(&self) -> bool {
        let until = Instant::now() + self.linger;
        while Instant::now() < until {
            if self.shared.committed.get() > self.written {
                return true;
            }
            std::thread::yield_now();
        }
        false
    }

    /// Turns until closed or failed, parked while idle.
    pub(super) fn run(mut self) {
        crate::allocations::seal();
        let _ = self.shared.tid.set(rustix::thread::gettid().as_raw_nonzero().get());
        loop {
            match self.turn() {
                Turn::Again => {}
                Turn::Idle if self.linger() => {}
                Turn::Idle => std::thread::park(),
                Turn::Within(time) => std::thread::park_timeout(time),
                Turn::Closed | Turn::Failed => return,
            }
        }
    }
}

/// A buffer for the largest block.
pub(super) fn block_buffer() -> Box<[u8]> {
    vec![0; BLOCK_BYTES].into_boxed_slice()
}

/// The numbers of `options` in the worker's units.
pub(super) fn check_options(options: &LogOptions) -> Result<(), &'static str> {
    let page = PAGE_BYTES as u64;
    if !options.segment_bytes.is_multiple_of(page)
        || options.segment_bytes < 4 * page
        || options.segment_bytes / page > u64::from(u32::MAX)
    {
        return Err("segment_bytes must be a multiple of 4,096, at least 16,384");
    }
    if !options.queue_records.is_power_of_two() {
        return Err("queue_records must be a power of two");
    }
    if options.slice_bytes == 0 || !options.slice_bytes.is_multiple_of(page) {
        return Err("slice_bytes must be a multiple of 4,096");
    }
    Ok(())
}
