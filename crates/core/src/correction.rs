//! Corrections: a fork's outcome becomes the partition's own (rules, section 12).
//!
//! FENCE stops the partition at a known state, CORRECT rows set cells one by one, SETTLE checks
//! the whole by its hash and lets the partition go on. What may be set is judged in `settable`.

use crate::apply::{Answer, Sink};
use crate::cells::{EDGE, SINGLE, TRAFFIC, TRAFFIC_COST, parts};
use crate::hunts::place;
use crate::image::Partition;
use crate::schema::{Arrival, Code, Correction, Event, HUNTS, Move, Notice, event, form, kind};

/// Cells of one row.
pub(crate) const CELLS: usize = 3;

/// One cell and what becomes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    pub name: u64,
    /// The new word; `None`: the cell is taken away.
    pub word: Option<u64>,
}

/// The cells of one CORRECT record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    cells: [Change; CELLS],
    count: usize,
}

impl Row {
    /// The cells of a record; `None` when there cannot be so many.
    fn of(record: &Correction) -> Option<Self> {
        let pairs = [
            (record.name_1, record.word_1),
            (record.name_2, record.word_2),
            (record.name_3, record.word_3),
        ];
        let mut cells = [Change::default(); CELLS];
        for (number, (cell, (name, word))) in cells.iter_mut().zip(pairs).enumerate() {
            let stays = record.gone >> number & 1 == 0;
            *cell = Change { name, word: stays.then_some(word) };
        }
        let count = record.count as usize;
        (count <= CELLS).then_some(Self { cells, count })
    }

    /// A row of one cell.
    fn one(name: u64, word: u64) -> Self {
        let cell = Change { name, word: Some(word) };
        Self { cells: [cell, Change::default(), Change::default()], count: 1 }
    }

    /// The cells in order.
    pub(crate) fn changes(&self) -> &[Change] {
        &self.cells[..self.count]
    }

    /// The word that the row gives a cell.
    pub(crate) fn word(&self, name: u64) -> Option<u64> {
        self.changes().iter().find(|change| change.name == name)?.word
    }

    /// The new words of single values, with their numbers.
    fn singles(&self) -> impl Iterator<Item = (usize, u64)> {
        self.changes().iter().filter_map(|change| match parts(change.name) {
            (SINGLE, number) => Some((number, change.word?)),
            _ => None,
        })
    }

    /// Whether it gives words to the traffic rule: the weights of edges follow.
    fn sets_rule(&self) -> bool {
        self.singles().any(|(number, _)| matches!(number, TRAFFIC | TRAFFIC_COST))
    }

    fn names_differ(&self) -> bool {
        let cells = self.changes();
        (1..cells.len()).all(|at| cells[..at].iter().all(|cell| cell.name != cells[at].name))
    }
}

impl Partition<'_> {
    /// Whether a record is refused because a correction is under way.
    #[inline(always)]
    pub(crate) fn is_fenced(&self, kind: u8) -> bool {
        self.header.correction != 0 && !matches!(kind, kind::HASH | kind::FENCE..=kind::SETTLE)
    }

    /// The answer to what comes while a correction is under way.
    #[cold]
    pub(crate) fn refuse_fenced(&self, raw: &[u8; 64]) -> Answer {
        let mut about = Move { kind: raw[0], ..Move::default() };
        let from = match raw[0] {
            kind::ARRIVE => {
                about.player = Arrival::decode(raw).player;
                Arrival::decode(raw).from
            }
            kind::NOTICE => Notice::decode(raw).from,
            kind::HUNT_BEGIN..=kind::HUNT_PUBLISH => return self.refuse(&about, Code::Fenced),
            kind::ENTER..=kind::GRANT => return self.refuse(&Move::decode(raw), Code::Fenced),
            _ => {
                let about = Move { player: 0, ..Move::decode(raw) };
                return self.refuse(&about, Code::Fenced);
            }
        };
        self.answer_parcel(&about, from, Err(Code::Fenced))
    }

    /// Takes a FENCE, CORRECT or SETTLE.
    pub(crate) fn take_correction<S: Sink>(&mut self, record: &Correction, sink: &mut S) -> Answer {
        let outcome = match record.kind {
            kind::FENCE => self.begin_correction(record),
            kind::CORRECT => self.correct(record, sink),
            _ => self.end_correction(record, sink),
        };
        let about = Move { kind: record.kind, ..Move::default() };
        let mut answer = self.answer_plain(&about, outcome);
        answer.update.echo = self.header.correction;
        answer
    }

    fn begin_correction(&mut self, record: &Correction) -> Result<(), Code> {
        if self.header.correction != 0 {
            return Err(Code::Fenced);
        }
        if record.id == 0 {
            return Err(Code::BadCell);
        }
        if record.word_1 != 0 && record.word_1 != self.state_hash() {
            return Err(Code::StaleHash);
        }
        let header = &mut *self.header;
        header.position += 1;
        header.correction = record.id;
        (header.players_before, header.added_before) = (header.players, header.added);
        Ok(())
    }

    fn is_under_way(&self, record: &Correction) -> Result<(), Code> {
        let same = record.id != 0 && record.id == self.header.correction;
        if same { Ok(()) } else { Err(Code::NotFenced) }
    }

    fn correct<S: Sink>(&mut self, record: &Correction, sink: &mut S) -> Result<(), Code> {
        self.is_under_way(record)?;
        let row = Row::of(record).ok_or(Code::BadCell)?;
        self.check_row(&row)?;
        self.header.position += 1;
        self.set_row(&row, sink);
        Ok(())
    }

    /// Gives one cell a new word, as a CORRECT row of one cell does, but without a position.
    ///
    /// # Errors
    /// [`Code::BadCell`] when it may not be set, [`Code::PricesFull`]; nothing has changed then.
    pub fn set_cell<S: Sink>(&mut self, name: u64, word: u64, sink: &mut S) -> Result<(), Code> {
        let row = Row::one(name, word);
        self.check_row(&row)?;
        self.set_row(&row, sink);
        Ok(())
    }

    fn check_row(&self, row: &Row) -> Result<(), Code> {
        let cells = || row.changes().iter();
        let apart = !(row.sets_rule() && cells().any(|cell| parts(cell.name).0 == EDGE));
        let sound = row.names_differ() && apart && cells().all(|cell| self.may_set(cell, row));
        if !sound {
            return Err(Code::BadCell);
        }
        if self.has_room_for(row) { Ok(()) } else { Err(Code::PricesFull) }
    }

    fn set_row<S: Sink>(&mut self, row: &Row, sink: &mut S) {
        let rule = self.rule();
        for (number, word) in row.singles() {
            self.put_single(number, word);
        }
        self.follow_rule(rule, sink);
        for change in row.changes() {
            match change.word {
                Some(word) => self.put_cell(change.name, word, sink),
                None => self.take_cell(change.name),
            }
        }
    }

    fn end_correction<S: Sink>(&mut self, record: &Correction, sink: &mut S) -> Result<(), Code> {
        self.is_under_way(record)?;
        if !self.edges_fit() {
            return Err(Code::BadCell);
        }
        if record.word_1 != self.bare_hash() {
            return Err(Code::HashMismatch);
        }
        self.header.position += 1;
        let a = core::mem::take(&mut self.header.correction);
        self.header.traffic_set = 0;
        self.adopt_cells();
        sink.event(&Event { kind: event::CORRECTED, a, ..self.event() });
        Ok(())
    }

    /// What follows from cells, and is none itself, follows from the new ones.
    pub(crate) fn adopt_cells(&mut self) {
        for slot in 0..HUNTS {
            self.keep_hunt(slot);
            let hunt = &mut self.hunts[slot];
            hunt.revise();
            hunt.clue_places = [0; 4];
            for stage in &hunt.stage[..hunt.stages as usize] {
                if stage.form == form::CLUE {
                    let (word, bit) = place(stage.node);
                    hunt.clue_places[word] |= bit;
                }
            }
        }
        self.guidance.forget_hunters();
        self.count_hunters();
    }
}
