//! Words into the state: the way back from what `words` and `Partition::cell` give.

use crate::apply::Sink;
use crate::cells::{
    ADDED, COSTS, EDGE, GATE, GATE_EDGE, HUNT, PLAYER, STAGE, TRAFFIC, TRAFFIC_COST, parts,
};
use crate::edge_lines::EdgeState;
use crate::hash::{ABSENT, added_cell, edge_cell, player_cells};
use crate::history::Section;
use crate::hunts::{Gate, Hunt, Stage};
use crate::image::Partition;
use crate::players::Player;
use crate::schema::{GATE_EDGES, GATES, STAGES};

fn low(word: u64) -> u32 {
    word as u32
}

fn high(word: u64) -> u32 {
    (word >> 32) as u32
}

impl Player {
    /// Takes a word; what belongs to the player's game server stays (rules, section 12).
    fn set_word(&mut self, number: usize, word: u64) {
        match number {
            1 => self.progress = word,
            2 => (self.seq, self.node) = (self.seq.max(low(word)), high(word)),
            3 => (self.score, self.since) = (low(word) as i32, high(word)),
            4 => {
                let bytes = word.to_le_bytes();
                (self.team, self.hunt, self.target, self.present) =
                    (bytes[0], bytes[1], bytes[2], bytes[3]);
                (self.hints, self.away) = (bytes[4], bytes[7]);
            }
            6 => self.edition = low(word),
            _ => {}
        }
    }
}

impl Stage {
    fn set_word(&mut self, number: usize, word: u64) {
        match number {
            0 => {
                let bytes = word.to_le_bytes();
                (self.form, self.rule) = (bytes[0], bytes[1]);
                (self.needs_len, self.hints_len) = (bytes[2], bytes[3]);
                self.needs[bytes[2] as usize..].fill(0);
                self.hint_delay[bytes[3] as usize..].fill(0);
                self.hint_cost[bytes[3] as usize..].fill(0);
                self.node = high(word);
            }
            1 => (self.opens, self.closes) = (low(word), high(word)),
            2 => (self.stock, self.points) = (low(word), high(word)),
            3..=6 => self.needs[number - 3] = word,
            7..=10 => {
                let at = number - 7;
                (self.hint_delay[at], self.hint_cost[at]) = (low(word), high(word));
            }
            11 => (self.wins, self.owner) = (low(word), high(word) as u8),
            12 => self.team_bits = word,
            13 => self.winner = word,
            _ => self.position = word,
        }
    }
}

impl Gate {
    fn set_word(&mut self, number: usize, word: u64) {
        match number {
            0 => {
                (self.starts_shut, self.count) = (word as u16, (word >> 16) as u16);
                self.first = high(word);
            }
            1 => (self.opens, self.closes) = (low(word), high(word)),
            _ => self.mask = word,
        }
    }
}

impl Hunt {
    fn set_word(&mut self, number: usize, word: u64) {
        match number {
            0 => self.hunt_id = word,
            1 => self.set_counts(word),
            2 => (self.elapsed_ticks, self.closes) = (low(word), high(word)),
            3 => (self.wait, self.rows) = (low(word), high(word)),
            4 => (self.pending, self.extend_by) = (low(word), high(word)),
            5 => self.shut = word,
            6 => {
                let first = (self.edges as usize).min(word as usize);
                self.gate_edge[first..].fill(0);
                self.edges = low(word);
            }
            7 => {
                let [_, rise, shift, decay_shift, ..] = word.to_le_bytes().map(u32::from);
                let cost = if word == 0 { 0 } else { self.traffic[4] };
                self.traffic = [rise, shift, decay_shift, high(word), cost];
                self.has_traffic = (word != 0) as u32;
            }
            8 => self.traffic[4] = low(word),
            _ => self.partitions = word,
        }
    }

    /// State, counts, edition: what is beyond a count is forgotten, what is new is empty.
    fn set_counts(&mut self, word: u64) {
        let [state, stages, gates, teams, ..] = word.to_le_bytes();
        let kept = (self.stages.min(stages) as usize, self.gates.min(gates) as usize);
        self.stage[kept.0..].fill(Stage::EMPTY);
        self.gate[kept.1..].fill(Gate::EMPTY);
        self.shut &= (1 << kept.1) - 1;
        (self.state, self.stages, self.gates, self.teams) = (state, stages, gates, teams);
        self.edition = high(word);
    }
}

impl Partition<'_> {
    /// For the journal: a cell of a hunt is about to get another word.
    fn keep_cell(&mut self, tag: u64, index: usize) {
        match tag {
            // Counts: what is beyond them is forgotten.
            HUNT if matches!(index % 16, 1 | 6) => {
                self.keep::<Hunt>(Section::Hunts, index / 16, 1);
            }
            HUNT => self.keep_hunt(index / 16),
            STAGE => self.keep_stage(index / (STAGES * 16), index / 16 % STAGES),
            GATE => self.keep_gate(index / (GATES * 4), index / 4 % GATES),
            GATE_EDGE => self.keep_gate_edge(index / GATE_EDGES, index % GATE_EDGES),
            _ => {}
        }
    }

    /// Gives a cell its new word, which must be one that may be set; single values have theirs
    /// already.
    pub(crate) fn put_cell<S: Sink>(&mut self, name: u64, word: u64, sink: &mut S) {
        let (tag, index) = parts(name);
        self.keep_cell(tag, index);
        match tag {
            EDGE => {
                let (heat, closed) = ((word >> 16) as u8, word >> 24 == 1);
                let cost = self.cost_of(word);
                self.set_edge(index, EdgeState { cost, heat, closed }, sink);
            }
            PLAYER => self.put_player(index / 8, index % 8, word),
            HUNT => {
                if index % 16 == 1 {
                    self.guidance.forget_hunt(index / 16);
                }
                self.hunts[index / 16].set_word(index % 16, word);
            }
            STAGE => {
                let (hunt, at) = (index / (STAGES * 16), index % (STAGES * 16));
                if at % 16 == 0 {
                    self.guidance.forget_hunt(hunt);
                }
                self.hunts[hunt].stage[at / 16].set_word(at % 16, word);
            }
            GATE => {
                let (hunt, at) = (index / (GATES * 4), index % (GATES * 4));
                self.hunts[hunt].gate[at / 4].set_word(at % 4, word);
            }
            GATE_EDGE => {
                self.hunts[index / GATE_EDGES].gate_edge[index % GATE_EDGES] = low(word);
            }
            ADDED if index == self.edge_ids() => self.make_slots(low(word), high(word)),
            _ => {}
        }
    }

    /// Gives a single value its new word.
    pub(crate) fn put_single(&mut self, number: usize, word: u64) {
        let header = &mut *self.header;
        header.traffic_set = 1;
        match number {
            TRAFFIC => {
                let [rise, shift, decay_shift, ..] = word.to_le_bytes().map(u32::from);
                (header.rise, header.shift, header.decay_shift) = (rise, shift, decay_shift);
                header.period_ticks = high(word);
            }
            TRAFFIC_COST => header.cost = low(word),
            COSTS => (header.cost_min, header.cost_max) = (low(word), high(word)),
            _ => {}
        }
    }

    /// The base cost that an edge's word stands for under the traffic rule.
    pub(crate) fn cost_of(&self, word: u64) -> u16 {
        (word as u16).wrapping_sub(self.term((word >> 16) as u8) as u16)
    }

    fn put_player(&mut self, slot: usize, number: usize, word: u64) {
        if slot == self.header.players as usize {
            self.new_player(word);
            return self.player_changed(slot, None);
        }
        self.keep::<Player>(Section::Players, slot, 1);
        let before = self.players[slot];
        let player = &mut self.players[slot];
        player.set_word(number, word);
        let hunt = self.hunts.get(player.hunt as usize);
        // Another than the hunt's: the target is looked for anew at the next move.
        player.revision = hunt.map_or(1, |hunt| hunt.revision.wrapping_sub(1));
        let present = self.header.present + player.present as u32;
        self.header.present = present - before.present as u32;
        self.player_changed(slot, Some(&before));
    }

    /// Takes away a cell that may be.
    pub(crate) fn take_cell(&mut self, name: u64) {
        match parts(name) {
            (PLAYER, index) => self.forget_player(index / 8),
            (_, edge) => self.forget_slots(edge),
        }
    }

    /// The slot of the last player is free again.
    fn forget_player(&mut self, slot: usize) {
        let cells = player_cells(slot, &self.players[slot]);
        self.header.cells = self.header.cells.wrapping_sub(cells);
        self.unlist_player(slot);
    }

    /// The slots of the edge added last are free again.
    fn forget_slots(&mut self, first: usize) {
        for edge in [first + 1, first] {
            let (tail, head) = self.topology.ends(edge);
            let cells = edge_cell(edge, ABSENT).wrapping_add(added_cell(edge, tail, head));
            self.header.cells = self.header.cells.wrapping_sub(cells);
            self.journal.edge(edge, self.topology.edges.state(edge));
            self.keep_added(edge - self.topology.slots, tail);
            self.topology.edges.set_closed(edge, false);
            self.topology.forget(edge - self.topology.slots);
        }
        self.header.added -= 2;
    }
}
