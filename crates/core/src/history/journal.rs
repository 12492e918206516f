//! The journal: what each record overwrites, written down before it does.
//!
//! A branch that need not go back only notes where it changes something ([`Journal::noted`]).
//! Entries are half a line each, in a ring; reading goes backwards. A record's entries begin with a
//! STEP (a plain step: the player's old numbers, and the edge's) or a START (any other record:
//! whatever else changes follows). Edges and heats are kept as values, all else as words.

use super::section::Section;
use super::touched::Touched;
use crate::edge_lines::{EdgeState, LINE_EDGES};
use crate::memory::Line;
use crate::offsets::offset;
use crate::players::Player;
use crate::prices::Prices;
use crate::schema::NONE;

/// Edges kept in one EDGES entry.
const EDGES_MAX: usize = 3;
/// Words kept in one COPY entry.
pub(super) const COPY_MAX: usize = 3;

/// What an entry is, the low four bits of its first word.
pub(super) const STEP: u64 = 1;
pub(super) const START: u64 = 2;
pub(super) const EDGES: u64 = 3;
pub(super) const COOL: u64 = 4;
pub(super) const COPY: u64 = 5;

/// Where the journal stands.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    /// Entries ever written; the ring holds the last ones.
    pub next: u64,
    /// Entries before this one are of a state that was left without being kept.
    floor: u64,
}

/// The journal of a partition; without room it keeps nothing.
pub struct Journal<'a> {
    /// Where it stands.
    pub marks: &'a mut Marks,
    pub(crate) entries: &'a mut [Entry],
    /// Where changes are noted in place of being kept.
    pub(super) noted: Option<Touched<'a>>,
}

/// An edge and its state in one word.
fn pack(edge: usize, state: EdgeState) -> u64 {
    let EdgeState { cost, heat, closed } = state;
    edge as u64 | (cost as u64) << 32 | (heat as u64) << 48 | (closed as u64) << 56
}

fn unpack(word: u64) -> (usize, EdgeState) {
    let (cost, heat) = ((word >> 32) as u16, (word >> 48) as u8);
    (word as u32 as usize, EdgeState { cost, heat, closed: word >> 56 & 1 == 1 })
}

/// One entry. Its first word is what it is, four bits for itself, and its number in the upper half:
/// of a player's slot (STEP), of a line of edges (COOL), of the first word in its section (COPY).
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug)]
pub struct Entry([u64; 4]);

const _: () = assert!(size_of::<Entry>() * 2 == size_of::<Line>());

/// A plain step as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub slot: usize,
    /// Where it went from, and to: NONE where that is far.
    pub node: u32,
    pub head: u32,
    pub last_position: u64,
    pub edge: u32,
    /// Heat of the edge: a step changes nothing else of it.
    pub heat: u8,
    /// Sum of the cells.
    pub cells: u64,
}

impl Entry {
    #[inline(always)]
    pub(super) fn tag(&self) -> u64 {
        self.0[0] & 15
    }

    #[inline(always)]
    pub(super) fn number(&self) -> usize {
        (self.0[0] >> 32) as usize
    }

    /// The line of edges of a STEP or COOL; of others some number.
    #[inline(always)]
    pub(super) fn line(&self) -> usize {
        if self.tag() == STEP { self.step_line() } else { self.number() }
    }

    /// The line of edges of a STEP.
    #[inline(always)]
    pub(super) fn step_line(&self) -> usize {
        (self.0[1] >> 32) as usize / LINE_EDGES
    }

    /// What a STEP kept.
    #[inline(always)]
    pub(super) fn step(&self) -> Step {
        let [first, place, last_position, cells] = self.0;
        let (node, offset) = (place as u32, (first >> 16) as i16);
        let head = node.wrapping_add_signed(offset as i32);
        Step {
            slot: self.number(),
            node,
            // No edge leads back to where it comes from.
            head: if offset == 0 { NONE } else { head },
            last_position,
            edge: (place >> 32) as u32,
            heat: (first >> 8) as u8,
            cells,
        }
    }

    /// Position and sum of the cells before the record of a START.
    #[inline(always)]
    pub(super) fn start(&self) -> (u64, u64) {
        (self.0[1], self.0[2])
    }

    /// The edges of an EDGES entry, as they were.
    pub(super) fn edges(&self) -> impl DoubleEndedIterator<Item = (usize, EdgeState)> {
        self.0[1..=self.count()].iter().map(|&word| unpack(word))
    }

    /// The heats of a line of edges.
    #[inline(always)]
    pub(super) fn heats(&self) -> [u8; LINE_EDGES] {
        (self.0[1] as u128 | (self.0[2] as u128) << 64).to_le_bytes()
    }

    /// Section of a COPY.
    pub(super) fn section(&self) -> Option<Section> {
        Section::of((self.0[0] >> 8) as u8)
    }

    /// The words of a COPY.
    pub(super) fn words(&self) -> &[u64] {
        &self.0[1..=self.count()]
    }

    /// How many edges or words an EDGES or COPY holds.
    #[inline(always)]
    fn count(&self) -> usize {
        (self.0[0] >> 4 & 3) as usize
    }
}

impl<'a> Journal<'a> {
    /// A journal with room for these entries.
    pub(crate) fn new(marks: &'a mut Marks, entries: &'a mut [Entry]) -> Self {
        Self { marks, entries, noted: None }
    }

    /// Whether anything is kept or noted.
    #[inline(always)]
    pub(crate) fn is_on(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether what records overwrite is kept.
    #[inline(always)]
    pub(super) fn is_kept(&self) -> bool {
        self.is_on() && self.noted.is_none()
    }

    /// A plain step begins, of a player along an open edge to a node; `cells` is the sum of the
    /// cells.
    #[inline(always)]
    pub(crate) fn step(
        &mut self,
        slot: usize,
        player: &Player,
        (edge, head): (usize, u32),
        old: EdgeState,
        cells: u64,
    ) {
        if !self.is_on() {
            return;
        }
        if let Some(touched) = &mut self.noted {
            touched.step(slot, edge / LINE_EDGES);
        } else {
            let place = player.node as u64 | (edge as u64) << 32;
            let offset = offset(player.node, head).unwrap_or(0) as u16;
            let old = (old.heat as u64) << 8 | (offset as u64) << 16;
            let first = STEP | old | (slot as u64) << 32;
            self.push([first, place, player.last_position, cells]);
        }
    }

    /// Another record begins; `position` and `cells` are those before it.
    pub(crate) fn start(&mut self, position: u64, cells: u64) {
        if self.is_kept() {
            self.push([START, position, cells, 0]);
        }
    }

    /// An edge is about to get another value.
    #[inline(always)]
    pub(crate) fn edge(&mut self, edge: usize, state: EdgeState) {
        if !self.is_on() {
            return;
        }
        if let Some(touched) = &mut self.noted {
            return touched.line(edge / LINE_EDGES);
        }
        let value = pack(edge, state);
        let last = self.place(self.marks.next.wrapping_sub(1));
        let last = &mut self.entries[last];
        let count = last.count();
        match last.tag() {
            // A step changes no edge but its own, which it has kept.
            STEP => {}
            EDGES if count < EDGES_MAX => {
                last.0[1 + count] = value;
                last.0[0] += 1 << 4;
            }
            _ => self.push([EDGES | 1 << 4, value, 0, 0]),
        }
    }

    /// A price is about to become another one, or that of more or fewer edges.
    pub(crate) fn price(&mut self, prices: &Prices, number: u8) {
        if self.is_kept() {
            for (at, word) in prices.words_of(number) {
                self.copy(Section::Prices, at, 1, [word, 0, 0]);
            }
        }
    }

    /// The heats of a line of edges are about to change.
    #[inline(always)]
    pub(crate) fn cool(&mut self, line: usize, heats: [u8; LINE_EDGES]) {
        if !self.is_on() {
            return;
        }
        if let Some(touched) = &mut self.noted {
            touched.line(line);
        } else {
            let all = u128::from_le_bytes(heats);
            self.push([COOL | (line as u64) << 32, all as u64, (all >> 64) as u64, 0]);
        }
    }

    /// Words of a section, `COPY_MAX` at most, are about to change; `word` is the first one's
    /// number.
    pub(super) fn copy(&mut self, section: Section, word: usize, count: usize, words: [u64; 3]) {
        if let Some(touched) = &mut self.noted {
            return touched.copied(section, word);
        }
        let first = COPY | (count as u64) << 4 | (section as u64) << 8 | (word as u64) << 32;
        let [a, b, c] = words;
        self.push([first, a, b, c]);
    }

    #[inline(always)]
    fn push(&mut self, words: [u64; 4]) {
        let at = self.place(self.marks.next);
        self.entries[at] = Entry(words);
        self.marks.next += 1;
    }

    #[inline(always)]
    fn place(&self, number: u64) -> usize {
        number as usize & (self.entries.len() - 1)
    }

    /// What is kept, for reading.
    pub(super) fn kept(&self) -> Kept<'_> {
        Kept::new(self.marks, self.entries)
    }

    /// From here on changes are noted there and not kept: what was kept until now is of no use any
    /// more. Not for a partition without a journal, which notes nothing.
    pub fn note_in(&mut self, touched: Touched<'a>) {
        assert!(self.is_on(), "only what has a journal can do with less");
        // What is kept after that does not go on in an entry of before.
        self.push([START, 0, 0, 0]);
        self.marks.floor = self.marks.next;
        self.noted = Some(touched);
    }

    /// Entries from this number on are forgotten: what they kept was put back.
    pub(super) fn cut(&mut self, number: u64) {
        self.marks.next = number;
    }
}

/// What a journal keeps.
#[derive(Clone, Copy)]
pub(super) struct Kept<'j> {
    pub entries: &'j [Entry],
    /// Number behind the last entry.
    pub next: u64,
    /// Oldest entry that still stands in the ring.
    pub oldest: u64,
}

impl<'j> Kept<'j> {
    /// What stands in these entries.
    pub fn new(marks: &Marks, entries: &'j [Entry]) -> Self {
        let Marks { next, floor } = *marks;
        Self { entries, next, oldest: next.saturating_sub(entries.len() as u64).max(floor) }
    }

    /// The oldest entry that a record begins with: from there on all records are whole.
    pub fn oldest_record(&self) -> u64 {
        let begins = |&at: &u64| matches!(self.entry(at).tag(), STEP | START);
        (self.oldest..self.next).find(begins).unwrap_or(self.next)
    }

    /// An entry by its number; of one that does not stand in the ring, what stands in its place.
    #[inline(always)]
    pub fn entry(&self, number: u64) -> &Entry {
        &self.entries[number as usize & (self.entries.len() - 1)]
    }
}
