//! Snapshot files: a header, opaque bytes, and a checksum for each MiB of them.
//!
//! A snapshot is written under a temporary name, synced, renamed, and the directory synced: under
//! its final name there is never a half one. Take it at a durable position only. Format:
//! `docs/reference/log-format.md`.

mod prune;
mod writer;

pub use prune::{Keep, NEWEST_KEPT, SPACING_RECORDS, prune};
pub use writer::{SnapshotWriter, write_snapshot};

use crate::crc::crc32c;
use crate::disk::{Access, Disk, DiskFile};
use std::fmt;
use std::io;

/// First eight bytes of a snapshot.
pub const SNAPSHOT_MAGIC: [u8; 8] = *b"HGSNAP\0\0";
/// Version of the format.
pub const SNAPSHOT_VERSION: u32 = 1;
/// The bytes start here in the file.
pub const DATA_OFFSET: u64 = 4096;
/// Bytes that one checksum covers.
pub const CHUNK_BYTES: usize = 1 << 20;
const TEMPORARY_NAME: &str = "snapshot.tmp";

/// What a snapshot is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotHeader {
    /// Partition.
    pub partition: u16,
    /// World of the partition.
    pub world_id: u64,
    /// The last log position whose effects are in it.
    pub position: u64,
    /// The tick at that position.
    pub tick: u64,
    /// State hash of the image.
    pub state_hash: u64,
    /// Bytes of the image.
    pub length: u64,
}

/// Failure to write or read a snapshot.
#[derive(Debug)]
pub enum SnapshotError {
    /// An operation of the disk failed.
    Io {
        /// Directory of the snapshots.
        directory: String,
        /// What was being done.
        operation: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// A file is not a whole snapshot.
    Damaged {
        /// The file.
        name: String,
        /// What was found.
        detail: &'static str,
    },
    /// The caller gave more or fewer bytes than it had named.
    Length {
        /// Bytes named.
        wanted: u64,
        /// Bytes given.
        given: u64,
    },
}

impl SnapshotError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "snapshot-io",
            Self::Damaged { .. } => "snapshot-damaged",
            Self::Length { .. } => "snapshot-length",
        }
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match self {
            Self::Io { directory, operation, source } => write!(
                f,
                "cannot {operation} in {directory}: {source}; check the disk and its space"
            ),
            Self::Damaged { name, detail } => {
                write!(f, "{name}: {detail}; use an older snapshot or a good copy")
            }
            Self::Length { wanted, given } => write!(f, "{given} bytes of {wanted}"),
        }
    }
}

impl std::error::Error for SnapshotError {}

/// A snapshot whose every byte has been checked.
pub struct Snapshot<D: Disk> {
    /// Its file name.
    pub name: String,
    /// What it is of.
    pub header: SnapshotHeader,
    file: D::File,
    table: Vec<u8>,
}

/// What [`newest_valid`] found.
pub struct Newest<D: Disk> {
    /// The newest whole snapshot.
    pub snapshot: Option<Snapshot<D>>,
    /// Newer files that were passed over, each with the reason.
    pub skipped: Vec<SnapshotError>,
}

/// The newest whole snapshot of `partition` and `world_id`, passing over damaged and foreign ones.
///
/// # Errors
/// `snapshot-io` only; damaged files are in the result.
pub fn newest_valid<D: Disk>(
    disk: &D,
    partition: u16,
    world_id: u64,
) -> Result<Newest<D>, SnapshotError> {
    let mut skipped = Vec::new();
    for (_, name) in list(disk)? {
        match Snapshot::open(disk, &name).and_then(|s| s.verify(disk).map(|()| s)) {
            Ok(s) if s.header.partition == partition && s.header.world_id == world_id => {
                return Ok(Newest { snapshot: Some(s), skipped });
            }
            Ok(_) => skipped.push(SnapshotError::Damaged {
                name,
                detail: "a snapshot of another partition or world",
            }),
            Err(error @ SnapshotError::Damaged { .. }) => skipped.push(error),
            Err(error) => return Err(error),
        }
    }
    Ok(Newest { snapshot: None, skipped })
}

impl<D: Disk> Snapshot<D> {
    /// Opens one file and checks its header, length and table, not yet its bytes.
    pub fn open(disk: &D, name: &str) -> Result<Self, SnapshotError> {
        let io = |source| io_error(disk, "open a snapshot", source);
        let damaged = |detail| SnapshotError::Damaged { name: name.to_owned(), detail };
        let file = disk.open(name, Access::Read).map_err(io)?;
        let mut page = [0; DATA_OFFSET as usize];
        let read = file.read_at(&mut page, 0).map_err(io)?;
        let (header, table_crc) = decode(&page[..read]).map_err(damaged)?;
        if name != name_of(header.position) {
            return Err(damaged("the file's name is of another position"));
        }
        let chunks = header.length.div_ceil(CHUNK_BYTES as u64);
        let table_at = table_offset(header.length);
        if file.bytes().map_err(io)? != table_at + chunks * 4 {
            return Err(damaged("the file has another length"));
        }
        let mut table = vec![0; chunks as usize * 4];
        file.read_at(&mut table, table_at).map_err(io)?;
        let mut padding = [0; 8];
        let padding = &mut padding[..(table_at - DATA_OFFSET - header.length) as usize];
        file.read_at(padding, DATA_OFFSET + header.length).map_err(io)?;
        if crc32c(&table) != table_crc || padding.iter().any(|&byte| byte != 0) {
            return Err(damaged("the table of checksums is damaged"));
        }
        Ok(Self { name: name.to_owned(), header, file, table })
    }

    /// Reads its first bytes, unchecked; what is behind its end is left as it is.
    pub fn read_first(&self, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_at(bytes, DATA_OFFSET).map(|_| ())
    }

    /// Reads and checks all bytes into `image`, which has exactly `header.length` bytes.
    pub fn read_into(&self, disk: &D, image: &mut [u8]) -> Result<(), SnapshotError> {
        let (wanted, given) = (self.header.length, image.len() as u64);
        if wanted != given {
            return Err(SnapshotError::Length { wanted, given });
        }
        for (index, chunk) in image.chunks_mut(CHUNK_BYTES).enumerate() {
            self.read_chunk(disk, index, chunk)?;
        }
        Ok(())
    }

    fn verify(&self, disk: &D) -> Result<(), SnapshotError> {
        let mut buffer = vec![0; CHUNK_BYTES.min(self.header.length as usize)];
        for index in 0..self.table.len() / 4 {
            let left = self.header.length - (index * CHUNK_BYTES) as u64;
            let length = left.min(CHUNK_BYTES as u64) as usize;
            self.read_chunk(disk, index, &mut buffer[..length])?;
        }
        Ok(())
    }

    fn read_chunk(&self, disk: &D, index: usize, chunk: &mut [u8]) -> Result<(), SnapshotError> {
        let at = DATA_OFFSET + (index * CHUNK_BYTES) as u64;
        let read = self.file.read_at(chunk, at);
        let read = read.map_err(|e| io_error(disk, "read a snapshot", e))?;
        let crc = crc32c(chunk).to_le_bytes();
        if read < chunk.len() || self.table[index * 4..][..4] != crc {
            return Err(SnapshotError::Damaged {
                name: self.name.clone(),
                detail: "its bytes are damaged",
            });
        }
        Ok(())
    }
}

/// (position, name) of all snapshot files, newest first.
fn list<D: Disk>(disk: &D) -> Result<Vec<(u64, String)>, SnapshotError> {
    let names = disk.list();
    let names = names.map_err(|e| io_error(disk, "list snapshots", e))?;
    let mut found: Vec<_> = names
        .into_iter()
        .filter_map(|name| {
            let digits = name.strip_prefix("snapshot-")?.strip_suffix(".snap")?;
            Some((digits.parse().ok()?, name))
        })
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    Ok(found)
}

fn name_of(position: u64) -> String {
    format!("snapshot-{position:020}.snap")
}

/// The table follows the bytes at the next multiple of 8.
fn table_offset(length: u64) -> u64 {
    DATA_OFFSET + length.next_multiple_of(8)
}

fn encode(header: &SnapshotHeader, table_crc: u32) -> [u8; DATA_OFFSET as usize] {
    let mut page = [0; DATA_OFFSET as usize];
    page[0..8].copy_from_slice(&SNAPSHOT_MAGIC);
    page[8..12].copy_from_slice(&SNAPSHOT_VERSION.to_le_bytes());
    page[12..14].copy_from_slice(&header.partition.to_le_bytes());
    page[16..24].copy_from_slice(&header.world_id.to_le_bytes());
    page[24..32].copy_from_slice(&header.position.to_le_bytes());
    page[32..40].copy_from_slice(&header.tick.to_le_bytes());
    page[40..48].copy_from_slice(&header.state_hash.to_le_bytes());
    page[48..56].copy_from_slice(&header.length.to_le_bytes());
    page[56..60].copy_from_slice(&table_crc.to_le_bytes());
    let crc = crc32c(&page);
    page[60..64].copy_from_slice(&crc.to_le_bytes());
    page
}

fn decode(page: &[u8]) -> Result<(SnapshotHeader, u32), &'static str> {
    let mut copy = <[u8; DATA_OFFSET as usize]>::try_from(page).map_err(|_| "the file is cut")?;
    let word = |at: usize| u64::from_le_bytes(page.as_chunks::<8>().0[at / 8]);
    let half = |at: usize| u32::from_le_bytes(page.as_chunks::<4>().0[at / 4]);
    copy[60..64].fill(0);
    if page[0..8] != SNAPSHOT_MAGIC {
        return Err("not a snapshot");
    }
    if half(60) != crc32c(&copy) {
        return Err("its header is damaged");
    }
    if half(8) != SNAPSHOT_VERSION {
        return Err("a snapshot of another version");
    }
    let header = SnapshotHeader {
        partition: half(12) as u16,
        world_id: word(16),
        position: word(24),
        tick: word(32),
        state_hash: word(40),
        length: word(48),
    };
    Ok((header, half(56)))
}

fn io_error<D: Disk>(disk: &D, operation: &'static str, source: io::Error) -> SnapshotError {
    SnapshotError::Io { directory: disk.describe(), operation, source }
}
