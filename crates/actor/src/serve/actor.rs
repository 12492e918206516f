//! The actor's loop: receive, apply, answer, send; between moves ticks and slices of guidance.

use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use huntgraph_core::guidance::{Failure as Failed, Work};
use huntgraph_core::schema::PEERS;
use rustix::event::{PollFd, PollFlags};

use super::boot::wall_ms;
use super::caches::Caches;
use super::control::{CLIENTS, Control};
use super::engine::Engine;
use super::hold::Stop;
use super::links::Links;
use super::meters::Meters;
use super::neighbour::Neighbour;
use super::options::Options;
use super::round_times::RoundTimes;
use super::session::{Desk, Session};
use super::share::Share;
use crate::allocations;
use crate::failure::Failure;
use crate::page_faults::{drop_code, page_faults, populate_stack};
use crate::quic::{Endpoint, Idle};

/// Game servers connected at once.
pub(super) const CONNECTIONS: u32 = 64;
/// Connections to come for which QUIC's memory is there beforehand.
pub(super) const CONNECTIONS_AHEAD: usize = 4;
/// Operations of one slice of guidance: about 16 microseconds.
const SLICE: u32 = 192;
/// Guidance rests so long when moves go on after a stop: all actors of a machine do so at once, and
/// the moves of each come before the guidance of any.
const BREATH: Duration = Duration::from_millis(5);
/// Ticks between two recorded state hashes.
const HASH_TICKS: u32 = 20;
/// How long game servers, and who asked it to stop, get to take their last answers when the actor
/// stops.
pub(super) const FAREWELL: Duration = Duration::from_millis(2000);
/// Turns between two looks at the rare descriptors when no descriptor is waited for: with another
/// idle policy than `block`, and while guidance has work.
const RARE_TURNS: u32 = 256;
const BUSY_TURNS: u32 = 8;

/// A partition at work between its sockets, its log and its ring.
pub(crate) struct Actor {
    pub(crate) options: Options,
    pub(crate) engine: Engine,
    pub(super) endpoint: Endpoint,
    pub(super) links: Links,
    /// Sessions for links to come.
    pub(super) spare: Vec<Session>,
    pub(super) control: Control,
    pub(super) neighbours: Vec<Neighbour>,
    pub(crate) meters: Meters,
    pub(super) desk: Desk,
    pub(super) signals: OwnedFd,
    pub(super) next_tick: Instant,
    pub(super) durable_seen: u64,
    pub(super) handshakes_failed: u64,
    pub(super) caches: Caches,
    pub(super) guidance_share: Share,
    /// How long moves and ticks wait.
    pub(super) stop: Stop,
    pub(super) round_times: RoundTimes,
    pub(super) stop_by: Option<Instant>,
    /// When the next link that is leaving will be closed.
    pub(super) next_leave: Option<Instant>,
    pub(super) turns: u32,
    /// Descriptors were waited for before this turn.
    pub(super) waited: bool,
    /// Page faults of this thread until it was sealed.
    pub(super) page_faults_of_boot: u64,
}

impl Actor {
    /// Turns until told to stop and done with farewells.
    pub(super) fn run(&mut self) -> Result<(), Failure> {
        drop_code();
        populate_stack();
        allocations::populate(CONNECTIONS_AHEAD);
        allocations::seal();
        self.page_faults_of_boot = page_faults();
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
                "HG3021",
                format!("the socket failed: {e}"),
                self.options.listen,
                "restart",
            )
        })?;
        self.endpoint.handle_timeouts(now);
        let mut idle = true;
        while let Some(event) = self.endpoint.next_event() {
            self.handle(event, now);
            idle = false;
        }
        self.pass_ticks(now);
        self.look_at_rare(now);
        self.tell_durable(now);
        self.time_stop();
        self.resume(now);
        if let Some(failure) = self.engine.logger.failed() {
            let fix = "mend the disk, then start again: all durable moves are there";
            return Err(Failure::new("HG3015", failure, self.options.dir.display(), fix));
        }
        self.flush(now);
        self.engine.commit(false);
        self.guide(now);
        if self.options.idle == Idle::Spin {
            let partition = &self.engine.partition;
            partition.fetch_next_moves(self.caches.turn(partition.header.players, idle, now));
        }
        self.round_times.look(&self.engine.partition, &self.meters.rounds, now);
        Ok(())
    }

    /// Ticks that are due; after a long stall at most a second's worth at once.
    fn pass_ticks(&mut self, now: Instant) {
        let tick = Duration::from_millis(self.options.tick_ms);
        if self.desk.draining {
            // The last ticks are on their way to the disk: no further ones behind them.
            self.next_tick = now + tick;
        }
        for _ in 0..20 {
            if now < self.next_tick {
                return;
            }
            if self.engine.is_stopped() {
                // Logged time stands; the counters tell that the actor is well.
                self.next_tick = now + tick;
                return self.publish(now);
            }
            self.next_tick += tick;
            let with_hash = (self.engine.partition.header.tick + 1).is_multiple_of(HASH_TICKS);
            let started = Instant::now();
            if !self.engine.tick(with_hash, now) {
                self.meters.add("ticks_late", 1);
            }
            self.meters.tick.record(started.elapsed().as_nanos() as u64);
            self.publish(now);
        }
        self.next_tick = now + tick;
    }

    /// Brings the counters file up to date.
    fn publish(&mut self, now: Instant) {
        let engine = &mut self.engine;
        let (header, work) = (&engine.partition.header, &engine.partition.guidance.work);
        let counts = engine.logger.counts();
        let age = header.tick.saturating_sub(engine.partition.oldest_epoch()) as u64;
        self.meters.epoch_age.record(age * self.options.tick_ms * 1_000_000);
        if let Some(age) = engine.partition.round_age() {
            self.meters.round_age.record(age as u64 * self.options.tick_ms * 1_000_000);
        }
        let values = [
            ("partition", self.desk.partition as u64),
            ("world_id", header.world_id),
            ("heartbeat_ms", wall_ms()),
            ("tick", header.tick as u64),
            ("epoch", engine.partition.oldest_epoch() as u64),
            ("position", header.position),
            ("durable", engine.logger.durable()),
            ("state_hash", engine.partition.state_hash()),
            ("players", header.players as u64),
            ("present", header.present as u64),
            ("connections", self.links.iter().count() as u64),
            ("handshakes_failed", self.handshakes_failed + self.endpoint.stats().handshakes_failed),
            ("fields_built", work.built),
            ("nodes_settled", work.settled),
            ("searches", work.searches),
            ("epochs_lost", work.overflows),
            ("ring_events", engine.ring.published()),
            ("log_commits", counts.commits),
            ("log_bytes", counts.bytes),
            ("allocations", allocations::count()),
            ("arena_blocks_in_use", allocations::blocks_in_use()),
            ("arena_blocks_peak", allocations::blocks_peak()),
            ("page_faults", page_faults().saturating_sub(self.page_faults_of_boot)),
            ("log_first", engine.logger.first_position()),
            ("log_disk_bytes", engine.logger.segments() * self.options.segment_bytes),
            ("log_room", engine.logger.room() as u64),
            ("log_failed", engine.logger.failed().is_some() as u64),
            ("draining", self.desk.draining as u64),
            ("neighbours", self.neighbours.iter().filter(|each| each.is_up()).count() as u64),
            ("parcels_waiting", engine.partition.border.waiting() as u64),
            ("held", engine.is_held() as u64),
            ("correction", header.correction),
            ("corrections", engine.corrections()),
        ];
        self.meters.set_all(&values);
        self.meters.set_all(&rounds_of(engine.partition.guidance.work));
        self.meters.take(&mut engine.tally);
        self.meters.look_at_memory(now);
    }

    /// Control socket, neighbours, signals: after descriptors were waited for, else now and then.
    fn look_at_rare(&mut self, now: Instant) {
        self.turns = self.turns.wrapping_add(1);
        // Asking each of them costs as much as a slice of guidance.
        let pause = if self.options.idle == Idle::Block { BUSY_TURNS } else { RARE_TURNS };
        if !self.waited && !self.turns.is_multiple_of(pause) {
            return;
        }
        let mut stop = self.control.turn(&mut self.engine, &self.desk, now);
        stop |= rustix::io::read(&self.signals, &mut [0; 16]).is_ok_and(|count| count > 0);
        for neighbour in &mut self.neighbours {
            neighbour.turn(&mut self.engine, now);
            self.meters.add("neighbour_rests", std::mem::take(&mut neighbour.refused));
        }
        if stop && self.stop_by.is_none() {
            self.desk.draining = true;
            // Parcels stay in the outbox until the next start.
            self.neighbours.clear();
            self.stop_by = Some(now + FAREWELL);
            self.engine.commit(true);
            self.links.iter_mut().for_each(|link| link.session.tell_drain());
        }
    }

    /// Times for how long moves and ticks wait. All actors of a machine are let go at once: none
    /// takes up what waited before the others have been told.
    fn time_stop(&mut self) {
        if let Some(waited) = self.stop.look(&self.engine, self.options.idle) {
            self.meters.stopped.record(waited.as_nanos() as u64);
            self.guidance_share.rest(Instant::now() + BREATH);
            std::thread::yield_now();
        }
    }

    /// One slice of guidance. Slices follow each other turn by turn; rests keep guidance within its
    /// share of the core.
    fn guide(&mut self, now: Instant) {
        if now < self.guidance_share.rests_until() || !self.has_work() {
            return;
        }
        let started = Instant::now();
        self.engine.partition.work(SLICE);
        let used = started.elapsed();
        self.meters.slice.record(used.as_nanos() as u64);
        self.guidance_share.take(used, now);
    }

    /// Whether guidance wants the core. While moves wait it leaves it to whoever lets them go on:
    /// nobody asks where to go meanwhile.
    fn has_work(&self) -> bool {
        !self.engine.in_haste() && self.engine.partition.has_work()
    }

    fn wait(&mut self) -> Result<(), Failure> {
        let failed =
            |e| Failure::new("HG3025", format!("waiting failed: {e}"), "poll", "report this");
        self.waited = false;
        if self.options.idle != Idle::Block {
            // No descriptor is looked at, and no time: the next turn does both.
            return self.options.idle.wait(&mut [], None).map(|_| ()).map_err(failed);
        }
        let mut deadline = self.next_tick;
        if let Some(timeout) = self.endpoint.next_timeout() {
            deadline = deadline.min(timeout);
        }
        if self.has_work() {
            deadline = deadline.min(self.guidance_share.rests_until());
        }
        let farewells = self.stop_by.into_iter().chain(self.next_leave);
        deadline = farewells.fold(deadline, Instant::min);
        let now = Instant::now();
        let due =
            self.neighbours.iter().filter_map(|each| each.deadline(&self.engine.partition, now));
        deadline = due.fold(deadline, Instant::min);
        if deadline <= now {
            return Ok(());
        }
        let mut interest = PollFlags::IN;
        interest.set(PollFlags::OUT, self.endpoint.wants_write());
        let udp = self.endpoint.fd();
        let mut fds: [PollFd; 4 + CLIENTS + PEERS] =
            std::array::from_fn(|_| PollFd::from_borrowed_fd(udp, interest));
        fds[1] = PollFd::from_borrowed_fd(self.engine.logger.wake_fd(), PollFlags::IN);
        fds[2] = PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN);
        let mut used = 3;
        let neighbours = self.neighbours.iter().filter_map(Neighbour::fd);
        for (fd, interest) in self.control.fds().chain(neighbours) {
            fds[used] = PollFd::from_borrowed_fd(fd, interest);
            used += 1;
        }
        self.options.idle.wait(&mut fds[..used], Some(deadline)).map_err(failed)?;
        self.waited = true;
        if fds[1].revents().contains(PollFlags::IN) {
            self.engine.logger.clear_wake();
        }
        Ok(())
    }

    /// Stopping: everyone has gone, or the time for farewells is over.
    fn is_done(&self) -> bool {
        let Some(by) = self.stop_by else { return false };
        let now = Instant::now();
        let all_durable = self.engine.logger.durable() >= self.engine.partition.header.position;
        now >= by || (self.links.is_empty() && all_durable)
    }

    /// Tells everyone, makes all durable, and gives the line that says so.
    pub(crate) fn finish(mut self) -> Result<String, Failure> {
        let now = Instant::now();
        self.publish(now);
        for link in self.links.iter() {
            self.endpoint.close(now, link.conn, 0, "the actor has stopped");
        }
        self.endpoint.transmit(now);
        let (position, state_hash) = {
            let partition = &self.engine.partition;
            (partition.header.position, partition.state_hash())
        };
        let durable = self.engine.logger.close().map_err(|failure| {
            Failure::new(
                "HG3015",
                failure,
                self.options.dir.display(),
                "mend the disk, then start again",
            )
        })?;
        self.meters.set("durable", durable);
        self.control.tell_stopped(durable);
        let _ = std::fs::remove_file(self.options.dir.join("control.sock"));
        Ok(format!(
            "{{\"event\":\"stopped\",\"position\":{position},\"durable\":{durable},\
             \"state_hash\":\"{state_hash:016x}\"}}"
        ))
    }
}

/// What became of rounds, for the counters file.
fn rounds_of(work: &Work) -> [(&'static str, u64); 9] {
    let failed = |why: Failed| work.rounds_failed[why as usize];
    [
        ("rounds_begun", work.rounds_begun),
        ("rounds_joined", work.rounds_joined),
        ("rounds_done", work.rounds_done),
        ("rounds_failed_late", failed(Failed::Late)),
        ("rounds_failed_changes", failed(Failed::Changes)),
        ("rounds_failed_room", failed(Failed::Room)),
        ("rounds_failed_void", failed(Failed::Void)),
        ("rounds_failed_full", failed(Failed::Full)),
        ("bearings", work.bearings),
    ]
}
