//! Named numbers and histograms of times in a memory-mapped file that describes itself.
//!
//! One process writes, with plain relaxed stores; anybody reads, also with NumPy alone. Each
//! number has one writing thread. Format: `docs/reference/counters.md`.

use crate::buckets::{BUCKETS, TIME_MAX_NS, bucket_middle_ns, bucket_of};
use crate::disk::Mapping;
use rustix::fs::{self, Mode, OFlags};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// First eight bytes of the file, as a little-endian word.
pub const COUNTERS_MAGIC: u64 = u64::from_le_bytes(*b"HGCOUNT\0");
/// Version of the format.
pub const COUNTERS_VERSION: u64 = 2;
/// Words of a histogram: count, sum, max, five of zero, then the buckets.
pub const HISTOGRAM_WORDS: usize = HISTOGRAM_HEAD + BUCKETS;
/// Most bytes of a name.
pub const NAME_BYTES: usize = 40;

const HEADER_WORDS: usize = 8;
const ENTRY_WORDS: usize = 8;
const HISTOGRAM_HEAD: usize = 8;
const PAGE_BYTES: usize = 4096;

/// What a named number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One word.
    Counter,
    /// [`HISTOGRAM_WORDS`] words, of times in nanoseconds.
    Histogram,
}

impl Kind {
    fn words(self) -> usize {
        match self {
            Self::Counter => 1,
            Self::Histogram => HISTOGRAM_WORDS,
        }
    }
}

/// Failure to make or open a counters file.
#[derive(Debug)]
pub enum CountersError {
    /// A name is empty, too long, not ASCII, used twice or not there.
    Name(String),
    /// Not a counters file of this version.
    Foreign(PathBuf),
    /// A system call failed.
    Io(PathBuf, io::Error),
}

impl CountersError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "counters-name",
            Self::Foreign(_) => "counters-foreign",
            Self::Io(..) => "counters-io",
        }
    }
}

impl fmt::Display for CountersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match self {
            Self::Name(name) => write!(
                f,
                "{name:?}: names are 1 to {NAME_BYTES} ASCII bytes, each once, of this file"
            ),
            Self::Foreign(path) => {
                write!(f, "{} is not a counters file of version {COUNTERS_VERSION}", path.display())
            }
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for CountersError {}

/// An open counters file, written or read.
#[derive(Clone, Debug)]
pub struct Counters {
    mapping: Arc<Mapping>,
    entries: Arc<[(String, Kind, usize)]>,
}

/// A number that only rises or is set, of one writing thread.
#[derive(Clone, Debug)]
pub struct Counter {
    mapping: Arc<Mapping>,
    word: usize,
}

/// A histogram of nanoseconds, of one writing thread.
#[derive(Clone, Debug)]
pub struct Histogram {
    mapping: Arc<Mapping>,
    word: usize,
}

impl Counters {
    /// Makes the file at `path` with the given names, all zero, replacing what was there (readers
    /// of the old file keep seeing the old one). `time_ms` and the process id stand in its header.
    ///
    /// # Errors
    /// `counters-name`, `counters-io`.
    pub fn create(
        path: impl AsRef<Path>,
        names: &[(&str, Kind)],
        time_ms: u64,
    ) -> Result<Self, CountersError> {
        let path = path.as_ref();
        let mut at = HEADER_WORDS + ENTRY_WORDS * names.len();
        let mut entries: Vec<(String, Kind, usize)> = Vec::with_capacity(names.len());
        for &(name, kind) in names {
            let usable = !name.is_empty() && name.len() <= NAME_BYTES && name.is_ascii();
            if !usable || entries.iter().any(|(other, ..)| other == name) {
                return Err(CountersError::Name(name.to_owned()));
            }
            if kind == Kind::Histogram {
                at = at.next_multiple_of(8);
            }
            entries.push((name.to_owned(), kind, at));
            at += kind.words();
        }
        let bytes = (at * 8).next_multiple_of(PAGE_BYTES);
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        let io = |error: rustix::io::Errno| CountersError::Io(path.into(), error.into());
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        let file = fs::open(&temporary, flags, Mode::from_raw_mode(0o640)).map_err(io)?;
        crate::disk::reserve(&file, bytes as u64).map_err(io)?;
        let mapping =
            Mapping::new(&file, bytes, true).map_err(|e| CountersError::Io(path.into(), e))?;
        write_header(mapping.cells(), &entries, bytes, time_ms);
        fs::rename(&temporary, path).map_err(io)?;
        Ok(Self { mapping: Arc::new(mapping), entries: entries.into() })
    }

    /// Opens a file to read it; its numbers must not be written through this.
    ///
    /// # Errors
    /// `counters-foreign`, `counters-io`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CountersError> {
        let path = path.as_ref();
        let io = |error: rustix::io::Errno| CountersError::Io(path.into(), error.into());
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = fs::open(path, flags, Mode::empty()).map_err(io)?;
        let bytes = fs::fstat(&file).map_err(io)?.st_size as usize;
        let mapping = Mapping::new(&file, bytes, false).map_err(|e| match e.kind() {
            io::ErrorKind::InvalidInput => CountersError::Foreign(path.into()),
            _ => CountersError::Io(path.into(), e),
        })?;
        let entries = read_header(mapping.cells(), bytes)
            .ok_or_else(|| CountersError::Foreign(path.into()))?;
        Ok(Self { mapping: Arc::new(mapping), entries: entries.into() })
    }

    /// All names with their kinds, in file order.
    pub fn names(&self) -> impl Iterator<Item = (&str, Kind)> {
        self.entries.iter().map(|(name, kind, _)| (&**name, *kind))
    }

    /// The counter `name`.
    ///
    /// # Errors
    /// `counters-name` when there is none.
    pub fn counter(&self, name: &str) -> Result<Counter, CountersError> {
        let word = self.find(name, Kind::Counter)?;
        let mapping = self.mapping.clone();
        Ok(Counter { mapping, word })
    }

    /// The histogram `name`.
    ///
    /// # Errors
    /// `counters-name` when there is none.
    pub fn histogram(&self, name: &str) -> Result<Histogram, CountersError> {
        let word = self.find(name, Kind::Histogram)?;
        let mapping = self.mapping.clone();
        Ok(Histogram { mapping, word })
    }

    fn find(&self, name: &str, kind: Kind) -> Result<usize, CountersError> {
        let mut entries = self.entries.iter();
        let found = entries.find(|(other, of, _)| other == name && *of == kind);
        found.map(|&(_, _, word)| word).ok_or_else(|| CountersError::Name(name.to_owned()))
    }
}

fn write_header(cells: &[AtomicU64], entries: &[(String, Kind, usize)], bytes: usize, time: u64) {
    let pid = u64::from(std::process::id());
    let first = [
        0,
        COUNTERS_VERSION,
        entries.len() as u64,
        HEADER_WORDS as u64 * 8,
        bytes as u64,
        pid,
        time,
        0,
    ];
    for (cell, word) in cells.iter().zip(first) {
        cell.store(word, Ordering::Relaxed);
    }
    for (index, (name, kind, at)) in entries.iter().enumerate() {
        let entry = &cells[HEADER_WORDS + index * ENTRY_WORDS..][..ENTRY_WORDS];
        let mut padded = [0; NAME_BYTES];
        padded[..name.len()].copy_from_slice(name.as_bytes());
        for (cell, word) in entry.iter().zip(padded.as_chunks::<8>().0) {
            cell.store(u64::from_le_bytes(*word), Ordering::Relaxed);
        }
        entry[5].store(*kind as u64 + 1, Ordering::Relaxed);
        entry[6].store(*at as u64 * 8, Ordering::Relaxed);
        entry[7].store(kind.words() as u64, Ordering::Relaxed);
    }
    cells[0].store(COUNTERS_MAGIC, Ordering::Release);
}

fn read_header(cells: &[AtomicU64], bytes: usize) -> Option<Vec<(String, Kind, usize)>> {
    let word = |index: usize| cells.get(index).map(|cell| cell.load(Ordering::Relaxed));
    let sized = word(4)? == bytes as u64 && word(3)? == HEADER_WORDS as u64 * 8;
    if cells[0].load(Ordering::Acquire) != COUNTERS_MAGIC || word(1)? != COUNTERS_VERSION || !sized
    {
        return None;
    }
    let count = usize::try_from(word(2)?).ok()?.min(cells.len());
    let mut entries = Vec::with_capacity(count);
    for index in 0..count {
        let at = HEADER_WORDS + index * ENTRY_WORDS;
        let mut padded = Vec::with_capacity(NAME_BYTES);
        for part in 0..5 {
            padded.extend_from_slice(&word(at + part)?.to_le_bytes());
        }
        let name = String::from_utf8(padded).ok()?;
        let name = name.trim_end_matches('\0').to_owned();
        let kind = match word(at + 5)? {
            1 => Kind::Counter,
            2 => Kind::Histogram,
            _ => return None,
        };
        let offset = usize::try_from(word(at + 6)?).ok()?;
        let end = (offset / 8).checked_add(kind.words())?;
        if !offset.is_multiple_of(8) || end > cells.len() || word(at + 7)? != kind.words() as u64 {
            return None;
        }
        entries.push((name, kind, offset / 8));
    }
    Some(entries)
}

impl Counter {
    /// Adds; only from the number's one writing thread.
    pub fn add(&self, amount: u64) {
        bump(&self.mapping.cells()[self.word], amount);
    }

    /// Sets; only from the number's one writing thread.
    pub fn set(&self, value: u64) {
        self.mapping.cells()[self.word].store(value, Ordering::Relaxed);
    }

    /// The value now.
    pub fn get(&self) -> u64 {
        self.mapping.cells()[self.word].load(Ordering::Relaxed)
    }
}

impl Histogram {
    /// Counts one time in nanoseconds, those beyond [`TIME_MAX_NS`] as that; only from the
    /// histogram's one writing thread.
    pub fn record(&self, time_ns: u64) {
        let time_ns = time_ns.min(TIME_MAX_NS);
        let cells = &self.mapping.cells()[self.word..][..HISTOGRAM_WORDS];
        bump(&cells[HISTOGRAM_HEAD + bucket_of(time_ns)], 1);
        bump(&cells[0], 1);
        bump(&cells[1], time_ns);
        if time_ns > cells[2].load(Ordering::Relaxed) {
            cells[2].store(time_ns, Ordering::Relaxed);
        }
    }

    /// Times counted so far.
    pub fn count(&self) -> u64 {
        self.mapping.cells()[self.word].load(Ordering::Relaxed)
    }

    /// All times together.
    pub fn sum_ns(&self) -> u64 {
        self.mapping.cells()[self.word + 1].load(Ordering::Relaxed)
    }

    /// The greatest time, exactly.
    pub fn max_ns(&self) -> u64 {
        self.mapping.cells()[self.word + 2].load(Ordering::Relaxed)
    }

    /// The time in nanoseconds that a share `quantile` (0 to 1) of all times does not exceed: what
    /// its bucket reports, within 1.1 %. 0 when nothing was counted.
    pub fn quantile_ns(&self, quantile: f64) -> f64 {
        let buckets = &self.mapping.cells()[self.word + HISTOGRAM_HEAD..][..BUCKETS];
        let counts = || buckets.iter().map(|b| b.load(Ordering::Relaxed));
        let rank = (counts().sum::<u64>() as f64 * quantile.clamp(0.0, 1.0)).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in counts().enumerate() {
            seen += count;
            if count > 0 && seen >= rank {
                return bucket_middle_ns(bucket).min(self.max_ns() as f64);
            }
        }
        0.0
    }
}

fn bump(cell: &AtomicU64, amount: u64) {
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
}
