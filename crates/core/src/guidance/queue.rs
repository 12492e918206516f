//! The queue of nodes to settle: Dial's bucket queue (Dial 1969) of fixed size.
//!
//! Buckets are as wide as the lightest edge, so that a node popped from the lowest bucket is final
//! without order inside the bucket. A node that is shortened is put in again; its outdated entry is
//! skipped when its turn comes. Entries of the bucket at work are freed together when it is empty,
//! so that every node labelled beyond the buckets done stands in some entry.

use super::Guidance;
use crate::schema::NONE;

/// Buckets of the circular queue: more than the widest edge can span at width 1.
pub const BUCKETS: usize = 1 << 16;
/// Empty buckets passed over by one operation.
const SCANNED_AT_ONCE: usize = 128;

/// One entry of the queue.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Queued {
    pub(super) node: u32,
    next: u32,
}

/// What came next out of the queue.
pub(super) enum Next {
    /// This node, from the bucket of [`super::Work::bucket`].
    Node(u32),
    /// Nothing yet: empty buckets were passed over.
    Later,
    /// Nothing: the queue is empty.
    Empty,
}

impl Guidance<'_> {
    /// Throws away what is in the queue.
    pub(super) fn empty_queue(&mut self) {
        self.buckets.fill(NONE);
        self.work.queue_field = NONE;
        self.reset_queue();
    }

    /// A queue whose buckets are empty starts anew.
    pub(super) fn reset_queue(&mut self) {
        let work = &mut *self.work;
        (work.entries, work.free_entry, work.done_first) = (0, NONE, NONE);
        (work.queued, work.bucket) = (0, u64::MAX);
    }

    /// Puts a node into the bucket of its distance; false when the queue is full.
    #[inline]
    pub(super) fn push(&mut self, node: u32, distance: u32) -> bool {
        let work = &mut *self.work;
        let entry = if work.free_entry != NONE {
            let entry = work.free_entry;
            work.free_entry = self.queue[entry as usize].next;
            entry
        } else if (work.entries as usize) < self.queue.len() {
            work.entries += 1;
            work.entries - 1
        } else {
            work.short = 1;
            return false;
        };
        let bucket = (distance >> work.shift) as u64;
        work.bucket = work.bucket.min(bucket);
        work.queued += 1;
        let first = &mut self.buckets[bucket as usize % BUCKETS];
        self.queue[entry as usize] = Queued { node, next: *first };
        *first = entry;
        true
    }

    /// Takes a node out of the lowest bucket.
    #[inline]
    pub(super) fn pop(&mut self) -> Next {
        if self.work.queued == 0 {
            self.free_done();
            return Next::Empty;
        }
        let start = self.work.bucket as usize;
        let mut ahead = start..start + SCANNED_AT_ONCE;
        let Some(bucket) = ahead.find(|bucket| self.buckets[bucket % BUCKETS] != NONE) else {
            self.free_done();
            self.work.bucket += SCANNED_AT_ONCE as u64;
            return Next::Later;
        };
        if bucket != start {
            self.free_done();
            self.work.bucket = bucket as u64;
        }
        let place = bucket % BUCKETS;
        let entry = self.buckets[place];
        let Queued { node, next } = self.queue[entry as usize];
        self.buckets[place] = next;
        self.queue[entry as usize].next = self.work.done_first;
        if self.work.done_first == NONE {
            self.work.done_last = entry;
        }
        self.work.done_first = entry;
        self.work.queued -= 1;
        Next::Node(node)
    }

    /// The entries of a bucket that is done become free.
    fn free_done(&mut self) {
        let work = &mut *self.work;
        if work.done_first != NONE {
            self.queue[work.done_last as usize].next = work.free_entry;
            work.free_entry = core::mem::replace(&mut work.done_first, NONE);
        }
    }
}
