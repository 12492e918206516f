//! Lists of offsets that rows are masks over.
//!
//! They stand among the [`Offsets`], each offset in 16 bits or, in a wide list, in 32: so none is
//! too far. Planes of masks but the lowest stand in front of their list, that of the highest bits
//! first.

use crate::bits::places;
use crate::memory::{bytes_of, bytes_of_mut, equal_eight, equal_offsets, prefetch};
use crate::offsets::{List, Offsets, SHARED};
use crate::row_group::GROUP_NODES;

/// Entries that one plane of masks has bits for.
pub(crate) const PLANE_BITS: usize = 8;
/// Most entries of a list: those of four planes. A look at all of them is one.
pub(crate) const ENTRIES: usize = SHARED;
/// Words that a plane takes.
pub(crate) const PLANE_WORDS: usize = GROUP_NODES / 2;

/// A list: where it stands; in its lowest three bits [`Self::WIDE`], and how many planes of masks
/// over it there are, less one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries(pub(crate) u32);

impl Entries {
    /// Bits that do not say where the list stands.
    pub(crate) const BITS: u32 = 3;
    const WIDE: u32 = 4;
    const PLANES: u32 = 3;

    pub(crate) fn new(at: usize, planes: usize, wide: bool) -> Self {
        let wide = if wide { Self::WIDE } else { 0 };
        Self((at as u32) << Self::BITS | wide | (planes as u32 - 1))
    }

    /// That of a row.
    #[inline(always)]
    pub(crate) fn of(list: List) -> Self {
        Self(list.0)
    }

    #[inline(always)]
    fn start(self) -> usize {
        (self.0 >> Self::BITS) as usize
    }

    #[inline(always)]
    fn is_wide(self) -> bool {
        self.0 & Self::WIDE != 0
    }

    /// Planes that stand in front of it.
    #[inline(always)]
    pub(crate) fn more_planes(self) -> usize {
        (self.0 & Self::PLANES) as usize
    }
}

impl Offsets<'_> {
    /// Entry `at` of a list.
    #[inline(always)]
    pub(crate) fn entry(&self, list: Entries, at: usize) -> i32 {
        if list.is_wide() {
            return self.wide_entry(list, at);
        }
        self.0[list.start() + at] as i32
    }

    #[inline(never)]
    fn wide_entry(&self, list: Entries, at: usize) -> i32 {
        let words = &self.0[list.start() + 2 * at..][..2];
        words[0] as u16 as i32 | (words[1] as i32) << 16
    }

    /// The bit that stands for an offset in a mask over a list; 0: there is none.
    #[inline(always)]
    pub(crate) fn bit_of(&self, list: Entries, mask: u32, offset: i32) -> u32 {
        if list.is_wide() || list.more_planes() > 0 {
            return self.bit_in_long(list, mask, offset);
        }
        let Ok(offset) = i16::try_from(offset) else { return 0 };
        let eight = self.0.get(list.start()..).and_then(|rest| rest.first_chunk());
        // Offsets of the next list may be found as well: no mask over this one has their bits.
        mask & eight.map_or(0, |eight| equal_eight(eight, offset))
    }

    #[inline(never)]
    fn bit_in_long(&self, list: Entries, mask: u32, offset: i32) -> u32 {
        if list.is_wide() {
            let mut entries = places(mask);
            let found = entries.find(|&at| self.wide_entry(list, at) == offset);
            return found.map_or(0, |at| 1 << at);
        }
        let Ok(offset) = i16::try_from(offset) else { return 0 };
        let all = self.0.get(list.start()..).and_then(|rest| rest.first_chunk());
        mask & all.map_or(0, |all| equal_offsets(all, offset))
    }

    /// Brings a list towards the cache.
    #[inline(always)]
    pub(crate) fn prefetch_entries(&self, list: Entries) {
        prefetch(self.0, list.start());
    }

    /// The bits `8 * plane..` of the masks over a list.
    #[inline(always)]
    pub(crate) fn plane(&self, list: Entries, plane: usize) -> &[u8; GROUP_NODES] {
        let words = &self.0[list.start() - plane * PLANE_WORDS..][..PLANE_WORDS];
        bytes_of(words).first_chunk().expect("two bytes a word")
    }

    /// Takes over a list and the planes in front of it, the lower ones first.
    pub(crate) fn set_entries(
        &mut self,
        list: Entries,
        offsets: &[i32],
        planes: impl Iterator<Item = [u8; GROUP_NODES]>,
    ) {
        let size = 1 + list.is_wide() as usize;
        let words = self.0[list.start()..].chunks_exact_mut(size);
        for (words, &offset) in words.zip(offsets) {
            let halves = [offset as i16, (offset >> 16) as i16];
            words.copy_from_slice(&halves[..size]);
        }
        for (plane, bits) in (1..).zip(planes) {
            let words = &mut self.0[list.start() - plane * PLANE_WORDS..][..PLANE_WORDS];
            bytes_of_mut(words).copy_from_slice(&bits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two lists of a kind, one behind the other, and planes in front of each.
    fn filled(wide: bool, planes: usize) -> ([i16; 512], [Entries; 2], [[i32; ENTRIES]; 2]) {
        let mut words = [0; 512];
        let spread = if wide { 100_003 } else { 1_001 };
        let offsets = [-20, -7].map(|low| core::array::from_fn(|at| (low + at as i32) * spread));
        let lists = [30, 200].map(|at| Entries::new(at, planes, wide));
        for (number, (&list, offsets)) in lists.iter().zip(&offsets).enumerate() {
            let planes = (1..planes).map(|plane| [(10 * number + plane) as u8; GROUP_NODES]);
            Offsets(&mut words).set_entries(list, offsets, planes);
        }
        (words, lists, offsets)
    }

    #[test]
    fn what_is_put_into_a_list_is_found_by_its_bit() {
        for (wide, planes) in [false, true].iter().flat_map(|&wide| [1, 2, 3, 4].map(|n| (wide, n)))
        {
            let (mut words, lists, offsets) = filled(wide, planes);
            let entries = Offsets(&mut words);
            for ((list, own), number) in lists.into_iter().zip(offsets).zip(0..) {
                assert_eq!((list.is_wide(), list.more_planes()), (wide, planes - 1));
                for (at, &offset) in own.iter().enumerate().take(planes * PLANE_BITS) {
                    assert_eq!(entries.entry(list, at), offset, "{wide} {planes} {at}");
                    let mask = (u64::MAX >> (64 - planes * PLANE_BITS)) as u32;
                    assert_eq!(entries.bit_of(list, mask, offset), 1 << at);
                    assert_eq!(entries.bit_of(list, mask & !(1 << at), offset), 0);
                    assert_eq!(entries.bit_of(list, mask, offset + 1), 0);
                    assert_eq!(entries.bit_of(list, mask, offset ^ 1 << 20), 0);
                }
                for plane in 1..planes {
                    assert_eq!(entries.plane(list, plane), &[(10 * number + plane) as u8; 16]);
                }
            }
        }
    }
}
