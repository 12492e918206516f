//! Saved states: taken up as they are, or carried over into an image of another size.

use huntgraph_actor::page_faults::image_block;
use huntgraph_core::{Header, Limits, Line, Partition, bytes_mut};
use pyo3::prelude::*;

use crate::branch::with_journal;
use crate::engine::bad;

/// Lines that tell the limits of a saved state.
const HEADER_LINES: usize = size_of::<Header>().div_ceil(size_of::<Line>());
const CUT_SHORT: &str = "the saved state is cut short";

/// Players and slots of added edges in use in a saved state, and the limits it was saved with.
pub fn room(saved: &[u8]) -> PyResult<(u32, u32, Limits)> {
    let mut lines = [Line::default(); HEADER_LINES];
    let first = saved.get(..size_of_val(&lines)).ok_or_else(|| bad(CUT_SHORT))?;
    bytes_mut(&mut lines).copy_from_slice(first);
    let limits = Partition::limits_of(&lines).map_err(bad)?;
    let [players, added] = Partition::in_use(&lines).map_err(bad)?;
    Ok((players, added, limits))
}

/// A block that holds a saved state, with room for other numbers of players and added edges than it
/// was saved with where these are given.
pub fn taken_up(
    saved: &[u8],
    world_id: u64,
    journal: u32,
    (players, added_edges): (Option<u32>, Option<u32>),
) -> PyResult<Vec<Line>> {
    let (_, _, own) = room(saved)?;
    if saved.len() != own.state_lines() * size_of::<Line>() {
        return Err(bad(CUT_SHORT));
    }
    let players = players.unwrap_or(own.players);
    let added = added_edges.map_or(own.added, |edges| edges.saturating_mul(2));
    let limits = with_journal(Limits { players, added, ..own }, journal);
    let mut block = image_block(limits.total_lines());
    let partition = if (own.players, own.added) == (players, added) {
        bytes_mut(&mut block)[..saved.len()].copy_from_slice(saved);
        Partition::resume(&mut block, limits)
    } else {
        let mut lines = vec![Line::default(); own.state_lines()];
        bytes_mut(&mut lines).copy_from_slice(saved);
        Partition::carry_over(&mut block, limits, &mut lines)
    };
    let found = partition.map_err(bad)?.header.world_id;
    if world_id != 0 && found != world_id {
        return Err(bad("the saved state belongs to another world"));
    }
    Ok(block)
}
