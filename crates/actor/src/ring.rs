//! The ring: the in-memory bus, one writer, any number of readers in any process.
//!
//! A memory-mapped file of 64-byte slots, each with its sequence in a stamp. The writer never
//! waits: it **claims** slots, a stride at a time, before it touches any of them, and a reader
//! throws away what it has copied from slots that were claimed meanwhile and is told of the gap. So
//! one look at one word, before and after, guards a whole batch (a seqlock over the claim, after
//! Hans Boehm, "Can seqlocks get along with programming language memory models?", 2012: payload in
//! relaxed atomics between a release and an acquire fence).
//!
//! An entry that is published alone shows by its stamp, which is stored last: a reader that spins
//! shares one cache line with the writer, not two (after Giacomoni and others, "FastForward for
//! efficient pipeline parallelism", 2008). Entries put down as a batch are streamed past the caches
//! ([`crate::stream`]) and show all together, by the head. Format: `docs/reference/ring-format.md`.

use crate::disk::Mapping;
use crate::stream::{LINE_WORDS, Line, lines, stream, stream_fence};
use rustix::fd::OwnedFd;
use rustix::fs::{self, FlockOperation, Mode, OFlags};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::fence;

/// First eight bytes of a ring's file, as a little-endian word.
pub const RING_MAGIC: u64 = u64::from_le_bytes(*b"HGRING\0\0");
/// Version of the format.
pub const RING_VERSION: u64 = 2;
/// Words of a slot, its stamp with them.
pub const SLOT_WORDS: usize = LINE_WORDS;
/// Words of a payload.
pub const PAYLOAD_WORDS: usize = 7;

const HEADER_BYTES: usize = 4096;
const HEADER_LINES: usize = HEADER_BYTES / 64;
const WORD_MAGIC: usize = 0;
const WORD_VERSION: usize = 1;
const WORD_SLOTS: usize = 2;
const WORD_SLOT_BYTES: usize = 3;
/// On a cache line of its own: changes with every entry or batch.
const WORD_HEAD: usize = 16;
/// On a cache line of its own: changes once a stride.
const WORD_CLAIMED: usize = 32;
/// A stride is one part in this of the ring.
const STRIDES: u64 = 16;
/// A lapped reader gives up one part in this of the ring more, so as not to be lapped at once.
const SPARE: u64 = 8;
/// In the stamp of an entry that does not count before the head is beyond it.
const STREAMED: u64 = 1 << 63;

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
    slots: u64,
    first: u64,
    /// The next sequence.
    next: u64,
    /// Sequences below it are seen by readers.
    shown: u64,
    /// Slots of sequences below it may be written.
    claimed: u64,
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
        if cells[WORD_MAGIC].load(Acquire) == 0 {
            cells[WORD_VERSION].store(RING_VERSION, Relaxed);
            cells[WORD_SLOTS].store(slots as u64, Relaxed);
            cells[WORD_SLOT_BYTES].store(SLOT_WORDS as u64 * 8, Relaxed);
            // Last: a reader takes a file with the magic for complete.
            cells[WORD_MAGIC].store(RING_MAGIC, Release);
        }
        check_header(path, cells, Some(slots))?;
        // A writer that died between a stamp and the head was seen by who looks at stamps: that
        // sequence is not given out twice. What was streamed beyond the head nobody has seen.
        let stamps = lines(cells)[HEADER_LINES..].iter().map(|slot| slot.0[0].load(Relaxed));
        let newest = stamps.filter(|stamp| stamp & STREAMED == 0).max().unwrap_or(0);
        let next = cells[WORD_HEAD].load(Relaxed).max(newest);
        let claimed = cells[WORD_CLAIMED].load(Relaxed).max(next);
        cells[WORD_HEAD].store(next, Release);
        let slots = slots as u64;
        Ok(Self { mapping, slots, first: next, next, shown: next, claimed, _file: file })
    }

    /// Publishes one payload at once; its sequence. No system call, no allocation, no waiting.
    pub fn publish(&mut self, payload: &[u64; PAYLOAD_WORDS]) -> u64 {
        self.show();
        let sequence = self.claim();
        let [stamp, cells @ ..] = &self.slot(sequence).0;
        for (cell, word) in cells.iter().zip(payload) {
            cell.store(*word, Relaxed);
        }
        // Last: a reader takes an entry with its stamp for complete.
        stamp.store(sequence + 1, Release);
        self.move_head();
        sequence
    }

    /// Puts one payload into the next slot, to be seen after [`Self::show`]; its sequence. For
    /// several at once: past the caches, and readers' lines are left alone until then.
    #[inline(always)]
    pub fn put(&mut self, payload: &[u64; PAYLOAD_WORDS]) -> u64 {
        let sequence = self.claim();
        let mut words = [STREAMED | (sequence + 1); SLOT_WORDS];
        words[1..].copy_from_slice(payload);
        stream(self.slot(sequence), &words);
        sequence
    }

    /// Lets readers see all that was put.
    pub fn show(&mut self) {
        if self.shown < self.next {
            stream_fence();
            self.move_head();
        }
    }

    fn move_head(&mut self) {
        self.shown = self.next;
        self.mapping.cells()[WORD_HEAD].store(self.next, Release);
    }

    /// The next sequence, whose slot may be written now: readers know that it is.
    #[inline]
    fn claim(&mut self) -> u64 {
        let sequence = self.next;
        if sequence == self.claimed {
            self.claim_stride();
        }
        self.next += 1;
        sequence
    }

    #[cold]
    fn claim_stride(&mut self) {
        self.claimed += self.slots / STRIDES;
        self.mapping.cells()[WORD_CLAIMED].store(self.claimed, Relaxed);
        // No payload store may become visible before the claim, streamed or not.
        fence(Release);
        stream_fence();
    }

    #[inline]
    fn slot(&self, sequence: u64) -> &Line {
        slot_of(&self.mapping, sequence, self.slots)
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
        self.slots as usize
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
    slots: u64,
    next: u64,
    /// The head when last looked at.
    head: u64,
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
        if mapping.cells()[WORD_MAGIC].load(Acquire) == 0 {
            return Err(RingError::NotReady(path.into()));
        }
        let slots = check_header(path, mapping.cells(), None)?;
        check_length(path, &file, HEADER_BYTES + slots * SLOT_WORDS * 8)?;
        let head = mapping.cells()[WORD_HEAD].load(Acquire);
        Ok(Self { mapping, slots: slots as u64, next: head, head })
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
        self.mapping.cells()[WORD_HEAD].load(Acquire)
    }

    /// Copies what is there into `entries`: `[sequence, payload...]` each. Does not wait.
    pub fn read_into(&mut self, entries: &mut [[u64; SLOT_WORDS]]) -> Batch {
        let from = self.next;
        if self.oldest() > from {
            self.next = (self.oldest() + self.slots / SPARE).min(self.head());
        }
        let count = self.copy(entries);
        // No payload load may be satisfied after this look at what is claimed by now.
        fence(Acquire);
        let lost = self.oldest().saturating_sub(self.next).min(count as u64) as usize;
        if lost > 0 {
            entries.copy_within(lost..count, 0);
        }
        let first_sequence = self.next + lost as u64;
        self.next += count as u64;
        let gap = (first_sequence > from).then_some(Gap { from, to: first_sequence });
        Batch { count: count - lost, first_sequence, gap }
    }

    /// The oldest sequence whose slot is not claimed for another.
    fn oldest(&self) -> u64 {
        self.mapping.cells()[WORD_CLAIMED].load(Relaxed).saturating_sub(self.slots)
    }

    /// Copies entries from the next on, as many as show; they may be torn where they are claimed.
    fn copy(&mut self, entries: &mut [[u64; SLOT_WORDS]]) -> usize {
        for (count, entry) in entries.iter_mut().enumerate() {
            let sequence = self.next + count as u64;
            let [stamp, cells @ ..] = &slot_of(&self.mapping, sequence, self.slots).0;
            let stamp = stamp.load(Acquire);
            if stamp & !STREAMED != sequence + 1 {
                return count;
            }
            if stamp & STREAMED != 0 && sequence >= self.head {
                self.head = self.head();
                if sequence >= self.head {
                    return count;
                }
            }
            entry[0] = sequence;
            for (word, cell) in entry[1..].iter_mut().zip(cells) {
                *word = cell.load(Relaxed);
            }
        }
        entries.len()
    }
}

#[inline]
fn slot_of(mapping: &Mapping, sequence: u64, slots: u64) -> &Line {
    &lines(mapping.cells())[HEADER_LINES + (sequence & (slots - 1)) as usize]
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
    let word = |index: usize| cells[index].load(Relaxed);
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
