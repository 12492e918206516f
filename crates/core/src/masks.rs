//! Where rows lie and lead to in grids: twenty bytes for sixteen nodes, and no edge keeps a number.
//!
//! A row is a mask over its group's list of offsets: bit `k` says that it has a slot which leads to
//! entry `k`. Rows are sorted by head, and so are lists: first an entry 0, as no edge has, for each
//! head of a row that lies too far below its tail, then offsets, rising, then one for each that
//! lies too far above. A plane is eight bits of each of sixteen masks; where lists need more than
//! one, the others stand in front of them.
//! Whose lists these are, and what goes into them, is the [`mask_lister`](crate::mask_lister)'s.

use crate::edge_lines::RowSpan;
use crate::memory::{bytes_of, bytes_of_mut, count_bits, prefetch};
use crate::offsets::{List, Offsets};
use crate::row_group::GROUP_NODES;

/// Nodes of one [`MaskBlock`].
pub(crate) const BLOCK_NODES: usize = 64 * GROUP_NODES;
const BLOCK_GROUPS: usize = BLOCK_NODES / GROUP_NODES;
/// Entries that one plane has bits for.
pub(crate) const PLANE_BITS: usize = 8;
/// Most entries of a list: those of four planes.
pub(crate) const ENTRIES: usize = 32;
/// Words of the lists' that a plane takes.
pub(crate) const PLANE_WORDS: usize = GROUP_NODES / 2;

/// Bits of a group's word for its first edge: the longest rows of all groups before it fit.
const FIRST_BITS: u32 = 15;
/// Bits for where its list stands: as many lists as a block can have fit.
const LIST_BITS: u32 = 13;
/// Where the number of planes begins, less one.
const PLANES: u32 = FIRST_BITS + LIST_BITS;
/// Bit: one of its nodes has added edges.
const HAS_ADDED: u32 = 1 << (PLANES + 2);

const _: () = assert!((BLOCK_NODES - GROUP_NODES) * ENTRIES < 1 << FIRST_BITS);
const _: () = assert!(BLOCK_GROUPS * (ENTRIES + 3 * PLANE_WORDS) <= 1 << LIST_BITS);

/// Where the rows of sixteen nodes lie, as its block goes on.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MaskGroup {
    /// First edge, place of the list, planes less one, and [`HAS_ADDED`].
    word: u32,
    /// The lowest eight bits of each row's mask.
    plane: [u8; GROUP_NODES],
}

impl MaskGroup {
    /// Rows whose first edge and whose list stand so far behind those of their block.
    pub(crate) fn new(first: usize, list: usize, planes: usize, plane: [u8; GROUP_NODES]) -> Self {
        let word = first | list << FIRST_BITS | (planes - 1) << PLANES;
        Self { word: word as u32, plane }
    }

    #[inline(always)]
    fn first(&self) -> u32 {
        self.word & ((1 << FIRST_BITS) - 1)
    }

    #[inline(always)]
    fn list(&self) -> u32 {
        self.word >> FIRST_BITS & ((1 << LIST_BITS) - 1)
    }

    /// Planes that stand in front of the list.
    #[inline(always)]
    fn more_planes(&self) -> u32 {
        self.word >> PLANES & 3
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
    /// Where the first list can stand.
    pub(crate) list: u32,
}

/// The masked rows of a partition; none where rows are told in the other form.
pub(crate) struct Masks<'a> {
    pub groups: &'a mut [MaskGroup],
    pub blocks: &'a mut [MaskBlock],
}

impl Masks<'_> {
    /// A node's row, if rows are told here.
    #[inline(always)]
    pub(crate) fn row(&self, node: u32, offsets: &Offsets) -> Option<RowSpan> {
        let (group, at) = (self.groups.get(node as usize / GROUP_NODES)?, node as usize);
        let block = &self.blocks[node as usize / BLOCK_NODES];
        let (first, list) = (block.first + group.first(), block.list + group.list());
        let at = at % GROUP_NODES;
        let (first, mask) = (first + count_bits(&group.plane, at), group.plane[at] as u32);
        if group.more_planes() > 0 {
            return Some(further(first, mask, (list, group.more_planes()), at, offsets));
        }
        Some(RowSpan::masked(first, mask, List::of_entries(list, false)))
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
        let groups = self.groups[block * BLOCK_GROUPS..].iter().take(BLOCK_GROUPS);
        block * BLOCK_GROUPS + groups.take_while(|group| group.first() <= within).count() - 1
    }
}

/// A row with masks of more than one plane.
#[inline(never)]
fn further(first: u32, mask: u32, list: (u32, u32), at: usize, offsets: &Offsets) -> RowSpan {
    let (list, planes) = list;
    let (mut first, mut mask) = (first, mask);
    for plane in 1..=planes {
        let more = offsets.plane(list, plane);
        first += count_bits(more, at);
        mask |= (more[at] as u32) << (plane as usize * PLANE_BITS);
    }
    RowSpan::masked(first, mask, List::of_entries(list, true))
}

impl Offsets<'_> {
    /// A plane that stands in front of a list: those with higher bits first.
    #[inline(always)]
    fn plane(&self, list: u32, plane: u32) -> &[u8; GROUP_NODES] {
        let start = list as usize - plane as usize * PLANE_WORDS;
        let words = &self.0[start..][..PLANE_WORDS];
        bytes_of(words).first_chunk().expect("two bytes a word")
    }

    /// Takes over a list at a place, and the planes in front of it, the lowest first.
    pub(crate) fn set_entries(&mut self, at: usize, entries: &[i16], more: &[[u8; GROUP_NODES]]) {
        self.0[at..][..entries.len()].copy_from_slice(entries);
        for (plane, bits) in (1..).zip(more) {
            let words = &mut self.0[at - plane * PLANE_WORDS..][..PLANE_WORDS];
            bytes_of_mut(words).copy_from_slice(bits);
        }
    }
}
