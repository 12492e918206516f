//! Repairing a field: from one epoch's weights to the next by what changed, in slices.
//!
//! The batch form of Ramalingam and Reps (1996), up to the field's radius: nodes whose shortest way
//! led over an edge that got heavier are forgotten, with all that stand behind them; each forgotten
//! node takes the best way over a remembered neighbour; ways over changed edges are offered; then
//! nodes are settled as in growing. The work is done in a copy of the field's table, which takes
//! its place at the end. A field repaired is the field grown anew to the same radius.

use super::{BLANK, CUT, IDLE, INVALIDATE, LOCAL, RELAX, RESEED, SEED, SETTLE, VOID};
use crate::image::Partition;
use crate::schema::{NONE, UNREACHABLE};
use crate::topology::Onward;

/// Nodes of the chain whose distances are compared by one operation.
const COMPARED_AT_ONCE: u32 = 64;

impl Partition<'_> {
    /// Keeps which edges differ from what they were at the old epoch; how many there are. To be
    /// called before the changes are forgotten.
    pub(super) fn collect_seeds(&mut self) -> u32 {
        let mut seeds = 0;
        for at in 0..self.guidance.work.frost[LOCAL].listed as usize {
            let then = self.guidance.frozen[LOCAL].listed[at];
            let edge = then.edge as usize;
            if (then.weight, then.closed != 0) != (self.weight(edge), self.is_closed(edge)) {
                self.guidance.seeds[seeds] = then.edge;
                seeds += 1;
            }
        }
        seeds as u32
    }

    /// Starts to bring a field from the last epoch to this one.
    pub(super) fn start_repair(&mut self, number: usize) {
        self.open_queue(NONE);
        let work = &mut *self.guidance.work;
        (work.field, work.table, work.repairs) = (number as u32, work.spare_table, 1);
        (work.phase, work.cursor, work.chain, work.side) = (SEED, 0, 0, LOCAL as u32);
        self.guidance.copy_table();
    }

    /// One operation of the phases before settling.
    pub(super) fn repair_some(&mut self) {
        if self.guidance.work.short == 1 {
            return self.run_short();
        }
        match self.guidance.work.phase {
            SEED => self.next_seed(INVALIDATE, Self::forget_behind),
            INVALIDATE => self.invalidate_one(),
            CUT => self.cut_some(),
            RESEED => self.reseed_one(),
            _ => self.next_seed(SETTLE, Self::offer),
        }
    }

    /// Takes the next changed edge, or goes on to the next phase.
    fn next_seed(&mut self, then: u32, take: fn(&mut Self, usize)) {
        let at = self.guidance.work.cursor;
        if at < self.guidance.work.seeds {
            self.guidance.work.cursor += 1;
            return take(self, self.guidance.seeds[at as usize] as usize);
        }
        (self.guidance.work.phase, self.guidance.work.cursor) = (then, 0);
    }

    fn known(&self, node: u32) -> u32 {
        self.guidance.distance(self.guidance.work.table, node)
    }

    /// A node whose way leads over this edge is forgotten, unless the edge got no heavier.
    fn forget_behind(&mut self, edge: usize) {
        let (tail, head) = self.topology.ends(edge);
        let known = self.known(tail);
        if known == UNREACHABLE || !self.leads_to(tail, head) {
            return;
        }
        let over = self.epoch_weight(edge).map(|weight| self.known(head).saturating_add(weight));
        if over.is_none_or(|over| over > known) && !self.forget(tail) {
            self.guidance.work.short = 1;
        }
    }

    /// Whether the way of `node` goes on to this neighbour: no two edges lead from here to there.
    fn leads_to(&self, node: u32, neighbour: u32) -> bool {
        let onward = self.guidance.onward(self.guidance.work.table, node);
        onward != Onward::NOWHERE && self.topology.next(node, onward) == neighbour
    }

    /// Puts a node at the end of the chain of forgotten ones; false when the chain is full.
    fn forget(&mut self, node: u32) -> bool {
        let work = &mut *self.guidance.work;
        let Some(end) = self.guidance.chain.get_mut(work.chain as usize) else { return false };
        *end = node;
        work.chain += 1;
        self.guidance.set_distance(node, UNREACHABLE);
        self.guidance.set_onward(node, Onward::NOWHERE);
        true
    }

    /// The next forgotten node, or the next phase.
    fn next_forgotten(&mut self, then: u32) -> Option<u32> {
        let at = self.guidance.work.cursor;
        if at < self.guidance.work.chain {
            self.guidance.work.cursor += 1;
            return Some(self.guidance.chain[at as usize]);
        }
        (self.guidance.work.phase, self.guidance.work.cursor) = (then, 0);
        None
    }

    /// Forgets the nodes whose way leads through the next forgotten one.
    fn invalidate_one(&mut self) {
        let Some(node) = self.next_forgotten(RESEED) else { return };
        let mut walk = self.topology.walk(node);
        while let Some(way) = self.topology.step(&mut walk) {
            let behind = self.known(way.head) != UNREACHABLE && self.leads_to(way.head, node);
            if behind && !self.forget(way.head) {
                return self.start_cutting();
            }
        }
    }

    /// The chain is full, and what is behind its last nodes not forgotten. All of that was further
    /// away than the nearest of them: so far the field is repaired, beyond it is grown anew.
    fn start_cutting(&mut self) {
        let work = &mut *self.guidance.work;
        // Of the node at the cursor some were forgotten, not all.
        (work.phase, work.cursor) = (CUT, work.cursor - 1);
        work.shortages += 1;
        self.guidance.fields[work.field as usize].wide = 1;
    }

    fn cut_some(&mut self) {
        let work = &mut *self.guidance.work;
        let (start, number) = (work.cursor, work.field as usize);
        work.cursor = (start + COMPARED_AT_ONCE).min(work.chain);
        for at in start..work.cursor {
            let node = self.guidance.chain[at as usize];
            let field = self.guidance.fields[number];
            let before = self.guidance.distance(field.table, node);
            self.guidance.fields[number].radius = field.radius.min(before);
        }
        let work = &mut *self.guidance.work;
        if work.cursor == work.chain {
            (work.phase, work.cursor) = (RESEED, 0);
        }
    }

    /// Gives the next forgotten node the best way over a neighbour that is not forgotten.
    fn reseed_one(&mut self) {
        let Some(node) = self.next_forgotten(RELAX) else { return };
        let mut best = UNREACHABLE;
        let mut walk = self.topology.walk(node);
        while let Some(way) = self.topology.step(&mut walk) {
            let beyond = self.known(way.head);
            if beyond < best
                && let Some(weight) = self.epoch_weight(way.edge)
            {
                best = best.min(beyond.saturating_add(weight));
            }
        }
        if best != UNREACHABLE {
            self.label(node, best);
        }
    }

    /// Offers the way over a changed edge to its tail.
    fn offer(&mut self, edge: usize) {
        let (tail, head) = self.topology.ends(edge);
        let beyond = self.known(head);
        if beyond != UNREACHABLE
            && let Some(way) = self.topology.find(tail, head)
        {
            self.relax(way, tail, beyond);
        }
    }

    /// The repaired table becomes the field's.
    pub(super) fn finish_repair(&mut self) {
        self.guidance.settle_pages(true);
        let work = &mut *self.guidance.work;
        let field = &mut self.guidance.fields[work.field as usize];
        core::mem::swap(&mut field.table, &mut work.spare_table);
        field.epoch = work.epoch;
        (work.phase, work.built, work.repaired) = (IDLE, work.built + 1, work.repaired + 1);
    }

    /// The field is given up: it will be grown anew.
    pub(super) fn abandon_repair(&mut self) {
        self.guidance.settle_pages(false);
        self.guidance.empty_queue();
        self.guidance.work.phase = IDLE;
        let field = &mut self.guidance.fields[self.guidance.work.field as usize];
        // It may have been given to another target meanwhile, and be void already.
        debug_assert!(field.grown != BLANK);
        field.grown = VOID;
    }
}
