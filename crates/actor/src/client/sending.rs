//! What of the window goes onto a connection, and what a lost connection or a new epoch changes.

use huntgraph_core::schema::{FRAME_RECORDS, kind};

use super::window::{ANSWERED, MAYBE, PENDING, SENT, SETTLED, UNKNOWN, VOID, Window};

/// The actor has not what it had told to be durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HistoryLost {
    /// The durable position told before.
    pub(super) told: u64,
    /// The durable position now.
    pub(super) has: u64,
}

impl Window {
    /// A connection is ready: sending begins anew with the first unsettled move.
    ///
    /// In another epoch the actor was restarted. What it had answered but not yet told to be
    /// durable may be lost, and the positions given anew to other records: such answers are void
    /// until the move is answered again, whatever the new durable position is.
    pub(super) fn welcome(&mut self, epoch: u64, durable: u64) -> Result<(), HistoryLost> {
        if durable < self.durable {
            return Err(HistoryLost { told: self.durable, has: durable });
        }
        if self.epoch != 0 && epoch != self.epoch {
            self.make_void();
        }
        self.epoch = epoch;
        self.bound = UNKNOWN;
        self.tell_durable(durable);
        self.rewind(self.settled);
        self.pass_end = self.next;
        self.seen = 0;
        Ok(())
    }

    fn make_void(&mut self) {
        for number in self.settled..self.next {
            let at = self.at(number);
            if self.is_settled(at) {
                self.flags[at] |= SETTLED;
            } else if self.flags[at] & ANSWERED != 0 {
                self.flags[at] |= VOID;
                // The caller may wait for the position it was given.
                if number < self.delivered && self.positions[at] != UNKNOWN {
                    self.hold = self.hold.min(self.positions[at] - 1);
                    self.hold_until = self.hold_until.max(number + 1);
                }
            }
            self.flags[at] &= !MAYBE;
        }
    }

    fn rewind(&mut self, number: u64) {
        self.cursor = number;
        self.awaited = number;
        self.in_flight = 0;
        self.retry_from = None;
    }

    /// The connection is lost: what was not answered on it may be applied or not.
    pub(super) fn lost(&mut self) {
        for number in self.settled..self.cursor {
            let at = self.at(number);
            if self.flags[at] & PENDING != 0 {
                self.flags[at] = self.flags[at] & !PENDING | MAYBE;
            }
        }
        self.rewind(self.settled);
        self.settle();
    }

    /// Begins to send again what was put off; only when nothing is in flight.
    pub(super) fn retry(&mut self) {
        if let Some(number) = self.retry_from {
            self.rewind(number);
        }
    }

    /// Appends the records of the next frame, at most `limit`; returns how many. Their answers
    /// always fit one frame: a claim may be answered by two records.
    pub(super) fn next_frame(&mut self, out: &mut Vec<u8>, limit: u32) -> u32 {
        let (mut count, mut answers) = (0, 0);
        while self.retry_from.is_none() && self.cursor < self.next && count < limit {
            let at = self.at(self.cursor);
            if self.needs_sending(at) {
                answers += 1 + usize::from(self.moves[at][0] == kind::CLAIM);
                if answers > FRAME_RECORDS {
                    break;
                }
                out.extend_from_slice(&self.moves[at]);
                self.counts.repeated += u64::from(self.flags[at] & (SENT | ANSWERED) != 0);
                self.flags[at] |= PENDING | SENT;
                count += 1;
            }
            self.cursor += 1;
        }
        self.in_flight += count;
        self.counts.sent += u64::from(count);
        self.end_pass();
        count
    }

    /// Whether the move at the cursor belongs on this connection.
    fn needs_sending(&self, at: usize) -> bool {
        if self.is_settled(at) {
            return false;
        }
        if self.flags[at] & (ANSWERED | VOID) != ANSWERED {
            return true;
        }
        // Applied in this epoch. A player's move is sent again so that the actor tells this
        // connection when it is durable; an edge's would be applied again.
        self.cursor < self.pass_end && self.moves[at][0] < kind::EDGE_CLOSE
    }

    /// Once all repeats are answered, the last move of each player among them has named its
    /// position, and earlier ones stand before it.
    pub(super) fn end_pass(&mut self) {
        let answered = self.in_flight == 0 || self.awaited >= self.pass_end;
        if self.pass_end > 0
            && self.cursor >= self.pass_end
            && answered
            && self.retry_from.is_none()
        {
            self.pass_end = 0;
            self.bound = self.seen;
            self.settle();
        }
    }
}
