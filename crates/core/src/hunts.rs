//! Hunts: their tables in the image and the records that load and steer them (rules, section 6).

use crate::apply::Sink;
use crate::image::Partition;
use crate::schema::{
    Code, Event, GATE_EDGES, GATES, HEAT_MAX, HINTS, HUNTS, Move, NEEDS, Rule, STAGES, TEAMS,
    event, form, kind, rule, state,
};

/// Bits of [`Hunt::pending`].
pub(crate) const PAUSE: u32 = 1;
pub(crate) const RESUME: u32 = 2;
pub(crate) const CLOSE: u32 = 4;

/// A clue or a treasure: its rule and what became of it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
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
    spare: [u8; 4],
}

impl Stage {
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
            self.wins as u64,
            self.team_bits,
            self.winner,
            self.position,
        ]
    }
}

/// A gate: edges that close and open for all.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
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
    pub(crate) fn words(&self) -> [u64; 3] {
        let shape = self.starts_shut as u64 | (self.count as u64) << 16 | (self.first as u64) << 32;
        [
            shape,
            self.opens as u64 | (self.closes as u64) << 32,
            self.mask,
        ]
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
    /// Number of openings of this slot.
    pub edition: u32,
    /// Hunt time: ticks while open.
    pub elapsed: u32,
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
    spare: [u8; 4],
    /// The stages.
    pub stage: [Stage; STAGES],
    /// The gates.
    pub gate: [Gate; GATES],
    /// Edge ids of all gates.
    pub gate_edge: [u32; GATE_EDGES],
}

impl Hunt {
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
            self.elapsed as u64 | (self.closes as u64) << 32,
            self.wait as u64 | (self.rows as u64) << 32,
            self.pending as u64 | (self.extend_by as u64) << 32,
            self.shut,
            self.edges as u64,
            traffic * self.has_traffic as u64,
            cost * self.has_traffic as u64,
        ]
    }

    fn clear(&mut self, hunt_id: u64) {
        let edition = self.edition;
        *self = Self {
            hunt_id,
            shut: 0,
            edition,
            elapsed: 0,
            closes: 0,
            wait: 0,
            rows: 0,
            pending: 0,
            extend_by: 0,
            edges: 0,
            has_traffic: 0,
            traffic: [0; 5],
            state: state::LOADING,
            stages: 0,
            gates: 0,
            teams: 0,
            spare: [0; 4],
            stage: [Stage::default(); STAGES],
            gate: [Gate::default(); GATES],
            gate_edge: [0; GATE_EDGES],
        };
    }

    fn add_stage(&mut self, row: &Rule, nodes: u32) -> Result<(), Code> {
        let form = matches!(row.form, form::CLUE | form::TREASURE);
        let rule = matches!(row.rule, rule::EXCLUSIVE | rule::TEAM | rule::PLAYER);
        let window = row.closes == 0 || row.closes > row.opens;
        if row.index != self.stages || self.stages as usize == STAGES || !form || !rule {
            return Err(Code::BadRule);
        }
        if row.from >= nodes {
            return Err(Code::UnknownNode);
        }
        if !window {
            return Err(Code::BadRule);
        }
        self.stage[self.stages as usize] = Stage {
            node: row.from,
            opens: row.opens,
            closes: row.closes,
            stock: row.stock,
            points: row.points,
            form: row.form,
            rule: row.rule,
            ..Stage::default()
        };
        self.stages += 1;
        Ok(())
    }

    fn add_need(&mut self, row: &Rule) -> Result<(), Code> {
        let stage = self.loaded_stage(row)?;
        let used = stage.needs_len as usize;
        if row.mask == 0 || used == NEEDS {
            return Err(Code::BadRule);
        }
        stage.needs[used] = row.mask;
        stage.needs_len += 1;
        Ok(())
    }

    fn add_hint(&mut self, row: &Rule) -> Result<(), Code> {
        let stage = self.loaded_stage(row)?;
        let used = stage.hints_len as usize;
        if used == HINTS {
            return Err(Code::BadRule);
        }
        (stage.hint_delay[used], stage.hint_cost[used]) = (row.delay, row.cost);
        stage.hints_len += 1;
        Ok(())
    }

    fn loaded_stage(&mut self, row: &Rule) -> Result<&mut Stage, Code> {
        let loaded = row.index < self.stages;
        if loaded {
            Ok(&mut self.stage[row.index as usize])
        } else {
            Err(Code::BadRule)
        }
    }

    fn add_gate(&mut self, row: &Rule) -> Result<(), Code> {
        if row.index != self.gates || self.gates as usize == GATES {
            return Err(Code::BadRule);
        }
        self.gate[self.gates as usize] = Gate {
            mask: row.mask,
            opens: row.opens,
            closes: row.closes,
            first: self.edges,
            count: 0,
            starts_shut: (row.flags & 1) as u16,
        };
        self.gates += 1;
        Ok(())
    }

    fn add_gate_edge(&mut self, edge: usize) {
        self.gate_edge[self.edges as usize] = edge as u32;
        self.edges += 1;
        self.gate[self.gates as usize - 1].count += 1;
    }
}

impl Partition<'_> {
    /// Takes one row of a hunt; `Ok` means it changed the state.
    pub(crate) fn load_row(&mut self, row: &Rule) -> Result<(), Code> {
        let slot = row.hunt as usize;
        if slot >= HUNTS {
            return Err(Code::UnknownHunt);
        }
        if row.kind == kind::HUNT_BEGIN {
            return self.begin_hunt(row);
        }
        if self.hunts[slot].state != state::LOADING {
            return Err(Code::NotLoading);
        }
        let nodes = self.header.nodes;
        let hunt = &mut self.hunts[slot];
        match row.kind {
            kind::HUNT_STAGE => hunt.add_stage(row, nodes)?,
            kind::HUNT_NEED => hunt.add_need(row)?,
            kind::HUNT_HINT => hunt.add_hint(row)?,
            kind::HUNT_GATE => hunt.add_gate(row)?,
            kind::HUNT_GATE_EDGE => {
                let full = hunt.edges as usize == GATE_EDGES;
                if row.index as u32 + 1 != hunt.gates as u32 || full {
                    return Err(Code::BadRule);
                }
                let edge = self.find_edge(row.from, row.to)?;
                self.hunts[slot].add_gate_edge(edge);
            }
            kind::HUNT_TRAFFIC => self.load_traffic(row)?,
            _ => {
                if row.count != hunt.rows {
                    return Err(Code::BadRule);
                }
                hunt.state = state::READY;
                return Ok(());
            }
        }
        self.hunts[slot].rows += 1;
        Ok(())
    }

    fn begin_hunt(&mut self, row: &Rule) -> Result<(), Code> {
        let hunt = &mut self.hunts[row.hunt as usize];
        if matches!(hunt.state, state::READY | state::OPEN | state::PAUSED) {
            return Err(Code::HuntInUse);
        }
        if row.teams as usize > TEAMS {
            return Err(Code::BadRule);
        }
        hunt.clear(row.hunt_id);
        (hunt.teams, hunt.wait, hunt.closes) = (row.teams, row.opens, row.closes);
        Ok(())
    }

    fn load_traffic(&mut self, row: &Rule) -> Result<(), Code> {
        let (rise, shift, period) = (row.stock, row.points, row.delay);
        let ranges =
            rise <= HEAT_MAX && shift <= 7 && (1..=7).contains(&row.index) && period <= 65_535;
        if !ranges || !self.traffic_fits(shift, row.cost) {
            return Err(Code::BadRule);
        }
        let hunt = &mut self.hunts[row.hunt as usize];
        hunt.traffic = [rise, shift, row.index as u32, period, row.cost];
        hunt.has_traffic = 1;
        Ok(())
    }

    /// Pause, resume, extend, close: noted now, effective at the next tick.
    pub(crate) fn order_hunt(&mut self, order: &Move) -> Result<(), Code> {
        let slot = order.hunt as usize;
        if slot >= HUNTS {
            return Err(Code::UnknownHunt);
        }
        let hunt = &mut self.hunts[slot];
        let at = hunt.state;
        let (allowed, bit) = match order.kind {
            kind::HUNT_PAUSE => (at == state::OPEN, PAUSE),
            kind::HUNT_RESUME => (at == state::PAUSED, RESUME),
            kind::HUNT_EXTEND => (matches!(at, state::OPEN | state::PAUSED), 0),
            _ => (
                matches!(at, state::READY | state::OPEN | state::PAUSED),
                CLOSE,
            ),
        };
        if !allowed {
            return Err(Code::HuntNotOpen);
        }
        hunt.pending |= bit;
        if order.kind == kind::HUNT_EXTEND {
            hunt.extend_by = hunt.extend_by.saturating_add(order.arg);
        }
        Ok(())
    }

    /// Sets a gate shut or open; nothing happens when it is so already.
    pub(crate) fn set_gate<S: Sink>(&mut self, slot: usize, gate: usize, shut: bool, sink: &mut S) {
        let bit = 1 << gate;
        let hunt = &mut self.hunts[slot];
        if (hunt.shut & bit != 0) == shut {
            return;
        }
        hunt.shut ^= bit;
        let (first, count) = (
            hunt.gate[gate].first as usize,
            hunt.gate[gate].count as usize,
        );
        let (hunt, edge, value) = (slot as u16, gate as u32, shut as u32);
        sink.event(&Event {
            kind: event::GATE,
            hunt,
            edge,
            value,
            ..self.event()
        });
        for at in first..first + count {
            let edge = self.hunts[slot].gate_edge[at] as usize;
            self.set_closed(edge, shut, sink);
        }
    }
}
