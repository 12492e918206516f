//! Where edges lead, in seven bits each.
//!
//! An edge's offset is its head less its tail. Near nodes have near numbers, and worlds are built
//! of alike pieces: so the rows of many groups have a few offsets between them, which stand in one
//! list, and an edge keeps the number that its offset has there. A group whose rows need more has a
//! list of its own; a head that fits no list, or lies further away than 16 bits, is far. In grids
//! all lists together take 0.05 bytes an edge, in maps of roads 0.4.

use crate::limits::WorldView;
use crate::memory::{equal_offsets, prefetch};
use crate::row_group::GROUP_NODES;

/// Most offsets of a list that groups share: as many as are compared at once.
pub(crate) const SHARED: usize = 32;
/// Most offsets of the list of one group: their numbers fit seven bits.
const OWN: usize = 127;
/// Stands for the number of an offset that is in no list, in blank memory too.
pub(crate) const FAR: u8 = 0;
/// Blank offsets behind the last list, so that a look at a whole list never leads beyond the end.
const BLANK: usize = SHARED * OWN.div_ceil(SHARED);

/// A head less its tail, if that fits 16 bits.
#[inline(always)]
pub(crate) fn offset(tail: u32, head: u32) -> Option<i16> {
    i16::try_from(head.wrapping_sub(tail).cast_signed()).ok()
}

/// Which list a group's offsets stand in: any word is one.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List(u32);

impl List {
    /// No offset of any edge.
    pub(crate) const NONE: Self = Self(0);

    /// A list of so many, the first of which stands behind `start`.
    fn new(start: usize, len: usize) -> Self {
        Self((start as u32) << 1 | (len > SHARED) as u32)
    }

    /// Where it begins: its offset number `n` stands `n` further.
    #[inline(always)]
    fn start(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// Whether one look does not do.
    #[inline(always)]
    fn is_long(self) -> bool {
        self.0 & 1 == 1
    }
}

/// The lists of all groups, one behind the other, behind a blank offset.
pub(crate) struct Offsets<'a>(pub(crate) &'a mut [i16]);

impl Offsets<'_> {
    /// The offset with a number that is not [`FAR`].
    #[inline(always)]
    pub(crate) fn get(&self, list: List, number: u8) -> i16 {
        self.0[list.start() + number as usize]
    }

    /// Brings a list towards the cache: two lines, which shared ones do not go beyond.
    #[inline(always)]
    pub(crate) fn prefetch(&self, list: List) {
        prefetch(self.0, list.start() + 1);
        prefetch(self.0, list.start() + SHARED);
    }

    /// Takes over a list.
    pub(crate) fn set(&mut self, list: List, offsets: &[i16]) {
        self.0[list.start() + 1..][..offsets.len()].copy_from_slice(offsets);
    }

    /// The number of an offset, if the list has it. Offsets of the next list may be found as well:
    /// no edge of the group has their numbers.
    #[inline(always)]
    pub(crate) fn find(&self, list: List, offset: i16) -> Option<u8> {
        let found = self.look(list.start() + 1, offset);
        if found != 0 {
            return Some(found.trailing_zeros() as u8 + 1);
        }
        if list.is_long() { self.find_further(list, offset) } else { None }
    }

    #[inline(never)]
    fn find_further(&self, list: List, offset: i16) -> Option<u8> {
        let looks = (1 + SHARED..=OWN).step_by(SHARED);
        let mut found = looks.map(|at| (at, self.look(list.start() + at, offset)));
        let (at, bits) = found.find(|&(_, bits)| bits != 0)?;
        let number = at + bits.trailing_zeros() as usize;
        (number <= OWN).then_some(number as u8)
    }

    /// Bit per offset from `start` on: whether it is the wanted one.
    #[inline(always)]
    fn look(&self, start: usize, wanted: i16) -> u32 {
        let window = self.0.get(start..).and_then(|rest| rest.first_chunk::<SHARED>());
        window.map_or(0, |window| equal_offsets(window, wanted))
    }
}

/// Puts the offsets of a world's groups into lists, group by group.
pub(crate) struct Lister {
    /// The list of the last group, and how many it has.
    offsets: [i16; OWN],
    len: usize,
    start: usize,
}

impl Lister {
    /// Calls `each` with the number of each group of a world and the list that it shares or has.
    pub(crate) fn each(world: &WorldView, mut each: impl FnMut(usize, &Self)) -> Self {
        let mut lister = Self { offsets: [0; OWN], len: 0, start: 0 };
        let groups = world.first.len().saturating_sub(1).div_ceil(GROUP_NODES);
        for group in 0..groups {
            lister.take(world, group);
            each(group, &lister);
        }
        lister
    }

    /// Goes on to the next group: its offsets join the list if that stays short enough.
    fn take(&mut self, world: &WorldView, group: usize) {
        let before = self.len;
        if !self.join(world, group, SHARED) {
            // What is already told of the list stays as it is.
            (self.start, self.len) = (self.start + before, 0);
            self.join(world, group, OWN);
        }
    }

    /// Adds those that are missing, `most` in all; `false`: that does not do for all.
    fn join(&mut self, world: &WorldView, group: usize, most: usize) -> bool {
        let mut offsets = ways(world, group).filter_map(|(_, tail, head)| offset(tail, head));
        offsets.all(|offset| {
            let known = self.listed().contains(&offset);
            if !known && self.len < most {
                self.offsets[self.len] = offset;
                self.len += 1;
                return true;
            }
            known
        })
    }

    /// The offsets of the list.
    pub(crate) fn listed(&self) -> &[i16] {
        &self.offsets[..self.len]
    }

    /// Where it stands.
    pub(crate) fn list(&self) -> List {
        List::new(self.start, self.len)
    }

    /// The number of an edge's offset, [`FAR`] when it has none.
    pub(crate) fn number(&self, tail: u32, head: u32) -> u8 {
        let offset = offset(tail, head);
        let at = offset.and_then(|offset| self.listed().iter().position(|&other| other == offset));
        at.map_or(FAR, |at| at as u8 + 1)
    }
}

/// Edges, tails and heads of the rows of a group.
pub(crate) fn ways<'w>(
    world: &WorldView<'w>,
    group: usize,
) -> impl Iterator<Item = (usize, u32, u32)> + 'w {
    let (firsts, heads) = (world.first, world.head);
    let nodes = group * GROUP_NODES..(firsts.len() - 1).min((group + 1) * GROUP_NODES);
    nodes.flat_map(move |node| {
        let row = firsts[node] as usize..firsts[node + 1] as usize;
        let heads = heads.get(row.clone()).unwrap_or(&[]);
        row.zip(heads).map(move |(edge, &head)| (edge, node as u32, head))
    })
}

/// How much room a world's heads need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needed {
    /// Offsets of all lists.
    pub offsets: usize,
    /// Heads that are far.
    pub far: usize,
}

impl Needed {
    pub(crate) fn of(world: &WorldView) -> Self {
        let mut far = 0;
        let last = Lister::each(world, |group, lister| {
            let mut numbers = ways(world, group).map(|(_, tail, head)| lister.number(tail, head));
            far += numbers.by_ref().filter(|&number| number == FAR).count();
        });
        Self { offsets: 1 + last.start + last.len + BLANK, far }
    }
}
