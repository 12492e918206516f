//! Hunts: their tables in the image and the records that load and steer them (rules, section 6).

use crate::apply::Sink;
use crate::image::Partition;
use crate::schema::{Event, GATE_EDGES, GATES, HINTS, NEEDS, STAGES, event};

/// Bits of [`Hunt::pending`].
pub(crate) const PAUSE: u32 = 1;
pub(crate) const RESUME: u32 = 2;
pub(crate) const CLOSE: u32 = 4;

/// A clue or a treasure: its rule and what became of it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Stage {
    /// Masks of stages, one of which must be met; `needs_len` of them.
    pub needs: [u64; NEEDS],
    /// Bit per team that found or won it.
    pub team_bits: u64,
    /// Player who found or won it last.
    pub winner: u64,
    /// Log position of that.
    pub position: u64,
    /// Ticks of hunt time before each hint.
    pub hint_delay: [u32; HINTS],
    /// Points that each hint costs.
    pub hint_cost: [u32; HINTS],
    /// Where it is.
    pub node: u32,
    /// Start of its window, hunt time in ticks.
    pub opens: u32,
    /// End of its window, 0 = never.
    pub closes: u32,
    /// Wins possible, 0 = no bound.
    pub stock: u32,
    /// Points for it.
    pub points: u32,
    /// Times it was found or won.
    pub wins: u32,
    /// Clue or treasure.
    pub form: u8,
    /// Who can win it.
    pub rule: u8,
    /// Needs in use.
    pub needs_len: u8,
    /// Hints in use.
    pub hints_len: u8,
    /// 0, or 1 + the partition that it is in; then `node` is of the halo, or NONE.
    pub owner: u8,
    pub(crate) spare: [u8; 3],
}

impl Stage {
    /// A stage without rules.
    pub(crate) const EMPTY: Self = Self {
        needs: [0; NEEDS],
        team_bits: 0,
        winner: 0,
        position: 0,
        hint_delay: [0; HINTS],
        hint_cost: [0; HINTS],
        node: 0,
        opens: 0,
        closes: 0,
        stock: 0,
        points: 0,
        wins: 0,
        form: 0,
        rule: 0,
        needs_len: 0,
        hints_len: 0,
        owner: 0,
        spare: [0; 3],
    };

    pub(crate) fn words(&self) -> [u64; 15] {
        let shape = self.form as u64
            | (self.rule as u64) << 8
            | (self.needs_len as u64) << 16
            | (self.hints_len as u64) << 24
            | (self.node as u64) << 32;
        let hint = |i: usize| self.hint_delay[i] as u64 | (self.hint_cost[i] as u64) << 32;
        [
            shape,
            self.opens as u64 | (self.closes as u64) << 32,
            self.stock as u64 | (self.points as u64) << 32,
            self.needs[0],
            self.needs[1],
            self.needs[2],
            self.needs[3],
            hint(0),
            hint(1),
            hint(2),
            hint(3),
            self.wins as u64 | (self.owner as u64) << 32,
            self.team_bits,
            self.winner,
            self.position,
        ]
    }
}

/// A gate: edges that close and open for all.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    /// Stages that flip it once each was found or won.
    pub mask: u64,
    /// Hunt time at which it opens, 0 = never.
    pub opens: u32,
    /// Hunt time at which it shuts, 0 = never.
    pub closes: u32,
    /// Its first edge in the hunt's list.
    pub first: u32,
    /// Its edges.
    pub count: u16,
    /// 1 when it starts shut.
    pub starts_shut: u16,
}

impl Gate {
    /// A gate without edges.
    pub(crate) const EMPTY: Self =
        Self { mask: 0, opens: 0, closes: 0, first: 0, count: 0, starts_shut: 0 };

    pub(crate) fn words(&self) -> [u64; 3] {
        let shape = self.starts_shut as u64 | (self.count as u64) << 16 | (self.first as u64) << 32;
        [shape, self.opens as u64 | (self.closes as u64) << 32, self.mask]
    }
}

/// One hunt slot.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Hunt {
    /// Id of the hunt.
    pub hunt_id: u64,
    /// Bit per gate that is shut.
    pub shut: u64,
    /// Bit per hash of a clue's node: most moves come to no clue, and end their look here.
    pub(crate) clue_places: [u64; 4],
    /// Bit per other partition that holds this hunt too.
    pub partitions: u64,
    /// Number of openings of this slot.
    pub edition: u32,
    /// Hunt time: ticks while open.
    pub elapsed_ticks: u32,
    /// Hunt time at which it ends, 0 = never.
    pub closes: u32,
    /// Ticks left before it opens.
    pub wait: u32,
    /// Rows loaded.
    pub rows: u32,
    /// Orders for the next tick.
    pub pending: u32,
    /// Ticks to add at the next tick.
    pub extend_by: u32,
    /// Gate edges in use.
    pub edges: u32,
    /// 1 when the hunt has a traffic rule.
    pub has_traffic: u32,
    /// Rise, shift, decay shift, period, cost.
    pub traffic: [u32; 5],
    /// A State.
    pub state: u8,
    /// Stages in use.
    pub stages: u8,
    /// Gates in use.
    pub gates: u8,
    /// Teams, 0 = none.
    pub teams: u8,
    /// Rises whenever somebody's next stage may have become another one.
    pub(crate) revision: u32,
    /// The stages.
    pub stage: [Stage; STAGES],
    /// The gates.
    pub gate: [Gate; GATES],
    /// Edge ids of all gates.
    pub gate_edge: [u32; GATE_EDGES],
}

/// Word and bit of a node in [`Hunt::clue_places`].
#[inline]
pub(crate) fn place(node: u32) -> (usize, u64) {
    let hash = node.wrapping_mul(0x9E37_79B9) >> 24;
    ((hash >> 6) as usize, 1 << (hash & 63))
}

impl Hunt {
    /// Targets may be others now: players look for theirs again at their next move.
    #[inline]
    pub(crate) fn revise(&mut self) {
        self.revision = self.revision.wrapping_add(1);
    }

    /// A slot that never held a hunt.
    pub(crate) const EMPTY: Self = Self {
        hunt_id: 0,
        shut: 0,
        clue_places: [0; 4],
        partitions: 0,
        edition: 0,
        elapsed_ticks: 0,
        closes: 0,
        wait: 0,
        rows: 0,
        pending: 0,
        extend_by: 0,
        edges: 0,
        has_traffic: 0,
        traffic: [0; 5],
        state: 0,
        stages: 0,
        gates: 0,
        teams: 0,
        revision: 0,
        stage: [Stage::EMPTY; STAGES],
        gate: [Gate::EMPTY; GATES],
        gate_edge: [0; GATE_EDGES],
    };

    pub(crate) fn words(&self) -> [u64; 9] {
        let small = self.state as u64
            | (self.stages as u64) << 8
            | (self.gates as u64) << 16
            | (self.teams as u64) << 24
            | (self.edition as u64) << 32;
        let [rise, shift, decay_shift, period, cost] = self.traffic.map(u64::from);
        let traffic = 1 | rise << 8 | shift << 16 | decay_shift << 24 | period << 32;
        [
            self.hunt_id,
            small,
            self.elapsed_ticks as u64 | (self.closes as u64) << 32,
            self.wait as u64 | (self.rows as u64) << 32,
            self.pending as u64 | (self.extend_by as u64) << 32,
            self.shut,
            self.edges as u64,
            traffic * self.has_traffic as u64,
            cost * self.has_traffic as u64,
        ]
    }
}

impl Partition<'_> {
    /// Sets a gate shut or open; nothing happens when it is so already.
    pub(crate) fn set_gate<S: Sink>(&mut self, slot: usize, gate: usize, shut: bool, sink: &mut S) {
        let bit = 1 << gate;
        let hunt = &mut self.hunts[slot];
        if (hunt.shut & bit != 0) == shut {
            return;
        }
        self.keep_hunt(slot);
        let hunt = &mut self.hunts[slot];
        hunt.shut ^= bit;
        let (first, count) = (hunt.gate[gate].first as usize, hunt.gate[gate].count as usize);
        let end = (first + count).min(hunt.edges as usize);
        let (hunt, edge, value) = (slot as u16, gate as u32, shut as u32);
        sink.event(&Event { kind: event::GATE, hunt, edge, value, ..self.event() });
        for at in first..end {
            let edge = self.hunts[slot].gate_edge[at] as usize;
            self.set_closed(edge, shut, sink);
        }
    }
}
