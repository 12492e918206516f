//! Answers: what a player is told of the way to its target.
//!
//! Near the target the live weights are searched. Else the target's field answers; it knows the
//! ways within this partition, and none over the border can be shorter as long as the target is
//! nearer than any own node beside the halo. For all others the last whole round answers.

use super::{COMPLETE, Field, GROWN, NO_FIELD};
use crate::hunts::Stage;
use crate::image::Partition;
use crate::players::Player;
use crate::schema::{NONE, STAGES, UNREACHABLE, Update, flag, state};
use crate::topology::Onward;

impl Partition<'_> {
    /// Oldest epoch that answers about a hunted target of this partition are exact for now; this
    /// tick without any.
    pub fn oldest_epoch(&self) -> u32 {
        let work = &self.guidance.work;
        let hunted = self.guidance.fields.iter().filter(|field| {
            let hunted = field.owner != NONE && work.hunters[field.owner as usize] > 0;
            field.grown == GROWN && field.round == 0 && hunted
        });
        hunted.map(|field| field.epoch).min().unwrap_or(self.header.tick)
    }

    /// Writes target, next step and distance of a player into its update.
    #[inline(always)]
    pub(crate) fn guide(&mut self, player: &Player, update: &mut Update) {
        let &Player { hunt: at, target: stage, edition, node, .. } = player;
        let Some(hunt) = self.hunts.get(at as usize) else {
            return;
        };
        let running = matches!(hunt.state, state::OPEN | state::PAUSED);
        let off = self.guidance.fields.is_empty();
        if stage >= hunt.stages || !running || hunt.edition != edition || off {
            return;
        }
        let Stage { node: target, .. } = hunt.stage[stage as usize % STAGES];
        (update.stage, update.target, update.epoch) = (stage, target, self.header.tick);
        let owner = at as usize * STAGES + stage as usize;
        if node == target {
            update.distance = 0;
            update.flags |= flag::ARRIVED | flag::EXACT_NOW;
            return;
        }
        let far = self.read_field(owner, node, update);
        if !far || update.distance <= 8 * self.header.cost_mean {
            self.guide_slowly(owner, node, far, update);
        }
        if update.flags & (flag::CERTIFIED | flag::EXACT_NOW) == 0 {
            self.guide_over_borders(owner, node, update);
        }
    }

    /// The target is near, or its field does not reach so far.
    #[inline(never)]
    fn guide_slowly(&mut self, owner: usize, node: u32, far: bool, update: &mut Update) {
        if update.target == NONE {
            return;
        }
        if self.guidance.work.field_of[owner] == NO_FIELD {
            self.guidance.assign(owner, update.target);
        }
        if !self.search(node, update.target, update) && !far {
            update.flags |= flag::PENDING;
        }
    }

    /// Answers from the target's field; false when it does not reach so far.
    #[inline(always)]
    fn read_field(&mut self, owner: usize, node: u32, update: &mut Update) -> bool {
        let guidance = &mut self.guidance;
        let number = guidance.work.field_of[owner] as usize;
        let Some(field) = guidance.fields.get(number).filter(|f| f.grown == GROWN) else {
            return false;
        };
        let (distance, onward) = guidance.numbers(field.table, node);
        update.epoch = field.epoch;
        if distance > field.radius {
            return self.beyond_radius(number, update);
        }
        if distance <= field.border {
            let farthest = &mut guidance.fields[number].farthest[0];
            *farthest = (*farthest).max(distance);
            update.flags |= flag::CERTIFIED;
        }
        (update.next, update.distance) = (self.topology.next(node, onward), distance);
        update.flags |= flag::GUIDED;
        true
    }

    /// There is no way to the target, or it is not known yet.
    #[inline(never)]
    fn beyond_radius(&mut self, field: usize, update: &mut Update) -> bool {
        let field = &mut self.guidance.fields[field];
        if field.radius == COMPLETE {
            // Where the target is cut off from all borders, nobody else knows a way either.
            let certified = if field.border == NONE { flag::CERTIFIED } else { 0 };
            update.flags |= flag::NO_PATH | certified;
            return true;
        }
        if self.guidance.rounds.is_empty() {
            field.ask_for_more();
        }
        false
    }

    /// A way over the border may be the shortest one: the last whole round knows it, if it went so
    /// far. Without it a way within this partition stands, and is not certified.
    #[inline(never)]
    fn guide_over_borders(&mut self, target: usize, node: u32, update: &mut Update) {
        if self.guidance.rounds.is_empty() {
            return;
        }
        let linked = self.guidance.work.linked != 0;
        let told = linked && self.read_round(target, node, update);
        if !told {
            self.rely_on_field(target, update);
            update.flags &= !flag::NO_PATH;
            // Of a node that is not even in the halo nothing is known without neighbours.
            let waits = update.flags & flag::GUIDED == 0 && (linked || update.target != NONE);
            update.flags |= if waits { flag::PENDING } else { 0 };
        }
        let known = told || update.flags & flag::GUIDED != 0;
        let wish = if known { update.distance.saturating_add(update.distance / 8) } else { NONE };
        let wishes = &mut self.guidance.work.wishes[target];
        *wishes = (*wishes).max(wish);
    }

    /// No round tells the way: the target's field is to know it within this partition, if it has
    /// one.
    fn rely_on_field(&mut self, target: usize, update: &Update) {
        let number = self.guidance.work.field_of[target] as usize;
        let Some(field) = self.guidance.fields.get_mut(number) else { return };
        if update.flags & flag::GUIDED != 0 {
            field.farthest[0] = field.farthest[0].max(update.distance);
        } else if field.radius != COMPLETE {
            field.ask_for_more();
        }
    }

    /// Answers from the last whole round; false when there is none that knows.
    fn read_round(&self, target: usize, node: u32, update: &mut Update) -> bool {
        let Some(at) = self.guidance.round_of(target as u32) else { return false };
        let round = &self.guidance.rounds[at];
        let field = self.guidance.fields.get(round.answering as usize);
        let Some(&Field { table, .. }) = field.filter(|field| field.grown == GROWN) else {
            return false;
        };
        let (distance, onward) = self.guidance.numbers(table, node);
        let mut flags = if round.answer.is_partial() { 0 } else { flag::CERTIFIED };
        if onward != Onward::NOWHERE {
            (update.next, update.distance) = (self.topology.next(node, onward), distance);
            flags |= flag::GUIDED;
        } else if distance == UNREACHABLE && round.answer.reach == COMPLETE {
            (update.next, update.distance) = (NONE, UNREACHABLE);
            flags |= flag::NO_PATH;
        } else {
            return false;
        }
        update.epoch = round.answer.epoch;
        update.flags &= !(flag::GUIDED | flag::NO_PATH | flag::PENDING);
        update.flags |= flags;
        true
    }
}
