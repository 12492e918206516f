//! From a datagram to its connection, or to a decision about a stranger.

use std::time::Instant;

use quinn_proto::{ConnectionHandle, DatagramEvent, Incoming, Transmit};

use super::endpoint::Endpoint;
use super::socket::{Datagram, Sent};

impl Endpoint {
    /// Leads one datagram to its connection, whose slot is returned for settling, or answers it.
    pub(super) fn take_in(&mut self, now: Instant, datagram: &Datagram<'_>) -> Option<usize> {
        let bytes = self.received.copy_mut(datagram.bytes);
        let Datagram { remote, local_ip, ecn, .. } = *datagram;
        self.reply.clear();
        match self.proto.handle(now, remote, local_ip, ecn, bytes, &mut self.reply)? {
            DatagramEvent::ConnectionEvent(ConnectionHandle(slot), event) => {
                self.table.slot_mut(slot)?.receive(event);
                return Some(slot);
            }
            DatagramEvent::NewConnection(incoming) => self.admit(now, incoming),
            DatagramEvent::Response(transmit) => self.send_reply(&transmit),
        }
        None
    }

    /// Decides on a stranger: refuse when full, make it prove its address when busy, else accept.
    fn admit(&mut self, now: Instant, incoming: Incoming) {
        self.reply.clear();
        let busy = self.table.handshakes() >= self.settings.retry_above_handshakes as usize;
        if self.table.is_full() {
            self.stats.refused += 1;
            self.refused_to_tell = self.refused_to_tell.saturating_add(1);
            let transmit = self.proto.refuse(incoming, &mut self.reply);
            self.send_reply(&transmit);
        } else if busy && !incoming.remote_address_validated() && incoming.may_retry() {
            self.stats.retried += 1;
            match self.proto.retry(incoming, &mut self.reply) {
                Ok(transmit) => self.send_reply(&transmit),
                Err(error) => self.proto.ignore(error.into_incoming()),
            }
        } else {
            self.accept(now, incoming);
        }
    }

    fn accept(&mut self, now: Instant, incoming: Incoming) {
        let path = self.path(incoming.remote_address());
        let config = self.server_configs.as_ref().map(|configs| configs.on(path));
        match self.proto.accept(incoming, now, &mut self.reply, config) {
            Ok((handle, proto)) => {
                self.add(now, handle, proto);
            }
            Err(error) => {
                self.stats.handshakes_failed += 1;
                if let Some(transmit) = error.response {
                    self.send_reply(&transmit);
                }
            }
        }
    }

    /// Sends a reply that belongs to no connection. If there is no room it is dropped: whoever
    /// asked will ask again.
    fn send_reply(&mut self, transmit: &Transmit) {
        match self.socket.send(transmit, &self.reply[..transmit.size]) {
            Sent::Done => self.stats.sends += 1,
            Sent::Lost | Sent::Blocked => self.stats.sends_lost += 1,
        }
    }
}
