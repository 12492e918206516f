//! Working out a field: Dijkstra's algorithm from the target over reversed edges, in slices.
//!
//! The queue is Dial's bucket queue (Dial 1969) with buckets as wide as the lightest edge, so that
//! a node popped from the current bucket is final without order inside the bucket. Buckets are
//! doubly linked lists through per-node links: the queue never needs more room than the nodes.
//! The slot of the next edge is the lowest one on a shortest way, so the same weights give the same
//! field however it was reached.

use crate::image::{Partition, prefetch};
use crate::schema::{NONE, UNREACHABLE};

/// Buckets of the circular queue: more than the widest edge can span at width 1.
pub const BUCKETS: usize = 1 << 16;
/// Nothing to work on.
pub(super) const IDLE: u32 = 0;
const CLEAR: u32 = 1;
const SEARCH: u32 = 2;
/// `back` of a node that is not in the queue.
pub(super) const NOT_QUEUED: u32 = NONE - 1;
/// Nodes cleared by one operation.
const CLEARED_AT_ONCE: u32 = 256;
/// Empty buckets passed over by one operation.
const SCANNED_AT_ONCE: usize = 128;

impl Partition<'_> {
    /// Works on fields for at most `operations` (about one settled node each); returns how many
    /// were used. Fewer than asked means that there is nothing left to do for this epoch.
    pub fn work(&mut self, operations: u32) -> u32 {
        let mut used = 0;
        while used < operations {
            match self.guidance.work.phase {
                IDLE => match self.stale_field() {
                    Some(field) if self.guidance.work.overflow == 0 => self.start_field(field),
                    _ => break,
                },
                CLEAR => self.clear_some(),
                _ => self.settle_one(),
            }
            used += 1;
        }
        used
    }

    /// Whether [`Self::work`] has anything to do.
    pub fn has_work(&self) -> bool {
        let work = &self.guidance.work;
        work.phase != IDLE || (work.overflow == 0 && self.stale_field().is_some())
    }

    fn start_field(&mut self, field: usize) {
        let work = &mut self.guidance.work;
        (work.phase, work.field, work.cursor) = (CLEAR, field as u32, 0);
    }

    fn row_of_spare(&self) -> usize {
        self.guidance.work.spare_row as usize * self.header.nodes as usize
    }

    fn clear_some(&mut self) {
        let (base, start) = (self.row_of_spare(), self.guidance.work.cursor);
        let end = (start + CLEARED_AT_ONCE).min(self.header.nodes);
        self.guidance.distance[base + start as usize..base + end as usize].fill(UNREACHABLE);
        self.guidance.work.cursor = end;
        if end < self.header.nodes {
            return;
        }
        let target = self.guidance.fields[self.guidance.work.field as usize].node;
        self.guidance.work.phase = SEARCH;
        self.guidance.work.bucket = 0;
        self.label(base, target, 0);
    }

    /// Pops a node of the lowest bucket and passes its distance on.
    fn settle_one(&mut self) {
        if self.guidance.work.queued == 0 {
            return self.finish_field();
        }
        let start = self.guidance.work.bucket as usize;
        let mut ahead = start..start + SCANNED_AT_ONCE;
        let Some(bucket) = ahead.find(|bucket| self.guidance.buckets[bucket % BUCKETS] != NONE)
        else {
            self.guidance.work.bucket += SCANNED_AT_ONCE as u64;
            return;
        };
        self.guidance.work.bucket = bucket as u64;
        let node = self.guidance.buckets[bucket % BUCKETS];
        self.unlink(node, bucket);
        self.guidance.work.settled += 1;
        self.settle(self.row_of_spare(), node);
    }

    fn settle(&mut self, base: usize, node: u32) {
        let distance = self.guidance.distance[base + node as usize];
        let row = self.row(node);
        let mut slot = u8::MAX;
        for edge in row.clone() {
            let head = self.head_of(edge);
            let beyond = self.guidance.distance[base + head as usize];
            if slot == u8::MAX && beyond < distance {
                let onward = self.epoch_weight(edge);
                if onward == Some(distance - beyond) {
                    slot = (edge - row.start) as u8;
                }
            }
            if beyond <= distance {
                continue;
            }
            if let Some(weight) = self.epoch_weight(self.reverse_of(edge)) {
                let longer = distance.saturating_add(weight);
                if longer < beyond {
                    self.label(base, head, longer);
                }
            }
        }
        self.guidance.slot[base + node as usize] = slot;
    }

    /// Gives a node a shorter distance and its place in the queue.
    fn label(&mut self, base: usize, node: u32, distance: u32) {
        let at = base + node as usize;
        if self.guidance.back[node as usize] != NOT_QUEUED {
            let bucket = self.guidance.distance[at] >> self.guidance.work.shift;
            self.unlink(node, bucket as usize);
        }
        self.guidance.distance[at] = distance;
        let bucket = (distance >> self.guidance.work.shift) as usize % BUCKETS;
        let first = self.guidance.buckets[bucket];
        if first != NONE {
            self.guidance.back[first as usize] = node;
        }
        (
            self.guidance.next[node as usize],
            self.guidance.back[node as usize],
        ) = (first, NONE);
        self.guidance.buckets[bucket] = node;
        self.guidance.work.queued += 1;
        prefetch(self.first, node as usize);
    }

    fn unlink(&mut self, node: u32, bucket: usize) {
        let guidance = &mut self.guidance;
        let (next, back) = (guidance.next[node as usize], guidance.back[node as usize]);
        if back == NONE {
            guidance.buckets[bucket % BUCKETS] = next;
        } else {
            guidance.next[back as usize] = next;
        }
        if next != NONE {
            guidance.back[next as usize] = back;
        }
        guidance.back[node as usize] = NOT_QUEUED;
        guidance.work.queued -= 1;
    }

    /// The spare row becomes the field's, unless its target or the epoch's weights are gone.
    fn finish_field(&mut self) {
        let work = &mut *self.guidance.work;
        work.phase = IDLE;
        let field = &mut self.guidance.fields[work.field as usize];
        if work.overflow == 1 || field.owner == NONE {
            work.overflows += work.overflow as u64;
            return;
        }
        core::mem::swap(&mut field.row, &mut work.spare_row);
        (field.whole, field.epoch) = (1, work.epoch);
        work.built += 1;
    }
}
