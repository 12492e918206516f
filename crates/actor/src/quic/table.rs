//! The fixed table of connections, and the lists of those that need attention.
//!
//! A connection's slot is the number quinn-proto gives it (its handles are dense and reused), so
//! finding one is an index. All lists are as large as they can ever get from the start.

use std::collections::VecDeque;
use std::time::Instant;

use super::connection::{Connection, Stage};
use super::event::{ConnId, Event};

#[derive(Default)]
struct Entry {
    connection: Option<Box<Connection>>,
    /// Counts the connections that have been in this slot.
    generation: u32,
    deadline: Option<Instant>,
    /// In `unsent`.
    unsent: bool,
    /// In `eventful`.
    eventful: bool,
    /// Counted in `handshakes`.
    handshaking: bool,
}

pub(super) struct Table {
    entries: Box<[Entry]>,
    connections: usize,
    handshakes: usize,
    /// Slots that may have packets to send, each at most once.
    unsent: VecDeque<u32>,
    /// Slots that have something to tell, each at most once.
    eventful: VecDeque<u32>,
    /// No connection's deadline is before this; may be too early, never too late.
    earliest: Option<Instant>,
}

impl Table {
    pub(super) fn new(connections_max: u32) -> Self {
        let slots = connections_max as usize;
        Self {
            entries: (0..slots).map(|_| Entry::default()).collect(),
            connections: 0,
            handshakes: 0,
            unsent: VecDeque::with_capacity(slots),
            eventful: VecDeque::with_capacity(slots),
            earliest: None,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.connections == self.entries.len()
    }

    /// Connections in the table, closing ones included.
    pub(super) fn connections(&self) -> usize {
        self.connections
    }

    /// Connections whose handshake is under way.
    pub(super) fn handshakes(&self) -> usize {
        self.handshakes
    }

    pub(super) fn insert(&mut self, slot: usize, connection: Connection) -> ConnId {
        let entry = &mut self.entries[slot];
        assert!(entry.connection.is_none(), "quinn-proto gave slot {slot} twice");
        entry.connection = Some(Box::new(connection));
        entry.handshaking = true;
        self.connections += 1;
        self.handshakes += 1;
        self.id(slot)
    }

    pub(super) fn remove(&mut self, slot: usize) {
        let entry = &mut self.entries[slot];
        if entry.connection.take().is_some() {
            entry.generation = entry.generation.wrapping_add(1);
            entry.deadline = None;
            self.connections -= 1;
        }
    }

    pub(super) fn id(&self, slot: usize) -> ConnId {
        ConnId { slot: slot as u32, generation: self.entries[slot].generation }
    }

    pub(super) fn slot_mut(&mut self, slot: usize) -> Option<&mut Connection> {
        self.entries.get_mut(slot)?.connection.as_deref_mut()
    }

    /// The connection `conn` names, if it is still there.
    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut Connection> {
        let entry = self.entries.get_mut(conn.slot as usize)?;
        if entry.generation != conn.generation {
            return None;
        }
        entry.connection.as_deref_mut()
    }

    pub(super) fn get(&self, conn: ConnId) -> Option<&Connection> {
        let entry = self.entries.get(conn.slot as usize)?;
        if entry.generation != conn.generation {
            return None;
        }
        entry.connection.as_deref()
    }

    /// Brings counts, deadline and event list into line with what has happened to a connection.
    pub(super) fn refresh(&mut self, slot: usize) {
        let entry = &mut self.entries[slot];
        let Some(connection) = entry.connection.as_deref_mut() else {
            return;
        };
        if entry.handshaking && connection.stage != Stage::Handshaking {
            entry.handshaking = false;
            self.handshakes -= 1;
        }
        entry.deadline = if connection.drained { None } else { connection.deadline() };
        if let Some(deadline) = entry.deadline
            && self.earliest.is_none_or(|earliest| deadline < earliest)
        {
            self.earliest = Some(deadline);
        }
        if !entry.eventful && connection.has_events() {
            entry.eventful = true;
            self.eventful.push_back(slot as u32);
        }
    }

    pub(super) fn mark_unsent(&mut self, slot: usize) {
        let entry = &mut self.entries[slot];
        if !entry.unsent {
            entry.unsent = true;
            self.unsent.push_back(slot as u32);
        }
    }

    /// The slot that has waited longest to send; it stays listed until `sent`.
    pub(super) fn first_unsent(&self) -> Option<usize> {
        self.unsent.front().map(|&slot| slot as usize)
    }

    /// Takes the first unsent slot off the list.
    pub(super) fn sent(&mut self) {
        if let Some(slot) = self.unsent.pop_front() {
            self.entries[slot as usize].unsent = false;
        }
    }

    /// The next event of any connection, each connection in its turn, and its slot.
    pub(super) fn next_event(&mut self) -> Option<(usize, Event)> {
        loop {
            let slot = self.eventful.pop_front()?;
            let conn = self.id(slot as usize);
            let entry = &mut self.entries[slot as usize];
            entry.eventful = false;
            let Some(connection) = entry.connection.as_deref_mut() else {
                continue;
            };
            let event = connection.next_event(conn);
            if connection.has_events() {
                entry.eventful = true;
                self.eventful.push_back(slot);
            }
            if let Some(event) = event {
                return Some((slot as usize, event));
            }
        }
    }

    /// A time before which no deadline falls.
    pub(super) fn earliest(&self) -> Option<Instant> {
        self.earliest
    }

    /// Whether a deadline may have passed. When it returns true, the caller visits all `expired`
    /// slots and then calls `recompute_earliest`.
    pub(super) fn may_have_expired(&self, now: Instant) -> bool {
        self.earliest.is_some_and(|earliest| earliest <= now)
    }

    /// The first slot at or after `from` whose deadline has passed.
    pub(super) fn expired(&self, from: usize, now: Instant) -> Option<usize> {
        let past = |entry: &Entry| entry.deadline.is_some_and(|deadline| deadline <= now);
        Some(from + self.entries[from..].iter().position(past)?)
    }

    pub(super) fn recompute_earliest(&mut self) {
        self.earliest = self.entries.iter().filter_map(|entry| entry.deadline).min();
    }
}
