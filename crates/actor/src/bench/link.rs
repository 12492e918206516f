//! A game server's end of a link: frames out, answers in, no waiting.

use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use huntgraph_core::schema::{Code, Frame, Hello, Update, VERSION, frame};

use super::{Identity, failure};
use crate::failure::Failure;
use crate::frame::{FRAME_BYTES, Inbox, put_frame};
use crate::log::RawRecord;
use crate::quic::{ConnId, Endpoint, Event, Read, Settings, StreamId};

/// The name in the actor's certificate.
const SERVER_NAME: &str = "localhost";
/// How long an actor may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the actor said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Answers to one frame of moves: how many were refused, and the last position.
    Updates {
        /// Answers with another code than OK.
        refused: u32,
        /// The last code other than OK.
        code: u16,
        /// Position of the last move.
        position: u64,
    },
    /// All is on disk up to this position.
    Durable(u64),
    /// The greeting was answered.
    Welcome,
}

/// A connection to an actor, greeted.
pub struct Link {
    endpoint: Endpoint,
    address: SocketAddr,
    conn: ConnId,
    stream: Option<StreamId>,
    inbox: Inbox,
    outbox: Vec<u8>,
    sent: usize,
    next_record: u64,
}

impl Link {
    /// Connects and greets; `meanwhile` lets the other end work.
    pub fn open(
        address: SocketAddr,
        identity: &Identity,
        meanwhile: &mut dyn FnMut() -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        let tls = identity.as_client().load().map_err(|e| failure(&e, e.path.display()))?;
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut endpoint =
            Endpoint::client(any_port, Settings::client()).map_err(|e| failure(e, any_port))?;
        let conn = endpoint
            .connect(Instant::now(), address, SERVER_NAME, &tls)
            .map_err(|e| failure(e, address))?;
        let mut link = Self {
            endpoint,
            address,
            conn,
            stream: None,
            inbox: Inbox::new(),
            outbox: Vec::with_capacity(4 * FRAME_BYTES),
            sent: 0,
            next_record: 1,
        };
        let patience = Instant::now() + PATIENCE;
        while link.next()? != Some(Reply::Welcome) {
            meanwhile()?;
            link.turn()?;
            if Instant::now() > patience {
                return Err(failure("the actor does not answer", address));
            }
        }
        Ok(link)
    }

    /// Receives, repeats what was lost, sends.
    pub fn turn(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        self.endpoint.poll_receive(now).map_err(|e| failure(e, self.address))?;
        self.endpoint.handle_timeouts(now);
        while let Some(event) = self.endpoint.next_event() {
            match event {
                Event::Opened { .. } => self.greet()?,
                Event::Closed { reason, .. } | Event::Failed { reason, .. } => {
                    return Err(failure(reason, self.address));
                }
                Event::Readable { .. } | Event::Writable { .. } | Event::Refused { .. } => {}
            }
        }
        self.flush(now)
    }

    fn greet(&mut self) -> Result<(), Failure> {
        self.stream = self.endpoint.open_stream(self.conn);
        let hello = Hello { version: VERSION, client: 1, ..Hello::default() };
        put_frame(&mut self.outbox, frame::HELLO, 1, 0, &hello.encode());
        Ok(())
    }

    /// Sends a frame of moves; its number of bytes.
    pub fn send(&mut self, moves: &[RawRecord]) -> Result<usize, Failure> {
        let count = moves.len() as u16;
        put_frame(&mut self.outbox, frame::MOVES, count, self.next_record, moves.as_flattened());
        self.next_record += moves.len() as u64;
        self.flush(Instant::now())?;
        Ok(Frame::BYTES + size_of_val(moves))
    }

    fn flush(&mut self, now: Instant) -> Result<(), Failure> {
        let unsent = &self.outbox[self.sent..];
        if let (Some(stream), false) = (self.stream, unsent.is_empty()) {
            let taken = self.endpoint.write(self.conn, stream, unsent);
            self.sent += taken.map_err(|e| failure(e, self.address))?;
            if self.sent == self.outbox.len() {
                self.outbox.clear();
                self.sent = 0;
            }
        }
        self.endpoint.transmit(now);
        Ok(())
    }

    /// The next thing the actor said, if all of it has come.
    pub fn next(&mut self) -> Result<Option<Reply>, Failure> {
        loop {
            if let Some((header, body)) =
                self.inbox.next_frame().map_err(|code| failure(code.text(), self.address))?
            {
                return reply(&header, body).map(Some).map_err(|what| failure(what, self.address));
            }
            let Some(stream) = self.stream else {
                return Ok(None);
            };
            match self.endpoint.read(self.conn, stream, self.inbox.room()) {
                Read::Data(count) => self.inbox.filled(count),
                Read::Blocked => return Ok(None),
                Read::Finished | Read::Reset(_) | Read::Closed => {
                    return Err(failure("the actor ended the stream", self.address));
                }
            }
        }
    }

    /// Waits, spinning, for the answers to the frame sent last.
    pub fn await_updates(
        &mut self,
        meanwhile: &mut dyn FnMut() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        loop {
            meanwhile()?;
            self.turn()?;
            while let Some(reply) = self.next()? {
                if let Reply::Updates { refused, code, .. } = reply {
                    return none_refused(refused, code, self.address);
                }
            }
        }
    }

    /// Leaves.
    pub fn close(mut self) {
        let now = Instant::now();
        self.endpoint.close(now, self.conn, 0, "measured");
        self.endpoint.transmit(now);
    }

    /// The socket, to wait for.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.endpoint.fd()
    }

    /// When [`Self::turn`] must be called next.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.endpoint.next_timeout()
    }
}

/// An error if any move was refused.
pub fn none_refused(refused: u32, code: u16, address: SocketAddr) -> Result<(), Failure> {
    if refused == 0 {
        return Ok(());
    }
    Err(failure(format!("{refused} moves of a frame were refused, with code {code}"), address))
}

fn reply(header: &Frame, body: &[u8]) -> Result<Reply, String> {
    match header.kind {
        frame::WELCOME => Ok(Reply::Welcome),
        frame::DURABLE => Ok(Reply::Durable(header.first)),
        frame::UPDATES => {
            let (answers, _) = body.as_chunks::<64>();
            let (mut refused, mut code, mut position) = (0, Code::Ok as u16, 0);
            for answer in answers {
                let answer = Update::decode(answer);
                if answer.code != Code::Ok as u16 {
                    (refused, code) = (refused + 1, answer.code);
                }
                position = answer.position;
            }
            Ok(Reply::Updates { refused, code, position })
        }
        kind => {
            Err(format!("the actor sent a frame of kind {kind}: {}", String::from_utf8_lossy(body)))
        }
    }
}
