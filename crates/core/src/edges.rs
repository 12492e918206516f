//! Edges: rows, closing and opening, and prices (rules, section 4).

use crate::apply::Sink;
use crate::edge_lines::EdgeState;
use crate::hash::{ABSENT, added_cell, edge_cell, edge_change, edge_word};
use crate::heat::Rule;
use crate::image::Partition;
use crate::prices::Prices;
use crate::schema::{COST_MAX, Code, Event, HEAT_MAX, WEIGHT_MAX, event};

/// Weight of an edge in this state under a rule.
#[inline(always)]
pub(crate) fn weight_by(rule: Rule, state: EdgeState) -> u16 {
    (state.cost as u32 + rule.term(state.heat)) as u16
}

/// What is known of one edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Node it leads from.
    pub tail: u32,
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
    /// Weight of an edge now, 0 for an absent slot.
    #[inline(always)]
    pub(crate) fn weight(&self, edge: usize) -> u16 {
        self.weight_of(self.topology.edges.state(edge))
    }

    /// Weight of an edge in this state under the traffic rule, 0 for an absent slot. It wraps only
    /// while a correction is half made.
    #[inline(always)]
    pub(crate) fn weight_of(&self, state: EdgeState) -> u16 {
        weight_by(self.rule(), state)
    }

    /// The word of an edge in this state.
    #[inline(always)]
    pub(crate) fn edge_word(&self, state: EdgeState) -> u64 {
        edge_word(self.weight_of(state), state.heat, state.closed)
    }

    /// Whether a slot is absent: no edge, until one is added there.
    #[inline(always)]
    pub(crate) fn is_absent(&self, edge: usize) -> bool {
        self.topology.edges.state(edge).cost == 0
    }

    /// Heat of an edge now.
    #[inline(always)]
    pub(crate) fn heat(&self, edge: usize) -> u8 {
        self.topology.edges.heat(edge)
    }

    /// Whether nobody may go along an edge now; absent slots are closed for ever.
    #[inline(always)]
    pub fn is_closed(&self, edge: usize) -> bool {
        self.topology.edges.is_closed(edge)
    }

    /// Weight of an edge for routing now, `None` when closed.
    #[inline(always)]
    pub(crate) fn open_weight(&self, edge: usize) -> Option<u32> {
        let state = self.topology.edges.state(edge);
        if state.closed { None } else { Some(self.weight_of(state) as u32) }
    }

    /// Edge ids in use: the slots of the world, then those added since.
    #[inline]
    pub fn edge_ids(&self) -> usize {
        self.topology.slots + self.header.added as usize
    }

    /// All about an edge.
    pub fn edge(&self, edge: usize) -> Option<Edge> {
        if edge >= self.edge_ids() {
            return None;
        }
        let (tail, head) = self.topology.ends(edge);
        let state = self.topology.edges.state(edge);
        let EdgeState { heat, closed, .. } = state;
        Some(Edge { tail, head, weight: self.weight_of(state), heat, closed })
    }

    /// Weights of all slots: the live ones of the last record.
    pub fn weights(&self) -> impl Iterator<Item = u16> {
        (0..self.edge_ids()).map(|edge| self.weight(edge))
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
        match self.topology.find(tail, head) {
            Some(way) if !self.is_absent(way.edge) => Ok(way.edge),
            _ => Err(Code::NoEdge),
        }
    }

    /// Changes an edge whose ends nobody has at hand.
    #[inline(always)]
    pub(crate) fn set_edge<S: Sink>(&mut self, edge: usize, new: EdgeState, sink: &mut S) {
        self.set_edge_between(edge, new, None, sink);
    }

    /// The one place where an edge changes, but for its heat alone: hash, guidance and delta
    /// follow. `ends` are its tail and head where they are known.
    #[inline(never)]
    pub(crate) fn set_edge_between<S: Sink>(
        &mut self,
        edge: usize,
        new: EdgeState,
        ends: Option<(u32, u32)>,
        sink: &mut S,
    ) {
        let old = self.topology.edges.state(edge);
        self.journal.edge(edge, old);
        let [was, now] = [old, new].map(|state| (self.weight_of(state), state.closed));
        let word = |(weight, closed), state: EdgeState| edge_word(weight, state.heat, closed);
        let change = edge_change(edge, word(was, old), word(now, new));
        self.header.cells = self.header.cells.wrapping_add(change);
        if new.cost != old.cost {
            let keep = |prices: &Prices, number| self.journal.price(prices, number);
            self.topology.edges.reprice(edge, new.cost, keep);
        }
        self.topology.edges.set_state(edge, new);
        self.note_heat(edge, new.heat);
        if was != now {
            self.reweighed(edge, was, now, ends, sink);
        }
    }

    /// Decay must come by where there is any heat.
    #[inline(always)]
    pub(crate) fn note_heat(&mut self, edge: usize, heat: u8) {
        if heat > 0 {
            self.warm.note(edge);
        }
    }

    /// An edge has another weight, or is closed or open now: guidance and delta follow.
    pub(crate) fn reweighed<S: Sink>(
        &mut self,
        edge: usize,
        was: (u16, bool),
        (weight, closed): (u16, bool),
        ends: Option<(u32, u32)>,
        sink: &mut S,
    ) {
        self.guidance.note_change(edge, was.0, was.1);
        if !S::DELTAS {
            return;
        }
        let (tail, head) = ends.unwrap_or_else(|| self.topology.ends(edge));
        sink.event(&Event {
            kind: event::DELTA,
            flags: closed as u8,
            from: tail,
            to: head,
            edge: edge as u32,
            value: weight as u32,
            ..self.event()
        });
    }

    /// Closes or opens an edge; nothing happens when it is so already, or was removed.
    pub(crate) fn set_closed<S: Sink>(&mut self, edge: usize, closed: bool, sink: &mut S) {
        let state = self.topology.edges.state(edge);
        if state.closed != closed && state.cost != 0 {
            self.set_edge(edge, EdgeState { closed, ..state }, sink);
        }
    }

    /// Adds an edge: an absent slot becomes real, or both ways between two nodes get slots.
    ///
    /// # Errors
    /// [`Code::UnknownNode`], [`Code::BadEdge`], [`Code::BadCost`], [`Code::EdgeExists`],
    /// [`Code::PricesFull`], [`Code::EdgesFull`]; nothing has changed then.
    pub(crate) fn add_edge<S: Sink>(
        &mut self,
        tail: u32,
        head: u32,
        cost: u32,
        sink: &mut S,
    ) -> Result<(), Code> {
        if tail >= self.header.own_nodes || head >= self.header.nodes {
            return Err(Code::UnknownNode);
        }
        if tail == head {
            return Err(Code::BadEdge);
        }
        self.check_cost(cost)?;
        let slot = self.topology.find(tail, head).map(|way| way.edge);
        if slot.is_some_and(|edge| !self.is_absent(edge)) {
            return Err(Code::EdgeExists);
        }
        self.check_price(cost)?;
        let edge = slot.map_or_else(|| self.add_slots(tail, head), Ok)?;
        self.header.position += 1;
        self.set_edge(edge, EdgeState { cost: cost as u16, heat: 0, closed: false }, sink);
        self.widen_costs(cost);
        Ok(())
    }

    /// Absent slots for both ways between two nodes; the edge id of the first.
    fn add_slots(&mut self, tail: u32, head: u32) -> Result<usize, Code> {
        let used = self.header.added as usize;
        if !self.topology.fits(used, tail, head) {
            return Err(Code::EdgesFull);
        }
        self.make_slots(tail, head);
        Ok(self.topology.slots + used)
    }

    /// As [`Self::add_slots`], where there is room for them.
    pub(crate) fn make_slots(&mut self, tail: u32, head: u32) {
        let used = self.header.added as usize;
        for (number, from, to) in [(used, tail, head), (used + 1, head, tail)] {
            let edge = self.topology.slots + number;
            self.journal.edge(edge, EdgeState::default());
            self.keep_added(number, from);
            self.topology.add(number, from, to);
            self.topology.edges.set_closed(edge, true);
            let cells = edge_cell(edge, ABSENT).wrapping_add(added_cell(edge, from, to));
            self.header.cells = self.header.cells.wrapping_add(cells);
        }
        self.header.added += 2;
    }

    /// Removes an edge: its slot is absent from now on.
    pub(crate) fn remove_edge<S: Sink>(&mut self, edge: usize, sink: &mut S) {
        self.set_edge(edge, EdgeState { cost: 0, heat: 0, closed: true }, sink);
    }

    /// Whether a base cost is in range, alone and with the greatest heat term.
    ///
    /// # Errors
    /// [`Code::BadCost`].
    fn check_cost(&self, cost: u32) -> Result<(), Code> {
        let fits = (1..=COST_MAX).contains(&cost) && cost + self.term(HEAT_MAX as u8) <= WEIGHT_MAX;
        if fits { Ok(()) } else { Err(Code::BadCost) }
    }

    /// Whether edges can be told to have this base cost, which is in range.
    ///
    /// # Errors
    /// [`Code::PricesFull`].
    fn check_price(&self, cost: u32) -> Result<(), Code> {
        if self.topology.edges.has_room(&[cost as u16]) { Ok(()) } else { Err(Code::PricesFull) }
    }

    /// Gives an edge a new base cost.
    ///
    /// # Errors
    /// [`Code::BadCost`], [`Code::PricesFull`]; nothing has changed then.
    pub(crate) fn price_edge<S: Sink>(
        &mut self,
        edge: usize,
        cost: u32,
        sink: &mut S,
    ) -> Result<(), Code> {
        self.check_cost(cost)?;
        self.check_price(cost)?;
        self.header.position += 1;
        let state = self.topology.edges.state(edge);
        self.set_edge(edge, EdgeState { cost: cost as u16, ..state }, sink);
        self.widen_costs(cost);
        Ok(())
    }

    fn widen_costs(&mut self, cost: u32) {
        let header = &mut *self.header;
        // A world without edges has no least cost yet.
        let least = if header.cost_max == 0 { cost } else { header.cost_min };
        (header.cost_min, header.cost_max) = (least.min(cost), header.cost_max.max(cost));
    }
}
