//! Edges added to a running world: numbered behind all rows, chained by tail; and the hash table in
//! which a row's first one is told, as are heads far from their tails.

use crate::row_group::GROUP_NODES;
use crate::schema::{DEGREE, NONE};
use crate::topology::{Topology, Walk, Way};

/// A number under a key in a hash table; `key` is one more than what is looked up, 0 = free.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry {
    key: u32,
    value: u32,
}

impl Entry {
    pub(crate) fn new(of: u32, value: u32) -> Self {
        Self { key: of + 1, value }
    }

    pub(crate) fn value(self) -> u32 {
        self.value
    }
}

/// An edge added to a running world.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Added {
    /// Node it leads from.
    pub tail: u32,
    /// Node it leads to.
    pub head: u32,
    /// The tail's next added edge, NONE at the end.
    next: u32,
    spare: u32,
}

/// The place of `of` in a table: its own, or the free one where it belongs. Linear probing.
#[inline]
pub(crate) fn find_entry(table: &[Entry], of: u32) -> usize {
    let (key, len) = (of + 1, table.len());
    let mut at = ((key.wrapping_mul(0x9E37_79B9) as u64 * len as u64) >> 32) as usize;
    while table[at].key != 0 && table[at].key != key {
        at = if at + 1 == len { 0 } else { at + 1 };
    }
    at
}

impl Topology<'_> {
    #[cold]
    #[inline(never)]
    pub(crate) fn step_added(&self, walk: &mut Walk) -> Way {
        let number = walk.added as usize;
        let Added { head, next, .. } = self.added[number];
        let way = Way { slot: walk.slot, edge: self.slots + number, head };
        (walk.added, walk.slot) = (next, walk.slot + 1);
        way
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn first_of(&self, node: u32) -> u32 {
        self.first_added(node).map_or(NONE, |first| first as u32)
    }

    /// Whether both ways between two nodes fit: `used` edges have been added so far.
    pub(crate) fn fits(&self, used: usize, one: u32, other: u32) -> bool {
        let room = |node| self.degree(node) < DEGREE;
        used + 2 <= self.added.len() && room(one) && room(other)
    }

    /// Puts an edge behind its tail's row: the `number`-th that was ever added.
    pub(crate) fn add(&mut self, number: usize, tail: u32, head: u32) {
        self.added[number] = Added { tail, head, next: NONE, spare: 0 };
        let Some(last) = self.last_added(tail) else {
            let at = self.place_of_first_added(tail);
            self.first_added[at] = Entry::new(tail, number as u32);
            self.note_added(tail);
            return;
        };
        self.added[last].next = number as u32;
    }

    /// Takes over the slots that were added to rows like these. Where each
    /// row's first one is told depends on the size of the table.
    pub(crate) fn adopt_added(&mut self, saved: &[Added]) {
        self.added[..saved.len()].copy_from_slice(saved);
        for (number, added) in saved.iter().enumerate() {
            let at = self.place_of_first_added(added.tail);
            if self.first_added[at].key == 0 {
                self.first_added[at] = Entry::new(added.tail, number as u32);
            }
        }
    }

    /// Where the first slot added to a row is told.
    pub(crate) fn place_of_first_added(&self, tail: u32) -> usize {
        find_entry(self.first_added, tail)
    }

    /// The last slot added to a row.
    fn last_added(&self, tail: u32) -> Option<usize> {
        let mut last = self.first_added(tail)?;
        while let Some(next) = self.next_added(last) {
            last = next;
        }
        Some(last)
    }

    /// The first slot added to a row.
    pub(crate) fn first_added(&self, tail: u32) -> Option<usize> {
        let first = self.first_added[self.place_of_first_added(tail)];
        (first.key != 0).then_some(first.value as usize)
    }

    /// The slot added to the same row next after this one.
    pub(crate) fn next_added(&self, number: usize) -> Option<usize> {
        let next = self.added[number].next;
        (next != NONE).then_some(next as usize)
    }

    /// Takes back the last [`Self::add`].
    pub(crate) fn forget(&mut self, number: usize) {
        let tail = self.added[number].tail;
        let at = self.place_of_first_added(tail);
        let mut last = self.first_added[at].value as usize;
        if last == number {
            self.first_added[at] = Entry::default();
            self.note_added(tail);
        } else {
            while self.added[last].next != number as u32 {
                last = self.added[last].next as usize;
            }
            self.added[last].next = NONE;
        }
        self.added[number] = Added::default();
    }

    /// Notes whether a node or one of its group has added slots.
    fn note_added(&mut self, tail: u32) {
        let group = tail as usize / GROUP_NODES;
        let mut nodes = group * GROUP_NODES..(group + 1) * GROUP_NODES;
        let has = nodes.any(|node| self.first_added(node as u32).is_some());
        self.rows.note_added(group, has);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge_lines::EdgeLines;
    use crate::masks::Masks;
    use crate::offsets::{List, Offsets};
    use crate::row_group::RowGroup;
    use crate::rows::Rows;

    #[test]
    fn a_table_with_one_free_cell_holds_all_its_keys() {
        let mut table = [Entry::default(); 101];
        for of in (0..100).map(|number| number * number * 37) {
            let at = find_entry(&table, of);
            table[at] = Entry::new(of, of ^ 5);
        }
        for of in (0..100).map(|number| number * number * 37) {
            assert_eq!(table[find_entry(&table, of)].value, of ^ 5);
        }
        assert_eq!(table[find_entry(&table, 5)].key, 0, "what is not there has the free cell");
    }

    #[test]
    fn what_is_added_to_a_group_is_there_until_it_is_taken_back() {
        let group = RowGroup::narrow(0, List::NONE, [0; GROUP_NODES]);
        let mut topology = Topology {
            rows: Rows {
                groups: &mut [group; 2],
                masks: Masks { groups: &mut [], blocks: &mut [] },
            },
            offsets: Offsets(&mut []),
            edges: EdgeLines::new(&mut [], None),
            slots: 0,
            far: &mut [],
            added: &mut [Added::default(); 6],
            first_added: &mut [Entry::default(); 16],
        };
        let ends = [(3, 9), (9, 3), (3, 16), (16, 3), (9, 16), (16, 9)];
        let seen = |topology: &Topology, there: &[(u32, u32)]| {
            for node in 0..2 * GROUP_NODES as u32 {
                let wanted = there.iter().filter(|&&(tail, _)| tail == node).count();
                assert_eq!(topology.degree(node), wanted, "{node} of {there:?}");
            }
        };
        for (number, &(tail, head)) in ends.iter().enumerate() {
            topology.add(number, tail, head);
            seen(&topology, &ends[..=number]);
        }
        for number in (0..ends.len()).rev() {
            topology.forget(number);
            seen(&topology, &ends[..number]);
        }
        assert!(topology.rows.groups.iter().all(|group| !group.has_added()));
    }
}
