//! Reading a log, also while it is being written, without its lock.

use super::block::{BLOCK_BYTES, BlockHeader, HEADER_BYTES, PAGE_BYTES};
use super::error::{Damage, LogError};
use super::recovery::list_segments;
use super::segment::{Chain, Found, Identity, Segment, SegmentName, open_segment};
use super::{RECORD_BYTES, RawRecord};
use crate::disk::{Access, Disk};
use std::io;

/// Pages in which a block is looked for behind a place that has none: a reader that follows a log
/// looks each time it comes to the end.
const LOOK_AHEAD_PAGES: u32 = 64;

/// A whole block and its page, with its segment where that is not the present one.
type Place<D> = (Option<Segment<<D as Disk>::File>>, u32, BlockHeader);

/// A block with records, as read.
#[derive(Debug)]
pub struct Block<'a> {
    /// Position of `records[0]`.
    pub first_position: u64,
    /// The records from the wanted position on.
    pub records: &'a [RawRecord],
    /// The block's header; its count and first position are those of the whole block.
    pub header: BlockHeader,
}

/// Iterates the blocks of a log from a position on, over all segments.
///
/// At the end of what is written it stops, and goes on from there when asked again. Blocks are
/// checked (checksum and chain); what lies before the wanted position need not be readable. A block
/// may be seen before it is durable: see [`LogReader::durable`].
pub struct LogReader<D: Disk> {
    disk: D,
    identity: Identity,
    segment: Option<Segment<D::File>>,
    page: u32,
    /// `None` before the first block that is read, but at the log's own beginning.
    chain: Option<Chain>,
    wanted: u64,
    durable: u64,
    look_ahead: u32,
    buffer: Box<[u8]>,
    /// Positions whose loss the caller knows of.
    named: Vec<u64>,
    /// Those of them that were needed to go on.
    needed: Vec<u64>,
}

impl<D: Disk> LogReader<D> {
    /// A reader of the log in `disk` whose first record is that of position `from` (from 1), or
    /// later ones where `from` has not been written yet.
    ///
    /// # Errors
    /// `log-foreign` for another partition or world, `log-dropped` when `from` is no longer
    /// there, `log-damaged`, `log-io`.
    pub fn open(disk: D, partition: u16, world_id: u64, from: u64) -> Result<Self, LogError> {
        let mut reader = Self {
            disk,
            identity: Identity { partition, world_id },
            segment: None,
            page: 1,
            chain: None,
            wanted: from.max(1),
            durable: 0,
            look_ahead: LOOK_AHEAD_PAGES,
            buffer: vec![0; BLOCK_BYTES].into_boxed_slice(),
            named: Vec::new(),
            needed: Vec::new(),
        };
        reader.find_start()?;
        Ok(reader)
    }

    /// Takes no place for the end before all behind it, in its segment and the next one, was looked
    /// at: some milliseconds, for who reads a log once.
    pub fn look_far(&mut self) {
        self.look_ahead = u32::MAX;
    }

    /// Goes on where records cannot be read, if one of `positions` is among those that are lost
    /// there; where only a seal is lost, if the position behind it is. The next block then begins
    /// behind [`LogReader::next_position`].
    pub fn pass_over(&mut self, positions: Vec<u64>) {
        self.named = positions;
    }

    /// The positions given to [`LogReader::pass_over`] without which reading would have stopped.
    pub fn needed(&self) -> &[u64] {
        &self.needed
    }

    /// The next block that has records at or after the wanted position; `None` at the end of what
    /// is written so far.
    ///
    /// # Errors
    /// `log-damaged`, `log-dropped` when the writer dropped the segment under the reader,
    /// `log-rewritten` when a recovery cut what was read, `log-io`.
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>, LogError> {
        loop {
            let Some(header) = self.step()? else {
                return Ok(None);
            };
            if header.count > 0 && header.last_position() >= self.wanted {
                let skip = self.wanted.saturating_sub(header.first_position) as usize;
                self.wanted = header.last_position() + 1;
                let records = &self.buffer[HEADER_BYTES..header.used_bytes()];
                let records = &records.as_chunks::<RECORD_BYTES>().0[skip..];
                return Ok(Some(Block {
                    first_position: header.first_position + skip as u64,
                    records,
                    header,
                }));
            }
        }
    }

    /// Position of the next record to come.
    pub fn next_position(&self) -> u64 {
        self.wanted
    }

    /// The greatest watermark read so far: positions up to here were on disk. The seal that
    /// covers a commit follows it at once when the writer is idle.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    fn io_error(&self, source: io::Error) -> LogError {
        LogError::Io { directory: self.disk.describe(), operation: "read the log", source }
    }

    fn damaged(&self, detail: &'static str, last_position: u64) -> LogError {
        LogError::Damaged {
            directory: self.disk.describe(),
            damage: Damage {
                segment: self.segment.as_ref().map_or(0, |s| s.sequence),
                offset: u64::from(self.page) * PAGE_BYTES as u64,
                first_position: self.expected(),
                last_position,
                detail,
            },
        }
    }

    /// Position that the next block should begin with; 1 where nothing is known of it.
    fn expected(&self) -> u64 {
        self.chain.map_or(1, |chain| chain.next_position)
    }

    /// Opens the last segment that starts at or before the wanted position, or the oldest one when
    /// nothing shows where it starts.
    fn find_start(&mut self) -> Result<(), LogError> {
        let sequences = list_segments(&self.disk)?;
        let mut first = None;
        for &sequence in sequences.iter().rev() {
            let Some(segment) = self.segment(sequence)? else {
                continue;
            };
            let found = segment.read_block(self.identity, 1, &mut self.buffer);
            if let Found::Block(header) = found.map_err(|e| self.io_error(e))? {
                first = Some(header.first_position);
                if header.first_position > self.wanted {
                    continue;
                }
            } else if sequence != sequences[0] {
                continue;
            }
            self.chain = (sequence == 1).then(|| Chain::genesis(self.identity));
            self.segment = Some(segment);
            return Ok(());
        }
        match first {
            Some(first) => Err(LogError::Dropped { wanted: self.wanted, first }),
            // Nothing written yet: looked for again at the next call.
            None => Ok(()),
        }
    }

    /// Segment `sequence`, `None` where there is none (any more).
    fn segment(&self, sequence: u32) -> Result<Option<Segment<D::File>>, LogError> {
        use super::segment::SegmentFault::Io;
        match open_segment(&self.disk, self.identity, sequence, Access::Read) {
            Ok(segment) => Ok(Some(segment)),
            Err(Io(_, error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault.into_error(self.disk.describe(), sequence, self.expected())),
        }
    }

    /// Reads the next block into the buffer and goes past it.
    fn step(&mut self) -> Result<Option<BlockHeader>, LogError> {
        if self.segment.is_none() {
            self.find_start()?;
        }
        loop {
            let Some(segment) = &self.segment else {
                return Ok(None);
            };
            if self.page < segment.pages {
                break;
            }
            let Some(next) = self.segment(segment.sequence + 1)? else {
                return self.at_end("the next segment is missing");
            };
            self.segment = Some(next);
            self.page = 1;
        }
        let found = match &self.segment {
            Some(segment) => segment.read_block(self.identity, self.page, &mut self.buffer),
            None => return Ok(None),
        };
        match found.map_err(|e| self.io_error(e))? {
            Found::Block(header) => self.accept(header).map(Some),
            Found::Empty => self.at_end("zeros where a block was"),
            Found::Bad(fault) => self.at_end(fault),
        }
    }

    fn accept(&mut self, header: BlockHeader) -> Result<BlockHeader, LogError> {
        let mut chain = self.chain.unwrap_or(Chain::before(&header));
        if chain.check(&header).is_err() {
            return Err(LogError::Rewritten { position: chain.next_position });
        }
        chain.advance(&header, &self.buffer[..header.used_bytes()]);
        self.chain = Some(chain);
        self.durable = self.durable.max(header.durable);
        self.page += header.pages();
        Ok(header)
    }

    /// No whole block at the place: the end of a live log, or damage, or a dropped segment.
    fn at_end(&mut self, detail: &'static str) -> Result<Option<BlockHeader>, LogError> {
        let Some(segment) = &self.segment else {
            return Ok(None);
        };
        let (sequence, full) = (segment.sequence, self.page == segment.pages);
        let last_read = self.expected() - 1;
        let promised = if full { 0 } else { self.watermark_behind()? };
        // The writer may have been at work between the two looks; what a watermark promises was
        // written before it, so a second look at the place must show it.
        if promised > last_read
            && let Some(header) = self.look_again()?
        {
            return self.accept(header).map(Some);
        }
        // A dropped segment loses its name before its contents: this comes last.
        let name = SegmentName::new(sequence);
        match self.disk.open(name.as_str(), Access::Read) {
            Ok(_) if promised > last_read => self.at_damage(detail, promised).map(Some),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.dropped()?),
            Err(error) => Err(self.io_error(error)),
        }
    }

    /// Durable records cannot be read: goes on behind them where the caller wants none of them, or
    /// has named one. What a damaged beginning held cannot be told from what was dropped before it.
    fn at_damage(&mut self, detail: &'static str, promised: u64) -> Result<BlockHeader, LogError> {
        let Some((segment, page, header)) = self.behind()? else {
            return Err(self.damaged(detail, promised));
        };
        let (first, next) = (header.first_position, self.expected());
        let chain = self.chain.unwrap_or(Chain::genesis(self.identity));
        let unwanted = chain.resumes_at(&header, self.wanted - 1);
        if self.chain.is_none() && !unwanted {
            return Err(LogError::Dropped { wanted: self.wanted, first });
        }
        let lost = next..first.max(next + 1);
        let needed = self.named.iter().filter(|&position| lost.contains(position));
        let before = self.needed.len();
        self.needed.extend(needed);
        if !unwanted && self.needed.len() == before {
            return Err(self.damaged(detail, first - 1));
        }
        self.chain = Some(Chain::before(&header));
        self.page = page;
        if let Some(segment) = segment {
            self.segment = Some(segment);
        }
        self.accept(header)
    }

    /// The first whole block behind the place that may go on with the chain, left in the buffer.
    fn behind(&mut self) -> Result<Option<Place<D>>, LogError> {
        let chain = self.chain;
        self.look_behind(|header, pages| {
            chain.is_none_or(|chain| {
                // A page holds 64 records at most: more cannot have been lost.
                let lost = header.first_position.checked_sub(chain.next_position);
                let bound = u64::from(pages) * 64;
                header.epoch >= chain.epoch && lost.is_some_and(|lost| lost <= bound)
            })
        })
    }

    /// The greatest watermark of whole blocks behind the place.
    fn watermark_behind(&mut self) -> Result<u64, LogError> {
        let mut greatest = 0;
        self.look_behind(|header, _| {
            greatest = greatest.max(header.durable);
            false
        })?;
        Ok(greatest)
    }

    /// Looks for a whole block behind the place, which has none: in the next pages, and at the
    /// start of the next segment, which the writer only begins when this one is whole. `wanted`
    /// is also told how many pages lie before the block.
    fn look_behind(
        &mut self,
        mut wanted: impl FnMut(&BlockHeader, u32) -> bool,
    ) -> Result<Option<Place<D>>, LogError> {
        let Some(segment) = &self.segment else {
            return Ok(None);
        };
        for page in self.page + 1..segment.pages.min(self.page.saturating_add(self.look_ahead)) {
            let found = segment.read_block(self.identity, page, &mut self.buffer);
            if let Found::Block(header) = found.map_err(|e| self.io_error(e))?
                && wanted(&header, page - self.page)
            {
                return Ok(Some((None, page, header)));
            }
        }
        let before = segment.pages - self.page;
        let Some(next) = self.segment(segment.sequence + 1)? else {
            return Ok(None);
        };
        for page in 1..next.pages.min(self.look_ahead.saturating_add(1)) {
            let found = next.read_block(self.identity, page, &mut self.buffer);
            match found.map_err(|e| self.io_error(e))? {
                // Not begun, most likely.
                Found::Empty if page == 1 && self.look_ahead == LOOK_AHEAD_PAGES => {
                    return Ok(None);
                }
                Found::Block(header) if wanted(&header, before + page - 1) => {
                    return Ok(Some((Some(next), page, header)));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn look_again(&mut self) -> Result<Option<BlockHeader>, LogError> {
        let Some(segment) = &self.segment else {
            return Ok(None);
        };
        match segment.read_block(self.identity, self.page, &mut self.buffer) {
            Ok(Found::Block(header)) => Ok(Some(header)),
            Ok(_) => Ok(None),
            Err(error) => Err(self.io_error(error)),
        }
    }

    /// The first position that is there; 1 where nothing was dropped.
    ///
    /// # Errors
    /// `log-damaged`, `log-foreign`, `log-io`.
    pub fn first_position(&mut self) -> Result<u64, LogError> {
        for sequence in list_segments(&self.disk)? {
            if sequence == 1 {
                return Ok(1);
            }
            let Some(segment) = self.segment(sequence)? else {
                continue;
            };
            let found = segment.read_block(self.identity, 1, &mut self.buffer);
            if let Found::Block(header) = found.map_err(|e| self.io_error(e))? {
                return Ok(header.first_position);
            }
        }
        Ok(1)
    }

    /// The error that names the first position still there.
    fn dropped(&mut self) -> Result<LogError, LogError> {
        Ok(LogError::Dropped { wanted: self.wanted, first: self.first_position()? })
    }
}
