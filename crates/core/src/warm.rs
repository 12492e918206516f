//! Where heat may be: a bit per line of edges, so that decay passes over the cold ones.
//!
//! Derived from the heat of all edges, never hashed or saved.

use crate::edge_lines::{LINE_EDGES, Spot};
use crate::image::Partition;

/// A bit per line; set when an edge of it got warm, cleared when all were found cold.
pub(crate) struct Warm<'a> {
    pub bits: &'a mut [u64],
}

impl Warm<'_> {
    /// Words of bits for so many edges.
    pub const fn words(edges: usize) -> usize {
        edges / LINE_EDGES / 64 + 1
    }

    /// An edge has heat now.
    #[inline(always)]
    pub fn note(&mut self, edge: impl Into<Spot>) {
        let line = edge.into().line;
        self.bits[line / 64] |= 1 << (line % 64);
    }

    /// All edges of a line are cold.
    pub fn forget(&mut self, line: usize) {
        self.bits[line / 64] &= !(1 << (line % 64));
    }

    /// The first edge from `edge` on that may be warm, at most `end`.
    pub fn next(&self, edge: usize, end: usize) -> usize {
        if edge >= end {
            return end;
        }
        let line = edge / LINE_EDGES;
        let mut word = line / 64;
        let mut bits = self.bits[word] & u64::MAX << (line % 64);
        while bits == 0 && (word + 1) * 64 * LINE_EDGES < end {
            word += 1;
            bits = self.bits[word];
        }
        let found = (word * 64 + bits.trailing_zeros() as usize) * LINE_EDGES;
        if bits == 0 { end } else { found.clamp(edge, end) }
    }
}

impl Partition<'_> {
    /// Finds out anew where heat is.
    pub(crate) fn note_warm(&mut self) {
        self.warm.bits.fill(0);
        for edge in 0..self.edge_ids() {
            if self.heat(edge) > 0 {
                self.warm.note(edge);
            }
        }
    }

    /// Brings the next line that may be warm towards the cache; where the one after it begins.
    pub(crate) fn fetch_warm(&self, edge: usize, end: usize) -> usize {
        let found = self.warm.next(edge, end);
        self.topology.edges.prefetch(found, found);
        ((found / LINE_EDGES + 1) * LINE_EDGES).min(end)
    }
}
