//! What differs between two states of one partition, cell by cell (rules, section 8).

use super::touched::Touched;
use crate::cells::{ADDED, EDGE, GATE, GATE_EDGE, HUNT, PLAYER, SINGLE, STAGE};
use crate::hash::added_word;
use crate::hunts::Hunt;
use crate::image::{Partition, prefetch};
use crate::players::Player;
use crate::schema::{GATE_EDGES, GATES, STAGES, state};

/// Bits of a player's words that are the clients' and not the world's: its sequence number, the
/// code and the position of its last move.
const CLIENTS: [u64; 7] = [0, 0, 0xFFFF_FFFF, 0, 0xFFFF << 40, u64::MAX, 0];
/// Words of a slot that holds no edge.
const NO_EDGE: u64 = 1 << 24;
/// Single values that a change of history may change: the traffic rule and the range of costs.
const SINGLES: [usize; 3] = [6, 7, 9];

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

/// Tells all cells in which `branch` differs from `original`, where `touched` says that it may.
/// Players are the same when their ids are; cells of those that the original does not know have
/// the numbers they would get there. Left out is what belongs to the log (position, tick, chain and
/// count of receipts), to the borders, and to the clients (sequence number, last code and position
/// of a player).
pub fn differ(
    original: &Partition,
    branch: &Partition,
    touched: &Touched,
    tell: &mut impl FnMut(Change),
) {
    edges(original, branch, touched, tell);
    players(original, branch, touched, tell);
    lost_players(original, branch, touched, tell);
    for (slot, (ours, theirs)) in original.hunts.iter().zip(branch.hunts.iter()).enumerate() {
        hunt(slot as u64, ours, theirs, tell);
    }
    let (ours, theirs) = (original.single_words(), branch.single_words());
    for word in SINGLES {
        compare(SINGLE | word as u64, ours[word], theirs[word], tell);
    }
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
    let first = original.topology.slots;
    for edge in ours..theirs {
        let added = branch.topology.added[edge - first];
        compare(ADDED | edge as u64, 0, added_word(added.tail, added.head), tell);
    }
    let word = |of: &Partition, end: usize, edge| if edge < end { of.edge_cell_word(edge) } else { NO_EDGE };
    let fetch = |edge| {
        original.topology.edges.prefetch(edge, edge);
        branch.topology.edges.prefetch(edge, edge);
    };
    Touched::each(touched.edges, ours.max(theirs), fetch, |edge| {
        let (old, new) = (word(original, ours, edge), word(branch, theirs, edge));
        compare(EDGE | edge as u64, old, new, tell);
    });
}

fn players(
    original: &Partition,
    branch: &Partition,
    touched: &Touched,
    tell: &mut impl FnMut(Change),
) {
    let known = original.header.players as usize;
    let mut unknown = known;
    let fetch = |at| {
        prefetch(original.players, at);
        prefetch(branch.players, at);
    };
    Touched::each(touched.players, branch.header.players as usize, fetch, |at| {
        let player = &branch.players[at];
        let same = at < known && original.players[at].id == player.id;
        let found = if same { Some(at) } else { original.player_slot(player.id) };
        if let Some(slot) = found {
            let old = original.players[slot].words();
            player_words(slot, old, player.words(), tell);
        } else {
            let blank = Player::new(player.id).words();
            tell(Change { name: PLAYER | (unknown * 8) as u64, old: 0, new: player.id });
            for (w, (old, new)) in blank.into_iter().zip(player.words()).enumerate() {
                compare(PLAYER | (unknown * 8 + w) as u64, old, new, tell);
            }
            unknown += 1;
        }
    });
}

/// Players that the branch does not know have done nothing there.
fn lost_players(
    original: &Partition,
    branch: &Partition,
    touched: &Touched,
    tell: &mut impl FnMut(Change),
) {
    let known = original.header.players as usize;
    let fetch = |slot| prefetch(branch.players, slot);
    Touched::each(touched.players, known, fetch, |slot| {
        let player = &original.players[slot];
        if branch.players[slot].id != player.id && branch.player_slot(player.id).is_none() {
            player_words(slot, player.words(), Player::new(player.id).words(), tell);
        }
    });
}

#[inline(always)]
fn player_words(slot: usize, old: [u64; 7], new: [u64; 7], tell: &mut impl FnMut(Change)) {
    for (w, (old, new)) in old.into_iter().zip(new).enumerate() {
        let new = new & !CLIENTS[w] | old & CLIENTS[w];
        compare(PLAYER | (slot * 8 + w) as u64, old, new, tell);
    }
}

fn hunt(slot: u64, ours: &Hunt, theirs: &Hunt, tell: &mut impl FnMut(Change)) {
    if ours.state == state::EMPTY && theirs.state == state::EMPTY {
        return;
    }
    for (w, (old, new)) in ours.words().into_iter().zip(theirs.words()).enumerate() {
        compare(HUNT | (slot * 16 + w as u64), old, new, tell);
    }
    compare(HUNT | (slot * 16 + 9), ours.partitions, theirs.partitions, tell);
    let stage = |hunt: &Hunt, at: usize| match at < hunt.stages as usize {
        true => hunt.stage[at].words(),
        false => [0; 15],
    };
    for at in 0..ours.stages.max(theirs.stages) as usize {
        let name = STAGE | ((slot * STAGES as u64 + at as u64) * 16);
        for (w, (old, new)) in stage(ours, at).into_iter().zip(stage(theirs, at)).enumerate() {
            compare(name + w as u64, old, new, tell);
        }
    }
    let gate = |hunt: &Hunt, at: usize| match at < hunt.gates as usize {
        true => hunt.gate[at].words(),
        false => [0; 3],
    };
    for at in 0..ours.gates.max(theirs.gates) as usize {
        let name = GATE | ((slot * GATES as u64 + at as u64) * 4);
        for (w, (old, new)) in gate(ours, at).into_iter().zip(gate(theirs, at)).enumerate() {
            compare(name + w as u64, old, new, tell);
        }
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
