//! Edges: rows, closing and opening, prices and heat (rules, section 4).

use crate::apply::Sink;
use crate::hash::edge_cell;
use crate::image::Partition;
use crate::schema::{COST_MAX, Code, Event, HEAT_MAX, WEIGHT_MAX, event};

const NODE_BITS: u32 = 24;
const NODE_MASK: u32 = (1 << NODE_BITS) - 1;
const SLOT_MASK: u32 = 63;
const CLOSED: u32 = 1 << 31;

/// A head as the image holds it: node, slot of the reverse edge in that node's row, closed bit.
pub(crate) fn pack_head(node: u32, reverse: u32, closed: bool) -> u32 {
    node | (reverse & SLOT_MASK) << NODE_BITS | if closed { CLOSED } else { 0 }
}

/// What is known of one edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Node it leads to.
    pub head: u32,
    /// Weight now, 0 for an absent slot.
    pub weight: u16,
    /// Heat now.
    pub heat: u8,
    /// Nobody may go along it now.
    pub closed: bool,
}

impl Partition<'_> {
    /// The slots of a node's row.
    #[inline(always)]
    pub(crate) fn row(&self, node: u32) -> core::ops::Range<usize> {
        self.first[node as usize] as usize..self.first[node as usize + 1] as usize
    }

    /// Node that an edge leads to.
    #[inline(always)]
    pub(crate) fn head_of(&self, edge: usize) -> u32 {
        self.head[edge] & NODE_MASK
    }

    /// The edge that leads the other way.
    #[inline(always)]
    pub(crate) fn reverse_of(&self, edge: usize) -> usize {
        let packed = self.head[edge];
        let slot = packed >> NODE_BITS & SLOT_MASK;
        self.first[(packed & NODE_MASK) as usize] as usize + slot as usize
    }

    /// Whether nobody may go along an edge now; absent slots are closed for ever.
    #[inline(always)]
    pub(crate) fn is_closed(&self, edge: usize) -> bool {
        self.head[edge] & CLOSED != 0
    }

    /// Weight of an edge for routing now, `None` when closed.
    #[inline(always)]
    pub(crate) fn open_weight(&self, edge: usize) -> Option<u32> {
        if self.is_closed(edge) { None } else { Some(self.weight[edge] as u32) }
    }

    /// All about an edge.
    pub fn edge(&self, edge: usize) -> Option<Edge> {
        self.head.get(edge)?;
        let (weight, heat) = (self.weight[edge], self.heat[edge]);
        Some(Edge { head: self.head_of(edge), weight, heat, closed: self.is_closed(edge) })
    }

    /// Weights of all slots: the live ones of the last record.
    pub fn weights(&self) -> &[u16] {
        self.weight
    }

    /// Finds the slot `tail -> head`; absent slots count as no edge.
    ///
    /// # Errors
    /// [`Code::UnknownNode`], [`Code::NoEdge`].
    #[inline]
    pub(crate) fn find_edge(&self, tail: u32, head: u32) -> Result<usize, Code> {
        if tail >= self.header.nodes || head >= self.header.nodes {
            return Err(Code::UnknownNode);
        }
        let row = self.row(tail);
        let slots = self.head[row.clone()].iter();
        match slots.map(|slot| slot & NODE_MASK).position(|node| node == head) {
            Some(slot) if self.weight[row.start + slot] != 0 => Ok(row.start + slot),
            _ => Err(Code::NoEdge),
        }
    }

    /// Weight that this heat adds under the traffic rule.
    #[inline(always)]
    pub(crate) fn term(&self, heat: u8) -> u32 {
        (heat as u32 >> self.header.shift) * self.header.cost
    }

    /// The one place where an edge changes: hash, guidance and delta follow.
    #[inline]
    fn set_edge<S: Sink>(
        &mut self,
        edge: usize,
        weight: u16,
        heat: u8,
        closed: bool,
        sink: &mut S,
    ) {
        let old = (self.weight[edge], self.heat[edge], self.is_closed(edge));
        let cells = self.header.cells.wrapping_sub(edge_cell(edge, old.0, old.1, old.2));
        self.header.cells = cells.wrapping_add(edge_cell(edge, weight, heat, closed));
        self.heat[edge] = heat;
        if (weight, closed) == (old.0, old.2) {
            return;
        }
        self.guidance.note_change(edge, old.0, old.2);
        self.weight[edge] = weight;
        self.head[edge] = self.head[edge] & !CLOSED | if closed { CLOSED } else { 0 };
        let tail = self.head_of(self.reverse_of(edge));
        sink.event(&Event {
            kind: event::DELTA,
            flags: closed as u8,
            from: tail,
            to: self.head_of(edge),
            edge: edge as u32,
            value: weight as u32,
            ..self.event()
        });
    }

    /// Closes or opens an edge; nothing happens when it is so already.
    pub(crate) fn set_closed<S: Sink>(&mut self, edge: usize, closed: bool, sink: &mut S) {
        if self.is_closed(edge) != closed {
            self.set_edge(edge, self.weight[edge], self.heat[edge], closed, sink);
        }
    }

    /// Whether a base cost is in range, alone and with the greatest heat term.
    ///
    /// # Errors
    /// [`Code::BadCost`].
    pub(crate) fn check_cost(&self, cost: u32) -> Result<(), Code> {
        let fits = (1..=COST_MAX).contains(&cost) && cost + self.term(HEAT_MAX as u8) <= WEIGHT_MAX;
        if fits { Ok(()) } else { Err(Code::BadCost) }
    }

    /// Gives an edge a new base cost that [`Self::check_cost`] allowed.
    pub(crate) fn set_cost<S: Sink>(&mut self, edge: usize, cost: u32, sink: &mut S) {
        let heat = self.heat[edge];
        self.set_edge(edge, (cost + self.term(heat)) as u16, heat, self.is_closed(edge), sink);
        self.header.cost_min = self.header.cost_min.min(cost);
        self.header.cost_max = self.header.cost_max.max(cost);
    }

    /// Gives an edge another heat; the weight follows by the difference of the terms.
    #[inline]
    fn set_heat<S: Sink>(&mut self, edge: usize, heat: u8, sink: &mut S) {
        let base = self.weight[edge] as u32 - self.term(self.heat[edge]);
        let weight = (base + self.term(heat)) as u16;
        self.set_edge(edge, weight, heat, self.is_closed(edge), sink);
    }

    /// A player went along this edge.
    #[inline]
    pub(crate) fn heat_up<S: Sink>(&mut self, edge: usize, sink: &mut S) {
        let heat = self.heat[edge];
        let risen = (heat as u32 + self.header.rise).min(HEAT_MAX) as u8;
        if risen != heat {
            self.set_heat(edge, risen, sink);
        }
    }

    /// One tick's share of the decay round: every edge decays once in `period` ticks.
    pub(crate) fn decay<S: Sink>(&mut self, sink: &mut S) {
        let period_ticks = self.header.period_ticks as u64;
        if period_ticks == 0 {
            return;
        }
        let turn = self.header.tick as u64 % period_ticks;
        let edges = self.head.len() as u64;
        let (start, end) = (turn * edges / period_ticks, (turn + 1) * edges / period_ticks);
        for edge in start as usize..end as usize {
            let heat = self.heat[edge];
            if heat > 0 {
                let cooled = heat - (heat >> self.header.decay_shift).max(1);
                self.set_heat(edge, cooled, sink);
            }
        }
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
        for edge in 0..self.head.len() {
            let heat = self.heat[edge];
            if heat > 0 {
                let base = self.weight[edge] as u32 - (heat as u32 >> old.0) * old.1;
                let weight = (base + self.term(heat)) as u16;
                self.set_edge(edge, weight, heat, self.is_closed(edge), sink);
            }
        }
    }
}
