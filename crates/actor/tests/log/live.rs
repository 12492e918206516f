//! The logger's thread on a real disk, read while it writes.

use crate::workload::{PARTITION, WORLD, record};
use huntgraph_actor::disk::RealDisk;
use huntgraph_actor::log::{LogError, LogOptions, LogReader, Logger};
use rustix::event::{PollFd, PollFlags, poll};
use std::path::PathBuf;

pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new(name: &str) -> Self {
        let unique = format!("huntgraph-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(unique).join("log"))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(parent) = self.0.parent() {
            let _ = std::fs::remove_dir_all(parent);
        }
    }
}

fn options() -> LogOptions {
    LogOptions {
        segment_bytes: 256 << 10,
        queue_records: 1024,
        slice_bytes: 64 << 10,
        ..LogOptions::new(PARTITION, WORLD)
    }
}

fn await_wake(logger: &Logger) {
    let wake = logger.wake_fd();
    let mut fds = [PollFd::new(&wake, PollFlags::IN)];
    poll(&mut fds, Some(&rustix::time::Timespec { tv_sec: 10, tv_nsec: 0 })).expect("poll");
    logger.clear_wake();
}

/// Reads a log that is being written, comparing each record, until position `total`.
fn read_to(path: &std::path::Path, total: u64) {
    let disk = RealDisk::open(path).expect("open");
    let mut reader = LogReader::open(disk, PARTITION, WORLD, 1).expect("reader");
    while reader.next_position() <= total {
        let expected = reader.next_position();
        let Some(block) = reader.next_block().expect("block") else {
            std::thread::yield_now();
            continue;
        };
        assert_eq!(block.first_position, expected);
        for (position, found) in (expected..).zip(block.records) {
            assert_eq!(*found, record(position, 0));
        }
    }
}

/// Appends records up to position `total`, a hundred at a time where there is room.
fn write_to(logger: &mut Logger, total: u64) {
    let mut last = 0;
    while logger.next_position() <= total {
        let first = logger.next_position();
        let count = logger.room().min(100).min((total + 1 - first) as usize);
        let records: Vec<_> = (first..).take(count).map(|p| record(p, 0)).collect();
        logger.append(&records, first).expect("room was there");
        logger.commit();
        if count == 0 {
            await_wake(logger);
        }
        assert!(logger.durable() >= last, "the watermark fell");
        last = logger.durable();
    }
}

#[test]
fn a_live_log_is_read_over_many_segments_and_again_after_a_restart() {
    let directory = Directory::new("live");
    let total = 30_000u64;
    let start = || Logger::start(RealDisk::create(&directory.0).expect("directory"), &options());
    let (found, mut logger) = start().expect("start");
    assert_eq!((found.next_position, found.epoch), (1, 1));
    let path = directory.0.clone();
    let reader = std::thread::spawn(move || read_to(&path, total));
    write_to(&mut logger, total);
    while logger.durable() < total {
        await_wake(&logger);
    }
    reader.join().expect("reader");
    assert!(matches!(start(), Err(LogError::Locked { .. })), "a second opener");
    let counts = logger.counts();
    assert!(counts.segments_made >= 6 && counts.seals > 0, "{counts:?}");
    assert_eq!(logger.close(), Ok(total));
    let (found, mut logger) = start().expect("start again");
    assert_eq!((found.durable, found.epoch, found.cut_bytes), (total, 2, 0));
    logger.drop_through(total / 2);
    logger.append(&[record(total + 1, 0)], 0).expect("append");
    assert_eq!(logger.close(), Ok(total + 1));
}

#[test]
fn a_reader_of_dropped_positions_is_told() {
    let directory = Directory::new("dropped");
    let disk = || RealDisk::create(&directory.0).expect("directory");
    let (_, mut logger) = Logger::start(disk(), &options()).expect("start");
    let reader = |from| LogReader::open(disk(), PARTITION, WORLD, from);
    let mut early = reader(1).expect("reader");
    while logger.counts().segments_recycled < 2 {
        let records: Vec<_> =
            (logger.next_position()..).take(logger.room().min(50)).map(|p| record(p, 0)).collect();
        logger.append(&records, 0).expect("append");
        logger.commit();
        await_wake(&logger);
        logger.drop_through(logger.durable());
    }
    let mut blocks = 0;
    let error = loop {
        match early.next_block() {
            Ok(Some(_)) => blocks += 1,
            Ok(None) => panic!("the reader of a dropped segment waits for ever"),
            Err(error) => break error,
        }
    };
    println!("{blocks} blocks, then {error}");
    assert_eq!(error.code(), "log-dropped");
    let Err(LogError::Dropped { wanted: 1, first }) = reader(1) else {
        panic!("position 1 is gone");
    };
    let mut late = reader(first).expect("reader");
    let block = late.next_block().expect("block").expect("a block");
    assert_eq!(block.records[0], record(first, 0));
}
