//! All cells of the state by name: what two states are compared by (rules, section 8).

use crate::border::{Border, NUMBERS};
use crate::cells::{
    ADDED, CORRECTION, EDGE, GATE, GATE_EDGE, HUNT, PARCEL, PEER, PLAYER, SINGLE, STAGE,
};
use crate::hash::added_word;
use crate::image::Partition;
use crate::schema::{Arrival, GATE_EDGES, GATES, HUNTS, STAGES};

impl Partition<'_> {
    /// Calls `take` with the name and the word of every cell that an edge has, by edge id.
    pub fn each_edge_cell(&self, mut take: impl FnMut(u64, u64)) {
        for edge in 0..self.edge_ids() {
            take(EDGE | edge as u64, self.edge_cell_word(edge));
        }
        let added = &self.topology.added[..self.header.added as usize];
        for (at, way) in added.iter().enumerate() {
            let edge = self.topology.slots + at;
            take(ADDED | edge as u64, added_word(way.tail, way.head));
        }
    }

    /// The words of every player's cells, by slot.
    pub fn player_words(&self) -> impl ExactSizeIterator<Item = [u64; 7]> {
        self.players[..self.header.players as usize].iter().map(|player| player.words())
    }

    /// Calls `take` with the name and the word of every cell that a player has, by slot.
    pub fn each_player_cell(&self, mut take: impl FnMut(u64, u64)) {
        for (slot, words) in self.player_words().enumerate() {
            list(PLAYER | (slot as u64 * 8), &words, &mut take);
        }
    }

    /// Calls `take` with the name and the word of all other cells.
    pub fn each_other_cell(&self, mut take: impl FnMut(u64, u64)) {
        (0..HUNTS).for_each(|slot| self.each_hunt_cell(slot, &mut take));
        list(SINGLE, &self.single_words(), &mut take);
        if self.header.correction != 0 {
            take(SINGLE | CORRECTION as u64, self.header.correction);
        }
        self.border.each_cell(&mut take);
    }

    /// Calls `take` with the name and the word of every cell of a hunt.
    pub(crate) fn each_hunt_cell(&self, slot: usize, take: &mut impl FnMut(u64, u64)) {
        let (hunt, at) = (&self.hunts[slot], slot as u64);
        list(HUNT | (at * 16), &hunt.words(), take);
        if hunt.partitions != 0 {
            take(HUNT | (at * 16 + 9), hunt.partitions);
        }
        for (s, stage) in hunt.stage[..hunt.stages as usize].iter().enumerate() {
            list(STAGE | ((at * STAGES as u64 + s as u64) * 16), &stage.words(), take);
        }
        for (g, gate) in hunt.gate[..hunt.gates as usize].iter().enumerate() {
            list(GATE | ((at * GATES as u64 + g as u64) * 4), &gate.words(), take);
        }
        for (i, &edge) in hunt.gate_edge[..hunt.edges as usize].iter().enumerate() {
            take(GATE_EDGE | (at * GATE_EDGES as u64 + i as u64), edge as u64);
        }
    }
}

impl Border<'_> {
    fn each_cell(&self, take: &mut impl FnMut(u64, u64)) {
        for partition in 0..self.peers.len() as u16 {
            for raw in self.parcels(partition) {
                let number = Arrival::decode(raw).number % NUMBERS;
                let name = PARCEL | (partition as u64) << 48 | (number * 8);
                let words = raw.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
                words.enumerate().for_each(|(w, word)| take(name + w as u64, word));
            }
        }
        for (number, peer) in self.peers.iter().enumerate() {
            if peer.sent | peer.taken != 0 {
                list(PEER | (number as u64 * 4), &[peer.sent, peer.acked, peer.taken], take);
            }
        }
    }
}

fn list(name: u64, words: &[u64], take: &mut impl FnMut(u64, u64)) {
    words.iter().enumerate().for_each(|(w, &word)| take(name + w as u64, word));
}
