//! An actor that does what the test says, and a client with what it has given out.

use std::time::{Duration, Instant};

use huntgraph_actor::client::{Client, LinkEvent, Options, Taken};
use huntgraph_actor::frame::{Inbox, begin_frame, end_frame, put_frame};
use huntgraph_actor::quic::{ConnId, Endpoint, Event, Idle, Read, Settings, StreamId};
use huntgraph_core::schema::{Frame, Hello, Move, Receipt, Update, Welcome, flag, frame, kind};
use rustix::event::{PollFd, PollFlags};

use crate::certificates::{Authority, SERVER_NAME};

/// After this long without the awaited thing a test has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A time that no test waits for: what runs out then shows something else than what is tested.
pub const NEVER_MS: u32 = 600_000;

/// The scripted actor.
pub struct Script {
    pub endpoint: Endpoint,
    pub authority: Authority,
    link: Option<(ConnId, StreamId)>,
    inbox: Inbox,
    /// The client's id of the last HELLO.
    pub client: u64,
}

/// A client and all that it has handed out.
pub struct Caller {
    pub client: Client,
    pub updates: Vec<Update>,
    pub receipts: Vec<Receipt>,
    pub durable: u64,
    pub events: Vec<LinkEvent>,
}

impl Script {
    pub fn new() -> Self {
        let authority = Authority::new();
        let any = "127.0.0.1:0".parse().expect("a literal address");
        let endpoint = Endpoint::server(any, &authority.server(), Settings::server());
        Self {
            endpoint: endpoint.expect("a socket"),
            authority,
            link: None,
            inbox: Inbox::new(),
            client: 0,
        }
    }

    /// Options of a client that finds this actor, however slowly the machine runs them both.
    pub fn options(&self) -> Options {
        let address = self.endpoint.local_addr().expect("an address");
        Options {
            capacity: 4_096,
            client_id: 77,
            idle_timeout_ms: NEVER_MS,
            handshake_timeout_ms: NEVER_MS,
            ..Options::new(address, SERVER_NAME, self.authority.client_files())
        }
    }

    /// The next frame of the newest connection.
    pub fn frame(&mut self) -> (Frame, Vec<u8>) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some((header, body)) = self.inbox.next_frame().expect("a sound frame") {
                return (header, body.to_vec());
            }
            assert!(Instant::now() < until, "no frame from the client");
            self.turn();
        }
    }

    /// Whether no frame comes for a while.
    pub fn is_quiet(&mut self, quiet_ms: u64) -> bool {
        let until = Instant::now() + Duration::from_millis(quiet_ms);
        while Instant::now() < until {
            if self.inbox.next_frame().expect("a sound frame").is_some() {
                return false;
            }
            self.turn();
        }
        true
    }

    /// Drives the endpoint once; waits a little for work.
    pub fn turn(&mut self) {
        let now = Instant::now();
        self.endpoint.transmit(now);
        let mut fds = [PollFd::from_borrowed_fd(self.endpoint.fd(), PollFlags::IN)];
        let a_little = Some(now + Duration::from_millis(2));
        Idle::Block.wait(&mut fds, a_little).expect("a descriptor");
        let now = Instant::now();
        self.endpoint.poll_receive(now).expect("a socket");
        self.endpoint.handle_timeouts(now);
        while let Some(event) = self.endpoint.next_event() {
            if let Event::Readable { conn, stream } = event {
                self.read(conn, stream);
            }
        }
        // The inbox holds one frame of the greatest size: bytes may wait behind it.
        if let Some((conn, stream)) = self.link {
            self.read(conn, stream);
        }
        self.endpoint.transmit(now);
    }

    fn read(&mut self, conn: ConnId, stream: StreamId) {
        if self.link.is_none_or(|link| link != (conn, stream)) {
            self.link = Some((conn, stream));
            self.inbox = Inbox::new();
        }
        while let Read::Data(count) = self.endpoint.read(conn, stream, self.inbox.room()) {
            self.inbox.filled(count);
        }
    }

    /// Takes HELLO and answers with this epoch and durable position.
    pub fn welcome(&mut self, epoch: u64, durable: u64) {
        let (header, body) = self.frame();
        assert_eq!(header.kind, frame::HELLO);
        self.greet(&body, epoch, durable);
    }

    /// Answers HELLO with this epoch and durable position.
    fn greet(&mut self, hello: &[u8], epoch: u64, durable: u64) {
        let hello = Hello::decode(hello.try_into().expect("one record"));
        self.client = hello.client;
        let welcome = Welcome {
            version: 1,
            epoch,
            durable,
            position: durable,
            frame_records: 1_024,
            in_flight: 4_096,
            ..Welcome::default()
        };
        self.say(frame::WELCOME, 1, 0, &welcome.encode());
    }

    /// The next frame, which must be MOVES: number of its first record, and the moves.
    pub fn moves(&mut self) -> (u64, Vec<Move>) {
        let (header, body) = self.frame();
        assert_eq!(header.kind, frame::MOVES, "{header:?}");
        let (records, rest) = body.as_chunks::<64>();
        assert_eq!((rest.len(), records.len()), (0, header.count as usize));
        (header.first, records.iter().map(Move::decode).collect())
    }

    /// Lets the client in and refuses all moves that come within a few milliseconds, if any.
    pub fn refuse_if_any(&mut self, code: u16) -> usize {
        self.turn();
        let Some((header, body)) = self.inbox.next_frame().expect("a sound frame") else {
            return 0;
        };
        let body = body.to_vec();
        if header.kind == frame::HELLO {
            self.greet(&body, 1, 0);
            return 0;
        }
        assert_eq!(header.kind, frame::MOVES, "{header:?}");
        let records = body.as_chunks::<64>().0.iter().map(Move::decode);
        let answers: Vec<_> = records.map(|record| refused(&record, code)).collect();
        self.answer(header.first, &answers);
        answers.len()
    }

    /// Takes frames until this many moves have come; the connection's numbers must have no gap.
    pub fn take_moves(&mut self, first: u64, count: usize) -> Vec<Move> {
        let mut taken = Vec::new();
        while taken.len() < count {
            let (at, moves) = self.moves();
            assert_eq!(at, first + taken.len() as u64);
            taken.extend(moves);
        }
        assert_eq!(taken.len(), count);
        taken
    }

    pub fn say(&mut self, kind: u16, count: u16, first: u64, body: &[u8]) {
        let mut bytes = Vec::new();
        put_frame(&mut bytes, kind, count, first, body);
        self.write(&bytes);
    }

    /// One UPDATES frame; the receipt of a claim follows its update.
    pub fn answer(&mut self, first: u64, answers: &[Update]) {
        let mut bytes = Vec::new();
        let at = begin_frame(&mut bytes, frame::UPDATES, first);
        for update in answers {
            bytes.extend_from_slice(&update.encode());
            if update.flags & flag::RECEIPT != 0 {
                bytes.extend_from_slice(&receipt(update).encode());
            }
        }
        end_frame(&mut bytes, at);
        self.write(&bytes);
    }

    pub fn durable(&mut self, position: u64) {
        self.say(frame::DURABLE, 0, position, &[]);
    }

    fn write(&mut self, bytes: &[u8]) {
        let (conn, stream) = self.link.expect("a connection");
        let taken = self.endpoint.write(conn, stream, bytes).expect("an open stream");
        assert_eq!(taken, bytes.len());
        self.turn();
    }

    /// Finishes the stream, as an actor does that lets a drained client go.
    pub fn finish(&mut self) {
        let (conn, stream) = self.link.take().expect("a connection");
        self.endpoint.finish(conn, stream);
        self.turn();
    }

    /// Closes the connection; what the client sent and was not read is gone.
    pub fn cut(&mut self, code: u32) {
        let (conn, _) = self.link.take().expect("a connection");
        self.endpoint.close(Instant::now(), conn, code, "cut");
        self.inbox = Inbox::new();
        self.turn();
    }
}

/// The receipt that the script gives for a claim.
pub fn receipt(update: &Update) -> Receipt {
    Receipt {
        kind: kind::RECEIPT,
        stage: update.found,
        player: update.player,
        position: update.position,
        serial: update.position * 10,
        ..Receipt::default()
    }
}

/// A GO of a player; `echo` tells it apart.
pub fn go(player: u64, seq: u32) -> Move {
    Move { kind: kind::GO, player, seq, echo: player << 32 | u64::from(seq), ..Move::default() }
}

/// A move done at a position.
pub fn done(record: &Move, position: u64) -> Update {
    Update {
        kind: record.kind,
        player: record.player,
        seq: record.seq,
        echo: record.echo,
        position,
        ..Update::default()
    }
}

/// A move answered again.
pub fn again(record: &Move, position: u64) -> Update {
    Update {
        flags: flag::DUPLICATE,
        code: if position == 0 { 18 } else { 0 },
        ..done(record, position)
    }
}

/// A move answered with a code and no position.
pub fn refused(record: &Move, code: u16) -> Update {
    Update { code, ..done(record, 0) }
}

impl Caller {
    pub fn new(options: Options) -> Self {
        Self {
            client: Client::start(options).expect("sound options"),
            updates: Vec::new(),
            receipts: Vec::new(),
            durable: 0,
            events: Vec::new(),
        }
    }

    pub fn send(&self, moves: &[Move]) -> (u64, usize) {
        let records: Vec<[u8; 64]> = moves.iter().map(Move::encode).collect();
        let sent = self.client.send(&records).expect("an open link");
        (sent.first, sent.accepted)
    }

    /// Takes what there is.
    pub fn take(&mut self) {
        let mut taken = Taken::default();
        self.client.take(&mut taken);
        let (updates, _) = taken.updates.as_chunks::<64>();
        self.updates.extend(updates.iter().map(Update::decode));
        let (receipts, _) = taken.receipts.as_chunks::<64>();
        self.receipts.extend(receipts.iter().map(Receipt::decode));
        assert!(taken.durable >= self.durable, "the durable position went back");
        self.durable = taken.durable;
        self.events.append(&mut taken.events);
    }

    /// Takes until `done`; drives the script meanwhile.
    pub fn until(&mut self, script: &mut Script, what: &str, done: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            self.take();
            if done(self) {
                return;
            }
            assert!(Instant::now() < until, "no {what}; told {:?}", self.events);
            script.turn();
        }
    }

    /// Waits until this many updates were handed out in all; gives their echoes.
    pub fn echoes(&mut self, script: &mut Script, count: usize) -> Vec<u64> {
        self.until(script, "updates", |caller| caller.updates.len() >= count);
        self.updates.iter().map(|update| update.echo).collect()
    }

    /// Waits for the failure by which the client ended: its code.
    pub fn failure(&mut self, script: &mut Script) -> &'static str {
        self.until(script, "failure", |caller| caller.failed().is_some());
        self.failed().expect("just seen")
    }

    fn failed(&self) -> Option<&'static str> {
        self.events.iter().find_map(|event| match event {
            LinkEvent::Failed(failure) => Some(failure.code),
            _ => None,
        })
    }

    pub fn has_lost(&self) -> bool {
        self.events.iter().any(|event| matches!(event, LinkEvent::Lost { .. }))
    }
}

/// A script and a caller whose connection was welcomed in epoch 1.
pub fn linked() -> (Script, Caller) {
    let mut script = Script::new();
    let caller = Caller::new(script.options());
    script.welcome(1, 0);
    (script, caller)
}
