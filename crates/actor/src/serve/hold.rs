//! Holding moves and ticks back, and letting them go: what a correction needs beside its records
//! (`docs/reference/protocol.md`, corrections).
//!
//! Moves and ticks wait while a control session holds them, and while a correction is under way. A
//! session that dies lets go of what it held; a correction that it began, and that has set no cell
//! yet, is settled as it began. One that has set cells stays, over restarts too: only whoever knows
//! the plan can say how it ends.

use huntgraph_core::schema::{Correction, kind};

use super::engine::{Engine, RESERVED};
use crate::log::RawRecord;

/// Who holds, and how far the correction under way has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hold {
    holders: u32,
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

impl Engine {
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

    /// One more holds: what was appended is to be durable soon, as nothing comes to take it along.
    pub fn hold(&mut self) {
        self.hold.holders += 1;
        self.urgent = true;
    }

    /// One less holds.
    pub fn release(&mut self) {
        self.hold.holders -= 1;
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
