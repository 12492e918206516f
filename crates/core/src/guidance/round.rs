//! What is remembered of the rounds of one target.

use crate::schema::{NONE, PEERS};

/// Reasons for which rounds fail.
pub const FAILURES: usize = 5;

/// Why a round did not become whole.
#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// It took too long.
    Late,
    /// Too many edges changed since the epoch.
    Changes,
    /// No free field, or no pages or queue to grow it.
    Room,
    /// A newer one of the same target has come, or nobody can hunt the target any more.
    Void,
    /// As many other targets have rounds as can: once for each asking that found no place.
    Full,
}

/// What a field of a round is worth.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Basis {
    /// Tick here when the oldest weights were taken that it rests on, as far as known: each
    /// partition counts ticks of its own, so that bearings carry ages.
    pub(super) epoch: u32,
    /// No way longer than this is known; 0 before the first round.
    pub(super) reach: u32,
    /// Bits of `flags` in bearings.
    pub(super) flags: u32,
}

impl Basis {
    /// A partition took no part.
    pub(super) const PARTIAL: u32 = 1;
    /// Ways may go on beyond the reach.
    pub(super) const CUT: u32 = 2;
    /// In ways: more of them follow.
    pub(super) const MORE: u32 = 4;
    /// All that are known of a round.
    pub(super) const ALL: u32 = Self::PARTIAL | Self::CUT;

    pub(super) fn is_partial(&self) -> bool {
        self.flags & Self::PARTIAL != 0
    }

    pub(super) fn is_cut(&self) -> bool {
        self.flags & Self::CUT != 0
    }
}

/// The round of one target.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Round {
    /// Hunt slot * STAGES + stage, NONE when free.
    pub(super) target: u32,
    /// Number of the newest round: a tick of the target's owner.
    pub(super) number: u32,
    pub(super) begun: u32,
    pub(super) asked_until: u32,
    pub(super) asked_at: u32,
    pub(super) hops: u32,
    /// How far off hunters are: of those asked for since, and as it is to be asked next.
    pub(super) wish: u32,
    pub(super) asked_wish: u32,
    /// At home: the greatest reach asked for in this window of ticks, and in the one before.
    pub(super) reaches: [u32; 2],
    /// Field that grows in the round under way, NONE when none is.
    pub(super) building: u32,
    /// What the round under way rests on.
    pub(super) basis: Basis,
    /// Field of the last whole round, NONE before.
    pub(super) answering: u32,
    /// Number of the last whole round, and what it rests on; also of one out of whose reach this
    /// partition was.
    pub(super) answered: u32,
    pub(super) answer: Basis,
    /// Partition that woke this one in the round, NONE when it was let go.
    pub(super) parent: u32,
    /// Bit of the partition that first woke this one in the newest round: the way to the owner.
    pub(super) towards_home: u64,
    /// Ways sent and not acknowledged.
    pub(super) deficit: u32,
    /// 1 when it does not grow before the epoch has moved on.
    pub(super) waits: u32,
    /// Which of the epochs the round under way rests on.
    pub(super) side: u32,
    /// 1 when the field has not taken in all offers.
    pub(super) fresh: u32,
    pub(super) rests_until: u32,
    pub(super) spare: u32,
    /// Bit per partition that asked since the last round was whole.
    pub(super) askers: u64,
    /// Bit per partition that is to be asked.
    pub(super) ask_due: u64,
    /// Bit per partition that is to be told that the round is whole.
    pub(super) done_due: u64,
    /// Bit per partition that was told ways, and that more follow.
    pub(super) open: u64,
    /// Bit per partition that said so: its ways are taken in together.
    pub(super) more: u64,
    /// Bit per partition that was told something in this round.
    pub(super) told: u64,
    /// The same of those before, back to the last whole one: whoever is out of reach now has to
    /// know.
    pub(super) told_before: u64,
    /// Of each partition: acknowledgements that it is due.
    pub(super) acks: [u32; PEERS],
    /// Of each partition: what it is to be told next of the field, NONE when nothing.
    pub(super) cursor: [u32; PEERS],
}

impl Round {
    pub(super) const FREE: Self = Self {
        target: NONE,
        number: 0,
        begun: 0,
        asked_until: 0,
        asked_at: 0,
        hops: 0,
        wish: 0,
        asked_wish: 0,
        reaches: [0; 2],
        building: NONE,
        basis: Basis { epoch: 0, reach: 0, flags: 0 },
        answering: NONE,
        answered: 0,
        answer: Basis { epoch: 0, reach: 0, flags: 0 },
        parent: NONE,
        towards_home: 0,
        deficit: 0,
        waits: 0,
        side: 0,
        fresh: 0,
        rests_until: 0,
        spare: 0,
        askers: 0,
        ask_due: 0,
        done_due: 0,
        open: 0,
        more: 0,
        told: 0,
        told_before: 0,
        acks: [0; PEERS],
        cursor: [NONE; PEERS],
    };

    /// The field has something to take in, and all of it has come.
    pub(super) fn is_ripe(&self, linked: u64) -> bool {
        self.is_under_way() && self.fresh == 1 && self.more & linked == 0
    }

    /// It keeps the epoch that it rests on.
    pub(super) fn is_under_way(&self) -> bool {
        self.building != NONE && self.waits == 0
    }

    /// Nothing is awaited from others or to be told to them.
    pub(super) fn is_quiet(&self, linked: u64) -> bool {
        let told = |(peer, &at): (usize, &u32)| at == NONE || linked >> peer & 1 == 0;
        self.fresh == 0 && self.deficit == 0 && self.cursor.iter().enumerate().all(told)
    }
}
