//! Sets of numbers as bits of words.

use core::ops::Range;

/// The places of the bits that are set.
#[inline(always)]
pub(crate) fn places(bits: impl Into<u64>) -> impl Iterator<Item = usize> {
    let mut bits = bits.into();
    core::iter::from_fn(move || {
        let place = bits.trailing_zeros() as usize;
        let found = (bits != 0).then_some(place);
        bits &= bits.wrapping_sub(1);
        found
    })
}

/// A bit for each of the 64 numbers from `first` on that is in `range`.
#[inline(always)]
pub(crate) fn mask(range: &Range<usize>, first: usize) -> u64 {
    let below = |end: usize| {
        let count = end.saturating_sub(first);
        if count < 64 { (1 << count) - 1 } else { u64::MAX }
    };
    below(range.end) & !below(range.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_the_numbers_of_its_range() {
        let numbers = [0, 1, 5, 63, 64, 65, 100, 127, 128, 200];
        for (start, end) in numbers.iter().flat_map(|start| numbers.map(|end| (*start, end))) {
            for first in [0, 5, 64, 100] {
                let wanted = (0..64).filter(|at| (start..end).contains(&(first + at)));
                let found = places(mask(&(start..end), first));
                assert!(found.eq(wanted), "{start}..{end} from {first}");
            }
        }
    }
}
