//! The rows: which edges lead from a node, and where to.
//!
//! A node's row is a run of slots, numbered through; that number is the edge's id. Where rows begin
//! and lead to is told in one of two forms ([`Rows`]). By numbers, for any world: sixteen bytes say
//! where the rows of sixteen nodes begin, how long each is, and in which list the offsets stand by
//! which they lead to their heads ([`Offsets`]). A slot keeps its offset's number; far heads stand
//! in a small hash table. By masks, for grids: twenty bytes say which entries of a list each row
//! leads by, and slots keep nothing. What else is known of an edge stands in [`EdgeLines`].
//! Edges added to a running world have ids behind all rows and are chained by tail.
//! Rows are structurally symmetric: to every slot there is one that leads back.

use crate::added::{Added, Entry, find_entry};
use crate::edge_lines::{EdgeLines, EdgeState};
use crate::entries::Entries;
use crate::limits::{ImageError, WorldView, needed};
use crate::lister::{Lister, Needed, ways};
use crate::mask_lister::MaskLister;
use crate::offsets::{FAR, List, Offsets, offset};
use crate::row_group::GROUP_NODES;
use crate::row_span::RowSpan;
use crate::rows::Rows;
use crate::schema::{DEGREE, NONE, PRICES};

/// One slot of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// Its number in the row.
    pub slot: u8,
    /// Its edge id.
    pub edge: usize,
    /// The node it leads to.
    pub head: u32,
}

/// Where a way goes on from a node, in 13 bits: nowhere, along the slot of a number or, where that
/// fits, to the node at an offset.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Onward(pub(crate) u16);

impl Onward {
    pub(crate) const BITS: u32 = 13;
    /// There is no way, or it is not known.
    pub(crate) const NOWHERE: Self = Self(0);
    /// Stands for slot 0; those of all slots follow, then those of offsets.
    const SLOTS: u16 = 1;
    const OFFSETS: u16 = Self::SLOTS + DEGREE as u16;
    const END: u16 = 1 << Self::BITS;
    /// Stands for offset 0.
    const HERE: u16 = Self::OFFSETS.midpoint(Self::END);

    #[inline(always)]
    pub(crate) fn new(node: u32, way: Way) -> Self {
        let near = way.head.wrapping_sub(node).wrapping_add(Self::HERE as u32);
        let fits = (Self::OFFSETS as u32..Self::END as u32).contains(&near);
        Self(if fits { near as u16 } else { Self::SLOTS + way.slot as u16 })
    }

    /// The next node, if it is at an offset.
    #[inline(always)]
    fn near(self, node: u32) -> Option<u32> {
        let next = node.wrapping_add(self.0 as u32).wrapping_sub(Self::HERE as u32);
        (self.0 >= Self::OFFSETS).then_some(next)
    }
}

/// A walk through a row, slot by slot: see [`Topology::step`].
#[derive(Clone, Copy)]
pub(crate) struct Walk {
    pub(crate) node: u32,
    edge: usize,
    end: usize,
    list: List,
    /// Where rows are masks: what is left of the node's.
    mask: u32,
    pub(crate) slot: u8,
    pub(crate) added: u32,
}

/// The rows of a partition.
pub struct Topology<'a> {
    pub(crate) rows: Rows<'a>,
    pub(crate) offsets: Offsets<'a>,
    pub(crate) edges: EdgeLines<'a>,
    /// Slots that the rows of the world have; added edges have ids from here on.
    pub(crate) slots: usize,
    pub(crate) far: &'a mut [Entry],
    pub(crate) added: &'a mut [Added],
    pub(crate) first_added: &'a mut [Entry],
}

impl Topology<'_> {
    /// Takes over a world's rows, which must have been checked.
    ///
    /// # Errors
    /// [`ImageError::Limits`]: there is not enough room for its offsets or its far heads.
    pub(crate) fn load(&mut self, world: &WorldView) -> Result<(), ImageError> {
        let masks = self.rows.are_masks();
        let needed = needed(world, masks, PRICES).ok_or(ImageError::Limits)?;
        let Needed { offsets, far } = needed;
        if offsets > self.offsets.0.len() || far >= self.far.len() {
            return Err(ImageError::Limits);
        }
        if masks {
            MaskLister::load(world, &mut self.rows.masks, &mut self.offsets);
        } else {
            self.load_numbers(world);
        }
        for (edge, &cost) in world.cost.iter().enumerate() {
            self.edges.reprice(edge, cost, |_, _| {});
            self.edges.set_state(edge, EdgeState { cost, heat: 0, closed: cost == 0 });
        }
        Ok(())
    }

    fn load_numbers(&mut self, world: &WorldView) {
        Lister::each(world, |group, lister| {
            self.rows.groups[group] = lister.write(&mut self.offsets);
            for (edge, tail, head) in ways(world, group) {
                let number = lister.number(tail, head);
                self.edges.set_number(edge, number);
                if number == FAR {
                    let at = find_entry(self.far, edge as u32);
                    self.far[at] = Entry::new(edge as u32, head);
                }
            }
        });
    }

    /// A node's row without the added edges.
    #[inline(always)]
    fn row(&self, node: u32) -> RowSpan {
        self.rows.row(node, &self.offsets)
    }

    /// Brings towards the cache where a node's row lies; does nothing when there is no such node.
    #[inline(always)]
    pub(crate) fn prefetch_group(&self, node: u32) {
        self.rows.prefetch(node);
    }

    /// Brings a node's row towards the cache, without the added edges; where it is.
    #[inline(always)]
    pub(crate) fn prefetch(&self, node: u32) -> RowSpan {
        let row = self.row(node);
        if self.rows.are_masks() {
            self.edges.prefetch_masked(row);
            self.offsets.prefetch_entries(Entries::of(row.list));
        } else {
            self.edges.prefetch(row);
            self.offsets.prefetch(row.list);
        }
        row
    }

    /// The edge `tail -> head` of the row at `row`, which is the tail's, if the head is not far.
    #[inline(always)]
    pub(crate) fn find_near(&self, row: RowSpan, tail: u32, head: u32) -> Option<u32> {
        if row.mask != 0 {
            let offset = head.wrapping_sub(tail).cast_signed();
            let bit = self.offsets.bit_of(Entries::of(row.list), row.mask, offset);
            let before = row.mask & bit.wrapping_sub(1);
            return (bit != 0).then(|| row.first() as u32 + before.count_ones());
        }
        let number = self.offsets.find(row.list, offset(tail, head)?)?;
        self.edges.find_number(row, number)
    }

    #[inline(always)]
    fn head(&self, tail: u32, edge: usize, list: List) -> u32 {
        let number = self.edges.number(edge);
        if number == FAR {
            return self.far_head(edge);
        }
        tail.wrapping_add_signed(self.offsets.get(list, number) as i32)
    }

    /// Where the edge leads that the lowest bit of a mask stands for.
    #[inline(always)]
    fn masked_head(&self, tail: u32, list: List, mask: u32) -> u32 {
        let entry = mask.trailing_zeros() as usize;
        tail.wrapping_add_signed(self.offsets.entry(Entries::of(list), entry))
    }

    /// Where edge number `slot` of a row leads, which it must have.
    #[inline(always)]
    fn head_in(&self, row: RowSpan, tail: u32, slot: usize) -> u32 {
        let edge = row.first() + slot;
        if row.mask == 0 {
            return self.head(tail, edge, row.list);
        }
        let mask = (0..slot).fold(row.mask, |mask, _| mask & mask.wrapping_sub(1));
        self.masked_head(tail, row.list, mask)
    }

    #[cold]
    #[inline(never)]
    fn far_head(&self, edge: usize) -> u32 {
        self.far[find_entry(self.far, edge as u32)].value()
    }

    /// A walk through all slots of a node, absent ones too.
    #[inline(always)]
    pub(crate) fn walk(&self, node: u32) -> Walk {
        let row = self.row(node);
        let added = if self.rows.has_added(node) { self.first_of(node) } else { NONE };
        let (edge, end, RowSpan { list, mask, .. }) = (row.first(), row.end(), row);
        Walk { node, edge, end, list, mask, slot: 0, added }
    }

    /// The next slot of a walk.
    #[inline(always)]
    pub(crate) fn step(&self, walk: &mut Walk) -> Option<Way> {
        let slot = walk.slot;
        if walk.edge < walk.end {
            let edge = walk.edge;
            (walk.edge, walk.slot) = (edge + 1, slot + 1);
            if walk.mask == 0 {
                return Some(Way { slot, edge, head: self.head(walk.node, edge, walk.list) });
            }
            let head = self.masked_head(walk.node, walk.list, walk.mask);
            walk.mask &= walk.mask - 1;
            return Some(Way { slot, edge, head });
        }
        if walk.added == NONE { None } else { Some(self.step_added(walk)) }
    }

    /// The slot `tail -> head`, absent or not.
    #[inline(always)]
    pub(crate) fn find(&self, tail: u32, head: u32) -> Option<Way> {
        let row = self.row(tail);
        if let Some(edge) = self.find_near(row, tail, head) {
            let edge = edge as usize;
            return Some(Way { slot: (edge - row.first()) as u8, edge, head });
        }
        self.find_slowly(tail, head)
    }

    #[cold]
    #[inline(never)]
    fn find_slowly(&self, tail: u32, head: u32) -> Option<Way> {
        let mut walk = self.walk(tail);
        while let Some(way) = self.step(&mut walk) {
            if way.head == head {
                return Some(way);
            }
        }
        None
    }

    /// The node where a way goes on.
    #[inline(always)]
    pub(crate) fn next(&self, node: u32, onward: Onward) -> u32 {
        let slot = || self.way(node, (onward.0 - Onward::SLOTS) as u8).head;
        onward.near(node).unwrap_or_else(slot)
    }

    /// The slot by which a way goes on.
    #[cold]
    #[inline(never)]
    pub(crate) fn way_on(&self, node: u32, onward: Onward) -> Way {
        let way = self.find(node, self.next(node, onward));
        way.expect("ways go on along slots of rows")
    }

    /// The slot of this number in a node's row.
    #[inline(always)]
    pub(crate) fn way(&self, node: u32, slot: u8) -> Way {
        let row = self.row(node);
        let edge = row.first() + slot as usize;
        if edge < row.end() {
            Way { slot, edge, head: self.head_in(row, node, slot as usize) }
        } else {
            self.added_way(node, slot)
        }
    }

    #[cold]
    #[inline(never)]
    fn added_way(&self, node: u32, slot: u8) -> Way {
        let mut walk = self.walk(node);
        loop {
            match self.step(&mut walk) {
                Some(way) if way.slot == slot => return way,
                Some(_) => {}
                None => unreachable!("fields hold slots of rows"),
            }
        }
    }

    /// The node that an edge leads from: a binary search, not for a move's way.
    pub(crate) fn tail(&self, edge: usize) -> u32 {
        if let Some(added) = edge.checked_sub(self.slots) {
            return self.added[added].tail;
        }
        let group = self.rows.group_of(edge);
        // The last node whose row begins at the edge or before.
        let mut tail = (group * GROUP_NODES) as u32;
        for step in [8, 4, 2, 1] {
            if self.row(tail + step).first() <= edge {
                tail += step;
            }
        }
        tail
    }

    /// The nodes that an edge leads from and to; see [`Self::tail`].
    pub(crate) fn ends(&self, edge: usize) -> (u32, u32) {
        let tail = self.tail(edge);
        match edge.checked_sub(self.slots) {
            Some(added) => (tail, self.added[added].head),
            None => {
                let row = self.row(tail);
                (tail, self.head_in(row, tail, edge - row.first()))
            }
        }
    }

    /// Slots in a node's row.
    pub(crate) fn degree(&self, node: u32) -> usize {
        let mut walk = self.walk(node);
        core::iter::from_fn(|| self.step(&mut walk)).count()
    }
}
