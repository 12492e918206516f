//! The index: from a player's id to the slot.
//!
//! Open addressing with linear probing (Knuth, TAOCP 3, 6.4 L). An entry holds nine bits of the
//! id's hash beside the slot, so that a search hardly ever looks at another player, whose line is
//! seldom near.

use crate::hash::mix;
use crate::memory::prefetch;
use crate::schema::NONE;

/// Bits of an entry for slot + 1; those above are the tag. 0 is a free entry.
const SLOT_BITS: u32 = 23;
const SLOT: u32 = (1 << SLOT_BITS) - 1;

/// The index over its entries, a power of two of them, at most half in use.
pub(crate) struct Index<'a>(pub &'a mut [u32]);

/// What stands in the index for the player in `slot`.
#[derive(Clone, Copy)]
pub(crate) struct Listed {
    /// Its number.
    pub at: usize,
    pub slot: usize,
}

impl Index<'_> {
    /// Where the search for `id` starts, and the tag of its entry.
    #[inline(always)]
    fn home(&self, id: u64) -> (usize, u32) {
        let hash = mix(0, id);
        let bits = self.0.len().trailing_zeros();
        ((hash >> (64 - bits)) as usize, (hash as u32) << SLOT_BITS)
    }

    /// Brings the start of a search towards the cache.
    #[inline(always)]
    pub fn prefetch(&self, id: u64) {
        prefetch(self.0, self.home(id).0);
    }

    /// Entries that may be that of `id`, up to the free one behind them.
    #[inline(always)]
    pub fn candidates(&self, id: u64) -> impl Iterator<Item = Listed> {
        let mask = self.0.len() - 1;
        let (home, tag) = self.home(id);
        let entries = (home..).map(move |at| (at & mask, self.0[at & mask]));
        entries
            .take_while(|&(_, entry)| entry != 0)
            .filter(move |(_, entry)| entry & !SLOT == tag)
            .map(|(at, entry)| Listed { at, slot: (entry & SLOT) as usize - 1 })
    }

    /// The slot of the first candidate, NONE without any: right nearly always.
    #[inline(always)]
    pub fn guess(&self, id: u64) -> u32 {
        let (home, tag) = self.home(id);
        let first = self.0[home];
        if first & !SLOT == tag {
            // NONE when it is free.
            return (first & SLOT).wrapping_sub(1);
        }
        self.guess_on(id)
    }

    #[inline(never)]
    fn guess_on(&self, id: u64) -> u32 {
        self.candidates(id).next().map_or(NONE, |entry| entry.slot as u32)
    }

    /// The free entry where `id` belongs, which must not have one.
    pub fn free(&self, id: u64) -> usize {
        let mask = self.0.len() - 1;
        let mut at = self.home(id).0;
        while self.0[at] != 0 {
            at = (at + 1) & mask;
        }
        at
    }

    /// Fills an entry.
    pub fn set(&mut self, at: usize, id: u64, slot: usize) {
        self.0[at] = self.home(id).1 | (slot as u32 + 1);
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;

    fn filled(ids: &[u64], entries: &mut [u32]) -> Vec<usize> {
        let mut index = Index(entries);
        for (slot, &id) in ids.iter().enumerate() {
            index.set(index.free(id), id, slot);
        }
        ids.iter().map(|&id| index.candidates(id).count()).collect()
    }

    /// Ids as game servers may number their players must not fall on each other's places.
    #[test]
    fn guesses_are_right_for_any_way_of_numbering() {
        let golden = 0x9E37_79B9_7F4A_7C15u64;
        let ways: [fn(u64, u64) -> u64; 4] = [
            |n, _| n,
            |n, _| n << 32,
            |n, golden| n.wrapping_mul(golden),
            |n, golden| mix(n, golden),
        ];
        for way in ways {
            let ids: Vec<u64> = (1..=12_500).map(|n| way(n, golden)).collect();
            let mut entries = vec![0; 32_768];
            filled(&ids, &mut entries);
            let index = Index(&mut entries);
            let right = (0..).zip(&ids).filter(|&(slot, &id)| index.guess(id) == slot).count();
            assert!(right > 12_450, "{right} of 12,500 guesses are right");
            let steps = |id| (index.free(id) + 32_768 - index.home(id).0) % 32_768;
            let longest = ids.iter().map(|&id| steps(id)).max().expect("there are ids");
            assert!(longest < 64, "a search of {longest} steps");
        }
    }

    #[test]
    fn every_player_is_among_its_candidates() {
        let ids: Vec<u64> = (0..32).map(|n| n * 977).collect();
        let mut entries = vec![0; 64];
        assert!(filled(&ids, &mut entries).iter().all(|&count| count > 0));
        let index = Index(&mut entries);
        for (slot, &id) in ids.iter().enumerate() {
            assert!(index.candidates(id).any(|entry| entry.slot == slot));
        }
        assert!(index.candidates(1).all(|entry| ids[entry.slot] != 1));
    }
}
