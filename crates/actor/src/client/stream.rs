//! The connection's stream: frames out of it, frames into it.

use huntgraph_core::schema::{FRAME_RECORDS, Frame, Welcome, flag, frame, kind};

use super::Options;
use super::event::LinkEvent;
use super::reasons;
use super::shared::{Goal, State};
use super::worker::Ending;
use crate::frame::{FRAME_BYTES, Inbox, begin_frame, end_frame, put_frame};
use crate::quic::{ConnId, Endpoint, Read, StreamId};

/// Bytes kept for the connection to take; above it no further frame is cut.
const OUTBOX_BYTES: usize = 4 * FRAME_BYTES;
/// Offset of `flags` in an update.
const FLAGS: usize = 1;

/// What comes from the actor.
pub(super) struct Reading {
    inbox: Inbox,
    pub(super) welcomed: bool,
    /// The actor is stopping.
    pub(super) draining: bool,
    /// Records answered on this connection.
    answered: u64,
}

impl Reading {
    pub(super) fn new() -> Self {
        Self { inbox: Inbox::new(), welcomed: false, draining: false, answered: 0 }
    }

    /// Reads all that has come and tells the state what it means.
    pub(super) fn read(
        &mut self,
        endpoint: &mut Endpoint,
        conn: ConnId,
        stream: StreamId,
        state: &mut State,
        options: &Options,
    ) -> Result<(), Ending> {
        loop {
            match endpoint.read(conn, stream, self.inbox.room()) {
                Read::Data(count) => self.inbox.filled(count),
                Read::Blocked => return Ok(()),
                Read::Finished => return Err(Ending::Lost("the actor has let go".into())),
                Read::Reset(code) => {
                    return Err(Ending::Lost(format!("the actor reset the stream: {code}")));
                }
                Read::Closed => return Err(Ending::Lost("the stream is closed".into())),
            }
            let mut inbox = std::mem::take(&mut self.inbox);
            let taken = self.take_frames(&mut inbox, state, options);
            self.inbox = inbox;
            taken?;
        }
    }

    fn take_frames(
        &mut self,
        inbox: &mut Inbox,
        state: &mut State,
        options: &Options,
    ) -> Result<(), Ending> {
        loop {
            match inbox.next_frame() {
                Ok(Some((header, body))) => self.take_frame(&header, body, state, options)?,
                Ok(None) => return Ok(()),
                Err(code) => return Err(Ending::Failed(reasons::fault(code.text(), options))),
            }
        }
    }

    fn take_frame(
        &mut self,
        header: &Frame,
        body: &[u8],
        state: &mut State,
        options: &Options,
    ) -> Result<(), Ending> {
        match header.kind {
            frame::WELCOME if !self.welcomed => self.take_welcome(body, state, options),
            frame::UPDATES if self.welcomed => self
                .take_updates(header, body, state)
                .map_err(|what| Ending::Failed(reasons::fault(what, options))),
            frame::DURABLE if self.welcomed => {
                state.window.tell_durable(header.first);
                Ok(())
            }
            frame::DRAIN if self.welcomed => {
                if !std::mem::replace(&mut self.draining, true) {
                    state.events.push(LinkEvent::Draining);
                }
                Ok(())
            }
            frame::FAILED => {
                let text = String::from_utf8_lossy(body);
                let code = u64::from(header.count);
                Err(match reasons::code_failure(code, &text, options) {
                    Some(failure) => Ending::Failed(failure),
                    None => Ending::Lost(format!("the actor failed with code {code}: {text}")),
                })
            }
            _ => {
                let what = "the actor sent a frame out of turn";
                Err(Ending::Failed(reasons::fault(what, options)))
            }
        }
    }

    fn take_welcome(
        &mut self,
        body: &[u8],
        state: &mut State,
        options: &Options,
    ) -> Result<(), Ending> {
        let short = |_| Ending::Failed(reasons::fault("the actor's WELCOME is malformed", options));
        let welcome = Welcome::decode(body.try_into().map_err(short)?);
        let ready = state.window.welcome(welcome.epoch, welcome.durable);
        ready.map_err(|e| Ending::Failed(reasons::history_lost(e.told, e.has, options)))?;
        self.welcomed = true;
        state.connected = true;
        state.connections += 1;
        let connection = state.connections;
        state.welcome = Some(welcome);
        let welcome = Box::new(welcome);
        state.events.push(LinkEvent::Connected { welcome, connection });
        Ok(())
    }

    fn take_updates(
        &mut self,
        header: &Frame,
        body: &[u8],
        state: &mut State,
    ) -> Result<(), &'static str> {
        let (records, rest) = body.as_chunks::<64>();
        if !rest.is_empty() || records.len() != header.count as usize {
            return Err("the actor's UPDATES frame has another length than it says");
        }
        if header.first != self.answered + 1 {
            return Err("the actor's UPDATES frame is out of order");
        }
        let mut records = records.iter();
        while let Some(update) = records.next() {
            let receipt = if update[FLAGS] & flag::RECEIPT == 0 {
                None
            } else {
                let receipt = records.next().filter(|record| record[0] == kind::RECEIPT);
                Some(receipt.ok_or("the actor left a receipt out")?)
            };
            state.window.answer(update, receipt, &mut state.events)?;
            self.answered += 1;
        }
        state.window.settle();
        Ok(())
    }
}

/// What goes to the actor.
pub(super) struct Outbox {
    pub(super) bytes: Vec<u8>,
    written: usize,
    /// Number of the connection's next record.
    next_record: u64,
    in_flight: u32,
    frame_records: u32,
    asked_to_drain: bool,
    welcomed: bool,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(OUTBOX_BYTES + FRAME_BYTES),
            written: 0,
            next_record: 1,
            in_flight: 0,
            frame_records: 0,
            asked_to_drain: false,
            welcomed: false,
        }
    }

    /// Forgets the connection there was.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.written = 0;
        self.next_record = 1;
        self.asked_to_drain = false;
        self.welcomed = false;
    }

    /// The actor has told its limits.
    pub(super) fn begin(&mut self, state: &mut State, options: &Options) {
        let Some(welcome) = &state.welcome else {
            return;
        };
        self.in_flight = welcome.in_flight.min(options.in_flight).max(1);
        self.frame_records = welcome.frame_records.clamp(1, FRAME_RECORDS as u32);
        self.welcomed = true;
    }

    /// Whether a client that drains may end when nothing is unsettled: at once without a
    /// connection, else after all was written.
    pub(super) fn may_end(&self) -> bool {
        self.written == self.bytes.len()
    }

    /// Cuts frames of all that may be sent now.
    pub(super) fn fill(&mut self, state: &mut State, actor_drains: bool) {
        while !actor_drains && self.bytes.len() < OUTBOX_BYTES {
            let free = self.in_flight.saturating_sub(state.window.in_flight);
            let at = begin_frame(&mut self.bytes, frame::MOVES, self.next_record);
            let limit = free.min(self.frame_records);
            let count = state.window.next_frame(&mut self.bytes, limit);
            if count == 0 {
                self.bytes.truncate(at);
                break;
            }
            end_frame(&mut self.bytes, at);
            self.next_record += u64::from(count);
            state.frames += 1;
        }
        let all_sent =
            state.window.cursor == state.window.next && state.window.retry_from.is_none();
        let wanted = actor_drains || (state.goal == Goal::Drain && all_sent);
        if wanted && state.window.in_flight == 0 && !self.asked_to_drain {
            put_frame(&mut self.bytes, frame::DRAIN, 0, 0, &[]);
            self.asked_to_drain = true;
        }
    }

    /// Hands over what the connection takes.
    pub(super) fn write(
        &mut self,
        endpoint: &mut Endpoint,
        conn: ConnId,
        stream: StreamId,
    ) -> Result<(), Ending> {
        let unsent = &self.bytes[self.written..];
        if unsent.is_empty() {
            return Ok(());
        }
        let count =
            endpoint.write(conn, stream, unsent).map_err(|e| Ending::Lost(e.to_string()))?;
        self.written += count;
        if self.written == self.bytes.len() {
            self.bytes.clear();
            self.written = 0;
        }
        Ok(())
    }
}
