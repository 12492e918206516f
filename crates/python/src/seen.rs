//! What players saw of their answers, a word for each: so that answers of two runs can be compared.
//!
//! Guidance (next node, distance) is left out: it depends on when it was worked out.

use huntgraph_core::mix;
use huntgraph_core::schema::Update;
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::arrays::rows;

/// A hash of what was seen of an answer: equal for equal ones, and for one in 2^64 pairs of unequal
/// ones.
pub fn seen_of(update: &Update) -> u64 {
    let Update { code, stage, target, found, hint, score, node, moved_to, .. } = *update;
    let place = node as u64 | (target as u64) << 32;
    let [stage, found] = [stage, found].map(u64::from);
    let rest = code as u64 | stage << 16 | found << 24 | (score as u32 as u64) << 32;
    mix(mix(hint as u64 | (moved_to as u64) << 8, place), rest)
}

/// A word for each update of 64 bytes: what was seen of it.
#[pyfunction(name = "seen_of")]
pub fn seen_of_all<'py>(updates: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyArray1<u64>>> {
    let py = updates.py();
    let updates = rows(updates)?;
    let updates = updates.as_slice()?.as_chunks::<64>().0.iter().map(Update::decode);
    Ok(PyArray1::from_iter(py, updates.map(|update| seen_of(&update))))
}
