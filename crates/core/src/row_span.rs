//! A row: its edges, and what is told of where they lead.

use crate::offsets::List;

/// The edges of a row that the world has: this one does not move.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowSpan {
    pub(crate) first: u32,
    /// How many there are, if the row is not masked.
    pub(crate) edges: u32,
    /// The list that their offsets stand in.
    pub(crate) list: List,
    /// Bit per entry of the list that leads to a head of the row; 0 where edges keep numbers.
    pub(crate) mask: u32,
}

impl RowSpan {
    /// No edges.
    pub(crate) const EMPTY: Self = Self { first: 0, edges: 0, list: List::NONE, mask: 0 };

    /// The row of these edge ids.
    #[inline(always)]
    pub(crate) fn new(start: usize, end: usize, list: List) -> Self {
        Self { first: start as u32, edges: (end - start) as u32, list, mask: 0 }
    }

    /// Its first edge.
    #[inline(always)]
    pub(crate) fn first(self) -> usize {
        self.first as usize
    }

    /// The row from an edge on that has these entries of its list.
    #[inline(always)]
    pub(crate) fn masked(first: u32, mask: u32, list: List) -> Self {
        Self { first, edges: 0, list, mask }
    }

    /// The edge behind it.
    #[inline(always)]
    pub(crate) fn end(self) -> usize {
        (self.first + self.edges + self.mask.count_ones()) as usize
    }

    /// Its last edge, of an empty one where its first would be; not of a masked row.
    #[inline(always)]
    pub(crate) fn last(self) -> usize {
        (self.first + self.edges.saturating_sub(1)) as usize
    }
}
