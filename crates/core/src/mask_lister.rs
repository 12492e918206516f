//! Puts the rows of a world's groups into masks over lists, block by block.

use crate::bits::places;
use crate::entries::{ENTRIES, Entries, PLANE_BITS, PLANE_WORDS};
use crate::limits::WorldView;
use crate::lister::{Needed, ways};
use crate::masks::{BLOCK_GROUPS, BLOCK_NODES, MaskBlock, MaskGroup, Masks};
use crate::offsets::{Offsets, SHARED};
use crate::row_group::GROUP_NODES;

/// The offsets of some rows, rising.
#[derive(Clone, Copy)]
struct Listed {
    offsets: [i32; ENTRIES],
    len: usize,
}

impl Listed {
    const NONE: Self = Self { offsets: [0; ENTRIES], len: 0 };

    /// Those of a group; `None`: more than there can be.
    fn of(world: &WorldView, group: usize) -> Option<Self> {
        let mut listed = Self::NONE;
        let mut offsets = ways(world, group).map(|(_, tail, head)| offset(tail, head));
        offsets.all(|offset| listed.add(offset, ENTRIES)).then_some(listed)
    }

    /// Adds an offset, if it is not there; `false`: there are as many as there may be.
    fn add(&mut self, offset: i32, most: usize) -> bool {
        let Err(at) = self.all().binary_search(&offset) else { return true };
        if self.len >= most {
            return false;
        }
        self.offsets.copy_within(at..self.len, at + 1);
        self.offsets[at] = offset;
        self.len += 1;
        true
    }

    /// With all of another one; `None`: more than a plane has bits for. Where there are more planes
    /// they stand in front of their list, so that it is no other group's.
    fn with(mut self, other: &Self) -> Option<Self> {
        let one = self.planes() == 1 && self.is_wide() == other.is_wide();
        (one && other.all().iter().all(|&offset| self.add(offset, PLANE_BITS))).then_some(self)
    }

    fn all(&self) -> &[i32] {
        &self.offsets[..self.len]
    }

    fn planes(&self) -> usize {
        self.len.div_ceil(PLANE_BITS).max(1)
    }

    /// Whether some are too far for sixteen bits.
    fn is_wide(&self) -> bool {
        self.all().iter().any(|&offset| i16::try_from(offset).is_err())
    }

    /// The masks of the rows of a group, all of whose offsets are there.
    fn masks(&self, world: &WorldView, group: usize) -> [u32; GROUP_NODES] {
        let mut masks = [0; GROUP_NODES];
        for (_, tail, head) in ways(world, group) {
            let at = self.all().binary_search(&offset(tail, head));
            masks[tail as usize % GROUP_NODES] |= 1 << at.expect("all that its rows need");
        }
        masks
    }
}

/// An edge's offset.
fn offset(tail: u32, head: u32) -> i32 {
    head.wrapping_sub(tail).cast_signed()
}

/// The lists of one block.
pub(crate) struct MaskLister {
    /// The list of each group, and where it stands.
    lists: [Listed; BLOCK_GROUPS],
    at: [usize; BLOCK_GROUPS],
    block: MaskBlock,
    /// Where the next list can stand.
    end: usize,
}

impl MaskLister {
    /// Calls `each` with the number of each block of a world and what there is to tell of it; where
    /// the last list ends. `None`: rows need more than masks have bits.
    fn each(world: &WorldView, mut each: impl FnMut(usize, &Self)) -> Option<usize> {
        let (lists, at) = ([Listed::NONE; BLOCK_GROUPS], [0; BLOCK_GROUPS]);
        let mut lister = Self { lists, at, block: MaskBlock { first: 0, list: 0 }, end: 0 };
        let nodes = world.first.len().saturating_sub(1);
        for block in 0..nodes.div_ceil(BLOCK_NODES) {
            lister.take(world, block)?;
            each(block, &lister);
        }
        Some(lister.end)
    }

    /// Goes on to the next block.
    fn take(&mut self, world: &WorldView, block: usize) -> Option<()> {
        let (first, list) = (world.first[block * BLOCK_NODES], Entries::new(self.end, 1, false));
        self.block = MaskBlock { first, list: list.0 };
        let groups = groups_of(world, block);
        for (list, group) in self.lists.iter_mut().zip(groups.clone()) {
            *list = Listed::of(world, group)?;
        }
        let mut left = u64::MAX >> (BLOCK_GROUPS - groups.len());
        while left != 0 {
            left &= !self.place_list(left);
        }
        Some(())
    }

    /// Finds a place for the list of the first of the groups that are `left`. It takes in the lists
    /// of others for as long as one plane does; bits of all whose list it is now.
    fn place_list(&mut self, left: u64) -> u64 {
        let first = left.trailing_zeros() as usize;
        let (mut list, wide) = (self.lists[first], self.lists[first].is_wide());
        let mut groups = 1 << first;
        for other in places(left & !groups) {
            if let Some(joined) = list.with(&self.lists[other]) {
                list = joined;
                groups |= 1 << other;
            }
        }
        let at = self.end + (list.planes() - 1) * PLANE_WORDS;
        self.end = at + list.len * (1 + wide as usize);
        places(groups).for_each(|group| (self.lists[group], self.at[group]) = (list, at));
        groups
    }

    /// Takes over what there is to tell of a block.
    fn write(&self, world: &WorldView, block: usize, masks: &mut Masks, offsets: &mut Offsets) {
        masks.blocks[block] = self.block;
        for (group, (list, &at)) in groups_of(world, block).zip(self.lists.iter().zip(&self.at)) {
            let rows = list.masks(world, group);
            let planes = (0..list.planes()).map(|plane| plane * PLANE_BITS);
            let mut planes = planes.map(|shift| rows.map(|mask| (mask >> shift) as u8));
            let lowest = planes.next().unwrap_or_default();
            let entries = Entries::new(at, list.planes(), list.is_wide());
            let first = world.first[group * GROUP_NODES];
            masks.groups[group] = MaskGroup::new(&self.block, first, entries, lowest);
            offsets.set_entries(entries, list.all(), planes);
        }
    }

    /// Takes over the rows of a world whose room was found to do.
    pub(crate) fn load(world: &WorldView, masks: &mut Masks, offsets: &mut Offsets) {
        Self::each(world, |block, lister| lister.write(world, block, masks, offsets));
    }

    /// How much room a world's rows need; `None`: they cannot be told by masks.
    pub(crate) fn needed(world: &WorldView) -> Option<Needed> {
        let end = Self::each(world, |_, _| {})?;
        // Blank entries behind the last list, so that a look at one never leads beyond the end.
        Some(Needed { offsets: end + SHARED, far: 0 })
    }
}

/// Groups of a block: fewer in the last one.
fn groups_of(world: &WorldView, block: usize) -> core::ops::Range<usize> {
    let groups = (world.first.len() - 1).div_ceil(GROUP_NODES);
    block * BLOCK_GROUPS..groups.min((block + 1) * BLOCK_GROUPS)
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;

    /// A world's rows by their heads.
    fn world(rows: &[Vec<u32>]) -> (Vec<u32>, Vec<u32>) {
        let ends = rows.iter().scan(0, |end, row| {
            *end += row.len() as u32;
            Some(*end)
        });
        (core::iter::once(0).chain(ends).collect(), rows.concat())
    }

    /// Loads rows, looks at each of them, and gives the room they took; `None`: they are no masks.
    fn loaded(rows: &[Vec<u32>]) -> Option<usize> {
        let (first, head) = world(rows);
        let view = WorldView {
            first: &first,
            head: &head,
            cost: &[],
            world_id: 0,
            partition: 0,
            halo_owner: &[],
            halo_twin: &[],
        };
        let Needed { offsets: room, .. } = MaskLister::needed(&view)?;
        let mut words = vec![0; room];
        let block = MaskBlock { first: 0, list: 0 };
        let group = MaskGroup::new(&block, 0, Entries::new(0, 1, false), [0; GROUP_NODES]);
        let mut groups = vec![group; rows.len().div_ceil(GROUP_NODES)];
        let mut blocks = vec![block; rows.len().div_ceil(BLOCK_NODES)];
        let mut masks = Masks { groups: &mut groups, blocks: &mut blocks };
        let mut offsets = Offsets(&mut words);
        MaskLister::load(&view, &mut masks, &mut offsets);
        for (node, heads) in (0..).zip(rows) {
            let row = masks.row(node, &offsets);
            let edges = first[node as usize] as usize..first[node as usize + 1] as usize;
            assert_eq!(row.first()..row.end(), edges, "{node}");
            let list = Entries::of(row.list);
            let led = places(row.mask).map(|at| node.wrapping_add_signed(offsets.entry(list, at)));
            assert_eq!(led.collect::<Vec<_>>(), *heads, "{node}");
            assert!(edges.clone().all(|edge| masks.group_of(edge) == node as usize / GROUP_NODES));
        }
        Some(room - SHARED)
    }

    /// Nodes with these offsets as far as they lead to a node, but for every seventh.
    fn patterned(nodes: i32, offsets: &[i32]) -> Vec<Vec<u32>> {
        let heads = |node: i32| {
            let heads = offsets.iter().map(|offset| node + offset);
            let there = heads.filter(|head| node % 7 != 3 && (0..nodes).contains(head));
            there.map(|head| head as u32).collect()
        };
        (0..nodes).map(heads).collect()
    }

    #[test]
    fn groups_of_a_block_share_what_fits_one_plane() {
        let five = [-40, -1, 1, 3, 40];
        assert_eq!(loaded(&patterned(1_024, &five)), Some(5));
        assert_eq!(loaded(&patterned(1_025, &five)), Some(5 + 2), "each block has its own");
        // Some groups have the first three, others the rest: too many for one plane.
        let mut rows = patterned(1_024, &[-9, -7, -5]);
        rows.truncate(512);
        rows.extend(patterned(1_024, &[2, 3, 4, 5, 6, 8]).drain(512..));
        assert_eq!(loaded(&rows), Some(3 + 6));
        assert_eq!(loaded(&vec![vec![]; 40]), Some(0), "no edges");
        assert_eq!(loaded(&[]), Some(0));
    }

    #[test]
    fn more_offsets_take_more_planes_up_to_four() {
        let offsets: Vec<i32> = (-20..20).filter(|&offset| offset != 0).collect();
        for (count, planes) in [(8, 1), (9, 2), (16, 2), (17, 3), (25, 4), (32, 4)] {
            for nodes in [61, 64] {
                // The groups at both ends need fewer, and what they need one plane may have.
                let least = 2 * (count + (planes - 1) * PLANE_WORDS);
                let room = loaded(&patterned(nodes, &offsets[3..][..count])).unwrap();
                assert!(room >= least || planes == 1 && room == count, "{count}: {room}");
            }
        }
        assert_eq!(loaded(&patterned(64, &offsets[3..][..33])), None);
        assert!(loaded(&patterned(16, &offsets)).is_some(), "some of these lead nowhere");
    }

    #[test]
    fn far_heads_stand_in_lists_of_their_own() {
        let offsets = [-70_000, -33_000, -32_768, -1, 1, 32_767, 32_768, 70_000];
        assert!(loaded(&patterned(71_000, &offsets)).is_some());
        let near = loaded(&patterned(1_024, &[-1, 1])).unwrap();
        let mut rows = patterned(1_024, &[-1, 1]);
        rows[500].push(900_000);
        assert_eq!(loaded(&rows), Some(near + 2 * 3), "one group has a wide list");
    }
}
