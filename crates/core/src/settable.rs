//! Which words a correction may give to which cells (rules, section 12).

use crate::cells::{
    ADDED, COSTS, EDGE, GATE, GATE_EDGE, HUNT, PLAYER, SINGLE, STAGE, TRAFFIC, TRAFFIC_COST, parts,
};
use crate::correction::{CELLS, Change, Row};
use crate::image::Partition;
use crate::players::NO_STAGE;
use crate::schema::{
    COST_MAX, GATE_EDGES, GATES, HEAT_MAX, HINTS, HUNTS, NEEDS, NONE, STAGES, TEAMS, WEIGHT_MAX,
    form, rule, state,
};

/// Greatest shift of a traffic rule.
const SHIFT_MAX: u64 = 7;
/// Greatest period of a traffic rule, in ticks.
const PERIOD_MAX: u64 = 65_535;

/// Some bits of a word, at the bottom.
fn bits(word: u64, first: u32, count: u32) -> u64 {
    word >> first & ((1 << count) - 1)
}

impl Partition<'_> {
    /// Whether a change may be made to the state as it is before its row.
    pub(crate) fn may_set(&self, change: &Change, row: &Row) -> bool {
        let (tag, index) = parts(change.name);
        if row.changes().len() > 1 && self.stands_alone(change) {
            return false;
        }
        let Some(word) = change.word else { return self.may_take(tag, index) };
        match tag {
            EDGE => index < self.edge_ids() && self.fits_edge(word),
            PLAYER => self.fits_player(index / 8, index % 8, word, row),
            HUNT => index / 16 < HUNTS && self.fits_hunt(index / 16, index % 16, word),
            STAGE => {
                let (hunt, at) = (index / (STAGES * 16), index % (STAGES * 16));
                hunt < HUNTS && self.fits_stage(hunt, at / 16, at % 16, word)
            }
            GATE => {
                let (hunt, at) = (index / (GATES * 4), index % (GATES * 4));
                let used = hunt < HUNTS && at / 4 < self.hunts[hunt].gates as usize;
                used && fits_gate(at % 4, word)
            }
            GATE_EDGE => {
                let (hunt, at) = (index / GATE_EDGES, index % GATE_EDGES);
                let used = hunt < HUNTS && at < self.hunts[hunt].edges as usize;
                used && word < self.edge_ids() as u64
            }
            SINGLE => matches!(index, TRAFFIC | TRAFFIC_COST | COSTS) && self.fits_traffic(row),
            ADDED => self.fits_added(index, word),
            _ => false,
        }
    }

    /// Whether a cell makes others, or does away with them.
    fn stands_alone(&self, change: &Change) -> bool {
        let (tag, index) = parts(change.name);
        let alone = match tag {
            PLAYER => index == self.header.players as usize * 8,
            HUNT => matches!(index % 16, 1 | 6 | 7),
            STAGE => index.is_multiple_of(16),
            _ => tag == ADDED,
        };
        alone || change.word.is_none()
    }

    /// The word of a cell as the row leaves it.
    fn left_by(&self, row: &Row, name: u64) -> u64 {
        row.word(name).or_else(|| self.cell(name)).unwrap_or(0)
    }

    fn fits_edge(&self, word: u64) -> bool {
        let (weight, heat) = (bits(word, 0, 16) as u32, bits(word, 16, 8) as u8);
        if weight == 0 {
            return word == 1 << 24;
        }
        let warm = heat as u32 <= HEAT_MAX && word >> 25 == 0;
        let base = weight.checked_sub(self.term(heat));
        warm && base.is_some_and(|base| (1..=self.header.cost_max).contains(&base))
    }

    /// Whether edges can be told to have the costs of a row, whose cells may be set.
    pub(crate) fn has_room_for(&self, row: &Row) -> bool {
        let mut costs = [0; CELLS];
        for (cost, cell) in costs.iter_mut().zip(row.changes()) {
            if let (EDGE, Some(word)) = (parts(cell.name).0, cell.word) {
                *cost = self.cost_of(word);
            }
        }
        self.topology.edges.has_room(&costs)
    }

    /// Whether all edges fit the traffic rule that a correction has set.
    pub(crate) fn edges_fit(&self) -> bool {
        let mut edges = 0..self.edge_ids();
        self.header.traffic_set == 0 || edges.all(|edge| self.fits_edge(self.edge_cell_word(edge)))
    }

    fn fits_player(&self, slot: usize, number: usize, word: u64, row: &Row) -> bool {
        let used = self.header.players as usize;
        if number == 0 && slot == used {
            return used < self.players.len() && self.player_slot(word).is_none();
        }
        if slot >= used {
            return false;
        }
        match number {
            0 => word == self.players[slot].id,
            1 | 3 | 5 => true,
            2 => self.fits_seat(slot, row),
            4 => fits_player_flags(word) && self.fits_seat(slot, row),
            6 => word >> 32 == 0,
            _ => false,
        }
    }

    /// Whoever is here stands on an own node; whoever is away, where it was handed over.
    fn fits_seat(&self, slot: usize, row: &Row) -> bool {
        let name = PLAYER | (slot as u64 * 8);
        let node = (self.left_by(row, name + 2) >> 32) as u32;
        let flags = self.left_by(row, name + 4);
        let (present, away) = (bits(flags, 24, 1), bits(flags, 56, 8));
        match node.checked_sub(self.header.own_nodes) {
            None => away == 0,
            Some(at) => {
                let owner = self.border.owner.get(at as usize);
                owner.is_some_and(|&owner| present == 0 && away == owner as u64 + 1)
            }
        }
    }

    fn fits_hunt(&self, slot: usize, number: usize, word: u64) -> bool {
        let hunt = &self.hunts[slot];
        match number {
            0 | 2 | 3 => true,
            1 => {
                let counts = bits(word, 8, 8) <= STAGES as u64 && bits(word, 16, 8) <= GATES as u64;
                bits(word, 0, 8) <= state::CLOSED as u64
                    && counts
                    && bits(word, 24, 8) <= TEAMS as u64
            }
            4 => bits(word, 0, 32) < 8,
            5 => word >> hunt.gates == 0,
            6 => word <= GATE_EDGES as u64 && (word <= hunt.edges as u64 || self.edge_ids() > 0),
            7 => word == 0 || fits_traffic_row(word),
            8 => word >> 32 == 0 && (word == 0 || hunt.has_traffic == 1),
            9 => word >> self.border.partition() & 1 == 0,
            _ => false,
        }
    }

    fn fits_stage(&self, hunt: usize, number: usize, at: usize, word: u64) -> bool {
        let hunt = &self.hunts[hunt];
        if number >= hunt.stages as usize {
            return false;
        }
        let stage = &hunt.stage[number];
        match at {
            0 => {
                let form = matches!(bits(word, 0, 8) as u8, form::CLUE | form::TREASURE);
                let least = rule::EXCLUSIVE as u64..=rule::PLAYER as u64;
                let counts = bits(word, 16, 8) <= NEEDS as u64 && bits(word, 24, 8) <= HINTS as u64;
                let node = (word >> 32) as u32;
                form && least.contains(&bits(word, 8, 8))
                    && counts
                    && (node < self.header.nodes || node == NONE)
            }
            3..=6 => word == 0 || at - 3 < stage.needs_len as usize,
            7..=10 => word == 0 || at - 7 < stage.hints_len as usize,
            11 => self.may_own((word >> 32) as u32),
            _ => at < 15,
        }
    }

    /// The traffic rule and the costs it must fit, as the row leaves them.
    fn fits_traffic(&self, row: &Row) -> bool {
        let left = |number: usize| self.left_by(row, SINGLE | number as u64);
        let (rule, cost, costs) = (left(TRAFFIC), left(TRAFFIC_COST), left(COSTS));
        let shift = bits(rule, 8, 8);
        let ranges = bits(rule, 0, 8) <= HEAT_MAX as u64
            && shift <= SHIFT_MAX
            && bits(rule, 16, 8) <= SHIFT_MAX
            && bits(rule, 24, 8) == 0
            && rule >> 32 <= PERIOD_MAX
            && cost >> 32 == 0;
        let (least, greatest) = (bits(costs, 0, 32), costs >> 32);
        ranges
            && least <= greatest
            && greatest <= COST_MAX as u64
            && greatest + (HEAT_MAX as u64 >> shift) * cost <= WEIGHT_MAX as u64
    }

    fn fits_added(&self, edge: usize, word: u64) -> bool {
        if edge != self.edge_ids() {
            return self.cell(ADDED | edge as u64) == Some(word);
        }
        let (tail, head) = (word as u32, (word >> 32) as u32);
        let between = tail < self.header.own_nodes && head < self.header.nodes && tail != head;
        between
            && self.topology.find(tail, head).is_none()
            && self.topology.fits(self.header.added as usize, tail, head)
    }

    /// Whether a cell may be taken away: the last player or edge that this correction made.
    fn may_take(&self, tag: u64, index: usize) -> bool {
        match tag {
            PLAYER if index.is_multiple_of(8) && index / 8 + 1 == self.header.players as usize => {
                let made = self.header.players > self.header.players_before;
                made && self.players[index / 8].present == 0
            }
            ADDED if index + 2 == self.edge_ids() => {
                let made = self.header.added > self.header.added_before;
                let gated = self.hunts.iter().any(|hunt| {
                    let edges = &hunt.gate_edge[..hunt.edges as usize];
                    edges.iter().any(|&edge| edge as usize >= index)
                });
                made && !gated && self.is_absent(index) && self.is_absent(index + 1)
            }
            _ => false,
        }
    }
}

fn fits_player_flags(word: u64) -> bool {
    let (hunt, target) = (bits(word, 8, 8), bits(word, 16, 8));
    let none = NO_STAGE as u64;
    bits(word, 0, 8) < TEAMS as u64
        && (hunt == none || hunt < HUNTS as u64)
        && (target == none || (target < STAGES as u64 && hunt != none))
        && bits(word, 25, 7) == 0
}

fn fits_gate(number: usize, word: u64) -> bool {
    let most = GATE_EDGES as u64;
    match number {
        0 => bits(word, 0, 16) <= 1 && bits(word, 16, 16) <= most && word >> 32 <= most,
        _ => number < 3,
    }
}

/// The ranges of a HUNT_TRAFFIC row.
fn fits_traffic_row(word: u64) -> bool {
    bits(word, 0, 8) == 1
        && bits(word, 8, 8) <= HEAT_MAX as u64
        && bits(word, 16, 8) <= SHIFT_MAX
        && (1..=SHIFT_MAX).contains(&bits(word, 24, 8))
        && word >> 32 <= PERIOD_MAX
}
