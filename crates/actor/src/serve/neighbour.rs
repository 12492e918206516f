//! A neighbour: a partition that players are handed to, reached over its control socket.
//!
//! One frame of parcels is under way at a time. It is answered at once, and told durable a moment
//! later; then the next one goes. So a connection has no memory: whatever was not told durable
//! when it is lost goes again over the next one, and the parcels' numbers tell the receiver what
//! it has. Bearings, with which partitions find the way to far targets together, go between the
//! frames of parcels and are not answered: one that is lost costs a round of guidance, no more.

use std::io::ErrorKind;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use huntgraph_core::Partition;
use huntgraph_core::schema::{Arrival, Bearing, Code, Frame, Update, Welcome, frame};
use rustix::event::PollFlags;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::engine::Engine;
use crate::failure::Failure;
use crate::frame::{Inbox, begin_frame, end_frame, put_frame};

/// Parcels in one frame.
const WINDOW: usize = 256;
/// Bearings in one frame: making them, and taking them in, is to take no longer than a slice of
/// guidance.
const BEARINGS: usize = 16;
/// Bytes of a frame of parcels and one of bearings.
const OUTGOING: usize = 2 * Frame::BYTES + WINDOW * Arrival::BYTES + BEARINGS * Bearing::BYTES;
/// Rest after a connection was lost or a parcel refused; doubled up to the greatest.
const REST: Duration = Duration::from_millis(20);
const REST_MOST: Duration = Duration::from_millis(1000);

/// What is awaited from the neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Its WELCOME: it must be the partition that it is taken for.
    Greeting,
    /// Nothing: the next frame can go.
    Ready,
    /// The answers to so many parcels.
    Sent(usize),
    /// That what it was sent is durable there.
    Answered,
}

/// One neighbour. All memory is made at the start.
pub struct Neighbour {
    partition: u16,
    address: SocketAddrUnix,
    stream: Option<OwnedFd>,
    inbox: Inbox,
    outgoing: Vec<u8>,
    sent: usize,
    phase: Phase,
    /// Number of the last parcel that it has taken, durably or not.
    reached: u64,
    rest: Duration,
    /// No attempt before this.
    rests_until: Instant,
    /// Connections lost and parcels refused since the last look.
    pub refused: u64,
}

impl Neighbour {
    /// A neighbour whose actor works in `dir`; nothing is connected yet.
    ///
    /// # Errors
    /// HG3017 when the path of its control socket is too long.
    pub fn new(partition: u16, dir: &Path, now: Instant) -> Result<Self, Failure> {
        let path = dir.join("control.sock");
        let address = SocketAddrUnix::new(&path).map_err(|e| {
            let what = format!("the neighbour's control socket cannot be reached: {e}");
            Failure::new("HG3017", what, path.display(), "use a shorter --dir there")
        })?;
        Ok(Self {
            partition,
            address,
            stream: None,
            inbox: Inbox::new(),
            outgoing: Vec::with_capacity(OUTGOING),
            sent: 0,
            phase: Phase::Greeting,
            reached: 0,
            rest: REST,
            rests_until: now,
            refused: 0,
        })
    }

    /// Whether it is connected and is who it should be.
    pub fn is_up(&self) -> bool {
        self.stream.is_some() && self.phase != Phase::Greeting
    }

    /// What to wait for: its stream, for output too while bytes wait to be sent.
    pub fn fd(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let mut interest = PollFlags::IN;
        interest.set(PollFlags::OUT, !self.is_drained());
        self.stream.as_ref().map(|stream| (stream.as_fd(), interest))
    }

    /// When it wants a turn though nothing comes.
    pub fn deadline(&self, partition: &Partition<'_>, now: Instant) -> Option<Instant> {
        if self.is_up() && self.is_drained() && partition.has_bearings(self.partition) {
            return Some(now);
        }
        (self.stream.is_none() || now < self.rests_until).then_some(self.rests_until)
    }

    /// All that was packed is on its way.
    fn is_drained(&self) -> bool {
        self.sent == self.outgoing.len()
    }

    /// Connects, reads, sends what is due.
    pub fn turn(&mut self, engine: &mut Engine, now: Instant) {
        if self.stream.is_none() && now >= self.rests_until {
            self.connect(now);
        }
        if self.stream.is_some() && !(self.read(engine, now) && self.send(engine, now)) {
            self.lose(now);
        }
        engine.partition.link(self.partition, self.is_up());
    }

    /// Connects without waiting; a full queue there counts as nobody there.
    fn connect(&mut self, now: Instant) {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let stream = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None);
        let stream =
            stream.and_then(|stream| rustix::net::connect(&stream, &self.address).map(|()| stream));
        let Ok(stream) = stream else { return self.lose(now) };
        self.stream = Some(stream);
        self.phase = Phase::Greeting;
        self.inbox.clear();
        self.outgoing.clear();
        self.sent = 0;
        put_frame(&mut self.outgoing, frame::STATUS, 0, 0, &[]);
    }

    fn lose(&mut self, now: Instant) {
        self.stream = None;
        self.phase = Phase::Greeting;
        self.rest_from(now);
    }

    fn rest_from(&mut self, now: Instant) {
        self.refused += 1;
        self.rests_until = now + self.rest;
        self.rest = (self.rest * 2).min(REST_MOST);
    }

    /// Takes what has come; `false` when the connection is of no use any more.
    fn read(&mut self, engine: &mut Engine, now: Instant) -> bool {
        loop {
            let Some(stream) = &self.stream else { return false };
            match rustix::io::read(stream, self.inbox.room()) {
                Ok(0) => return false,
                Ok(count) => self.inbox.filled(count),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
            let mut inbox = std::mem::take(&mut self.inbox);
            let sound = loop {
                match inbox.next_frame() {
                    Ok(Some((header, body))) if self.take(&header, body, engine, now) => {}
                    Ok(None) => break true,
                    _ => break false,
                }
            };
            self.inbox = inbox;
            if !sound {
                return false;
            }
        }
    }

    /// Takes one frame; `false` when it should not have come.
    fn take(&mut self, header: &Frame, body: &[u8], engine: &mut Engine, now: Instant) -> bool {
        let (rows, rest) = body.as_chunks::<64>();
        match (header.kind, self.phase) {
            (frame::WELCOME, Phase::Greeting) if rows.len() == 1 && rest.is_empty() => {
                let is_right = Welcome::decode(&rows[0]).partition == self.partition;
                if is_right {
                    (self.phase, self.rest) = (Phase::Ready, REST);
                }
                is_right
            }
            (frame::UPDATES, Phase::Sent(count)) if rows.len() == count && rest.is_empty() => {
                self.take_answers(rows, engine, now);
                self.phase = Phase::Answered;
                true
            }
            (frame::DURABLE, Phase::Answered) => {
                self.phase = Phase::Ready;
                // Without room in the own log they are sent again, and answered as repeats.
                let acked = engine.partition.border.peer(self.partition).map(|peer| peer.acked);
                if acked.is_some_and(|acked| self.reached > acked) {
                    engine.hand_on(self.partition, self.reached);
                }
                true
            }
            _ => false,
        }
    }

    /// Notes how far the parcels of a frame were taken; the first refusal ends it.
    fn take_answers(&mut self, rows: &[[u8; 64]], engine: &Engine, now: Instant) {
        let taken = |row: &&[u8; 64]| {
            let code = Update::decode(row).code;
            code == Code::Ok as u16 || code == Code::Duplicate as u16
        };
        let count = rows.iter().take_while(taken).count();
        let acked = engine.partition.border.peer(self.partition).map_or(0, |peer| peer.acked);
        self.reached = acked + count as u64;
        if count == rows.len() {
            self.rest = REST;
        } else {
            self.rest_from(now);
        }
    }

    /// Sends the next frames if they are due, and what is left of the last ones.
    fn send(&mut self, engine: &mut Engine, now: Instant) -> bool {
        if self.is_up() && self.is_drained() {
            self.outgoing.clear();
            self.sent = 0;
            // What it acknowledged could not be logged here while a correction is under way.
            if self.phase == Phase::Ready && now >= self.rests_until && !engine.is_fenced() {
                self.pack(engine);
            }
            self.pack_bearings(&mut engine.partition);
        }
        let Some(stream) = &self.stream else { return false };
        while self.sent < self.outgoing.len() {
            match rustix::net::send(
                stream,
                &self.outgoing[self.sent..],
                rustix::net::SendFlags::NOSIGNAL,
            ) {
                Ok(count) => self.sent += count,
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return false,
            }
        }
        true
    }

    /// Makes a frame of the oldest parcels whose causes are durable here.
    fn pack(&mut self, engine: &Engine) {
        let durable = engine.logger.durable();
        let ripe = |parcel: &&[u8; 64]| Arrival::decode(parcel).cause <= durable;
        let parcels = engine.partition.border.parcels(self.partition);
        let mut due = parcels.take_while(ripe).take(WINDOW).peekable();
        if due.peek().is_none() {
            return;
        }
        let at = begin_frame(&mut self.outgoing, frame::CONTROL, 0);
        let mut count = 0;
        for parcel in due {
            self.outgoing.extend_from_slice(parcel);
            count += 1;
        }
        end_frame(&mut self.outgoing, at);
        self.phase = Phase::Sent(count);
    }

    /// Makes a frame of bearings, if any are due.
    fn pack_bearings(&mut self, partition: &mut Partition<'_>) {
        if !partition.has_bearings(self.partition) {
            return;
        }
        let at = begin_frame(&mut self.outgoing, frame::BEARINGS, 0);
        for _ in 0..BEARINGS {
            let Some(bearing) = partition.next_bearing(self.partition) else { break };
            self.outgoing.extend_from_slice(&bearing);
        }
        if self.outgoing.len() == at + Frame::BYTES {
            self.outgoing.truncate(at);
        } else {
            end_frame(&mut self.outgoing, at);
        }
    }
}
