//! What is kept of a partition's events.

use huntgraph_core::Sink;
use huntgraph_core::schema::{Event, event};

/// Collects events as raw rows.
#[derive(Default)]
pub struct Events(pub Vec<u8>);

impl Sink for Events {
    fn event(&mut self, event: &Event) {
        self.0.extend_from_slice(&event.encode());
    }
}

/// Collects the events of treasures won alone.
pub struct Wins<'a>(pub &'a mut Events);

impl Sink for Wins<'_> {
    const DELTAS: bool = false;

    fn event(&mut self, event: &Event) {
        if event.kind == event::CLAIMED {
            self.0.event(event);
        }
    }
}
