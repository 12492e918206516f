//! Bytes of a block: a 64-byte header, `count` records of 64 bytes, zeros up to 4 KiB.

use super::RECORD_BYTES;
use crate::crc::{crc32c, crc32c_append, hash64};

/// Blocks start at multiples of this many bytes and fill whole pages of it.
pub const PAGE_BYTES: usize = 4096;
/// Bytes of a block's header.
pub const HEADER_BYTES: usize = 64;
/// Most records in one block.
pub const BLOCK_RECORDS: usize = 1023;
/// Bytes of the largest block.
pub const BLOCK_BYTES: usize = HEADER_BYTES + BLOCK_RECORDS * RECORD_BYTES;
/// First four bytes of a block.
pub const BLOCK_MAGIC: [u8; 4] = *b"HGBL";
/// Version of blocks and segments.
pub const LOG_VERSION: u16 = 1;

/// The header of a block, without magic, version and checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// Partition whose log this is.
    pub partition: u16,
    /// Count of times this log had been opened for writing.
    pub epoch: u64,
    /// Position of the first record; of the next record where `count` is 0.
    pub first_position: u64,
    /// Records in the block; 0 for a seal, which only carries the watermark.
    pub count: u32,
    /// [`block_hash`] of the block before.
    pub previous_hash: u64,
    /// All records up to this position were on disk when the block was written.
    pub durable: u64,
    /// Time given by the writer's caller, in milliseconds. Carries no meaning for recovery.
    pub time_ms: u64,
    /// Sequence of the segment that holds the block.
    pub segment: u32,
    /// Page of that segment where the block starts.
    pub page: u32,
}

/// Why bytes are not a block.
pub(crate) type BlockFault = &'static str;

impl BlockHeader {
    /// Bytes of header and records, without padding.
    pub fn used_bytes(&self) -> usize {
        HEADER_BYTES + self.count as usize * RECORD_BYTES
    }

    /// Pages the block fills.
    pub fn pages(&self) -> u32 {
        pages_of(self.count as usize)
    }

    /// Position of the last record; the one before `first_position` where there is none.
    pub fn last_position(&self) -> u64 {
        self.first_position + u64::from(self.count) - 1
    }

    /// Writes the header before the records that already stand in `block` and zeros behind them.
    pub(crate) fn seal(&self, block: &mut [u8]) {
        block[self.used_bytes()..self.pages() as usize * PAGE_BYTES].fill(0);
        let block = &mut block[..self.used_bytes()];
        block[0..4].copy_from_slice(&BLOCK_MAGIC);
        block[4..6].copy_from_slice(&LOG_VERSION.to_le_bytes());
        block[6..8].copy_from_slice(&self.partition.to_le_bytes());
        block[8..16].copy_from_slice(&self.epoch.to_le_bytes());
        block[16..24].copy_from_slice(&self.first_position.to_le_bytes());
        block[24..28].copy_from_slice(&self.count.to_le_bytes());
        block[32..40].copy_from_slice(&self.previous_hash.to_le_bytes());
        block[40..48].copy_from_slice(&self.durable.to_le_bytes());
        block[48..56].copy_from_slice(&self.time_ms.to_le_bytes());
        block[56..60].copy_from_slice(&self.segment.to_le_bytes());
        block[60..64].copy_from_slice(&self.page.to_le_bytes());
        let crc = block_crc(block);
        block[28..32].copy_from_slice(&crc.to_le_bytes());
    }

    /// Reads the fields of a header; magic, version and a possible count are checked, the
    /// checksum is not.
    pub(crate) fn parse(block: &[u8]) -> Result<Self, BlockFault> {
        if block[0..4] != BLOCK_MAGIC {
            return Err("no block starts here");
        }
        if u16_at(block, 4) != LOG_VERSION {
            return Err("unknown block version");
        }
        let header = Self {
            partition: u16_at(block, 6),
            epoch: u64_at(block, 8),
            first_position: u64_at(block, 16),
            count: u32_at(block, 24),
            previous_hash: u64_at(block, 32),
            durable: u64_at(block, 40),
            time_ms: u64_at(block, 48),
            segment: u32_at(block, 56),
            page: u32_at(block, 60),
        };
        if header.count as usize > BLOCK_RECORDS
            || header.first_position == 0
            || header.first_position.checked_add(u64::from(header.count)).is_none()
        {
            return Err("impossible count or position in a block header");
        }
        Ok(header)
    }

    /// Checks checksum and padding; `block` holds the whole pages of the block.
    pub(crate) fn check(&self, block: &[u8]) -> Result<(), BlockFault> {
        let (used, padding) = block.split_at(self.used_bytes());
        if u32_at(used, 28) != block_crc(used) {
            return Err("block checksum does not match");
        }
        if !is_zero(padding) {
            return Err("bytes in a block's padding");
        }
        if self.durable >= self.first_position {
            return Err("block claims its own records durable");
        }
        Ok(())
    }
}

/// Pages that a block of `count` records fills.
pub(crate) fn pages_of(count: usize) -> u32 {
    (HEADER_BYTES + count * RECORD_BYTES).div_ceil(PAGE_BYTES) as u32
}

/// The hash by which the next block refers to this one: [`hash64`] of header and records.
pub fn block_hash(used_bytes: &[u8]) -> u64 {
    hash64(used_bytes)
}

/// What the first block of a log names as the hash before it.
pub fn genesis_hash(world_id: u64, partition: u16) -> u64 {
    let mut seed = [0; 16];
    seed[..8].copy_from_slice(&world_id.to_le_bytes());
    seed[8..10].copy_from_slice(&partition.to_le_bytes());
    hash64(&seed)
}

/// CRC-32C of header and records with the checksum's own field taken as zero.
fn block_crc(used_bytes: &[u8]) -> u32 {
    let crc = crc32c(&used_bytes[..28]);
    crc32c_append(crc32c_append(crc, &[0; 4]), &used_bytes[32..])
}

pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().fold(0, |all, &byte| all | byte) == 0
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}
