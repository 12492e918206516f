//! The rows: which edges lead from a node, and where to.
//!
//! A node's row is a run of slots, numbered through; that number is the edge's id. Twelve bytes say
//! where the rows of eight nodes begin and how long each is. A slot holds the difference between
//! head and tail, which fits 16 bits wherever near nodes have near numbers; the heads of the others
//! stand in a small hash table. Beside the difference stands what else is known of an edge
//! ([`EdgeLines`]).
//! Edges added to a running world have ids behind all rows and are chained by tail.
//! Rows are structurally symmetric: to every slot there is one that leads back.

use crate::added::{Added, Entry, find_entry};
use crate::edge_lines::{EdgeLines, FAR, RowSpan, Spot};
use crate::limits::WorldView;
use crate::memory::prefetch;
use crate::row_group::{GROUP_NODES, RowGroup};
use crate::schema::{DEGREE, NONE};

/// Least difference from tail to head that counts as near.
const NEAREST: i32 = Onward::SLOTS as i32 + DEGREE as i32;

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

/// Where a way goes on from a node, in 16 bits: the next node less this one or, where that does not
/// fit, the slot that leads there.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Onward(i16);

impl Onward {
    /// There is no way, or it is not known.
    pub(crate) const NOWHERE: Self = Self(i16::MIN);
    /// Stands for slot 0.
    const SLOTS: i16 = i16::MIN + 1;

    #[inline(always)]
    pub(crate) fn new(node: u32, way: Way) -> Self {
        Self(difference(node, way.head).unwrap_or(Self::SLOTS + way.slot as i16))
    }
}

/// A walk through a row, slot by slot: see [`Topology::step`].
#[derive(Clone, Copy)]
pub(crate) struct Walk {
    pub(crate) node: u32,
    edge: usize,
    end: usize,
    pub(crate) slot: u8,
    pub(crate) added: u32,
}

/// The rows of a partition.
pub struct Topology<'a> {
    pub(crate) rows: &'a mut [RowGroup],
    pub(crate) edges: EdgeLines<'a>,
    /// Slots that the rows of the world have; added edges have ids from here on.
    pub(crate) slots: usize,
    pub(crate) far: &'a mut [Entry],
    pub(crate) added: &'a mut [Added],
    pub(crate) first_added: &'a mut [Entry],
}

/// Slots of `world` whose heads do not fit 16 bits.
pub(crate) fn count_far(world: &WorldView) -> usize {
    let rows = world.first.windows(2).enumerate();
    rows.map(|(node, row)| {
        let heads = world.head.get(row[0] as usize..row[1] as usize).unwrap_or(&[]);
        heads.iter().filter(|&&head| difference(node as u32, head).is_none()).count()
    })
    .sum()
}

/// Head less tail where that is near; the numbers below stand for slots ([`Onward`]).
#[inline(always)]
fn difference(tail: u32, head: u32) -> Option<i16> {
    let difference = head.wrapping_sub(tail) as i32;
    (NEAREST..=i16::MAX as i32).contains(&difference).then_some(difference as i16)
}

impl Topology<'_> {
    /// Takes over a world's rows, which must have been checked.
    pub(crate) fn load(&mut self, world: &WorldView) {
        let nodes = world.first.len() - 1;
        for (group, node) in self.rows.iter_mut().zip((0..nodes).step_by(GROUP_NODES)) {
            let firsts = &world.first[node..=nodes.min(node + GROUP_NODES)];
            group.load(firsts);
        }
        for node in 0..nodes as u32 {
            for edge in world.first[node as usize]..world.first[node as usize + 1] {
                let head = world.head[edge as usize];
                let near = difference(node, head).unwrap_or_else(|| {
                    let at = find_entry(self.far, edge);
                    self.far[at] = Entry::new(edge, head);
                    FAR
                });
                self.edges.set_near(edge as usize, near);
                let cost = world.cost[edge as usize];
                self.edges.set_weight(edge as usize, cost);
                self.edges.set_closed(edge as usize, cost == 0);
            }
        }
    }

    /// Edges of a node's row without the added ones, and whether there are added ones.
    #[inline(always)]
    fn row(&self, node: u32) -> (usize, usize, bool) {
        self.rows[node as usize / GROUP_NODES].row(node as usize % GROUP_NODES)
    }

    /// Brings towards the cache where a node's row lies; does nothing when there is no such node.
    #[inline(always)]
    pub(crate) fn prefetch_group(&self, node: u32) {
        prefetch(self.rows, node as usize / GROUP_NODES);
    }

    /// Brings a node's row towards the cache, without the added edges; where it is.
    #[inline(always)]
    pub(crate) fn prefetch(&self, node: u32) -> RowSpan {
        let (start, end, _) = self.row(node);
        let row = RowSpan::new(start, end);
        self.edges.prefetch(row);
        row
    }

    /// The slot `tail -> head` among the near ones of the row at `row`, which is the tail's.
    #[inline(always)]
    pub(crate) fn find_near(&self, row: RowSpan, tail: u32, head: u32) -> Option<Spot> {
        self.edges.find_near(row, difference(tail, head)?)
    }

    /// Whether the edge of a spot, which is in the row of `tail`, leads to a near `head`.
    #[inline(always)]
    pub(crate) fn leads(&self, spot: Spot, tail: u32, head: u32) -> bool {
        difference(tail, head).is_some_and(|wanted| self.edges.near_at(spot) == Some(wanted))
    }

    #[inline(always)]
    fn head(&self, tail: u32, edge: usize) -> u32 {
        let near = self.edges.near(edge);
        if near == FAR { self.far_head(edge) } else { tail.wrapping_add_signed(near as i32) }
    }

    #[cold]
    #[inline(never)]
    fn far_head(&self, edge: usize) -> u32 {
        self.far[find_entry(self.far, edge as u32)].value()
    }

    /// A walk through all slots of a node, absent ones too.
    #[inline(always)]
    pub(crate) fn walk(&self, node: u32) -> Walk {
        let (edge, end, more) = self.row(node);
        let added = if more { self.first_of(node) } else { NONE };
        Walk { node, edge, end, slot: 0, added }
    }

    /// The next slot of a walk.
    #[inline(always)]
    pub(crate) fn step(&self, walk: &mut Walk) -> Option<Way> {
        let slot = walk.slot;
        if walk.edge < walk.end {
            let edge = walk.edge;
            (walk.edge, walk.slot) = (edge + 1, slot + 1);
            return Some(Way { slot, edge, head: self.head(walk.node, edge) });
        }
        if walk.added == NONE { None } else { Some(self.step_added(walk)) }
    }

    /// The slot `tail -> head`, absent or not.
    #[inline(always)]
    pub(crate) fn find(&self, tail: u32, head: u32) -> Option<Way> {
        let (start, end, more) = self.row(tail);
        if let Some(wanted) = difference(tail, head) {
            if let Some(spot) = self.edges.find_near(RowSpan::new(start, end), wanted) {
                let edge = spot.edge();
                return Some(Way { slot: (edge - start) as u8, edge, head });
            }
            if !more {
                return None;
            }
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
        if onward.0 as i32 >= NEAREST {
            return node.wrapping_add_signed(onward.0 as i32);
        }
        self.way(node, (onward.0 - Onward::SLOTS) as u8).head
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
        let (start, end, _) = self.row(node);
        let edge = start + slot as usize;
        if edge < end {
            Way { slot, edge, head: self.head(node, edge) }
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
        let group = self.rows.partition_point(|group| group.first() <= edge) - 1;
        let mut ends = (0..GROUP_NODES).map(|at| self.rows[group].row(at).1);
        let at = ends.position(|end| edge < end).expect("the next group begins behind the edge");
        (group * GROUP_NODES + at) as u32
    }

    /// The nodes that an edge leads from and to; see [`Self::tail`].
    pub(crate) fn ends(&self, edge: usize) -> (u32, u32) {
        let tail = self.tail(edge);
        match edge.checked_sub(self.slots) {
            Some(added) => (tail, self.added[added].head),
            None => (tail, self.head(tail, edge)),
        }
    }

    /// Slots in a node's row.
    pub(crate) fn degree(&self, node: u32) -> usize {
        let mut walk = self.walk(node);
        core::iter::from_fn(|| self.step(&mut walk)).count()
    }
}
