//! The endpoint: one socket, its connections, one thread.

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use quinn_proto::{ConnectionHandle, EndpointEvent, Transmit, VarInt};

use super::buffers::Buffers;
use super::connection::{Connection, Stage};
use super::event::{CloseReason, ConnId, Event};
use super::settings::{Path, ServerConfigs, Settings, loopback_bytes};
use super::socket::{Inbox, Sent, Socket};
use super::table::Table;
use super::tls::ServerTls;
use crate::page_faults::populate;

/// Room for the largest run of datagrams sent at once.
const SEND_BYTES: usize = 64 << 10;
/// Room for a reply to a stranger, which is one small datagram.
const REPLY_BYTES: usize = 4 << 10;
/// Blocks that have their memory from the start for what comes: a stream's window, unread.
const RECEIVED_BLOCKS: usize = 5;
/// And for what goes, which is held until it is acknowledged, the one that is being filled, and one
/// in reserve: a block is used again when all of it was acknowledged.
const WRITTEN_BLOCKS: usize = 4;

/// Counts of an endpoint since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EndpointStats {
    /// UDP datagrams received.
    pub datagrams_received: u64,
    /// Send calls that the kernel took (each one datagram or a run of them).
    pub sends: u64,
    /// Sends the kernel refused, which QUIC repeats as if lost.
    pub sends_lost: u64,
    /// Sends put off because the socket's buffer was full.
    pub sends_blocked: u64,
    /// Strangers refused because all slots were taken; who asks again before it hears the answer is
    /// counted again.
    pub refused: u64,
    /// Strangers asked to prove their address first, counted in the same way.
    pub retried: u64,
    /// Attempts that failed at their first packet, as with another protocol: no event tells them.
    pub handshakes_failed: u64,
    /// Buffers allocated after the start because slow peers held all of the preallocated ones.
    pub buffers_grown: u64,
}

/// A UDP socket and the QUIC connections on it, driven by hand; see the [module](super).
pub struct Endpoint {
    pub(super) socket: Socket,
    inbox: Inbox,
    pub(super) proto: quinn_proto::Endpoint,
    pub(super) table: Table,
    pub(super) settings: Settings,
    /// What a server offers; none on an endpoint that only connects.
    pub(super) server_configs: Option<ServerConfigs>,
    /// Largest packet of the loopback interface.
    loopback_bytes: u32,
    /// Memory for datagrams on their way in.
    pub(super) received: Buffers,
    /// Memory for batches on their way out.
    pub(super) written: Buffers,
    /// The run of datagrams being sent; keeps its bytes while `stalled`.
    outgoing: Vec<u8>,
    /// A run the socket had no room for, its bytes in `outgoing`.
    stalled: Option<Transmit>,
    /// Replies that belong to no connection.
    pub(super) reply: Vec<u8>,
    pub(super) refused_to_tell: u32,
    /// The slot whose end was told last; freed when the caller comes back.
    ended: Option<usize>,
    pub(super) stats: EndpointStats,
}

impl Endpoint {
    /// An endpoint that listens on `address` (port 0: any free one).
    ///
    /// # Errors
    /// The system's error when the socket cannot be bound.
    pub fn server(address: SocketAddr, tls: &ServerTls, settings: Settings) -> io::Result<Self> {
        let mut endpoint = Self::client(address, settings)?;
        endpoint.set_server_tls(tls);
        Ok(endpoint)
    }

    /// An endpoint that only connects, from `address` (port 0: any free one).
    ///
    /// # Errors
    /// The system's error when the socket cannot be bound.
    pub fn client(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let socket = Socket::bind(address, settings.socket_buffer_bytes)?;
        let probe_size = !socket.may_fragment();
        let (outgoing, reply) = (Vec::with_capacity(SEND_BYTES), Vec::with_capacity(REPLY_BYTES));
        populate(outgoing.as_ptr(), SEND_BYTES);
        populate(reply.as_ptr(), REPLY_BYTES);
        Ok(Self {
            inbox: Inbox::new(),
            proto: quinn_proto::Endpoint::new(settings.endpoint_config(), None, probe_size, None),
            table: Table::new(settings.connections_max),
            received: Buffers::new(RECEIVED_BLOCKS),
            written: Buffers::new(WRITTEN_BLOCKS),
            outgoing,
            stalled: None,
            reply,
            refused_to_tell: 0,
            ended: None,
            stats: EndpointStats::default(),
            server_configs: None,
            loopback_bytes: loopback_bytes(),
            socket,
            settings,
        })
    }

    /// The address the socket is bound to.
    ///
    /// # Errors
    /// The system's error.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The socket, to wait for: for input always, for output while
    /// [`wants_write`](Self::wants_write).
    #[must_use]
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.fd()
    }

    /// Whether packets wait for room in the socket's buffer.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        self.stalled.is_some()
    }

    /// Uses other certificates for connections that come from now on.
    pub fn set_server_tls(&mut self, tls: &ServerTls) {
        let configs = self.settings.server_configs(tls);
        self.proto.set_server_config(Some(configs.on(Path::Network)));
        self.server_configs = Some(configs);
    }

    /// Counts since the start.
    #[must_use]
    pub fn stats(&self) -> EndpointStats {
        let buffers_grown = self.received.grown() + self.written.grown();
        EndpointStats { buffers_grown, ..self.stats }
    }

    /// Connections in use, those just closing included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.table.connections()
    }

    /// quinn-proto's counts of one connection: packets, bytes, losses, round-trip time.
    #[must_use]
    pub fn connection_stats(&self, conn: ConnId) -> Option<quinn_proto::ConnectionStats> {
        Some(self.table.get(conn)?.proto.stats())
    }

    /// The peer's address.
    #[must_use]
    pub fn remote_addr(&self, conn: ConnId) -> Option<SocketAddr> {
        Some(self.table.get(conn)?.proto.remote_address())
    }

    /// Takes one batch of datagrams from the socket, without waiting; returns how many. What they
    /// bring comes from [`next_event`](Self::next_event).
    ///
    /// # Errors
    /// The system's error when the socket can no longer be read.
    pub fn poll_receive(&mut self, now: Instant) -> io::Result<usize> {
        self.inbox.fill(&self.socket)?;
        // The inbox is lent out while its datagrams change the rest of the endpoint.
        let inbox = std::mem::take(&mut self.inbox);
        let mut count = 0;
        let mut unsettled = None;
        for datagram in inbox.datagrams() {
            count += 1;
            let touched = self.take_in(now, &datagram);
            if touched != unsettled
                && let Some(slot) = std::mem::replace(&mut unsettled, touched)
            {
                self.settle(slot);
            }
        }
        if let Some(slot) = unsettled {
            self.settle(slot);
        }
        self.inbox = inbox;
        self.stats.datagrams_received += count as u64;
        Ok(count)
    }

    /// Does what is due: repeats lost packets, keeps alive, gives up silent peers.
    pub fn handle_timeouts(&mut self, now: Instant) {
        if !self.table.may_have_expired(now) {
            return;
        }
        let mut from = 0;
        while let Some(slot) = self.table.expired(from, now) {
            from = slot + 1;
            if let Some(connection) = self.table.slot_mut(slot) {
                expire(connection, now);
                self.settle(slot);
            }
        }
        self.table.recompute_earliest();
    }

    /// When [`handle_timeouts`](Self::handle_timeouts) must be called next; may be early.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        self.table.earliest()
    }

    /// Sends all that may be sent. Returns false when the socket is full: call again when it is
    /// writable.
    pub fn transmit(&mut self, now: Instant) -> bool {
        if let Some(stalled) = self.stalled.take()
            && !self.send(stalled)
        {
            return false;
        }
        while let Some(slot) = self.table.first_unsent() {
            if !self.transmit_connection(now, slot) {
                return false;
            }
            self.table.sent();
            self.table.refresh(slot);
        }
        true
    }

    /// The next thing that has happened; each connection gets its turn.
    pub fn next_event(&mut self) -> Option<Event> {
        self.free_ended();
        if self.refused_to_tell > 0 {
            let count = std::mem::take(&mut self.refused_to_tell);
            return Some(Event::Refused { count });
        }
        let (slot, event) = self.table.next_event()?;
        if matches!(event, Event::Closed { .. } | Event::Failed { .. }) {
            self.ended = Some(slot);
        }
        Some(event)
    }

    /// The way to `peer`.
    pub(super) fn path(&self, peer: SocketAddr) -> Path {
        self.settings.path(peer, self.loopback_bytes)
    }

    fn transmit_connection(&mut self, now: Instant, slot: usize) -> bool {
        loop {
            let Some(connection) = self.table.slot_mut(slot) else {
                return true;
            };
            let datagram_bytes = usize::from(connection.proto.current_mtu());
            let segments = self.socket.segments_max(datagram_bytes);
            self.outgoing.clear();
            let Some(transmit) = connection.proto.poll_transmit(now, segments, &mut self.outgoing)
            else {
                return true;
            };
            if !self.send(transmit) {
                return false;
            }
        }
    }

    /// Sends the run in `outgoing`, or keeps it there for later.
    fn send(&mut self, transmit: Transmit) -> bool {
        match self.socket.send(&transmit, &self.outgoing[..transmit.size]) {
            Sent::Done => self.stats.sends += 1,
            Sent::Lost => self.stats.sends_lost += 1,
            Sent::Blocked => {
                self.stats.sends_blocked += 1;
                self.stalled = Some(transmit);
                return false;
            }
        }
        true
    }

    /// After anything was done to a connection: carries its messages to quinn-proto's endpoint,
    /// notes its events, lists it for sending, frees it when it is done.
    pub(super) fn settle(&mut self, slot: usize) {
        let Some(connection) = self.table.slot_mut(slot) else {
            return;
        };
        while let Some(event) = connection.proto.poll_endpoint_events() {
            if event.is_drained() {
                // Passed on in `free`: it lets quinn-proto use the slot again.
                connection.drained = true;
            } else if let Some(answer) = self.proto.handle_event(ConnectionHandle(slot), event) {
                connection.receive(answer);
            }
        }
        connection.collect();
        let free = connection.drained && !connection.has_events();
        self.table.refresh(slot);
        if free {
            self.free(slot);
        } else {
            self.table.mark_unsent(slot);
        }
    }

    /// Frees the connection whose end the caller has now had time to act on.
    fn free_ended(&mut self) {
        if let Some(slot) = self.ended.take()
            && let Some(connection) = self.table.slot_mut(slot)
            && connection.drained
            && !connection.has_events()
        {
            self.free(slot);
        }
    }

    fn free(&mut self, slot: usize) {
        self.table.remove(slot);
        self.proto.handle_event(ConnectionHandle(slot), EndpointEvent::drained());
    }
}

fn expire(connection: &mut Connection, now: Instant) {
    connection.proto.handle_timeout(now);
    if connection.stage == Stage::Handshaking && connection.handshake_deadline <= now {
        connection.proto.close(now, VarInt::from_u32(0), bytes::Bytes::new());
        connection.end(CloseReason::TimedOut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_kept_for_a_full_socket_goes_out_first_and_once() {
        let any_port = "127.0.0.1:0".parse().expect("a literal address");
        let receiver = std::net::UdpSocket::bind(any_port).expect("a socket");
        let mut endpoint = Endpoint::client(any_port, Settings::client()).expect("a socket");
        endpoint.outgoing.extend_from_slice(b"kept");
        endpoint.stalled = Some(Transmit {
            destination: receiver.local_addr().expect("an address"),
            ecn: None,
            size: 4,
            segment_size: None,
            src_ip: None,
        });
        assert!(endpoint.wants_write());
        assert!(endpoint.transmit(Instant::now()));
        assert!(!endpoint.wants_write());
        let mut bytes = [0; 16];
        assert_eq!(receiver.recv(&mut bytes).expect("the kept run"), 4);
        assert_eq!(&bytes[..4], b"kept");
        assert!(endpoint.transmit(Instant::now()));
        assert_eq!(endpoint.stats().sends, 1);
    }
}
