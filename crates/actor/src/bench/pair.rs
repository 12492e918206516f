//! An actor and a game server on one thread: round trips and frames without any wake-up in them.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use huntgraph_core::schema::{Code, FRAME_RECORDS, Update};

use super::crowd::Crowd;
use super::floor::{Jitter, udp_round_trips};
use super::link::{Link, Reply, none_refused};
use super::{GROWTH_ROUNDS, Identity, Report, Scene, Watch, failure, nanoseconds, thread_cpu};
use crate::failure::Failure;
use crate::log::RawRecord;
use crate::quic::Idle;
use crate::serve::{Actor, Options};
use crate::snapshot::Keep;

/// Round trips before the clock counts.
const WARM_UP: usize = 2_000;
/// Round trips of plain UDP, for comparison.
const UDP_ROUND_TRIPS: usize = 20_000;
/// How long the first field may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Samples of one part at most.
const SAMPLES: usize = 1 << 20;
/// Between two looks at whoever watches.
const WATCH_TURNS: usize = 4096;

/// Both ends, and who walks.
struct Pair {
    actor: Actor,
    link: Link,
    crowd: Crowd,
    // The other end of the actor's signals: it must stay open, and nothing is ever written.
    _signals: UnixStream,
}

impl Pair {
    fn open(scene: &Scene, server: &Identity, client: &Identity) -> Result<Self, Failure> {
        let options = Options {
            dir: scene.directory.clone(),
            world: scene.world.clone(),
            partition: 0,
            listen: ([127, 0, 0, 1], 0).into(),
            tls: server.as_server(),
            players: scene.players,
            fields: 8,
            guidance_mib: 0,
            added_edges: 1024,
            any_prices: false,
            idle: Idle::Spin,
            guidance_percent: 50,
            segment_bytes: 64 << 20,
            ring_slots: 16_384,
            tick_ms: 50,
            neighbours: Vec::new(),
            keep: Keep::ALL,
        };
        let pipe = |e: std::io::Error| failure(e, "signals");
        let (reader, signals) = UnixStream::pair().map_err(pipe)?;
        reader.set_nonblocking(true).map_err(pipe)?;
        let (mut actor, _) = Actor::boot(&options, reader.into())?;
        let address = actor.address()?;
        publish(&mut actor, &scene.hunt)?;
        let link = Link::open(address, client, &mut || actor.turn())?;
        let crowd = Crowd::new(&scene.world, scene.players)?;
        let mut pair = Self { actor, link, crowd, _signals: signals };
        let opens = pair.actor.engine.partition.header.tick + 2;
        while pair.actor.engine.partition.header.tick < opens {
            pair.idle()?;
        }
        for frame in pair.crowd.enter().chunks(FRAME_RECORDS) {
            pair.exchange(frame)?;
        }
        pair.settle()?;
        let mut moves = vec![[0; 64]; scene.players as usize];
        for _ in 0..GROWTH_ROUNDS {
            pair.crowd.walk(&mut moves);
            for frame in moves.chunks(FRAME_RECORDS) {
                pair.exchange(frame)?;
            }
            pair.settle()?;
        }
        Ok(pair)
    }

    /// One frame there and its answers back.
    fn exchange(&mut self, moves: &[RawRecord]) -> Result<(), Failure> {
        self.link.send(moves)?;
        let Self { actor, link, .. } = self;
        link.await_updates(&mut || actor.turn())
    }

    /// Some ticks, then until the field is at rest (with traffic off) or for a second (with it on).
    fn settle(&mut self) -> Result<(), Failure> {
        let started = Instant::now();
        loop {
            self.idle()?;
            let partition = &self.actor.engine.partition;
            let quiet = partition.guidance.work.settled > 0 && !partition.has_work();
            let traffic = partition.header.rise > 0;
            let after = started.elapsed();
            if after > Duration::from_millis(200) && (quiet || traffic && after.as_secs() > 0) {
                return Ok(());
            }
            if after > PATIENCE {
                return Err(failure("the field did not come to rest", "guidance"));
            }
        }
    }

    /// A turn of both ends while no answer is waited for.
    fn idle(&mut self) -> Result<(), Failure> {
        self.actor.turn()?;
        self.link.turn()?;
        while let Some(reply) = self.link.next()? {
            if let Reply::Updates { refused, code, .. } = reply {
                none_refused(refused, code, self.actor.address()?)?;
            }
        }
        Ok(())
    }

    /// The next tick is the last one, and nothing is fetched between moves: both go by the clock.
    fn stop_the_clock(&mut self) -> Result<(), Failure> {
        self.actor.options.tick_ms = 24 * 3600 * 1000;
        self.actor.options.idle = Idle::Yield;
        let tick = self.actor.engine.partition.header.tick;
        while self.actor.engine.partition.header.tick == tick {
            self.idle()?;
        }
        Ok(())
    }

    /// How long the actor has worked on frames, and how much of it in applying.
    fn work_ns(&self) -> [u64; 2] {
        [self.actor.meters.frame.sum_ns(), self.actor.meters.apply.sum_ns()]
    }

    fn close(self) -> Result<(), Failure> {
        self.link.close();
        self.actor.finish().map(|_| ())
    }

    /// Turns the traffic rule on; effective within a tick.
    fn turn_traffic_on(&mut self, scene: &Scene) -> Result<(), Failure> {
        publish(&mut self.actor, &scene.traffic)?;
        self.settle()
    }
}

/// Gives the rows of a hunt to the actor, as its control socket would.
fn publish(actor: &mut Actor, rows: &[RawRecord]) -> Result<(), Failure> {
    let mut answers = Vec::new();
    actor.engine.apply(rows, &mut answers, Instant::now());
    let (answers, _) = answers.as_chunks::<64>();
    let mut codes = answers.iter().map(|answer| Update::decode(answer).code);
    match codes.find(|&code| code != Code::Ok as u16) {
        None => Ok(()),
        Some(code) => Err(failure(format!("a row of the hunt was refused: {code}"), "hunt")),
    }
}

/// Closed loop: one move of 64 bytes there, its update back, then the next; first without and then
/// with a traffic rule (under which guidance always has work, in slices between moves). Samples:
/// `quiet`, `traffic`, in the order taken, and `udp`, plain UDP's. Numbers: `quiet_cpu_ns` and
/// `traffic_cpu_ns` a round trip.
///
/// # Errors
/// Those of booting an actor, and HG3030 when a move was refused.
pub fn roundtrip(
    scene: &Scene,
    server: &Identity,
    client: &Identity,
    watch: Watch,
) -> Result<Report, Failure> {
    let mut pair = Pair::open(scene, server, client)?;
    let mut report = Report::default();
    round_trips(&mut pair, Duration::from_secs(60), WARM_UP, watch)?;
    for (name, cpu_name) in [("quiet", "quiet_cpu_ns"), ("traffic", "traffic_cpu_ns")] {
        if name == "traffic" {
            pair.turn_traffic_on(scene)?;
        }
        let before = thread_cpu();
        let samples = round_trips(&mut pair, scene.time, SAMPLES, watch)?;
        let cpu = thread_cpu() - before;
        report.numbers.push((cpu_name, nanoseconds(cpu) as f64 / samples.len() as f64));
        report.samples_ns.push((name, samples));
    }
    pair.close()?;
    report.samples_ns.push(("udp", udp_round_trips(UDP_ROUND_TRIPS)?));
    Ok(report)
}

fn round_trips(
    pair: &mut Pair,
    time: Duration,
    most: usize,
    watch: Watch,
) -> Result<Vec<u64>, Failure> {
    let mut samples = Vec::with_capacity(most);
    let mut moves = [[0; 64]];
    let begun = Instant::now();
    while begun.elapsed() < time && samples.len() < most {
        if samples.len() % WATCH_TURNS == 0 {
            watch("")?;
        }
        pair.crowd.walk(&mut moves);
        let started = Instant::now();
        pair.exchange(&moves)?;
        samples.push(nanoseconds(started.elapsed()));
    }
    Ok(samples)
}

/// Closed loop: `count` frames of `records` moves, each behind the answers to the one before,
/// without a traffic rule and without ticks, whose number depends on the time. Samples: `frame`,
/// both ends' work.
///
/// # Errors
/// Those of booting an actor, and HG3030 when a move was refused.
pub fn frames_in_turn(
    scene: &Scene,
    server: &Identity,
    client: &Identity,
    (records, count): (usize, usize),
) -> Result<Report, Failure> {
    let mut pair = Pair::open(scene, server, client)?;
    pair.stop_the_clock()?;
    let mut samples = Vec::with_capacity(count);
    let mut moves = vec![[0; 64]; records];
    for _ in 0..count {
        pair.crowd.walk(&mut moves);
        pair.idle()?;
        let started = Instant::now();
        there_and_back(&mut pair, &moves)?;
        samples.push(nanoseconds(started.elapsed()));
    }
    pair.close()?;
    Ok(Report { samples_ns: vec![("frame", samples)], ..Report::default() })
}

/// What callgrind counts of a frame.
#[inline(never)]
fn there_and_back(pair: &mut Pair, moves: &[RawRecord]) -> Result<(), Failure> {
    pair.exchange(moves)
}

/// What is collected of frames.
#[derive(Default)]
struct Frames {
    latency: Vec<u64>,
    service: Vec<u64>,
    apply: Vec<u64>,
    jitter: Vec<u64>,
}

/// Open loop: frames of `records` moves are due at set times, `rate` moves a second, whatever
/// became of the one before. Samples, by frame: `latency` (from when it was due to its last answer
/// read), `service` (the actor's own: last byte in to last byte out), `apply` (the part of it in
/// which moves are applied, answered, published and put into the log's batch), `jitter` (fixed work
/// begun halfway between two frames: what it took beyond its least); the same as `quiet_...`
/// without a traffic rule. Numbers: `moves_per_s`, `quiet_moves_per_s`.
///
/// # Errors
/// Those of booting an actor, and HG3030 when a move was refused.
pub fn frame(
    scene: &Scene,
    server: &Identity,
    client: &Identity,
    (records, rate): (usize, u32),
    watch: Watch,
) -> Result<Report, Failure> {
    let mut pair = Pair::open(scene, server, client)?;
    let mut report = Report::default();
    let period = Duration::from_secs_f64(records as f64 / f64::from(rate));
    let names = [
        ["quiet_latency", "quiet_service", "quiet_apply", "quiet_jitter", "quiet_moves_per_s"],
        ["latency", "service", "apply", "jitter", "moves_per_s"],
    ];
    for [latency, service, apply, jitter, moves_per_s] in names {
        if latency == "latency" {
            pair.turn_traffic_on(scene)?;
        }
        let started = Instant::now();
        let found = frames(&mut pair, scene.time, records, period, watch)?;
        let moved = (found.latency.len() * records) as f64;
        report.numbers.push((moves_per_s, moved / started.elapsed().as_secs_f64()));
        report.samples_ns.push((latency, found.latency));
        report.samples_ns.push((service, found.service));
        report.samples_ns.push((apply, found.apply));
        report.samples_ns.push((jitter, found.jitter));
    }
    pair.close()?;
    Ok(report)
}

fn frames(
    pair: &mut Pair,
    time: Duration,
    records: usize,
    period: Duration,
    watch: Watch,
) -> Result<Frames, Failure> {
    let count = (time.as_secs_f64() / period.as_secs_f64()).ceil().max(1.0) as usize;
    let room = || Vec::with_capacity(count);
    let mut found = Frames { latency: room(), service: room(), apply: room(), jitter: room() };
    let mut jitter = Jitter::new();
    let mut moves = vec![[0; 64]; records];
    pair.crowd.walk(&mut moves);
    let first = Instant::now() + period;
    for number in 0..count {
        let due = first + period * number as u32;
        while Instant::now() < due {
            pair.idle()?;
        }
        let [service, apply] = pair.work_ns();
        pair.exchange(&moves)?;
        found.latency.push(nanoseconds(due.elapsed()));
        let after = pair.work_ns();
        found.service.push(after[0] - service);
        found.apply.push(after[1] - apply);
        // What is generated must be sent: each player's moves are numbered.
        if number + 1 < count {
            pair.crowd.walk(&mut moves);
        }
        let halfway = due + period / 2;
        while Instant::now() + period / 16 < halfway {
            pair.idle()?;
        }
        // Behind time, its work is left out, so that the next frame need not wait for it.
        found.jitter.push(if Instant::now() < halfway {
            jitter.sample(halfway)
        } else {
            jitter.late(halfway)
        });
        if number % 256 == 0 {
            watch("")?;
        }
    }
    jitter.excess(&mut found.jitter);
    Ok(found)
}
