//! Where the core's answers and events go: the ring, a link's outgoing bytes, the log's batch.

use huntgraph_core::schema::{Event, Receipt, kind};
use huntgraph_core::{Answer, Sink};

use crate::log::RawRecord;
use crate::ring::RingWriter;

/// Counts of answers, kept apart from the counters file until the end of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// Moves applied or refused with a position.
    pub logged: u64,
    /// Claims that won.
    pub claims: u64,
    /// Answers by code.
    pub codes: [u32; Self::CODES],
}

impl Tally {
    /// Codes counted apart: all of the schema are below.
    pub const CODES: usize = 72;

    /// No answers yet.
    pub const NONE: Self = Self { logged: 0, claims: 0, codes: [0; Self::CODES] };
}

/// One batch on its way through the core.
pub struct Emit<'a> {
    /// Events go here.
    pub ring: &'a mut RingWriter,
    /// Updates and receipts go here.
    pub out: &'a mut Vec<u8>,
    /// Records to be logged go here.
    pub log: &'a mut Vec<RawRecord>,
    /// Counts go here.
    pub tally: &'a mut Tally,
}

impl Sink for Emit<'_> {
    const JOURNAL: bool = false;

    // Always, here and in `put`: so an event goes from registers into the ring's slot.
    #[inline(always)]
    fn event(&mut self, event: &Event) {
        let bytes = event.encode();
        let (words, _) = bytes.as_chunks::<8>();
        let mut payload = [0; 7];
        for (word, bytes) in payload.iter_mut().zip(&words[1..]) {
            *word = u64::from_le_bytes(*bytes);
        }
        self.ring.put(&payload);
    }
}

impl Emit<'_> {
    /// Notes an answer: its bytes, and its record if it is to be logged.
    #[inline]
    pub fn answer(&mut self, raw: &RawRecord, answer: &Answer, receipt: Option<&Receipt>) {
        self.out.extend_from_slice(&answer.update.encode());
        if let Some(receipt) = receipt {
            self.out.extend_from_slice(&receipt.encode());
            self.tally.claims += 1;
        }
        if answer.logged {
            self.log.push(*raw);
            self.tally.logged += 1;
        }
        self.tally.codes[(answer.update.code as usize).min(Tally::CODES - 1)] += 1;
    }
}

/// Kinds that a game server may send.
pub fn allowed_on_link(kind: u8) -> bool {
    matches!(kind, kind::ENTER..=kind::HINT | kind::EDGE_CLOSE..=kind::EDGE_ADD)
}

/// Kinds that the supervisor and neighbours may send: all but what only the actor itself may say.
pub fn allowed_on_control(kind: u8) -> bool {
    !matches!(kind, kind::HANDED_ON | kind::TICK..=kind::RECEIPT)
}
