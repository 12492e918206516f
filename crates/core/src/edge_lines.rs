//! What is known of each edge, sixteen edges to a line.
//!
//! A step reads and changes its edge: what is known of it stands on one cache line, so that a step
//! waits for memory once. Its weight follows from cost and heat (`heat.rs`). A line has one of two
//! forms, the same for all edges of a partition. A *wide* one is 64 bytes: costs are told as they
//! are, and each edge keeps the number of the offset by which it leads on ([`offsets`]). A
//! *compact* one is half of it: costs are told by their numbers among few ([`Prices`]), and where
//! edges lead the rows say ([`masks`]).
//!
//! [`offsets`]: crate::offsets
//! [`masks`]: crate::masks

use crate::entries::PLANE_BITS;
use crate::half_line::{CLOSED, HalfLine};
use crate::hash::edge_word;
use crate::memory::{equal_bytes, prefetch};
use crate::prices::Prices;
use crate::row_span::RowSpan;

/// Edges of one line.
pub(crate) const LINE_EDGES: usize = 16;

/// What changes of an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EdgeState {
    /// Base cost, 0 for an absent slot.
    pub cost: u16,
    /// Heat now, 0 for an absent slot.
    pub heat: u8,
    /// Nobody may go along it now; absent slots are closed for ever.
    pub closed: bool,
}

/// Lines for so many edges.
pub(crate) const fn edge_lines(edges: usize) -> usize {
    edges.div_ceil(LINE_EDGES)
}

/// All edges of a partition by their ids, absent and added ones too.
pub(crate) struct EdgeLines<'a> {
    /// Two for a wide line, one for a compact one.
    pub(crate) halves: &'a mut [HalfLine],
    /// The costs, if lines are compact.
    pub(crate) prices: Option<&'a mut Prices>,
    /// 1 if lines are wide: of a shift.
    wide: u32,
}

impl<'a> EdgeLines<'a> {
    /// Lines in the form that goes with `prices`.
    pub(crate) fn new(halves: &'a mut [HalfLine], prices: Option<&'a mut Prices>) -> Self {
        let wide = prices.is_none() as u32;
        Self { halves, prices, wide }
    }

    /// The first half of a line.
    #[inline(always)]
    pub(crate) fn half(&self, line: usize) -> usize {
        line << self.wide
    }

    /// The half with the mark and the heat of an edge, and its place there.
    #[inline(always)]
    fn spot(&self, edge: usize) -> (usize, usize) {
        (self.half(edge / LINE_EDGES), edge % LINE_EDGES)
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.halves.len() >> self.wide
    }

    /// The number of an edge's offset, [`FAR`](crate::offsets::FAR) for added ones too; of its cost
    /// in compact lines.
    #[inline(always)]
    pub(crate) fn number(&self, edge: usize) -> u8 {
        let (half, at) = self.spot(edge);
        self.halves[half].mark[at] & !CLOSED
    }

    /// Gives an edge the number of its offset; not for compact lines.
    pub(crate) fn set_number(&mut self, edge: usize, number: u8) {
        let (half, at) = self.spot(edge);
        self.halves[half].set_number(at, number);
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

    /// All that changes of an edge, in one reading.
    #[inline(always)]
    pub(crate) fn state(&self, edge: usize) -> EdgeState {
        let (own, cost) = self.costs(edge / LINE_EDGES);
        let at = edge % LINE_EDGES;
        EdgeState { cost: cost(at), heat: own.heat[at], closed: own.mark[at] & CLOSED != 0 }
    }

    /// The words of a line's edges, by their places there, under the traffic rule by which heat
    /// adds this much to weights.
    #[inline(always)]
    pub(crate) fn words(&self, line: usize, term: impl Fn(u8) -> u32) -> impl Fn(usize) -> u64 {
        let (own, cost) = self.costs(line);
        move |at| {
            let (heat, closed) = (own.heat[at], own.mark[at] & CLOSED != 0);
            edge_word((cost(at) as u32 + term(heat)) as u16, heat, closed)
        }
    }

    /// The half of a line with marks and heats, and the costs of its edges, by their places.
    #[inline(always)]
    fn costs(&self, line: usize) -> (&HalfLine, impl Fn(usize) -> u16) {
        let (own, costs) = match self.prices.as_deref() {
            Some(prices) => (&self.halves[line], Err(prices)),
            None => {
                let [own, costs] = &self.halves.as_chunks::<2>().0[line];
                (own, Ok(costs))
            }
        };
        let cost = move |at: usize| match costs {
            Ok(costs) => u16::from_le_bytes([costs.mark[at], costs.heat[at]]),
            Err(prices) => prices.cost(own.mark[at] & !CLOSED),
        };
        (own, cost)
    }

    /// The same in one writing; a compact line needs the cost among its prices.
    #[inline(always)]
    pub(crate) fn set_state(&mut self, edge: usize, state: EdgeState) {
        let (half, at) = self.spot(edge);
        if let Some(prices) = &self.prices {
            let own = self.halves[half].mark[at] & !CLOSED;
            // Numbers that are free have cost 0 too.
            if state.cost == 0 || prices.cost(own) != state.cost {
                self.halves[half].set_number(at, prices.number(state.cost));
            }
        } else {
            let costs = &mut self.halves[half + 1];
            [costs.mark[at], costs.heat[at]] = state.cost.to_le_bytes();
        }
        let half = &mut self.halves[half];
        half.heat[at] = state.heat;
        half.set_closed(at, state.closed);
    }

    /// Makes an edge's next cost one of the prices in the place of its own, one that
    /// [`Self::has_room`] for; [`Self::set_state`] is to follow. `keep` gets each number that is
    /// about to stand for something else.
    pub(crate) fn reprice(&mut self, edge: usize, cost: u16, mut keep: impl FnMut(&Prices, u8)) {
        let old = self.number(edge);
        let Some(prices) = &mut self.prices else { return };
        keep(prices, old);
        // It may be the one that is needed.
        prices.leave(old);
        let new = prices.number(cost);
        keep(prices, new);
        prices.take(new, cost);
    }

    /// Whether edges may have these base costs too.
    pub(crate) fn has_room(&self, costs: &[u16]) -> bool {
        self.prices.as_ref().is_none_or(|prices| prices.fit(costs))
    }

    #[inline(always)]
    pub(crate) fn set_heat(&mut self, edge: usize, heat: u8) {
        let (half, at) = self.spot(edge);
        self.halves[half].heat[at] = heat;
    }

    #[inline(always)]
    pub(crate) fn set_closed(&mut self, edge: usize, closed: bool) {
        let (half, at) = self.spot(edge);
        self.halves[half].set_closed(at, closed);
    }

    /// The heats of all edges of a line.
    #[inline(always)]
    pub(crate) fn heats(&self, line: usize) -> [u8; LINE_EDGES] {
        self.halves[self.half(line)].heat
    }

    /// Gives all edges of a line their heats.
    #[inline(always)]
    pub(crate) fn set_heats(&mut self, line: usize, heats: [u8; LINE_EDGES]) {
        self.halves[self.half(line)].heat = heats;
    }

    /// A bit for each edge of a line that has any heat.
    #[inline(always)]
    pub(crate) fn warm(&self, line: usize) -> u32 {
        equal_bytes(&self.heats(line), u8::MAX, 0) ^ 0xFFFF
    }

    /// Whether no edge of a line has heat.
    pub(crate) fn is_cold(&self, line: usize) -> bool {
        self.heats(line) == [0; LINE_EDGES]
    }

    /// Whether numbers stand for the same costs here and among other edges of this form.
    pub(crate) fn has_prices_of(&self, others: &EdgeLines) -> bool {
        self.prices == others.prices
    }

    /// A bit for each edge of a line that is not as among others of the same world with the same
    /// prices. No branch for each: most lines that differ do so in one edge.
    #[inline(always)]
    pub(crate) fn differing(&self, others: &EdgeLines, line: usize) -> u32 {
        let first = self.half(line);
        let halves = first..self.half(line + 1);
        let (own, others) = (&self.halves[halves.clone()], &others.halves[halves]);
        own.iter().zip(others).fold(0, |bits, (own, other)| bits | own.differing(other))
    }

    /// Takes over a line of others with the same prices.
    #[inline(always)]
    pub(crate) fn copy_line(&mut self, others: &EdgeLines, line: usize) {
        let halves = self.half(line)..self.half(line + 1);
        self.halves[halves.clone()].copy_from_slice(&others.halves[halves]);
    }

    /// Brings a line towards the cache.
    #[inline(always)]
    pub(crate) fn prefetch_line(&self, line: usize) {
        prefetch(self.halves, self.half(line));
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

    /// The same of a masked row, whose last edge is not known yet: few have one more.
    #[inline(always)]
    pub(crate) fn prefetch_masked(&self, row: RowSpan) {
        self.prefetch_edge(row.first());
        self.prefetch_edge(row.first() + PLANE_BITS - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::PRICES;

    const LINES: usize = 3;
    const EDGES: usize = LINES * LINE_EDGES;

    /// Calls with edges in both forms: every third is warm, every fifth closed, and there are ten
    /// costs.
    fn in_both_forms(test: impl Fn(&mut EdgeLines)) {
        let mut prices = Prices::default();
        for prices in [None, Some(&mut prices)] {
            let mut halves = [HalfLine::default(); 2 * LINES];
            let used = if prices.is_some() { LINES } else { 2 * LINES };
            let mut edges = EdgeLines::new(&mut halves[..used], prices);
            assert_eq!(edges.len(), LINES);
            for edge in 0..EDGES {
                set(&mut edges, edge, filled(edge));
            }
            test(&mut edges);
        }
    }

    fn set(edges: &mut EdgeLines, edge: usize, state: EdgeState) {
        edges.reprice(edge, state.cost, |_, _| {});
        edges.set_state(edge, state);
    }

    fn filled(edge: usize) -> EdgeState {
        let heat = edge.is_multiple_of(3) as u8 * 255;
        EdgeState { cost: 60_000 - (edge % 10) as u16, heat, closed: edge.is_multiple_of(5) }
    }

    #[test]
    fn warm_edges_are_those_with_heat() {
        in_both_forms(|edges| {
            for line in 0..LINES {
                let bits = (0..LINE_EDGES).filter(|at| edges.heat(line * LINE_EDGES + at) > 0);
                assert_eq!(edges.warm(line), bits.fold(0, |bits, at| bits | 1 << at));
                assert!(!edges.is_cold(line));
                edges.set_heats(line, [0; LINE_EDGES]);
                assert!(edges.is_cold(line));
            }
        });
    }

    #[test]
    fn lines_differ_where_an_edge_does() {
        in_both_forms(|edges| {
            for edge in 0..EDGES {
                let (line, at) = (edge / LINE_EDGES, edge % LINE_EDGES);
                let differing = |edges: &mut EdgeLines, new: EdgeState| {
                    let mut halves = [HalfLine::default(); 2 * LINES];
                    let before = &mut halves[..edges.halves.len()];
                    before.copy_from_slice(edges.halves);
                    let mut prices = edges.prices.as_deref().copied();
                    let mut before = EdgeLines::new(before, prices.as_mut());
                    set(edges, edge, new);
                    assert!(edges.has_prices_of(&before) || new.cost != filled(edge).cost);
                    let bits = edges.differing(&before, line);
                    set(edges, edge, filled(edge));
                    before.copy_line(edges, line);
                    assert_eq!(edges.differing(&before, line), 0);
                    bits
                };
                let old = filled(edge);
                for new in [
                    EdgeState { cost: 59_993, ..old },
                    EdgeState { heat: 9, ..old },
                    EdgeState { closed: !old.closed, ..old },
                ] {
                    let bits = if new == old { 0 } else { 1 << at };
                    assert_eq!(differing(edges, new), bits, "{new:?}");
                }
            }
        });
    }

    #[test]
    fn what_is_set_is_read_and_nothing_else_changes() {
        in_both_forms(|edges| {
            let state = EdgeState { cost: 258, heat: 255, closed: true };
            set(edges, 23, EdgeState { cost: state.cost, ..filled(23) });
            edges.set_heat(23, state.heat);
            edges.set_closed(23, state.closed);
            for edge in 0..EDGES {
                assert_eq!(edges.state(edge), if edge == 23 { state } else { filled(edge) });
            }
            edges.set_closed(23, false);
            assert!(!edges.is_closed(23));
        });
    }

    #[test]
    fn only_compact_lines_run_out_of_costs() {
        in_both_forms(|edges| {
            assert!(edges.has_room(&[500]));
            if let Some(prices) = &mut edges.prices {
                (0..PRICES as u16 - 10).for_each(|at| prices.take(prices.number(1 + at), 1 + at));
            }
            assert_eq!(edges.has_room(&[500]), edges.prices.is_none());
            assert!(edges.has_room(&[60_000 - 9]), "others have it");
        });
    }
}
