//! One peer's stream of frames: a game server's over QUIC, or the supervisor's over the control
//! socket (`docs/reference/protocol.md`).

use std::time::Instant;

use huntgraph_core::schema::{
    Bearing, Code, FRAME_RECORDS, Frame, Hello, VERSION, Welcome, frame, kind,
};

use super::emit::{allowed_on_control, allowed_on_link};
use super::engine::Engine;
use super::hold::Claim;
use super::standings::put_hunts;
use crate::frame::{FRAME_BYTES, Inbox, begin_frame, end_frame, put_frame};
use crate::page_faults::populate;

/// Room that one frame's answers may need: an update and a receipt a move.
const ANSWER_BYTES: usize = 2 * FRAME_BYTES;
/// Bytes that wait to be sent; above half of it no further frame is taken from the peer.
const OUTBOX_BYTES: usize = 2 * ANSWER_BYTES;
/// Records a client may leave unanswered.
const IN_FLIGHT: u32 = 4 * FRAME_RECORDS as u32;

/// What every session needs to know of the actor.
#[derive(Clone, Copy, Debug)]
pub struct Desk {
    /// Number of the partition.
    pub partition: u16,
    /// Epoch of the log.
    pub epoch: u64,
    /// No new moves are taken.
    pub draining: bool,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A game server with this mark (first bytes of its certificate's SHA-256).
    GameServer(u32),
    /// The supervisor or a neighbour.
    Control,
}

/// Bytes of answers, and of records for the log, that have their memory beforehand: enough for
/// frames of 250 moves.
/// Those of a greater frame get theirs when they are first used, and keep it.
pub(super) const POPULATED_BYTES: usize = 16 << 10;

/// A peer's frames on their way in and out. All memory is made at the start of the program: the
/// session of a peer that has left is begun anew for the next.
pub struct Session {
    /// Bytes that came.
    pub inbox: Inbox,
    /// Bytes to go; those before `sent` are gone.
    outbox: Vec<u8>,
    sent: usize,
    /// Set when the peer must be told and cut off.
    pub failed: Option<Code>,
    /// Frames wait in the inbox for room in the log.
    pub waits: bool,
    /// The peer asked to be let go once all is durable.
    pub wants_drain: bool,
    /// The peer (over the control socket) asked the actor to stop.
    pub wants_stop: bool,
    role: Role,
    greeted: bool,
    next_record: u64,
    last_position: u64,
    durable_told: u64,
    /// Arrivals were answered and their durability was not told yet.
    arrivals_open: bool,
    /// The peer waits to hear that all up to `last_position` is on disk.
    sync_open: bool,
    claim: Claim,
}

impl Session {
    /// So many sessions, to be begun.
    pub fn spare(count: usize) -> Vec<Self> {
        let buffers = || (Inbox::new(), Vec::with_capacity(OUTBOX_BYTES));
        (0..count).map(|_| Self::with_buffers(Role::Control, buffers())).collect()
    }

    /// This session's memory for a new peer, of which it knows nothing yet.
    pub fn begin(self, role: Role) -> Self {
        let (mut inbox, mut outbox) = (self.inbox, self.outbox);
        inbox.clear();
        outbox.clear();
        // The first room is zeroed, and so has its memory.
        inbox.room();
        populate(outbox.as_ptr(), POPULATED_BYTES);
        Self::with_buffers(role, (inbox, outbox))
    }

    fn with_buffers(role: Role, (inbox, outbox): (Inbox, Vec<u8>)) -> Self {
        Self {
            inbox,
            outbox,
            sent: 0,
            failed: None,
            waits: false,
            wants_drain: false,
            wants_stop: false,
            role,
            greeted: role == Role::Control,
            next_record: 1,
            last_position: 0,
            durable_told: 0,
            arrivals_open: false,
            sync_open: false,
            claim: Claim::default(),
        }
    }

    /// Whether another frame could be taken.
    pub fn has_room(&self) -> bool {
        let answers_fit = self.outbox.len() + ANSWER_BYTES <= OUTBOX_BYTES;
        answers_fit && self.failed.is_none() && !self.waits
    }

    /// Takes whole frames from the inbox as long as their answers fit. Returns the frames of moves.
    pub fn take_frames(&mut self, engine: &mut Engine, desk: &Desk, now: Instant) -> u64 {
        let mut frames = 0;
        self.waits = false;
        while self.has_room() {
            if engine.must_wait(self.inbox.next_count()) || self.is_held_back(engine, desk) {
                self.waits = true;
                break;
            }
            let mut inbox = std::mem::take(&mut self.inbox);
            let taken = match inbox.next_frame() {
                Ok(Some((header, body))) => {
                    self.take_frame(&header, body, engine, desk, now).map(Some)
                }
                Ok(None) => Ok(None),
                Err(code) => Err(code),
            };
            self.inbox = inbox;
            match taken {
                Ok(Some(())) => frames += 1,
                Ok(None) => break,
                Err(code) => self.fail(code),
            }
        }
        frames
    }

    /// Whether a game server's next moves wait; an actor that stops refuses them instead.
    fn is_held_back(&self, engine: &Engine, desk: &Desk) -> bool {
        let waits = matches!(self.role, Role::GameServer(_)) && !desk.draining;
        waits && engine.is_stopped() && self.inbox.next_is(frame::MOVES)
    }

    /// The peer is gone: what it held goes on.
    pub fn let_go(&mut self, engine: &mut Engine) {
        self.claim.let_go(engine);
    }

    /// Tells the peer why it is cut off.
    pub fn fail(&mut self, code: Code) {
        put_frame(&mut self.outbox, frame::FAILED, code as u16, 0, code.text().as_bytes());
        self.failed = Some(code);
    }

    fn take_frame(
        &mut self,
        header: &Frame,
        body: &mut [u8],
        engine: &mut Engine,
        desk: &Desk,
        now: Instant,
    ) -> Result<(), Code> {
        match (header.kind, self.role) {
            (frame::HELLO, Role::GameServer(_)) if !self.greeted => self.greet(body, engine, desk),
            (frame::MOVES, Role::GameServer(_)) | (frame::CONTROL, Role::Control)
                if self.greeted =>
            {
                self.take_moves(header, body, engine, desk, now)
            }
            (frame::BEARINGS, Role::Control) => take_bearings(header, body, engine),
            (frame::HUNTS, Role::Control) if body.is_empty() => {
                put_hunts(&engine.partition, &mut self.outbox);
                Ok(())
            }
            (frame::STATUS | frame::HOLD | frame::RELEASE | frame::DROP, Role::Control) => {
                self.steer(header, engine);
                self.welcome(engine, desk);
                Ok(())
            }
            (frame::READY | frame::SYNC, Role::Control) => {
                self.sync(header.kind == frame::READY, engine);
                Ok(())
            }
            (frame::DRAIN, Role::GameServer(_)) if self.greeted => {
                self.wants_drain = true;
                Ok(())
            }
            (frame::DRAIN, Role::Control) => {
                self.wants_stop = true;
                Ok(())
            }
            (frame::FAILED, _) => {
                self.failed = Some(Code::BadFrame);
                Ok(())
            }
            _ => Err(Code::BadFrame),
        }
    }

    /// What a control session asks for that WELCOME answers.
    fn steer(&mut self, header: &Frame, engine: &mut Engine) {
        match header.kind {
            frame::HOLD | frame::RELEASE => {
                self.claim.hold(header.kind == frame::HOLD, engine);
            }
            frame::DROP => engine.logger.drop_through(header.first),
            _ => {}
        }
        // Where it stands is told: a SYNC behind it is about that too.
        self.last_position = engine.partition.header.position;
    }

    /// The supervisor wants to hear what is on disk: what it was answered or, to be `ready`, all.
    fn sync(&mut self, ready: bool, engine: &mut Engine) {
        if ready {
            self.last_position = self.claim.be_ready(engine);
        }
        self.sync_open = true;
    }

    fn greet(&mut self, body: &[u8], engine: &Engine, desk: &Desk) -> Result<(), Code> {
        let hello = Hello::decode(body.try_into().map_err(|_| Code::BadFrame)?);
        if hello.version != VERSION {
            return Err(Code::BadVersion);
        }
        if hello.partition != desk.partition {
            return Err(Code::WrongPartition);
        }
        let world_id = engine.partition.header.world_id;
        if hello.world_id != 0 && hello.world_id != world_id {
            return Err(Code::WrongWorld);
        }
        self.greeted = true;
        self.welcome(engine, desk);
        Ok(())
    }

    fn welcome(&mut self, engine: &Engine, desk: &Desk) {
        let header = &engine.partition.header;
        let flags = [engine.is_held(), engine.is_fenced(), header.own_nodes < header.nodes];
        let welcome = Welcome {
            version: VERSION,
            flags: (0..).zip(flags).map(|(bit, is_set)| (is_set as u16) << bit).sum(),
            partition: desk.partition,
            parcels: engine.partition.border.waiting() as u16,
            world_id: header.world_id,
            position: header.position,
            durable: engine.logger.durable(),
            epoch: desk.epoch,
            tick: header.tick,
            frame_records: FRAME_RECORDS as u32,
            in_flight: IN_FLIGHT,
            nodes: header.nodes,
            state_hash: engine.partition.state_hash(),
        };
        put_frame(&mut self.outbox, frame::WELCOME, 1, 0, &welcome.encode());
    }

    fn take_moves(
        &mut self,
        header: &Frame,
        body: &mut [u8],
        engine: &mut Engine,
        desk: &Desk,
        now: Instant,
    ) -> Result<(), Code> {
        let (records, rest) = body.as_chunks_mut::<64>();
        if !rest.is_empty() || records.len() != header.count as usize {
            return Err(Code::BadFrame);
        }
        if header.first != self.next_record && self.role != Role::Control {
            return Err(Code::BadSequence);
        }
        self.check_kinds(records)?;
        let parcel = |record: &[u8; 64]| matches!(record[0], kind::ARRIVE | kind::NOTICE);
        self.arrivals_open |= records.iter().any(parcel);
        self.next_record += records.len() as u64;
        let at = begin_frame(&mut self.outbox, frame::UPDATES, header.first);
        if desk.draining {
            engine.refuse(records, Code::Draining, &mut self.outbox);
        } else {
            let before = engine.partition.header.correction;
            engine.apply(records, &mut self.outbox, now);
            if before == 0 {
                self.claim.fenced = engine.partition.header.correction;
            }
            self.last_position = engine.partition.header.position;
        }
        end_frame(&mut self.outbox, at);
        Ok(())
    }

    /// Refuses kinds that this role may not send, before any is applied; marks whose moves they
    /// are.
    fn check_kinds(&self, records: &mut [[u8; 64]]) -> Result<(), Code> {
        let Role::GameServer(mark) = self.role else {
            let allowed = records.iter().all(|record| allowed_on_control(record[0]));
            return if allowed { Ok(()) } else { Err(Code::NotAllowed) };
        };
        if !records.iter().all(|record| allowed_on_link(record[0])) {
            return Err(Code::NotAllowed);
        }
        for record in records {
            record[28..32].copy_from_slice(&mark.to_le_bytes());
        }
        Ok(())
    }

    /// Tells how far all is durable, when that is news for this peer.
    pub fn tell_durable(&mut self, durable: u64) {
        let news = self.durable_told < self.last_position && durable > self.durable_told;
        let fits = self.outbox.capacity() - self.outbox.len() >= 2 * Frame::BYTES;
        if self.greeted && self.role != Role::Control && news && fits && self.failed.is_none() {
            put_frame(&mut self.outbox, frame::DURABLE, 0, durable, &[]);
            self.durable_told = durable;
        }
    }

    /// Tells a neighbour once all that it was answered is on disk.
    pub fn tell_arrived(&mut self, durable: u64) {
        let fits = self.outbox.capacity() - self.outbox.len() >= 2 * Frame::BYTES;
        if self.arrivals_open && fits && self.is_settled(durable) {
            put_frame(&mut self.outbox, frame::DURABLE, 0, durable, &[]);
            self.arrivals_open = false;
        }
    }

    /// Answers SYNC and READY once all that they are about is on disk.
    pub fn tell_synced(&mut self, engine: &Engine, desk: &Desk) {
        let fits = self.outbox.capacity() - self.outbox.len() >= Frame::BYTES + Welcome::BYTES;
        if self.sync_open && fits && self.is_settled(engine.logger.durable()) {
            self.welcome(engine, desk);
            self.sync_open = false;
        }
    }

    /// The last frame of a drained peer: everything up to here is on disk.
    pub fn tell_drained(&mut self, durable: u64) {
        put_frame(&mut self.outbox, frame::DURABLE, 0, durable, &[]);
        self.durable_told = durable;
    }

    /// Tells a game server that the actor is stopping.
    pub fn tell_drain(&mut self) {
        if self.greeted && self.failed.is_none() {
            put_frame(&mut self.outbox, frame::DRAIN, 0, 0, &[]);
        }
    }

    /// Whether everything the peer sent and was answered is on disk.
    pub fn is_settled(&self, durable: u64) -> bool {
        durable >= self.last_position
    }

    /// Bytes waiting to be sent.
    pub fn unsent(&self) -> &[u8] {
        &self.outbox[self.sent..]
    }

    /// Forgets what waits to be sent: nobody will read it.
    pub fn drop_unsent(&mut self) {
        self.outbox.clear();
        self.sent = 0;
    }

    /// `count` bytes were taken by the peer's socket.
    pub fn was_sent(&mut self, count: usize) {
        self.sent += count;
        if self.sent == self.outbox.len() {
            self.drop_unsent();
        } else if self.sent > ANSWER_BYTES {
            self.outbox.drain(..self.sent);
            self.sent = 0;
        }
    }
}

/// What a neighbour tells of the way to far targets; not answered.
fn take_bearings(header: &Frame, body: &[u8], engine: &mut Engine) -> Result<(), Code> {
    let (records, rest) = body.as_chunks::<{ Bearing::BYTES }>();
    if !rest.is_empty() || records.len() != header.count as usize {
        return Err(Code::BadFrame);
    }
    records.iter().try_for_each(|record| engine.partition.take_bearing(record))
}
