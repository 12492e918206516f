//! Where rows lie, in one of two forms: by numbers that edges keep, or by masks. All rows of a
//! partition have the same one; the other's sections are empty, which is how they are told apart.

use crate::limits::Limits;
use crate::masks::{MaskGroup, Masks};
use crate::memory::{Line, bytes_of, bytes_of_mut, prefetch, take};
use crate::offsets::Offsets;
use crate::row_group::{GROUP_NODES, RowGroup};
use crate::row_span::RowSpan;

/// The rows' places.
pub(crate) struct Rows<'a> {
    pub groups: &'a mut [RowGroup],
    pub masks: Masks<'a>,
}

impl<'a> Rows<'a> {
    pub(crate) fn carve(rest: &mut &'a mut [Line], limits: &Limits) -> Self {
        Self {
            groups: take(rest, limits.row_groups()),
            masks: Masks {
                groups: take(rest, limits.mask_groups()),
                blocks: take(rest, limits.mask_blocks()),
            },
        }
    }

    /// Whether rows are masks.
    #[inline(always)]
    pub(crate) fn are_masks(&self) -> bool {
        self.groups.is_empty()
    }

    /// A node's row without the added edges.
    #[inline(always)]
    pub(crate) fn row(&self, node: u32, offsets: &Offsets) -> RowSpan {
        if self.are_masks() {
            return self.masks.row(node, offsets);
        }
        let (group, at) = (&self.groups[node as usize / GROUP_NODES], node as usize % GROUP_NODES);
        if group.is_wide() {
            let (before, degree, list) = offsets.wide(group.list(), at);
            let start = group.first() + before;
            return RowSpan::new(start, start + degree, list);
        }
        let (start, end) = group.row(at);
        RowSpan::new(start, end, group.list())
    }

    /// Brings towards the cache where a node's row lies; does nothing when there is no such node.
    #[inline(always)]
    pub(crate) fn prefetch(&self, node: u32) {
        let group = node as usize / GROUP_NODES;
        if self.are_masks() { self.masks.prefetch(group) } else { prefetch(self.groups, group) }
    }

    /// Whether a node or another one of its group has added edges.
    #[inline(always)]
    pub(crate) fn has_added(&self, node: u32) -> bool {
        let group = node as usize / GROUP_NODES;
        let masked = self.masks.groups.get(group).map(MaskGroup::has_added);
        masked.unwrap_or_else(|| self.groups[group].has_added())
    }

    /// Notes whether one of a group's nodes has added edges.
    pub(crate) fn note_added(&mut self, group: usize, has: bool) {
        match self.masks.groups.get_mut(group) {
            Some(masked) => masked.note_added(has),
            None => self.groups[group].note_added(has),
        }
    }

    /// The group whose rows have an edge that is not an added one.
    pub(crate) fn group_of(&self, edge: usize) -> usize {
        if self.are_masks() {
            return self.masks.group_of(edge);
        }
        self.groups.partition_point(|group| group.first() <= edge) - 1
    }

    /// All groups, and bytes of one: what changes in them is kept by the journal.
    pub(crate) fn bytes(&self) -> &[u8] {
        if self.are_masks() { bytes_of(self.masks.groups) } else { bytes_of(self.groups) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        if self.are_masks() { bytes_of_mut(self.masks.groups) } else { bytes_of_mut(self.groups) }
    }

    /// Takes over those of another image of the same world.
    pub(crate) fn adopt(&mut self, saved: &Rows) {
        let Rows { groups, masks: Masks { groups: masked, blocks } } = saved;
        self.groups.copy_from_slice(groups);
        self.masks.groups.copy_from_slice(masked);
        self.masks.blocks.copy_from_slice(blocks);
    }
}
