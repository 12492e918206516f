//! Links: the game servers' connections, what comes in over them and what goes out.

use std::time::{Duration, Instant};

use huntgraph_core::schema::Code;

use super::actor::{Actor, CONNECTIONS_AHEAD};
use super::session::{Role, Session};
use crate::allocations;
use crate::quic::{ConnId, Event, Read, StreamId};

/// Time for last words to arrive before a connection is closed.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// One connection and its session.
pub struct Link {
    /// The connection.
    pub conn: ConnId,
    /// Its one stream, once it was opened.
    pub stream: Option<StreamId>,
    /// Its frames.
    pub session: Session,
    /// When the bytes now in the inbox came.
    pub arrived: Instant,
    /// When it is closed, its last words having been said.
    pub leaves: Option<Instant>,
    /// Frames answered but not yet handed to the socket.
    pub frames_waiting: u32,
}

impl Actor {
    /// Acts on what happened to a connection.
    pub fn handle(&mut self, event: Event, now: Instant) {
        match event {
            Event::Opened { conn, peer_certificate_sha256, .. } => {
                let mark = peer_certificate_sha256
                    .map_or(0, |hash| u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]));
                self.open_link(conn, mark, now);
            }
            Event::Readable { conn, stream } => self.read(conn, stream, now),
            Event::Writable { .. } => {}
            Event::Closed { conn, .. } => self.forget(conn),
            Event::Failed { .. } => self.handshakes_failed += 1,
            Event::Refused { count } => self.meters.add("connections_refused", count as u64),
        }
    }

    fn open_link(&mut self, conn: ConnId, mark: u32, now: Instant) {
        // quinn-proto lets in no more connections than there are sessions.
        let Some(session) = self.spare.pop() else { return };
        let session = session.begin(Role::GameServer(mark));
        allocations::populate(conn.slot() + 1 + CONNECTIONS_AHEAD);
        let link =
            Link { conn, stream: None, session, arrived: now, leaves: None, frames_waiting: 0 };
        self.links.insert(link);
    }

    fn forget(&mut self, conn: ConnId) {
        if let Some(link) = self.links.remove(conn) {
            self.spare.push(link.session);
        }
    }

    /// Goes on with links whose frames waited for room in the log.
    pub fn resume(&mut self, now: Instant) {
        for slot in self.links.slots() {
            let Some(link) = self.links.at(slot).filter(|link| link.session.waits) else {
                continue;
            };
            let frames = link.session.take_frames(&mut self.engine, &self.desk, now);
            link.frames_waiting += frames as u32;
            if let (conn, Some(stream), true) = (link.conn, link.stream, link.session.has_room()) {
                self.read(conn, stream, now);
            }
        }
    }

    /// Reads a link's bytes and takes the frames in them.
    fn read(&mut self, conn: ConnId, stream: StreamId, now: Instant) {
        let Some(link) = self.links.of(conn) else {
            return;
        };
        if *link.stream.get_or_insert(stream) != stream {
            // Everything travels on one stream: a second one is not part of the protocol.
            self.endpoint.reset(conn, stream, Code::BadFrame as u32);
            return;
        }
        link.arrived = now;
        while link.session.has_room() {
            match self.endpoint.read(conn, stream, link.session.inbox.room()) {
                Read::Data(count) => link.session.inbox.filled(count),
                Read::Blocked => break,
                Read::Finished | Read::Reset(_) | Read::Closed => {
                    link.session.wants_drain = true;
                    break;
                }
            }
            let frames = link.session.take_frames(&mut self.engine, &self.desk, now);
            link.frames_waiting += frames as u32;
        }
    }

    /// Passes on how far the log is durable.
    pub fn tell_durable(&mut self, now: Instant) {
        let durable = self.engine.logger.durable();
        if durable == self.durable_seen {
            return;
        }
        self.durable_seen = durable;
        let meter = &self.meters.durable;
        self.engine.settle(durable, now, |time_ns| meter.record(time_ns));
        for link in self.links.iter_mut() {
            link.session.tell_durable(durable);
        }
    }

    /// Hands answers to the socket, lets go whom there is nothing left to say to, and sends.
    pub fn flush(&mut self, now: Instant) {
        let mut frames = 0;
        for slot in self.links.slots() {
            frames += self.flush_link(slot, now);
        }
        self.endpoint.transmit(now);
        self.next_leave = self.links.iter().filter_map(|link| link.leaves).min();
        if frames > 0 {
            self.time_frames();
        }
    }

    fn flush_link(&mut self, slot: usize, now: Instant) -> u32 {
        let Some(link) = self.links.at(slot) else {
            return 0;
        };
        let (conn, Some(stream)) = (link.conn, link.stream) else {
            return 0;
        };
        let had_room = link.session.has_room();
        if !link.session.unsent().is_empty() {
            match self.endpoint.write(conn, stream, link.session.unsent()) {
                Ok(count) => link.session.was_sent(count),
                // The peer reads no more: it is let go once its moves are durable.
                Err(_) => {
                    link.session.drop_unsent();
                    link.session.wants_drain = true;
                }
            }
        }
        let frames = link.frames_waiting;
        if !had_room && link.session.has_room() {
            // Frames may have waited for room, and bytes behind them.
            link.frames_waiting +=
                link.session.take_frames(&mut self.engine, &self.desk, now) as u32;
            self.read(conn, stream, now);
        }
        self.part(slot, now);
        frames
    }

    /// Ends a link that failed, or that asked to go and has everything on disk: last words first,
    /// then a moment for them to arrive, then the close.
    fn part(&mut self, slot: usize, now: Instant) {
        let Some(link) = self.links.at(slot) else {
            return;
        };
        let drained = link.session.wants_drain && link.session.is_settled(self.durable_seen);
        let (conn, Some(stream)) = (link.conn, link.stream) else {
            return;
        };
        if let Some(by) = link.leaves {
            if now >= by {
                let code = link.session.failed.unwrap_or(Code::Ok);
                self.endpoint.close(now, conn, code as u32, code.text());
                self.forget(conn);
            }
        } else if link.session.failed.is_some() {
            link.leaves = Some(now + LAST_WORDS);
        } else if drained && link.session.unsent().is_empty() {
            link.session.tell_drained(self.durable_seen);
            // A last frame is small: it fits, or the peer does not read anyway.
            let _ = self.endpoint.write(conn, stream, link.session.unsent());
            link.session.drop_unsent();
            self.endpoint.finish(conn, stream);
            link.leaves = Some(now + LAST_WORDS);
        }
    }

    fn time_frames(&mut self) {
        let sent = Instant::now();
        let mut total = 0;
        for link in self.links.iter_mut() {
            let time_ns = sent.duration_since(link.arrived).as_nanos() as u64;
            for _ in 0..std::mem::take(&mut link.frames_waiting) {
                self.meters.frame.record(time_ns);
                total += 1;
            }
        }
        self.meters.frames.add(total);
    }
}
