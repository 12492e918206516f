//! After its start the log allocates nothing, neither on its own thread nor on its caller's, over
//! many segments and recyclings. Other threads, as of the test harness, are not counted.

use huntgraph_actor::allocations::{Counting, blocks_peak, count, seal};
use huntgraph_actor::disk::RealDisk;
use huntgraph_actor::log::{LogOptions, Logger};
use rustix::event::{PollFd, PollFlags, poll};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Appends until `recycled` segments were recycled.
fn work(logger: &mut Logger, recycled: u64, leak: bool) {
    let records = [[7; 64]; 100];
    while logger.counts().segments_recycled < recycled {
        let count = logger.room().min(records.len());
        logger.append(&records[..count], 1).expect("room was there");
        logger.commit();
        if leak {
            std::hint::black_box(Box::new(count));
        }
        let wake = logger.wake_fd();
        poll(&mut [PollFd::new(&wake, PollFlags::IN)], None).expect("poll");
        logger.clear_wake();
        logger.drop_through(logger.durable());
    }
}

#[test]
fn nothing_is_allocated_after_start() {
    let directory =
        std::env::temp_dir().join(format!("huntgraph-allocations-{}", std::process::id()));
    let disk = RealDisk::create(&directory).expect("directory");
    let options =
        LogOptions { segment_bytes: 64 << 10, queue_records: 1024, ..LogOptions::new(1, 2) };
    let (_, mut logger) = Logger::start(disk, &options).expect("start");
    // The log's own thread has sealed itself before it wrote the first block.
    seal();
    work(&mut logger, 20, false);
    let clean = (count(), blocks_peak());
    work(&mut logger, 24, true);
    let leaking = (count(), blocks_peak());
    let end = logger.close();
    std::fs::remove_dir_all(&directory).expect("clean up");
    end.expect("closed whole");
    assert_eq!(clean, (0, 0), "allocations and blocks after start");
    assert_eq!(leaking, (0, 1), "the planted allocation is seen");
}
