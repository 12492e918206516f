//! Where rows lie: sixteen bytes for sixteen nodes.

use crate::offsets::List;

/// Nodes of one [`RowGroup`].
pub(crate) const GROUP_NODES: usize = 16;
/// Most slots of a row whose degree stands in its group; where one has more, the group is wide.
pub(crate) const NARROW: u8 = 15;
/// Bit of a group's list: degrees stand in front of two lists, one for each half of its nodes.
const WIDE: u32 = 1;
/// Bit of a group's list: some of its nodes have added edges.
const HAS_ADDED: u32 = 2;
/// Bits of a group's list that are not the list's.
const BITS: u32 = 2;

/// Where the rows of sixteen nodes lie.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RowGroup {
    /// First edge of the first row.
    first: u32,
    /// The list that the offsets of all rows stand in, and [`WIDE`] and [`HAS_ADDED`].
    list: u32,
    /// Slots of each row in four bits, those of the first node lowest.
    degrees: u64,
}

impl RowGroup {
    /// Rows from an edge on, none of them longer than [`NARROW`].
    pub(crate) fn narrow(first: u32, list: List, degrees: [u8; GROUP_NODES]) -> Self {
        let degrees = degrees.iter().rev().fold(0, |bits, &degree| bits << 4 | degree as u64);
        Self { first, list: list.0 << BITS, degrees }
    }

    /// Rows from an edge on, whose degrees and lists are told at the place of a list.
    pub(crate) fn wide(first: u32, list: List) -> Self {
        Self { first, list: list.0 << BITS | WIDE, degrees: 0 }
    }

    /// The first edge of all.
    #[inline(always)]
    pub(crate) fn first(&self) -> usize {
        self.first as usize
    }

    /// The list of all rows or, in a wide group, the place where more is told.
    #[inline(always)]
    pub(crate) fn list(&self) -> List {
        List(self.list >> BITS)
    }

    /// Whether degrees and lists stand elsewhere.
    #[inline(always)]
    pub(crate) fn is_wide(&self) -> bool {
        self.list & WIDE != 0
    }

    /// Whether one of its nodes has added edges.
    #[inline(always)]
    pub(crate) fn has_added(&self) -> bool {
        self.list & HAS_ADDED != 0
    }

    /// Notes whether one of its nodes has added edges.
    pub(crate) fn note_added(&mut self, has: bool) {
        self.list = self.list & !HAS_ADDED | if has { HAS_ADDED } else { 0 };
    }

    /// First edge and end of the row of node `at` of a group that is not wide.
    #[inline(always)]
    pub(crate) fn row(&self, at: usize) -> (usize, usize) {
        const EVEN: u64 = 0x0F0F_0F0F_0F0F_0F0F;
        // The degrees up to this row's, its own uppermost.
        let degrees = self.degrees << (4 * (GROUP_NODES - 1 - at));
        // Their sum: pairs in bytes, then all into the uppermost; 16 times 15 fit there.
        let pairs = (degrees & EVEN) + (degrees >> 4 & EVEN);
        let sum = pairs.wrapping_mul(0x0101_0101_0101_0101) >> 56;
        let end = self.first() + sum as usize;
        (end - (degrees >> 60) as usize, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_group_follow_each_other() {
        let mixed = [0, 1, 2, 3, 4, 15, 15, 0, 9, 8, 7, 6, 5, 15, 0, 1];
        for lengths in [[NARROW; GROUP_NODES], [0; GROUP_NODES], mixed] {
            let mut group = RowGroup::narrow(4_000_000, List::NONE, lengths);
            group.note_added(true);
            let mut start = 4_000_000;
            for (at, &length) in lengths.iter().enumerate() {
                let end = start + length as usize;
                assert_eq!(group.row(at), (start, end));
                start = end;
            }
        }
    }

    #[test]
    fn what_is_noted_of_a_group_leaves_its_list_alone() {
        for list in [List::NONE, List((1 << 30) - 1)] {
            let narrow = RowGroup::narrow(7, list, [1; GROUP_NODES]);
            for mut group in [narrow, RowGroup::wide(7, list)] {
                let wide = group.is_wide();
                for has in [true, false] {
                    group.note_added(has);
                    let found = (group.list(), group.is_wide(), group.has_added());
                    assert_eq!(found, (list, wide, has));
                }
            }
            assert!(!narrow.is_wide());
        }
    }
}
