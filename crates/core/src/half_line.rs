//! Two bytes of each of sixteen edges: what lines of edges are made of.

use crate::edge_lines::LINE_EDGES;
use crate::memory::unequal_bytes;

/// Bit of an edge's mark: nobody may go along it.
pub(crate) const CLOSED: u8 = 1 << 7;

/// Half a cache line: two bytes of each of sixteen edges.
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HalfLine {
    /// [`CLOSED`], and a number: of the offset in a wide line, of the cost in a compact one. In the
    /// second half of a wide line the low bytes of the costs.
    pub(crate) mark: [u8; LINE_EDGES],
    /// Heats; in the second half of a wide line the high bytes of the costs.
    pub(crate) heat: [u8; LINE_EDGES],
}

impl HalfLine {
    #[inline(always)]
    pub(crate) fn set_closed(&mut self, at: usize, closed: bool) {
        self.mark[at] = self.mark[at] & !CLOSED | (closed as u8) << CLOSED.trailing_zeros();
    }

    #[inline(always)]
    pub(crate) fn set_number(&mut self, at: usize, number: u8) {
        self.mark[at] = self.mark[at] & CLOSED | number;
    }

    /// A bit for each edge of which another half says something else.
    #[inline(always)]
    pub(crate) fn differing(&self, other: &Self) -> u32 {
        unequal_bytes(&self.mark, &other.mark) | unequal_bytes(&self.heat, &other.heat)
    }
}
