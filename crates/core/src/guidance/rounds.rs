//! Rounds: how partitions find the way to one target together.
//!
//! The partition that owns an asked target begins a round: all partitions grow a field to it, each
//! on the weights of one epoch that it keeps until the round ends, and tell each other how far it
//! is from the nodes at their borders (Bellman and Ford's iteration between partitions, Dijkstra's
//! algorithm inside each). A round starts from nothing and takes nothing from other rounds, so that
//! in it distances only ever fall, and no outdated one can keep itself alive. Its end is found as
//! Dijkstra and Scholten (1980) do: every message is acknowledged, the one that woke a partition
//! last of all. Only then do fields of the round answer. See `docs/decisions/0008`.

use super::Guidance;
use crate::image::Partition;
use crate::schema::{HUNTS, NONE, PEERS, STAGES, UNREACHABLE, state};

/// Targets with rounds at the same time.
pub const ROUNDS: usize = 8;
/// Ticks after which hunters of a target ask again.
const ASK_TICKS: u32 = 10;
/// Ticks for which a target is asked for by one asking.
pub(super) const ASKED_TICKS: u32 = 30;
/// Borders that an asking may cross.
const HOPS: u32 = 15;
/// Ticks that a round may take: as long, an epoch is kept.
const ROUND_TICKS: u32 = 64;
/// Least ticks between the end of a round and the next one of the same target.
const REST_TICKS: u32 = 2;

/// The round of one target.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Hunt slot * STAGES + stage, NONE when free.
    pub(super) target: u32,
    /// Number of the newest round: a tick of the target's owner.
    pub(super) number: u32,
    begun: u32,
    asked_until: u32,
    asked_at: u32,
    pub(super) hops: u32,
    /// Field that grows in the round under way, NONE when none is.
    pub(super) building: u32,
    /// Field of the last whole round, NONE before.
    pub(super) answering: u32,
    /// Oldest epoch that the round under way rests on, as far as known.
    pub(super) epoch: u32,
    /// 1 when a partition at some border could not be reached in it.
    pub(super) partial: u32,
    answer_epoch: u32,
    answer_partial: u32,
    /// Partition that woke this one in the round, NONE when it was let go.
    pub(super) parent: u32,
    /// Ways sent and not acknowledged.
    pub(super) deficit: u32,
    /// 1 when the field has not taken in all offers.
    fresh: u32,
    rests_until: u32,
    /// Bit per partition that is to be asked.
    pub(super) ask_due: u64,
    /// Bit per partition that is to be told that the round is whole.
    pub(super) done_due: u64,
    /// Bit per partition that was told something in this round.
    pub(super) told: u64,
    /// Of each partition: acknowledgements that it is due.
    pub(super) acks: [u32; PEERS],
    /// Of each partition: what it is to be told next of the field, NONE when nothing.
    pub(super) cursor: [u32; PEERS],
}

impl Round {
    const FREE: Self = Self {
        target: NONE,
        number: 0,
        begun: 0,
        asked_until: 0,
        asked_at: 0,
        hops: 0,
        building: NONE,
        answering: NONE,
        epoch: 0,
        partial: 0,
        answer_epoch: 0,
        answer_partial: 0,
        parent: NONE,
        deficit: 0,
        fresh: 0,
        rests_until: 0,
        ask_due: 0,
        done_due: 0,
        told: 0,
        acks: [0; PEERS],
        cursor: [NONE; PEERS],
    };

    /// Oldest epoch of the last whole round, and whether a partition was missing.
    pub(super) fn answered(&self) -> (u32, u32) {
        (self.answer_epoch, self.answer_partial)
    }

    /// Nothing is awaited from others or to be told to them.
    fn is_quiet(&self, linked: u64) -> bool {
        let told = |(peer, &at): (usize, &u32)| at == NONE || linked >> peer & 1 == 0;
        self.fresh == 0 && self.deficit == 0 && self.cursor.iter().enumerate().all(told)
    }
}

impl Guidance<'_> {
    /// The round of a target.
    pub(super) fn round_of(&self, target: u32) -> Option<usize> {
        self.rounds.iter().position(|round| round.target == target)
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
        let Round { building, answering, .. } = self.rounds[at];
        self.drop_field(building);
        self.drop_field(answering);
        self.rounds[at] = Round::FREE;
    }

    /// Ends a round without a result: what it found is forgotten, the last whole one answers on.
    pub(super) fn fail_round(&mut self, at: usize, tick: u32) {
        self.drop_field(self.rounds[at].building);
        let round = &mut self.rounds[at];
        (round.building, round.parent, round.deficit, round.fresh) = (NONE, NONE, 0, 0);
        (round.acks, round.cursor, round.told) = ([0; PEERS], [NONE; PEERS], 0);
        round.rests_until = tick + REST_TICKS;
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
            self.guidance.rounds.iter_mut().for_each(|round| round.partial = 1);
        }
    }

    /// The partition that a target is in; `None` when no such target is hunted now.
    pub(super) fn home_of(&self, target: u32) -> Option<u32> {
        let hunt = self.hunts.get(target as usize / STAGES)?;
        let running = matches!(hunt.state, state::OPEN | state::PAUSED);
        let number = target as usize % STAGES;
        let stage = hunt.stage[..hunt.stages as usize].get(number).filter(|_| running)?;
        Some(if stage.owner == 0 { self.border.partition() as u32 } else { stage.owner as u32 - 1 })
    }

    fn is_home(&self, target: u32) -> bool {
        self.home_of(target) == Some(self.border.partition() as u32)
    }

    /// The round of a target, its own or a free one.
    pub(super) fn enter_round(&mut self, target: u32) -> Option<usize> {
        let free = || self.guidance.round_of(NONE);
        let at = self.guidance.round_of(target).or_else(free)?;
        self.guidance.rounds[at].target = target;
        Some(at)
    }

    /// Somebody asks for a target: it is asked for until later, and the asking goes on to all
    /// partitions of `towards`, unless it did a moment ago.
    pub(super) fn ask(&mut self, target: u32, hops: u32, towards: u64) {
        let (tick, home) = (self.header.tick, self.is_home(target));
        let Some(at) = self.enter_round(target) else { return };
        let round = &mut self.guidance.rounds[at];
        round.asked_until = tick + ASKED_TICKS;
        let due = round.asked_at == 0 || tick >= round.asked_at + ASK_TICKS;
        if !home && hops > 0 && due {
            (round.asked_at, round.hops, round.ask_due) = (tick, hops - 1, towards);
        }
    }

    /// At a tick edge: asks for what is hunted here, ends rounds that take too long, forgets what
    /// nobody asks for.
    pub(super) fn tend_rounds(&mut self) {
        if self.guidance.work.linked == 0 {
            return;
        }
        let linked = self.guidance.work.linked;
        for target in 0..(HUNTS * STAGES) as u32 {
            let hunted = self.guidance.work.hunters[target as usize] > 0;
            if hunted && self.home_of(target).is_some() && !self.is_home(target) {
                self.ask(target, HOPS, linked);
            }
        }
        for at in 0..self.guidance.rounds.len() {
            if self.guidance.rounds[at].target != NONE {
                self.tend_round(at);
            }
        }
    }

    fn tend_round(&mut self, at: usize) {
        let (round, tick) = (&self.guidance.rounds[at], self.header.tick);
        if round.building != NONE {
            if tick - round.begun > ROUND_TICKS || self.is_epoch_short() {
                self.guidance.fail_round(at, tick);
            }
            return self.conclude(at);
        }
        if round.asked_until <= tick {
            self.guidance.drop_round(at);
        }
    }

    /// Begins the rounds of this partition's targets that are asked for.
    pub(super) fn begin_rounds(&mut self) {
        let tick = self.header.tick;
        // Whoever joins rounds one after another gives its weights no time to move on.
        if self.is_round_under_way() && tick - self.guidance.work.epoch > REST_TICKS {
            return;
        }
        for at in 0..self.guidance.rounds.len() {
            let round = &self.guidance.rounds[at];
            let rests = round.building != NONE || tick < round.rests_until || tick == round.number;
            if round.target != NONE && !rests && self.is_home(round.target) {
                self.engage(at, tick, NONE);
            }
        }
    }

    /// The epoch's weights may be lost soon: too many edges have changed since.
    fn is_epoch_short(&self) -> bool {
        let work = &self.guidance.work;
        work.overflow == 1 || work.listed as usize > self.guidance.listed.len() / 4 * 3
    }

    /// Whether an epoch is being kept for a round.
    pub(super) fn is_round_under_way(&self) -> bool {
        self.guidance.rounds.iter().any(|round| round.building != NONE)
    }

    /// Takes part in a round that begins here or elsewhere; false when it cannot be.
    pub(super) fn engage(&mut self, at: usize, number: u32, parent: u32) -> bool {
        let tick = self.header.tick;
        self.guidance.fail_round(at, tick);
        if self.is_epoch_short() {
            return false;
        }
        let target = self.guidance.rounds[at].target;
        let (hunt, stage) = (target as usize / STAGES, target as usize % STAGES);
        let node = if self.is_home(target) { self.hunts[hunt].stage[stage].node } else { NONE };
        let Some(field) = self.guidance.take_field(target as usize, node) else { return false };
        let taken = &mut self.guidance.fields[field];
        (taken.round, taken.goal) = (1, NONE);
        let work = &*self.guidance.work;
        let round = &mut self.guidance.rounds[at];
        (round.number, round.begun, round.parent) = (number, tick, parent);
        (round.building, round.fresh, round.done_due) = (field as u32, 1, 0);
        (round.epoch, round.partial) = (work.epoch, (work.beside & !work.linked != 0) as u32);
        round.asked_until = round.asked_until.max(tick + ASKED_TICKS);
        let halo = self.guidance.by_owner.len();
        self.guidance.offers[at * halo..(at + 1) * halo].fill(UNREACHABLE);
        true
    }

    /// A field of a round that has to take something in and is not at it.
    pub(super) fn field_to_sow(&self) -> Option<usize> {
        let mut rounds = self.guidance.rounds.iter();
        let due = rounds.find(|round| round.building != NONE && round.fresh == 1)?;
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

    /// A field of a round has no room to grow.
    pub(super) fn fail_round_of(&mut self, field: u32) {
        match self.round_with(field) {
            Some(at) => self.guidance.fail_round(at, self.header.tick),
            None => self.guidance.drop_field(field),
        }
    }

    /// A field of a round is whole for the offers so far: the neighbours are to be told.
    pub(super) fn tell_ways(&mut self, field: u32) {
        let Some(at) = self.round_with(field) else { return };
        for (peer, cursor) in self.guidance.rounds[at].cursor.iter_mut().enumerate() {
            *cursor = if self.guidance.work.linked >> peer & 1 == 1 { 0 } else { NONE };
        }
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
            self.end_round(at, round.epoch, round.partial);
            self.guidance.rounds[at].done_due = self.guidance.work.linked;
        } else if parent != NONE {
            let round = &mut self.guidance.rounds[at];
            round.acks[parent as usize] += 1;
            round.parent = NONE;
        }
    }

    /// The round is whole everywhere: its field answers from now on.
    pub(super) fn end_round(&mut self, at: usize, epoch: u32, partial: u32) {
        let (tick, round) = (self.header.tick, &mut self.guidance.rounds[at]);
        let old = core::mem::replace(&mut round.answering, round.building);
        (round.building, round.parent) = (NONE, NONE);
        (round.answer_epoch, round.answer_partial) = (epoch, partial);
        round.cursor = [NONE; PEERS];
        // At least as long as the epoch was kept, it may move on.
        round.rests_until = tick + (tick - round.begun).max(REST_TICKS);
        self.guidance.drop_field(old);
    }
}
