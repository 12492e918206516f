//! Branches: engines that go back in the history of another one, their head, and on in another way.

use huntgraph_actor::page_faults::image_block;
use huntgraph_core::history::{Bookmark, Recall, Touched, differ};
use huntgraph_core::schema::{Code, Receipt};
use huntgraph_core::{Answer, Limits, Line, Partition, Silence, Sink, bytes, bytes_mut};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::arrays::rows;
use crate::engine::{Engine, bad};
use crate::events::Events;
use crate::seen::seen_of;

/// What a branch knows of its head.
pub struct Branch {
    /// Where the head's journal stood when the two were the same.
    synced: u64,
    /// Where the head's journal goes on from where this branch stands.
    bookmark: Bookmark,
    lines: Vec<u64>,
    players: Vec<u64>,
    /// Cells that were told to differ the last time: there will be about as many.
    told: usize,
}

/// Limits of an engine with a journal of so many entries, which has no guidance; as they are
/// when that is 0.
pub fn with_journal(limits: Limits, journal: u32) -> Limits {
    if journal == 0 {
        return limits;
    }
    let journal = journal.next_power_of_two();
    let small = Limits { journal, fields: 0, pending: 1024, queued: 1024, ..limits };
    Limits { pages: 1 + small.reserve(), ..small }
}

impl Branch {
    /// A branch of the engine with this block, in the same state.
    pub fn of(head: &mut [Line], journal: u32) -> PyResult<Engine> {
        let limits = Partition::limits_of(head).map_err(bad)?;
        let own = with_journal(limits, journal.max(1));
        let state = limits.state_lines() * size_of::<Line>();
        let mut block = image_block(own.total_lines());
        bytes_mut(&mut block)[..state].copy_from_slice(&bytes(head)[..state]);
        Partition::resume(&mut block, own).map_err(bad)?;
        let synced = Partition::attach(head).map_err(bad)?.journal.marks.next;
        let lines = vec![0; Touched::line_words((own.edges + own.added) as usize)];
        let players = vec![0; Touched::player_words(own.players as usize)];
        let mut engine = Engine::of(block);
        let bookmark = Bookmark::default();
        engine.branch = Some(Self { synced, bookmark, lines, players, told: 0 });
        Ok(engine)
    }

    fn touched(&mut self) -> Touched<'_> {
        Touched { lines: &mut self.lines, players: &mut self.players }
    }

    /// Takes in what the head changed since the two were the same.
    fn follow(&mut self, head: &Partition) {
        let since = self.synced;
        if !self.touched().add_since(&head.journal, since) {
            self.touched().fill();
        }
        self.synced = head.journal.marks.next;
    }

    /// Takes in what the branch itself changed since its journal stood at `mark`.
    fn changed(&mut self, own: &Partition, mark: u64) {
        if !self.touched().add_since(&own.journal, mark) {
            self.touched().fill();
        }
    }
}

impl Engine {
    /// Makes this branch what its head was at `position`.
    pub fn back_to(&mut self, head: &mut [Line], position: u64) -> PyResult<()> {
        let branch = self.branch.as_mut().ok_or_else(|| bad("only a branch can go back"))?;
        let head = Partition::attach(head).map_err(bad)?;
        let mut own = Partition::attach(&mut self.block).map_err(bad)?;
        branch.follow(&head);
        own.copy_from(&head, &mut branch.touched());
        branch.touched().clear();
        let rewound = own.rewind_by(&head.journal, position, &mut branch.touched());
        branch.bookmark = rewound.map_err(bad)?;
        Ok(())
    }

    /// Applies records at their positions; `answered` gets each with its answer. A branch of `head`
    /// need not look for what its head has found; it can take back what was `undoable` only.
    pub fn play<S: Sink>(
        &mut self,
        (records, positions): (&[[u8; 64]], &[u64]),
        (head, undoable): (Option<&mut [Line]>, bool),
        sink: &mut S,
        mut answered: impl FnMut(&[u8; 64], &Answer, Option<&Receipt>),
    ) -> PyResult<()> {
        if records.len() != positions.len() || positions.contains(&0) {
            return Err(bad("each record needs a position, from 1"));
        }
        let first = positions.first().copied().unwrap_or(1);
        self.go_on(first, head, undoable, |own, recall| {
            own.replay(records, positions, recall, sink, |_, raw, answer, receipt| {
                answered(raw, answer, receipt)
            });
        })
    }

    /// Plays records at their positions while Python does something else; `play` gets them, the
    /// head's block and what collects events.
    pub fn played<T: Send>(
        &mut self,
        records: &Bound<'_, PyAny>,
        positions: &PyReadonlyArray1<u64>,
        mut head: Option<PyRefMut<'_, Self>>,
        play: impl FnOnce(
            &mut Self,
            (&[[u8; 64]], &[u64]),
            Option<&mut [Line]>,
            &mut Events,
        ) -> PyResult<T>
        + Send,
    ) -> PyResult<T> {
        let py = records.py();
        let (records, positions) = (rows(records)?, positions.as_slice()?);
        let raw = records.as_slice()?.as_chunks::<64>().0;
        let head = head.as_deref_mut().map(|head| &mut head.block[..]);
        let mut events = std::mem::take(&mut self.events);
        let played = py.detach(|| play(self, (raw, positions), head, &mut events));
        self.events = events;
        played
    }

    /// Applies records at their positions; gives updates and receipts.
    pub fn answers<S: Sink>(
        &mut self,
        (raw, positions): (&[[u8; 64]], &[u64]),
        how: (Option<&mut [Line]>, bool),
        sink: &mut S,
    ) -> PyResult<Vec<u8>> {
        let mut answers = Vec::with_capacity(raw.len() * 64);
        self.play((raw, positions), how, sink, |_, answer, receipt| {
            answers.extend_from_slice(&answer.update.encode());
            if let Some(receipt) = receipt {
                answers.extend_from_slice(&receipt.encode());
            }
        })?;
        Ok(answers)
    }

    /// Applies records at their positions; gives what was seen of each answer, and the number of
    /// the first record that none of a log can be: not taken, or the hash of another state.
    pub fn seen<S: Sink>(
        &mut self,
        (raw, positions): (&[[u8; 64]], &[u64]),
        head: Option<&mut [Line]>,
        sink: &mut S,
    ) -> PyResult<(Vec<u64>, Option<usize>)> {
        let (mut seen, mut strange) = (Vec::with_capacity(raw.len()), None);
        self.play((raw, positions), (head, false), sink, |_, Answer { update, .. }, _| {
            let at = seen.len();
            let taken = update.position == positions[at];
            if !taken || update.code == Code::HashMismatch as u16 {
                strange = strange.or(Some(at));
            }
            seen.push(seen_of(update));
        })?;
        Ok((seen, strange))
    }

    /// Applies consecutive records of a log, the first at position `first`, those in `struck` as
    /// STRIKE; gives how many were refused.
    pub fn play_log(
        &mut self,
        records: &[[u8; 64]],
        first: u64,
        struck: &[u32],
        head: Option<&mut [Line]>,
    ) -> PyResult<usize> {
        if first == 0 || !struck.is_sorted() {
            return Err(bad("positions begin with 1, and numbers of records rise"));
        }
        let mut refused = 0;
        self.go_on(first, head, false, |own, recall| {
            let struck = struck.iter().map(|&at| at as usize);
            own.replay_struck(records, first, struck, recall, &mut Silence, |_, _, answer, _| {
                refused += !answer.logged as usize;
            });
        })?;
        Ok(refused)
    }

    /// Applies records, the first at position `first`; a branch takes in what it changed with them.
    fn go_on(
        &mut self,
        first: u64,
        head: Option<&mut [Line]>,
        undoable: bool,
        play: impl FnOnce(&mut Partition, Option<&mut Recall>),
    ) -> PyResult<()> {
        let mut own = Partition::attach(&mut self.block).map_err(bad)?;
        let Some(branch) = &mut self.branch else {
            play(&mut own, None);
            return Ok(());
        };
        let head = head.map(Partition::attach).transpose().map_err(bad)?;
        let mut recall =
            head.as_ref().and_then(|head| Recall::new(&head.journal, branch.bookmark, first));
        if undoable {
            let mark = own.journal.marks.next;
            play(&mut own, recall.as_mut());
            branch.changed(&own, mark);
        } else {
            own.journal.note_in(branch.touched());
            play(&mut own, recall.as_mut());
        }
        branch.bookmark = recall.map_or(branch.bookmark, |recall| recall.bookmark());
        Ok(())
    }

    /// Takes back all records since the journal stood there. What they changed may differ from the
    /// head again, even where it was found to be equal.
    pub fn take_back(&mut self, mark: u64) -> PyResult<()> {
        let mut own = Partition::attach(&mut self.block).map_err(bad)?;
        if let Some(branch) = &mut self.branch {
            branch.changed(&own, mark);
        }
        own.undo_to(mark).map_err(bad)
    }

    /// All cells in which this branch differs from its head: names, old and new words. With
    /// `everything` all is compared, and not only what either of them changed.
    pub fn differ(&mut self, head: &mut [Line], everything: bool) -> PyResult<[Vec<u64>; 3]> {
        let branch = self.branch.as_mut().ok_or_else(|| bad("only a branch has a head"))?;
        let head = Partition::attach(head).map_err(bad)?;
        let own = Partition::attach(&mut self.block).map_err(bad)?;
        branch.follow(&head);
        if everything {
            branch.touched().fill();
        }
        let mut cells = [(); 3].map(|()| Vec::with_capacity(branch.told));
        differ(&head, &own, &mut branch.touched(), &mut |change| {
            for (cells, word) in cells.iter_mut().zip([change.name, change.old, change.new]) {
                cells.push(word);
            }
        });
        branch.told = cells[0].len();
        Ok(cells)
    }
}
