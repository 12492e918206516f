//! The in-process engine: the real core on a block of this process's memory.

use huntgraph_actor::page_faults::image_block;
use huntgraph_core::{Limits, Line, Partition, Silence, WorldView, bytes};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrays::{Rows, as_rows, rows};
use crate::branch::{Branch, with_journal};
use crate::cells::{self, Cells, Ends, Held};
use crate::events::{Events, Wins};
use crate::saved;

/// One partition in this process: the same core that the actor runs.
#[pyclass(module = "huntgraph._core")]
pub struct Engine {
    pub(crate) block: Vec<Line>,
    pub(crate) events: Events,
    /// Of a branch: where it may differ from its head.
    pub(crate) branch: Option<Branch>,
}

pub(crate) fn bad(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Names, old and new words of cells.
type Changes<'py> =
    (Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<u64>>);

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (
        first, head, cost, *, players = 1024, fields = 8, added_edges = 1024, world_id = 0,
        partition = 0, halo_owner = None, halo_twin = None, parcels = None, journal = 0,
        any_prices = true
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python names them")]
    fn new(
        first: PyReadonlyArray1<u32>,
        head: PyReadonlyArray1<u32>,
        cost: PyReadonlyArray1<u16>,
        players: u32,
        fields: u32,
        added_edges: u32,
        world_id: u64,
        partition: u16,
        halo_owner: Option<PyReadonlyArray1<u16>>,
        halo_twin: Option<PyReadonlyArray1<u32>>,
        parcels: Option<u32>,
        journal: u32,
        any_prices: bool,
    ) -> PyResult<Self> {
        let owner = halo_owner.as_ref().map_or(Ok(&[][..]), |owner| owner.as_slice())?;
        let twin = halo_twin.as_ref().map_or(Ok(&[][..]), |twin| twin.as_slice())?;
        let world = WorldView {
            first: first.as_slice()?,
            head: head.as_slice()?,
            cost: cost.as_slice()?,
            world_id,
            partition,
            halo_owner: owner,
            halo_twin: twin,
        };
        if world.first.is_empty() {
            return Err(bad("first is empty"));
        }
        let of = if any_prices { Limits::of_any_prices } else { Limits::of };
        let limits = of(&world, players, fields);
        let (added, parcels) = (added_edges.saturating_mul(2), parcels.unwrap_or(limits.parcels));
        let limits = Limits { added, parcels, ..with_journal(limits, journal) };
        let mut block = image_block(limits.total_lines());
        Partition::create(&mut block, limits, &world).map_err(bad)?;
        Ok(Self::of(block))
    }

    #[staticmethod]
    #[pyo3(signature = (saved, *, world_id = 0, journal = 0, players = None, added_edges = None))]
    fn restore(
        saved: &[u8],
        world_id: u64,
        journal: u32,
        players: Option<u32>,
        added_edges: Option<u32>,
    ) -> PyResult<Self> {
        let room = (players, added_edges);
        Ok(Self::of(saved::taken_up(saved, world_id, journal, room)?))
    }

    /// Players in a saved state and room for them, edges added in it and room for those.
    #[staticmethod]
    fn room_of(saved: &[u8]) -> PyResult<(u32, u32, u32, u32)> {
        let (players, added, limits) = saved::room(saved)?;
        Ok((players, limits.players, added / 2, limits.added / 2))
    }

    fn save<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let limits = Partition::limits_of(&self.block).map_err(bad)?;
        Ok(PyBytes::new(py, bytes(&self.block[..limits.state_lines()])))
    }

    fn apply<'py>(&mut self, records: &Bound<'py, PyAny>) -> PyResult<Rows<'py>> {
        let py = records.py();
        let records = rows(records)?;
        let raw = records.as_slice()?.as_chunks::<64>().0;
        let Self { block, events, .. } = self;
        let answers = py.detach(|| {
            let mut partition = Partition::attach(block).map_err(bad)?;
            let mut answers = Vec::with_capacity(raw.len() * 64);
            partition.apply_batch(raw, events, |_, _, answer, receipt| {
                answers.extend_from_slice(&answer.update.encode());
                if let Some(receipt) = receipt {
                    answers.extend_from_slice(&receipt.encode());
                }
            });
            Ok::<_, PyErr>(answers)
        })?;
        as_rows(py, &answers)
    }

    fn events<'py>(&mut self, py: Python<'py>) -> PyResult<Rows<'py>> {
        as_rows(py, &std::mem::take(&mut self.events.0))
    }

    fn work(&mut self, py: Python<'_>, operations: u32) -> PyResult<u32> {
        py.detach(|| Ok(Partition::attach(&mut self.block).map_err(bad)?.work(operations)))
    }

    /// A second engine in the same state, with a journal of its own of so many entries.
    fn branch(&mut self, py: Python<'_>, journal: u32) -> PyResult<Self> {
        py.detach(|| Branch::of(&mut self.block, journal))
    }

    /// Makes a branch what its head was after the record at `position`.
    fn go_back(&mut self, py: Python<'_>, head: &mut Self, position: u64) -> PyResult<()> {
        py.detach(|| self.back_to(&mut head.block, position))
    }

    /// As `replay`, without answers and events; gives how many records were refused.
    fn advance(
        &mut self,
        records: &Bound<'_, PyAny>,
        positions: PyReadonlyArray1<u64>,
    ) -> PyResult<usize> {
        let py = records.py();
        let (records, positions) = (rows(records)?, positions.as_slice()?);
        let raw = records.as_slice()?.as_chunks::<64>().0;
        let mut refused = 0;
        py.detach(|| {
            self.play((raw, positions), (None, false), &mut Silence, |_, answer, _| {
                refused += !answer.logged as usize
            })
        })?;
        Ok(refused)
    }

    /// As `advance`, consecutive records of a log, the first at position `first`; those whose
    /// numbers are in `struck`, in rising order, as STRIKE. `head` is that of this branch.
    #[pyo3(signature = (records, first, struck, head = None))]
    fn advance_log(
        &mut self,
        records: &Bound<'_, PyAny>,
        first: u64,
        struck: PyReadonlyArray1<u32>,
        head: Option<PyRefMut<'_, Self>>,
    ) -> PyResult<usize> {
        let py = records.py();
        let (records, struck) = (rows(records)?, struck.as_slice()?);
        let raw = records.as_slice()?.as_chunks::<64>().0;
        let mut head = head;
        let head = head.as_deref_mut().map(|head| &mut head.block[..]);
        py.detach(|| self.play_log(raw, first, struck, head))
    }

    /// Where the journal stands.
    fn mark(&mut self) -> PyResult<u64> {
        Ok(self.partition()?.journal.marks.next)
    }

    /// Takes back all records since the journal stood there.
    fn undo_to(&mut self, mark: u64) -> PyResult<()> {
        self.take_back(mark)
    }

    /// Names, words in the head, words in this branch: of all cells that differ.
    #[pyo3(signature = (head, *, everything = false))]
    fn changes<'py>(
        &mut self,
        py: Python<'py>,
        head: &mut Self,
        everything: bool,
    ) -> PyResult<Changes<'py>> {
        let [names, old, new] = py.detach(|| self.differ(&mut head.block, everything))?;
        Ok((
            PyArray1::from_vec(py, names),
            PyArray1::from_vec(py, old),
            PyArray1::from_vec(py, new),
        ))
    }

    fn state_hash(&mut self) -> PyResult<u64> {
        Ok(self.partition()?.state_hash())
    }

    fn rehash(&mut self) -> PyResult<u64> {
        Ok(self.partition()?.rehash())
    }

    /// Names and words of all cells of the state, without those of edges or players if so told.
    #[pyo3(signature = (edges = true, players = true))]
    fn cells<'py>(&mut self, py: Python<'py>, edges: bool, players: bool) -> PyResult<Cells<'py>> {
        Ok(cells::listed(py, &self.partition()?, edges, players))
    }

    /// The words of all players' cells, seven of each, by slot.
    fn players<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<u64>>> {
        Ok(cells::of_players(py, &self.partition()?))
    }

    /// Words of cells by their names, 0 where there is none, and whether there is one.
    fn words<'py>(&mut self, py: Python<'py>, names: PyReadonlyArray1<u64>) -> PyResult<Held<'py>> {
        Ok(cells::held(py, &self.partition()?, &names))
    }

    /// As `apply`, each record at a position of its own: shape (n,) beside (n, 64). With `wins`
    /// only events of treasures won are kept. `head` is that of this branch, which can take back
    /// what was `undoable`.
    #[pyo3(signature = (records, positions, wins = false, head = None, undoable = false))]
    fn replay<'py>(
        &mut self,
        records: &Bound<'py, PyAny>,
        positions: PyReadonlyArray1<u64>,
        wins: bool,
        head: Option<PyRefMut<'_, Self>>,
        undoable: bool,
    ) -> PyResult<Rows<'py>> {
        let answers = self.played(records, &positions, head, |own, log, head, events| {
            if wins {
                own.answers(log, (head, undoable), &mut Wins(events))
            } else {
                own.answers(log, (head, undoable), events)
            }
        })?;
        as_rows(records.py(), &answers)
    }

    /// As `replay` with `wins`; gives what was seen of each answer, and the number of the first
    /// record that none of a log can be.
    #[pyo3(signature = (records, positions, head = None))]
    fn see<'py>(
        &mut self,
        records: &Bound<'py, PyAny>,
        positions: PyReadonlyArray1<u64>,
        head: Option<PyRefMut<'_, Self>>,
    ) -> PyResult<(Bound<'py, PyArray1<u64>>, Option<usize>)> {
        let seen = self.played(records, &positions, head, |own, log, head, events| {
            own.seen(log, head, &mut Wins(events))
        });
        seen.map(|(seen, strange)| (PyArray1::from_vec(records.py(), seen), strange))
    }

    /// Sets the position of the last record, for replays that leave records out.
    fn seek(&mut self, position: u64) -> PyResult<()> {
        self.partition()?.header.position = position;
        Ok(())
    }

    fn weights<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<u16>>> {
        Ok(PyArray1::from_iter(py, self.partition()?.weights()))
    }

    fn closed<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<bool>>> {
        let partition = self.partition()?;
        let edges = 0..partition.edge_ids();
        Ok(PyArray1::from_iter(py, edges.map(|edge| partition.is_closed(edge))))
    }

    /// Tails and heads of slots by edge id, of all when none are named.
    #[pyo3(signature = (edges = None))]
    fn edges<'py>(
        &mut self,
        py: Python<'py>,
        edges: Option<PyReadonlyArray1<u64>>,
    ) -> PyResult<Ends<'py>> {
        cells::ends(py, &self.partition()?, edges.as_ref())
    }

    /// (id, seq, node, score, hunt, team, target, progress, present, away) of a player, or None.
    #[expect(clippy::type_complexity, reason = "one row of a table, named in the stub")]
    fn player(
        &mut self,
        player: u64,
    ) -> PyResult<Option<(u64, u32, u32, i32, u8, u8, u8, u64, bool, u8)>> {
        let partition = self.partition()?;
        let found = partition.player_slot(player).map(|slot| partition.players[slot]);
        Ok(found.map(|p| {
            let present = p.present == 1;
            (p.id, p.seq, p.node, p.score, p.hunt, p.team, p.target, p.progress, present, p.away)
        }))
    }

    /// Records for the log of a partition that it has not acknowledged, oldest first.
    fn parcels<'py>(&mut self, py: Python<'py>, partition: u16) -> PyResult<Rows<'py>> {
        let found = self.partition()?;
        let records: Vec<u8> = found.border.parcels(partition).flatten().copied().collect();
        as_rows(py, &records)
    }

    /// Whether bearings can be sent to a partition now.
    fn link(&mut self, partition: u16, up: bool) -> PyResult<()> {
        self.partition()?.link(partition, up);
        Ok(())
    }

    /// The bearings that are due for a partition, taken out.
    fn bearings<'py>(&mut self, py: Python<'py>, partition: u16) -> PyResult<Rows<'py>> {
        let mut found = self.partition()?;
        let mut records = Vec::new();
        while found.has_bearings(partition) {
            records.extend(found.next_bearing(partition).into_iter().flatten());
        }
        as_rows(py, &records)
    }

    /// Takes bearings that another partition sent.
    fn take_bearings(&mut self, records: &Bound<'_, PyAny>) -> PyResult<()> {
        let records = rows(records)?;
        let mut found = self.partition()?;
        for raw in records.as_slice()?.as_chunks::<64>().0 {
            found.take_bearing(raw).map_err(|code| bad(code.text()))?;
        }
        Ok(())
    }

    /// (sent, acked, taken) of the parcels to and from a partition.
    fn peer(&mut self, partition: u16) -> PyResult<(u64, u64, u64)> {
        let found = self.partition()?;
        let peer = found.border.peer(partition).ok_or_else(|| bad("no such partition"))?;
        Ok((peer.sent, peer.acked, peer.taken))
    }

    /// Whether its edges are told in the compact form.
    #[getter]
    fn compact(&self) -> PyResult<bool> {
        Ok(Partition::limits_of(&self.block).map_err(bad)?.compact)
    }

    #[getter]
    fn position(&mut self) -> PyResult<u64> {
        Ok(self.partition()?.header.position)
    }

    #[getter]
    fn tick(&mut self) -> PyResult<u32> {
        Ok(self.partition()?.header.tick)
    }

    #[getter]
    fn epoch(&mut self) -> PyResult<u32> {
        Ok(self.partition()?.guidance.work.epoch)
    }

    #[getter]
    fn has_work(&mut self) -> PyResult<bool> {
        Ok(self.partition()?.has_work())
    }

    /// Slots of edges and of players in use.
    #[getter]
    fn slots(&mut self) -> PyResult<(usize, u32)> {
        let partition = self.partition()?;
        Ok((partition.edge_ids(), partition.header.players))
    }

    /// Bytes of the whole block, and of its state part.
    #[getter]
    fn sizes(&mut self) -> PyResult<(usize, usize)> {
        let limits = Partition::limits_of(&self.block).map_err(bad)?;
        Ok((self.block.len() * 64, limits.state_lines() * 64))
    }
}

impl Engine {
    pub(crate) fn of(block: Vec<Line>) -> Self {
        Self { block, events: Events::default(), branch: None }
    }

    pub(crate) fn partition(&mut self) -> PyResult<Partition<'_>> {
        Partition::attach(&mut self.block).map_err(bad)
    }
}
