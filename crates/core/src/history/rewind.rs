//! Going back: what the journal kept is put back, newest first.

use super::journal::{COPY, EdgeValue, Entry, Journal, MORE, START, STEP};
use super::touched::Touched;
use crate::edge_lines::LINE_EDGES;
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
        let mut at = self.journal.marks.next;
        let outcome =
            self.walk_back(position, &mut at, &|own, at| own.journal.entry(at), &mut |_| {});
        self.journal.cut(at);
        outcome
    }

    /// Takes back all records since the journal's `next` was `mark`.
    ///
    /// # Errors
    /// [`RewindError::TooFar`] when the journal does not reach back so far; nothing is changed.
    pub fn undo_to(&mut self, mark: u64) -> Result<(), RewindError> {
        if mark < self.journal.oldest() {
            return Err(RewindError::TooFar(self.header.position));
        }
        let mut at = self.journal.marks.next;
        while at > mark {
            self.put_back(&mut at, &|own, at| own.journal.entry(at), &mut |_| {});
        }
        self.journal.cut(at);
        Ok(())
    }

    /// Takes this partition, whose state is that of another one, back to what the other was after
    /// the record at `position`; the journal is the other's. `touched` gets what changed on the
    /// way.
    ///
    /// # Errors
    /// [`RewindError::TooFar`]; the partition then stands at the position named.
    pub fn rewind_by(
        &mut self,
        journal: &Journal,
        position: u64,
        touched: &mut Touched,
    ) -> Result<(), RewindError> {
        let mut at = journal.marks.next;
        let read = |_: &Self, at| journal.entry(at);
        self.walk_back(position, &mut at, &read, &mut |entry| touched.add(entry))
    }

    fn walk_back(
        &mut self,
        position: u64,
        at: &mut u64,
        read: &impl Fn(&Self, u64) -> Option<Entry>,
        seen: &mut impl FnMut(&Entry),
    ) -> Result<(), RewindError> {
        while self.header.position > position {
            if !self.is_whole(*at, read) {
                return Err(RewindError::TooFar(self.header.position));
            }
            while !self.put_back(at, read, seen) {}
        }
        Ok(())
    }

    /// Whether the record whose last entry is `at - 1` stands in the journal to its beginning.
    fn is_whole(&self, mut at: u64, read: &impl Fn(&Self, u64) -> Option<Entry>) -> bool {
        loop {
            let Some(entry) = at.checked_sub(1).and_then(|at| read(self, at)) else {
                return false;
            };
            match entry.tag() {
                STEP | START => return true,
                COPY => at = at.saturating_sub(2),
                _ => at -= 1,
            }
        }
    }

    /// Puts back what entry `at - 1` kept, and moves `at` before it; `true` when that was a
    /// record's first.
    #[inline(always)]
    fn put_back(
        &mut self,
        at: &mut u64,
        read: &impl Fn(&Self, u64) -> Option<Entry>,
        seen: &mut impl FnMut(&Entry),
    ) -> bool {
        if let Some(ahead) = at.checked_sub(AHEAD).and_then(|at| read(self, at)) {
            self.fetch_ahead(&ahead);
        }
        *at -= 1;
        let Some(entry) = read(self, *at) else { return true };
        seen(&entry);
        if entry.tag() == COPY {
            *at -= 1;
            let content = read(self, *at);
            if let (Some(section), Some(content)) = (entry.section(), content) {
                self.put_line(section, entry.number() as usize, content.whole());
            }
            return false;
        }
        for value in entry.edges().rev() {
            self.put_edge(value);
        }
        if entry.tag() == STEP {
            self.header.position -= 1;
            self.header.cells = entry.word(2);
            let player = &mut self.players[entry.number() as usize];
            player.seq -= 1;
            (player.node, player.last_position) = (entry.word(0) as u32, entry.word(1));
        }
        entry.tag() != MORE
    }

    /// Fetches what an entry some way ahead will put back; content of a copy may be taken for an
    /// entry, which costs a useless fetch.
    #[inline(always)]
    fn fetch_ahead(&self, entry: &Entry) {
        prefetch(self.players, entry.number() as usize);
        for value in entry.edges() {
            prefetch(self.topology.edges.0, value.edge as usize / LINE_EDGES);
        }
    }

    /// Gives an edge a former value; the hash is put back on its own.
    #[inline(always)]
    pub(super) fn put_edge(&mut self, value: EdgeValue) {
        let edge = value.edge as usize;
        self.topology.edges.set_state(edge, value.state);
        if value.state.heat > 0 {
            self.warm.note(edge);
        }
    }
}
