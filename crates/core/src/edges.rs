//! Edges: rows, closing and opening, and prices (rules, section 4).

use crate::apply::Sink;
use crate::edge_lines::EdgeState;
use crate::hash::{added_cell, edge_cell, edge_change};
use crate::image::Partition;
use crate::schema::{COST_MAX, Code, Event, HEAT_MAX, WEIGHT_MAX, event};

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
        self.topology.edges.weight(edge)
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
        if self.is_closed(edge) { None } else { Some(self.topology.edges.weight(edge) as u32) }
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
        let EdgeState { weight, heat, closed } = self.topology.edges.state(edge);
        Some(Edge { tail, head, weight, heat, closed })
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
            Some(way) if self.weight(way.edge) != 0 => Ok(way.edge),
            _ => Err(Code::NoEdge),
        }
    }

    /// Changes an edge whose ends nobody has at hand.
    #[inline(always)]
    pub(crate) fn set_edge<S: Sink>(
        &mut self,
        edge: usize,
        weight: u16,
        heat: u8,
        closed: bool,
        sink: &mut S,
    ) {
        self.set_edge_between(edge, EdgeState { weight, heat, closed }, None, sink);
    }

    /// The one place where an edge changes: hash, guidance and delta follow. `ends` are its tail
    /// and head where they are known.
    #[inline(always)]
    pub(crate) fn set_edge_between<S: Sink>(
        &mut self,
        edge: usize,
        new: EdgeState,
        ends: Option<(u32, u32)>,
        sink: &mut S,
    ) {
        let old = self.topology.edges.state(edge);
        self.journal.edge(edge, old);
        self.header.cells = self.header.cells.wrapping_add(edge_change(edge, old, new));
        self.put_heat(edge, new.heat);
        if (new.weight, new.closed) != (old.weight, old.closed) {
            self.reweigh(edge, old, new, ends, sink);
        }
    }

    /// The one place where heat changes: decay must come by where there is any.
    #[inline(always)]
    pub(crate) fn put_heat(&mut self, edge: usize, heat: u8) {
        self.topology.edges.set_heat(edge, heat);
        if heat > 0 {
            self.warm.note(edge);
        }
    }

    /// Gives an edge another routing weight, and tells of it.
    #[inline(never)]
    fn reweigh<S: Sink>(
        &mut self,
        edge: usize,
        old: EdgeState,
        new: EdgeState,
        ends: Option<(u32, u32)>,
        sink: &mut S,
    ) {
        self.guidance.note_change(edge, old.weight, old.closed);
        self.topology.edges.set_state(edge, new);
        if !S::DELTAS {
            return;
        }
        let (tail, head) = ends.unwrap_or_else(|| self.topology.ends(edge));
        sink.event(&Event {
            kind: event::DELTA,
            flags: new.closed as u8,
            from: tail,
            to: head,
            edge: edge as u32,
            value: new.weight as u32,
            ..self.event()
        });
    }

    /// Closes or opens an edge; nothing happens when it is so already, or was removed.
    pub(crate) fn set_closed<S: Sink>(&mut self, edge: usize, closed: bool, sink: &mut S) {
        if self.is_closed(edge) != closed && self.weight(edge) != 0 {
            self.set_edge(edge, self.weight(edge), self.heat(edge), closed, sink);
        }
    }

    /// Adds an edge: an absent slot becomes real, or both ways between two nodes get slots.
    ///
    /// # Errors
    /// [`Code::UnknownNode`], [`Code::BadEdge`], [`Code::BadCost`], [`Code::EdgeExists`],
    /// [`Code::EdgesFull`]; nothing has changed then.
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
        let edge = match self.topology.find(tail, head) {
            Some(way) if self.weight(way.edge) != 0 => return Err(Code::EdgeExists),
            Some(way) => way.edge,
            None => self.add_slots(tail, head)?,
        };
        self.header.position += 1;
        self.set_edge(edge, cost as u16, 0, false, sink);
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
            let cells = edge_cell(edge, 0, 0, true).wrapping_add(added_cell(edge, from, to));
            self.header.cells = self.header.cells.wrapping_add(cells);
        }
        self.header.added += 2;
    }

    /// Removes an edge: its slot is absent from now on.
    pub(crate) fn remove_edge<S: Sink>(&mut self, edge: usize, sink: &mut S) {
        self.set_edge(edge, 0, 0, true, sink);
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
        let heat = self.heat(edge);
        self.set_edge(edge, (cost + self.term(heat)) as u16, heat, self.is_closed(edge), sink);
        self.widen_costs(cost);
    }

    fn widen_costs(&mut self, cost: u32) {
        let header = &mut *self.header;
        // A world without edges has no least cost yet.
        let least = if header.cost_max == 0 { cost } else { header.cost_min };
        (header.cost_min, header.cost_max) = (least.min(cost), header.cost_max.max(cost));
    }
}
