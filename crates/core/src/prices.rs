//! The different base costs of a compact partition's edges, each under a number.
//!
//! Derived from the edges, never hashed: which number a cost has depends on the order in which
//! costs came, what follows from it does not. A number is free again when no edge has its cost.

use crate::memory::{bytes_of, equal_offsets};
use crate::offsets::SHARED;
use crate::schema::PRICES;

/// Stands for cost 0, that of absent slots.
const NOTHING: u8 = 0;
/// Numbers that fit beside the bit of a closed edge, [`NOTHING`] among them.
const NUMBERS: usize = PRICES + 1;

/// Costs by their numbers, and how many edges have each.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prices {
    /// 0: the number is free.
    cost: [u16; NUMBERS],
    edges: [u32; NUMBERS],
}

impl Default for Prices {
    fn default() -> Self {
        Self { cost: [0; NUMBERS], edges: [0; NUMBERS] }
    }
}

impl Prices {
    /// The cost under a number.
    #[inline(always)]
    pub(crate) fn cost(&self, number: u8) -> u16 {
        self.cost[number as usize % NUMBERS]
    }

    /// Whether edges could have these costs too: some have them, or there are numbers for them.
    pub(crate) fn fit(&self, costs: &[u16]) -> bool {
        let known = |at: usize| costs[..at].contains(&costs[at]) || self.find(costs[at]).is_some();
        let fresh = (0..costs.len()).filter(|&at| costs[at] != 0 && !known(at)).count();
        fresh <= self.cost[1..].iter().filter(|&&cost| cost == 0).count()
    }

    /// The number that edges of a cost have or, when it is one more, can have; [`NOTHING`] for 0.
    pub(crate) fn number(&self, cost: u16) -> u8 {
        if cost == 0 {
            return NOTHING;
        }
        let number = self.find(cost).or_else(|| self.find(0));
        number.expect("what does not fit was refused")
    }

    /// An edge has this cost, of this number, from now on.
    pub(crate) fn take(&mut self, number: u8, cost: u16) {
        if number != NOTHING {
            self.cost[number as usize] = cost;
            self.edges[number as usize] += 1;
        }
    }

    /// An edge has the cost of this number no longer.
    pub(crate) fn leave(&mut self, number: u8) {
        if number == NOTHING {
            return;
        }
        let edges = &mut self.edges[number as usize];
        *edges -= 1;
        if *edges == 0 {
            self.cost[number as usize] = 0;
        }
    }

    /// The words of the table that a number stands in, with their own numbers.
    pub(crate) fn words_of(&self, number: u8) -> [(usize, u64); 2] {
        let bytes = bytes_of(core::slice::from_ref(self));
        let edges = size_of_val(&self.cost);
        [2 * number as usize, edges + 4 * number as usize].map(|byte| {
            let word = byte / 8;
            (word, u64::from_le_bytes(*bytes[8 * word..].first_chunk().expect("a whole word")))
        })
    }

    /// The number of a cost, of 0 the first that is free.
    fn find(&self, cost: u16) -> Option<u8> {
        let seen =
            |chunk: &[u16; SHARED]| equal_offsets(&chunk.map(u16::cast_signed), cost.cast_signed());
        let mut chunks = self.cost.as_chunks::<SHARED>().0.iter().map(seen).enumerate();
        chunks.find_map(|(at, seen)| {
            // The number that stands for nothing is never free.
            let seen = if at == 0 { seen & !1 } else { seen };
            (seen != 0).then(|| (at * SHARED) as u8 + seen.trailing_zeros() as u8)
        })
    }
}

/// How many different costs edges have, absent slots aside; no more than are asked for.
pub(crate) fn count_prices(costs: &[u16], most: usize) -> usize {
    let mut seen = [0u64; 1024];
    let mut fresh = costs.iter().filter(|&&cost| {
        let (word, bit) = (&mut seen[cost as usize / 64], 1 << (cost % 64));
        let fresh = cost > 0 && *word & bit == 0;
        *word |= bit;
        fresh
    });
    fresh.by_ref().take(most).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(prices: &mut Prices, cost: u16) -> u8 {
        let number = prices.number(cost);
        prices.take(number, cost);
        number
    }

    #[test]
    fn as_many_costs_as_there_are_numbers_fit_and_one_more_does_when_one_has_left() {
        let mut prices = Prices::default();
        let numbers: [u8; PRICES] = core::array::from_fn(|at| {
            assert!(prices.fit(&[60_000 - at as u16]));
            take(&mut prices, 60_000 - at as u16)
        });
        for (at, &number) in numbers.iter().enumerate() {
            assert!((1..=PRICES as u8).contains(&number));
            assert_eq!(prices.cost(number), 60_000 - at as u16);
            assert_eq!(take(&mut prices, 60_000 - at as u16), number);
        }
        assert!(!prices.fit(&[7]) && prices.fit(&[60_000, 0]));
        prices.leave(numbers[40]);
        assert!(!prices.fit(&[7]), "another edge has that cost yet");
        prices.leave(numbers[40]);
        assert!(prices.fit(&[7, 7, 60_000]) && !prices.fit(&[7, 8]));
        assert_eq!(take(&mut prices, 7), numbers[40]);
        assert!(!prices.fit(&[60_000 - 40]));
    }

    #[test]
    fn nothing_has_a_number_of_its_own() {
        let mut prices = Prices::default();
        assert_eq!((take(&mut prices, 0), prices.cost(NOTHING)), (NOTHING, 0));
        prices.leave(NOTHING);
        assert_eq!(prices, Prices::default());
    }

    #[test]
    fn different_costs_are_counted_up_to_what_was_asked_for() {
        let costs: [u16; 300] = core::array::from_fn(|at| (at % 100) as u16 * 655);
        assert_eq!(count_prices(&costs, 1_000), 99);
        assert_eq!(count_prices(&costs, 50), 50);
        assert_eq!(count_prices(&[], 50), 0);
    }
}
