//! What differs between two states of one partition, cell by cell (rules, section 8).

use super::touched::Touched;
use crate::bits::{mask, places};
use crate::cells::{ADDED, EDGE, GATE, GATE_EDGE, HUNT, PLAYER, SINGLE, STAGE};
use crate::edge_lines::{LINE_EDGES, edge_lines};
use crate::hash::added_word;
use crate::hunts::Hunt;
use crate::image::Partition;
use crate::memory::{prefetch, same};
use crate::schema::{GATE_EDGES, GATES, STAGES};

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
/// those of the borders are left out. A cell that only one of them has is 0 in the other, and told
/// also when it is 0 in both. What was found to be equal is touched no longer.
pub fn differ(
    original: &Partition,
    branch: &Partition,
    touched: &mut Touched,
    tell: &mut impl FnMut(Change),
) {
    edges(original, branch, touched, tell);
    players(original, branch, touched, tell);
    for (slot, (ours, theirs)) in original.hunts.iter().zip(branch.hunts.iter()).enumerate() {
        hunt(slot as u64, ours, theirs, tell);
    }
    words(SINGLE, Some(original.single_words()), Some(branch.single_words()), tell);
}

/// Tells of a cell that differs; one that only one side has differs, also when its word is 0.
#[inline(always)]
fn compare(name: u64, old: Option<u64>, new: Option<u64>, tell: &mut impl FnMut(Change)) {
    if old != new {
        tell(Change { name, old: old.unwrap_or(0), new: new.unwrap_or(0) });
    }
}

/// Compares cells that follow one another: all at once, most that differ do so in a few.
#[inline(always)]
fn words<const N: usize>(
    name: u64,
    old: Option<[u64; N]>,
    new: Option<[u64; N]>,
    tell: &mut impl FnMut(Change),
) {
    let alone = old.is_some() != new.is_some();
    let (old, new) = (old.unwrap_or([0; N]), new.unwrap_or([0; N]));
    let differing = (0..N).fold(0u64, |bits, w| bits | ((alone || old[w] != new[w]) as u64) << w);
    for w in places(differing) {
        tell(Change { name: name + w as u64, old: old[w], new: new[w] });
    }
}

fn edges(
    original: &Partition,
    branch: &Partition,
    touched: &mut Touched,
    tell: &mut impl FnMut(Change),
) {
    let (ours, theirs) = (original.edge_ids(), branch.edge_ids());
    let (old, new) = (&original.topology.edges, &branch.topology.edges);
    let fetch = |line| {
        old.prefetch_line(line);
        new.prefetch_line(line);
    };
    let one_rule = original.rule() == branch.rule() && old.has_prices_of(new);
    // The lines behind have edges that only one side has: they differ, whatever they say.
    let alike = if ours == theirs { edge_lines(ours) } else { ours.min(theirs) / LINE_EDGES };
    Touched::each(touched.lines, edge_lines(ours.max(theirs)), fetch, |line| {
        // Under another rule, or with other prices, the same line says something else.
        let differing = if one_rule { old.differing(new, line) } else { u32::MAX };
        if line < alike && differing == 0 {
            return false;
        }
        edges_of(line, [original, branch], differing, tell);
        true
    });
    let leads = |of: &Partition, at: usize| {
        let way = of.topology.added[..of.header.added as usize].get(at)?;
        Some(added_word(way.tail, way.head))
    };
    let slots = original.topology.slots;
    for at in 0..original.header.added.max(branch.header.added) as usize {
        let name = ADDED | (slots + at) as u64;
        compare(name, leads(original, at), leads(branch, at), tell);
    }
}

/// Compares the edges of a line that may differ, of which each side has those below its end.
#[inline(always)]
fn edges_of(line: usize, sides: [&Partition; 2], differing: u32, tell: &mut impl FnMut(Change)) {
    let first = line * LINE_EDGES;
    let [ours, theirs] = sides.map(|side| side.edge_ids());
    let end = ours.max(theirs).min(first + LINE_EDGES);
    let alone = mask(&(ours.min(theirs)..end), first);
    let [old, new] = sides.map(|side| side.topology.edges.words(line, move |heat| side.term(heat)));
    for at in places((differing as u64 | alone) & mask(&(0..end), first)) {
        let edge = first + at;
        let (old, new) = ((edge < ours).then(|| old(at)), (edge < theirs).then(|| new(at)));
        compare(EDGE | edge as u64, old, new, tell);
    }
}

fn players(
    original: &Partition,
    branch: &Partition,
    touched: &mut Touched,
    tell: &mut impl FnMut(Change),
) {
    let (ours, theirs) = (original.header.players as usize, branch.header.players as usize);
    let of = |side: &Partition, end, slot: usize| (slot < end).then(|| side.players[slot].words());
    let fetch = |slot| {
        prefetch(original.players, slot);
        prefetch(branch.players, slot);
    };
    let shared = ours.min(theirs);
    Touched::each(touched.players, ours.max(theirs), fetch, |slot| {
        // What is no cell of a player counts too: the branch takes it over by what was touched.
        let same = same(&original.players[slot], &branch.players[slot]);
        if slot >= shared || !same {
            let (old, new) = (of(original, ours, slot), of(branch, theirs, slot));
            words(PLAYER | (slot * 8) as u64, old, new, tell);
        }
        !same
    });
}

fn hunt(slot: u64, ours: &Hunt, theirs: &Hunt, tell: &mut impl FnMut(Change)) {
    words(HUNT | (slot * 16), Some(ours.words()), Some(theirs.words()), tell);
    let shared = |hunt: &Hunt| Some(hunt.partitions).filter(|&bits| bits != 0);
    compare(HUNT | (slot * 16 + 9), shared(ours), shared(theirs), tell);
    let stage =
        |hunt: &Hunt, at: usize| (at < hunt.stages as usize).then(|| hunt.stage[at].words());
    for at in 0..ours.stages.max(theirs.stages) as usize {
        let name = STAGE | ((slot * STAGES as u64 + at as u64) * 16);
        words(name, stage(ours, at), stage(theirs, at), tell);
    }
    let gate = |hunt: &Hunt, at: usize| (at < hunt.gates as usize).then(|| hunt.gate[at].words());
    for at in 0..ours.gates.max(theirs.gates) as usize {
        let name = GATE | ((slot * GATES as u64 + at as u64) * 4);
        words(name, gate(ours, at), gate(theirs, at), tell);
    }
    let edge =
        |hunt: &Hunt, at: usize| (at < hunt.edges as usize).then(|| hunt.gate_edge[at] as u64);
    for at in 0..ours.edges.max(theirs.edges) as usize {
        let name = GATE_EDGE | (slot * GATE_EDGES as u64 + at as u64);
        compare(name, edge(ours, at), edge(theirs, at), tell);
    }
}
