//! Rounds: how partitions find the way to one target together.
//!
//! The partition that owns an asked target begins a round: all partitions within its reach grow a
//! field to it, each on the weights of one epoch that it keeps until the round ends, and tell each
//! other how far it is from the nodes at their borders (Bellman and Ford's iteration between
//! partitions, Dijkstra's algorithm inside each). A round starts from nothing and takes nothing
//! from other rounds, so that in it distances only ever fall, and no outdated one can keep itself
//! alive. Its end is found as Dijkstra and Scholten (1980) do: every message is acknowledged, the
//! one that woke a partition last of all. Only then do fields of the round answer. See
//! `docs/decisions/0008`.

use super::asking::ASKED_TICKS;
use super::round::{Basis, Failure, Round};
use super::{Guidance, ROUND};
use crate::image::Partition;
use crate::schema::{NONE, PEERS, STAGES, UNREACHABLE};

/// Rounds that a partition has under way of its own targets.
const FLIGHT: usize = 4;
/// Ticks that a round may take: as long, an epoch is kept.
pub(super) const ROUND_TICKS: u32 = 64;
/// Least ticks from a round that failed to the next one of the same target; within as many ticks of
/// an epoch, rounds may join those that keep it.
const REST_TICKS: u32 = 2;

impl Guidance<'_> {
    /// The round of a target.
    pub(super) fn round_of(&self, target: u32) -> Option<usize> {
        self.rounds.iter().position(|round| round.target == target)
    }

    /// Whether the last whole round of a target answers here.
    pub(super) fn is_told_by_rounds(&self, target: u32) -> bool {
        let round = self.round_of(target).filter(|_| self.work.linked != 0 && target != NONE);
        round.is_some_and(|at| self.rounds[at].answering != NONE)
    }

    /// A field of a round answers no more.
    fn drop_field(&mut self, number: u32) {
        if let Some(field) = self.fields.get_mut(number as usize) {
            *field = field.given_to(0, NONE);
        }
    }

    /// The targets of a hunt have no rounds any more.
    pub(super) fn forget_rounds(&mut self, hunt: usize) {
        for at in 0..self.rounds.len() {
            if self.rounds[at].target as usize / STAGES == hunt {
                self.drop_round(at);
            }
        }
    }

    fn drop_round(&mut self, at: usize) {
        self.fail_round(at, 0, Failure::Void);
        self.drop_field(self.rounds[at].answering);
        self.rounds[at] = Round::FREE;
    }

    /// Takes no part in a round any more: the last whole one answers on. Whoever waits for this
    /// partition is let go, and told that it is missing.
    pub(super) fn fail_round(&mut self, at: usize, tick: u32, why: Failure) {
        let round = &mut self.rounds[at];
        if round.building == NONE {
            return;
        }
        self.work.rounds_failed[why as usize] += 1;
        if let Some(acks) = round.acks.get_mut(round.parent as usize) {
            *acks += 1;
        }
        let building = round.building;
        (round.building, round.parent, round.deficit, round.fresh) = (NONE, NONE, 0, 0);
        round.waits = 0;
        round.cursor = [NONE; PEERS];
        round.basis.flags |= Basis::PARTIAL;
        round.rests_until = tick + REST_TICKS;
        self.drop_field(building);
    }

    /// The field that a round tells of; `None` while it grows or has something to take in.
    pub(super) fn telling(&self, at: usize) -> Option<u32> {
        let round = &self.rounds[at];
        let grows = self.busy() == round.building || round.is_ripe(self.work.linked);
        (round.building != NONE && !grows).then_some(round.building)
    }
}

impl Partition<'_> {
    /// No rounds: the state after boot.
    pub(crate) fn reset_rounds(&mut self) {
        self.guidance.rounds.fill(Round::FREE);
        let border = &self.border;
        for (at, place) in self.guidance.by_owner.iter_mut().enumerate() {
            *place = at as u32;
        }
        let home = |&at: &u32| (border.owner[at as usize], border.twin[at as usize]);
        self.guidance.by_owner.sort_unstable_by_key(home);
        self.guidance.work.beside = border.owner.iter().fold(0, |bits, owner| bits | 1 << owner);
    }

    /// Whether bearings can be sent to a partition now.
    pub fn link(&mut self, partition: u16, up: bool) {
        let bit = (1 << (partition as usize % PEERS)) & self.guidance.work.beside;
        let was = self.guidance.work.linked;
        self.guidance.work.linked = if up { was | bit } else { was & !bit };
        if was & bit != 0 && !up {
            for round in self.guidance.rounds.iter_mut() {
                round.basis.flags |= Basis::PARTIAL;
                (round.open, round.more) = (round.open & !bit, round.more & !bit);
                round.done_due &= !bit;
            }
        }
    }

    /// At a tick edge: asks, ends rounds that take too long, forgets what nobody asks for. This
    /// tick becomes the epoch of rounds to come if it can, and the first begin.
    pub(super) fn tend_rounds(&mut self) {
        if self.guidance.rounds.is_empty() {
            return;
        }
        self.ask_and_forget();
        self.renew_epoch();
        self.begin_rounds();
    }

    /// This tick becomes the epoch of rounds to come, also of those that waited for it, unless
    /// rounds under way rest on both of the epochs that can be remembered.
    fn renew_epoch(&mut self) {
        let tick = self.header.tick;
        let idle = |side: &usize| {
            let mut under_way = self.guidance.rounds.iter().filter(|round| round.is_under_way());
            under_way.all(|round| round.side as usize != *side)
        };
        let Some(side) = ROUND.into_iter().find(idle) else { return };
        self.guidance.thaw(side);
        (self.guidance.work.round_side, self.guidance.work.round_epoch) = (side as u32, tick);
        for round in self.guidance.rounds.iter_mut().filter(|round| round.waits == 1) {
            (round.waits, round.side, round.basis.epoch) = (0, side as u32, tick);
        }
    }

    fn ask_and_forget(&mut self) {
        if self.guidance.work.linked == 0 {
            return;
        }
        self.ask_for_hunted();
        for at in 0..self.guidance.rounds.len() {
            if self.guidance.rounds[at].target != NONE {
                self.tend_round(at);
            }
        }
    }

    fn tend_round(&mut self, at: usize) {
        let (round, tick) = (&self.guidance.rounds[at], self.header.tick);
        if round.building != NONE {
            if tick - round.begun > ROUND_TICKS {
                self.guidance.fail_round(at, tick, Failure::Late);
            } else if self.guidance.is_short(round.side as usize) {
                self.guidance.fail_round(at, tick, Failure::Changes);
            }
            self.conclude(at);
        } else if round.asked_until <= tick {
            return self.guidance.drop_round(at);
        }
        self.forget_wishes(at);
    }

    /// Begins rounds of this partition's targets that are asked for, those first that rest longest.
    fn begin_rounds(&mut self) {
        let tick = self.header.tick;
        // Whoever joins rounds one after another gives its weights no time to move on.
        if tick - self.guidance.work.round_epoch > REST_TICKS {
            return;
        }
        for _ in 0..FLIGHT {
            let mine = self.guidance.rounds.iter().enumerate();
            let mine = mine.filter(|(_, round)| round.target != NONE && self.is_home(round.target));
            let under_way = mine.clone().filter(|(_, round)| round.building != NONE).count();
            let rested = mine.filter(|(_, round)| {
                round.building == NONE && tick >= round.rests_until && tick != round.number
            });
            let next = rested.min_by_key(|(_, round)| round.rests_until);
            let Some((at, _)) = next.filter(|_| under_way < FLIGHT) else { return };
            if !self.engage(at, tick, NONE, self.next_reach(at)) {
                return;
            }
        }
    }

    /// Number of the round at a place, below `ROUNDS`, if it began here and is under way.
    pub fn own_round(&self, place: usize) -> Option<u32> {
        let round = self.guidance.rounds.get(place)?;
        (round.building != NONE && self.is_home(round.target)).then_some(round.number)
    }

    /// Whether a round has to wait until those under way are over and the epoch moves on: it is
    /// old, and without waiting there would always be another one. As rounds wait for those of
    /// lower targets alone, no two partitions let each other's wait for ever.
    fn must_wait(&self, target: u32) -> bool {
        let mut under_way = self.guidance.rounds.iter().filter(|round| round.is_under_way());
        let old = self.header.tick - self.guidance.work.round_epoch > REST_TICKS;
        old && under_way.all(|round| round.target < target)
    }

    /// Age in ticks of the oldest epoch of a round that answers here; `None` when none does.
    pub fn round_age(&self) -> Option<u32> {
        let answering = self.guidance.rounds.iter().filter(|round| round.answering != NONE);
        answering.map(|round| self.header.tick - round.answer.epoch).max()
    }

    /// Takes part in a round that begins here or elsewhere; false when it cannot be.
    pub(super) fn engage(&mut self, at: usize, number: u32, parent: u32, reach: u32) -> bool {
        let tick = self.header.tick;
        self.guidance.fail_round(at, tick, Failure::Void);
        let work = &mut *self.guidance.work;
        let begun = if parent == NONE { &mut work.rounds_begun } else { &mut work.rounds_joined };
        *begun += 1;
        let partial = work.beside & !work.linked != 0;
        let flags = if partial { Basis::PARTIAL } else { 0 };
        let (basis, side) = (Basis { epoch: work.round_epoch, reach, flags }, work.round_side);
        let round = &mut self.guidance.rounds[at];
        (round.number, round.begun, round.parent, round.basis) = (number, tick, parent, basis);
        // Whoever is to know that the last one is whole is told before anything of this one.
        (round.acks, round.side) = ([0; PEERS], side);
        (round.told_before, round.told) = (round.told_before | round.told, 0);
        (round.open, round.more) = (0, 0);
        if parent != NONE {
            // Where a round begins, it goes on only for as long as somebody asks.
            round.asked_until = round.asked_until.max(tick + ASKED_TICKS);
        }
        round.towards_home = 1_u64.checked_shl(parent).unwrap_or(0);
        let target = round.target;
        let (hunt, stage) = (target as usize / STAGES, target as usize % STAGES);
        let node = if self.is_home(target) { self.hunts[hunt].stage[stage].node } else { NONE };
        if self.guidance.is_short(side as usize) {
            return self.refuse_round(at, Failure::Changes);
        }
        let Some(field) = self.guidance.take_field(target as usize, node) else {
            return self.refuse_round(at, Failure::Room);
        };
        let waits = parent != NONE && self.must_wait(target);
        let taken = &mut self.guidance.fields[field];
        (taken.round, taken.goal) = (1, NONE);
        let round = &mut self.guidance.rounds[at];
        (round.building, round.fresh, round.deficit) = (field as u32, 1, 0);
        round.waits = waits as u32;
        let halo = self.guidance.by_owner.len();
        self.guidance.offers[at * halo..(at + 1) * halo].fill(UNREACHABLE);
        self.forget_untold(at);
        true
    }

    /// This partition cannot take part in a round.
    fn refuse_round(&mut self, at: usize, why: Failure) -> bool {
        self.guidance.work.rounds_failed[why as usize] += 1;
        let round = &mut self.guidance.rounds[at];
        (round.parent, round.rests_until) = (NONE, self.header.tick + REST_TICKS);
        round.basis.flags |= Basis::PARTIAL;
        false
    }

    /// A field of a round that has to take something in and is not at it.
    pub(super) fn field_to_sow(&self) -> Option<usize> {
        let mut rounds = self.guidance.rounds.iter();
        let due = rounds.find(|round| round.is_ripe(self.guidance.work.linked))?;
        Some(due.building as usize)
    }

    /// The round in which a field grows.
    pub(super) fn round_with(&self, field: u32) -> Option<usize> {
        self.guidance.rounds.iter().position(|round| round.building == field)
    }

    /// The field takes in all offers there are now.
    pub(super) fn offers_taken(&mut self, at: usize) {
        self.guidance.rounds[at].fresh = 0;
    }

    /// A neighbour told less than it did before.
    pub(super) fn offers_came(&mut self, at: usize) {
        self.guidance.rounds[at].fresh = 1;
    }

    /// A field of a round cannot grow on.
    pub(super) fn fail_round_of(&mut self, field: u32, why: Failure) {
        match self.round_with(field) {
            Some(at) => self.guidance.fail_round(at, self.header.tick, why),
            None => self.guidance.drop_field(field),
        }
    }

    /// A field of a round is whole for the offers so far: the neighbours are to be told.
    pub(super) fn tell_ways(&mut self, field: u32) {
        let Some(at) = self.round_with(field) else { return };
        let cut = if self.guidance.work.cut == 1 { Basis::CUT } else { 0 };
        self.guidance.rounds[at].basis.flags |= cut;
        self.tell_again(at);
        self.conclude(at);
    }

    /// When nothing is left to do in a round: lets go the partition that woke this one, or ends the
    /// round where it began.
    pub(super) fn conclude(&mut self, at: usize) {
        let round = &self.guidance.rounds[at];
        let grows = self.guidance.busy() == round.building;
        if round.building == NONE || grows || !round.is_quiet(self.guidance.work.linked) {
            return;
        }
        let (target, parent) = (round.target, round.parent);
        if self.is_home(target) {
            self.end_round(at, round.basis);
        } else if parent != NONE {
            let round = &mut self.guidance.rounds[at];
            round.acks[parent as usize] += 1;
            round.parent = NONE;
        }
    }

    /// A round became whole without this partition: its hunters are beyond the reach.
    pub(super) fn out_of_reach(&mut self, at: usize, number: u32, answer: Basis) {
        self.guidance.fail_round(at, self.header.tick, Failure::Void);
        let round = &mut self.guidance.rounds[at];
        (round.number, round.acks) = (number, [0; PEERS]);
        (round.answered, round.answer) = (number, answer);
        round.done_due = round.told | round.told_before | round.askers;
        (round.told, round.told_before, round.askers) = (0, 0, 0);
        let old = core::mem::replace(&mut round.answering, NONE);
        self.guidance.drop_field(old);
    }

    /// The round is whole everywhere: its field answers from now on, and all who were told of it,
    /// or of the one before, or asked, are to know.
    pub(super) fn end_round(&mut self, at: usize, answer: Basis) {
        let (tick, round) = (self.header.tick, &mut self.guidance.rounds[at]);
        let old = core::mem::replace(&mut round.answering, round.building);
        (round.building, round.parent, round.waits) = (NONE, NONE, 0);
        (round.answered, round.answer) = (round.number, answer);
        round.cursor = [NONE; PEERS];
        round.done_due = round.told | round.told_before | round.askers;
        (round.told_before, round.askers, round.open) = (0, 0, 0);
        round.rests_until = tick;
        self.guidance.work.rounds_done += 1;
        self.guidance.drop_field(old);
        // The next one need not wait for a tick if the weights of this one are kept.
        if self.guidance.work.round_epoch == tick {
            self.begin_rounds();
        }
    }
}
