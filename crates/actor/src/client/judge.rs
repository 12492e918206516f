//! What an answer means for its move.

use huntgraph_core::schema::{Code, Update, flag};

use super::event::Events;
use super::window::{ANSWERED, MAYBE, PENDING, RECEIPT, Record, SETTLED, UNKNOWN, VOID, Window};

/// Not applied, and worth another try: the log's room, the actor's state.
const PASSING: [Code; 4] = [Code::Busy, Code::LogFull, Code::LogFailed, Code::Draining];

/// Offset of `echo` in a move and in an update.
const ECHO_OF_MOVE: usize = 32;
const ECHO_OF_UPDATE: usize = 48;

impl Window {
    /// Takes the next answer of the connection, with its receipt.
    ///
    /// # Errors
    /// What is wrong, when no move waits for this answer.
    pub(super) fn answer(
        &mut self,
        raw: &Record,
        receipt: Option<&Record>,
        events: &mut Events,
    ) -> Result<(), &'static str> {
        self.skip_to_pending();
        if self.awaited >= self.cursor {
            return Err("the actor answered a move that was not sent");
        }
        let (number, at) = (self.awaited, self.at(self.awaited));
        let record = &self.moves[at];
        let echo = &raw[ECHO_OF_UPDATE..ECHO_OF_UPDATE + 8];
        if record[0] != raw[0] || record[ECHO_OF_MOVE..ECHO_OF_MOVE + 8] != *echo {
            return Err("the actor answered another move than the one in turn");
        }
        self.flags[at] &= !PENDING;
        self.in_flight -= 1;
        self.awaited += 1;
        self.judge(number, raw, receipt, events);
        self.skip_to_pending();
        self.end_pass();
        Ok(())
    }

    fn skip_to_pending(&mut self) {
        while self.awaited < self.cursor && self.flags[self.at(self.awaited)] & PENDING == 0 {
            self.awaited += 1;
        }
    }

    fn judge(&mut self, number: u64, raw: &Record, receipt: Option<&Record>, events: &mut Events) {
        let update = Update::decode(raw);
        let at = self.at(number);
        let repeated = update.flags & flag::DUPLICATE != 0;
        let passing = PASSING.iter().any(|&code| code as u16 == update.code);
        // Behind a move that was put off, a refusal may only say that this one is missing.
        let doubtful = self.retry_from.is_some() && update.position == 0 && !repeated;
        if passing || doubtful {
            if self.flags[at] & (ANSWERED | VOID) != ANSWERED || self.positions[at] == UNKNOWN {
                self.retry_from.get_or_insert(number);
                self.counts.put_off += 1;
            }
            return;
        }
        self.seen = self.seen.max(update.position);
        if self.flags[at] & ANSWERED == 0 {
            self.keep(at, raw, &update, receipt);
            self.counts.answered += 1;
            return;
        }
        self.counts.swallowed += 1;
        if self.flags[at] & VOID != 0 {
            self.replace_void(number, raw, &update, receipt, events);
        }
    }

    /// The answer that holds for the move at this place.
    fn keep(&mut self, at: usize, raw: &Record, update: &Update, receipt: Option<&Record>) {
        let refused = update.flags & flag::DUPLICATE == 0;
        let maybe = self.flags[at] & MAYBE != 0;
        self.flags[at] = ANSWERED;
        self.updates[at] = *raw;
        self.positions[at] = update.position;
        if let Some(receipt) = receipt {
            self.receipts[at] = *receipt;
            self.flags[at] |= RECEIPT;
        }
        if update.position == 0 && !refused && maybe {
            // Applied through a connection that was lost, so perhaps not durable yet.
            self.positions[at] = UNKNOWN;
            self.flags[at] |= MAYBE;
        } else if update.position == 0 {
            // Refused; or applied before this epoch, and what outlived a restart is durable.
            self.flags[at] |= SETTLED;
        }
    }

    /// The actor was restarted since the move was answered: was it kept, or is this another life?
    fn replace_void(
        &mut self,
        number: u64,
        raw: &Record,
        update: &Update,
        receipt: Option<&Record>,
        events: &mut Events,
    ) {
        let at = self.at(number);
        let flags = self.flags[at];
        let repeated = update.flags & flag::DUPLICATE != 0;
        let outlived = update.position == 0 && flags & MAYBE == 0;
        if repeated && outlived {
            self.flags[at] = flags & !VOID | SETTLED;
            return;
        }
        if repeated && update.position == self.positions[at] {
            self.flags[at] = flags & !VOID;
            return;
        }
        let old = Update::decode(&self.updates[at]);
        self.keep(at, raw, update, receipt);
        let same = (old.code, old.node, old.found, old.hint)
            == (update.code, update.node, update.found, update.hint);
        let had_receipt = flags & RECEIPT != 0;
        if number < self.delivered && !(same && had_receipt == receipt.is_some()) {
            self.tell_revised(number, raw, events);
        }
    }
}
