//! Working out a field: Dijkstra's algorithm from the target over reversed edges, in slices.
//!
//! The queue is Dial's bucket queue (Dial 1969) with buckets as wide as the lightest edge, so that
//! a node popped from the current bucket is final without order inside the bucket. Buckets are
//! doubly linked lists through per-node links: the queue never needs more room than the nodes.
//! A node that is shortened after its turn is queued again, so an early turn costs time and never
//! an answer. The slot of the next edge is the lowest one on a shortest way: the same weights give
//! the same field however it was reached.

use crate::image::{Partition, prefetch};
use crate::schema::{NONE, UNREACHABLE};

/// Buckets of the circular queue: more than the widest edge can span at width 1.
pub const BUCKETS: usize = 1 << 16;
/// Nothing to work on.
pub(super) const IDLE: u32 = 0;
const CLEAR: u32 = 1;
/// Nodes are taken from the queue and settled; the last phase of a build and of a repair.
pub(super) const SETTLE: u32 = 2;
pub(super) const COPY: u32 = 3;
pub(super) const SEED: u32 = 4;
pub(super) const INVALIDATE: u32 = 5;
pub(super) const RESEED: u32 = 6;
pub(super) const RELAX: u32 = 7;
/// `back` of a node that is not in the queue.
pub(super) const NOT_QUEUED: u32 = NONE;
/// Set in `back` of the first node of a bucket, beside the bucket's number.
const FIRST: u32 = 1 << 31;
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
                IDLE => match self.next_field() {
                    Some(field) if self.guidance.work.overflow == 0 => self.start_field(field),
                    _ => break,
                },
                CLEAR => self.clear_some(),
                SETTLE => self.settle_one(),
                _ => self.repair_some(),
            }
            used += 1;
        }
        used
    }

    /// Whether [`Self::work`] has anything to do.
    pub fn has_work(&self) -> bool {
        let work = &self.guidance.work;
        work.phase != IDLE || (work.overflow == 0 && self.next_field().is_some())
    }

    fn start_field(&mut self, field: usize) {
        let repairs = self.can_repair(field);
        let work = &mut self.guidance.work;
        (work.field, work.cursor) = (field as u32, 0);
        work.phase = if repairs { COPY } else { CLEAR };
        work.bucket = u64::MAX;
    }

    pub(super) fn row_of_spare(&self) -> usize {
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
        self.guidance.work.phase = SETTLE;
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
        self.unlink(node);
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
            if beyond < distance {
                let onward = slot == u8::MAX && self.epoch_weight(edge) == Some(distance - beyond);
                if onward {
                    slot = (edge - row.start) as u8;
                }
            } else if beyond > distance {
                self.relax(base, self.reverse_of(edge), head, distance);
            }
        }
        self.guidance.slot[base + node as usize] = slot;
    }

    /// Offers `tail` the way over `edge` to a node at `distance`: a shorter one is taken, of equal
    /// ones the lower slot.
    #[inline]
    pub(super) fn relax(&mut self, base: usize, edge: usize, tail: u32, distance: u32) {
        let Some(weight) = self.epoch_weight(edge) else {
            return;
        };
        let (longer, at) = (distance.saturating_add(weight), base + tail as usize);
        let known = self.guidance.distance[at];
        if longer < known {
            self.label(base, tail, longer);
        } else if longer == known && longer != UNREACHABLE {
            let slot = (edge - self.first[tail as usize] as usize) as u8;
            self.guidance.slot[at] = self.guidance.slot[at].min(slot);
        }
    }

    /// Gives a node a shorter distance and its place in the queue.
    pub(super) fn label(&mut self, base: usize, node: u32, distance: u32) {
        if self.guidance.back[node as usize] != NOT_QUEUED {
            self.unlink(node);
        }
        self.guidance.distance[base + node as usize] = distance;
        let guidance = &mut self.guidance;
        let bucket = (distance >> guidance.work.shift) as u64;
        guidance.work.bucket = guidance.work.bucket.min(bucket);
        let place = bucket as usize % BUCKETS;
        let first = guidance.buckets[place];
        if first != NONE {
            guidance.back[first as usize] = node;
        }
        (guidance.next[node as usize], guidance.back[node as usize]) =
            (first, FIRST | place as u32);
        guidance.buckets[place] = node;
        guidance.work.queued += 1;
        prefetch(self.first, node as usize);
    }

    fn unlink(&mut self, node: u32) {
        let guidance = &mut self.guidance;
        let (next, back) = (guidance.next[node as usize], guidance.back[node as usize]);
        if back & FIRST != 0 {
            guidance.buckets[(back & !FIRST) as usize] = next;
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
        work.repaired += (field.whole == 1 && field.epoch == work.previous) as u64;
        core::mem::swap(&mut field.row, &mut work.spare_row);
        (field.whole, field.epoch) = (1, work.epoch);
        work.built += 1;
    }
}
