//! Holding moves and ticks back, and letting them go: what a correction needs beside its records
//! (`docs/reference/protocol.md`, corrections).
//!
//! Moves and ticks wait while a control session holds them, and while a correction is under way. A
//! session that dies lets go of what it held; a correction that it began, and that has set no cell
//! yet, is settled as it began. One that has set cells stays, over restarts too: only whoever knows
//! the plan can say how it ends.

use std::time::{Duration, Instant};

use huntgraph_core::schema::{Correction, kind};
use rustix::thread::gettid;

use super::engine::{Engine, RESERVED};
use crate::log::RawRecord;
use crate::priority::First;
use crate::quic::Idle;

/// Who holds comes first for so long at most: it may be gone, and a correction stay for a recovery.
const HASTE: Duration = Duration::from_millis(100);

/// Who holds, and how far the correction under way has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hold {
    holders: u32,
    /// Sessions that will hold soon.
    ready: u32,
    /// The correction under way has set cells.
    corrected: bool,
    /// Corrections settled since the start.
    settled: u64,
}

impl Hold {
    /// What is known when a log was taken up: a correction under way may have set anything.
    pub fn after_restart(correction: u64) -> Self {
        Self { corrected: correction != 0, ..Self::default() }
    }

    /// Follows the records that were logged.
    pub fn note(&mut self, logged: &[RawRecord]) {
        for record in logged {
            match record[0] {
                kind::FENCE => self.corrected = false,
                kind::CORRECT => self.corrected = true,
                kind::SETTLE => self.settled += 1,
                _ => {}
            }
        }
    }
}

/// What a control session asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Claim {
    holds: bool,
    ready: bool,
    /// The correction that it began last.
    pub fenced: u64,
}

impl Claim {
    /// It will hold moves and ticks back soon: what was appended, ticks alone too, is to be durable
    /// then. Gives the position up to which it is to be.
    pub fn be_ready(&mut self, engine: &mut Engine) -> u64 {
        engine.hold.ready += !self.ready as u32;
        self.ready = true;
        engine.urgent = true;
        engine.partition.header.position
    }

    /// It holds moves and ticks back, or lets them go.
    pub fn hold(&mut self, holds: bool, engine: &mut Engine) {
        engine.hold.ready -= self.ready as u32;
        engine.hold.holders -= self.holds as u32;
        engine.hold.holders += holds as u32;
        *self = Self { holds, ready: false, ..*self };
        // Nothing comes any more to take along to the disk what was appended.
        engine.urgent |= holds;
    }

    /// It is gone, and so is its hold.
    pub fn let_go(&mut self, engine: &mut Engine) {
        self.hold(false, engine);
        if self.fenced != 0 {
            engine.let_go(self.fenced);
        }
    }
}

/// Since when moves and ticks wait, and who comes first meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Stop {
    since: Option<Instant>,
    /// Since when they wait or are about to.
    haste: Option<Instant>,
    /// The actor and its log: before those that go on already, too.
    first: [Option<First>; 2],
}

impl Stop {
    /// Follows what control sessions want; gives how long moves and ticks waited when they go on.
    /// A thread that spins does not come first: nobody else would come at all.
    pub fn look(&mut self, engine: &Engine, idle: Idle) -> Option<Duration> {
        let waited = if engine.is_stopped() {
            self.since.get_or_insert_with(Instant::now);
            None
        } else {
            self.since.take().map(|since| since.elapsed())
        };
        // Behind the clock: others may take the core as soon as this one comes first no more.
        match self.haste {
            _ if !engine.in_haste() => (self.haste, self.first) = (None, [None, None]),
            Some(since) if since.elapsed() > HASTE => self.first = [None, None],
            Some(_) => {}
            None => {
                let own = (idle == Idle::Block).then(|| gettid().as_raw_nonzero().get());
                let threads = [own, engine.logger.tid()];
                self.first = threads.map(|tid| tid.and_then(First::put));
                self.haste = Some(Instant::now());
            }
        }
        waited
    }
}

impl Engine {
    /// Whether moves and ticks wait, or are about to: guidance leaves the core to others.
    pub fn in_haste(&self) -> bool {
        self.is_stopped() || self.hold.ready > 0
    }

    /// Whether moves and ticks wait.
    pub fn is_stopped(&self) -> bool {
        self.is_held() || self.is_fenced()
    }

    /// Whether a control session holds moves and ticks back.
    pub fn is_held(&self) -> bool {
        self.hold.holders > 0
    }

    /// Whether a correction is under way.
    pub fn is_fenced(&self) -> bool {
        self.partition.header.correction != 0
    }

    /// Corrections settled since the start.
    pub fn corrections(&self) -> u64 {
        self.hold.settled
    }

    /// Whoever began this correction is gone: it is settled, if it has set nothing yet. Without
    /// room in the log it stays, to be settled by a recovery.
    pub fn let_go(&mut self, id: u64) {
        let idle = self.partition.header.correction == id && !self.hold.corrected;
        if idle && self.logger.failed().is_none() && self.logger.room() >= RESERVED {
            let word_1 = self.partition.bare_hash();
            self.own(
                &Correction { kind: kind::SETTLE, id, word_1, ..Correction::default() }.encode(),
            );
            self.append_urgently();
        }
    }
}
