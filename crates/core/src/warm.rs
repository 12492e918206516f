//! Where heat may be: a bit per line of edges, so that decay passes over the cold ones.
//!
//! Derived from the heat of all edges, never hashed or saved.

use crate::edge_lines::LINE_EDGES;
use crate::image::Partition;
use crate::memory::prefetch;

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
    pub fn note(&mut self, edge: usize) {
        self.note_line(edge / LINE_EDGES);
    }

    /// Some edge of a line has heat now.
    #[inline(always)]
    pub fn note_line(&mut self, line: usize) {
        self.bits[line / 64] |= 1 << (line % 64);
    }

    /// Brings the note of an edge's line towards the cache.
    #[inline(always)]
    pub fn prefetch(&self, edge: usize) {
        prefetch(self.bits, edge / LINE_EDGES / 64);
    }

    /// All edges of a line are cold.
    pub fn forget(&mut self, line: usize) {
        self.bits[line / 64] &= !(1 << (line % 64));
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
}
