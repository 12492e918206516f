//! Opening a log after whatever happened to it.
//!
//! The chain of blocks is followed from the oldest segment to the first place that does not
//! continue it. What stands behind that place decides: where some whole block there knew a
//! watermark beyond the last position read, durable records are lost and the log is reported
//! damaged; otherwise it is the torn tail of commits nobody was told of, and is zeroed. Where a
//! snapshot holds the effects of all that is lost, the chain goes on at the next whole block. A
//! segment's header page says nothing that is not known from elsewhere, and is written again.
//!
//! Two rules come from known failures of other logs. Blocks that no later watermark covers are
//! written again and synced before they count as durable: after a failed sync the system may show
//! contents that never reached the disk. And nothing is deleted or overwritten before the verdict.

use super::block::{BLOCK_BYTES, PAGE_BYTES};
use super::error::{Damage, LogError};
use super::segment::{Chain, Found, Identity, LOCK_NAME, SPARE_NAME, Segment, SegmentName};
use crate::disk::{Disk, DiskFile};
use std::collections::VecDeque;
use std::io;

mod headers;

/// A place in the list of segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    index: usize,
    page: u32,
}

/// A log that is whole up to `chain`.
pub(crate) struct Survey<D: Disk> {
    pub(crate) lock: D::Lock,
    pub(crate) chain: Chain,
    pub(crate) first_position: u64,
    pub(crate) cut_bytes: u64,
    /// What was passed over.
    pub(crate) damaged: Vec<Damage>,
    /// Sequence of the oldest segment; 0 when there is none.
    pub(crate) oldest: u32,
    pub(crate) segments: u32,
    /// The segment to go on in and its next page.
    pub(crate) current: Option<(Segment<D::File>, u32)>,
    /// Whether `current` holds a block.
    pub(crate) current_has_block: bool,
    /// The empty segment behind it.
    pub(crate) next: Option<Segment<D::File>>,
}

struct Recovery<'a, D: Disk> {
    disk: &'a D,
    identity: Identity,
    sequences: Vec<u32>,
    buffer: Vec<u8>,
    open: Option<(usize, Segment<D::File>)>,
    chain: Chain,
    first_position: Option<u64>,
    /// Blocks that no watermark covers: place, pages, records, last position.
    unsynced: VecDeque<(Place, u32, u32, u64)>,
    /// Position whose effects, and those of all before it, the caller has.
    covered: u64,
    damaged: Vec<Damage>,
    /// Indices of the segments whose header pages are damaged.
    headless: Vec<usize>,
}

/// What stands behind the chain's end.
enum Tail {
    /// Nothing that was durable; the last place that is not zero.
    Torn(Option<Place>),
    /// A whole block that the chain goes on with, nothing uncovered being lost before it.
    Resumes(Place),
}

/// Locks, checks and repairs the log in `disk`.
pub(crate) fn recover<D: Disk>(
    disk: &D,
    identity: Identity,
    covered: u64,
) -> Result<Survey<D>, LogError> {
    let lock = disk.lock(LOCK_NAME).map_err(|source| match source.kind() {
        io::ErrorKind::WouldBlock => LogError::Locked { directory: disk.describe() },
        _ => io_error(disk, "lock the log", source),
    })?;
    let sequences = list_segments(disk)?;
    let mut recovery = Recovery {
        disk,
        identity,
        sequences,
        buffer: vec![0; BLOCK_BYTES],
        open: None,
        chain: Chain::genesis(identity),
        first_position: None,
        unsynced: VecDeque::new(),
        covered,
        damaged: Vec::new(),
        headless: Vec::new(),
    };
    recovery.check_sequences()?;
    let (end, junk_end) = recovery.find_end()?;
    recovery.rewrite_headers()?;
    recovery.rewrite_unsynced()?;
    let cut_bytes = recovery.zero_tail(end, junk_end)?;
    let names = disk.list().map_err(|e| io_error(disk, "list the log", e))?;
    if names.iter().any(|name| name == SPARE_NAME) {
        disk.remove(SPARE_NAME).map_err(|e| io_error(disk, "remove an unfinished segment", e))?;
    }
    // Also for names that an earlier run created and did not live to sync.
    disk.sync_dir().map_err(|e| io_error(disk, "sync the log's directory", e))?;
    recovery.into_survey(lock, end, cut_bytes)
}

/// Sequences of all segments in a directory, rising.
pub(crate) fn list_segments<D: Disk>(disk: &D) -> Result<Vec<u32>, LogError> {
    let names = disk.list().map_err(|e| io_error(disk, "list the log", e))?;
    let mut sequences: Vec<u32> = names.iter().filter_map(|n| SegmentName::parse(n)).collect();
    sequences.sort_unstable();
    Ok(sequences)
}

fn io_error<D: Disk>(disk: &D, operation: &'static str, source: io::Error) -> LogError {
    LogError::Io { directory: disk.describe(), operation, source }
}

impl<D: Disk> Recovery<'_, D> {
    fn damage(&self, at: Place, detail: &'static str, last_position: u64) -> Damage {
        Damage {
            segment: self.sequences[at.index],
            offset: u64::from(at.page) * PAGE_BYTES as u64,
            first_position: self.chain.next_position,
            last_position,
            detail,
        }
    }

    fn damaged(&self, at: Place, detail: &'static str, last_position: u64) -> LogError {
        let damage = self.damage(at, detail, last_position);
        LogError::Damaged { directory: self.disk.describe(), damage }
    }

    /// The place behind the chain's last block, and the last one there that is not zero.
    fn find_end(&mut self) -> Result<(Option<Place>, Option<Place>), LogError> {
        let mut from = Place { index: 0, page: 1 };
        loop {
            let end = self.follow_chain(from)?;
            match self.judge_tail(end)? {
                Tail::Torn(junk_end) => return Ok((end, junk_end)),
                Tail::Resumes(place) => from = place,
            }
        }
    }

    fn check_sequences(&self) -> Result<(), LogError> {
        for (index, pair) in self.sequences.windows(2).enumerate() {
            if pair[1] != pair[0] + 1 {
                let at = Place { index, page: 0 };
                return Err(self.damaged(at, "the segment after this one is missing", 0));
            }
        }
        Ok(())
    }

    /// The segment at `index`; only one is held open at a time.
    fn segment(&mut self, index: usize) -> Result<&Segment<D::File>, LogError> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != index) {
            let segment = self.open_at(index)?;
            self.open = Some((index, segment));
        }
        match &self.open {
            Some((_, segment)) => Ok(segment),
            None => unreachable!("opened above"),
        }
    }

    fn read(&mut self, at: Place) -> Result<Found, LogError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let identity = self.identity;
        let found = self
            .segment(at.index)
            .map(|segment| segment.read_block(identity, at.page, &mut buffer));
        self.buffer = buffer;
        found?.map_err(|e| io_error(self.disk, "read the log", e))
    }

    /// The place itself, or the start of the next segment where the segment ends here.
    fn normal(&mut self, mut at: Place) -> Result<Option<Place>, LogError> {
        while at.index < self.sequences.len() {
            if at.page < self.segment(at.index)?.pages {
                return Ok(Some(at));
            }
            at = Place { index: at.index + 1, page: 1 };
        }
        Ok(None)
    }

    /// Follows the chain from a place to its end; the place behind its last block, `None` where the
    /// last segment is full (or there is none).
    fn follow_chain(&mut self, mut at: Place) -> Result<Option<Place>, LogError> {
        loop {
            let Some(place) = self.normal(at)? else {
                return Ok(None);
            };
            at = place;
            let Found::Block(header) = self.read(at)? else {
                return Ok(Some(at));
            };
            if self.first_position.is_none() {
                if self.sequences[0] != 1 {
                    self.chain = Chain::before(&header);
                }
                self.first_position = Some(self.chain.next_position);
            }
            if let Err(fault) = self.chain.check(&header) {
                // A block left by an older epoch is a stale tail; anything else cannot come from
                // a crash.
                if header.epoch >= self.chain.epoch {
                    return Err(self.damaged(at, fault, header.durable));
                }
                return Ok(Some(at));
            }
            self.chain.advance(&header, &self.buffer[..header.used_bytes()]);
            self.unsynced.push_back((at, header.pages(), header.count, header.last_position()));
            self.forget_synced();
            at.page += header.pages();
        }
    }

    /// Forgets the blocks up to the last one with records that the watermark covers.
    fn forget_synced(&mut self) {
        let durable = self.chain.durable;
        let covered = |&(_, _, count, last): &(Place, u32, u32, u64)| count > 0 && last <= durable;
        if let Some(index) = self.unsynced.iter().rposition(covered) {
            self.unsynced.drain(..=index);
        }
    }

    /// Looks behind the chain's end.
    fn judge_tail(&mut self, end: Option<Place>) -> Result<Tail, LogError> {
        let last_read = self.chain.next_position - 1;
        let Some(end) = end else {
            return Ok(Tail::Torn(None));
        };
        let mut next_block = None;
        let (mut detail, mut promised, mut junk_end) = ("zeros where a block was", last_read, None);
        let mut at = end;
        while let Some(place) = self.normal(at)? {
            at = place;
            let mut pages = 1;
            match self.read(at)? {
                Found::Empty => {}
                Found::Bad(fault) => {
                    junk_end = Some(at);
                    if at == end {
                        detail = fault;
                    }
                }
                Found::Block(header) => {
                    pages = header.pages();
                    junk_end = Some(Place { page: at.page + pages - 1, ..at });
                    promised = promised.max(header.durable);
                    next_block.get_or_insert((at, header));
                }
            }
            at.page += pages;
        }
        // A segment goes only when the next one has a block on the disk.
        let headless = self.first_position.is_none() && self.sequences[0] != 1;
        if promised > last_read || headless {
            let resumed = |(_, header): &_| self.chain.resumes_at(header, self.covered);
            return match next_block.filter(resumed) {
                Some((at, header)) => {
                    self.damaged.push(self.damage(end, detail, header.first_position - 1));
                    self.first_position.get_or_insert(header.first_position);
                    self.chain = Chain::before(&header);
                    Ok(Tail::Resumes(at))
                }
                None => Err(self.damaged(end, detail, promised)),
            };
        }
        if self.sequences.len() > end.index + 2 {
            return Err(self.damaged(end, "more than one empty segment follows", 0));
        }
        Ok(Tail::Torn(junk_end))
    }

    /// Makes sure that what was read is what is on the disk.
    fn rewrite_unsynced(&mut self) -> Result<(), LogError> {
        let mut touched = None;
        while let Some((at, pages, ..)) = self.unsynced.pop_front() {
            if touched.is_some_and(|index| index != at.index) {
                self.sync(touched)?;
            }
            touched = Some(at.index);
            self.read(at)?;
            let bytes = std::mem::take(&mut self.buffer);
            let offset = u64::from(at.page) * PAGE_BYTES as u64;
            let length = pages as usize * PAGE_BYTES;
            let written = self.segment(at.index)?.file.write_at(&bytes[..length], offset);
            self.buffer = bytes;
            written.map_err(|e| io_error(self.disk, "write the log's tail again", e))?;
        }
        self.sync(touched)
    }

    fn sync(&mut self, index: Option<usize>) -> Result<(), LogError> {
        let Some(index) = index else { return Ok(()) };
        let synced = self.segment(index)?.file.sync_data();
        synced.map_err(|e| io_error(self.disk, "sync the log's tail", e))
    }

    /// Zeroes from the chain's end to the end of what is not zero; the bytes cut.
    fn zero_tail(&mut self, end: Option<Place>, junk_end: Option<Place>) -> Result<u64, LogError> {
        let (Some(end), Some(last)) = (end, junk_end) else {
            return Ok(0);
        };
        let mut cut_bytes = 0;
        for index in end.index..=last.index {
            let pages = self.segment(index)?.pages;
            let from = if index == end.index { end.page } else { 1 };
            let to = if index == last.index { last.page + 1 } else { pages };
            let (from, to) = (u64::from(from), u64::from(to));
            let zeroed = (from * PAGE_BYTES as u64, to * PAGE_BYTES as u64);
            let written = self.segment(index)?.file.zero_fill(zeroed.0, zeroed.1);
            written.map_err(|e| io_error(self.disk, "cut the log's torn tail", e))?;
            self.sync(Some(index))?;
            cut_bytes += zeroed.1 - zeroed.0;
        }
        Ok(cut_bytes)
    }

    fn into_survey(
        mut self,
        lock: D::Lock,
        end: Option<Place>,
        cut_bytes: u64,
    ) -> Result<Survey<D>, LogError> {
        let segments = self.sequences.len();
        let at = match end {
            Some(place) => Some(place),
            // The last segment is full: it stays current with no page left.
            None if segments > 0 => {
                let index = segments - 1;
                let page = self.segment(index)?.pages;
                Some(Place { index, page })
            }
            None => None,
        };
        let (mut current, mut next, mut current_has_block) = (None, None, false);
        if let Some(at) = at {
            self.segment(at.index)?;
            current = self.open.take().map(|(_, segment)| (segment, at.page));
            current_has_block = at.page > 1;
            if at.index + 1 < segments {
                self.segment(at.index + 1)?;
                next = self.open.take().map(|(_, segment)| segment);
            }
        }
        Ok(Survey {
            lock,
            chain: self.chain,
            first_position: self.first_position.unwrap_or(self.chain.next_position),
            cut_bytes,
            damaged: self.damaged,
            oldest: self.sequences.first().copied().unwrap_or(0),
            segments: segments as u32,
            current,
            current_has_block,
            next,
        })
    }
}
