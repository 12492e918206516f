//! Counting heap allocations on a move's way.
//!
//! The program `hunt-graph` allocates through [`Counting`]. Once the actor's thread has booted it
//! calls [`seal`]; from then on each allocation of that thread is counted, and the count is a
//! number of the counters file. The core cannot allocate at all (`no_std` without `alloc`); what is
//! counted is the work around it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

thread_local! {
    // Const and without a destructor: reading it allocates nothing.
    static SEALED: Cell<bool> = const { Cell::new(false) };
}

static COUNT: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, counting what sealed threads ask of it.
pub struct Counting;

/// From here on this thread's allocations are counted.
pub fn seal() {
    SEALED.set(true);
}

/// Allocations and reallocations of sealed threads so far; 0 in programs without [`Counting`].
pub fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

fn note() {
    // A thread that is ending has no cell any more, and is no move's way either.
    if SEALED.try_with(Cell::get).unwrap_or(false) {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call is handed on to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps GlobalAlloc's contract, which is System's too.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
