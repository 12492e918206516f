//! Recycled memory for bytes on their way through quinn-proto.
//!
//! quinn-proto wants owned buffers: one for each datagram received, one for each batch written.
//! Both are cut from preallocated blocks here, and a block is used again as soon as all pieces cut
//! from it are gone, so that the steady state allocates nothing for them. The first free block is
//! taken: the further ones, which many slow peers need at once, have no memory until then.

use bytes::{Bytes, BytesMut};

use crate::page_faults::populate;

pub(super) const BLOCK_BYTES: usize = 64 << 10;
const BLOCKS: usize = 64;

/// Blocks from which pieces are cut in turn.
pub(super) struct Buffers {
    blocks: [BytesMut; BLOCKS],
    current: usize,
    /// Blocks that had to be allocated after the start, because all were still held.
    grown: u64,
}

impl Buffers {
    /// So many of the blocks have their memory from the start.
    pub(super) fn new(populated: usize) -> Self {
        let blocks = std::array::from_fn(|_| BytesMut::with_capacity(BLOCK_BYTES));
        for block in &blocks[..populated] {
            populate(block.as_ptr(), BLOCK_BYTES);
        }
        Self { blocks, current: 0, grown: 0 }
    }

    /// A copy of `bytes` (at most a block's size is free of allocation) that can be changed.
    pub(super) fn copy_mut(&mut self, bytes: &[u8]) -> BytesMut {
        self.make_room(bytes.len());
        let block = &mut self.blocks[self.current];
        block.extend_from_slice(bytes);
        block.split()
    }

    /// A shared copy of `bytes`.
    pub(super) fn copy(&mut self, bytes: &[u8]) -> Bytes {
        self.copy_mut(bytes).freeze()
    }

    /// Blocks allocated after the start; stays flat while peers acknowledge and callers read.
    pub(super) fn grown(&self) -> u64 {
        self.grown
    }

    /// Makes the current block one that has room: the same, the first one whose pieces are all
    /// gone, or at worst a new one in place of the current (which lives on in its pieces).
    fn make_room(&mut self, bytes: usize) {
        let free = |block: &BytesMut| block.capacity() - block.len();
        if free(&self.blocks[self.current]) >= bytes {
            return;
        }
        for index in 0..BLOCKS {
            if self.blocks[index].try_reclaim(bytes.max(BLOCK_BYTES)) {
                self.current = index;
                return;
            }
        }
        self.blocks[self.current] = BytesMut::with_capacity(bytes.max(BLOCK_BYTES));
        self.grown += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_BYTES, BLOCKS, Buffers};

    #[test]
    fn pieces_that_are_dropped_make_room_again() {
        let mut buffers = Buffers::new(1);
        let piece = vec![7u8; 1000];
        for _ in 0..10 * BLOCKS * BLOCK_BYTES / piece.len() {
            assert_eq!(buffers.copy(&piece), piece);
        }
        assert_eq!(buffers.grown(), 0);
    }

    #[test]
    fn held_pieces_stay_whole_while_the_buffers_grow() {
        let mut buffers = Buffers::new(1);
        let held: Vec<_> = (0..2 * BLOCKS * BLOCK_BYTES / 1000)
            .map(|n| (n as u8, buffers.copy(&[n as u8; 1000])))
            .collect();
        assert!(buffers.grown() > 0);
        assert!(held.iter().all(|(n, piece)| piece.iter().all(|byte| byte == n)));
    }
}
