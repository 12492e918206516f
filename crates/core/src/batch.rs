//! Many records at once: memory is fetched ahead, so that a move does not wait for it.

use crate::apply::{Answer, Sink};
use crate::image::{Header, Partition};
use crate::memory::prefetch;
use crate::row_group::RowSpan;
use crate::schema::{NONE, Receipt, STAGES, kind};

/// Records between the first fetch for a record and its turn, and between the later ones.
const FAR: usize = 24;
const MIDDLE: usize = 16;
const NEAR: usize = 8;
/// More than lie between.
const WINDOW: usize = 32;

/// What is found out of a move before its turn.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    /// Where the index first points for the player: right nearly always, checked later.
    pub slot: u32,
    /// The row that the player leaves, if it is where the record says.
    pub row: RowSpan,
}

impl Found {
    const NOTHING: Self = Self { slot: NONE, row: RowSpan { start: 0, end: 0 } };
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
        self.run(records, sink, |_, _| {}, |_| false, answered);
    }

    /// Applies records of a log in a branch of its history: record `i` at position `positions[i]`,
    /// whether or not those before were taken. Both have the same length.
    pub fn replay<S: Sink>(
        &mut self,
        records: &[[u8; 64]],
        positions: &[u64],
        sink: &mut S,
        answered: impl FnMut(&mut S, &[u8; 64], &Answer, Option<&Receipt>),
    ) {
        let seek = |header: &mut Header, at: usize| header.position = positions[at] - 1;
        self.run(records, sink, seek, |_| false, answered);
    }

    /// Applies consecutive records of a log, the first at position `first`. Those whose numbers
    /// `struck` gives, in rising order, count as STRIKE: they take their player's number and do
    /// nothing else.
    pub fn replay_struck<S: Sink>(
        &mut self,
        records: &[[u8; 64]],
        first: u64,
        struck: impl Iterator<Item = usize>,
        sink: &mut S,
        answered: impl FnMut(&mut S, &[u8; 64], &Answer, Option<&Receipt>),
    ) {
        let seek = |header: &mut Header, at: usize| header.position = first + at as u64 - 1;
        let mut struck = struck.peekable();
        let is_struck = |at| struck.next_if_eq(&at).is_some();
        self.run(records, sink, seek, is_struck, answered);
    }

    #[inline(always)]
    fn run<S: Sink>(
        &mut self,
        records: &[[u8; 64]],
        sink: &mut S,
        seek: impl Fn(&mut Header, usize),
        mut is_struck: impl FnMut(usize) -> bool,
        mut answered: impl FnMut(&mut S, &[u8; 64], &Answer, Option<&Receipt>),
    ) {
        let mut found = [Found::NOTHING; WINDOW];
        records.iter().take(FAR).for_each(|ahead| self.fetch_index(ahead));
        for (found, ahead) in found.iter_mut().zip(records.iter().take(MIDDLE)) {
            *found = self.fetch_player(ahead);
        }
        for (&found, ahead) in found.iter().zip(records.iter().take(NEAR)) {
            self.fetch_page::<S>(ahead, found.slot);
        }
        for (at, record) in records.iter().enumerate() {
            if let Some(ahead) = records.get(at + FAR) {
                self.fetch_index(ahead);
            }
            if let Some(ahead) = records.get(at + MIDDLE) {
                found[(at + MIDDLE) % WINDOW] = self.fetch_player(ahead);
            }
            if let Some(ahead) = records.get(at + NEAR) {
                self.fetch_page::<S>(ahead, found[(at + NEAR) % WINDOW].slot);
            }
            seek(self.header, at);
            let strike;
            let record = if is_struck(at) {
                strike = as_strike(record);
                &strike
            } else {
                record
            };
            let answer = self.apply_found(record, found[at % WINDOW], sink);
            let receipt = self.receipt(&answer);
            answered(sink, record, &answer, receipt);
        }
    }

    /// First of what is fetched: where the player and its row are told.
    #[inline(always)]
    fn fetch_index(&self, raw: &[u8; 64]) {
        prefetch(self.index, self.bucket(word(raw, 8)));
        self.topology.prefetch_group(half(raw, 16));
    }

    /// Then the player and the row that it leaves; what was found out for that.
    #[inline(always)]
    pub(crate) fn fetch_player(&self, raw: &[u8; 64]) -> Found {
        let slot = self.index[self.bucket(word(raw, 8))];
        prefetch(self.players, slot as usize);
        let from = half(raw, 16);
        let known = from < self.header.nodes;
        let row = if known { self.topology.prefetch(from) } else { RowSpan::default() };
        Found { slot, row }
    }

    /// At last the field's page for the node that the player comes to, if an answer names it.
    #[inline(always)]
    fn fetch_page<S: Sink>(&self, raw: &[u8; 64], slot: u32) {
        let to = half(raw, 20);
        if !S::ANSWERS || to >= self.header.nodes {
            return;
        }
        if let Some(player) = self.players.get(slot as usize) {
            let owner = player.hunt as usize * STAGES + player.target as usize;
            if let Some(table) = self.guidance.table_of(owner) {
                self.guidance.prefetch(table, to);
            }
        }
    }
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
