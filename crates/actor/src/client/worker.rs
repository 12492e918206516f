//! The thread of a client: connects, sends, reads, and connects again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use huntgraph_core::schema::{Hello, VERSION, frame};
use rustix::event::{PollFd, PollFlags};

use super::Options;
use super::backoff::Backoff;
use super::event::LinkEvent;
use super::reasons;
use super::shared::{Goal, Shared, State};
use super::stream::{Outbox, Reading};
use crate::failure::Failure;
use crate::frame::put_frame;
use crate::quic::{ClientTls, CloseReason, ConnId, Endpoint, Event, Idle, Settings, StreamId};

/// A connection that lived this long was a good one: the next wait is short again.
const GOOD: Duration = Duration::from_secs(1);

/// Where the thread stands with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing until this time, then a new attempt.
    Waiting(Instant),
    /// A handshake is under way.
    Connecting(ConnId),
    /// HELLO was sent.
    Greeting(ConnId, StreamId),
    /// WELCOME has come.
    Live(ConnId, StreamId),
    /// Done.
    Over,
}

/// Why a connection cannot go on.
pub(super) enum Ending {
    /// Connect again.
    Lost(String),
    /// Give up.
    Failed(Failure),
}

pub(super) struct Worker {
    options: Options,
    shared: Arc<Shared>,
    endpoint: Endpoint,
    tls: ClientTls,
    client_id: u64,
    stage: Stage,
    reading: Reading,
    outbox: Outbox,
    reconnect: Backoff,
    retry: Backoff,
    /// When what was put off is sent again.
    retry_at: Option<Instant>,
    /// Since when there was no connection, or nothing but retries.
    trouble: Option<Instant>,
    welcomed: Instant,
    answered_before: u64,
}

impl Worker {
    pub(super) fn new(options: Options, shared: Arc<Shared>) -> Result<Self, Failure> {
        let tls = options.files.load().map_err(|e| {
            let fix = "name a PEM file that can be read, such as those that serve prints";
            Failure::new("HG1301", format!("{}: {}", e.code, e.reason), e.path.display(), fix)
        })?;
        let settings = Settings {
            connections_max: 4,
            idle_timeout_ms: options.idle_timeout_ms,
            keep_alive_ms: (options.idle_timeout_ms / 4).max(1),
            handshake_timeout_ms: options.handshake_timeout_ms,
            ..Settings::client()
        };
        let any = match options.address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let no_socket = |e| Failure::new("HG1307", e, options.address, "check the network");
        let endpoint = Endpoint::client(SocketAddr::new(any, 0), settings).map_err(no_socket)?;
        let client_id = match options.client_id {
            0 => random_id(&options)?,
            given => given,
        };
        let now = Instant::now();
        Ok(Self {
            endpoint,
            tls,
            client_id,
            stage: Stage::Waiting(now),
            reading: Reading::new(),
            outbox: Outbox::new(),
            reconnect: Backoff::new(client_id),
            retry: Backoff::new(!client_id),
            retry_at: None,
            trouble: Some(now),
            welcomed: now,
            answered_before: 0,
            options,
            shared,
        })
    }

    pub(super) fn run(mut self) {
        let farewell = Farewell(self.shared.clone());
        while self.stage != Stage::Over {
            if let Err(ending) = self.turn(Instant::now()) {
                self.end(ending, Instant::now());
            }
        }
        self.endpoint.transmit(Instant::now());
        drop(farewell);
    }

    fn turn(&mut self, now: Instant) -> Result<(), Ending> {
        self.endpoint
            .poll_receive(now)
            .map_err(|e| Ending::Lost(format!("the socket failed: {e}")))?;
        self.endpoint.handle_timeouts(now);
        while let Some(event) = self.endpoint.next_event() {
            self.take(event, now)?;
        }
        if let Stage::Waiting(until) = self.stage
            && until <= now
        {
            self.connect(now)?;
        }
        self.obey(now)?;
        self.endpoint.transmit(now);
        self.wait()
    }

    fn connect(&mut self, now: Instant) -> Result<(), Ending> {
        self.shared.lock().attempts += 1;
        let (address, name) = (self.options.address, &self.options.server_name);
        let conn = self.endpoint.connect(now, address, name, &self.tls);
        let conn = conn.map_err(|e| match e {
            crate::quic::ConnectError::Full { .. } => Ending::Lost(e.to_string()),
            crate::quic::ConnectError::Rejected(_) => {
                let fix = "give an address with its port, and the name in the actor's certificate";
                Ending::Failed(Failure::new("HG1307", e, address, fix))
            }
        })?;
        self.stage = Stage::Connecting(conn);
        Ok(())
    }

    fn take(&mut self, event: Event, now: Instant) -> Result<(), Ending> {
        match event {
            Event::Opened { conn, .. } if self.stage == Stage::Connecting(conn) => self.greet(conn),
            Event::Readable { conn, stream } if self.is_on(conn) => self.read(conn, stream, now),
            Event::Closed { conn, reason } | Event::Failed { conn, reason } if self.is_on(conn) => {
                Err(self.judge(&reason))
            }
            _ => Ok(()),
        }
    }

    fn is_on(&self, conn: ConnId) -> bool {
        matches!(self.stage, Stage::Connecting(on) | Stage::Greeting(on, _) | Stage::Live(on, _)
            if on == conn)
    }

    fn judge(&self, reason: &CloseReason) -> Ending {
        if let Some(failure) = reasons::tls_failure(reason, &self.options) {
            return Ending::Failed(failure);
        }
        if let CloseReason::Application { code, text } = reason
            && let Some(failure) = reasons::code_failure(*code, text, &self.options)
        {
            return Ending::Failed(failure);
        }
        Ending::Lost(reason.to_string())
    }

    fn greet(&mut self, conn: ConnId) -> Result<(), Ending> {
        let lost = || Ending::Lost("the actor permits no stream".into());
        let stream = self.endpoint.open_stream(conn).ok_or_else(lost)?;
        let hello = Hello {
            version: VERSION,
            partition: self.options.partition,
            world_id: self.options.world_id,
            client: self.client_id,
            ..Hello::default()
        };
        self.outbox.clear();
        self.reading = Reading::new();
        put_frame(&mut self.outbox.bytes, frame::HELLO, 1, 0, &hello.encode());
        self.stage = Stage::Greeting(conn, stream);
        Ok(())
    }

    fn read(&mut self, conn: ConnId, stream: StreamId, now: Instant) -> Result<(), Ending> {
        let shared = self.shared.clone();
        let mut state = shared.lock();
        let outcome =
            self.reading.read(&mut self.endpoint, conn, stream, &mut state, &self.options);
        if self.reading.welcomed && self.stage == Stage::Greeting(conn, stream) {
            self.stage = Stage::Live(conn, stream);
            self.welcomed = now;
            self.trouble = None;
            self.outbox.begin(&mut state, &self.options);
        }
        if state.window.counts.answered != self.answered_before {
            self.answered_before = state.window.counts.answered;
            self.trouble = None;
            self.reconnect.reset();
            if state.window.retry_from.is_none() {
                self.retry.reset();
            }
        }
        shared.tell_caller(&mut state);
        outcome
    }

    /// Does what the caller wants, and writes what there is to send.
    fn obey(&mut self, now: Instant) -> Result<(), Ending> {
        let shared = self.shared.clone();
        let mut state = shared.lock();
        if std::mem::take(&mut state.thread_told) {
            shared.orders.clear();
        }
        let idle = state.window.unsettled() == 0;
        let drained = state.goal == Goal::Drain && idle && self.outbox.may_end();
        if state.goal == Goal::Close || drained {
            if drained {
                let durable = state.window.durable_told();
                state.events.push(LinkEvent::Drained { durable });
            }
            self.part(now);
            self.stage = Stage::Over;
            return Ok(());
        }
        self.retry(&mut state, now);
        self.give_up(&state, now)?;
        match self.stage {
            Stage::Live(conn, stream) => {
                self.outbox.fill(&mut state, self.reading.draining);
                self.outbox.write(&mut self.endpoint, conn, stream)
            }
            Stage::Greeting(conn, stream) => self.outbox.write(&mut self.endpoint, conn, stream),
            _ => Ok(()),
        }
    }

    /// Sends again, after a while, what the actor could not take in.
    fn retry(&mut self, state: &mut State, now: Instant) {
        let window = &mut state.window;
        if window.retry_from.is_none() || window.in_flight > 0 {
            return;
        }
        match self.retry_at {
            None => {
                self.retry_at = Some(now + self.retry.next());
                self.trouble.get_or_insert(now);
            }
            Some(at) if at <= now => {
                self.retry_at = None;
                window.retry();
            }
            Some(_) => {}
        }
    }

    fn give_up_at(&self) -> Option<Instant> {
        let limit = Duration::from_millis(self.options.give_up_ms);
        self.trouble.filter(|_| !limit.is_zero()).map(|since| since + limit)
    }

    fn give_up(&self, state: &State, now: Instant) -> Result<(), Ending> {
        if self.give_up_at().is_none_or(|at| now < at) {
            return Ok(());
        }
        let last = match &self.stage {
            Stage::Live(..) => "the actor takes no moves in",
            _ if state.last_reason.is_empty() => "no answer",
            _ => &state.last_reason,
        };
        Err(Ending::Failed(reasons::gave_up(last, &self.options)))
    }

    /// Closes the connection from this side.
    fn part(&mut self, now: Instant) {
        if let Stage::Connecting(conn) | Stage::Greeting(conn, _) | Stage::Live(conn, _) =
            self.stage
        {
            self.endpoint.close(now, conn, 0, "the client has ended");
        }
    }

    fn end(&mut self, ending: Ending, now: Instant) {
        self.part(now);
        let shared = self.shared.clone();
        let mut state = shared.lock();
        state.window.lost();
        let was_open = std::mem::take(&mut state.connected);
        let all_done = state.goal == Goal::Drain && state.window.unsettled() == 0;
        self.retry_at = None;
        self.outbox.clear();
        match ending {
            Ending::Lost(reason) => {
                if was_open && !all_done {
                    state.events.push(LinkEvent::Lost { reason: reason.clone() });
                    if now.duration_since(self.welcomed) >= GOOD {
                        self.reconnect.reset();
                    }
                }
                state.last_reason = reason;
                self.trouble.get_or_insert(now);
                self.stage = Stage::Waiting(now + self.reconnect.next());
            }
            Ending::Failed(failure) => {
                state.events.push(LinkEvent::Failed(failure.clone()));
                state.failure = Some(failure);
                self.stage = Stage::Over;
            }
        }
        shared.tell_caller(&mut state);
    }

    fn wait(&mut self) -> Result<(), Ending> {
        let mut times = [self.endpoint.next_timeout(), self.retry_at, self.give_up_at(), None];
        match self.stage {
            Stage::Waiting(until) => times[3] = Some(until),
            Stage::Over => return Ok(()),
            _ => {}
        }
        let mut interest = PollFlags::IN;
        interest.set(PollFlags::OUT, self.endpoint.wants_write());
        let orders = self.shared.orders.fd();
        let mut fds = [
            PollFd::from_borrowed_fd(self.endpoint.fd(), interest),
            PollFd::from_borrowed_fd(orders, PollFlags::IN),
        ];
        let deadline = times.into_iter().flatten().min();
        Idle::Block
            .wait(&mut fds, deadline)
            .map(|_| ())
            .map_err(|e| Ending::Lost(format!("waiting failed: {e}")))
    }
}

fn random_id(options: &Options) -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    let source = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&source, &mut bytes).map_err(|_| {
        let fix = "give a client_id";
        Failure::new("HG1307", "the system gives no random numbers", options.address, fix)
    })?;
    Ok(u64::from_le_bytes(bytes).max(1))
}

/// Tells the caller that the thread is done, also when it panics.
struct Farewell(Arc<Shared>);

impl Drop for Farewell {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.ended = true;
        state.connected = false;
        if std::thread::panicking() {
            let failure = Failure::new("HG1309", "the client's thread failed", "", "report this");
            state.events.push(LinkEvent::Failed(failure.clone()));
            state.failure = Some(failure);
        }
        self.0.tell_caller(&mut state);
        self.0.ended.notify_all();
    }
}
