//! Segment files: names, the header page, and blocks read from them.

use super::block::{
    self, BLOCK_BYTES, BlockFault, BlockHeader, HEADER_BYTES, LOG_VERSION, PAGE_BYTES,
};
use super::error::{Damage, LogError};
use crate::crc::crc32c;
use crate::disk::{Access, Disk, DiskFile};
use std::fmt::Write as _;
use std::io;

/// First eight bytes of a segment.
pub const SEGMENT_MAGIC: [u8; 8] = *b"HGLOGSEG";
/// The file in which the next segment is prepared.
pub(crate) const SPARE_NAME: &str = "spare.tmp";
/// The file whose lock the writer holds.
pub(crate) const LOCK_NAME: &str = "lock";

/// A segment's file name, made without allocation.
#[derive(Clone, Copy)]
pub(crate) struct SegmentName {
    text: [u8; 32],
    length: usize,
}

impl SegmentName {
    /// `segment-<ten digits>.log`
    pub(crate) fn new(sequence: u32) -> Self {
        let mut name = Self { text: [0; 32], length: 0 };
        // Cannot fail: 22 bytes into 32.
        let _ = write!(name, "segment-{sequence:010}.log");
        name
    }

    pub(crate) fn as_str(&self) -> &str {
        str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }

    /// The sequence that a file name stands for.
    pub(crate) fn parse(name: &str) -> Option<u32> {
        let digits = name.strip_prefix("segment-")?.strip_suffix(".log")?;
        let sequence = digits.parse().ok()?;
        (Self::new(sequence).as_str() == name).then_some(sequence)
    }
}

impl std::fmt::Write for SegmentName {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let place = self.text.get_mut(self.length..end).ok_or(std::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Whose log a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) partition: u16,
    pub(crate) world_id: u64,
}

/// The first page of a segment.
pub(crate) fn header_page(identity: Identity, sequence: u32, bytes: u64) -> [u8; PAGE_BYTES] {
    let mut page = [0; PAGE_BYTES];
    page[0..8].copy_from_slice(&SEGMENT_MAGIC);
    page[8..10].copy_from_slice(&LOG_VERSION.to_le_bytes());
    page[10..12].copy_from_slice(&identity.partition.to_le_bytes());
    page[12..16].copy_from_slice(&sequence.to_le_bytes());
    page[16..24].copy_from_slice(&identity.world_id.to_le_bytes());
    page[24..32].copy_from_slice(&bytes.to_le_bytes());
    let crc = crc32c(&page);
    page[60..64].copy_from_slice(&crc.to_le_bytes());
    page
}

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment<F> {
    pub(crate) file: F,
    pub(crate) sequence: u32,
    /// Pages of the file, with its header page.
    pub(crate) pages: u32,
}

/// Why a segment cannot be used.
pub(crate) enum SegmentFault {
    Io(&'static str, io::Error),
    /// Its header page is not what was written; all that it says is known from elsewhere.
    Headless,
    Damaged(&'static str),
    Foreign(String),
}

impl SegmentFault {
    /// The error to report where `next` is the first position not read so far.
    pub(crate) fn into_error(self, directory: String, sequence: u32, next: u64) -> LogError {
        let detail = match self {
            Self::Io(operation, source) => return LogError::Io { directory, operation, source },
            Self::Foreign(detail) => return LogError::Foreign { directory, detail },
            Self::Headless => "the segment's header is damaged",
            Self::Damaged(detail) => detail,
        };
        let damage = Damage {
            segment: sequence,
            offset: 0,
            first_position: next,
            last_position: next - 1,
            detail,
        };
        LogError::Damaged { directory, damage }
    }
}

/// Opens segment `sequence` and checks its header page.
pub(crate) fn open_segment<D: Disk>(
    disk: &D,
    identity: Identity,
    sequence: u32,
    access: Access,
) -> Result<Segment<D::File>, SegmentFault> {
    let io = |source| SegmentFault::Io("open a segment", source);
    let name = SegmentName::new(sequence);
    let file = disk.open(name.as_str(), access).map_err(io)?;
    let mut page = [0; PAGE_BYTES];
    let read = file.read_at(&mut page, 0).map_err(io)?;
    let crc = block::u32_at(&page, 60);
    page[60..64].fill(0);
    if read < PAGE_BYTES || page[0..8] != SEGMENT_MAGIC || crc != crc32c(&page) {
        return Err(SegmentFault::Headless);
    }
    let version = block::u16_at(&page, 8);
    if version != LOG_VERSION {
        let detail = format!("version {version}, this program reads {LOG_VERSION}");
        return Err(SegmentFault::Foreign(detail));
    }
    let found =
        Identity { partition: block::u16_at(&page, 10), world_id: block::u64_at(&page, 16) };
    if found != identity {
        return Err(SegmentFault::Foreign(format!(
            "partition {} of world {:016x}, wanted partition {} of world {:016x}",
            found.partition, found.world_id, identity.partition, identity.world_id
        )));
    }
    let bytes = block::u64_at(&page, 24);
    let pages = u32::try_from(bytes / PAGE_BYTES as u64).unwrap_or(0);
    if block::u32_at(&page, 12) != sequence {
        return Err(SegmentFault::Damaged("the segment's header has another sequence"));
    }
    if file.bytes().map_err(io)? != bytes || pages < 2 {
        return Err(SegmentFault::Damaged("the segment's file has another length"));
    }
    Ok(Segment { file, sequence, pages })
}

/// Opens a segment whose header page is damaged, to be written again: the file tells its length,
/// and each block whose it is. `None` when neither a block nor nothing stands behind the header.
pub(crate) fn open_headless<D: Disk>(
    disk: &D,
    identity: Identity,
    sequence: u32,
) -> io::Result<Option<Segment<D::File>>> {
    let file = disk.open(SegmentName::new(sequence).as_str(), Access::Write)?;
    let bytes = file.bytes()?;
    let pages = u32::try_from(bytes / PAGE_BYTES as u64).unwrap_or(0);
    if pages < 2 || bytes % PAGE_BYTES as u64 != 0 {
        return Ok(None);
    }
    let segment = Segment { file, sequence, pages };
    let found = segment.read_block(identity, 1, &mut vec![0; BLOCK_BYTES])?;
    Ok((!matches!(found, Found::Bad(_))).then_some(segment))
}

/// What stands at a page.
pub(crate) enum Found {
    /// Zeros.
    Empty,
    /// Neither zeros nor a block.
    Bad(BlockFault),
    /// A block that is whole in itself; its bytes are in the buffer.
    Block(BlockHeader),
}

impl<F: DiskFile> Segment<F> {
    /// Reads what stands at `page` into `buffer` (of the largest block's size).
    pub(crate) fn read_block(
        &self,
        identity: Identity,
        page: u32,
        buffer: &mut [u8],
    ) -> io::Result<Found> {
        let offset = u64::from(page) * PAGE_BYTES as u64;
        let read = self.file.read_at(&mut buffer[..PAGE_BYTES], offset)?;
        if read < PAGE_BYTES {
            return Ok(Found::Bad("the segment's file ends here"));
        }
        let header = match BlockHeader::parse(&buffer[..HEADER_BYTES]) {
            Ok(header) => header,
            Err(_) if block::is_zero(&buffer[..PAGE_BYTES]) => return Ok(Found::Empty),
            Err(fault) => return Ok(Found::Bad(fault)),
        };
        if header.partition != identity.partition
            || header.segment != self.sequence
            || header.page != page
        {
            return Ok(Found::Bad("a block that belongs elsewhere"));
        }
        if page + header.pages() > self.pages {
            return Ok(Found::Bad("a block that reaches past the segment"));
        }
        let rest = header.pages() as usize * PAGE_BYTES;
        let read = self.file.read_at(&mut buffer[PAGE_BYTES..rest], offset + PAGE_BYTES as u64)?;
        if read < rest - PAGE_BYTES {
            return Ok(Found::Bad("the segment's file ends within a block"));
        }
        Ok(match header.check(&buffer[..rest]) {
            Ok(()) => Found::Block(header),
            Err(fault) => Found::Bad(fault),
        })
    }
}

/// What the next block has to continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Hash of the last block.
    pub(crate) hash: u64,
    /// Its epoch.
    pub(crate) epoch: u64,
    /// Position of the next record.
    pub(crate) next_position: u64,
    /// Greatest watermark so far.
    pub(crate) durable: u64,
    /// Time of the last block.
    pub(crate) time_ms: u64,
}

impl Chain {
    /// The chain of an empty log.
    pub(crate) fn genesis(identity: Identity) -> Self {
        Self {
            hash: block::genesis_hash(identity.world_id, identity.partition),
            epoch: 0,
            next_position: 1,
            durable: 0,
            time_ms: 0,
        }
    }

    /// The chain that a first block continues where what came before was dropped.
    pub(crate) fn before(header: &BlockHeader) -> Self {
        Self {
            hash: header.previous_hash,
            epoch: header.epoch,
            next_position: header.first_position,
            durable: header.durable,
            time_ms: header.time_ms,
        }
    }

    /// Whether a block continues this chain.
    pub(crate) fn check(&self, header: &BlockHeader) -> Result<(), BlockFault> {
        if header.first_position != self.next_position {
            return Err("a block with other positions");
        }
        if header.previous_hash != self.hash {
            return Err("a block that follows another block");
        }
        if header.epoch < self.epoch {
            return Err("a block of an older epoch");
        }
        Ok(())
    }

    /// Whether the chain goes on with `header`, the next whole block behind a place that has none,
    /// for one who has the effects of all positions up to `covered`: nothing else is lost.
    pub(crate) fn resumes_at(&self, header: &BlockHeader, covered: u64) -> bool {
        header.epoch >= self.epoch
            && self.next_position <= covered
            && (self.next_position..=covered + 1).contains(&header.first_position)
    }

    /// Goes on past a block whose header and records are `used_bytes`.
    pub(crate) fn advance(&mut self, header: &BlockHeader, used_bytes: &[u8]) {
        self.hash = block::block_hash(used_bytes);
        self.epoch = header.epoch;
        self.next_position = header.first_position + u64::from(header.count);
        self.durable = self.durable.max(header.durable);
        self.time_ms = header.time_ms;
    }
}
