//! Weights as they were at an epoch, while the live ones go on changing.
//!
//! One bit for a line of edges says that one of them changed since; its value at the epoch then
//! stands in a list, and its place there in a small open-addressed table. When the list is full the
//! epoch's weights are lost: the work on it is finished but thrown away, and the next tick starts
//! another epoch. Fields of this partition have an epoch of their own, so that they do not wait for
//! rounds; rounds have two, so that those that begin do not wait for those that last.

use super::{Guidance, Pending};
use crate::edge_lines::LINE_EDGES;
use crate::image::Partition;

/// Index of the epoch of this partition's own fields.
pub(super) const LOCAL: usize = 0;
/// Indices of the epochs of rounds.
pub(super) const ROUND: [usize; 2] = [1, 2];
/// Epochs whose weights are remembered at a time.
pub(crate) const EPOCHS: usize = 3;

/// Words of the bits for so many edges.
pub(crate) const fn changed_words(edges: usize) -> usize {
    edges / LINE_EDGES / 64 + 1
}

/// Word and bit of an edge.
#[inline(always)]
fn place(edge: usize) -> (usize, u64) {
    let bit = edge / LINE_EDGES;
    (bit / 64, 1 << (bit % 64))
}

/// How far the tables of one epoch are used.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Frost {
    /// Edges changed since the epoch.
    pub(super) listed: u32,
    /// 1 when more changed than can be remembered.
    pub(super) overflow: u32,
}

/// What edges were at one epoch that changed since.
pub(crate) struct Frozen<'a> {
    pub(crate) changed: &'a mut [u64],
    /// Places in the list, from 1 on, 0 where there is none.
    pub(crate) places: &'a mut [u16],
    /// Half as many.
    pub(crate) listed: &'a mut [Pending],
}

impl Frozen<'_> {
    /// Remembers what an edge was at the epoch, unless it is known.
    #[inline]
    fn note(&mut self, frost: &mut Frost, then: Pending) {
        let at = self.find(then.edge);
        if self.places[at] != 0 {
            return;
        }
        if frost.listed as usize == self.listed.len() {
            frost.overflow = 1;
            return;
        }
        let (word, bit) = place(then.edge as usize);
        self.changed[word] |= bit;
        self.listed[frost.listed as usize] = then;
        frost.listed += 1;
        self.places[at] = frost.listed as u16;
    }

    /// Where the table looks for an edge first.
    fn home(&self, edge: u32) -> usize {
        (edge + 1).wrapping_mul(0x9E37_79B9) as usize >> 7 & (self.places.len() - 1)
    }

    /// The table's place for an edge: its own, or the free one where it belongs.
    #[inline]
    fn find(&self, edge: u32) -> usize {
        let mut at = self.home(edge);
        while self.listed_at(at).is_some_and(|then| then.edge != edge) {
            at = (at + 1) & (self.places.len() - 1);
        }
        at
    }

    /// What the table's place leads to.
    #[inline]
    fn listed_at(&self, at: usize) -> Option<Pending> {
        Some(self.listed[(self.places[at] as usize).checked_sub(1)?])
    }

    /// What an edge was at the epoch, if it changed since.
    fn value_then(&self, edge: usize) -> Option<Pending> {
        self.listed_at(self.find(edge as u32))
    }

    /// Clears each edge's run from its home to the run's end. A run cut short by an earlier edge
    /// was cleared to its end by that one, so none is missed.
    fn clear(&mut self, listed: usize) {
        for at in 0..listed {
            let mut cell = self.home(self.listed[at].edge);
            while self.places[cell] != 0 {
                self.places[cell] = 0;
                cell = (cell + 1) & (self.places.len() - 1);
            }
        }
    }
}

impl Guidance<'_> {
    /// An edge is about to change; remembers what it was at the epochs.
    #[inline]
    pub(crate) fn note_change(&mut self, edge: usize, weight: u16, closed: bool) {
        if self.fields.is_empty() {
            return;
        }
        let then = Pending { edge: edge as u32, weight, closed: closed as u16 };
        self.frozen[LOCAL].note(&mut self.work.frost[LOCAL], then);
        if !self.rounds.is_empty() {
            for side in ROUND {
                self.frozen[side].note(&mut self.work.frost[side], then);
            }
        }
    }

    /// Forgets all changes: the live weights are the epoch's again.
    pub(super) fn thaw(&mut self, epoch: usize) {
        let (frozen, frost) = (&mut self.frozen[epoch], &mut self.work.frost[epoch]);
        let listed = frost.listed as usize;
        for then in &frozen.listed[..listed] {
            frozen.changed[place(then.edge as usize).0] = 0;
        }
        if listed > frozen.places.len() / 16 {
            frozen.places.fill(0);
        } else {
            frozen.clear(listed);
        }
        *frost = Frost::default();
    }

    /// The epoch's weights may be lost soon: too many edges have changed since.
    pub(super) fn is_short(&self, epoch: usize) -> bool {
        let Frost { listed, overflow } = self.work.frost[epoch];
        overflow == 1 || listed as usize > self.frozen[epoch].listed.len() / 4 * 3
    }
}

impl Partition<'_> {
    /// Weight of an edge at the epoch of the field under work, `None` when it was closed.
    #[inline(always)]
    pub(crate) fn epoch_weight(&self, edge: usize) -> Option<u32> {
        let frozen = &self.guidance.frozen[self.guidance.work.side as usize & 1];
        let (word, bit) = place(edge);
        if frozen.changed[word] & bit == 0 {
            return self.open_weight(edge);
        }
        match frozen.value_then(edge) {
            None => self.open_weight(edge),
            Some(then) => (then.closed == 0).then_some(then.weight as u32),
        }
    }
}
