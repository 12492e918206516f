//! The core in process, on one core: CPU time of a move, batches of 100 and of 1,000.

use std::hint::black_box;
use std::time::{Duration, Instant};

use huntgraph_core::schema::{Code, Event, Move, kind};
use huntgraph_core::{Limits, Line, Partition, Sink};

use super::crowd::Crowd;
use super::{Report, Scene, TICK_MOVES, Watch, failure, nanoseconds, thread_cpu};
use crate::failure::Failure;
use crate::log::RawRecord;
use crate::ring::RingWriter;
use crate::serve::emit::{Emit, Tally};

/// Ticks of a window: a second of logged time.
const WINDOW_TICKS: usize = 20;
/// Operations of guidance between two ticks, not timed: what an actor has time for.
const GUIDANCE: u32 = 16_384;
/// Windows of one part at most.
const WINDOWS: usize = 4096;

/// Events into recycled memory, as into a ring but for its stamps.
struct Recycled {
    events: Vec<[u8; 64]>,
    next: usize,
    answers: Vec<u8>,
}

impl Sink for Recycled {
    #[inline]
    fn event(&mut self, event: &Event) {
        self.events[self.next] = event.encode();
        self.next = (self.next + 1) % 4096;
    }
}

/// One way of giving a batch to the core, and the batch's length.
struct Part<'a> {
    name: &'static str,
    wall_name: &'static str,
    batch: usize,
    apply: &'a mut dyn FnMut(&mut Partition, &[RawRecord]) -> u32,
}

struct Bench<'a> {
    partition: Partition<'a>,
    crowd: Crowd,
    moves: Vec<RawRecord>,
    ticks_ns: Vec<u64>,
}

/// CPU and wall time of windows of [`WINDOW_TICKS`] ticks of 4,000 moves each. Ticks and guidance
/// run between the moves and are timed apart. Samples: `whole_100`, `whole_1000` (check, apply,
/// heat, field read, hash; answers and events written to memory), `bare_1000` (nothing written),
/// `actor_1000` (into the actor's ring, answer and log buffers), each with `..._wall`; `tick`.
/// Numbers: `window_moves`, `nodes`, `edges`, `players`, `epoch_age_ticks`.
///
/// # Errors
/// HG3030 when a move was refused or the state hash is wrong at the end, and those of the world.
pub fn apply(scene: &Scene, watch: Watch) -> Result<Report, Failure> {
    let crowd = Crowd::new(&scene.world, scene.players)?;
    let image = |e| failure(e, scene.world.display());
    let (nodes, edges) = (crowd.world().nodes, crowd.world().edges);
    let limits = Limits::new(nodes, edges, scene.players, 8);
    let mut block = vec![Line::default(); limits.total_lines()];
    let partition = Partition::create(&mut block, limits, &crowd.world().view()).map_err(image)?;
    let mut bench = Bench {
        partition,
        crowd,
        moves: vec![[0; 64]; TICK_MOVES],
        ticks_ns: Vec::with_capacity(4 * WINDOWS * WINDOW_TICKS),
    };
    bench.open(scene)?;
    let mut report = Report::default();
    measure_parts(&mut bench, scene, &mut report, watch)?;
    let partition = &bench.partition;
    if partition.rehash() != partition.state_hash() {
        return Err(failure("the state hash is wrong after the walk", "image"));
    }
    let age = partition.header.tick - partition.oldest_epoch();
    report.samples_ns.push(("tick", bench.ticks_ns));
    report.numbers.extend([
        ("window_moves", (TICK_MOVES * WINDOW_TICKS) as f64),
        ("nodes", nodes as f64),
        ("edges", edges as f64),
        ("players", f64::from(scene.players)),
        ("epoch_age_ticks", f64::from(age)),
    ]);
    Ok(report)
}

fn measure_parts(
    bench: &mut Bench,
    scene: &Scene,
    report: &mut Report,
    watch: Watch,
) -> Result<(), Failure> {
    let mut memory = Recycled {
        events: vec![[0; 64]; 4096],
        next: 0,
        answers: Vec::with_capacity(1 << 20),
    };
    let mut whole = |partition: &mut Partition, moves: &[RawRecord]| {
        memory.answers.clear();
        let mut refused = 0;
        partition.apply_batch(moves, &mut memory, |memory, _, answer| {
            memory.answers.extend_from_slice(&answer.update.encode());
            refused += u32::from(answer.update.code != Code::Ok as u16);
        });
        refused
    };
    for (name, wall_name, batch) in [
        ("whole_100", "whole_100_wall", 100),
        ("whole_1000", "whole_1000_wall", 1000),
    ] {
        let apply = &mut whole;
        bench.part(
            Part {
                name,
                wall_name,
                batch,
                apply,
            },
            scene.time,
            report,
            watch,
        )?;
    }
    let mut bare = bare;
    let (name, wall_name, batch) = ("bare_1000", "bare_1000_wall", 1000);
    let apply = &mut bare;
    bench.part(
        Part {
            name,
            wall_name,
            batch,
            apply,
        },
        scene.time,
        report,
        watch,
    )?;
    let path = scene.directory.join("ring");
    let mut ring = RingWriter::open(&path, 16_384).map_err(|e| failure(e, path.display()))?;
    let (mut out, mut log) = (Vec::with_capacity(1 << 20), Vec::with_capacity(1 << 14));
    let mut tally = Tally::NONE;
    let mut actor = |partition: &mut Partition, moves: &[RawRecord]| {
        (out.clear(), log.clear());
        let before = tally.codes[0];
        let mut emit = Emit {
            ring: &mut ring,
            out: &mut out,
            log: &mut log,
            tally: &mut tally,
        };
        partition.apply_batch(moves, &mut emit, |emit, raw, answer| {
            emit.answer(raw, answer)
        });
        moves.len() as u32 - (tally.codes[0] - before)
    };
    let (name, wall_name) = ("actor_1000", "actor_1000_wall");
    let apply = &mut actor;
    bench.part(
        Part {
            name,
            wall_name,
            batch,
            apply,
        },
        scene.time,
        report,
        watch,
    )
}

/// A batch whose answers and events go nowhere; gives how many were refused.
fn bare(partition: &mut Partition, moves: &[RawRecord]) -> u32 {
    let mut refused = 0;
    partition.apply_batch(moves, &mut (), |(), _, answer| {
        refused += u32::from(black_box(answer).update.code != Code::Ok as u16);
    });
    refused
}

impl Bench<'_> {
    /// Loads the hunts, lets everyone in and waits for the first field.
    fn open(&mut self, scene: &Scene) -> Result<(), Failure> {
        for row in scene.hunt.iter().chain(&scene.traffic) {
            self.must(row)?;
        }
        self.tick()?;
        for record in self.crowd.enter() {
            self.must(&record)?;
        }
        self.tick()?;
        while self.partition.has_work() {
            self.partition.work(GUIDANCE);
        }
        self.ticks_ns.clear();
        Ok(())
    }

    fn must(&mut self, record: &RawRecord) -> Result<(), Failure> {
        let answer = self.partition.apply(record, &mut ());
        if answer.update.code == Code::Ok as u16 {
            return Ok(());
        }
        let what = format!(
            "a record of kind {} was refused: {}",
            record[0], answer.update.code
        );
        Err(failure(what, "image"))
    }

    fn tick(&mut self) -> Result<(), Failure> {
        let arg = self.partition.header.tick + 1;
        let record = Move {
            kind: kind::TICK,
            arg,
            ..Move::default()
        };
        let before = thread_cpu();
        self.must(&record.encode())?;
        self.ticks_ns.push(nanoseconds(thread_cpu() - before));
        Ok(())
    }

    fn part(
        &mut self,
        part: Part,
        time: Duration,
        report: &mut Report,
        watch: Watch,
    ) -> Result<(), Failure> {
        let mut cpu_ns = Vec::with_capacity(WINDOWS);
        let mut wall_ns = Vec::with_capacity(WINDOWS);
        let started = Instant::now();
        while cpu_ns.len() < 3 || (started.elapsed() < time && cpu_ns.len() < WINDOWS) {
            watch("")?;
            let (cpu, wall) = self.window(part.batch, part.apply)?;
            cpu_ns.push(nanoseconds(cpu));
            wall_ns.push(nanoseconds(wall));
        }
        report.samples_ns.push((part.name, cpu_ns));
        report.samples_ns.push((part.wall_name, wall_ns));
        Ok(())
    }

    fn window(
        &mut self,
        batch: usize,
        apply: &mut dyn FnMut(&mut Partition, &[RawRecord]) -> u32,
    ) -> Result<(Duration, Duration), Failure> {
        let (mut cpu, mut wall) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..WINDOW_TICKS {
            self.crowd.walk(&mut self.moves);
            let (started, before) = (Instant::now(), thread_cpu());
            let mut refused = 0;
            for moves in self.moves.chunks(batch) {
                refused += apply(&mut self.partition, moves);
            }
            cpu += thread_cpu() - before;
            wall += started.elapsed();
            if refused > 0 {
                return Err(failure(format!("{refused} moves were refused"), "image"));
            }
            self.tick()?;
            self.partition.work(GUIDANCE);
        }
        Ok((cpu, wall))
    }
}
