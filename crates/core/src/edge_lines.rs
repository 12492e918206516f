//! What is known of each edge, twelve edges to a cache line.
//!
//! A step reads and changes its edge: where it leads, its weight, its heat and whether it is closed
//! stand on one line, so that a step waits for memory once, not four times.

use crate::memory::{equal_entries, prefetch};

/// Edges of one [`EdgeLine`].
pub(crate) const LINE_EDGES: usize = 12;
/// Stands for a head whose difference from the tail does not fit 16 bits.
pub(crate) const FAR: i16 = i16::MIN;

/// Twelve edges: one cache line, 5.33 bytes an edge.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeLine {
    /// Head less tail, or [`FAR`].
    near: [i16; LINE_EDGES],
    weight: [u16; LINE_EDGES],
    heat: [u8; LINE_EDGES],
    /// Bit per edge: nobody may go along it.
    closed: u32,
}

impl EdgeLine {
    /// All but where an edge leads, in one reading.
    #[inline(always)]
    pub(crate) fn state(&self, at: usize) -> EdgeState {
        let (weight, heat) = (self.weight[at], self.heat[at]);
        EdgeState { weight, heat, closed: self.closed >> at & 1 == 1 }
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
        (0..LINE_EDGES).fold(self.closed ^ other.closed, |bits, at| {
            let differs = self.weight[at] != other.weight[at] || self.heat[at] != other.heat[at];
            bits | (differs as u32) << at
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

/// Where an edge stands: its line, and its place there. An edge's id will do wherever a spot is
/// asked for, at the price of a division.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub line: usize,
    pub at: usize,
}

impl From<usize> for Spot {
    #[inline(always)]
    fn from(edge: usize) -> Self {
        // Ids fit 32 bits, which are quicker to divide.
        let (edge, all) = (edge as u32, LINE_EDGES as u32);
        Self { line: (edge / all) as usize, at: (edge % all) as usize }
    }
}

impl Spot {
    /// The edge's id.
    #[inline(always)]
    pub(crate) fn edge(self) -> usize {
        self.line * LINE_EDGES + self.at
    }
}

/// The edges of a row that the world has: this one does not move.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowSpan {
    /// Line and place of the first edge.
    line: u32,
    at: u32,
    /// How many there are.
    edges: u32,
}

impl RowSpan {
    /// No edges.
    pub(crate) const EMPTY: Self = Self { line: 0, at: 0, edges: 0 };

    /// The row of these edge ids.
    #[inline(always)]
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let Spot { line, at } = start.into();
        Self { line: line as u32, at: at as u32, edges: (end - start) as u32 }
    }

    /// Its first line.
    #[inline(always)]
    pub(crate) fn line(self) -> usize {
        self.line as usize
    }
}

/// All edges of a partition by their ids, absent and added ones too.
pub(crate) struct EdgeLines<'a>(pub(crate) &'a mut [EdgeLine]);

/// Bit per byte that is not 0.
fn nonzero_bytes(word: u64) -> u32 {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    // Each byte's uppermost bit, then all of them into the uppermost byte.
    let uppermost = (((word & LOW) + LOW) | word) & !LOW;
    (uppermost.wrapping_mul(0x0002_0408_1020_4081) >> 56) as u32
}

/// Lines for so many edges.
pub(crate) const fn edge_lines(edges: usize) -> usize {
    edges.div_ceil(LINE_EDGES)
}

impl EdgeLines<'_> {
    /// Head less tail, or [`FAR`].
    #[inline(always)]
    pub(crate) fn near(&self, edge: usize) -> i16 {
        let Spot { line, at } = edge.into();
        self.0[line].near[at]
    }

    /// The same of an edge that may be beyond all lines.
    #[inline(always)]
    pub(crate) fn near_at(&self, spot: Spot) -> Option<i16> {
        self.0.get(spot.line)?.near.get(spot.at).copied()
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
    pub(crate) fn state(&self, edge: impl Into<Spot>) -> EdgeState {
        let Spot { line, at } = edge.into();
        self.0[line].state(at)
    }

    /// All but where it leads, in one writing.
    #[inline(always)]
    pub(crate) fn set_state(&mut self, edge: impl Into<Spot>, state: EdgeState) {
        let Spot { line, at } = edge.into();
        let line = &mut self.0[line];
        (line.weight[at], line.heat[at]) = (state.weight, state.heat);
        line.closed = line.closed & !(1 << at) | (state.closed as u32) << at;
    }

    /// Weight and heat in one writing; it stays open or closed.
    #[inline(always)]
    pub(crate) fn set_weighed(&mut self, spot: Spot, weight: u16, heat: u8) {
        let line = &mut self.0[spot.line];
        (line.weight[spot.at], line.heat[spot.at]) = (weight, heat);
    }

    pub(crate) fn set_near(&mut self, edge: usize, near: i16) {
        let Spot { line, at } = edge.into();
        self.0[line].near[at] = near;
    }

    #[inline(always)]
    pub(crate) fn set_weight(&mut self, edge: usize, weight: u16) {
        let Spot { line, at } = edge.into();
        self.0[line].weight[at] = weight;
    }

    #[inline(always)]
    pub(crate) fn set_heat(&mut self, edge: impl Into<Spot>, heat: u8) {
        let Spot { line, at } = edge.into();
        self.0[line].set_heat(at, heat);
    }

    #[inline(always)]
    pub(crate) fn set_closed(&mut self, edge: usize, closed: bool) {
        let Spot { line, at } = edge.into();
        let line = &mut self.0[line];
        line.closed = line.closed & !(1 << at) | (closed as u32) << at;
    }

    /// Whether no edge of a line has heat.
    pub(crate) fn is_cold(&self, line: usize) -> bool {
        self.0[line].heat == [0; LINE_EDGES]
    }

    /// The first edge of a row with this difference from head to tail.
    #[inline(always)]
    pub(crate) fn find_near(&self, row: RowSpan, wanted: i16) -> Option<Spot> {
        let mut line = row.line as usize;
        // Entries of the line from here on, and how many of them are behind the end.
        let (mut mine, mut rest) = (u32::MAX << row.at, (row.at + row.edges) as usize);
        while rest > 0 {
            let found = equal_entries(&self.0[line].near, wanted) & mine;
            if found != 0 {
                let at = found.trailing_zeros() as usize;
                return (at < rest).then_some(Spot { line, at });
            }
            (line, mine, rest) = (line + 1, u32::MAX, rest.saturating_sub(LINE_EDGES));
        }
        None
    }

    /// A bit for each edge of a line that has any heat.
    #[inline(always)]
    pub(crate) fn warm(&self, line: usize) -> u32 {
        let [a, b, c, d, e, f, g, h, rest @ ..] = self.0[line].heat;
        let first = nonzero_bytes(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
        first | nonzero_bytes(u32::from_le_bytes(rest) as u64) << 8
    }

    /// Brings a line towards the cache.
    #[inline(always)]
    pub(crate) fn prefetch_line(&self, line: usize) {
        prefetch(self.0, line);
    }

    /// Brings a row towards the cache: its first two lines, which few rows go beyond.
    #[inline(always)]
    pub(crate) fn prefetch(&self, row: RowSpan) {
        let more = row.at + row.edges > LINE_EDGES as u32;
        prefetch(self.0, row.line as usize);
        prefetch(self.0, row.line as usize + more as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three lines whose entries are all different; every third edge is warm.
    fn filled() -> [EdgeLine; 3] {
        let mut lines = [EdgeLine::default(); 3];
        let mut edges = EdgeLines(&mut lines);
        for edge in 0..3 * LINE_EDGES {
            edges.set_near(edge, 1000 - 77 * edge as i16);
            edges.set_heat(edge, (edge % 3 == 0) as u8);
        }
        lines
    }

    #[test]
    fn heads_are_found_within_their_row_only() {
        let mut lines = filled();
        let edges = EdgeLines(&mut lines);
        let all = 3 * LINE_EDGES;
        for (start, end) in (0..all).flat_map(|start| (start..all).map(move |end| (start, end))) {
            for edge in 0..all {
                let found = edges.find_near(RowSpan::new(start, end), edges.near(edge));
                assert_eq!(
                    found.map(Spot::edge),
                    (start..end).contains(&edge).then_some(edge),
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
            assert_eq!(changed(|edges, at| edges.set_closed(at, true)), 1 << at);
            assert_eq!(changed(|edges, at| edges.set_near(at, 1)), 0);
        }
    }

    #[test]
    fn what_is_set_is_read_and_nothing_else_changes() {
        let mut lines = filled();
        let mut edges = EdgeLines(&mut lines);
        let before: [EdgeState; 36] = core::array::from_fn(|edge| edges.state(edge));
        let state = EdgeState { weight: 65_534, heat: 255, closed: true };
        edges.set_weight(23, state.weight);
        edges.set_heat(23, state.heat);
        edges.set_closed(23, state.closed);
        for (edge, &old) in before.iter().enumerate() {
            assert_eq!(edges.state(edge), if edge == 23 { state } else { old });
        }
        edges.set_closed(23, false);
        assert!(!edges.is_closed(23));
    }
}
