//! What differs between two states of one partition, cell by cell (rules, section 8).

use super::touched::Touched;
use crate::cells::{ADDED, EDGE, GATE, GATE_EDGE, HUNT, PLAYER, SINGLE, STAGE};
use crate::hash::added_word;
use crate::hunts::Hunt;
use crate::image::{Partition, prefetch};
use crate::schema::{GATE_EDGES, GATES, STAGES, state};

/// One cell that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The cell: `tag << 56 | index`.
    pub name: u64,
    /// Its word in the original, 0 where there is no such cell.
    pub old: u64,
    /// Its word in the branch.
    pub new: u64,
}

/// Tells all cells in which `branch` differs from `original`, where `touched` says that it may;
/// those of the borders are left out. A cell that only one of them has is 0 in the other.
pub fn differ(
    original: &Partition,
    branch: &Partition,
    touched: &Touched,
    tell: &mut impl FnMut(Change),
) {
    edges(original, branch, touched, tell);
    players(original, branch, touched, tell);
    for (slot, (ours, theirs)) in original.hunts.iter().zip(branch.hunts.iter()).enumerate() {
        hunt(slot as u64, ours, theirs, tell);
    }
    words(SINGLE, &original.single_words(), &branch.single_words(), tell);
}

#[inline(always)]
fn compare(name: u64, old: u64, new: u64, tell: &mut impl FnMut(Change)) {
    if old != new {
        tell(Change { name, old, new });
    }
}

fn edges(
    original: &Partition,
    branch: &Partition,
    touched: &Touched,
    tell: &mut impl FnMut(Change),
) {
    let (ours, theirs) = (original.edge_ids(), branch.edge_ids());
    let word = |of: &Partition, end, edge| if edge < end { of.edge_cell_word(edge) } else { 0 };
    let fetch = |edge| {
        original.topology.edges.prefetch(edge, edge);
        branch.topology.edges.prefetch(edge, edge);
    };
    Touched::each(touched.edges, ours.max(theirs), fetch, |edge| {
        let (old, new) = (word(original, ours, edge), word(branch, theirs, edge));
        compare(EDGE | edge as u64, old, new, tell);
    });
    let leads = |of: &Partition, at: usize| {
        let way = of.topology.added[..of.header.added as usize].get(at);
        way.map_or(0, |way| added_word(way.tail, way.head))
    };
    let slots = original.topology.slots;
    for at in 0..(original.header.added.max(branch.header.added)) as usize {
        let name = ADDED | (slots + at) as u64;
        compare(name, leads(original, at), leads(branch, at), tell);
    }
}

fn players(
    original: &Partition,
    branch: &Partition,
    touched: &Touched,
    tell: &mut impl FnMut(Change),
) {
    let (ours, theirs) = (original.header.players as usize, branch.header.players as usize);
    let of = |side: &Partition, end, slot: usize| match slot < end {
        true => side.players[slot].words(),
        false => [0; 7],
    };
    let fetch = |slot| {
        prefetch(original.players, slot);
        prefetch(branch.players, slot);
    };
    Touched::each(touched.players, ours.max(theirs), fetch, |slot| {
        let (old, new) = (of(original, ours, slot), of(branch, theirs, slot));
        words(PLAYER | (slot * 8) as u64, &old, &new, tell);
    });
}

#[inline(always)]
fn words(name: u64, old: &[u64], new: &[u64], tell: &mut impl FnMut(Change)) {
    for (w, (&old, &new)) in old.iter().zip(new).enumerate() {
        compare(name + w as u64, old, new, tell);
    }
}

fn hunt(slot: u64, ours: &Hunt, theirs: &Hunt, tell: &mut impl FnMut(Change)) {
    if ours.state == state::EMPTY && theirs.state == state::EMPTY {
        return;
    }
    words(HUNT | (slot * 16), &ours.words(), &theirs.words(), tell);
    compare(HUNT | (slot * 16 + 9), ours.partitions, theirs.partitions, tell);
    let stage = |hunt: &Hunt, at: usize| match at < hunt.stages as usize {
        true => hunt.stage[at].words(),
        false => [0; 15],
    };
    for at in 0..ours.stages.max(theirs.stages) as usize {
        let name = STAGE | ((slot * STAGES as u64 + at as u64) * 16);
        words(name, &stage(ours, at), &stage(theirs, at), tell);
    }
    let gate = |hunt: &Hunt, at: usize| match at < hunt.gates as usize {
        true => hunt.gate[at].words(),
        false => [0; 3],
    };
    for at in 0..ours.gates.max(theirs.gates) as usize {
        let name = GATE | ((slot * GATES as u64 + at as u64) * 4);
        words(name, &gate(ours, at), &gate(theirs, at), tell);
    }
    let edge = |hunt: &Hunt, at: usize| match at < hunt.edges as usize {
        true => hunt.gate_edge[at] as u64,
        false => 0,
    };
    for at in 0..ours.edges.max(theirs.edges) as usize {
        let name = GATE_EDGE | (slot * GATE_EDGES as u64 + at as u64);
        compare(name, edge(ours, at), edge(theirs, at), tell);
    }
}
