//! The journal: what each record overwrites, written down before it does.
//!
//! Entries are one line each, in a ring; reading goes backwards. A record's entries begin with a
//! STEP (a plain step: the player's old numbers, and the edge's) or a START (any other record: the
//! header and whatever else changes follows as copies). Edges are kept as values, all else as the
//! lines it stands in.

use super::section::Section;
use crate::edge_lines::EdgeState;
use crate::memory::Line;

/// Edges kept in one entry.
const EDGES: u8 = 4;
/// Words of an entry before its edges.
const FIRST_EDGE: usize = 4;

/// What an entry is, the low byte of its first word.
pub(super) const STEP: u8 = 1;
pub(super) const START: u8 = 2;
pub(super) const MORE: u8 = 3;
pub(super) const COPY: u8 = 4;

/// Where the journal stands.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    /// Entries ever written; the ring holds the last ones.
    pub next: u64,
}

/// The journal of a partition; without room it keeps nothing.
pub struct Journal<'a> {
    /// Where it stands.
    pub marks: &'a mut Marks,
    pub(crate) entries: &'a mut [Line],
}

/// The value of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EdgeValue {
    pub edge: u32,
    pub state: EdgeState,
}

impl EdgeValue {
    fn pack(self) -> u64 {
        let EdgeState { weight, heat, closed } = self.state;
        self.edge as u64 | (weight as u64) << 32 | (heat as u64) << 48 | (closed as u64) << 56
    }

    fn unpack(word: u64) -> Self {
        let (weight, heat) = ((word >> 32) as u16, (word >> 48) as u8);
        let state = EdgeState { weight, heat, closed: word >> 56 & 1 == 1 };
        Self { edge: word as u32, state }
    }
}

/// One entry, read.
#[derive(Clone, Copy)]
pub(super) struct Entry([u64; 8]);

impl Entry {
    pub fn tag(&self) -> u8 {
        self.0[0] as u8
    }

    /// Player slot of a STEP, line number of a COPY.
    pub fn number(&self) -> u32 {
        (self.0[0] >> 32) as u32
    }

    /// Section of a COPY.
    pub fn section(&self) -> Option<Section> {
        Section::of((self.0[0] >> 8) as u8)
    }

    pub fn word(&self, at: usize) -> u64 {
        self.0[1 + at]
    }

    /// All words: the content of a COPY, which stands in the entry before it.
    pub fn whole(&self) -> [u64; 8] {
        self.0
    }

    /// The edges of a STEP, START or MORE, as they were.
    pub fn edges(&self) -> impl DoubleEndedIterator<Item = EdgeValue> + use<> {
        let count = (self.0[0] >> 8) as u8 as usize;
        let words = self.0;
        (0..count.min(EDGES as usize)).map(move |at| EdgeValue::unpack(words[FIRST_EDGE + at]))
    }
}

impl Journal<'_> {
    /// Whether anything is kept.
    #[inline(always)]
    pub(crate) fn is_on(&self) -> bool {
        !self.entries.is_empty()
    }

    /// A plain step begins.
    #[inline(always)]
    pub(crate) fn step(&mut self, slot: usize, node: u32, last_position: u64, cells: u64) {
        if self.is_on() {
            let first = STEP as u64 | (slot as u64) << 32;
            self.push([first, node as u64, last_position, cells, 0, 0, 0, 0]);
        }
    }

    /// Another record begins, `position` being that of the one before.
    pub(crate) fn start(&mut self, position: u64) {
        if self.is_on() {
            self.push([START as u64, position, 0, 0, 0, 0, 0, 0]);
        }
    }

    /// An edge is about to get another value.
    #[inline(always)]
    pub(crate) fn edge(&mut self, edge: usize, state: EdgeState) {
        if !self.is_on() {
            return;
        }
        let value = EdgeValue { edge: edge as u32, state }.pack();
        let at = self.place(self.marks.next.wrapping_sub(1));
        let words = self.entries[at].words_mut();
        let count = (words[0] >> 8) as u8;
        // Behind a COPY its lines would be read for its edges.
        if self.marks.next > 0 && words[0] as u8 != COPY && count < EDGES {
            words[FIRST_EDGE + count as usize] = value;
            words[0] += 1 << 8;
        } else {
            self.push([MORE as u64 | 1 << 8, 0, 0, 0, value, 0, 0, 0]);
        }
    }

    /// A line is about to change.
    pub(super) fn copy(&mut self, section: Section, line: u32, content: [u64; 8]) {
        self.push(content);
        self.push([COPY as u64 | (section as u64) << 8 | (line as u64) << 32, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[inline(always)]
    fn push(&mut self, words: [u64; 8]) {
        let at = self.place(self.marks.next);
        *self.entries[at].words_mut() = words;
        self.marks.next += 1;
    }

    #[inline(always)]
    fn place(&self, number: u64) -> usize {
        number as usize & (self.entries.len() - 1)
    }

    /// Oldest entry that still stands in the ring.
    pub(super) fn oldest(&self) -> u64 {
        self.marks.next.saturating_sub(self.entries.len() as u64)
    }

    /// An entry by its number, `None` when it is overwritten or was never written.
    pub(super) fn entry(&self, number: u64) -> Option<Entry> {
        let stands = (self.oldest()..self.marks.next).contains(&number);
        stands.then(|| Entry(*self.entries[self.place(number)].words()))
    }

    /// Entries from this number on are forgotten: what they kept was put back.
    pub(super) fn cut(&mut self, number: u64) {
        self.marks.next = number;
    }
}
