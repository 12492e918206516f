//! What is known of each edge, sixteen edges to a cache line.
//!
//! A step reads and changes its edge: where it leads, its weight, its heat and whether it is closed
//! stand on one line, so that a step waits for memory once, not four times.

use crate::memory::{equal_bytes, prefetch};
use crate::offsets::List;

/// Edges of one [`EdgeLine`].
pub(crate) const LINE_EDGES: usize = 16;
/// Bit of an edge's way: nobody may go along it.
const CLOSED: u8 = 1 << 7;

/// Sixteen edges: one cache line, 4 bytes an edge.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeLine {
    weight: [u16; LINE_EDGES],
    heat: [u8; LINE_EDGES],
    /// The number of an edge's offset ([`Offsets`](crate::offsets::Offsets)), and [`CLOSED`].
    way: [u8; LINE_EDGES],
}

impl EdgeLine {
    /// All but where an edge leads, in one reading.
    #[inline(always)]
    pub(crate) fn state(&self, at: usize) -> EdgeState {
        let (weight, heat) = (self.weight[at], self.heat[at]);
        EdgeState { weight, heat, closed: self.way[at] & CLOSED != 0 }
    }

    #[inline(always)]
    fn set_closed(&mut self, at: usize, closed: bool) {
        self.way[at] = self.way[at] & !CLOSED | (closed as u8) << CLOSED.trailing_zeros();
    }

    #[inline(always)]
    pub(crate) fn set_heat(&mut self, at: usize, heat: u8) {
        self.heat[at] = heat;
    }

    /// The heats of all edges.
    #[inline(always)]
    pub(crate) fn heats(&self) -> [u8; LINE_EDGES] {
        self.heat
    }

    /// Gives all edges their heats.
    #[inline(always)]
    pub(crate) fn set_heats(&mut self, heats: [u8; LINE_EDGES]) {
        self.heat = heats;
    }

    /// A bit for each edge that is not as in another line, wherever it leads. No branch for each:
    /// most lines that differ do so in one edge.
    pub(crate) fn differing(&self, other: &Self) -> u32 {
        (0..LINE_EDGES).fold(0, |bits, at| {
            let closed = (self.way[at] ^ other.way[at]) & CLOSED != 0;
            let differs = self.weight[at] != other.weight[at] || self.heat[at] != other.heat[at];
            bits | ((differs | closed) as u32) << at
        })
    }
}

/// What changes of an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EdgeState {
    /// Weight now, 0 for an absent slot.
    pub weight: u16,
    pub heat: u8,
    /// Nobody may go along it now; absent slots are closed for ever.
    pub closed: bool,
}

/// The edges of a row that the world has: this one does not move.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowSpan {
    first: u32,
    /// How many there are.
    edges: u32,
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

    /// The edge behind it.
    #[inline(always)]
    pub(crate) fn end(self) -> usize {
        (self.first + self.edges) as usize
    }

    /// Its last edge, of an empty one where its first would be.
    #[inline(always)]
    fn last(self) -> usize {
        (self.first + self.edges.saturating_sub(1)) as usize
    }
}

/// The line of an edge, and its place there.
#[inline(always)]
fn spot(edge: usize) -> (usize, usize) {
    (edge / LINE_EDGES, edge % LINE_EDGES)
}

/// All edges of a partition by their ids, absent and added ones too.
pub(crate) struct EdgeLines<'a>(pub(crate) &'a mut [EdgeLine]);

/// Lines for so many edges.
pub(crate) const fn edge_lines(edges: usize) -> usize {
    edges.div_ceil(LINE_EDGES)
}

impl EdgeLines<'_> {
    /// The number of an edge's offset, [`FAR`](crate::offsets::FAR) for added ones too.
    #[inline(always)]
    pub(crate) fn number(&self, edge: usize) -> u8 {
        let (line, at) = spot(edge);
        self.0[line].way[at] & !CLOSED
    }

    /// The same of an edge that may be beyond all lines.
    #[inline(always)]
    pub(crate) fn number_at(&self, edge: usize) -> Option<u8> {
        let (line, at) = spot(edge);
        Some(self.0.get(line)?.way[at] & !CLOSED)
    }

    /// Weight now, 0 for an absent slot.
    #[inline(always)]
    pub(crate) fn weight(&self, edge: usize) -> u16 {
        self.state(edge).weight
    }

    /// Heat now.
    #[inline(always)]
    pub(crate) fn heat(&self, edge: usize) -> u8 {
        self.state(edge).heat
    }

    /// Whether nobody may go along an edge now.
    #[inline(always)]
    pub(crate) fn is_closed(&self, edge: usize) -> bool {
        self.state(edge).closed
    }

    /// All but where it leads, in one reading.
    #[inline(always)]
    pub(crate) fn state(&self, edge: usize) -> EdgeState {
        let (line, at) = spot(edge);
        self.0[line].state(at)
    }

    /// All but where it leads, in one writing.
    #[inline(always)]
    pub(crate) fn set_state(&mut self, edge: usize, state: EdgeState) {
        let (line, at) = spot(edge);
        let line = &mut self.0[line];
        (line.weight[at], line.heat[at]) = (state.weight, state.heat);
        line.set_closed(at, state.closed);
    }

    /// Weight and heat in one writing; it stays open or closed.
    #[inline(always)]
    pub(crate) fn set_weighed(&mut self, edge: usize, weight: u16, heat: u8) {
        let (line, at) = spot(edge);
        let line = &mut self.0[line];
        (line.weight[at], line.heat[at]) = (weight, heat);
    }

    /// Gives an edge the number of its offset.
    pub(crate) fn set_number(&mut self, edge: usize, number: u8) {
        let (line, at) = spot(edge);
        let way = &mut self.0[line].way[at];
        *way = *way & CLOSED | number;
    }

    #[inline(always)]
    pub(crate) fn set_weight(&mut self, edge: usize, weight: u16) {
        let (line, at) = spot(edge);
        self.0[line].weight[at] = weight;
    }

    #[inline(always)]
    pub(crate) fn set_heat(&mut self, edge: usize, heat: u8) {
        let (line, at) = spot(edge);
        self.0[line].set_heat(at, heat);
    }

    #[inline(always)]
    pub(crate) fn set_closed(&mut self, edge: usize, closed: bool) {
        let (line, at) = spot(edge);
        self.0[line].set_closed(at, closed);
    }

    /// Whether no edge of a line has heat.
    pub(crate) fn is_cold(&self, line: usize) -> bool {
        self.0[line].heat == [0; LINE_EDGES]
    }

    /// The first edge of a row whose offset has this number.
    #[inline(always)]
    pub(crate) fn find_number(&self, row: RowSpan, wanted: u8) -> Option<u32> {
        if row.edges as usize > LINE_EDGES {
            return self.find_in_long(row, wanted);
        }
        let ((line, at), last) = (spot(row.first()), row.last() / LINE_EDGES);
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
        self.0.get(line).map_or(0, |line| equal_bytes(&line.way, !CLOSED, wanted))
    }

    /// A bit for each edge of a line that has any heat.
    #[inline(always)]
    pub(crate) fn warm(&self, line: usize) -> u32 {
        equal_bytes(&self.0[line].heat, u8::MAX, 0) ^ 0xFFFF
    }

    /// Brings a line towards the cache.
    #[inline(always)]
    pub(crate) fn prefetch_line(&self, line: usize) {
        prefetch(self.0, line);
    }

    /// Brings an edge towards the cache.
    #[inline(always)]
    pub(crate) fn prefetch_edge(&self, edge: usize) {
        self.prefetch_line(edge / LINE_EDGES);
    }

    /// Brings a row towards the cache: its first two lines, which few rows go beyond.
    #[inline(always)]
    pub(crate) fn prefetch(&self, row: RowSpan) {
        self.prefetch_edge(row.first());
        self.prefetch_edge(row.last());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three lines whose numbers are all different; every third edge is warm, every fifth closed.
    fn filled() -> [EdgeLine; 3] {
        let mut lines = [EdgeLine::default(); 3];
        let mut edges = EdgeLines(&mut lines);
        for edge in 0..3 * LINE_EDGES {
            edges.set_closed(edge, edge % 5 == 0);
            edges.set_number(edge, 127 - edge as u8);
            edges.set_heat(edge, (edge % 3 == 0) as u8 * 255);
        }
        lines
    }

    #[test]
    fn numbers_are_found_within_their_row_only() {
        let mut lines = filled();
        let edges = EdgeLines(&mut lines);
        let all = 3 * LINE_EDGES;
        for (start, end) in (0..all).flat_map(|start| (start..all).map(move |end| (start, end))) {
            for edge in 0..all {
                let row = RowSpan::new(start, end, List::NONE);
                let found = edges.find_number(row, edges.number(edge));
                assert_eq!(
                    found,
                    (start..end).contains(&edge).then_some(edge as u32),
                    "{start}..{end}"
                );
            }
        }
    }

    #[test]
    fn warm_edges_are_those_with_heat() {
        let mut lines = filled();
        let edges = EdgeLines(&mut lines);
        for line in 0..3 {
            let bits = (0..LINE_EDGES).filter(|at| edges.heat(line * LINE_EDGES + at) > 0);
            assert_eq!(edges.warm(line), bits.fold(0, |bits, at| bits | 1 << at));
        }
    }

    #[test]
    fn lines_differ_where_an_edge_does() {
        let lines = filled();
        for at in 0..LINE_EDGES {
            let changed = |change: fn(&mut EdgeLines, usize)| {
                let mut others = lines;
                change(&mut EdgeLines(&mut others), at);
                lines[0].differing(&others[0])
            };
            assert_eq!(changed(|edges, at| edges.set_weight(at, 1)), 1 << at);
            assert_eq!(changed(|edges, at| edges.set_heat(at, 9)), 1 << at);
            let turn = |edges: &mut EdgeLines, at| edges.set_closed(at, !edges.is_closed(at));
            assert_eq!(changed(turn), 1 << at);
            assert_eq!(changed(|edges, at| edges.set_number(at, 1)), 0);
        }
    }

    #[test]
    fn what_is_set_is_read_and_nothing_else_changes() {
        let mut lines = filled();
        let mut edges = EdgeLines(&mut lines);
        let before: [(EdgeState, u8); 48] =
            core::array::from_fn(|edge| (edges.state(edge), edges.number(edge)));
        let state = EdgeState { weight: 65_534, heat: 255, closed: true };
        edges.set_weight(23, state.weight);
        edges.set_heat(23, state.heat);
        edges.set_closed(23, state.closed);
        for (edge, &(old, number)) in before.iter().enumerate() {
            assert_eq!(edges.state(edge), if edge == 23 { state } else { old });
            assert_eq!(edges.number(edge), number);
        }
        edges.set_closed(23, false);
        assert!(!edges.is_closed(23));
    }
}
