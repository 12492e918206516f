//! The ring: the in-memory bus, one writer, any number of readers in any process.
//!
//! A memory-mapped file of 64-byte slots. A slot is a stamp and seven words; the stamp is the
//! sequence plus one, or 0 while the slot is being written (a seqlock for each slot, after Hans
//! Boehm, "Can seqlocks get along with programming language memory models?", 2012: payload in
//! relaxed atomics between a release and an acquire fence). The writer never waits; a reader that
//! is lapped is told which sequences it lost. Format: `docs/reference/ring-format.md`.

use crate::disk::Mapping;
use rustix::fd::OwnedFd;
use rustix::fs::{self, FlockOperation, Mode, OFlags};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// First eight bytes of a ring's file, as a little-endian word.
pub const RING_MAGIC: u64 = u64::from_le_bytes(*b"HGRING\0\0");
/// Version of the format.
pub const RING_VERSION: u64 = 1;
/// Words of a slot, its stamp with them.
pub const SLOT_WORDS: usize = 8;
/// Words of a payload.
pub const PAYLOAD_WORDS: usize = 7;

const HEADER_BYTES: usize = 4096;
const HEADER_WORDS: usize = HEADER_BYTES / 8;
const WORD_MAGIC: usize = 0;
const WORD_VERSION: usize = 1;
const WORD_SLOTS: usize = 2;
const WORD_SLOT_BYTES: usize = 3;
/// On a cache line of its own: the only word of the header that changes.
const WORD_HEAD: usize = 16;

/// Failure to open a ring.
#[derive(Debug)]
pub enum RingError {
    /// The count of slots is not a power of two, from 64 on.
    Slots(usize),
    /// Another process writes this ring.
    Busy(PathBuf),
    /// Not a ring, one of another version, or one with another count of slots.
    Foreign(PathBuf, String),
    /// The writer has not made it yet.
    NotReady(PathBuf),
    /// A system call failed.
    Io(PathBuf, io::Error),
}

impl RingError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Slots(_) => "ring-slots",
            Self::Busy(_) => "ring-busy",
            Self::Foreign(..) => "ring-foreign",
            Self::NotReady(_) => "ring-not-ready",
            Self::Io(..) => "ring-io",
        }
    }
}

impl fmt::Display for RingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match self {
            Self::Slots(slots) => write!(f, "{slots} slots: must be a power of two, at least 64"),
            Self::Busy(path) => write!(f, "{} has a writer; stop it first", path.display()),
            Self::Foreign(path, detail) => {
                write!(f, "{}: {detail}; remove the file to start anew", path.display())
            }
            Self::NotReady(path) => {
                write!(f, "{} is not there yet; start the actor, then retry", path.display())
            }
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for RingError {}

/// The one writer of a ring.
#[derive(Debug)]
pub struct RingWriter {
    mapping: Mapping,
    mask: u64,
    first: u64,
    next: u64,
    // Holds the lock.
    _file: OwnedFd,
}

impl RingWriter {
    /// Opens the ring at `path` for writing, making it with `slots` slots where there is none.
    ///
    /// A ring that exists is gone on with: sequences rise for as long as the file lives.
    ///
    /// # Errors
    /// See [`RingError`]; a ring with another count of slots is `ring-foreign`.
    pub fn open(path: impl AsRef<Path>, slots: usize) -> Result<Self, RingError> {
        let path = path.as_ref();
        if !slots.is_power_of_two() || slots < 64 {
            return Err(RingError::Slots(slots));
        }
        let io = |error: rustix::io::Errno| RingError::Io(path.into(), error.into());
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let file = fs::open(path, flags, Mode::from_raw_mode(0o640)).map_err(io)?;
        fs::flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|e| match e {
            rustix::io::Errno::WOULDBLOCK => RingError::Busy(path.into()),
            other => io(other),
        })?;
        let bytes = HEADER_BYTES + slots * SLOT_WORDS * 8;
        if fs::fstat(&file).map_err(io)?.st_size == 0 {
            crate::disk::reserve(&file, bytes as u64).map_err(io)?;
        }
        check_length(path, &file, bytes)?;
        let mapping =
            Mapping::new(&file, bytes, true).map_err(|e| RingError::Io(path.into(), e))?;
        let cells = mapping.cells();
        if cells[WORD_MAGIC].load(Ordering::Acquire) == 0 {
            cells[WORD_VERSION].store(RING_VERSION, Ordering::Relaxed);
            cells[WORD_SLOTS].store(slots as u64, Ordering::Relaxed);
            cells[WORD_SLOT_BYTES].store(SLOT_WORDS as u64 * 8, Ordering::Relaxed);
            // Last: a reader takes a file with the magic for complete.
            cells[WORD_MAGIC].store(RING_MAGIC, Ordering::Release);
        }
        check_header(path, cells, Some(slots))?;
        // A writer that died between a slot and the head left a stamp beyond the head: that
        // sequence was visible to whoever looks at stamps, so it is not given out twice.
        let stamps = cells[HEADER_WORDS..].iter().step_by(SLOT_WORDS);
        let newest = stamps.map(|s| s.load(Ordering::Relaxed)).max().unwrap_or(0);
        let next = cells[WORD_HEAD].load(Ordering::Relaxed).max(newest);
        cells[WORD_HEAD].store(next, Ordering::Release);
        Ok(Self { mapping, mask: slots as u64 - 1, first: next, next, _file: file })
    }

    /// Publishes one payload; its sequence. No system call, no allocation, no waiting.
    pub fn publish(&mut self, payload: &[u64; PAYLOAD_WORDS]) -> u64 {
        let sequence = self.next;
        let cells = self.mapping.cells();
        let slot = slot_of(cells, sequence, self.mask);
        slot[0].store(0, Ordering::Relaxed);
        // No payload store may become visible before the stamp's 0.
        fence(Ordering::Release);
        for (cell, word) in slot[1..].iter().zip(payload) {
            cell.store(*word, Ordering::Relaxed);
        }
        slot[0].store(sequence + 1, Ordering::Release);
        cells[WORD_HEAD].store(sequence + 1, Ordering::Release);
        self.next = sequence + 1;
        sequence
    }

    /// The sequence that the next payload will get.
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Payloads published by this writer; sequences also count those of writers before it.
    pub fn published(&self) -> u64 {
        self.next - self.first
    }

    /// Slots of the ring.
    pub fn slots(&self) -> usize {
        self.mask as usize + 1
    }
}

/// Sequences `from..to` that a reader has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first lost sequence.
    pub from: u64,
    /// The first sequence after the gap.
    pub to: u64,
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Entries written to the caller's slice.
    pub count: usize,
    /// Sequence of the first of them (or of the next one to come); the others follow without
    /// holes.
    pub first_sequence: u64,
    /// What was lost just before `first_sequence`.
    pub gap: Option<Gap>,
}

/// One reader of a ring, with its own place.
#[derive(Debug)]
pub struct RingReader {
    mapping: Mapping,
    mask: u64,
    next: u64,
}

impl RingReader {
    /// Opens the ring at `path`, to read what is published from now on.
    ///
    /// # Errors
    /// `ring-not-ready` before the writer has made it; see [`RingError`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RingError> {
        let path = path.as_ref();
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = fs::open(path, flags, Mode::empty()).map_err(|e| match e {
            rustix::io::Errno::NOENT => RingError::NotReady(path.into()),
            other => RingError::Io(path.into(), other.into()),
        })?;
        let io = |e| RingError::Io(path.into(), e);
        let size = fs::fstat(&file).map_err(|e| io(e.into()))?.st_size as usize;
        if size < HEADER_BYTES + SLOT_WORDS * 8 || !size.is_multiple_of(4096) {
            return Err(RingError::NotReady(path.into()));
        }
        let mapping = Mapping::new(&file, size, false).map_err(io)?;
        if mapping.cells()[WORD_MAGIC].load(Ordering::Acquire) == 0 {
            return Err(RingError::NotReady(path.into()));
        }
        let slots = check_header(path, mapping.cells(), None)?;
        check_length(path, &file, HEADER_BYTES + slots * SLOT_WORDS * 8)?;
        let next = mapping.cells()[WORD_HEAD].load(Ordering::Acquire);
        Ok(Self { mapping, mask: slots as u64 - 1, next })
    }

    /// Goes to `sequence`, or to the oldest one still there; the next read tells of a gap if that
    /// is later than `sequence`.
    pub fn seek(&mut self, sequence: u64) {
        self.next = sequence;
    }

    /// Sequence of the next entry to read.
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Sequence that the writer will give out next.
    pub fn head(&self) -> u64 {
        self.mapping.cells()[WORD_HEAD].load(Ordering::Acquire)
    }

    /// Copies what is there into `entries`: `[sequence, payload...]` each. Does not wait.
    pub fn read_into(&mut self, entries: &mut [[u64; SLOT_WORDS]]) -> Batch {
        let slots = self.mask + 1;
        let head = self.head();
        let mut gap = None;
        if head < self.next {
            // Sought beyond the end: nothing there yet.
            return self.batch(0, None);
        }
        if head - self.next > slots {
            gap = Some(self.skip(head));
        }
        let mut count = 0;
        while count < entries.len() && self.next < head {
            match self.read_slot(self.next) {
                Some(entry) => entries[count] = entry,
                // Lapped before anything was read: say so now, else with the next call.
                None if count == 0 => {
                    let from = gap.map_or(self.next, |gap: Gap| gap.from);
                    let to = self.skip(self.head()).to;
                    gap = Some(Gap { from, to });
                    continue;
                }
                None => break,
            }
            count += 1;
            self.next += 1;
        }
        self.batch(count, gap)
    }

    fn batch(&self, count: usize, gap: Option<Gap>) -> Batch {
        Batch { count, first_sequence: self.next - count as u64, gap }
    }

    /// Gives up what is lost, and an eighth of the ring more so as not to be lapped at once.
    fn skip(&mut self, head: u64) -> Gap {
        let slots = self.mask + 1;
        let from = self.next;
        let oldest = (head + slots / 8).saturating_sub(slots);
        // At least the slot that could not be read is given up.
        self.next = oldest.max(from + 1).min(head);
        Gap { from, to: self.next }
    }

    /// The entry of `sequence`, `None` when its slot has been or is being overwritten.
    fn read_slot(&self, sequence: u64) -> Option<[u64; SLOT_WORDS]> {
        let slot = slot_of(self.mapping.cells(), sequence, self.mask);
        if slot[0].load(Ordering::Acquire) != sequence + 1 {
            return None;
        }
        let mut entry = [sequence; SLOT_WORDS];
        for (word, cell) in entry[1..].iter_mut().zip(&slot[1..]) {
            *word = cell.load(Ordering::Relaxed);
        }
        // No payload load may be satisfied after the second look at the stamp.
        fence(Ordering::Acquire);
        (slot[0].load(Ordering::Relaxed) == sequence + 1).then_some(entry)
    }
}

fn slot_of(cells: &[AtomicU64], sequence: u64, mask: u64) -> &[AtomicU64; SLOT_WORDS] {
    let slots = cells[HEADER_WORDS..].as_chunks::<SLOT_WORDS>().0;
    &slots[(sequence & mask) as usize]
}

fn check_length(path: &Path, file: &OwnedFd, bytes: usize) -> Result<(), RingError> {
    let size = fs::fstat(file).map_err(|e| RingError::Io(path.into(), e.into()))?.st_size;
    if size as usize != bytes {
        let detail = format!("{size} bytes, wanted {bytes}");
        return Err(RingError::Foreign(path.into(), detail));
    }
    Ok(())
}

/// The count of slots, which must be `wanted` where given.
fn check_header(
    path: &Path,
    cells: &[AtomicU64],
    wanted: Option<usize>,
) -> Result<usize, RingError> {
    let word = |index: usize| cells[index].load(Ordering::Relaxed);
    let slots = word(WORD_SLOTS) as usize;
    let detail = if word(WORD_MAGIC) != RING_MAGIC {
        "not a ring".to_owned()
    } else if word(WORD_VERSION) != RING_VERSION || word(WORD_SLOT_BYTES) != 64 {
        format!("version {}, wanted {RING_VERSION}", word(WORD_VERSION))
    } else if !slots.is_power_of_two() || wanted.is_some_and(|wanted| wanted != slots) {
        format!("a ring of {slots} slots")
    } else {
        return Ok(slots);
    };
    Err(RingError::Foreign(path.into(), detail))
}
