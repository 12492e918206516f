//! Weights as they were at the epoch, while the live ones go on changing.
//!
//! One bit for twelve edges says that one of them changed since; its value at the epoch then stands
//! in a small open-addressed table. When the table is full the epoch's weights are lost: the work
//! on it is finished but thrown away, and the next tick starts another epoch.

use super::{Guidance, Pending};
use crate::image::Partition;

/// Edges that share a bit, so that all bits stay near the processor.
const BIT_EDGES: usize = 12;

/// Words of the bits for so many edges.
pub(crate) const fn changed_words(edges: usize) -> usize {
    edges / BIT_EDGES / 64 + 1
}

/// Word and bit of an edge.
#[inline(always)]
fn place(edge: usize) -> (usize, u64) {
    let bit = edge / BIT_EDGES;
    (bit / 64, 1 << (bit % 64))
}

impl Guidance<'_> {
    /// An edge is about to change; remembers what it was at the epoch.
    #[inline]
    pub(crate) fn note_change(&mut self, edge: usize, weight: u16, closed: bool) {
        if self.fields.is_empty() {
            return;
        }
        let at = self.find(edge);
        if self.pending[at].key != 0 {
            return;
        }
        if self.work.listed as usize == self.listed.len() {
            self.work.overflow = 1;
            return;
        }
        let (word, bit) = place(edge);
        self.changed[word] |= bit;
        self.listed[self.work.listed as usize] = edge as u32;
        self.work.listed += 1;
        self.pending[at] = Pending { key: edge as u32 + 1, weight, closed: closed as u16 };
    }

    /// The table's place for an edge: its own, or the free one where it belongs.
    #[inline]
    fn find(&self, edge: usize) -> usize {
        let (key, mask) = (edge as u32 + 1, self.pending.len() - 1);
        let mut at = key.wrapping_mul(0x9E37_79B9) as usize >> 7 & mask;
        while self.pending[at].key != 0 && self.pending[at].key != key {
            at = (at + 1) & mask;
        }
        at
    }

    /// What a changed edge was at the epoch.
    pub(super) fn value_then(&self, edge: usize) -> Pending {
        self.pending[self.find(edge)]
    }

    /// Forgets all changes: the live weights are the epoch's again.
    pub(crate) fn thaw(&mut self) {
        for at in 0..self.work.listed as usize {
            let (word, _) = place(self.listed[at] as usize);
            self.changed[word] = 0;
        }
        if self.work.listed as usize > self.pending.len() / 16 {
            self.pending.fill(Pending::default());
        } else {
            self.clear_listed();
        }
        (self.work.listed, self.work.overflow) = (0, 0);
    }

    /// Clears each key's run from its home to the run's end. A run cut short by an earlier key
    /// was cleared to its end by that key, so none is missed.
    fn clear_listed(&mut self) {
        let mask = self.pending.len() - 1;
        for at in 0..self.work.listed as usize {
            let key = self.listed[at] + 1;
            let mut cell = key.wrapping_mul(0x9E37_79B9) as usize >> 7 & mask;
            while self.pending[cell].key != 0 {
                self.pending[cell].key = 0;
                cell = (cell + 1) & mask;
            }
        }
    }
}

impl Partition<'_> {
    /// Weight of an edge at the epoch, `None` when it was closed.
    #[inline(always)]
    pub(crate) fn epoch_weight(&self, edge: usize) -> Option<u32> {
        let guidance = &self.guidance;
        let (word, bit) = place(edge);
        if guidance.changed[word] & bit == 0 {
            return self.open_weight(edge);
        }
        let then = guidance.pending[guidance.find(edge)];
        if then.key == 0 {
            return self.open_weight(edge);
        }
        if then.closed != 0 { None } else { Some(then.weight as u32) }
    }
}
