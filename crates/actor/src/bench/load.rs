//! A load on an actor's process, from a thread of this one.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use huntgraph_core::schema::FRAME_RECORDS;
use rustix::event::{PollFd, PollFlags};

use super::crowd::Crowd;
use super::link::{Link, Reply, none_refused};
use super::{Identity, Report, Scene, Watch, failure, nanoseconds};
use crate::failure::Failure;
use crate::log::RawRecord;
use crate::quic::Idle;

/// Records that an actor lets a client leave unanswered.
const IN_FLIGHT_RECORDS: usize = 4 * FRAME_RECORDS;
/// Records that may be applied and not durable: fewer than an actor's log takes in before it lets
/// frames wait (a game server keeps them to send again, so its memory bounds them anyway).
const UNDURABLE_RECORDS: usize = 12 << 10;
/// Moves of one closed window.
const WINDOW_MOVES: usize = 400_000;
/// How long the last moves may take to become durable.
const PATIENCE: Duration = Duration::from_secs(20);

/// How to load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Records of a frame.
    pub records: usize,
    /// Moves a second; 0 sends as soon as `in_flight_bytes` allow.
    pub rate: u32,
    /// Bytes of frames that may be unanswered.
    pub in_flight_bytes: usize,
    /// What this end does when it has nothing to do.
    pub idle: Idle,
}

/// A frame that was not answered yet.
struct Sent {
    due: Instant,
    records: usize,
}

/// Answers that are not durable yet.
struct Applied {
    position: u64,
    records: usize,
    at: Instant,
}

struct Loader {
    link: Link,
    address: SocketAddr,
    load: Load,
    sent: VecDeque<Sent>,
    records: usize,
    applied: VecDeque<Applied>,
    undurable: usize,
    latency: Vec<u64>,
    durable: Vec<u64>,
}

/// Lets everyone enter, then walk for the scene's time; counts from the word `measuring` to
/// `measured`. At a rate: samples `latency` (from when a frame was due to its last answer) and
/// `durable` (from its last answer to the word that it is on disk). Without: the same from when a
/// frame was sent, and `window` (nanoseconds of each window of `window_moves`). Numbers:
/// `moves_per_s`, `moves`, `window_moves`.
///
/// # Errors
/// HG3030 when the actor cannot be reached or refuses a move.
pub fn drive(
    scene: &Scene,
    address: SocketAddr,
    client: &Identity,
    load: Load,
    watch: Watch,
) -> Result<Report, Failure> {
    let mut crowd = Crowd::new(&scene.world, scene.players)?;
    let mut meanwhile = || {
        std::thread::yield_now();
        Ok(())
    };
    let link = Link::open(address, client, &mut meanwhile)?;
    let mut loader = Loader {
        link,
        address,
        load,
        sent: VecDeque::with_capacity(1024),
        records: 0,
        applied: VecDeque::with_capacity(4096),
        undurable: 0,
        latency: Vec::with_capacity(1 << 18),
        durable: Vec::with_capacity(1 << 18),
    };
    let enter = crowd.enter();
    loader.closed(&enter)?;
    loader.rest(Duration::from_millis(500))?;
    loader.latency.clear();
    loader.durable.clear();
    watch("measuring")?;
    let report = if load.rate > 0 {
        loader.open_loop(&mut crowd, scene.time, watch)
    } else {
        loader.windows(&mut crowd, scene.time, watch)
    };
    let mut report = report?;
    watch("measured")?;
    loader.link.close();
    report.samples_ns.push(("latency", loader.latency));
    report.samples_ns.push(("durable", loader.durable));
    Ok(report)
}

impl Loader {
    fn open_loop(
        &mut self,
        crowd: &mut Crowd,
        time: Duration,
        watch: Watch,
    ) -> Result<Report, Failure> {
        let records = self.load.records;
        let period = Duration::from_secs_f64(records as f64 / f64::from(self.load.rate));
        let count = (time.as_secs_f64() / period.as_secs_f64()).ceil().max(1.0) as u32;
        let mut moves = vec![[0; 64]; records];
        crowd.walk(&mut moves);
        let first = Instant::now() + period;
        for number in 0..count {
            let due = first + period * number;
            while Instant::now() < due || self.is_full(records, IN_FLIGHT_RECORDS) {
                self.turn(due)?;
            }
            self.send(&moves, due)?;
            crowd.walk(&mut moves);
            if number % 128 == 0 {
                watch("")?;
            }
        }
        self.finish()?;
        let moved = (count as usize * records) as f64;
        let numbers =
            vec![("moves", moved), ("moves_per_s", moved / first.elapsed().as_secs_f64())];
        Ok(Report { numbers, ..Report::default() })
    }

    fn windows(
        &mut self,
        crowd: &mut Crowd,
        time: Duration,
        watch: Watch,
    ) -> Result<Report, Failure> {
        let mut moves = vec![[0; 64]; WINDOW_MOVES];
        let mut windows = Vec::with_capacity(1024);
        let mut spent = Duration::ZERO;
        while windows.len() < 3 || (spent < time && windows.len() < windows.capacity()) {
            watch("")?;
            crowd.walk(&mut moves);
            let started = Instant::now();
            self.closed(&moves)?;
            windows.push(nanoseconds(started.elapsed()));
            spent += started.elapsed();
        }
        self.finish()?;
        let moved = (windows.len() * WINDOW_MOVES) as f64;
        let numbers = vec![
            ("moves", moved),
            ("window_moves", WINDOW_MOVES as f64),
            ("moves_per_s", moved / spent.as_secs_f64()),
        ];
        Ok(Report { numbers, samples_ns: vec![("window", windows)] })
    }

    /// Sends all as fast as the limit on unanswered bytes allows, and takes all answers.
    fn closed(&mut self, moves: &[RawRecord]) -> Result<(), Failure> {
        let frame = self.load.records.min(FRAME_RECORDS);
        let most = (self.load.in_flight_bytes / 64).clamp(frame, IN_FLIGHT_RECORDS);
        for part in moves.chunks(frame) {
            while self.is_full(part.len(), most) {
                self.turn(Instant::now() + Duration::from_millis(100))?;
            }
            self.send(part, Instant::now())?;
            self.take()?;
        }
        while !self.sent.is_empty() {
            self.turn(Instant::now() + Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// Whether `more` records would be too many, unanswered or not durable.
    fn is_full(&self, more: usize, most: usize) -> bool {
        self.records + more > most || self.undurable + more > UNDURABLE_RECORDS
    }

    /// Waits until everything is durable.
    fn finish(&mut self) -> Result<(), Failure> {
        let patience = Instant::now() + PATIENCE;
        while !self.sent.is_empty() || !self.applied.is_empty() {
            self.turn(Instant::now() + Duration::from_millis(100))?;
            if Instant::now() > patience {
                return Err(failure("the last moves do not become durable", self.address));
            }
        }
        Ok(())
    }

    fn rest(&mut self, time: Duration) -> Result<(), Failure> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.turn(until)?;
        }
        self.finish()
    }

    fn send(&mut self, moves: &[RawRecord], due: Instant) -> Result<(), Failure> {
        self.link.send(moves)?;
        self.records += moves.len();
        self.undurable += moves.len();
        let records = moves.len();
        self.sent.push_back(Sent { due, records });
        Ok(())
    }

    /// Waits as told, but not beyond `until`, and takes what came.
    fn turn(&mut self, until: Instant) -> Result<(), Failure> {
        let deadline = self.link.next_timeout().map_or(until, |timeout| timeout.min(until));
        let mut fds = [PollFd::from_borrowed_fd(self.link.fd(), PollFlags::IN)];
        if self.load.idle != Idle::Block || deadline > Instant::now() {
            let waited = self.load.idle.wait(&mut fds, Some(deadline));
            waited.map_err(|e| failure(e, self.address))?;
        }
        self.take()
    }

    fn take(&mut self) -> Result<(), Failure> {
        self.link.turn()?;
        while let Some(reply) = self.link.next()? {
            match reply {
                Reply::Welcome => {}
                Reply::Updates { refused, code, position } => {
                    none_refused(refused, code, self.address)?;
                    self.answered(position)?;
                }
                Reply::Durable(position) => self.settled(position),
            }
        }
        Ok(())
    }

    fn answered(&mut self, position: u64) -> Result<(), Failure> {
        let at = Instant::now();
        let Some(sent) = self.sent.pop_front() else {
            return Err(failure("an answer to no frame", self.address));
        };
        self.records -= sent.records;
        self.latency.push(nanoseconds(at - sent.due));
        let records = sent.records;
        self.applied.push_back(Applied { position, records, at });
        Ok(())
    }

    fn settled(&mut self, durable: u64) {
        let now = Instant::now();
        while let Some(applied) = self.applied.front()
            && applied.position <= durable
        {
            self.durable.push(nanoseconds(now - applied.at));
            self.undurable -= applied.records;
            self.applied.pop_front();
        }
    }
}
