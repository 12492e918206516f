//! Which edges and players may differ between a branch and its original.

use super::journal::{COPY, Entry, Journal};
use super::section::Section;

/// Ids by which memory is fetched ahead.
const AHEAD: usize = 16;

/// A bit per edge and per player slot, in memory of the caller's. All other state is small and
/// always compared.
pub struct Touched<'a> {
    /// A bit per edge id.
    pub edges: &'a mut [u64],
    /// A bit per player slot.
    pub players: &'a mut [u64],
}

impl Touched<'_> {
    /// Takes in what an entry of the journal kept.
    #[inline(always)]
    pub(super) fn add(&mut self, entry: &Entry) {
        match entry.tag() {
            COPY => {
                if entry.section() == Some(Section::Players) {
                    set(self.players, entry.number());
                }
            }
            super::journal::STEP => {
                set(self.players, entry.number());
                entry.edges().for_each(|value| set(self.edges, value.edge));
            }
            _ => entry.edges().for_each(|value| set(self.edges, value.edge)),
        }
    }

    /// Takes in all that changed since the journal's `next` was `mark`; `false`: it does not reach
    /// back so far, and [`Self::fill`] is the way.
    #[must_use]
    pub fn add_since(&mut self, journal: &Journal, mark: u64) -> bool {
        if mark < journal.oldest() {
            return false;
        }
        let mut at = journal.marks.next;
        while at > mark {
            at -= 1;
            let Some(entry) = journal.entry(at) else { return false };
            self.add(&entry);
            // The line before a COPY is its content.
            at -= (entry.tag() == COPY) as u64;
        }
        true
    }

    /// Anything may differ.
    pub fn fill(&mut self) {
        self.edges.fill(u64::MAX);
        self.players.fill(u64::MAX);
    }

    /// Nothing differs.
    pub fn clear(&mut self) {
        self.edges.fill(0);
        self.players.fill(0);
    }

    /// Calls `take` with all ids below `end` whose bit is set, in order, and `fetch` with ids some
    /// way ahead.
    pub(super) fn each(
        bits: &[u64],
        end: usize,
        fetch: impl Fn(usize),
        mut take: impl FnMut(usize),
    ) {
        let mut ahead = Self::ids(bits).take_while(|&id| id < end);
        ahead.by_ref().take(AHEAD).for_each(&fetch);
        for id in Self::ids(bits).take_while(|&id| id < end) {
            ahead.next().into_iter().for_each(&fetch);
            take(id);
        }
    }

    /// Ids whose bit is set, in order.
    fn ids(bits: &[u64]) -> impl Iterator<Item = usize> + '_ {
        bits.iter().enumerate().filter(|&(_, &word)| word != 0).flat_map(|(at, &word)| {
            let mut rest = word;
            core::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                rest &= rest.wrapping_sub(1);
                (bit < 64).then_some(at * 64 + bit)
            })
        })
    }
}

#[inline(always)]
fn set(bits: &mut [u64], id: u32) {
    if let Some(word) = bits.get_mut(id as usize / 64) {
        *word |= 1 << (id % 64);
    }
}
