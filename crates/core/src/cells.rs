//! Cells by name: every word of the state that the state hash takes in (rules, section 8).
//!
//! A name is `tag << 56 | index`. Diffs list cells, and corrections set them (`correction`).

use crate::hash::added_word;
use crate::image::Partition;
use crate::schema::{GATE_EDGES, GATES, STAGES};

/// Tag of edges, in its place in a name, as are all that follow.
pub const EDGE: u64 = 1 << 56;
/// Tag of players.
pub const PLAYER: u64 = 2 << 56;
/// Tag of hunts.
pub const HUNT: u64 = 3 << 56;
/// Tag of stages.
pub const STAGE: u64 = 4 << 56;
/// Tag of gates.
pub const GATE: u64 = 5 << 56;
/// Tag of edges of gates.
pub const GATE_EDGE: u64 = 6 << 56;
/// Tag of single values.
pub const SINGLE: u64 = 7 << 56;
pub(crate) const PARCEL: u64 = 8 << 56;
pub(crate) const PEER: u64 = 9 << 56;
/// Tag of added slots.
pub const ADDED: u64 = 10 << 56;
const TAG: u64 = 0xFF << 56;

/// Single values, by their word.
pub(crate) const POSITION: usize = 1;
/// The traffic rule, among single values.
pub const TRAFFIC: usize = 6;
/// Its cost.
pub const TRAFFIC_COST: usize = 7;
/// The least and the greatest base cost.
pub const COSTS: usize = 9;
pub(crate) const CORRECTION: usize = 10;

/// The tag of a name in its place, and the index.
pub fn parts(name: u64) -> (u64, usize) {
    (name & TAG, (name & !TAG) as usize)
}

impl Partition<'_> {
    /// The word of a cell; `None` when the state has no such cell now.
    pub fn cell(&self, name: u64) -> Option<u64> {
        let (tag, index) = parts(name);
        match tag {
            EDGE => (index < self.edge_ids()).then(|| self.edge_cell_word(index)),
            PLAYER => {
                let used = index / 8 < self.header.players as usize;
                used.then(|| self.players[index / 8].words().get(index % 8).copied())?
            }
            HUNT..SINGLE => self.hunt_cell(tag, index),
            SINGLE if index == CORRECTION => {
                Some(self.header.correction).filter(|&correction| correction != 0)
            }
            SINGLE => self.single_words().get(index).copied(),
            PARCEL | PEER => self.border.cell(name),
            ADDED => {
                let number = index.checked_sub(self.topology.slots)?;
                let way = self.topology.added[..self.header.added as usize].get(number)?;
                Some(added_word(way.tail, way.head))
            }
            _ => None,
        }
    }

    /// The word of an edge in use.
    pub(crate) fn edge_cell_word(&self, edge: usize) -> u64 {
        self.edge_word(self.topology.edges.state(edge))
    }

    /// Words 0 to 9 of tag 7.
    pub(crate) fn single_words(&self) -> [u64; 10] {
        let h = &self.header;
        let rule = h.rise as u64
            | (h.shift as u64) << 8
            | (h.decay_shift as u64) << 16
            | (h.period_ticks as u64) << 32;
        let [c0, c1, c2, c3] = h.chain;
        let costs = h.cost_min as u64 | (h.cost_max as u64) << 32;
        [h.tick as u64, h.position, c0, c1, c2, c3, rule, h.cost as u64, h.serial, costs]
    }

    /// The word of a cell of tags 3 to 6.
    fn hunt_cell(&self, tag: u64, index: usize) -> Option<u64> {
        let of = |cells: usize| (self.hunts.get(index / cells), index % cells);
        match tag {
            HUNT => {
                let (hunt, word) = of(16);
                let shared = |bits: &u64| *bits != 0;
                match word {
                    9 => hunt.map(|hunt| hunt.partitions).filter(shared),
                    _ => hunt?.words().get(word).copied(),
                }
            }
            STAGE => {
                let (hunt, at) = of(STAGES * 16);
                let hunt = hunt?;
                let stage = hunt.stage[..hunt.stages as usize].get(at / 16)?;
                stage.words().get(at % 16).copied()
            }
            GATE => {
                let (hunt, at) = of(GATES * 4);
                let hunt = hunt?;
                let gate = hunt.gate[..hunt.gates as usize].get(at / 4)?;
                gate.words().get(at % 4).copied()
            }
            _ => {
                let (hunt, at) = of(GATE_EDGES);
                let hunt = hunt?;
                hunt.gate_edge[..hunt.edges as usize].get(at).map(|&edge| edge as u64)
            }
        }
    }
}
