//! Growing a field: Dijkstra's algorithm from the target over reversed edges, in slices.
//!
//! A field is exact up to its *radius*; growing raises the radius bucket by bucket, so that near
//! hunters are answered long before far ones. It may stop anywhere, at a tick's edge or for want of
//! pages, and goes on later from the nodes at the radius. Of several shortest ways the one with the
//! lowest slot is taken: the same weights give the same field however it was reached.

use super::Failure;
use super::queue::Next;
use super::{COMPLETE, DRAIN, Field, GROWN, IDLE, LOCAL, SCAN, SETTLE, VOID};
use crate::image::Partition;
use crate::schema::{NONE, UNREACHABLE};
use crate::topology::{Onward, Way};

/// Queue entries drained by one operation.
const DRAINED_AT_ONCE: u32 = 64;
/// Nodes looked at for the edge of the known by one operation.
const SCANNED_AT_ONCE: u32 = 64;
/// Nodes settled before another field may have its turn.
const TURN: u32 = 32_768;

impl Partition<'_> {
    /// Starts to grow a field, or goes on where the last turn ended.
    pub(super) fn start_growing(&mut self, number: usize) {
        let field = self.guidance.fields[number];
        let work = &mut *self.guidance.work;
        (work.field, work.table, work.repairs) = (number as u32, field.table, 0);
        (work.turn, work.side) = (TURN, LOCAL as u32);
        if work.queue_field == number as u32 && field.grown == GROWN {
            work.phase = work.resume;
            return;
        }
        self.open_queue(number as u32);
        if field.grown == GROWN {
            (self.guidance.work.phase, self.guidance.work.cursor) = (SCAN, 0);
            return;
        }
        self.guidance.work.phase = SETTLE;
        self.guidance.fields[number].epoch = self.guidance.work.epoch;
        (self.guidance.fields[number].radius, self.guidance.fields[number].nodes) = (0, 0);
        // To a node of the halo all ways lead over the border.
        let border = if field.node < self.header.own_nodes { NONE } else { 0 };
        self.guidance.fields[number].border = border;
        self.guidance.fields[number].grown = GROWN;
        self.label(field.node, 0);
    }

    /// What a stopped growth labelled beyond the radius is forgotten.
    pub(super) fn drain_some(&mut self) {
        let field = self.guidance.fields[self.guidance.work.field as usize];
        let start = self.guidance.work.cursor;
        let end = (start + DRAINED_AT_ONCE).min(self.guidance.work.entries);
        for entry in start..end {
            let node = self.guidance.queue[entry as usize].node;
            let distance = self.guidance.distance(field.table, node);
            if distance > field.radius && distance != UNREACHABLE {
                self.guidance.set_distance(node, UNREACHABLE);
            }
        }
        self.guidance.work.cursor = end;
        if end == self.guidance.work.entries {
            self.guidance.empty_queue();
            self.guidance.work.phase = IDLE;
        }
    }

    /// Labels what lies just beyond the radius, from the known nodes near it.
    pub(super) fn scan_some(&mut self) {
        let field = self.guidance.fields[self.guidance.work.field as usize];
        let start = self.guidance.work.cursor;
        let end = (start + SCANNED_AT_ONCE).min(self.header.nodes);
        let inner = field.radius.saturating_sub(self.guidance.work.heaviest);
        if self.guidance.place(field.table, start).page != 0 {
            for node in start..end {
                let distance = self.guidance.distance(field.table, node);
                if distance >= inner && distance <= field.radius {
                    self.offer_behind(node, distance, field.radius);
                }
            }
        }
        self.guidance.work.cursor = end;
        if end == self.header.nodes {
            self.guidance.work.phase = SETTLE;
        }
    }

    /// What it takes to find where a stopped growth goes on.
    pub(super) fn operations_of_a_scan(&self) -> u32 {
        self.header.nodes.div_ceil(SCANNED_AT_ONCE)
    }

    /// No edge is heavier than this now.
    pub(crate) fn heaviest(&self) -> u32 {
        self.header.cost_max + self.term(u8::MAX)
    }

    /// Offers a known node's distance to those that lead to it and lie beyond the radius.
    fn offer_behind(&mut self, node: u32, distance: u32, radius: u32) {
        let mut walk = self.topology.walk(node);
        while let Some(way) = self.topology.step(&mut walk) {
            if self.guidance.distance(self.guidance.work.table, way.head) > radius {
                self.relax_to(way.head, node, distance);
            }
        }
    }

    /// Settles the next node; ends the turn when it is used up or nothing is left.
    pub(super) fn settle_one(&mut self) {
        if self.guidance.work.short == 1 {
            return self.run_short();
        }
        let before = self.guidance.work.bucket;
        let next = self.guidance.pop();
        let repairs = self.guidance.work.repairs == 1;
        if !repairs && self.guidance.work.bucket != before {
            self.raise_radius();
        }
        match next {
            Next::Node(node) => self.settle(node),
            Next::Later => {}
            Next::Empty if repairs => self.finish_repair(),
            Next::Empty => {
                let field = &mut self.guidance.fields[self.guidance.work.field as usize];
                let of_round = field.round == 1;
                field.radius = if of_round { field.radius } else { COMPLETE };
                self.guidance.work.built += 1;
                self.guidance.work.phase = IDLE;
                self.guidance.work.queue_field = NONE;
                if of_round {
                    self.tell_ways(self.guidance.work.field);
                }
            }
        }
        if !repairs && self.guidance.work.phase == SETTLE {
            let field = &mut self.guidance.fields[self.guidance.work.field as usize];
            field.nodes += 1;
            self.guidance.work.grown += (field.round == 0) as u32;
            self.guidance.work.turn -= 1;
            if self.guidance.work.turn == 0 || field.nodes == field.goal {
                self.stop_growing();
            }
        }
    }

    /// Everything below the bucket at work is final.
    fn raise_radius(&mut self) {
        let work = &*self.guidance.work;
        let below = (work.bucket << work.shift).min(COMPLETE as u64 - 1) as u32;
        let field = &mut self.guidance.fields[work.field as usize];
        field.radius = field.radius.max(below.saturating_sub(1));
    }

    /// Pages or queue are used up: the field stays as far as it came, or is given up.
    pub(super) fn run_short(&mut self) {
        let field = self.guidance.work.field as usize;
        self.guidance.work.shortages += 1;
        if self.guidance.fields[field].round == 1 {
            self.guidance.work.phase = IDLE;
            return self.fail_round_of(field as u32, Failure::Room);
        }
        if self.guidance.work.repairs == 1 {
            return self.abandon_repair();
        }
        self.make_room(field);
        let Field { table, node, .. } = self.guidance.fields[field];
        if self.guidance.distance(table, node) == 0 {
            return self.start_draining();
        }
        // Not even the target got a page.
        (self.guidance.fields[field].grown, self.guidance.work.phase) = (VOID, IDLE);
    }

    fn settle(&mut self, node: u32) {
        let table = self.guidance.work.table;
        let distance = self.guidance.distance(table, node);
        let bucket = (distance >> self.guidance.work.shift) as u64;
        if bucket < self.guidance.work.bucket || distance == UNREACHABLE {
            // Shortened since: it had its turn, or was forgotten.
            return;
        }
        self.guidance.work.settled += 1;
        let own_nodes = self.header.own_nodes;
        let (mut onward, mut beside) = (Onward::NOWHERE, false);
        let mut walk = self.topology.walk(node);
        while let Some(way) = self.topology.step(&mut walk) {
            let beyond = self.guidance.distance(table, way.head);
            beside |= way.head >= own_nodes;
            if beyond > distance && way.head < own_nodes {
                self.relax_to(way.head, node, distance);
            } else if beyond < distance
                && onward == Onward::NOWHERE
                && self.epoch_weight(way.edge) == Some(distance - beyond)
            {
                onward = Onward::new(node, way);
            }
        }
        if self.guidance.onward(table, node) != onward {
            self.guidance.set_onward(node, onward);
        }
        if beside {
            self.settled_beside(node, distance);
        }
    }

    /// An own node with slots to the halo was settled.
    #[inline(never)]
    fn settled_beside(&mut self, node: u32, distance: u32) {
        let field = &mut self.guidance.fields[self.guidance.work.field as usize];
        field.border = field.border.min(distance);
        if field.round == 1 {
            self.mark_untold(node);
        }
    }

    /// Offers `tail` the way to `head`, which lies at `distance`.
    #[inline(always)]
    fn relax_to(&mut self, tail: u32, head: u32, distance: u32) {
        // Rows are symmetric, so that the way back is always there.
        if let Some(way) = self.topology.find(tail, head) {
            self.relax(way, tail, distance);
        }
    }

    /// Offers `tail` a way on to a node at `distance`: a shorter one is taken, of equal ones the
    /// lower slot.
    #[inline(always)]
    pub(super) fn relax(&mut self, way: Way, tail: u32, distance: u32) {
        let Some(weight) = self.epoch_weight(way.edge) else {
            return;
        };
        let longer = distance.saturating_add(weight);
        let place = self.guidance.place(self.guidance.work.table, tail);
        let (known, onward) = self.guidance.numbers(place, tail);
        if longer < known {
            self.label(tail, longer);
        } else if longer == known && onward != Onward::NOWHERE {
            // Without an onward node it has its turn to be settled, and finds the lowest slot then.
            let taken = self.topology.way_on(tail, onward);
            if way.slot < taken.slot {
                self.guidance.set_onward(tail, Onward::new(tail, way));
            }
        }
    }

    /// Gives a node a shorter distance and its place in the queue; a repair and a round leave what
    /// lies beyond the radius alone.
    #[inline(always)]
    pub(super) fn label(&mut self, node: u32, distance: u32) {
        let work = &mut *self.guidance.work;
        let field = &self.guidance.fields[work.field as usize];
        if (work.repairs == 1 || field.round == 1) && distance > field.radius {
            work.cut = 1;
            return;
        }
        if self.guidance.push(node, distance) {
            // Without a page the entry finds nothing at its turn.
            self.guidance.set_distance(node, distance);
            self.topology.prefetch_group(node);
        }
    }

    /// Growth stops where it is, if there is any. It may go on as if it had not; other work must
    /// drain the queue first.
    pub(super) fn stop_growing(&mut self) {
        let work = &mut *self.guidance.work;
        let of_round = self.guidance.fields[work.field as usize].round == 1;
        if matches!(work.phase, SCAN | SETTLE) && work.repairs == 0 && !of_round {
            (work.resume, work.phase) = (work.phase, IDLE);
        }
    }

    /// An empty queue, with buckets for the lightest edge that ever was.
    pub(super) fn open_queue(&mut self, field: u32) {
        self.guidance.work.shift = self.header.cost_min.max(1).ilog2();
        (self.guidance.work.queue_field, self.guidance.work.short) = (field, 0);
        self.guidance.reset_queue();
    }

    /// Whether a stopped growth has left labels behind that are in the way of other work.
    pub(super) fn must_drain(&self, next: usize, grows: bool) -> bool {
        let work = &self.guidance.work;
        work.queue_field != NONE && !(grows && work.queue_field == next as u32)
    }

    pub(super) fn start_draining(&mut self) {
        let work = &mut *self.guidance.work;
        work.field = work.queue_field;
        work.table = self.guidance.fields[work.field as usize].table;
        (work.phase, work.cursor, work.repairs) = (DRAIN, 0, 0);
    }
}
