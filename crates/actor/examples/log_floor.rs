//! Durable latency of the log beside the bare sync of the same disk, in one run.
//!
//! `cargo run --release --example log_floor -- [directory] [seconds]`

use huntgraph_actor::counters::{Counters, Histogram, Kind};
use huntgraph_actor::disk::{Disk, DiskFile, RealDisk};
use huntgraph_actor::log::{LogOptions, Logger};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;
use std::collections::VecDeque;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

const BATCH: usize = 100;
const RECORDS_PER_S: u64 = 80_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let parent = arguments.next().unwrap_or_else(|| ".".to_owned());
    let seconds: u64 = arguments.next().map_or(Ok(3), |text| text.parse())?;
    let directory = Path::new(&parent).join(format!("log-floor-{}", std::process::id()));
    let outcome = measure(&directory, seconds);
    std::fs::remove_dir_all(&directory)?;
    outcome
}

fn measure(directory: &Path, seconds: u64) -> Result<(), Box<dyn Error>> {
    let disk = RealDisk::create(directory)?;
    let names = [("floor_ns", Kind::Histogram), ("durable_ns", Kind::Histogram)];
    let figures = Counters::create(directory.join("figures"), &names, 0)?;
    let (floor, durable) = (figures.histogram("floor_ns")?, figures.histogram("durable_ns")?);
    measure_floor(&disk, &floor, seconds)?;
    let (_, mut logger) = Logger::start(disk, &LogOptions::new(0, 1))?;
    measure_log(&mut logger, &durable, seconds)?;
    println!("{RECORDS_PER_S} records/s in batches of {BATCH} for {seconds} s");
    for (name, figure) in [("write 8 KiB + fdatasync", &floor), ("append to durable", &durable)] {
        println!(
            "{name:24} n {:6}  p50 {:7.1} us  p99 {:8.1} us  max {:8.1} us",
            figure.count(),
            figure.quantile_ns(0.5) / 1e3,
            figure.quantile_ns(0.99) / 1e3,
            figure.max_ns() as f64 / 1e3,
        );
    }
    println!("{:?}", logger.counts());
    logger.close()?;
    Ok(())
}

/// A write and a sync of two pages into a file of zeros, at the log's rhythm.
fn measure_floor(disk: &RealDisk, floor: &Histogram, seconds: u64) -> Result<(), Box<dyn Error>> {
    let file = disk.create("floor")?;
    file.zero_fill(0, 64 << 20)?;
    file.sync_data()?;
    let block = [7; 8192];
    let start = Instant::now();
    for index in 0..seconds * RECORDS_PER_S / BATCH as u64 {
        let due = Duration::from_nanos(index * BATCH as u64 * 1_000_000_000 / RECORDS_PER_S);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        let begun = Instant::now();
        file.write_at(&block, index % 8192 * 8192)?;
        file.sync_data()?;
        floor.record(begun.elapsed().as_nanos() as u64);
    }
    disk.remove("floor")?;
    Ok(())
}

/// Open loop: batches are due at fixed times; a batch's time runs from when it was due.
fn measure_log(
    logger: &mut Logger,
    durable: &Histogram,
    seconds: u64,
) -> Result<(), Box<dyn Error>> {
    let records = [[7; 64]; BATCH];
    let batches = seconds * RECORDS_PER_S / BATCH as u64;
    let mut waiting: VecDeque<(u64, Duration)> = VecDeque::with_capacity(4096);
    let start = Instant::now();
    let mut sent = 0;
    while sent < batches || !waiting.is_empty() {
        let due = Duration::from_nanos(sent * BATCH as u64 * 1_000_000_000 / RECORDS_PER_S);
        if sent < batches && start.elapsed() >= due {
            let first = logger.append(&records, sent)?;
            logger.commit();
            waiting.push_back((first + BATCH as u64 - 1, due));
            sent += 1;
            continue;
        }
        let wait = if sent < batches {
            due.saturating_sub(start.elapsed())
        } else {
            Duration::from_secs(1)
        };
        let timeout =
            Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: i64::from(wait.subsec_nanos()) };
        let wake = logger.wake_fd();
        if poll(&mut [PollFd::new(&wake, PollFlags::IN)], Some(&timeout))? > 0 {
            logger.clear_wake();
        }
        let (now, reached) = (start.elapsed(), logger.durable());
        while let Some(&(last, due)) = waiting.front() {
            if last > reached {
                break;
            }
            durable.record((now - due).as_nanos() as u64);
            waiting.pop_front();
        }
        if let Some(failure) = logger.failed() {
            return Err(Box::new(*failure));
        }
    }
    Ok(())
}
