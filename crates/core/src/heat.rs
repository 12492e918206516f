//! Heat: what players leave on the edges they take, how it cools, and what it adds to weights
//! (rules, section 4).

use core::ops::Range;

use crate::apply::Sink;
use crate::bits::{mask, places};
use crate::edge_lines::{EdgeState, LINE_EDGES};
use crate::edges::weight_by;
use crate::hash::{edge_change, edge_word, heat_change};
use crate::image::Partition;
use crate::schema::{HEAT_MAX, WEIGHT_MAX};

/// The part of a traffic rule that weights follow from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    shift: u32,
    cost: u32,
}

impl Rule {
    /// Weight that this heat adds.
    #[inline(always)]
    pub(crate) fn term(self, heat: u8) -> u32 {
        (heat as u32 >> self.shift) * self.cost
    }
}

impl Partition<'_> {
    /// What is in force.
    #[inline(always)]
    pub(crate) fn rule(&self) -> Rule {
        Rule { shift: self.header.shift, cost: self.header.cost }
    }

    /// Weight that this heat adds under the traffic rule.
    #[inline(always)]
    pub(crate) fn term(&self, heat: u8) -> u32 {
        self.rule().term(heat)
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
            self.set_edge_between(edge, EdgeState { heat, ..old }, Some(ends), sink);
        } else if heat != old.heat {
            let change = heat_change(edge, self.edge_word(old), old.heat, heat);
            self.header.cells = self.header.cells.wrapping_add(change);
            self.topology.edges.set_heat(edge, heat);
            self.note_heat(edge, heat);
        }
    }

    /// One tick's share of the decay round: every edge decays once in `period` ticks.
    #[inline(never)]
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
        let edges = &self.topology.edges;
        let mut heats = edges.heats(line);
        self.journal.cool(line, heats);
        let (mut cells, mut others) = (0u64, 0u32);
        {
            let words = edges.words(line, |heat| self.term(heat));
            for at in places(warm) {
                let (old, heat) = (heats[at], cooled(heats[at]));
                if (heat ^ old) >> shift != 0 {
                    others |= 1 << at;
                    continue;
                }
                heats[at] = heat;
                let edge = line * LINE_EDGES + at;
                cells = cells.wrapping_add(heat_change(edge, words(at), old, heat));
            }
        }
        self.topology.edges.set_heats(line, heats);
        self.header.cells = self.header.cells.wrapping_add(cells);
        for at in places(others) {
            let edge = line * LINE_EDGES + at;
            let old = self.topology.edges.state(edge);
            self.set_edge(edge, EdgeState { heat: cooled(old.heat), ..old }, sink);
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

    /// Puts a traffic rule in force.
    pub(crate) fn set_traffic<S: Sink>(&mut self, rule: [u32; 5], sink: &mut S) {
        let old = self.rule();
        let h = &mut *self.header;
        [h.rise, h.shift, h.decay_shift, h.period_ticks, h.cost] = rule;
        self.follow_rule(old, sink);
    }

    /// The rule was `old` until now: the weights of all warm edges follow the one in force.
    pub(crate) fn follow_rule<S: Sink>(&mut self, old: Rule, sink: &mut S) {
        if self.rule() == old {
            return;
        }
        self.each_warm(0..self.edge_ids(), |partition, line, warm| {
            for at in places(warm) {
                let edge = line * LINE_EDGES + at;
                let state = partition.topology.edges.state(edge);
                // It keeps what it is, but its word is another: the line counts as touched.
                partition.journal.edge(edge, state);
                let (was, now) = (weight_by(old, state), partition.weight_of(state));
                let word = |weight| edge_word(weight, state.heat, state.closed);
                let change = edge_change(edge, word(was), word(now));
                partition.header.cells = partition.header.cells.wrapping_add(change);
                if was != now {
                    let closed = state.closed;
                    partition.reweighed(edge, (was, closed), (now, closed), None, sink);
                }
            }
        });
    }
}
