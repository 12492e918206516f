//! Where edges lead, in seven bits each.
//!
//! An edge's offset is its head less its tail. Near nodes have near numbers, and worlds are built
//! of alike pieces: so the rows of many groups have a few offsets between them, which stand in one
//! list, and an edge keeps the number that its offset has there. A group whose rows need more has a
//! list of its own, or two; a head that fits no list, or lies further away than 16 bits, is far. In
//! grids all lists together take 0.05 bytes an edge, in maps of roads 0.3. Which list holds what is
//! the [`lister`](crate::lister)'s to say.

use crate::memory::{equal_offsets, prefetch};
use crate::row_group::GROUP_NODES;

/// Most offsets of a list that groups share: as many as are compared at once.
pub(crate) const SHARED: usize = 32;
/// Most offsets of a list: their numbers fit seven bits.
pub(crate) const OWN: usize = 127;
/// Stands for the number of an offset that is in no list, in blank memory too.
pub(crate) const FAR: u8 = 0;
/// Blank offsets behind the last list, so that a look at a whole list never leads beyond the end.
pub(crate) const BLANK: usize = SHARED * OWN.div_ceil(SHARED);
/// Words in front of a wide group's two lists: two degrees in each, then how long the lists are.
pub(crate) const HEADER: usize = GROUP_NODES / 2 + 2;
/// Most offsets of all lists: where one starts is told in 29 bits.
pub(crate) const OFFSETS: usize = 1 << 29;

/// A head less its tail, if that fits 16 bits.
#[inline(always)]
pub(crate) fn offset(tail: u32, head: u32) -> Option<i16> {
    i16::try_from(head.wrapping_sub(tail).cast_signed()).ok()
}

/// A list, in 30 bits: any of them are one.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List(pub(crate) u32);

impl List {
    /// No offset of any edge.
    pub(crate) const NONE: Self = Self(0);

    /// A list of so many, the first of which stands behind `start`.
    pub(crate) fn new(start: usize, len: usize) -> Self {
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

/// What is told in front of a wide group's lists.
pub(crate) struct Wide {
    pub(crate) degrees: [u8; GROUP_NODES],
    /// How long the lists of both halves are, which follow.
    pub(crate) lens: [usize; 2],
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

    /// Takes over what is told of a wide group at a place.
    pub(crate) fn set_wide(&mut self, place: List, wide: &Wide) {
        let mut words = [0; HEADER];
        for (word, pair) in words.iter_mut().zip(wide.degrees.chunks_exact(2)) {
            *word = i16::from_le_bytes([pair[0], pair[1]]);
        }
        words[HEADER - 2..].copy_from_slice(&wide.lens.map(|len| len as i16));
        self.set(place, &words);
    }

    /// Of node `at` of the wide group at a place: the slots of the rows before its own, its own
    /// slots, and the list of its offsets.
    #[cold]
    #[inline(never)]
    pub(crate) fn wide(&self, place: List, at: usize) -> (usize, usize, List) {
        let words = &self.0[place.start() + 1..][..HEADER];
        let degree = |at: usize| words[at / 2].to_le_bytes()[at % 2] as usize;
        let [len, other] = [words[HEADER - 2], words[HEADER - 1]].map(|len| len as usize);
        let start = place.start() + HEADER;
        let first = at < GROUP_NODES / 2;
        let list = if first { List::new(start, len) } else { List::new(start + len, other) };
        ((0..at).map(degree).sum(), degree(at), list)
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
