//! Which edges and players may differ between a branch and its original.

use super::journal::{COOL, COPY, EDGES, Entry, Journal, STEP};
use super::section::Section;
use crate::bits::{mask, places};
use crate::edge_lines::{LINE_EDGES, edge_lines};
use crate::players::Player;

/// Words of a player, each copied from the beginning.
const PLAYER_WORDS: usize = size_of::<Player>() / 8;
/// Words of ids by which memory is fetched ahead.
const AHEAD: usize = 1;

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
            STEP => self.step(entry.number(), entry.step_line()),
            COOL => self.line(entry.number()),
            _ => self.add_rare(entry),
        }
    }

    /// Takes in a step of the player in a slot along an edge of a line.
    #[inline(always)]
    pub(super) fn step(&mut self, slot: usize, line: usize) {
        set(self.players, slot);
        self.line(line);
    }

    /// Takes in a line of edges.
    #[inline(always)]
    pub(super) fn line(&mut self, line: usize) {
        set(self.lines, line);
    }

    /// Takes in words of a section, the first of which has this number.
    pub(super) fn copied(&mut self, section: Section, word: usize) {
        if section == Section::Players {
            set(self.players, word / PLAYER_WORDS);
        }
    }

    #[inline(never)]
    fn add_rare(&mut self, entry: &Entry) {
        match entry.tag() {
            EDGES => {
                entry.edges().for_each(|(edge, _)| self.line(edge / LINE_EDGES));
            }
            COPY => {
                if let Some(section) = entry.section() {
                    self.copied(section, entry.number());
                }
            }
            _ => {}
        }
    }

    /// Takes in all that changed since the journal's `next` was `mark`; `false`: it does not reach
    /// back so far, and [`Self::fill`] is the way.
    #[must_use]
    pub fn add_since(&mut self, journal: &Journal, mark: u64) -> bool {
        let kept = journal.kept();
        let reaches = mark >= kept.oldest;
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
    #[inline(always)]
    pub(super) fn each(
        bits: &mut [u64],
        end: usize,
        fetch: impl Fn(usize),
        mut take: impl FnMut(usize) -> bool,
    ) {
        let fetch_word = |bits: &[u64], at: usize| {
            let word = bits.get(at).copied().unwrap_or(0);
            // What follows line by line the processor fetches by itself.
            let word = if word == u64::MAX { 0 } else { word };
            places(word).for_each(|bit| fetch(at * 64 + bit));
        };
        (0..AHEAD).for_each(|at| fetch_word(bits, at));
        for at in 0..bits.len() {
            fetch_word(bits, at + AHEAD);
            let below = mask(&(0..end), at * 64);
            let mut differ = bits[at] & !below;
            for bit in places(bits[at] & below) {
                differ |= (take(at * 64 + bit) as u64) << bit;
            }
            bits[at] = differ;
        }
    }
}

#[inline(always)]
fn set(bits: &mut [u64], id: usize) {
    if let Some(word) = bits.get_mut(id / 64) {
        *word |= 1 << (id % 64);
    }
}
