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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{ConnId, Link, Links};
    use crate::serve::session::{Role, Session};

    fn conn(slot: u32, generation: u32) -> ConnId {
        ConnId { slot, generation }
    }

    fn link(conn: ConnId) -> Link {
        let session = Session::spare(1).remove(0).begin(Role::GameServer(0));
        let arrived = Instant::now();
        Link { conn, stream: None, session, arrived, leaves: None, frames_waiting: 0 }
    }

    fn with(conns: &[ConnId]) -> Links {
        let mut links = Links::new(4);
        conns.iter().for_each(|&conn| links.insert(link(conn)));
        links
    }

    fn conns(links: &Links) -> Vec<ConnId> {
        links.iter().map(|link| link.conn).collect()
    }

    #[test]
    fn a_link_is_found_by_its_slot_and_by_its_connection() {
        let (first, last) = (conn(0, 0), conn(3, 7));
        let mut links = with(&[last, first]);
        assert_eq!(links.at(3).map(|link| link.conn), Some(last));
        assert_eq!(links.of(first).map(|link| link.conn), Some(first));
        assert!(links.at(1).is_none() && links.of(conn(2, 0)).is_none());
    }

    #[test]
    fn a_connection_that_was_in_a_slot_before_is_not_the_one_that_is() {
        let (gone, here) = (conn(1, 0), conn(1, 1));
        let mut links = with(&[here]);
        assert!(links.of(gone).is_none() && links.remove(gone).is_none());
        assert_eq!(links.remove(here).map(|link| link.conn), Some(here));
        assert!(links.remove(here).is_none());
    }

    #[test]
    fn links_come_in_the_order_of_their_slots_and_all_of_them() {
        let every = [0, 1, 2, 3].map(|slot| conn(slot, 5 - slot));
        let mut links = with(&[every[2], every[0], every[3], every[1]]);
        assert_eq!(conns(&links), every);
        links.iter_mut().for_each(|link| link.frames_waiting = link.conn.slot);
        assert!(links.iter().map(|link| link.frames_waiting).eq(0..4));
    }

    #[test]
    fn the_slots_to_look_at_end_behind_the_last_link() {
        let mut links = with(&[]);
        assert!(links.is_empty() && links.slots().is_empty());
        links.insert(link(conn(2, 0)));
        links.insert(link(conn(0, 0)));
        assert_eq!(links.slots(), 0..3);
        links.remove(conn(0, 0));
        assert_eq!((links.slots(), conns(&links)), (0..3, vec![conn(2, 0)]));
        links.remove(conn(2, 0));
        assert!(links.is_empty() && links.slots().is_empty());
    }

    #[test]
    fn slots_asked_for_before_links_leave_can_still_be_looked_at() {
        let mut links = with(&[conn(0, 0), conn(1, 0), conn(3, 0)]);
        let mut seen = vec![];
        for slot in links.slots() {
            seen.extend(links.at(slot).map(|link| link.conn));
            links.remove(conn(3, 0));
        }
        assert_eq!(seen, [conn(0, 0), conn(1, 0)]);
    }
}
