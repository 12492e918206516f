//! Puts the rows of a world's groups into masks over lists, group by group.

use crate::limits::WorldView;
use crate::lister::{Needed, Way, ways};
use crate::masks::{BLOCK_NODES, ENTRIES, MaskBlock, MaskGroup, Masks, PLANE_BITS, PLANE_WORDS};
use crate::offsets::{Offsets, SHARED, offset};
use crate::row_group::GROUP_NODES;

/// Lists of one plane that are looked through for one that does for another group too.
const RECENT: usize = 64;
/// Planes of the longest lists.
const PLANES: usize = ENTRIES / PLANE_BITS;

/// What masks are over: a list, and where it stands.
#[derive(Clone, Copy)]
struct Entries {
    entries: [i16; ENTRIES],
    len: usize,
    /// Entries in front for heads far below their tails, and behind for those far above.
    below: usize,
    above: usize,
    place: usize,
}

impl Entries {
    const NONE: Self = Self { entries: [0; ENTRIES], len: 0, below: 0, above: 0, place: 0 };

    /// What the rows of a group need; `None`: more than there can be.
    fn of(world: &WorldView, group: usize) -> Option<Self> {
        let (mut near, mut len) = ([0; ENTRIES], 0);
        let (mut below, mut above) = (0, 0);
        let (mut node, mut far) = (u32::MAX, [0; 2]);
        for (_, tail, head) in ways(world, group) {
            if tail != node {
                (node, far) = (tail, [0; 2]);
            }
            let Some(offset) = offset(tail, head) else {
                far[(head > tail) as usize] += 1;
                (below, above) = (below.max(far[0]), above.max(far[1]));
                continue;
            };
            if let Err(at) = near[..len].binary_search(&offset) {
                if len == ENTRIES {
                    return None;
                }
                near.copy_within(at..len, at + 1);
                near[at] = offset;
                len += 1;
            }
        }
        let whole = below + len + above;
        let mut entries = [0; ENTRIES];
        entries.get_mut(below..whole)?[..len].copy_from_slice(&near[..len]);
        Some(Self { entries, len: whole, below, above, place: 0 })
    }

    fn listed(&self) -> &[i16] {
        &self.entries[..self.len]
    }

    fn near(&self) -> &[i16] {
        &self.entries[self.below..self.len - self.above]
    }

    fn planes(&self) -> usize {
        self.len.div_ceil(PLANE_BITS).max(1)
    }

    /// Whether rows that need `others` can do with these.
    fn have(&self, others: &Self) -> bool {
        let mut mine = self.near().iter();
        self.below >= others.below
            && self.above >= others.above
            && others.near().iter().all(|wanted| mine.any(|offset| offset == wanted))
    }

    /// The masks of the rows of a group.
    fn masks(&self, world: &WorldView, group: usize) -> [u32; GROUP_NODES] {
        let mut masks = [0; GROUP_NODES];
        for (_, tail, head) in ways(world, group) {
            let mask: &mut u32 = &mut masks[tail as usize % GROUP_NODES];
            let entry = match offset(tail, head) {
                Some(offset) => {
                    let at = self.near().binary_search(&offset);
                    self.below + at.expect("the list has all that its rows need")
                }
                // Those far below come before all others of their row, those far above behind them.
                None if head < tail => mask.count_ones() as usize,
                None => (self.len - self.above).max((32 - mask.leading_zeros()) as usize),
            };
            *mask |= 1 << entry;
        }
        masks
    }
}

/// The list of one group.
pub(crate) struct MaskLister {
    /// The last lists of the block that can be shared, and how many it has.
    recent: [Entries; RECENT],
    known: usize,
    block: MaskBlock,
    first: u32,
    list: Entries,
    masks: [u32; GROUP_NODES],
    end: usize,
}

impl MaskLister {
    /// Calls `each` with the number of each group of a world and what there is to tell of it.
    /// `None`: a group's rows need more than masks have bits.
    fn each(world: &WorldView, mut each: impl FnMut(usize, &Self)) -> Option<Self> {
        let block = MaskBlock { first: 0, list: 0 };
        let (recent, list, masks) = ([Entries::NONE; RECENT], Entries::NONE, [0; GROUP_NODES]);
        let mut lister = Self { recent, known: 0, block, first: 0, list, masks, end: 0 };
        let groups = world.first.len().saturating_sub(1).div_ceil(GROUP_NODES);
        for group in 0..groups {
            lister.take(world, group)?;
            each(group, &lister);
        }
        Some(lister)
    }

    /// Goes on to the next group: one with masks of one plane takes a list that does, if the block
    /// has such a one.
    fn take(&mut self, world: &WorldView, group: usize) -> Option<()> {
        self.first = world.first[group * GROUP_NODES];
        if (group * GROUP_NODES).is_multiple_of(BLOCK_NODES) {
            self.block = MaskBlock { first: self.first, list: self.end as u32 };
            self.known = 0;
        }
        let needed = Entries::of(world, group)?;
        self.list = self.shared(&needed).unwrap_or_else(|| self.list_anew(needed));
        self.masks = self.list.masks(world, group);
        Some(())
    }

    fn shared(&self, needed: &Entries) -> Option<Entries> {
        let mut known = self.recent[..self.known.min(RECENT)].iter();
        known.find(|list| needed.planes() == 1 && list.have(needed)).copied()
    }

    fn list_anew(&mut self, needed: Entries) -> Entries {
        let place = self.end + (needed.planes() - 1) * PLANE_WORDS;
        let list = Entries { place, ..needed };
        self.end = place + list.len;
        if list.planes() == 1 {
            self.recent[self.known % RECENT] = list;
            self.known += 1;
        }
        list
    }

    /// Bits of the masks that one plane has.
    fn plane(&self, plane: usize) -> [u8; GROUP_NODES] {
        self.masks.map(|mask| (mask >> (plane * PLANE_BITS)) as u8)
    }

    /// Takes over what there is to tell of a group, and of its block.
    fn write(&self, group: usize, masks: &mut Masks, offsets: &mut Offsets) {
        let (list, planes) = (&self.list, self.list.planes());
        let more: [_; PLANES - 1] = core::array::from_fn(|plane| self.plane(plane + 1));
        offsets.set_entries(list.place, list.listed(), &more[..planes - 1]);
        let (first, place) = (self.first - self.block.first, list.place - self.block.list as usize);
        masks.groups[group] = MaskGroup::new(first as usize, place, planes, self.plane(0));
        masks.blocks[group * GROUP_NODES / BLOCK_NODES] = self.block;
    }

    /// Takes over the rows of a world whose room was found to do.
    pub(crate) fn load(world: &WorldView, masks: &mut Masks, offsets: &mut Offsets) {
        Self::each(world, |group, lister| lister.write(group, masks, offsets));
    }

    /// How much room a world's heads need; `None`: its rows cannot be told by masks.
    pub(crate) fn needed(world: &WorldView) -> Option<Needed> {
        let mut far = 0;
        let last = Self::each(world, |group, _| {
            far += ways(world, group).filter(is_far).count();
        })?;
        // Blank entries behind the last list, so that a look at one never leads beyond the end.
        Some(Needed { offsets: last.end + SHARED, far })
    }
}

/// Whether an edge's head is not told by its offset.
pub(crate) fn is_far(&(_, tail, head): &Way) -> bool {
    offset(tail, head).is_none()
}
