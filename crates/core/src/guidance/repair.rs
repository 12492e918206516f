//! Repairing a field: from one epoch's weights to the next by what changed, in slices.
//!
//! The batch form of Ramalingam and Reps (1996): the spare row becomes a copy of the field; nodes
//! whose shortest way led over an edge that got heavier are forgotten, with all that stand behind
//! them; each forgotten node takes the best way over a remembered neighbour; ways over changed
//! edges are offered; then nodes are settled as in a build. A field repaired is byte for byte the
//! field built anew.

use super::field::{COPY, INVALIDATE, RELAX, RESEED, SEED, SETTLE};
use crate::image::Partition;
use crate::schema::{NONE, UNREACHABLE};

/// Nodes copied by one operation: about as long as settling one.
const COPIED_AT_ONCE: usize = 256;
/// With more changes than one in so many nodes a build is quicker than a repair.
const NODES_PER_CHANGE: usize = 16;

impl Partition<'_> {
    /// Keeps what each changed edge was at the old epoch; the number that differ now. To be called
    /// before the changes are forgotten.
    pub(super) fn collect_seeds(&mut self) -> u32 {
        let mut seeds = 0;
        for at in 0..self.guidance.work.listed as usize {
            let edge = self.guidance.listed[at] as usize;
            let then = self.guidance.value_then(edge);
            if (then.weight, then.closed != 0) != (self.weight[edge], self.is_closed(edge)) {
                self.guidance.seeds[seeds] = then;
                seeds += 1;
            }
        }
        seeds as u32
    }

    pub(super) fn can_repair(&self, field: usize) -> bool {
        let (field, work) = (&self.guidance.fields[field], &self.guidance.work);
        let few = work.seeds as usize * NODES_PER_CHANGE <= self.header.nodes as usize;
        field.whole == 1 && field.epoch == work.previous && few
    }

    /// One operation of the phases before settling.
    pub(super) fn repair_some(&mut self) {
        match self.guidance.work.phase {
            COPY => self.copy_some(),
            SEED => self.next_seed(INVALIDATE, Self::forget_behind),
            INVALIDATE => self.invalidate_one(),
            RESEED => self.reseed_one(),
            _ => self.next_seed(SETTLE, Self::offer),
        }
    }

    fn copy_some(&mut self) {
        let nodes = self.header.nodes as usize;
        let (start, to) = (self.guidance.work.cursor as usize, self.row_of_spare());
        let from = self.guidance.fields[self.guidance.work.field as usize].row as usize * nodes;
        let end = (start + COPIED_AT_ONCE).min(nodes);
        self.guidance.distance.copy_within(from + start..from + end, to + start);
        self.guidance.slot.copy_within(from + start..from + end, to + start);
        let work = &mut *self.guidance.work;
        work.cursor = end as u32;
        if end == nodes {
            (work.phase, work.cursor) = (SEED, 0);
            (work.chain_first, work.chain_last) = (NONE, NONE);
        }
    }

    /// Takes the next changed edge, or goes on to the next phase.
    fn next_seed(&mut self, then: u32, take: fn(&mut Self, usize)) {
        let at = self.guidance.work.cursor;
        if at < self.guidance.work.seeds {
            self.guidance.work.cursor += 1;
            return take(self, self.guidance.seeds[at as usize].key as usize - 1);
        }
        let work = &mut *self.guidance.work;
        work.phase = then;
        work.cursor = if then == INVALIDATE { work.chain_first } else { 0 };
    }

    /// A node whose way leads over this edge is forgotten, unless the edge got no heavier.
    fn forget_behind(&mut self, edge: usize) {
        let base = self.row_of_spare();
        let tail = self.head_of(self.reverse_of(edge));
        let at = base + tail as usize;
        let slot = (edge - self.first[tail as usize] as usize) as u8;
        if self.guidance.slot[at] != slot || self.guidance.distance[at] == UNREACHABLE {
            return;
        }
        let beyond = self.guidance.distance[base + self.head_of(edge) as usize];
        let over = self.epoch_weight(edge).map(|weight| beyond.saturating_add(weight));
        if over.is_none_or(|over| over > self.guidance.distance[at]) {
            self.forget(base, tail);
        }
    }

    /// Puts a node at the end of the chain of forgotten ones.
    fn forget(&mut self, base: usize, node: u32) {
        self.guidance.distance[base + node as usize] = UNREACHABLE;
        self.guidance.slot[base + node as usize] = u8::MAX;
        self.guidance.next[node as usize] = NONE;
        let last = core::mem::replace(&mut self.guidance.work.chain_last, node);
        if last == NONE {
            self.guidance.work.chain_first = node;
        } else {
            self.guidance.next[last as usize] = node;
        }
    }

    /// Forgets the nodes whose way leads through the next forgotten one.
    fn invalidate_one(&mut self) {
        let node = self.guidance.work.cursor;
        if node == NONE {
            let work = &mut *self.guidance.work;
            (work.phase, work.cursor) = (RESEED, work.chain_first);
            return;
        }
        let base = self.row_of_spare();
        for edge in self.row(node) {
            let before = self.head_of(edge);
            let slot = (self.reverse_of(edge) - self.first[before as usize] as usize) as u8;
            let at = base + before as usize;
            if self.guidance.slot[at] == slot && self.guidance.distance[at] != UNREACHABLE {
                self.forget(base, before);
            }
        }
        self.guidance.work.cursor = self.guidance.next[node as usize];
    }

    /// Gives the next forgotten node the best way over a neighbour that is not forgotten.
    fn reseed_one(&mut self) {
        let node = self.guidance.work.cursor;
        if node == NONE {
            (self.guidance.work.phase, self.guidance.work.cursor) = (RELAX, 0);
            return;
        }
        self.guidance.work.cursor = self.guidance.next[node as usize];
        let base = self.row_of_spare();
        let ways = self.row(node).filter_map(|edge| {
            let beyond = self.guidance.distance[base + self.head_of(edge) as usize];
            self.epoch_weight(edge).map(|weight| beyond.saturating_add(weight))
        });
        let best = ways.min().unwrap_or(UNREACHABLE);
        if best != UNREACHABLE {
            self.label(base, node, best);
        }
    }

    /// Offers the way over a changed edge to its tail.
    fn offer(&mut self, edge: usize) {
        let base = self.row_of_spare();
        let beyond = self.guidance.distance[base + self.head_of(edge) as usize];
        if beyond != UNREACHABLE {
            let tail = self.head_of(self.reverse_of(edge));
            self.relax(base, edge, tail, beyond);
        }
    }
}
