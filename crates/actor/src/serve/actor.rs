//! The actor's loop: receive, apply, answer, send; between moves ticks and slices of guidance.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use huntgraph_core::Partition;
use rustix::event::{PollFd, PollFlags};

use super::boot::{boot, folder, wall_ms};
use super::control::{CLIENTS, Control};
use super::engine::Engine;
use super::meters::Meters;
use super::options::Options;
use super::say;
use super::session::{Desk, Role, Session};
use crate::failure::Failure;
use crate::log::{LogOptions, Logger};
use crate::quic::{ConnId, Endpoint, Event, Idle, Read, Settings, StreamId};
use crate::ring::RingWriter;
use crate::world_file::WorldFile;

/// Game servers connected at once.
const CONNECTIONS: u32 = 64;
/// Operations of one slice of guidance: about 16 microseconds.
const SLICE: u32 = 192;
/// Ticks between two recorded state hashes.
const HASH_TICKS: u32 = 20;
/// How long game servers get to take their last answers when the actor stops.
const FAREWELL: Duration = Duration::from_millis(2000);
/// Turns between two looks at the rare descriptors when no descriptor is waited for.
const RARE_TURNS: u32 = 256;

/// One connection and its session.
struct Link {
    conn: ConnId,
    stream: Option<StreamId>,
    session: Session,
    /// When the bytes now in the inbox came.
    arrived: Instant,
    frames_waiting: u32,
}

pub(crate) struct Actor {
    options: Options,
    pub(crate) engine: Engine,
    endpoint: Endpoint,
    links: Vec<Option<Link>>,
    control: Control,
    pub(crate) meters: Meters,
    desk: Desk,
    signals: OwnedFd,
    next_tick: Instant,
    durable_seen: u64,
    /// Until when guidance has used up its share.
    guidance_rests: Instant,
    stop_by: Option<Instant>,
    turns: u32,
}

/// The verb `serve`: owns the partition until told to stop.
///
/// # Errors
/// The [`Failure`] that ended it.
pub fn serve(options: &Options) -> Result<(), Failure> {
    let (mut actor, ready) = Actor::boot(options, catch_signals()?)?;
    say(&ready);
    actor.run()?;
    say(&actor.finish()?);
    Ok(())
}

fn open_log(
    options: &Options,
    world: &WorldFile,
) -> Result<(crate::log::Recovered, Logger), Failure> {
    let log = LogOptions {
        segment_bytes: options.segment_bytes,
        time_ms: wall_ms(),
        ..LogOptions::new(options.partition, world.world_id)
    };
    Logger::start(folder(options, "log")?, &log).map_err(|e| {
        let fix = match e.code() {
            "log-locked" => "another actor owns this directory: stop it, or give another --dir",
            "log-no-space" => "free disk space",
            _ => "keep the directory for inspection; restore the log from a copy or start in a new directory",
        };
        Failure::new("HG2012", e, options.dir.display(), fix)
    })
}

/// SIGTERM and SIGINT arrive as bytes in a pipe; the second one ends the process at once.
fn catch_signals() -> Result<OwnedFd, Failure> {
    let failure = |e: std::io::Error| Failure::new("HG2022", e, "signals", "report this");
    let (reader, writer) = std::os::unix::net::UnixStream::pair().map_err(failure)?;
    reader.set_nonblocking(true).map_err(failure)?;
    let once = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        let shutdown = signal_hook::flag::register_conditional_shutdown(signal, 130, once.clone());
        shutdown.map_err(failure)?;
        signal_hook::flag::register(signal, once.clone()).map_err(failure)?;
        let copy = writer.try_clone().map_err(failure)?;
        signal_hook::low_level::pipe::register(signal, copy).map_err(failure)?;
    }
    Ok(reader.into())
}

impl Actor {
    /// Everything up to the first turn: world, log, snapshot, replay, socket. Also gives the line
    /// that says so. A byte on `signals` stops the actor.
    pub(crate) fn boot(options: &Options, signals: OwnedFd) -> Result<(Self, String), Failure> {
        let started = Instant::now();
        let world = WorldFile::open(&options.world)?;
        let (recovered, logger) = open_log(options, &world)?;
        let booted = boot(options, &world, recovered.durable)?;
        // The image lives as long as the process: one block, never freed.
        let block: &'static mut [_] = booted.block.leak();
        let partition = Partition::attach(block)
            .map_err(|e| Failure::new("HG2013", e, "image", "report this"))?;
        let actor = Self::open(options, partition, logger, recovered.epoch, signals)?;
        let address = actor.address()?;
        let header = &actor.engine.partition.header;
        let ready = format!(
            r#"{{"event":"ready","address":"{address}","pid":{},"partition":{},"position":{},"tick":{},"epoch":{},"snapshot":{},"replayed":{},"cut_bytes":{},"boot_ms":{}}}"#,
            std::process::id(),
            options.partition,
            header.position,
            header.tick,
            recovered.epoch,
            booted.snapshot,
            booted.replayed,
            recovered.cut_bytes,
            started.elapsed().as_millis(),
        );
        Ok((actor, ready))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Result<SocketAddr, Failure> {
        self.endpoint.local_addr().map_err(|e| {
            Failure::new(
                "HG2021",
                e,
                self.options.listen,
                "check the address given as --listen",
            )
        })
    }

    fn open(
        options: &Options,
        partition: Partition<'static>,
        logger: Logger,
        epoch: u64,
        signals: OwnedFd,
    ) -> Result<Self, Failure> {
        let ring_path = options.dir.join("ring");
        let ring = RingWriter::open(&ring_path, options.ring_slots)
            .map_err(|e| Failure::new("HG2023", e, ring_path.display(), "remove the ring file"))?;
        let meters_path = options.dir.join("counters");
        let meters = Meters::create(&meters_path, wall_ms())
            .map_err(|e| Failure::new("HG2024", e, meters_path.display(), "check the directory"))?;
        let tls = options.tls.load().map_err(|e| {
            Failure::new(
                e.code,
                &e.reason,
                e.path.display(),
                "see 'huntgraph doctor'",
            )
        })?;
        let settings = Settings {
            connections_max: CONNECTIONS,
            ..Settings::server()
        };
        let endpoint = Endpoint::server(options.listen, &tls, settings).map_err(|e| {
            Failure::new(
                "HG2021",
                format!("cannot listen: {e}"),
                options.listen,
                "give a free address as --listen",
            )
        })?;
        let now = Instant::now();
        Ok(Self {
            options: options.clone(),
            durable_seen: logger.durable(),
            engine: Engine::new(partition, logger, ring),
            endpoint,
            links: (0..CONNECTIONS).map(|_| None).collect(),
            control: Control::open(&options.dir.join("control.sock"))?,
            meters,
            desk: Desk {
                partition: options.partition,
                epoch,
                draining: false,
            },
            signals,
            next_tick: now + Duration::from_millis(options.tick_ms),
            guidance_rests: now,
            stop_by: None,
            turns: 0,
        })
    }

    fn run(&mut self) -> Result<(), Failure> {
        while !self.is_done() {
            self.turn()?;
            self.wait()?;
        }
        Ok(())
    }

    /// One turn of the loop, without the wait after it.
    pub(crate) fn turn(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        self.endpoint.poll_receive(now).map_err(|e| {
            Failure::new(
                "HG2021",
                format!("the socket failed: {e}"),
                self.options.listen,
                "restart",
            )
        })?;
        self.endpoint.handle_timeouts(now);
        while let Some(event) = self.endpoint.next_event() {
            self.handle(event, now);
        }
        self.pass_ticks(now);
        self.look_at_rare(now);
        self.tell_durable(now);
        if let Some(failure) = self.engine.logger.failed() {
            let fix = "mend the disk, then start again: all durable moves are there";
            return Err(Failure::new(
                "HG2015",
                failure,
                self.options.dir.display(),
                fix,
            ));
        }
        self.flush(now);
        self.guide(now);
        Ok(())
    }

    fn handle(&mut self, event: Event, now: Instant) {
        match event {
            Event::Opened {
                conn,
                peer_certificate_sha256,
                ..
            } => {
                let mark = peer_certificate_sha256.map_or(0, |hash| {
                    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
                });
                self.open_link(conn, mark, now);
            }
            Event::Readable { conn, stream } => self.read(conn, stream, now),
            Event::Writable { .. } => {}
            Event::Closed { conn, .. } => self.forget(conn),
            Event::Failed { .. } => self.meters.add("handshakes_failed", 1),
            Event::Refused { count } => self.meters.add("connections_refused", count as u64),
        }
    }

    fn open_link(&mut self, conn: ConnId, mark: u32, now: Instant) {
        let session = Session::new(Role::GameServer(mark));
        let link = Link {
            conn,
            stream: None,
            session,
            arrived: now,
            frames_waiting: 0,
        };
        self.links[conn.slot()] = Some(link);
    }

    fn forget(&mut self, conn: ConnId) {
        let slot = &mut self.links[conn.slot()];
        if slot.as_ref().is_some_and(|link| link.conn == conn) {
            *slot = None;
        }
    }

    /// Reads a link's bytes and takes the frames in them.
    fn read(&mut self, conn: ConnId, stream: StreamId, now: Instant) {
        let Some(link) = self.links[conn.slot()]
            .as_mut()
            .filter(|link| link.conn == conn)
        else {
            return;
        };
        if *link.stream.get_or_insert(stream) != stream {
            // Everything travels on one stream: a second one is not part of the protocol.
            self.endpoint
                .reset(conn, stream, huntgraph_core::schema::Code::BadFrame as u32);
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

    /// Ticks that are due; after a long stall at most a second's worth at once.
    fn pass_ticks(&mut self, now: Instant) {
        let tick = Duration::from_millis(self.options.tick_ms);
        for _ in 0..20 {
            if now < self.next_tick {
                return;
            }
            self.next_tick += tick;
            let with_hash = (self.engine.partition.header.tick + 1).is_multiple_of(HASH_TICKS);
            if !self.engine.tick(with_hash, now) {
                self.meters.add("ticks_late", 1);
            }
            self.publish();
        }
        self.next_tick = now + tick;
    }

    /// Brings the counters file up to date.
    fn publish(&mut self) {
        let engine = &mut self.engine;
        let (header, work) = (&engine.partition.header, &engine.partition.guidance.work);
        let counts = engine.logger.counts();
        let age = header.tick.saturating_sub(engine.partition.oldest_epoch()) as u64;
        self.meters
            .epoch_age
            .record(age * self.options.tick_ms * 1_000_000);
        let values = [
            ("heartbeat_ms", wall_ms()),
            ("tick", header.tick as u64),
            ("epoch", engine.partition.oldest_epoch() as u64),
            ("position", header.position),
            ("durable", engine.logger.durable()),
            ("state_hash", engine.partition.state_hash()),
            ("players", header.players as u64),
            ("present", header.present as u64),
            ("connections", self.links.iter().flatten().count() as u64),
            ("fields_built", work.built),
            ("nodes_settled", work.settled),
            ("searches", work.searches),
            ("epochs_lost", work.overflows),
            ("ring_events", engine.ring.next_sequence()),
            ("log_commits", counts.commits),
            ("log_bytes", counts.bytes),
            ("log_room", engine.logger.room() as u64),
            ("log_failed", engine.logger.failed().is_some() as u64),
            ("draining", self.desk.draining as u64),
        ];
        for (name, value) in values {
            self.meters.set(name, value);
        }
        self.meters.take(&mut engine.tally);
    }

    /// Control socket and signals. When descriptors are waited for, each turn; else now and then.
    fn look_at_rare(&mut self, now: Instant) {
        self.turns = self.turns.wrapping_add(1);
        if self.options.idle != Idle::Block && !self.turns.is_multiple_of(RARE_TURNS) {
            return;
        }
        let mut stop = self.control.turn(&mut self.engine, &self.desk, now);
        stop |= rustix::io::read(&self.signals, &mut [0; 16]).is_ok_and(|count| count > 0);
        if stop && self.stop_by.is_none() {
            self.desk.draining = true;
            self.stop_by = Some(now + FAREWELL);
            self.links
                .iter_mut()
                .flatten()
                .for_each(|link| link.session.tell_drain());
        }
    }

    fn tell_durable(&mut self, now: Instant) {
        let durable = self.engine.logger.durable();
        if durable == self.durable_seen {
            return;
        }
        self.engine.logger.clear_wake();
        self.durable_seen = durable;
        let meter = &self.meters.durable;
        self.engine
            .settle(durable, now, |time_ns| meter.record(time_ns));
        for link in self.links.iter_mut().flatten() {
            link.session.tell_durable(durable);
        }
    }

    /// Hands answers to the socket, lets go whom there is nothing left to say to, and sends.
    fn flush(&mut self, now: Instant) {
        let mut frames = 0;
        for slot in 0..self.links.len() {
            frames += self.flush_link(slot, now);
        }
        self.endpoint.transmit(now);
        if frames > 0 {
            self.time_frames();
        }
    }

    fn flush_link(&mut self, slot: usize, now: Instant) -> u32 {
        let Some(link) = self.links[slot].as_mut() else {
            return 0;
        };
        let (conn, Some(stream)) = (link.conn, link.stream) else {
            return 0;
        };
        let had_room = link.session.has_room();
        if !link.session.unsent().is_empty() {
            match self.endpoint.write(conn, stream, link.session.unsent()) {
                Ok(count) => link.session.was_sent(count),
                Err(_) => link.session.outbox.clear(),
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

    /// Ends a link that failed, or that asked to go and has everything on disk.
    fn part(&mut self, slot: usize, now: Instant) {
        let Some(link) = self.links[slot].as_mut() else {
            return;
        };
        if !link.session.unsent().is_empty() {
            return;
        }
        let (conn, Some(stream)) = (link.conn, link.stream) else {
            return;
        };
        if let Some(code) = link.session.failed {
            self.endpoint.transmit(now);
            self.endpoint.close(now, conn, code as u32, code.text());
            self.links[slot] = None;
        } else if link.session.wants_drain && link.session.is_settled(self.durable_seen) {
            link.session.tell_drained(self.durable_seen);
            // A last frame is small: it fits, or the peer does not read anyway.
            let _ = self.endpoint.write(conn, stream, link.session.unsent());
            self.endpoint.finish(conn, stream);
            self.links[slot] = None;
        }
    }

    fn time_frames(&mut self) {
        let sent = Instant::now();
        let mut total = 0;
        for link in self.links.iter_mut().flatten() {
            let time_ns = sent.duration_since(link.arrived).as_nanos() as u64;
            for _ in 0..std::mem::take(&mut link.frames_waiting) {
                self.meters.frame.record(time_ns);
                total += 1;
            }
        }
        self.meters.add("frames", total);
    }

    /// One slice of guidance, within its share of the core.
    fn guide(&mut self, now: Instant) {
        if now < self.guidance_rests || !self.engine.partition.has_work() {
            return;
        }
        let started = Instant::now();
        self.engine.partition.work(SLICE);
        let used = started.elapsed();
        self.meters.slice.record(used.as_nanos() as u64);
        let rest = used * (100 - self.options.guidance_percent) / self.options.guidance_percent;
        self.guidance_rests = started + used + rest;
    }

    fn wait(&mut self) -> Result<(), Failure> {
        let mut deadline = self.next_tick;
        if let Some(timeout) = self.endpoint.next_timeout() {
            deadline = deadline.min(timeout);
        }
        if self.engine.partition.has_work() {
            deadline = deadline.min(self.guidance_rests);
        }
        if self.options.idle == Idle::Block && deadline <= Instant::now() {
            return Ok(());
        }
        let mut interest = PollFlags::IN;
        interest.set(PollFlags::OUT, self.endpoint.wants_write());
        let udp = self.endpoint.fd();
        let mut fds: [PollFd; 4 + CLIENTS] =
            std::array::from_fn(|_| PollFd::from_borrowed_fd(udp, interest));
        fds[1] = PollFd::from_borrowed_fd(self.engine.logger.wake_fd(), PollFlags::IN);
        fds[2] = PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN);
        let mut used = 3;
        for (fd, sends) in self.control.fds() {
            let interest = if sends {
                PollFlags::IN | PollFlags::OUT
            } else {
                PollFlags::IN
            };
            fds[used] = PollFd::from_borrowed_fd(fd, interest);
            used += 1;
        }
        self.options
            .idle
            .wait(&mut fds[..used], Some(deadline))
            .map(|_| ())
            .map_err(|e| {
                Failure::new(
                    "HG2025",
                    format!("waiting failed: {e}"),
                    "poll",
                    "report this",
                )
            })
    }

    /// Stopping: everyone has gone, or the time for farewells is over.
    fn is_done(&self) -> bool {
        let Some(by) = self.stop_by else { return false };
        let now = Instant::now();
        let all_durable = self.engine.logger.durable() >= self.engine.partition.header.position;
        now >= by || (self.links.iter().all(Option::is_none) && all_durable)
    }

    /// Tells everyone, makes all durable, and gives the line that says so.
    pub(crate) fn finish(mut self) -> Result<String, Failure> {
        let now = Instant::now();
        self.publish();
        for link in self.links.iter().flatten() {
            self.endpoint
                .close(now, link.conn, 0, "the actor has stopped");
        }
        self.endpoint.transmit(now);
        let (position, state_hash) = {
            let partition = &self.engine.partition;
            (partition.header.position, partition.state_hash())
        };
        let durable = self.engine.logger.close().map_err(|failure| {
            Failure::new(
                "HG2015",
                failure,
                self.options.dir.display(),
                "mend the disk, then start again",
            )
        })?;
        self.meters.set("durable", durable);
        self.control.tell_stopped(durable);
        let _ = std::fs::remove_file(self.options.dir.join("control.sock"));
        Ok(format!(
            r#"{{"event":"stopped","position":{position},"durable":{durable},"state_hash":"{state_hash:016x}"}}"#
        ))
    }
}
