//! Cells of a state as NumPy arrays.

use huntgraph_core::Partition;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::engine::bad;

/// Names and words of cells.
pub type Cells<'py> = (Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<u64>>);
/// Words of cells, and whether there are such cells.
pub type Held<'py> = (Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<bool>>);

/// Tails and heads of slots.
pub type Ends<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<u32>>);

/// All cells, without those of edges or players if so told.
pub fn listed<'py>(
    py: Python<'py>,
    partition: &Partition,
    edges: bool,
    players: bool,
) -> Cells<'py> {
    let (mut names, mut words) = (Vec::new(), Vec::new());
    let mut take = |name, word| {
        names.push(name);
        words.push(word);
    };
    if edges {
        partition.each_edge_cell(&mut take);
    }
    if players {
        partition.each_player_cell(&mut take);
    }
    partition.each_other_cell(&mut take);
    (PyArray1::from_vec(py, names), PyArray1::from_vec(py, words))
}

/// The words of all players' cells, seven of each, by slot.
pub fn of_players<'py>(py: Python<'py>, partition: &Partition) -> Bound<'py, PyArray1<u64>> {
    PyArray1::from_vec(py, partition.player_words().flatten().collect())
}

/// Cells by their names: 0 where there is none.
pub fn held<'py>(
    py: Python<'py>,
    partition: &Partition,
    names: &PyReadonlyArray1<u64>,
) -> Held<'py> {
    let held: Vec<_> = names.as_array().iter().map(|&name| partition.cell(name)).collect();
    let words = held.iter().map(|word| word.unwrap_or(0));
    (PyArray1::from_iter(py, words), PyArray1::from_iter(py, held.iter().map(Option::is_some)))
}

/// Tails and heads of slots by edge id, of all when none are named.
pub fn ends<'py>(
    py: Python<'py>,
    partition: &Partition,
    edges: Option<&PyReadonlyArray1<u64>>,
) -> PyResult<Ends<'py>> {
    let ids = match edges {
        Some(edges) => edges.as_slice()?.iter().map(|&edge| edge as usize).collect(),
        None => (0..partition.edge_ids()).collect::<Vec<_>>(),
    };
    if ids.iter().any(|&edge| edge >= partition.edge_ids()) {
        return Err(bad("there is no such slot"));
    }
    let edges = || ids.iter().filter_map(|&edge| partition.edge(edge));
    let tails = PyArray1::from_iter(py, edges().map(|edge| edge.tail));
    Ok((tails, PyArray1::from_iter(py, edges().map(|edge| edge.head))))
}
