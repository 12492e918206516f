//! One connection: quinn-proto's state, the few streams it may have, and what is left to tell.
//!
//! Events are bits beside their subject, not entries of a queue, so that a busy peer cannot make
//! anything grow: ten datagrams for one stream are one "readable".

use std::time::Instant;

use quinn_proto::{ConnectionError, ConnectionEvent, Dir, StreamEvent, StreamId, VarInt};
use rustls::pki_types::CertificateDer;

use super::event::{CloseReason, ConnId, Event};
use super::settings::STREAMS_MAX;
use super::verifier::certificates_checked;

/// Streams opened by the peer and by this side.
const STREAMS: usize = 2 * STREAMS_MAX as usize;

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Handshaking,
    Open,
    /// Closed by either side; kept until quinn-proto has seen the last packets off.
    Over,
}

/// How the bytes of one direction of a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Not,
    Finished,
    /// The receiving direction was reset, or the sending one stopped, with the peer's code.
    Broken(u64),
}

/// One stream of a connection.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: StreamId,
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// The last write was not taken whole, and quinn-proto will say when more is.
    pub(super) blocked: bool,
    pub(super) receive: End,
    /// The caller has been told of the end.
    pub(super) receive_told: bool,
    pub(super) send: End,
    /// `finish` was called: nothing can be written any more.
    pub(super) send_finishing: bool,
}

impl Stream {
    fn new(id: StreamId) -> Self {
        Self {
            id,
            readable: false,
            writable: false,
            blocked: false,
            receive: End::Not,
            receive_told: false,
            send: End::Not,
            send_finishing: false,
        }
    }

    fn over(&self) -> bool {
        self.receive_told && self.send != End::Not && !self.writable
    }
}

/// A connection in its slot.
pub(super) struct Connection {
    pub(super) proto: quinn_proto::Connection,
    pub(super) stage: Stage,
    /// When an unfinished handshake is given up.
    pub(super) handshake_deadline: Instant,
    /// quinn-proto is done with it; the slot is free once all events are told.
    pub(super) drained: bool,
    streams: [Option<Stream>; STREAMS],
    /// A certificate was checked in this handshake, so it is a full one.
    certificate_checked: bool,
    open_to_tell: bool,
    end_to_tell: Option<(Stage, CloseReason)>,
}

impl Connection {
    pub(super) fn new(proto: quinn_proto::Connection, handshake_deadline: Instant) -> Self {
        Self {
            proto,
            stage: Stage::Handshaking,
            handshake_deadline,
            drained: false,
            streams: [const { None }; STREAMS],
            certificate_checked: false,
            open_to_tell: false,
            end_to_tell: None,
        }
    }

    /// Hands over what the endpoint has for this connection: a datagram, new connection ids.
    pub(super) fn receive(&mut self, event: ConnectionEvent) {
        if self.stage != Stage::Handshaking {
            return self.proto.handle_event(event);
        }
        let checked_before = certificates_checked();
        self.proto.handle_event(event);
        self.certificate_checked |= certificates_checked() != checked_before;
    }

    /// Takes note of all that has happened inside quinn-proto.
    pub(super) fn collect(&mut self) {
        while let Some(event) = self.proto.poll() {
            match event {
                quinn_proto::Event::Connected => {
                    self.stage = Stage::Open;
                    self.open_to_tell = true;
                }
                quinn_proto::Event::ConnectionLost { reason } => self.lose(reason),
                quinn_proto::Event::Stream(event) => self.note(event),
                // The protocol is read at "connected"; unreliable datagrams are switched off.
                quinn_proto::Event::HandshakeDataReady
                | quinn_proto::Event::DatagramReceived
                | quinn_proto::Event::DatagramsUnblocked => {}
            }
        }
    }

    fn note(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Opened { dir } => self.accept(dir),
            StreamEvent::Readable { id } => {
                if let Some(stream) = self.stream(id) {
                    stream.readable = true;
                }
            }
            StreamEvent::Writable { id } => {
                if let Some(stream) = self.stream(id) {
                    stream.writable = stream.blocked;
                    stream.blocked = false;
                }
            }
            StreamEvent::Finished { id } => self.end_send(id, End::Finished),
            StreamEvent::Stopped { id, error_code } => {
                // What is unsent is of no use to a peer that has stopped reading.
                let _ = self.proto.send_stream(id).reset(error_code);
                self.end_send(id, End::Broken(error_code.into_inner()));
            }
            StreamEvent::Available { .. } => {}
        }
    }

    fn accept(&mut self, dir: Dir) {
        while let Some(id) = self.proto.streams().accept(dir) {
            match self.add_stream(id) {
                Some(stream) => stream.readable = true,
                // Cannot happen while quinn-proto keeps to the limit it announced.
                None => {
                    let _ = self.proto.recv_stream(id).stop(VarInt::from_u32(0));
                    let _ = self.proto.send_stream(id).reset(VarInt::from_u32(0));
                }
            }
        }
    }

    /// Puts a stream into a free place; `None` when all are taken.
    pub(super) fn add_stream(&mut self, id: StreamId) -> Option<&mut Stream> {
        let place = self.streams.iter_mut().find(|place| place.is_none())?;
        Some(place.insert(Stream::new(id)))
    }

    /// Whether one more stream can be kept.
    pub(super) fn has_room(&self) -> bool {
        self.streams.iter().any(Option::is_none)
    }

    pub(super) fn stream(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.streams.iter_mut().flatten().find(|stream| stream.id == id)
    }

    /// Whether the stream waits for room at the peer.
    pub(super) fn is_blocked(&self, id: StreamId) -> bool {
        self.streams.iter().flatten().any(|stream| stream.id == id && stream.blocked)
    }

    /// Whether the caller still waits for events: not after it closed, nor after the end was told.
    pub(super) fn may_tell(&self) -> bool {
        self.stage != Stage::Over || self.end_to_tell.is_some()
    }

    /// quinn-proto's state and one stream's, side by side.
    pub(super) fn with_stream(
        &mut self,
        id: StreamId,
    ) -> Option<(&mut quinn_proto::Connection, &mut Stream)> {
        let stream = self.streams.iter_mut().flatten().find(|stream| stream.id == id)?;
        Some((&mut self.proto, stream))
    }

    fn end_send(&mut self, id: StreamId, end: End) {
        if let Some(stream) = self.stream(id) {
            stream.send = end;
            stream.writable = matches!(end, End::Broken(_));
            stream.blocked = false;
        }
        self.forget_if_over(id);
    }

    /// Frees the place of a stream of which neither side has anything more to say.
    pub(super) fn forget_if_over(&mut self, id: StreamId) {
        for place in &mut self.streams {
            if place.as_ref().is_some_and(|stream| stream.id == id && stream.over()) {
                *place = None;
            }
        }
    }

    fn lose(&mut self, reason: ConnectionError) {
        self.end(reason.into());
    }

    /// Notes that the connection has ended for a reason the caller does not know yet.
    pub(super) fn end(&mut self, reason: CloseReason) {
        if self.stage != Stage::Over {
            self.end_to_tell = Some((self.stage, reason));
            self.stage = Stage::Over;
        }
    }

    /// Closes from this side; nothing is left to tell.
    pub(super) fn close(&mut self, now: Instant, code: VarInt, text: &[u8]) {
        self.proto.close(now, code, bytes::Bytes::copy_from_slice(text));
        self.stage = Stage::Over;
        self.open_to_tell = false;
        self.end_to_tell = None;
        self.streams = [const { None }; STREAMS];
    }

    /// The next time something is due, the end of an unfinished handshake included.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        let timeout = self.proto.poll_timeout();
        if self.stage != Stage::Handshaking {
            return timeout;
        }
        Some(timeout.map_or(self.handshake_deadline, |at| at.min(self.handshake_deadline)))
    }

    /// Whether `next_event` has something.
    pub(super) fn has_events(&self) -> bool {
        self.open_to_tell
            || self.end_to_tell.is_some()
            || self.streams.iter().flatten().any(|stream| stream.readable || stream.writable)
    }

    /// The next thing to tell: the opening, then the streams, then the end.
    pub(super) fn next_event(&mut self, conn: ConnId) -> Option<Event> {
        if std::mem::take(&mut self.open_to_tell) {
            return Some(self.opened(conn));
        }
        for stream in self.streams.iter_mut().flatten() {
            if std::mem::take(&mut stream.readable) {
                return Some(Event::Readable { conn, stream: stream.id });
            }
            if std::mem::take(&mut stream.writable) {
                return Some(Event::Writable { conn, stream: stream.id });
            }
        }
        self.end_to_tell.take().map(|(stage, reason)| match stage {
            Stage::Handshaking => Event::Failed { conn, reason },
            Stage::Open | Stage::Over => Event::Closed { conn, reason },
        })
    }

    fn opened(&self, conn: ConnId) -> Event {
        Event::Opened {
            conn,
            peer_certificate_sha256: self.peer_certificate_sha256(),
            resumed: !self.certificate_checked,
        }
    }

    fn peer_certificate_sha256(&self) -> Option<[u8; 32]> {
        let identity = self.proto.crypto_session().peer_identity()?;
        let chain = identity.downcast::<Vec<CertificateDer<'static>>>().ok()?;
        let digest = ring::digest::digest(&ring::digest::SHA256, chain.first()?);
        digest.as_ref().try_into().ok()
    }
}
