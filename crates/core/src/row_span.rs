//! A row: its edges, and what is told of where they lead.

use crate::edge_lines::{EdgeLines, LINE_EDGES};
use crate::half_line::CLOSED;
use crate::memory::equal_bytes;
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

impl EdgeLines<'_> {
    /// The first edge of a row whose offset has this number; not for compact lines.
    #[inline(always)]
    pub(crate) fn find_number(&self, row: RowSpan, wanted: u8) -> Option<u32> {
        if row.edges as usize > LINE_EDGES {
            return self.find_in_long(row, wanted);
        }
        let (line, at) = (row.first() / LINE_EDGES, row.first() % LINE_EDGES);
        let last = row.last() / LINE_EDGES;
        // The same line twice when it has all of the row: what is seen again is behind the end.
        let seen = self.equal(line, wanted) | self.equal(last, wanted) << LINE_EDGES;
        let found = seen >> at & ((1 << row.edges) - 1);
        (found != 0).then(|| row.first + found.trailing_zeros())
    }

    #[cold]
    #[inline(never)]
    fn find_in_long(&self, row: RowSpan, wanted: u8) -> Option<u32> {
        (row.first..row.first + row.edges).find(|&edge| self.number(edge as usize) == wanted)
    }

    /// Bit per edge of a line: whether its offset has this number. An empty row may begin behind
    /// all lines.
    #[inline(always)]
    fn equal(&self, line: usize, wanted: u8) -> u32 {
        let half = self.halves.get(self.half(line));
        half.map_or(0, |half| equal_bytes(&half.mark, !CLOSED, wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::half_line::HalfLine;

    const EDGES: usize = 3 * LINE_EDGES;

    #[test]
    fn numbers_are_found_within_their_row_only() {
        let mut halves = [HalfLine::default(); 6];
        let mut edges = EdgeLines::new(&mut halves, None);
        for edge in 0..EDGES {
            edges.set_closed(edge, edge.is_multiple_of(5));
            edges.set_number(edge, 127 - edge as u8);
            assert_eq!(edges.is_closed(edge), edge.is_multiple_of(5));
        }
        for (start, end) in (0..EDGES).flat_map(|start| (start..EDGES).map(move |end| (start, end)))
        {
            for edge in 0..EDGES {
                let row = RowSpan::new(start, end, List::NONE);
                let found = edges.find_number(row, edges.number(edge));
                let wanted = (start..end).contains(&edge).then_some(edge as u32);
                assert_eq!(found, wanted, "{start}..{end}");
            }
        }
    }
}
