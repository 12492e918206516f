//! In-memory buses, measured alike: one writer, one reader that spins on the other core, 64 bytes
//! an entry, nothing lost.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::{Report, Watch, failure, nanoseconds};
use crate::failure::Failure;
use crate::ring::{PAYLOAD_WORDS, RingReader, RingWriter, SLOT_WORDS};

/// Slots of every bus measured.
pub const SLOTS: usize = 16_384;
/// Entries of a run as fast as the bus can: 64 MiB, beside which the first use of the bus's memory
/// and the reader's start take no time. How many are given at once (a frame's events), and how many
/// runs at most.
const BURST: usize = 1 << 20;
const BATCH: usize = 64;
const BURSTS: usize = 256;
/// One entry a microsecond, in the paced part, whose runs take turns with those of the floor.
const PERIOD: Duration = Duration::from_micros(1);
const PACED: usize = 1 << 16;
const ROUNDS: usize = 64;
/// Entries at the begin of a paced run that are not timed: the reader's thread starts meanwhile.
const WARM_UP: usize = 2_000;
const SLOT_BYTES: f64 = (SLOT_WORDS * 8) as f64;

/// One entry: its number, when its publishing began and when it was due (nanoseconds), zeros.
pub type Entry = [u64; PAYLOAD_WORDS];

/// Publishes entries (one, or up to 64 at once), waiting while there is no room.
pub type Publish = Box<dyn FnMut(&[Entry])>;

/// A bus to be measured.
pub trait Bus {
    /// Starts a reader that gives every entry, in order, to `taker` and ends when that is done;
    /// gives what publishes.
    ///
    /// # Errors
    /// The bus cannot be made.
    fn open(&mut self, taker: Taker) -> Result<Publish, Failure>;
}

/// The reader's side of a measurement.
pub struct Taker {
    epoch: Instant,
    core: CpuSet,
    numbers: Range<u64>,
    delivery: Vec<u64>,
    due: Vec<u64>,
    stop: Arc<AtomicBool>,
    found: mpsc::Sender<Taken>,
}

struct Taken {
    delivery: Vec<u64>,
    due: Vec<u64>,
    in_order: bool,
}

impl Taker {
    /// Takes the next entry; false when it was the last.
    #[inline]
    pub fn take(&mut self, entry: &Entry) -> bool {
        let [number, began, due, ..] = *entry;
        if number == 0 {
            // Whoever made the reader's thread: it is apart from the writer's.
            pin(&self.core);
        }
        let in_order = number == self.numbers.start;
        if began > 0 {
            let now = nanoseconds(self.epoch.elapsed());
            self.delivery.push(now - began);
            self.due.push(now - due);
        }
        self.numbers.start += 1;
        if in_order && !self.numbers.is_empty() {
            return true;
        }
        let (delivery, due) = (std::mem::take(&mut self.delivery), std::mem::take(&mut self.due));
        // The writer may have given up.
        let _ = self.found.send(Taken { delivery, due, in_order });
        false
    }

    /// Whether the writer has given up.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What came of one run.
struct Run {
    publish: Vec<u64>,
    taken: Taken,
    elapsed: Duration,
}

/// Publishes `count` entries, one each `period` where there is one, until the reader has them all.
fn run(
    bus: &mut dyn Bus,
    core: CpuSet,
    count: usize,
    period: Option<Duration>,
) -> Result<Run, Failure> {
    let epoch = Instant::now();
    let (found, waiting) = mpsc::channel();
    let stop = Arc::new(AtomicBool::new(false));
    let room = || {
        // Written to once, so that no page fault falls into a sample.
        let mut room = vec![u64::MAX; if period.is_some() { count } else { 0 }];
        room.clear();
        room
    };
    let (delivery, due) = (room(), room());
    let numbers = 0..count as u64;
    let taker = Taker { epoch, core, numbers, delivery, due, stop: stop.clone(), found };
    let mut publish = bus.open(taker)?;
    let mut times = room();
    let started = Instant::now();
    match period {
        None => burst(&mut publish, count),
        Some(period) => paced(&mut publish, count, period, epoch, &mut times),
    }
    let taken = waiting.recv_timeout(Duration::from_secs(30));
    let elapsed = started.elapsed();
    stop.store(true, Ordering::Relaxed);
    drop(publish);
    let taken = taken.map_err(|_| failure("the reader did not get all entries", "bus"))?;
    if !taken.in_order {
        return Err(failure("entries came out of order", "bus"));
    }
    Ok(Run { publish: times, taken, elapsed })
}

fn burst(publish: &mut Publish, count: usize) {
    let mut entries = [[0; PAYLOAD_WORDS]; BATCH];
    for first in (0..count).step_by(BATCH) {
        for (at, entry) in entries.iter_mut().enumerate() {
            entry[0] = (first + at) as u64;
        }
        publish(&entries[..BATCH.min(count - first)]);
    }
}

fn paced(
    publish: &mut Publish,
    count: usize,
    period: Duration,
    epoch: Instant,
    times: &mut Vec<u64>,
) {
    let started = Instant::now();
    for number in 0..count {
        let due = started + period * number as u32;
        let mut began = Instant::now();
        while began < due {
            std::hint::spin_loop();
            began = Instant::now();
        }
        if number < WARM_UP {
            publish(&[[number as u64, 0, 0, 0, 0, 0, 0]]);
            continue;
        }
        let [began_ns, due_ns] = [began, due].map(|at| nanoseconds(at - epoch));
        publish(&[[number as u64, began_ns, due_ns, 0, 0, 0, 0]]);
        times.push(nanoseconds(began.elapsed()));
    }
}

/// Open loop at an entry a microsecond, then bursts as fast as the bus can, 64 entries at once.
/// Samples: `publish` (the call), `delivery` (from the begin of the call to the entry in the
/// reader's hands), `due` (the same from when the entry was due), `floor` (as `delivery`: one cache
/// line that is handed over and nothing else, in turns with the bus), `clock` (two looks at the
/// clock, which all contain). Numbers: `gb_per_s` and `best_gb_per_s`, median and best burst, 64
/// bytes an entry.
///
/// # Errors
/// HG3030 when an entry was lost or came out of order.
pub fn measure_bus(bus: &mut dyn Bus, time: Duration, watch: Watch) -> Result<Report, Failure> {
    let before = sched_getaffinity(None).map_err(|e| failure(e, "the threads' cores"))?;
    let [ours, theirs] = two_cores(&before);
    pin(&ours);
    let report = parts(bus, theirs, time, watch);
    pin(&before);
    report
}

fn parts(bus: &mut dyn Bus, core: CpuSet, time: Duration, watch: Watch) -> Result<Report, Failure> {
    let names = ["publish", "delivery", "due", "floor"];
    let mut samples = names.map(|name| (name, Vec::with_capacity(PACED * ROUNDS)));
    let begun = Instant::now();
    for round in 0..ROUNDS {
        if round > 0 && begun.elapsed() > 2 * time {
            break;
        }
        watch("")?;
        let count = PACED.min(WARM_UP + (time.as_nanos() / PERIOD.as_nanos()) as usize);
        let floor = run(&mut Mailbox, core, count, Some(PERIOD))?;
        let run = run(bus, core, count, Some(PERIOD))?;
        let found = [run.publish, run.taken.delivery, run.taken.due, floor.taken.delivery];
        for ((_, all), part) in samples.iter_mut().zip(found) {
            all.extend(part);
        }
    }
    let mut bursts = Vec::with_capacity(BURSTS);
    let begun = Instant::now();
    while bursts.len() < 3 || (begun.elapsed() < time && bursts.len() < BURSTS) {
        watch("")?;
        let burst = run(bus, core, BURST, None)?;
        bursts.push(BURST as f64 * SLOT_BYTES / burst.elapsed.as_secs_f64() / 1e9);
    }
    bursts.sort_by(f64::total_cmp);
    let [middle, best] = [bursts.len() / 2, bursts.len() - 1].map(|at| bursts[at]);
    let clock = (0..10_000).map(|_| nanoseconds(Instant::now().elapsed())).collect();
    Ok(Report {
        numbers: vec![("gb_per_s", middle), ("best_gb_per_s", best)],
        samples_ns: samples.into_iter().chain([("clock", clock)]).collect(),
    })
}

/// The first two cores that this thread may use, or twice the only one.
fn two_cores(allowed: &CpuSet) -> [CpuSet; 2] {
    let mut cores = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core));
    let first = cores.next().unwrap_or(0);
    [first, cores.next().unwrap_or(first)].map(|core| {
        let mut set = CpuSet::new();
        set.set(core);
        set
    })
}

/// Keeps this thread on some cores; without the right to, it goes where the system wants.
fn pin(cores: &CpuSet) {
    let _ = sched_setaffinity(None, cores);
}

/// Measures the ring that an actor publishes its events on, in a file of `directory`.
///
/// # Errors
/// HG3030 when the ring cannot be made or an entry was lost.
pub fn ring(directory: &Path, time: Duration, watch: Watch) -> Result<Report, Failure> {
    measure_bus(&mut OwnRing { path: &directory.join("ring") }, time, watch)
}

struct OwnRing<'a> {
    path: &'a Path,
}

impl Bus for OwnRing<'_> {
    fn open(&mut self, mut taker: Taker) -> Result<Publish, Failure> {
        let bad = |e| failure(e, self.path.display());
        let mut writer = RingWriter::open(self.path, SLOTS).map_err(bad)?;
        let mut reader = RingReader::open(self.path).map_err(bad)?;
        let read = Arc::new(Apart(AtomicU64::new(writer.next_sequence())));
        let reached = read.clone();
        std::thread::spawn(move || {
            let mut entries = [[0; SLOT_WORDS]; 64];
            while !taker.stopped() {
                let batch = reader.read_into(&mut entries);
                for [_, entry @ ..] in &entries[..batch.count] {
                    if !taker.take(entry) {
                        return;
                    }
                }
                read.0.store(batch.first_sequence + batch.count as u64, Ordering::Release);
            }
        });
        // The ring never waits for a reader; here it does, as the others do, so that none is lost.
        let mut known = reached.0.load(Ordering::Acquire);
        let slots = (SLOTS - SLOTS / 8) as u64;
        Ok(Box::new(move |entries| {
            while writer.next_sequence() + entries.len() as u64 - known > slots {
                std::hint::spin_loop();
                known = reached.0.load(Ordering::Acquire);
            }
            if let [entry] = entries {
                writer.publish(entry);
                return;
            }
            for entry in entries {
                writer.put(entry);
            }
            writer.show();
        }))
    }
}

/// The floor: one cache line with one entry in it, taken before the next is put there.
struct Mailbox;

/// On cache lines of its own.
#[repr(align(128))]
#[derive(Default)]
struct Apart<T>(T);

impl Bus for Mailbox {
    fn open(&mut self, mut taker: Taker) -> Result<Publish, Failure> {
        let line = Arc::new(Apart(<[AtomicU64; 4]>::default()));
        let taken = Arc::new(Apart(AtomicU64::new(0)));
        let (theirs, told) = (line.clone(), taken.clone());
        std::thread::spawn(move || {
            let [mark, words @ ..] = &theirs.0;
            for number in 1.. {
                while mark.load(Ordering::Acquire) != number {
                    if taker.stopped() {
                        return;
                    }
                    std::hint::spin_loop();
                }
                let [number, began, due] = words.each_ref().map(|w| w.load(Ordering::Relaxed));
                if !taker.take(&[number, began, due, 0, 0, 0, 0]) {
                    return;
                }
                told.0.store(number + 1, Ordering::Release);
            }
        });
        Ok(Box::new(move |entries| {
            for entry in entries {
                while taken.0.load(Ordering::Acquire) != entry[0] {
                    std::hint::spin_loop();
                }
                let [mark, words @ ..] = &line.0;
                for (cell, word) in words.iter().zip(entry) {
                    cell.store(*word, Ordering::Relaxed);
                }
                mark.store(entry[0] + 1, Ordering::Release);
            }
        }))
    }
}
