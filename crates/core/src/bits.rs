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
