//! Where rows lie: sixteen bytes for eight nodes.

use crate::offsets::List;

/// Nodes of one [`RowGroup`].
pub(crate) const GROUP_NODES: usize = 8;
/// Bit of a row's degree: the node has added edges.
const HAS_ADDED: u8 = 1 << 7;

/// Where the rows of eight nodes lie.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RowGroup {
    /// First edge of the first row.
    first: u32,
    /// The list that the offsets of all rows stand in.
    pub(crate) list: List,
    /// Slots of each row, and [`HAS_ADDED`].
    degree: [u8; GROUP_NODES],
}

impl RowGroup {
    /// Takes over where rows begin: `firsts` has one entry more than there are rows.
    pub(crate) fn load(&mut self, firsts: &[u32], list: List) {
        (self.first, self.list) = (firsts[0], list);
        for (degree, row) in self.degree.iter_mut().zip(firsts.windows(2)) {
            *degree = (row[1] - row[0]) as u8;
        }
    }

    /// The first edge of all.
    pub(crate) fn first(&self) -> usize {
        self.first as usize
    }

    /// Notes whether a row has added edges.
    pub(crate) fn note_added(&mut self, at: usize, has: bool) {
        self.degree[at] = self.degree[at] & !HAS_ADDED | if has { HAS_ADDED } else { 0 };
    }

    /// First edge, end, and whether there are added edges, of the row of node `at` of the group.
    #[inline(always)]
    pub(crate) fn row(&self, at: usize) -> (usize, usize, bool) {
        // The degrees up to this row's, its own uppermost.
        let bytes = u64::from_le_bytes(self.degree) << (8 * (GROUP_NODES - 1 - at));
        let degrees = bytes & 0x7F7F_7F7F_7F7F_7F7F;
        // Their sum: four pairs in 16 bits each, then all into the uppermost.
        let pairs = (degrees & 0x00FF_00FF_00FF_00FF) + (degrees >> 8 & 0x00FF_00FF_00FF_00FF);
        let sum = pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48;
        let end = self.first as usize + sum as usize;
        (end - (degrees >> 56) as usize, end, bytes >> 63 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::DEGREE;

    #[test]
    fn rows_of_a_group_follow_each_other() {
        let longest = DEGREE as u8;
        for lengths in [[longest; 8], [0; 8], [0, 1, 2, 3, 4, 64, 64, 0]] {
            let mut start = 4_000_000;
            for at in 0..GROUP_NODES {
                let mut group = RowGroup { first: 4_000_000, list: List::NONE, degree: lengths };
                let end = start + lengths[at] as usize;
                assert_eq!(group.row(at), (start, end, false));
                group.degree = lengths.map(|degree| degree | HAS_ADDED);
                assert_eq!(group.row(at), (start, end, true));
                start = end;
            }
        }
    }
}
