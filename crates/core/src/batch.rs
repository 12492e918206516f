//! Many records at once: memory is fetched ahead, so that a move does not wait for it.

use core::ops::Range;

use crate::apply::{Answer, Sink};
use crate::guidance::Place;
use crate::history::{Recall, Step};
use crate::image::{Header, Partition};
use crate::memory::prefetch;
use crate::row_span::RowSpan;
use crate::schema::{Move, NONE, Receipt, STAGES, kind};

/// Records that are fetched for at a time: as many as the processor can wait for at once.
const GROUP: usize = 8;
/// Groups on their way: one at each step.
const STEPS: usize = 5;

/// Most slots whose next moves are fetched for in one call: a few microseconds.
pub const SLOTS_AT_ONCE: usize = 64;

/// What was found out for the groups that are on their way.
type Ahead = [[Found; GROUP]; STEPS];

/// What is found out of a move before its turn, so that looking for it is not waited for then.
/// Nothing that a batch does makes it wrong, but for the player's target.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    /// Where the index first points for the player: right nearly always, checked later.
    pub slot: u32,
    /// The row of the node that the record leaves.
    row: RowSpan,
    /// The edge of that row along which it goes, if the head is not far.
    pub edge: Option<u32>,
    /// Where the field of the player's target keeps the node that the record comes to.
    pub place: Place,
}

impl Default for Found {
    fn default() -> Self {
        Self { slot: NONE, row: RowSpan::EMPTY, edge: None, place: Place::UNKNOWN }
    }
}

impl Partition<'_> {
    /// Applies records in order, as [`Self::apply`] does one by one; `answered` gets each record,
    /// its answer and the receipt if there is one.
    pub fn apply_batch<S: Sink>(
        &mut self,
        records: &[[u8; 64]],
        sink: &mut S,
        answered: impl FnMut(&mut S, &[u8; 64], &Answer, Option<&Receipt>),
    ) {
        let ahead =
            |own: &Self, turn, found: &mut _| own.look_ahead(records, turn, found, S::ANSWERS);
        self.run(records, sink, ahead, |_, _| {}, |_| false, answered);
    }

    /// Applies records of a log in a branch of its history: record `i` at position `positions[i]`,
    /// whether or not those before were taken. Both have the same length. `recall` is of a head
    /// that has taken the log already: it saves the looking for players and edges.
    pub fn replay<S: Sink>(
        &mut self,
        records: &[[u8; 64]],
        positions: &[u64],
        recall: Option<&mut Recall>,
        sink: &mut S,
        answered: impl FnMut(&mut S, &[u8; 64], &Answer, Option<&Receipt>),
    ) {
        self.run_at(records, |at| positions[at], recall, |_| false, sink, answered);
    }

    /// Applies consecutive records of a log, the first at position `first`. Those whose numbers
    /// `struck` gives, in rising order, count as STRIKE: they take their player's number and do
    /// nothing else. `recall` is as for [`Self::replay`].
    pub fn replay_struck<S: Sink>(
        &mut self,
        records: &[[u8; 64]],
        first: u64,
        struck: impl Iterator<Item = usize>,
        recall: Option<&mut Recall>,
        sink: &mut S,
        answered: impl FnMut(&mut S, &[u8; 64], &Answer, Option<&Receipt>),
    ) {
        let mut struck = struck.peekable();
        let is_struck = |at| struck.next_if_eq(&at).is_some();
        self.run_at(records, |at| first + at as u64, recall, is_struck, sink, answered);
    }

    #[inline(always)]
    fn run_at<S: Sink>(
        &mut self,
        records: &[[u8; 64]],
        position: impl Fn(usize) -> u64,
        recall: Option<&mut Recall>,
        is_struck: impl FnMut(usize) -> bool,
        sink: &mut S,
        answered: impl FnMut(&mut S, &[u8; 64], &Answer, Option<&Receipt>),
    ) {
        let seek = |header: &mut Header, at| header.position = position(at) - 1;
        if let Some(recall) = recall {
            let ahead = |own: &Self, turn, found: &mut Ahead| {
                own.recall_ahead(records, turn, found, |at| recall.step(position(at)));
            };
            self.run(records, sink, ahead, seek, is_struck, answered);
        } else {
            let ahead = |own: &Self, turn, found: &mut Ahead| {
                own.look_ahead(records, turn, found, S::ANSWERS)
            };
            self.run(records, sink, ahead, seek, is_struck, answered);
        }
    }

    #[inline(always)]
    fn run<S: Sink>(
        &mut self,
        records: &[[u8; 64]],
        sink: &mut S,
        mut ahead: impl FnMut(&Self, usize, &mut Ahead),
        seek: impl Fn(&mut Header, usize),
        mut is_struck: impl FnMut(usize) -> bool,
        mut answered: impl FnMut(&mut S, &[u8; 64], &Answer, Option<&Receipt>),
    ) {
        assert!(S::JOURNAL || !self.journal.is_on(), "what has a journal keeps it");
        let mut found = Ahead::default();
        for turn in 0..records.len().div_ceil(GROUP) + STEPS - 1 {
            ahead(self, turn, &mut found);
            let Some(turn) = turn.checked_sub(STEPS - 1) else { continue };
            let group = group(records, turn).iter();
            for (at, (record, &found)) in group.zip(&found[turn % STEPS]).enumerate() {
                let at = turn * GROUP + at;
                seek(self.header, at);
                let strike;
                let record = if is_struck(at) {
                    strike = as_strike(record);
                    &strike
                } else {
                    record
                };
                // Two ways out, so that a plain step's answer goes on in registers.
                if let Some(answer) = self.stride(record, found, sink) {
                    answered(sink, record, &answer, None);
                } else {
                    let answer = self.apply_other(record, sink);
                    answered(sink, record, &answer, self.receipt(&answer));
                }
            }
        }
    }

    /// What a head found of a group's records, by its journal: of a step from the same node to the
    /// same one it is right here too, as the rows of a world do not change.
    #[inline(always)]
    fn recall_ahead(
        &self,
        records: &[[u8; 64]],
        turn: usize,
        found: &mut Ahead,
        mut recalled: impl FnMut(usize) -> Option<Step>,
    ) {
        let mine = group(records, turn).iter().zip(&mut found[turn % STEPS]);
        for (at, (record, found)) in mine.enumerate() {
            *found = Found::default();
            let ends = (half(record, 16), half(record, 20));
            let step = recalled(turn * GROUP + at).filter(|step| (step.node, step.head) == ends);
            let Some(step) = step else { continue };
            (found.slot, found.edge) = (step.slot as u32, Some(step.edge));
            prefetch(self.players, step.slot);
            self.topology.edges.prefetch_edge(step.edge as usize);
            self.warm.prefetch(step.edge as usize);
        }
    }

    /// Brings towards the caches what the next moves of the players in some slots will look at, as
    /// far as it is known where these stand: at most [`SLOTS_AT_ONCE`] of them. Changes nothing.
    pub fn fetch_next_moves(&self, slots: Range<usize>) {
        let mut records = [[0; 64]; SLOTS_AT_ONCE];
        let mut count = 0_usize;
        let slots = slots.start..slots.end.min(self.header.players as usize);
        let here = self.players.get(slots).unwrap_or_default().iter();
        for (record, player) in records.iter_mut().zip(here.filter(|player| player.present == 1)) {
            // Where it goes is not known: fields often have neighbours on one line.
            let (from, to) = (player.node, player.node);
            *record = Move { player: player.id, from, to, ..Move::default() }.encode();
            count += 1;
        }
        let mut found = Ahead::default();
        for turn in 0..count.div_ceil(GROUP) + STEPS - 1 {
            self.look_ahead(&records[..count], turn, &mut found, true);
        }
    }

    /// One step of each group that is on its way, the first one of the group that `turn` numbers.
    #[inline(always)]
    fn look_ahead(&self, records: &[[u8; 64]], turn: usize, found: &mut Ahead, answers: bool) {
        self.fetch_indexes(group(records, turn));
        let Some(turn) = turn.checked_sub(1) else { return };
        self.fetch_players(group(records, turn), &mut found[turn % STEPS]);
        let Some(turn) = turn.checked_sub(1) else { return };
        self.fetch_ways(group(records, turn), &mut found[turn % STEPS]);
        if answers {
            self.fetch_tables(group(records, turn), &mut found[turn % STEPS]);
            let Some(turn) = turn.checked_sub(1) else { return };
            self.fetch_places(group(records, turn), &mut found[turn % STEPS]);
        }
    }

    #[inline(never)]
    fn fetch_indexes(&self, group: &[[u8; 64]]) {
        for ahead in group {
            self.index.prefetch(word(ahead, 8));
            self.topology.prefetch_group(half(ahead, 16));
        }
    }

    #[inline(never)]
    fn fetch_players(&self, group: &[[u8; 64]], found: &mut [Found; GROUP]) {
        group.iter().zip(found).for_each(|(ahead, found)| self.find_player(ahead, found));
    }

    #[inline(never)]
    fn fetch_ways(&self, group: &[[u8; 64]], found: &mut [Found; GROUP]) {
        group.iter().zip(found).for_each(|(ahead, found)| self.find_way(ahead, found));
    }

    #[inline(never)]
    fn fetch_tables(&self, group: &[[u8; 64]], found: &mut [Found; GROUP]) {
        group.iter().zip(found).for_each(|(ahead, found)| self.find_table(ahead, found));
    }

    #[inline(never)]
    fn fetch_places(&self, group: &[[u8; 64]], found: &mut [Found; GROUP]) {
        group.iter().zip(found).for_each(|(ahead, found)| self.find_place(ahead, found));
    }

    /// All that is found out before a record's turn, at once.
    #[inline(always)]
    pub(crate) fn find_ahead(&self, raw: &[u8; 64]) -> Found {
        let mut found = Found::default();
        self.find_player(raw, &mut found);
        self.find_way(raw, &mut found);
        self.find_table(raw, &mut found);
        self.find_place(raw, &mut found);
        found
    }

    /// Brings the player and the row that it leaves towards the cache.
    #[inline(always)]
    fn find_player(&self, raw: &[u8; 64], found: &mut Found) {
        found.slot = self.index.guess(word(raw, 8));
        prefetch(self.players, found.slot as usize);
        let from = half(raw, 16);
        let known = from < self.header.nodes;
        found.row = if known { self.topology.prefetch(from) } else { RowSpan::EMPTY };
    }

    /// Finds the edge, and brings the note that it is warm towards the cache.
    #[inline(always)]
    fn find_way(&self, raw: &[u8; 64], found: &mut Found) {
        found.edge = self.topology.find_near(found.row, half(raw, 16), half(raw, 20));
        self.warm.prefetch(found.row.first());
    }

    /// Finds the table of the field of the player's target, and brings its entry for the node that
    /// the player comes to towards the cache.
    #[inline(always)]
    fn find_table(&self, raw: &[u8; 64], found: &mut Found) {
        let to = half(raw, 20);
        found.place = Place::UNKNOWN;
        let Some(player) = self.players.get(found.slot as usize) else { return };
        let owner = player.hunt as usize * STAGES + player.target as usize;
        if let Some(table) = self.guidance.table_of(owner).filter(|_| to < self.header.nodes) {
            found.place.table = table;
            self.guidance.prefetch_entry(table, to);
        }
    }

    /// Brings the field's numbers for that node towards the cache.
    #[inline(always)]
    fn find_place(&self, raw: &[u8; 64], found: &mut Found) {
        if found.place.table != NONE {
            let to = half(raw, 20);
            found.place = self.guidance.place(found.place.table, to);
            self.guidance.prefetch(found.place, to);
        }
    }
}

/// The records of a group: fewer or none at the end.
#[inline(always)]
fn group(records: &[[u8; 64]], turn: usize) -> &[[u8; 64]] {
    let start = records.len().min(turn * GROUP);
    &records[start..records.len().min(start + GROUP)]
}

/// The same record as a STRIKE.
#[cold]
fn as_strike(raw: &[u8; 64]) -> [u8; 64] {
    let mut strike = *raw;
    strike[0] = kind::STRIKE;
    strike
}

#[inline(always)]
fn half(raw: &[u8; 64], at: usize) -> u32 {
    u32::from_le_bytes([raw[at], raw[at + 1], raw[at + 2], raw[at + 3]])
}

#[inline(always)]
fn word(raw: &[u8; 64], at: usize) -> u64 {
    half(raw, at) as u64 | (half(raw, at + 4) as u64) << 32
}
