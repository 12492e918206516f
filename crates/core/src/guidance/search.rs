//! Exact now: Dijkstra's algorithm from the player on the live weights, bounded in nodes.

use crate::image::Partition;

/// Cells of the label table; at most half of them are used.
pub const LABELS: usize = 1024;
/// Entries of the heap.
pub const HEAP: usize = 1024;
/// Nodes that one search may settle: about eight steps around.
const NODES: u32 = 128;
/// Nodes that all searches of one tick may settle: bounds the time taken from moves.
pub(super) const NODES_PER_TICK: u32 = 8192;

/// What a search knows of a node.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Label {
    stamp: u32,
    node: u32,
    distance: u32,
    slot: u32,
}

/// A node that was reached: heap entries hold distance and cell, so the least comes first.
struct Reached {
    node: u32,
    distance: u32,
    slot: u32,
}

impl Partition<'_> {
    /// Searches for a near target: next node and distance, exact on the live weights of all
    /// partitions, as it is nearer than any other way out. `None` when it is not near enough.
    pub(crate) fn search(&mut self, from: u32, target: u32) -> Option<(u32, u32)> {
        if self.guidance.work.budget < NODES {
            return None;
        }
        self.guidance.work.searches += 1;
        self.guidance.work.stamp = self.guidance.work.stamp.wrapping_add(1).max(1);
        if self.guidance.work.stamp == 1 {
            self.guidance.labels.fill(Label::default());
        }
        let (mut heap_len, mut used) = (0, 0);
        self.reach(Reached { node: from, distance: 0, slot: u32::MAX }, &mut heap_len, &mut used);
        for _ in 0..NODES {
            let label = self.pop_final(&mut heap_len)?;
            self.guidance.work.budget -= 1;
            if label.node == target {
                let way = self.topology.way(from, label.slot as u8);
                return Some((way.head, label.distance));
            }
            if label.node >= self.header.own_nodes {
                // A way over the border may be shorter: nobody here knows its weights.
                return None;
            }
            if !self.expand(&label, label.node == from, &mut heap_len, &mut used) {
                return None;
            }
        }
        None
    }

    /// Passes a final label on to its neighbours; false when the scratch is full.
    fn expand(
        &mut self,
        label: &Label,
        is_start: bool,
        heap_len: &mut usize,
        used: &mut usize,
    ) -> bool {
        let mut walk = self.topology.walk(label.node);
        while let Some(way) = self.topology.step(&mut walk) {
            let Some(weight) = self.open_weight(way.edge) else {
                continue;
            };
            let slot = if is_start { way.slot as u32 } else { label.slot };
            let distance = label.distance.saturating_add(weight);
            if !self.reach(Reached { node: way.head, distance, slot }, heap_len, used) {
                return false;
            }
        }
        true
    }

    /// Notes a way to a node: the shorter counts, of equal ones the lower first slot.
    fn reach(&mut self, way: Reached, heap_len: &mut usize, used: &mut usize) -> bool {
        let stamp = self.guidance.work.stamp;
        let mut cell = way.node.wrapping_mul(0x9E37_79B9) as usize >> 7 & (LABELS - 1);
        while self.guidance.labels[cell].stamp == stamp
            && self.guidance.labels[cell].node != way.node
        {
            cell = (cell + 1) & (LABELS - 1);
        }
        let label = &mut self.guidance.labels[cell];
        let known = label.stamp == stamp;
        if known && label.distance <= way.distance {
            if label.distance == way.distance {
                label.slot = label.slot.min(way.slot);
            }
            return true;
        }
        *used += !known as usize;
        if *used > LABELS / 2 || *heap_len == HEAP {
            return false;
        }
        *label = Label { stamp, node: way.node, distance: way.distance, slot: way.slot };
        self.push((way.distance as u64) << 32 | cell as u64, heap_len);
        true
    }

    /// The nearest label that is not final yet; outdated heap entries are skipped.
    fn pop_final(&mut self, heap_len: &mut usize) -> Option<Label> {
        loop {
            let entry = self.pop(heap_len)?;
            let label = self.guidance.labels[entry as u32 as usize];
            if label.distance as u64 == entry >> 32 {
                return Some(label);
            }
        }
    }

    fn push(&mut self, entry: u64, heap_len: &mut usize) {
        let heap = &mut self.guidance.heap[..=*heap_len];
        let mut at = *heap_len;
        *heap_len += 1;
        while at > 0 && heap[(at - 1) / 2] > entry {
            heap[at] = heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        heap[at] = entry;
    }

    fn pop(&mut self, heap_len: &mut usize) -> Option<u64> {
        *heap_len = heap_len.checked_sub(1)?;
        let heap = &mut self.guidance.heap[..=*heap_len];
        let (least, last) = (heap[0], heap[*heap_len]);
        let mut at = 0;
        loop {
            let mut child = 2 * at + 1;
            if child >= *heap_len {
                break;
            }
            child += (child + 1 < *heap_len && heap[child + 1] < heap[child]) as usize;
            if heap[child] >= last {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = last;
        Some(least)
    }
}
