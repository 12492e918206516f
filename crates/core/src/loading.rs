//! Loading a hunt row by row, and the orders to a running one (rules, section 6).

use crate::history::Section;
use crate::hunts::{CLOSE, Gate, Hunt, PAUSE, RESUME, Stage, place};
use crate::image::Partition;
use crate::schema::{
    Code, GATE_EDGES, GATES, HEAT_MAX, HINTS, HUNTS, Move, NEEDS, Rule, STAGES, TEAMS, form, kind,
    rule, state,
};

impl Hunt {
    fn clear(&mut self, hunt_id: u64) {
        let Self { edition, revision, .. } = *self;
        *self = Self { hunt_id, edition, revision, state: state::LOADING, ..Self::EMPTY };
    }

    /// Takes a stage at `node`; `None`: that is no node.
    fn add_stage(&mut self, row: &Rule, node: Option<u32>) -> Result<(), Code> {
        let form = matches!(row.form, form::CLUE | form::TREASURE);
        let rule = matches!(row.rule, rule::EXCLUSIVE | rule::TEAM | rule::PLAYER);
        let window = row.closes == 0 || row.closes > row.opens;
        if row.index != self.stages || self.stages as usize == STAGES || !form || !rule {
            return Err(Code::BadRule);
        }
        let node = node.ok_or(Code::UnknownNode)?;
        if !window {
            return Err(Code::BadRule);
        }
        self.stage[self.stages as usize] = Stage {
            node,
            opens: row.opens,
            closes: row.closes,
            stock: row.stock,
            points: row.points,
            form: row.form,
            rule: row.rule,
            owner: row.owner as u8,
            ..Stage::EMPTY
        };
        self.stages += 1;
        if row.form == form::CLUE {
            let (word, bit) = place(node);
            self.clue_places[word] |= bit;
        }
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
        if loaded { Ok(&mut self.stage[row.index as usize]) } else { Err(Code::BadRule) }
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
            self.keep::<Hunt>(Section::Hunts, slot, 1);
            return self.begin_hunt(row);
        }
        self.keep_row(slot, row.index as usize);
        if self.hunts[slot].state != state::LOADING {
            return Err(Code::NotLoading);
        }
        let (node, may_own) = (self.node_of(row), self.may_own(row.owner));
        let hunt = &mut self.hunts[slot];
        match row.kind {
            kind::HUNT_STAGE if !may_own => return Err(Code::BadRule),
            kind::HUNT_STAGE => hunt.add_stage(row, node)?,
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
                hunt.edition = hunt.edition.wrapping_add(1);
                return Ok(());
            }
        }
        self.hunts[slot].rows += 1;
        Ok(())
    }

    /// For the journal: what a row of a hunt may change.
    fn keep_row(&mut self, slot: usize, index: usize) {
        self.keep_hunt(slot);
        self.keep_stage(slot, index);
        self.keep_gate(slot, index);
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
        hunt.partitions = row.mask & !(1 << self.border.partition());
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
        self.keep_hunt(slot);
        let hunt = &mut self.hunts[slot];
        let at = hunt.state;
        let (allowed, bit) = match order.kind {
            kind::HUNT_PAUSE => (at == state::OPEN, PAUSE),
            kind::HUNT_RESUME => (at == state::PAUSED, RESUME),
            kind::HUNT_EXTEND => (matches!(at, state::OPEN | state::PAUSED), 0),
            _ => (matches!(at, state::READY | state::OPEN | state::PAUSED), CLOSE),
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
}
