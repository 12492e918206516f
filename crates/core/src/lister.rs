//! Puts the offsets of a world's groups into lists, group by group.

use crate::limits::WorldView;
use crate::offsets::{BLANK, FAR, HEADER, List, OWN, Offsets, SHARED, Wide, offset};
use crate::row_group::{GROUP_NODES, NARROW, RowGroup};

/// An edge's id, its tail and its head.
pub(crate) type Way = (usize, u32, u32);

/// The lists of one group.
pub(crate) struct Lister {
    /// The list that it shares or has; of a wide group, those of its halves.
    lists: [Listed; 2],
    wide: bool,
    first: u32,
    degrees: [u8; GROUP_NODES],
}

impl Lister {
    /// Calls `each` with the number of each group of a world and what there is to tell of it.
    pub(crate) fn each(world: &WorldView, mut each: impl FnMut(usize, &Self)) -> Self {
        let lists = [Listed::at(0), Listed::at(0)];
        let mut lister = Self { lists, wide: false, first: 0, degrees: [0; GROUP_NODES] };
        let groups = world.first.len().saturating_sub(1).div_ceil(GROUP_NODES);
        for group in 0..groups {
            lister.take(world, group);
            each(group, &lister);
        }
        lister
    }

    /// Goes on to the next group: its offsets join the list if that stays short enough. A group
    /// with a row that is too long, or with more offsets than a list has, gets two of its own.
    fn take(&mut self, world: &WorldView, group: usize) {
        let firsts = &world.first[group * GROUP_NODES..];
        let mut lengths = firsts.windows(2).map(|row| (row[1] - row[0]) as u8);
        self.first = firsts[0];
        self.degrees = core::array::from_fn(|_| lengths.next().unwrap_or(0));
        let narrow = self.degrees.iter().all(|&degree| degree <= NARROW);
        if narrow && !self.wide && self.lists[0].join(ways(world, group), SHARED) {
            return;
        }
        let end = self.end();
        self.lists[0] = Listed::at(end);
        self.wide = !(narrow && self.lists[0].join(ways(world, group), OWN));
        if self.wide {
            let half = |(_, tail, _): &Way| *tail as usize % GROUP_NODES / (GROUP_NODES / 2);
            self.lists[0] = Listed::at(end + HEADER);
            self.lists[0].join(ways(world, group).filter(|way| half(way) == 0), OWN);
            self.lists[1] = Listed::at(self.lists[0].end());
            self.lists[1].join(ways(world, group).filter(|way| half(way) == 1), OWN);
        }
    }

    /// Where the next list can begin.
    fn end(&self) -> usize {
        self.lists[self.wide as usize].end()
    }

    /// Takes over what there is to tell of the group's offsets; the group.
    pub(crate) fn write(&self, offsets: &mut Offsets) -> RowGroup {
        let [one, other] = &self.lists;
        offsets.set(one.list(), one.listed());
        if !self.wide {
            return RowGroup::narrow(self.first, one.list(), self.degrees);
        }
        offsets.set(other.list(), other.listed());
        let place = List::new(one.start - HEADER, 0);
        offsets.set_wide(place, &Wide { degrees: self.degrees, lens: [one.len, other.len] });
        RowGroup::wide(self.first, place)
    }

    /// The number of an edge's offset, [`FAR`] when it has none.
    pub(crate) fn number(&self, tail: u32, head: u32) -> u8 {
        let later = self.wide && tail as usize % GROUP_NODES >= GROUP_NODES / 2;
        self.lists[later as usize].number(tail, head)
    }
}

/// A list that is being made.
struct Listed {
    offsets: [i16; OWN],
    len: usize,
    start: usize,
}

impl Listed {
    /// An empty one.
    fn at(start: usize) -> Self {
        Self { offsets: [0; OWN], len: 0, start }
    }

    /// Adds what is missing of the offsets of edges, `most` in all. `false`: that does not do for
    /// all, and the list is as it was, or full where that is as many as there can be.
    fn join(&mut self, mut ways: impl Iterator<Item = Way>, most: usize) -> bool {
        let before = self.len;
        let all = ways.all(|(_, tail, head)| {
            offset(tail, head).is_none_or(|offset| {
                let known = self.listed().contains(&offset);
                if !known && self.len < most {
                    self.offsets[self.len] = offset;
                    self.len += 1;
                    return true;
                }
                known
            })
        });
        if !all && most < OWN {
            self.len = before;
        }
        all
    }

    fn listed(&self) -> &[i16] {
        &self.offsets[..self.len]
    }

    fn list(&self) -> List {
        List::new(self.start, self.len)
    }

    fn end(&self) -> usize {
        self.start + self.len
    }

    fn number(&self, tail: u32, head: u32) -> u8 {
        let offset = offset(tail, head);
        let at = offset.and_then(|offset| self.listed().iter().position(|&other| other == offset));
        at.map_or(FAR, |at| at as u8 + 1)
    }
}

/// Edges of the rows of a group.
pub(crate) fn ways<'w>(world: &WorldView<'w>, group: usize) -> impl Iterator<Item = Way> + 'w {
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
            let numbers = ways(world, group).map(|(_, tail, head)| lister.number(tail, head));
            far += numbers.filter(|&number| number == FAR).count();
        });
        Self { offsets: 1 + last.end() + BLANK, far }
    }
}
