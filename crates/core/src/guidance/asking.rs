//! Asking: rounds are made for targets that somebody hunts, and reach as far as the hunters are.
//!
//! An asking names how far rounds are to reach for its hunters, and goes from partition to
//! partition; the target's owner lets the next rounds reach that far. Who is further off than the
//! last round told asks for half more than its reach, or twice as much where it told nobody. Since
//! what is asked for is a distance, it may come late and by several ways and means the same. It
//! takes the way by which the last round came: one that went on to all would come back as well, and
//! what nobody wants any more with it.

use super::rounds::ROUND_TICKS;
use super::{COMPLETE, Failure, WINDOW_TICKS};
use crate::image::Partition;
use crate::schema::{HUNTS, NONE, STAGES, state};

/// Ticks after which hunters of a target ask again; sooner for more than they asked for.
const ASK_TICKS: u32 = 10;
const ASK_SOON_TICKS: u32 = 3;
/// Ticks for which a target is asked for by one asking.
pub(super) const ASKED_TICKS: u32 = 30;
/// Borders that an asking may cross.
const HOPS: u32 = 15;
/// Reach of the first round of a target, and the least one, in edges of mean cost.
const FIRST_EDGES: u32 = 64;
const LEAST_EDGES: u32 = 16;

impl Partition<'_> {
    /// The partition that a target is in; `None` when no such target is hunted now.
    pub(super) fn home_of(&self, target: u32) -> Option<u32> {
        let hunt = self.hunts.get(target as usize / STAGES)?;
        let running = matches!(hunt.state, state::OPEN | state::PAUSED);
        let number = target as usize % STAGES;
        let stage = hunt.stage[..hunt.stages as usize].get(number).filter(|_| running)?;
        Some(if stage.owner == 0 { self.border.partition() as u32 } else { stage.owner as u32 - 1 })
    }

    pub(super) fn is_home(&self, target: u32) -> bool {
        self.home_of(target) == Some(self.border.partition() as u32)
    }

    /// The round of a target, its own or a free one; `None` when there is none, which is counted.
    pub(super) fn enter_round(&mut self, target: u32) -> Option<usize> {
        let free = || self.guidance.round_of(NONE);
        let found = self.guidance.round_of(target).or_else(free);
        match found {
            Some(at) => self.guidance.rounds[at].target = target,
            None => self.guidance.work.rounds_failed[Failure::Full as usize] += 1,
        }
        found
    }

    /// At a tick edge: asks for what is hunted here.
    pub(super) fn ask_for_hunted(&mut self) {
        for target in 0..(HUNTS * STAGES) as u32 {
            let wish = core::mem::take(&mut self.guidance.work.wishes[target as usize]);
            if self.guidance.work.hunters[target as usize] == 0 {
                continue;
            }
            match self.home_of(target) {
                None => {}
                // Of an own target only those ask who may have a shorter way over the border.
                Some(_) if self.is_home(target) && wish == 0 => {}
                Some(_) => {
                    let wish = if wish == NONE { self.further(target) } else { wish };
                    self.ask(target, HOPS, wish, self.guidance.work.linked);
                }
            }
        }
    }

    /// Somebody asks for a target: it is asked for until later, and the asking goes on to the
    /// partition of `towards` from which the last round came, to all of them when there was none
    /// lately, unless it did a moment ago.
    pub(super) fn ask(&mut self, target: u32, hops: u32, wish: u32, towards: u64) {
        let (tick, home) = (self.header.tick, self.is_home(target));
        let Some(at) = self.enter_round(target) else { return };
        let round = &mut self.guidance.rounds[at];
        round.asked_until = tick + ASKED_TICKS;
        if home {
            round.reaches[0] = round.reaches[0].max(wish.min(COMPLETE));
            return;
        }
        round.wish = round.wish.max(wish);
        let pause = if round.wish > round.asked_wish { ASK_SOON_TICKS } else { ASK_TICKS };
        if hops > 0 && (round.asked_at == 0 || tick >= round.asked_at + pause) {
            let lately = tick - round.begun <= 2 * ROUND_TICKS;
            let known = if lately { towards & round.towards_home } else { 0 };
            (round.asked_at, round.hops) = (tick, hops - 1);
            round.ask_due = if known != 0 { known } else { towards };
            round.asked_wish = core::mem::take(&mut round.wish);
        }
    }

    /// What hunters ask for who are further off than the last round told.
    fn further(&self, target: u32) -> u32 {
        let round = self.guidance.round_of(target).map(|at| &self.guidance.rounds[at]);
        let nobody_told = round.is_none_or(|round| round.answering == NONE);
        match round.map(|round| round.answer).filter(|answer| answer.reach > 0) {
            None => FIRST_EDGES.saturating_mul(self.header.cost_mean).min(COMPLETE),
            // It was kept from nothing: only a round without limit says that there is no way.
            Some(answer) if !answer.is_cut() => COMPLETE,
            Some(answer) if nobody_told => answer.reach.saturating_mul(2).min(COMPLETE),
            Some(answer) => answer.reach.saturating_add(answer.reach / 2).min(COMPLETE),
        }
    }

    /// How far the next round of an own target is to reach; remembered over two windows of ticks.
    pub(super) fn next_reach(&self, at: usize) -> u32 {
        let [now, before] = self.guidance.rounds[at].reaches;
        now.max(before).max(LEAST_EDGES.saturating_mul(self.header.cost_mean)).min(COMPLETE)
    }

    /// At a tick edge: forgets what was asked for long ago.
    pub(super) fn forget_wishes(&mut self, at: usize) {
        if self.header.tick.is_multiple_of(WINDOW_TICKS) {
            let round = &mut self.guidance.rounds[at];
            round.reaches = [0, round.reaches[0]];
        }
    }
}
