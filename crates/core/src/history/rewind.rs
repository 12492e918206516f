//! Going back: what the journal kept is put back, newest first.

use super::journal::{COOL, COPY, EDGES, Entry, Journal, Kept, START, STEP, Step};
use super::recall::Bookmark;
use super::touched::Touched;
use crate::edge_lines::EdgeState;
use crate::image::Partition;
use crate::memory::prefetch;

/// Entries by which memory is fetched ahead.
const AHEAD: u64 = 16;

/// Why a partition cannot be taken back so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewindError {
    /// The journal does not reach back so far: this is the first position that it reaches.
    TooFar(u64),
}

impl core::fmt::Display for RewindError {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self::TooFar(position) = self;
        write!(out, "the journal reaches back to position {position} only")
    }
}

impl Partition<'_> {
    /// Takes this partition back to what it was after the record at `position`, with its own
    /// journal, which then ends there.
    ///
    /// # Errors
    /// [`RewindError::TooFar`]; the partition then stands at the position named.
    pub fn rewind(&mut self, position: u64) -> Result<(), RewindError> {
        self.by_own_journal(|header_position, _| header_position > position)
    }

    /// Takes back all records since the journal's `next` was `mark`.
    ///
    /// # Errors
    /// [`RewindError::TooFar`] when the journal does not reach back so far; nothing is changed.
    pub fn undo_to(&mut self, mark: u64) -> Result<(), RewindError> {
        if mark < self.journal.kept().oldest {
            return Err(RewindError::TooFar(self.header.position));
        }
        self.by_own_journal(|_, at| at > mark)
    }

    fn by_own_journal(&mut self, goes_on: impl Fn(u64, u64) -> bool) -> Result<(), RewindError> {
        let entries = core::mem::take(&mut self.journal.entries);
        let kept = Kept::new(self.journal.marks, entries);
        let (at, outcome) = self.walk_back(kept, goes_on, |_| {});
        self.journal.entries = entries;
        self.journal.cut(at);
        outcome
    }

    /// Takes this partition, whose state is that of another one, back to what the other was after
    /// the record at `position`; the journal is the other's. `touched` gets what changed on the
    /// way. Gives where that journal goes on from there.
    ///
    /// # Errors
    /// [`RewindError::TooFar`]; the partition then stands at the position named.
    pub fn rewind_by(
        &mut self,
        journal: &Journal,
        position: u64,
        touched: &mut Touched,
    ) -> Result<Bookmark, RewindError> {
        let goes_on = |header_position, _| header_position > position;
        let (entry, outcome) = self.walk_back(journal.kept(), goes_on, |entry| touched.add(entry));
        outcome.map(|()| Bookmark { entry, position: self.header.position + 1 })
    }

    /// Puts back record after record, the last one first, while `goes_on` says so of the position
    /// and the number behind the last entry; gives that number. `seen` gets each entry.
    #[inline(always)]
    fn walk_back(
        &mut self,
        kept: Kept,
        goes_on: impl Fn(u64, u64) -> bool,
        mut seen: impl FnMut(&Entry),
    ) -> (u64, Result<(), RewindError>) {
        let (mut at, floor) = (kept.next, kept.oldest_record());
        let (mut position, mut cells) = (self.header.position, self.header.cells);
        let mut outcome = Ok(());
        while goes_on(position, at) {
            if at <= floor {
                outcome = Err(RewindError::TooFar(position));
                break;
            }
            (position, cells) = loop {
                self.fetch_ahead(kept.entry(at.wrapping_sub(AHEAD)));
                at -= 1;
                let entry = kept.entry(at);
                // Nearly all are steps, and looked at once.
                if entry.tag() == STEP {
                    seen(entry);
                    break (position - 1, self.put_step(entry.step()));
                }
                seen(entry);
                match entry.tag() {
                    START => break entry.start(),
                    COOL => self.put_heats(entry),
                    _ => self.put_back(entry),
                }
            };
        }
        (self.header.position, self.header.cells) = (position, cells);
        (at, outcome)
    }

    /// Puts back the heats of a line of edges.
    #[inline(always)]
    fn put_heats(&mut self, entry: &Entry) {
        self.topology.edges.set_heats(entry.number(), entry.heats());
        self.warm.note_line(entry.number());
    }

    /// Puts back what a rarer entry kept.
    #[inline(never)]
    fn put_back(&mut self, entry: &Entry) {
        match entry.tag() {
            EDGES => entry.edges().rev().for_each(|(edge, state)| self.put_edge(edge, state)),
            COPY => self.put_words(entry),
            _ => {}
        }
    }

    /// Puts back a plain step, which closes and opens no edge; the sum of the cells before it.
    #[inline(always)]
    fn put_step(&mut self, step: Step) -> u64 {
        let Step { slot, node, last_position, edge, heat, cells, head: _ } = step;
        let player = &mut self.players[slot];
        player.seq -= 1;
        (player.node, player.last_position) = (node, last_position);
        self.topology.edges.set_heat(edge as usize, heat);
        self.note_heat(edge as usize, heat);
        cells
    }

    /// Fetches what an entry some way ahead will put back.
    #[inline(always)]
    fn fetch_ahead(&self, entry: &Entry) {
        prefetch(self.players, entry.number());
        self.topology.edges.prefetch_line(entry.line());
    }

    /// Gives an edge a former state; the hash is put back on its own.
    fn put_edge(&mut self, edge: usize, state: EdgeState) {
        self.topology.edges.set_state(edge, state);
        self.note_heat(edge, state.heat);
    }
}
