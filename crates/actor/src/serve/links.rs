//! The table of links by the slots of their connections.

use super::link::Link;
use crate::quic::ConnId;

/// Links in their connections' slots. Each turn visits all links several times, and there are far
/// fewer than there may be: only the slots up to the last one in use are looked at (a connection
/// gets the lowest free slot or one that was freed lately).
pub struct Links {
    slots: Box<[Option<Link>]>,
    /// One more than the last slot in use.
    used: usize,
}

impl Links {
    /// An empty table for `connections_max` links.
    pub fn new(connections_max: u32) -> Self {
        Self { slots: (0..connections_max).map(|_| None).collect(), used: 0 }
    }

    /// Puts a link into its slot.
    pub fn insert(&mut self, link: Link) {
        let slot = link.conn.slot();
        self.slots[slot] = Some(link);
        self.used = self.used.max(slot + 1);
    }

    /// Takes out the link of a connection, if it is still there.
    pub fn remove(&mut self, conn: ConnId) -> Option<Link> {
        let link = self.slots[conn.slot()].take_if(|link| link.conn == conn);
        self.used =
            self.slots[..self.used].iter().rposition(Option::is_some).map_or(0, |at| at + 1);
        link
    }

    /// The link in a slot.
    pub fn at(&mut self, slot: usize) -> Option<&mut Link> {
        self.slots[slot].as_mut()
    }

    /// The link of a connection, if it is still there.
    pub fn of(&mut self, conn: ConnId) -> Option<&mut Link> {
        self.at(conn.slot()).filter(|link| link.conn == conn)
    }

    /// Slots that may hold a link; it does not grow while links are only taken out.
    pub fn slots(&self) -> std::ops::Range<usize> {
        0..self.used
    }

    /// All links.
    pub fn iter(&self) -> impl Iterator<Item = &Link> {
        self.slots[..self.used].iter().flatten()
    }

    /// All links, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.slots[..self.used].iter_mut().flatten()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }
}
