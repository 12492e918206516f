//! After its start the log allocates nothing, on no thread, over many segments and recyclings.

use huntgraph_actor::disk::RealDisk;
use huntgraph_actor::log::{LogOptions, Logger};
use rustix::event::{PollFd, PollFlags, poll};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: forwards to the system's allocator unchanged; only counts.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Appends until `recycled` segments were recycled; allocations of all threads meanwhile.
fn work(logger: &mut Logger, recycled: u64, leak: bool) -> u64 {
    let records = [[7; 64]; 100];
    let before = ALLOCATIONS.load(Ordering::Relaxed);
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
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

#[test]
fn nothing_is_allocated_after_start() {
    let directory =
        std::env::temp_dir().join(format!("huntgraph-allocations-{}", std::process::id()));
    let disk = RealDisk::create(&directory).expect("directory");
    let options =
        LogOptions { segment_bytes: 64 << 10, queue_records: 1024, ..LogOptions::new(1, 2) };
    let (_, mut logger) = Logger::start(disk, &options).expect("start");
    // The test harness's own threads settle meanwhile.
    work(&mut logger, 2, false);
    let clean = work(&mut logger, 20, false);
    let leaking = work(&mut logger, 24, true);
    let end = logger.close();
    std::fs::remove_dir_all(&directory).expect("clean up");
    end.expect("closed whole");
    assert_eq!(clean, 0, "allocations after start");
    assert!(leaking > 0, "the counter sees a planted allocation");
}
