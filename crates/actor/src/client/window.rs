//! The window: every move from `send` until it is settled and all about it was taken.
//!
//! A ring of fixed size, indexed by the move's number. Numbers run from 1 over all connections;
//! each mark below only moves forward:
//!
//! ```text
//!   free | receipts_next <= settled .. <= delivered .. | next
//! ```
//!
//! A place is free again when its move is settled and its update and receipt were handed out. So
//! a caller that takes nothing, or an actor that answers nothing, fills the window, and nothing
//! else happens.

use super::event::{Events, LinkEvent};
use super::handle::Taken;

/// A record of the protocol.
pub(super) type Record = [u8; 64];

/// There is an answer, and it is the one to hand out.
pub(super) const ANSWERED: u8 = 1;
/// Sent on the present connection and not answered on it.
pub(super) const PENDING: u8 = 2;
/// Durable, or refused without a position: never sent again.
pub(super) const SETTLED: u8 = 4;
/// A receipt came with the answer.
pub(super) const RECEIPT: u8 = 8;
/// The answer is of an earlier epoch: the actor may have lost what it answered.
pub(super) const VOID: u8 = 16;
/// Sent on an earlier connection of this epoch and never answered: it may be applied.
pub(super) const MAYBE: u8 = 32;
/// Written to some connection before.
pub(super) const SENT: u8 = 64;

/// Applied, at a position that no answer names.
pub(super) const UNKNOWN: u64 = u64::MAX;

/// What has happened in a window since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Moves written to a connection, repeats included.
    pub(super) sent: u64,
    /// Moves written again.
    pub(super) repeated: u64,
    /// Moves that have got their answer.
    pub(super) answered: u64,
    /// Answers that were not handed out because one was before.
    pub(super) swallowed: u64,
    /// Moves refused for the moment, to be sent again.
    pub(super) put_off: u64,
    /// Answers that changed after they were handed out.
    pub(super) revised: u64,
}

/// See the module. Holds no connection: what it is told is what happens.
pub(super) struct Window {
    pub(super) moves: Box<[Record]>,
    pub(super) updates: Box<[Record]>,
    pub(super) receipts: Box<[Record]>,
    pub(super) positions: Box<[u64]>,
    pub(super) flags: Box<[u8]>,
    /// Number of the next move to come.
    pub(super) next: u64,
    /// All before this are settled.
    pub(super) settled: u64,
    /// Updates before this were handed out.
    pub(super) delivered: u64,
    /// Receipts before this were handed out.
    receipts_next: u64,
    /// Receipts of settled moves not handed out.
    receipts_ready: usize,
    /// The next to look at for sending, and for an answer.
    pub(super) cursor: u64,
    pub(super) awaited: u64,
    /// Records on the connection without an answer.
    pub(super) in_flight: u32,
    /// The first move to be sent again after a while; nothing is sent meanwhile.
    pub(super) retry_from: Option<u64>,
    /// Moves before this were sent on earlier connections and are being sent again; 0 when done.
    pub(super) pass_end: u64,
    /// Greatest position answered in this pass, and the bound for unknown positions that it gives.
    pub(super) seen: u64,
    pub(super) bound: u64,
    pub(super) epoch: u64,
    pub(super) durable: u64,
    /// The durable position that may be handed out until all before `hold_until` are settled.
    pub(super) hold: u64,
    pub(super) hold_until: u64,
    pub(super) counts: Counts,
}

impl Window {
    /// A window for `capacity` moves.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            moves: vec![[0; 64]; capacity].into(),
            updates: vec![[0; 64]; capacity].into(),
            receipts: vec![[0; 64]; capacity].into(),
            positions: vec![0; capacity].into(),
            flags: vec![0; capacity].into(),
            next: 1,
            settled: 1,
            delivered: 1,
            receipts_next: 1,
            receipts_ready: 0,
            cursor: 1,
            awaited: 1,
            in_flight: 0,
            retry_from: None,
            pass_end: 0,
            seen: 0,
            bound: UNKNOWN,
            epoch: 0,
            durable: 0,
            hold: u64::MAX,
            hold_until: 0,
            counts: Counts::default(),
        }
    }

    /// The place of a move.
    pub(super) fn at(&self, number: u64) -> usize {
        (number % self.flags.len() as u64) as usize
    }

    /// Places taken.
    pub(super) fn used(&self) -> usize {
        (self.next - self.delivered.min(self.receipts_next)) as usize
    }

    /// Moves not settled.
    pub(super) fn unsettled(&self) -> u64 {
        self.next - self.settled
    }

    /// The durable position as the caller may use it with the positions it was given.
    pub(super) fn durable_told(&self) -> u64 {
        self.durable.min(self.hold)
    }

    /// Takes in as many moves as there is room for; returns the first one's number and how many.
    pub(super) fn push(&mut self, moves: &[Record]) -> (u64, usize) {
        let first = self.next;
        let room = self.flags.len() - self.used();
        let count = room.min(moves.len());
        for record in &moves[..count] {
            let at = self.at(self.next);
            self.moves[at] = *record;
            self.flags[at] = 0;
            self.next += 1;
        }
        (first, count)
    }

    /// Every position up to this is on disk.
    pub(super) fn tell_durable(&mut self, durable: u64) {
        self.durable = self.durable.max(durable);
        self.settle();
    }

    /// Moves the mark of settled moves as far as it goes.
    pub(super) fn settle(&mut self) {
        while self.settled < self.next {
            let at = self.at(self.settled);
            if self.flags[at] & PENDING != 0 || !self.is_settled(at) {
                break;
            }
            self.flags[at] |= SETTLED;
            self.settled += 1;
            self.receipts_ready += usize::from(self.flags[at] & RECEIPT != 0);
        }
        if self.receipts_ready == 0 {
            self.receipts_next = self.settled;
        }
        if self.settled >= self.hold_until {
            self.hold = u64::MAX;
        }
    }

    /// Whether the move at this place need not be sent again.
    pub(super) fn is_settled(&self, at: usize) -> bool {
        let flags = self.flags[at];
        if flags & SETTLED != 0 {
            return true;
        }
        let position = match self.positions[at] {
            UNKNOWN => self.bound,
            position => position,
        };
        flags & ANSWERED != 0 && flags & VOID == 0 && position <= self.durable
    }

    /// Hands out updates and receipts, each once and in the order of sending.
    pub(super) fn take(&mut self, out: &mut Taken) {
        while self.delivered < self.next {
            let at = self.at(self.delivered);
            // A void answer waits for the one that confirms or replaces it.
            if self.flags[at] & (ANSWERED | VOID) != ANSWERED {
                break;
            }
            out.updates.extend_from_slice(&self.updates[at]);
            self.delivered += 1;
        }
        while self.receipts_ready > 0 {
            let at = self.at(self.receipts_next);
            self.receipts_next += 1;
            if self.flags[at] & RECEIPT != 0 {
                out.receipts.extend_from_slice(&self.receipts[at]);
                self.receipts_ready -= 1;
            }
        }
        self.receipts_next = self.settled;
        out.durable = self.durable_told();
    }

    /// Notes that the answer to an already answered move has changed.
    pub(super) fn tell_revised(&mut self, number: u64, update: &Record, events: &mut Events) {
        self.counts.revised += 1;
        events.push(LinkEvent::Revised { number, update: *update });
    }
}
