//! Answers: what a player is told of the way to its target.

use super::{COMPLETE, Field, GROWN, NO_FIELD};
use crate::hunts::Stage;
use crate::image::Partition;
use crate::players::Player;
use crate::schema::{NONE, STAGES, UNREACHABLE, Update, flag, state};

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
        let Stage { node: target, owner: abroad, .. } = hunt.stage[stage as usize % STAGES];
        (update.stage, update.target, update.epoch) = (stage, target, self.header.tick);
        let owner = at as usize * STAGES + stage as usize;
        if abroad != 0 {
            return self.guide_abroad(owner, node, target, update);
        }
        if node == target {
            update.distance = 0;
            update.flags |= flag::ARRIVED | flag::EXACT_NOW;
            return;
        }
        let far = self.read_field(owner, node, update);
        if !far || update.distance <= 8 * self.header.cost_mean {
            self.guide_slowly(owner, node, far, update);
        }
    }

    /// The target is near, or its field does not reach so far.
    #[inline(never)]
    fn guide_slowly(&mut self, owner: usize, node: u32, far: bool, update: &mut Update) {
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
        let farthest = &mut guidance.fields[number].farthest[0];
        *farthest = (*farthest).max(distance);
        (update.next, update.distance) = (self.topology.next(node, onward), distance);
        update.flags |= flag::GUIDED | flag::CERTIFIED;
        true
    }

    /// There is no way to the target, or it is not known yet.
    #[inline(never)]
    fn beyond_radius(&mut self, field: usize, update: &mut Update) -> bool {
        let field = &mut self.guidance.fields[field];
        if field.radius == COMPLETE {
            update.flags |= flag::NO_PATH | flag::CERTIFIED;
            return true;
        }
        field.goal = field.goal.max(2 * field.nodes);
        false
    }

    /// Guides to a target in another partition.
    #[inline(never)]
    fn guide_abroad(&mut self, target: usize, node: u32, twin: u32, update: &mut Update) {
        let linked = self.guidance.work.linked != 0;
        if linked && self.read_round(target, node, update) {
            return;
        }
        if twin != NONE {
            // Beside the border: the ways over this partition's own edges are known.
            let far = self.read_field(target, node, update);
            if !far || update.distance <= 8 * self.header.cost_mean {
                self.guide_slowly(target, node, far, update);
            }
        }
        if linked {
            // Another partition may know a shorter one.
            update.flags &= !(flag::CERTIFIED | flag::EXACT_NOW | flag::NO_PATH);
            update.flags |= if update.flags & flag::GUIDED == 0 { flag::PENDING } else { 0 };
        }
    }

    /// Answers from the last whole round; false when there is none.
    fn read_round(&self, target: usize, node: u32, update: &mut Update) -> bool {
        let Some(at) = self.guidance.round_of(target as u32) else { return false };
        let round = &self.guidance.rounds[at];
        let (epoch, partial) = round.answered();
        let field = self.guidance.fields.get(round.answering as usize);
        let Some(&Field { table, .. }) = field.filter(|field| field.grown == GROWN) else {
            return false;
        };
        let (distance, onward) = self.guidance.numbers(table, node);
        update.epoch = epoch;
        update.flags |= if partial == 0 { flag::CERTIFIED } else { 0 };
        if distance == UNREACHABLE {
            update.flags |= flag::NO_PATH;
        } else {
            (update.next, update.distance) = (self.topology.next(node, onward), distance);
            update.flags |= flag::GUIDED;
        }
        true
    }
}
