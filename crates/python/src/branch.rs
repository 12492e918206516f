//! Branches: engines that go back in the history of another one, their head, and on in another way.

use huntgraph_actor::page_faults::image_block;
use huntgraph_core::history::{Touched, differ};
use huntgraph_core::schema::Receipt;
use huntgraph_core::{Answer, Limits, Line, Partition, Sink, bytes, bytes_mut};
use pyo3::prelude::*;

use crate::engine::{Engine, bad};

/// Records between two looks at the journal of a branch, which must hold what they overwrite.
const CHUNK: usize = 4096;

/// What a branch knows of its head.
pub struct Branch {
    /// Where the head's journal stood when the two were the same.
    synced: u64,
    edges: Vec<u64>,
    players: Vec<u64>,
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
        let own = with_journal(limits, journal.max(CHUNK as u32));
        let state = limits.state_lines() * size_of::<Line>();
        let mut block = image_block(own.total_lines());
        bytes_mut(&mut block)[..state].copy_from_slice(&bytes(head)[..state]);
        Partition::resume(&mut block, own).map_err(bad)?;
        let synced = Partition::attach(head).map_err(bad)?.journal.marks.next;
        let edges = vec![0; (own.edges + own.added) as usize / 64 + 1];
        let players = vec![0; own.players as usize / 64 + 1];
        let mut engine = Engine::of(block);
        engine.branch = Some(Self { synced, edges, players });
        Ok(engine)
    }

    fn touched(&mut self) -> Touched<'_> {
        Touched { edges: &mut self.edges, players: &mut self.players }
    }

    /// Takes in what the head changed since the two were the same.
    fn follow(&mut self, head: &Partition) {
        let since = self.synced;
        if !self.touched().add_since(&head.journal, since) {
            self.touched().fill();
        }
        self.synced = head.journal.marks.next;
    }
}

impl Engine {
    /// Makes this branch what its head was at `position`.
    pub fn back_to(&mut self, head: &mut [Line], position: u64) -> PyResult<()> {
        let branch = self.branch.as_mut().ok_or_else(|| bad("only a branch can go back"))?;
        let head = Partition::attach(head).map_err(bad)?;
        let mut own = Partition::attach(&mut self.block).map_err(bad)?;
        branch.follow(&head);
        own.copy_from(&head, &branch.touched());
        branch.touched().clear();
        own.rewind_by(&head.journal, position, &mut branch.touched()).map_err(bad)
    }

    /// Applies records at their positions; `answered` gets each with its answer.
    pub fn play<S: Sink>(
        &mut self,
        records: &[[u8; 64]],
        positions: &[u64],
        sink: &mut S,
        mut answered: impl FnMut(&[u8; 64], &Answer, Option<&Receipt>),
    ) -> PyResult<()> {
        if records.len() != positions.len() || positions.contains(&0) {
            return Err(bad("each record needs a position, from 1"));
        }
        let mut own = Partition::attach(&mut self.block).map_err(bad)?;
        for (records, positions) in records.chunks(CHUNK).zip(positions.chunks(CHUNK)) {
            let mark = own.journal.marks.next;
            own.replay(records, positions, sink, |_, raw, answer, receipt| {
                answered(raw, answer, receipt)
            });
            if let Some(branch) = &mut self.branch
                && !branch.touched().add_since(&own.journal, mark)
            {
                branch.touched().fill();
            }
        }
        Ok(())
    }

    /// All cells in which this branch differs from its head: names, old and new words.
    pub fn differ(&mut self, head: &mut [Line]) -> PyResult<[Vec<u64>; 3]> {
        let branch = self.branch.as_mut().ok_or_else(|| bad("only a branch has a head"))?;
        let head = Partition::attach(head).map_err(bad)?;
        let own = Partition::attach(&mut self.block).map_err(bad)?;
        branch.follow(&head);
        let mut cells = [Vec::new(), Vec::new(), Vec::new()];
        differ(&head, &own, &branch.touched(), &mut |change| {
            for (cells, word) in cells.iter_mut().zip([change.name, change.old, change.new]) {
                cells.push(word);
            }
        });
        Ok(cells)
    }
}
