//! The tick: orders take effect, hunt time passes, heat decays (rules, section 6).

use crate::apply::Sink;
use crate::hunts::{CLOSE, Hunt, PAUSE, RESUME, Stage};
use crate::image::Partition;
use crate::schema::{Event, HUNTS, event, state};

impl Partition<'_> {
    pub(crate) fn tick<S: Sink>(&mut self, sink: &mut S) {
        self.header.tick += 1;
        for slot in 0..HUNTS {
            self.tick_hunt(slot, sink);
        }
        self.decay(sink);
        self.begin_epoch();
        let value = self.header.present;
        sink.event(&Event { kind: event::TICKED, value, a: self.state_hash(), ..self.event() });
    }

    fn tick_hunt<S: Sink>(&mut self, slot: usize, sink: &mut S) {
        let Hunt { state, pending, extend_by, .. } = self.hunts[slot];
        if state != state::EMPTY || pending | extend_by != 0 {
            self.keep_hunt(slot);
        }
        let hunt = &mut self.hunts[slot];
        if hunt.closes > 0 {
            hunt.closes = hunt.closes.saturating_add(hunt.extend_by);
        }
        let orders = core::mem::take(&mut hunt.pending);
        hunt.extend_by = 0;
        if orders & CLOSE != 0 {
            return self.close_hunt(slot, sink);
        }
        // Both at once come of a correction only.
        if orders & PAUSE != 0 {
            self.turn_hunt(slot, state::PAUSED, sink);
        }
        if orders & RESUME != 0 {
            return self.turn_hunt(slot, state::OPEN, sink);
        }
        let hunt = &mut self.hunts[slot];
        match hunt.state {
            state::READY if hunt.wait == 0 => self.open_hunt_slot(slot, sink),
            state::READY => hunt.wait -= 1,
            state::OPEN => self.pass_time(slot, sink),
            _ => {}
        }
    }

    fn turn_hunt<S: Sink>(&mut self, slot: usize, state: u8, sink: &mut S) {
        self.hunts[slot].state = state;
        self.hunts[slot].revise();
        self.tell_hunt(slot, sink);
    }

    fn pass_time<S: Sink>(&mut self, slot: usize, sink: &mut S) {
        let hunt = &mut self.hunts[slot];
        hunt.elapsed_ticks = hunt.elapsed_ticks.saturating_add(1);
        let now = hunt.elapsed_ticks;
        let turns = |stage: &Stage| stage.opens == now || stage.closes == now;
        if hunt.stage[..hunt.stages as usize].iter().any(turns) {
            hunt.revise();
        }
        if hunt.closes > 0 && now >= hunt.closes {
            return self.close_hunt(slot, sink);
        }
        for gate in 0..self.hunts[slot].gates as usize {
            let rule = self.hunts[slot].gate[gate];
            if rule.opens > 0 && now == rule.opens {
                self.set_gate(slot, gate, false, sink);
            }
            if rule.closes > 0 && now == rule.closes {
                self.set_gate(slot, gate, true, sink);
            }
        }
    }

    fn open_hunt_slot<S: Sink>(&mut self, slot: usize, sink: &mut S) {
        let hunt = &mut self.hunts[slot];
        hunt.revise();
        (hunt.state, hunt.elapsed_ticks) = (state::OPEN, 0);
        let (has_traffic, traffic) = (hunt.has_traffic == 1, hunt.traffic);
        self.tell_hunt(slot, sink);
        self.guidance.forget_hunt(slot);
        let hunt = &self.hunts[slot];
        let stages = hunt.stage[..hunt.stages as usize].iter();
        self.guidance.prepare(slot, stages.map(|stage| stage.node));
        if has_traffic && self.traffic_fits(traffic[1], traffic[4]) {
            self.set_traffic(traffic, sink);
        }
        for gate in 0..self.hunts[slot].gates as usize {
            if self.hunts[slot].gate[gate].starts_shut == 1 {
                self.set_gate(slot, gate, true, sink);
            }
        }
    }

    fn close_hunt<S: Sink>(&mut self, slot: usize, sink: &mut S) {
        self.turn_hunt(slot, state::CLOSED, sink);
        for gate in 0..self.hunts[slot].gates as usize {
            self.set_gate(slot, gate, false, sink);
        }
        self.guidance.forget_hunt(slot);
    }
}
