//! The core in process, on one core: CPU time of a move, batches of 100 and of 1,000.

use std::hint::black_box;
use std::time::{Duration, Instant};

use huntgraph_core::schema::{Code, Event, Move, kind};
use huntgraph_core::{Limits, Partition, Sink};

use super::crowd::Crowd;
use super::{GROWTH_ROUNDS, Report, Scene, TICK_MOVES, Watch, failure, nanoseconds, thread_cpu};
use crate::failure::Failure;
use crate::log::RawRecord;
use crate::page_faults::image_block;
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
    const JOURNAL: bool = false;

    #[inline]
    fn event(&mut self, event: &Event) {
        self.events[self.next] = event.encode();
        self.next = (self.next + 1) % 4096;
    }
}

/// Where answers and events of a batch go.
#[derive(Clone, Copy)]
enum Way {
    Memory,
    Nowhere,
    Actor,
}

/// A part of the measurement: names of its samples, way, length of a batch.
const PARTS: [(&str, &str, Way, usize); 4] = [
    ("whole_100", "whole_100_wall", Way::Memory, 100),
    ("whole_1000", "whole_1000_wall", Way::Memory, 1000),
    ("bare_1000", "bare_1000_wall", Way::Nowhere, 1000),
    ("actor_1000", "actor_1000_wall", Way::Actor, 1000),
];

/// All that answers and events can go to, made beforehand.
struct Outlets {
    memory: Recycled,
    ring: RingWriter,
    out: Vec<u8>,
    log: Vec<RawRecord>,
    tally: Tally,
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
    let limits = Limits::of(&crowd.world().view(), scene.players, 8);
    let mut block = image_block(limits.total_lines());
    let partition = Partition::create(&mut block, limits, &crowd.world().view()).map_err(image)?;
    let mut bench = Bench {
        partition,
        crowd,
        moves: vec![[0; 64]; TICK_MOVES],
        ticks_ns: Vec::with_capacity(4 * WINDOWS * WINDOW_TICKS),
    };
    bench.open(scene)?;
    let mut report = Report::default();
    let mut outlets = Outlets::open(scene)?;
    for (name, wall_name, way, batch) in PARTS {
        let mut apply =
            |partition: &mut Partition, moves: &[RawRecord]| outlets.apply(way, partition, moves);
        let (cpu, wall) = bench.windows(batch, scene.time, &mut apply, watch)?;
        report.samples_ns.extend([(name, cpu), (wall_name, wall)]);
    }
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

impl Outlets {
    fn open(scene: &Scene) -> Result<Self, Failure> {
        let path = scene.directory.join("ring");
        Ok(Self {
            memory: Recycled {
                events: vec![[0; 64]; 4096],
                next: 0,
                answers: Vec::with_capacity(1 << 20),
            },
            ring: RingWriter::open(&path, 16_384).map_err(|e| failure(e, path.display()))?,
            out: Vec::with_capacity(1 << 20),
            log: Vec::with_capacity(1 << 14),
            tally: Tally::NONE,
        })
    }

    /// Applies a batch; gives how many of its moves were refused.
    fn apply(&mut self, way: Way, partition: &mut Partition, moves: &[RawRecord]) -> u32 {
        match way {
            Way::Memory => self.memory.apply(partition, moves),
            Way::Nowhere => bare(partition, moves),
            Way::Actor => self.as_actor(partition, moves),
        }
    }

    fn as_actor(&mut self, partition: &mut Partition, moves: &[RawRecord]) -> u32 {
        self.out.clear();
        self.log.clear();
        let before = self.tally.codes[0];
        let mut emit = Emit {
            ring: &mut self.ring,
            out: &mut self.out,
            log: &mut self.log,
            tally: &mut self.tally,
        };
        partition.apply_batch(moves, &mut emit, |emit, raw, answer, receipt| {
            emit.answer(raw, answer, receipt)
        });
        moves.len() as u32 - (self.tally.codes[0] - before)
    }
}

impl Recycled {
    fn apply(&mut self, partition: &mut Partition, moves: &[RawRecord]) -> u32 {
        self.answers.clear();
        let mut refused = 0;
        partition.apply_batch(moves, self, |memory, _, answer, _| {
            memory.answers.extend_from_slice(&answer.update.encode());
            refused += u32::from(answer.update.code != Code::Ok as u16);
        });
        refused
    }
}

/// A batch whose answers and events go nowhere.
fn bare(partition: &mut Partition, moves: &[RawRecord]) -> u32 {
    let mut refused = 0;
    partition.apply_batch(moves, &mut (), |(), _, answer, _| {
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
        let mut moves = vec![[0; 64]; scene.players as usize];
        for _ in 0..GROWTH_ROUNDS {
            self.partition.work(u32::MAX);
            self.crowd.walk(&mut moves);
            self.partition.apply_batch(&moves, &mut (), |(), _, _, _| {});
        }
        self.ticks_ns.clear();
        Ok(())
    }

    fn must(&mut self, record: &RawRecord) -> Result<(), Failure> {
        let answer = self.partition.apply(record, &mut ());
        if answer.update.code == Code::Ok as u16 {
            return Ok(());
        }
        let what = format!("a record of kind {} was refused: {}", record[0], answer.update.code);
        Err(failure(what, "image"))
    }

    fn tick(&mut self) -> Result<(), Failure> {
        let arg = self.partition.header.tick + 1;
        let record = Move { kind: kind::TICK, arg, ..Move::default() };
        let before = thread_cpu();
        self.must(&record.encode())?;
        self.ticks_ns.push(nanoseconds(thread_cpu() - before));
        Ok(())
    }

    /// CPU and wall time of the windows that fit into `time`, at least three.
    fn windows(
        &mut self,
        batch: usize,
        time: Duration,
        apply: &mut dyn FnMut(&mut Partition, &[RawRecord]) -> u32,
        watch: Watch,
    ) -> Result<(Vec<u64>, Vec<u64>), Failure> {
        let mut cpu_ns = Vec::with_capacity(WINDOWS);
        let mut wall_ns = Vec::with_capacity(WINDOWS);
        let started = Instant::now();
        while cpu_ns.len() < 3 || (started.elapsed() < time && cpu_ns.len() < WINDOWS) {
            watch("")?;
            let (cpu, wall) = self.window(batch, apply)?;
            cpu_ns.push(nanoseconds(cpu));
            wall_ns.push(nanoseconds(wall));
        }
        Ok((cpu_ns, wall_ns))
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
