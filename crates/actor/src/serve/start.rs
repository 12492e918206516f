//! Start and end of the program: from the command line to a running actor.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use huntgraph_core::Partition;

use super::actor::{Actor, CONNECTIONS};
use super::boot::{boot, fitting_snapshot, folder, log_failure, wall_ms};
use super::caches::Caches;
use super::control::Control;
use super::engine::Engine;
use super::hold::Stop;
use super::links::Links;
use super::meters::Meters;
use super::neighbour::Neighbour;
use super::options::Options;
use super::round_times::RoundTimes;
use super::say;
use super::session::{Desk, Session};
use super::share::Share;
use crate::failure::Failure;
use crate::log::{LogOptions, Logger, Recovered};
use crate::quic::{Endpoint, Idle, Settings};
use crate::ring::RingWriter;
use crate::world_file::WorldFile;

/// How long the log's thread stays awake after a commit, unless the actor blocks when idle.
const LINGER_US: u64 = 200;

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
    covered: u64,
) -> Result<(Recovered, Logger), Failure> {
    let log = LogOptions {
        segment_bytes: options.segment_bytes,
        // Who wants low latency has a core for it.
        linger_us: if options.idle == Idle::Block { 0 } else { LINGER_US },
        time_ms: wall_ms(),
        covered,
        ..LogOptions::new(options.partition, world.world_id)
    };
    Logger::start(folder(options, "log")?, &log).map_err(|e| log_failure(e, options))
}

/// The files that others read: ring and counters.
fn open_shared(options: &Options) -> Result<(RingWriter, Meters), Failure> {
    let path = options.dir.join("ring");
    let ring = RingWriter::open(&path, options.ring_slots)
        .map_err(|e| Failure::new("HG3023", e, path.display(), "remove the ring file"))?;
    let path = options.dir.join("counters");
    let meters = Meters::create(&path, wall_ms())
        .map_err(|e| Failure::new("HG3024", e, path.display(), "check the directory"))?;
    Ok((ring, meters))
}

/// The QUIC endpoint on its address.
fn listen(options: &Options) -> Result<Endpoint, Failure> {
    let tls = options
        .tls
        .load()
        .map_err(|e| Failure::new(e.code, &e.reason, e.path.display(), "see 'huntgraph doctor'"))?;
    let settings = Settings { connections_max: CONNECTIONS, ..Settings::server() };
    Endpoint::server(options.listen, &tls, settings).map_err(|e| {
        let fix = "give a free address as --listen";
        Failure::new("HG3021", format!("cannot listen: {e}"), options.listen, fix)
    })
}

/// SIGTERM and SIGINT arrive as bytes in a pipe; the second one ends the process at once.
fn catch_signals() -> Result<OwnedFd, Failure> {
    let failure = |e: std::io::Error| Failure::new("HG3022", e, "signals", "report this");
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
        let snapshot = fitting_snapshot(options, &world)?;
        let covered = snapshot.as_ref().map_or(0, |found| found.header.position);
        let (recovered, logger) = open_log(options, &world, covered)?;
        let booted = boot(options, &world, snapshot, recovered.durable)?;
        let found = (booted.snapshot, booted.replayed);
        // The image lives as long as the process: one block, never freed.
        let block: &'static mut [_] = booted.block.leak();
        let partition = Partition::attach(block)
            .map_err(|e| Failure::new("HG3013", e, "image", "report this"))?;
        let actor = Self::open(options, partition, logger, recovered.epoch, signals)?;
        // Whoever looks before the first tick takes 0 for a log that is full.
        actor.meters.set("log_room", actor.engine.logger.room() as u64);
        let boot_ms = started.elapsed().as_millis();
        let ready = actor.ready_line(&recovered, found, boot_ms)?;
        Ok((actor, ready))
    }

    fn ready_line(
        &self,
        recovered: &Recovered,
        (snapshot, replayed): (u64, u64),
        boot_ms: u128,
    ) -> Result<String, Failure> {
        let (address, pid) = (self.address()?, std::process::id());
        let (partition, header) = (self.desk.partition, &self.engine.partition.header);
        let (position, tick) = (header.position, header.tick);
        let (epoch, cut_bytes) = (recovered.epoch, recovered.cut_bytes);
        // No text of a damage holds what JSON would escape.
        let damaged: Vec<_> = recovered.damaged.iter().map(|d| format!("\"{d}\"")).collect();
        let damaged = damaged.join(",");
        Ok(format!(
            "{{\"event\":\"ready\",\"address\":\"{address}\",\"pid\":{pid},\
             \"partition\":{partition},\
             \"position\":{position},\"tick\":{tick},\"epoch\":{epoch},\"snapshot\":{snapshot},\
             \"replayed\":{replayed},\"cut_bytes\":{cut_bytes},\"damaged\":[{damaged}],\
             \"boot_ms\":{boot_ms}}}"
        ))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Result<SocketAddr, Failure> {
        let fix = "check the address given as --listen";
        let local = self.endpoint.local_addr();
        local.map_err(|e| Failure::new("HG3021", e, self.options.listen, fix))
    }

    fn open(
        options: &Options,
        partition: Partition<'static>,
        logger: Logger,
        epoch: u64,
        signals: OwnedFd,
    ) -> Result<Self, Failure> {
        let (ring, meters) = open_shared(options)?;
        let endpoint = listen(options)?;
        let now = Instant::now();
        let neighbours = options.neighbours.iter();
        let neighbours = neighbours.map(|(number, dir)| Neighbour::new(*number, dir, now));
        Ok(Self {
            options: options.clone(),
            neighbours: neighbours.collect::<Result<_, _>>()?,
            durable_seen: logger.durable(),
            handshakes_failed: 0,
            engine: Engine::new(partition, logger, ring, meters.apply.clone()),
            endpoint,
            links: Links::new(CONNECTIONS),
            spare: Session::spare(CONNECTIONS as usize),
            control: Control::open(&options.dir.join("control.sock"))?,
            meters,
            desk: Desk { partition: options.partition, epoch, draining: false },
            signals,
            next_tick: now + Duration::from_millis(options.tick_ms),
            caches: Caches::new(now),
            guidance_share: Share::new(options.guidance_percent, now),
            stop: Stop::default(),
            round_times: RoundTimes::NONE,
            stop_by: None,
            next_leave: None,
            turns: 0,
            waited: false,
            page_faults_of_boot: 0,
        })
    }
}
