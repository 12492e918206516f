//! Where rows lie and lead to in grids: twenty bytes for sixteen nodes, and no edge keeps a number.
//!
//! A row is a mask over its group's list of offsets ([`Entries`]): bit `k` says that it has a slot
//! which leads by entry `k`. Rows are sorted by head, and lists rise, so that the slots of a row
//! stand in the order of its bits. A plane is eight bits of each of sixteen masks; where lists need
//! more than one, the others stand in front of them.
//! Which groups share a list is the [`mask_lister`](crate::mask_lister)'s to say.

use crate::entries::{ENTRIES, Entries, PLANE_BITS, PLANE_WORDS};
use crate::memory::{count_bits, prefetch};
use crate::offsets::{List, Offsets};
use crate::row_group::GROUP_NODES;
use crate::row_span::RowSpan;

/// Groups of one [`MaskBlock`].
pub(crate) const BLOCK_GROUPS: usize = 64;
pub(crate) const BLOCK_NODES: usize = BLOCK_GROUPS * GROUP_NODES;

/// Bits of a group's word for its list: as many words as the lists of a block can take fit.
const LIST_BITS: u32 = 16;
/// Bit of it: one of its nodes has added edges. Those between are for its first edge: the longest
/// rows of all groups before it fit.
const HAS_ADDED: u32 = 1 << 31;

const _: () = {
    let words = BLOCK_GROUPS * (2 * ENTRIES + (ENTRIES / PLANE_BITS - 1) * PLANE_WORDS);
    assert!(words <= 1 << (LIST_BITS - Entries::BITS));
    assert!((BLOCK_NODES - GROUP_NODES) * ENTRIES < 1 << (31 - LIST_BITS));
};

/// Where the rows of sixteen nodes lie, as their block goes on.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MaskGroup {
    /// First edge and list, less those of the block, and [`HAS_ADDED`].
    word: u32,
    /// The lowest eight bits of each row's mask.
    plane: [u8; GROUP_NODES],
}

impl MaskGroup {
    /// Rows of a block, from an edge on.
    pub(crate) fn new(
        block: &MaskBlock,
        first: u32,
        list: Entries,
        plane: [u8; GROUP_NODES],
    ) -> Self {
        Self { word: (first - block.first) << LIST_BITS | (list.0 - block.list), plane }
    }

    #[inline(always)]
    fn first(&self) -> u32 {
        (self.word & !HAS_ADDED) >> LIST_BITS
    }

    /// Whether one of its nodes has added edges.
    #[inline(always)]
    pub(crate) fn has_added(&self) -> bool {
        self.word & HAS_ADDED != 0
    }

    /// Notes whether one of its nodes has added edges.
    pub(crate) fn note_added(&mut self, has: bool) {
        self.word = self.word & !HAS_ADDED | if has { HAS_ADDED } else { 0 };
    }
}

/// Where the rows of 64 groups begin.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MaskBlock {
    /// First edge of the first row.
    pub(crate) first: u32,
    /// A list where the first one can stand.
    pub(crate) list: u32,
}

/// The masked rows of a partition; none where rows are told in the other form.
pub(crate) struct Masks<'a> {
    pub groups: &'a mut [MaskGroup],
    pub blocks: &'a mut [MaskBlock],
}

impl Masks<'_> {
    /// A node's row.
    #[inline(always)]
    pub(crate) fn row(&self, node: u32, offsets: &Offsets) -> RowSpan {
        let (group, at) = (&self.groups[node as usize / GROUP_NODES], node as usize);
        let (block, at) = (&self.blocks[at / BLOCK_NODES], at % GROUP_NODES);
        let first = block.first + group.first() + count_bits(&group.plane, at);
        let mask = group.plane[at] as u32;
        let list = Entries(block.list + (group.word & ((1 << LIST_BITS) - 1)));
        if list.more_planes() > 0 {
            return further(first, mask, list, at, offsets);
        }
        RowSpan::masked(first, mask, List(list.0))
    }

    /// Brings a group of rows towards the cache: one in four lies on two lines.
    #[inline(always)]
    pub(crate) fn prefetch(&self, group: usize) {
        prefetch(self.groups, group);
        prefetch(self.groups, group + 1);
    }

    /// The group whose rows have an edge that is not an added one.
    pub(crate) fn group_of(&self, edge: usize) -> usize {
        let edge = edge as u32;
        let block = self.blocks.partition_point(|block| block.first <= edge) - 1;
        let within = edge - self.blocks[block].first;
        let groups = &self.groups[block * BLOCK_GROUPS..];
        let groups = &groups[..groups.len().min(BLOCK_GROUPS)];
        block * BLOCK_GROUPS + groups.partition_point(|group| group.first() <= within) - 1
    }
}

/// A row with masks of more than one plane.
#[inline(never)]
fn further(first: u32, mask: u32, list: Entries, at: usize, offsets: &Offsets) -> RowSpan {
    let (mut first, mut mask) = (first, mask);
    for plane in 1..=list.more_planes() {
        let more = offsets.plane(list, plane);
        first += count_bits(more, at);
        mask |= (more[at] as u32) << (plane * PLANE_BITS);
    }
    RowSpan::masked(first, mask, List(list.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mask of so many planes for each node, some of them empty.
    fn masks(planes: usize) -> [u32; GROUP_NODES] {
        core::array::from_fn(|at| {
            let bits = (at as u32 + 3).wrapping_mul(0x9E37_79B9).rotate_left(at as u32);
            let kept = u64::MAX >> (64 - planes * PLANE_BITS);
            if at % 5 == 2 { 0 } else { bits & kept as u32 }
        })
    }

    #[test]
    fn rows_of_a_group_follow_each_other_whatever_their_planes() {
        let all = [u32::MAX; GROUP_NODES];
        for (planes, rows) in (1..=4).map(|planes| (planes, masks(planes))).chain([(4, all)]) {
            let plane = |plane: usize| rows.map(|mask| (mask >> (plane * PLANE_BITS)) as u8);
            let (mut words, list) = ([0; 128], Entries::new(100, planes, false));
            let mut offsets = Offsets(&mut words);
            offsets.set_entries(list, &[0; ENTRIES][..1], (1..planes).map(plane));
            let block = MaskBlock { first: 4_000_000, list: Entries::new(40, 1, false).0 };
            let mut group = MaskGroup::new(&block, 4_032_000, list, plane(0));
            for has in [true, false, true] {
                group.note_added(has);
                assert_eq!(group.has_added(), has);
                let masks = Masks { groups: &mut [group], blocks: &mut [block] };
                let mut start = 4_032_000;
                for (node, &mask) in rows.iter().enumerate() {
                    let row = masks.row(node as u32, &offsets);
                    let end = start + mask.count_ones() as usize;
                    assert_eq!((row.first(), row.end(), row.mask), (start, end, mask));
                    assert_eq!(row.list.0, list.0);
                    start = end;
                }
            }
        }
    }

    #[test]
    fn bits_are_counted_before_each_byte() {
        let plane: [u8; 16] = [0, 255, 1, 128, 85, 170, 254, 127, 255, 255, 0, 3, 96, 255, 17, 255];
        for (plane, at) in
            [plane, [255; 16]].iter().flat_map(|plane| (0..16).map(move |at| (plane, at)))
        {
            let bits: u32 = plane[..at].iter().map(|byte| byte.count_ones()).sum();
            assert_eq!(count_bits(plane, at), bits, "{at}");
        }
    }
}
