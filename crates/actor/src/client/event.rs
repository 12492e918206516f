//! What a client tells its caller beside updates and receipts.

use std::collections::VecDeque;

use huntgraph_core::schema::Welcome;

use crate::failure::Failure;

/// Events kept for a caller that does not take them; older ones go first, and are counted.
const KEPT: usize = 1_024;

/// Something that happened to the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// The actor has answered HELLO; unsettled moves are being sent again.
    Connected {
        /// The actor's WELCOME.
        welcome: Box<Welcome>,
        /// Number of this connection, from 1.
        connection: u64,
    },
    /// An open connection has ended; the client connects again.
    Lost {
        /// Why it ended.
        reason: String,
    },
    /// The actor is stopping; the client connects again once it is gone.
    Draining,
    /// All is answered and durable after [`drain`](super::Client::drain); the client has ended.
    Drained {
        /// The last durable position.
        durable: u64,
    },
    /// An actor lost this move in a crash after its answer was taken, and applying it anew came
    /// to something else.
    Revised {
        /// Number of the move.
        number: u64,
        /// The answer that holds.
        update: [u8; 64],
    },
    /// The client has given up.
    Failed(Failure),
    /// So many events before the next one were not kept, because nobody took them.
    Missed {
        /// How many.
        count: u64,
    },
}

/// A bounded list of events.
pub(super) struct Events {
    kept: VecDeque<LinkEvent>,
    missed: u64,
}

impl Events {
    pub(super) fn new() -> Self {
        Self { kept: VecDeque::new(), missed: 0 }
    }

    pub(super) fn push(&mut self, event: LinkEvent) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
            self.missed += 1;
        }
        self.kept.push_back(event);
    }

    /// Moves all events to `out`.
    pub(super) fn take(&mut self, out: &mut Vec<LinkEvent>) {
        if self.missed > 0 {
            let count = std::mem::take(&mut self.missed);
            out.push(LinkEvent::Missed { count });
        }
        out.extend(self.kept.drain(..));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_nobody_takes_are_bounded_and_counted() {
        let mut events = Events::new();
        for durable in 0..KEPT as u64 + 3 {
            events.push(LinkEvent::Drained { durable });
        }
        let mut out = Vec::new();
        events.take(&mut out);
        assert_eq!(out.len(), KEPT + 1);
        assert_eq!(out[0], LinkEvent::Missed { count: 3 });
        assert_eq!(out[1], LinkEvent::Drained { durable: 3 });
        out.clear();
        events.take(&mut out);
        assert!(out.is_empty());
    }
}
