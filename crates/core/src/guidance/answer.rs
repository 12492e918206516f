//! Answers: what a player is told of the way to its target.
//!
//! Near the target the live weights are searched. Else the target's field answers; it knows the
//! ways within this partition, and none over the border can be shorter as long as the target is
//! nearer than any own node beside the halo. For all others the last whole round answers.

use super::{COMPLETE, Field, GROWN, NO_FIELD, Place};
use crate::hunts::Stage;
use crate::image::Partition;
use crate::players::{NO_STAGE, Player};
use crate::schema::{NONE, STAGES, UNREACHABLE, Update, flag, state};
use crate::topology::Onward;

/// What a player is told of the way to its target. A value, not a place to be written to: so the
/// plain case keeps it in registers.
#[derive(Clone, Copy)]
pub(crate) struct Directions {
    /// Bits of [`flag`] about the way; 0 while nothing is known of it.
    pub flags: u8,
    /// Stage of the target.
    pub stage: u8,
    /// Node of the target.
    pub target: u32,
    /// Tick for which distance and next node are exact.
    pub epoch: u32,
    /// Node to go to next.
    pub next: u32,
    /// Distance to the target.
    pub distance: u32,
}

impl Directions {
    const NONE: Self =
        Self { flags: 0, stage: NO_STAGE, target: NONE, epoch: 0, next: NONE, distance: NONE };

    fn with(self, flags: u8) -> Self {
        Self { flags: self.flags | flags, ..self }
    }

    fn without(self, flags: u8) -> Self {
        Self { flags: self.flags & !flags, ..self }
    }

    fn has(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// The update with these directions.
    #[inline(always)]
    pub(crate) fn into_update(self, update: Update) -> Update {
        let Self { flags, stage, target, epoch, next, distance } = self;
        let flags = update.flags | flags;
        Update { flags, stage, target, epoch, next, distance, ..update }
    }
}

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

    /// Target, next step and distance of a player; `place` is where its target's field would have
    /// them, if that is known already.
    #[inline(always)]
    pub(crate) fn guide(&mut self, player: &Player, place: Place) -> Directions {
        let &Player { hunt: at, target: stage, edition, node, .. } = player;
        let Some(hunt) = self.hunts.get(at as usize) else {
            return Directions::NONE;
        };
        let running = matches!(hunt.state, state::OPEN | state::PAUSED);
        let off = self.guidance.fields.is_empty();
        if stage >= hunt.stages || !running || hunt.edition != edition || off {
            return Directions::NONE;
        }
        let Stage { node: target, .. } = hunt.stage[stage as usize % STAGES];
        let blank = Directions { stage, target, epoch: self.header.tick, ..Directions::NONE };
        if node == target {
            return Directions { distance: 0, ..blank.with(flag::ARRIVED | flag::EXACT_NOW) };
        }
        let owner = at as usize * STAGES + stage as usize;
        let told = self.read_field(owner, node, place, blank);
        if told.has(flag::CERTIFIED) && !self.is_near(&told) {
            return told;
        }
        self.guide_otherwise(owner, node, target)
    }

    /// The target is worth a search.
    #[inline(always)]
    fn is_near(&self, told: &Directions) -> bool {
        told.distance <= self.near()
    }

    /// As far as a search gets, roughly.
    #[inline(always)]
    fn near(&self) -> u32 {
        8 * self.header.cost_mean
    }

    /// The target's field reaches further than a search would, and not as far as the player.
    fn is_beyond(&self, owner: usize) -> bool {
        let number = self.guidance.work.field_of[owner] as usize;
        let field = self.guidance.fields.get(number).filter(|field| field.grown == GROWN);
        field.is_some_and(|field| field.radius > self.near())
    }

    /// Asks the target's field; without flags when it does not reach so far.
    #[inline(always)]
    fn read_field(
        &mut self,
        owner: usize,
        node: u32,
        place: Place,
        blank: Directions,
    ) -> Directions {
        let guidance = &mut self.guidance;
        let number = guidance.work.field_of[owner] as usize;
        let Some(field) = guidance.fields.get_mut(number).filter(|f| f.grown == GROWN) else {
            return blank;
        };
        let Field { table, epoch, radius, border, .. } = *field;
        let place = if place.table == table { place } else { guidance.place(table, node) };
        let (distance, onward) = guidance.numbers(place, node);
        if distance > radius {
            return Directions { epoch, ..blank };
        }
        let mut flags = flag::GUIDED;
        if distance <= border {
            let farthest = &mut guidance.fields[number].farthest[0];
            *farthest = (*farthest).max(distance);
            flags |= flag::CERTIFIED;
        }
        Directions { flags, next: self.topology.next(node, onward), distance, epoch, ..blank }
    }

    /// The target's field says nothing, or another way of finding it may say more. It is asked
    /// once more, so that the plain case hands nothing on by way of memory.
    #[inline(never)]
    fn guide_otherwise(&mut self, owner: usize, node: u32, target: u32) -> Directions {
        let (stage, epoch) = ((owner % STAGES) as u8, self.header.tick);
        let blank = Directions { stage, target, epoch, ..Directions::NONE };
        let mut told = self.read_field(owner, node, Place::UNKNOWN, blank);
        if told.flags == 0 {
            told = self.look_beyond(owner, told);
        }
        if told.target != NONE && (told.flags == 0 || self.is_near(&told)) {
            told = self.guide_nearby(owner, node, told);
        }
        if !told.has(flag::CERTIFIED | flag::EXACT_NOW) {
            told = self.guide_over_borders(owner, node, told);
        }
        told
    }

    /// There is no way to the target, or it is not known yet.
    fn look_beyond(&mut self, owner: usize, told: Directions) -> Directions {
        let number = self.guidance.work.field_of[owner] as usize;
        let fields = &mut self.guidance.fields;
        let Some(field) = fields.get_mut(number).filter(|field| field.grown == GROWN) else {
            return told;
        };
        if field.radius == COMPLETE {
            // Where the target is cut off from all borders, nobody else knows a way either.
            let certified = if field.border == NONE { flag::CERTIFIED } else { 0 };
            return told.with(flag::NO_PATH | certified);
        }
        if self.guidance.rounds.is_empty() {
            field.ask_for_more();
        }
        told
    }

    /// Searches around the player, on the live weights.
    fn guide_nearby(&mut self, owner: usize, node: u32, told: Directions) -> Directions {
        if self.guidance.work.field_of[owner] == NO_FIELD {
            self.guidance.assign(owner, told.target);
        }
        let may_be_near = told.flags != 0 || !self.is_beyond(owner);
        if may_be_near && let Some((next, distance)) = self.search(node, told.target) {
            let told = told.without(flag::CERTIFIED | flag::NO_PATH);
            let told = Directions { next, distance, epoch: self.header.tick, ..told };
            return told.with(flag::GUIDED | flag::EXACT_NOW);
        }
        if told.flags == 0 { told.with(flag::PENDING) } else { told }
    }

    /// A way over the border may be the shortest one: the last whole round knows it, if it went so
    /// far. Without it a way within this partition stands, and is not certified.
    fn guide_over_borders(&mut self, owner: usize, node: u32, told: Directions) -> Directions {
        if self.guidance.rounds.is_empty() {
            return told;
        }
        let linked = self.guidance.work.linked != 0;
        let far = if linked { self.read_round(owner, node, told) } else { None };
        let told = far.unwrap_or_else(|| {
            self.rely_on_field(owner, &told);
            let told = told.without(flag::NO_PATH);
            // Of a node that is not even in the halo nothing is known without neighbours.
            let waits = !told.has(flag::GUIDED) && (linked || told.target != NONE);
            told.with(if waits { flag::PENDING } else { 0 })
        });
        let known = far.is_some() || told.has(flag::GUIDED);
        let wish = if known { told.distance.saturating_add(told.distance / 8) } else { NONE };
        let wishes = &mut self.guidance.work.wishes[owner];
        *wishes = (*wishes).max(wish);
        told
    }

    /// No round tells the way: the target's field is to know it within this partition, if it has
    /// one.
    fn rely_on_field(&mut self, owner: usize, told: &Directions) {
        let number = self.guidance.work.field_of[owner] as usize;
        let Some(field) = self.guidance.fields.get_mut(number) else { return };
        if told.has(flag::GUIDED) {
            field.farthest[0] = field.farthest[0].max(told.distance);
        } else if field.radius != COMPLETE {
            field.ask_for_more();
        }
    }

    /// Asks the last whole round; `None` when there is none that knows.
    fn read_round(&self, owner: usize, node: u32, told: Directions) -> Option<Directions> {
        let round = &self.guidance.rounds[self.guidance.round_of(owner as u32)?];
        let field = self.guidance.fields.get(round.answering as usize);
        let &Field { table, .. } = field.filter(|field| field.grown == GROWN)?;
        let (distance, onward) = self.guidance.numbers(self.guidance.place(table, node), node);
        let (flags, next, distance) = if onward != Onward::NOWHERE {
            (flag::GUIDED, self.topology.next(node, onward), distance)
        } else if distance == UNREACHABLE && round.answer.reach == COMPLETE {
            (flag::NO_PATH, NONE, UNREACHABLE)
        } else {
            return None;
        };
        let certified = if round.answer.is_partial() { 0 } else { flag::CERTIFIED };
        let told = told.without(flag::GUIDED | flag::NO_PATH | flag::PENDING);
        let epoch = round.answer.epoch;
        Some(Directions { next, distance, epoch, ..told }.with(flags | certified))
    }
}
