//! A server and a client on one thread, joined by loopback sockets, on a clock of their own.
//!
//! Their clock stands still while there is work and goes on while both sleep: however slowly the
//! machine runs the test, or stops it, no timer of QUIC runs out for that. A test that is about a
//! timer sets the clock forward.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use huntgraph_actor::quic::{
    ClientTls, CloseReason, ConnId, Endpoint, Event, Idle, Read, ServerTls, Settings, StreamId,
};
use rustix::event::{PollFd, PollFlags};

use crate::certificates::SERVER_NAME;

/// After this long without the awaited thing a test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Both ends and the events they have told but no test has looked at.
pub struct Pair {
    pub server: Endpoint,
    pub client: Endpoint,
    pub server_events: Vec<Event>,
    pub client_events: Vec<Event>,
    /// The time that both ends are told.
    pub now: Instant,
    idle: bool,
}

pub fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().expect("a literal address")
}

impl Pair {
    pub fn new(tls: &ServerTls, server: Settings, client: Settings) -> Self {
        Self {
            server: Endpoint::server(any_port(), tls, server).expect("server socket"),
            client: Endpoint::client(any_port(), client).expect("client socket"),
            server_events: Vec::new(),
            client_events: Vec::new(),
            now: Instant::now(),
            idle: false,
        }
    }

    pub fn server_addr(&self) -> SocketAddr {
        self.server.local_addr().expect("server address")
    }

    /// Drives both ends once and notes their events; sleeps first when there was no work last time.
    pub fn step(&mut self) {
        self.client.transmit(self.now);
        self.server.transmit(self.now);
        if self.idle {
            self.sleep();
        }
        self.turn();
    }

    /// Drives both ends once without sleeping.
    pub fn turn(&mut self) {
        let at_client = step(&mut self.client, &mut self.client_events, self.now);
        let at_server = step(&mut self.server, &mut self.server_events, self.now);
        self.idle = at_client + at_server == 0;
    }

    /// Sleeps until an end has a datagram or a timer that is due, at most a second.
    fn sleep(&mut self) {
        let ends = [&self.client, &self.server];
        let far = self.now + Duration::from_secs(1);
        let due = ends.iter().filter_map(|end| end.next_timeout()).fold(far, Instant::min);
        let mut fds = ends.map(|end| PollFd::from_borrowed_fd(end.fd(), PollFlags::IN));
        let rest = due.saturating_duration_since(self.now);
        if Idle::Block.wait(&mut fds, Some(Instant::now() + rest)).expect("ppoll") == 0 {
            self.now = self.now.max(due);
        }
    }

    /// Steps until `done` gives something.
    pub fn until<T>(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(result) = done(self) {
                return result;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "no {what}; client told {:?}, server told {:?}",
                self.client_events,
                self.server_events
            );
            self.step();
        }
    }

    pub fn begin(&mut self, tls: &ClientTls) -> ConnId {
        let address = self.server_addr();
        self.client.connect(self.now, address, SERVER_NAME, tls).expect("a free slot")
    }

    /// Connects and waits until both ends are open.
    pub fn open(&mut self, tls: &ClientTls) -> Opened {
        let conn = self.begin(tls);
        let client = self.until("opening at the client", |pair| {
            take(&mut pair.client_events, |event| opened(event).filter(|it| it.conn == conn))
        });
        let server =
            self.until("opening at the server", |pair| take(&mut pair.server_events, opened));
        Opened { client, server }
    }

    /// Waits for the end of a connection at the client.
    pub fn client_end(&mut self, conn: ConnId) -> CloseReason {
        self.until("end at the client", |pair| {
            take(&mut pair.client_events, |event| end(event, conn))
        })
    }

    /// Waits for the end of a connection at the server.
    pub fn server_end(&mut self, conn: ConnId) -> CloseReason {
        self.until("end at the server", |pair| {
            take(&mut pair.server_events, |event| end(event, conn))
        })
    }

    /// Waits for a failed handshake at the server.
    pub fn server_failure(&mut self) -> CloseReason {
        self.until("failure at the server", |pair| {
            take(&mut pair.server_events, |event| match event {
                Event::Failed { reason, .. } => Some(reason.clone()),
                _ => None,
            })
        })
    }

    /// Waits for the next stream of `conn` that the server can read.
    pub fn server_stream(&mut self, conn: ConnId) -> StreamId {
        self.until("stream at the server", |pair| {
            take(&mut pair.server_events, |event| match event {
                Event::Readable { conn: at, stream } if *at == conn => Some(*stream),
                _ => None,
            })
        })
    }
}

/// What the two ends say of one opened connection.
pub struct Opened {
    pub client: OpenedEnd,
    pub server: OpenedEnd,
}

#[derive(Clone, Copy)]
pub struct OpenedEnd {
    pub conn: ConnId,
    pub peer: Option<[u8; 32]>,
    pub resumed: bool,
}

fn opened(event: &Event) -> Option<OpenedEnd> {
    match event {
        Event::Opened { conn, peer_certificate_sha256, resumed } => {
            Some(OpenedEnd { conn: *conn, peer: *peer_certificate_sha256, resumed: *resumed })
        }
        _ => None,
    }
}

fn end(event: &Event, of: ConnId) -> Option<CloseReason> {
    match event {
        Event::Closed { conn, reason } | Event::Failed { conn, reason } if *conn == of => {
            Some(reason.clone())
        }
        _ => None,
    }
}

/// Takes the first event out of `events` for which `pick` gives something.
pub fn take<T>(events: &mut Vec<Event>, mut pick: impl FnMut(&Event) -> Option<T>) -> Option<T> {
    let (index, found) =
        events.iter().enumerate().find_map(|(index, event)| Some((index, pick(event)?)))?;
    events.remove(index);
    Some(found)
}

/// One turn of an endpoint's loop; returns the datagrams and events there were.
fn step(endpoint: &mut Endpoint, events: &mut Vec<Event>, now: Instant) -> usize {
    let mut work = endpoint.poll_receive(now).expect("a readable socket");
    endpoint.handle_timeouts(now);
    while let Some(event) = endpoint.next_event() {
        events.push(event);
        work += 1;
    }
    endpoint.transmit(now);
    work
}

/// Sends back what it reads, and keeps what the peer does not take yet.
#[derive(Default)]
pub struct Echo {
    kept: HashMap<(ConnId, StreamId), Vec<u8>>,
}

impl Echo {
    /// Handles all of the server's events so far; finishes a stream that the client finished.
    pub fn serve(&mut self, pair: &mut Pair) {
        for event in std::mem::take(&mut pair.server_events) {
            match event {
                Event::Readable { conn, stream } | Event::Writable { conn, stream } => {
                    self.echo(&mut pair.server, conn, stream);
                }
                _ => {}
            }
        }
        pair.server.transmit(pair.now);
    }

    fn echo(&mut self, server: &mut Endpoint, conn: ConnId, stream: StreamId) {
        let kept = self.kept.entry((conn, stream)).or_default();
        let end = read_all(server, conn, stream, kept);
        let taken = server.write(conn, stream, kept).expect("an open stream");
        kept.drain(..taken);
        if end == Read::Finished {
            assert!(kept.is_empty(), "the test finishes only small streams");
            server.finish(conn, stream);
        }
    }
}

/// Appends all there is to read to `bytes`; returns what ended the reading.
pub fn read_all(
    endpoint: &mut Endpoint,
    conn: ConnId,
    stream: StreamId,
    bytes: &mut Vec<u8>,
) -> Read {
    let mut buffer = [0; 10_000];
    loop {
        match endpoint.read(conn, stream, &mut buffer) {
            Read::Data(count) => bytes.extend_from_slice(&buffer[..count]),
            other => return other,
        }
    }
}

/// The SplitMix64 generator (Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: u64) -> usize {
        (self.next() % limit) as usize
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}
