//! Heat: what players leave on the edges they take, how it cools, and what it adds to weights
//! (rules, section 4).

use core::ops::Range;

use crate::apply::Sink;
use crate::bits::{mask, places};
use crate::edge_lines::{EdgeState, LINE_EDGES};
use crate::hash::heat_change;
use crate::image::Partition;
use crate::schema::{HEAT_MAX, WEIGHT_MAX};

impl Partition<'_> {
    /// Weight that this heat adds under the traffic rule.
    #[inline(always)]
    pub(crate) fn term(&self, heat: u8) -> u32 {
        (heat as u32 >> self.header.shift) * self.header.cost
    }

    /// A player went along this edge, which is as `old` says: the journal has it already. `ends`
    /// are its tail and head, so that no delta has to search for them.
    #[inline(always)]
    pub(crate) fn heat_up<S: Sink>(
        &mut self,
        edge: usize,
        old: EdgeState,
        ends: (u32, u32),
        sink: &mut S,
    ) {
        let heat = (old.heat as u32 + self.header.rise).min(HEAT_MAX) as u8;
        if heat >> self.header.shift != old.heat >> self.header.shift {
            self.change_bucket(edge, heat, Some(ends), sink);
        } else if heat != old.heat {
            let change = heat_change(edge, old, heat);
            self.header.cells = self.header.cells.wrapping_add(change);
            self.put_heat(edge, heat);
        }
    }

    /// Gives an edge a heat of another bucket; the weight follows by the difference of the terms.
    #[inline(never)]
    fn change_bucket<S: Sink>(
        &mut self,
        edge: usize,
        heat: u8,
        ends: Option<(u32, u32)>,
        sink: &mut S,
    ) {
        let old = self.topology.edges.state(edge);
        let base = old.weight as u32 - self.term(old.heat);
        let weight = (base + self.term(heat)) as u16;
        self.set_edge_between(edge, EdgeState { weight, heat, ..old }, ends, sink);
    }

    /// One tick's share of the decay round: every edge decays once in `period` ticks.
    pub(crate) fn decay<S: Sink>(&mut self, sink: &mut S) {
        let period_ticks = self.header.period_ticks as u64;
        if period_ticks == 0 {
            return;
        }
        let turn = self.header.tick as u64 % period_ticks;
        let edges = self.edge_ids() as u64;
        let (start, end) = (turn * edges / period_ticks, (turn + 1) * edges / period_ticks);
        self.each_warm(start as usize..end as usize, |partition, line, warm| {
            partition.cool(line, warm, sink);
        });
    }

    /// Cools edges of a line, each of which is warm: first all that stay in their bucket.
    #[inline(always)]
    fn cool<S: Sink>(&mut self, line: usize, warm: u32, sink: &mut S) {
        let (shift, decay_shift) = (self.header.shift, self.header.decay_shift);
        let cooled = |heat: u8| heat - (heat >> decay_shift).max(1);
        let edges = &mut self.topology.edges.0[line];
        self.journal.cool(line, edges.heats());
        let (mut cells, mut others) = (0u64, 0u32);
        for at in places(warm) {
            let old = edges.state(at);
            let heat = cooled(old.heat);
            if (heat ^ old.heat) >> shift != 0 {
                others |= 1 << at;
                continue;
            }
            edges.set_heat(at, heat);
            cells = cells.wrapping_add(heat_change(line * LINE_EDGES + at, old, heat));
        }
        self.header.cells = self.header.cells.wrapping_add(cells);
        for at in places(others) {
            let edge = line * LINE_EDGES + at;
            self.change_bucket(edge, cooled(self.topology.edges.heat(edge)), None, sink);
        }
    }

    /// Visits the lines of edges that have any heat, with a bit for each of those edges.
    #[inline(always)]
    fn each_warm(&mut self, edges: Range<usize>, mut visit: impl FnMut(&mut Self, usize, u32)) {
        let lines = edges.start / LINE_EDGES..edges.end.div_ceil(LINE_EDGES);
        let whole = edges.start.div_ceil(LINE_EDGES)..edges.end / LINE_EDGES;
        let words = lines.start / 64..lines.end.div_ceil(64);
        self.fetch_warm(words.start);
        for word in words {
            self.fetch_warm(word + 1);
            for at in places(self.warm.bits[word] & mask(&lines, word * 64)) {
                let line = word * 64 + at;
                let mut warm = self.topology.edges.warm(line);
                if !whole.contains(&line) {
                    warm &= mask(&edges, line * LINE_EDGES) as u32;
                }
                if warm != 0 {
                    visit(self, line, warm);
                }
                if self.topology.edges.is_cold(line) {
                    self.warm.forget(line);
                }
            }
        }
    }

    /// Brings the lines noted in a word towards the cache.
    fn fetch_warm(&self, word: usize) {
        let bits = self.warm.bits.get(word).copied().unwrap_or(0);
        places(bits).for_each(|at| self.topology.edges.prefetch_line(word * 64 + at));
    }

    /// Whether the traffic rule's greatest term fits on the greatest base cost.
    pub(crate) fn traffic_fits(&self, shift: u32, cost: u32) -> bool {
        let term = (HEAT_MAX as u64 >> shift) * cost as u64;
        self.header.cost_max as u64 + term <= WEIGHT_MAX as u64
    }

    /// Puts a traffic rule in force: every warm edge gets its new term.
    pub(crate) fn set_traffic<S: Sink>(&mut self, rule: [u32; 5], sink: &mut S) {
        let [rise, shift, decay_shift, period_ticks, cost] = rule;
        let old = (self.header.shift, self.header.cost);
        let h = &mut *self.header;
        (h.rise, h.decay_shift, h.period_ticks) = (rise, decay_shift, period_ticks);
        if old == (shift, cost) {
            return;
        }
        (h.shift, h.cost) = (shift, cost);
        self.each_warm(0..self.edge_ids(), |partition, line, warm| {
            for at in places(warm) {
                let edge = line * LINE_EDGES + at;
                let EdgeState { weight, heat, closed } = partition.topology.edges.state(edge);
                let base = weight as u32 - (heat as u32 >> old.0) * old.1;
                let weight = (base + partition.term(heat)) as u16;
                partition.set_edge(edge, weight, heat, closed, sink);
            }
        });
    }
}
