//! Which edges and players may differ between a branch and its original.

use super::journal::{COOL, COPY, EDGES, Entry, Journal, STEP};
use super::section::Section;
use crate::edge_lines::{LINE_EDGES, edge_lines};
use crate::players::Player;

/// Words of a player, each copied from the beginning.
const PLAYER_WORDS: usize = size_of::<Player>() / 8;
/// Ids by which memory is fetched ahead.
const AHEAD: usize = 16;

/// A bit per line of edges and per player slot, in memory of the caller's. All other state is small
/// and always compared.
pub struct Touched<'a> {
    /// A bit per line of edges: few enough for the nearest caches.
    pub lines: &'a mut [u64],
    /// A bit per player slot.
    pub players: &'a mut [u64],
}

impl Touched<'_> {
    /// Words of `lines` for so many edges.
    pub const fn line_words(edges: usize) -> usize {
        edge_lines(edges) / 64 + 1
    }

    /// Words of `players` for so many of them.
    pub const fn player_words(players: usize) -> usize {
        players / 64 + 1
    }

    /// Takes in what an entry of the journal kept.
    #[inline(always)]
    pub(super) fn add(&mut self, entry: &Entry) {
        match entry.tag() {
            STEP => {
                set(self.players, entry.number());
                set(self.lines, entry.line());
            }
            COOL => set(self.lines, entry.number()),
            EDGES => {
                entry.edges().for_each(|value| set(self.lines, value.edge as usize / LINE_EDGES));
            }
            COPY if entry.section() == Some(Section::Players) => {
                set(self.players, entry.number() / PLAYER_WORDS);
            }
            _ => {}
        }
    }

    /// Takes in all that changed since the journal's `next` was `mark`; `false`: it does not reach
    /// back so far, and [`Self::fill`] is the way.
    #[must_use]
    pub fn add_since(&mut self, journal: &Journal, mark: u64) -> bool {
        let kept = journal.kept();
        let reaches = mark >= kept.oldest();
        if reaches {
            (mark..kept.next).for_each(|at| self.add(kept.entry(at)));
        }
        reaches
    }

    /// Anything may differ.
    pub fn fill(&mut self) {
        self.lines.fill(u64::MAX);
        self.players.fill(u64::MAX);
    }

    /// Nothing differs.
    pub fn clear(&mut self) {
        self.lines.fill(0);
        self.players.fill(0);
    }

    /// Calls `take` with all ids below `end` whose bit is set, in order, and `fetch` with ids some
    /// way ahead. Bits of which `take` says that nothing differs are cleared.
    pub(super) fn each(
        bits: &mut [u64],
        end: usize,
        fetch: impl Fn(usize),
        mut take: impl FnMut(usize) -> bool,
    ) {
        let mut ahead = 0;
        let mut fetch_next = |bits: &[u64]| {
            let id = next(bits, ahead);
            if id < end {
                fetch(id);
                ahead = id + 1;
            }
        };
        (0..AHEAD).for_each(|_| fetch_next(bits));
        let mut id = next(bits, 0);
        while id < end {
            fetch_next(bits);
            if !take(id) {
                bits[id / 64] &= !(1 << (id % 64));
            }
            id = next(bits, id + 1);
        }
    }
}

/// The first id from `from` on whose bit is set; more than there are bits when there is none.
#[inline(always)]
fn next(bits: &[u64], from: usize) -> usize {
    let mut word = from / 64;
    let Some(first) = bits.get(word) else { return usize::MAX };
    let mut rest = first & u64::MAX << (from % 64);
    while rest == 0 {
        word += 1;
        match bits.get(word) {
            Some(&bits) => rest = bits,
            None => return usize::MAX,
        }
    }
    word * 64 + rest.trailing_zeros() as usize
}

#[inline(always)]
fn set(bits: &mut [u64], id: usize) {
    if let Some(word) = bits.get_mut(id / 64) {
        *word |= 1 << (id % 64);
    }
}
