//! The program `hunt-graph` with two planted faults, for the tests of its promise to allocate
//! nothing: of the blocks its threads ask for, one in four comes with an allocation that only the
//! system can serve, and one in 64 of those given back is leaked.

use std::alloc::{GlobalAlloc, Layout};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use huntgraph_actor::allocations::Counting;
use huntgraph_actor::serve::{parse, run};

/// One block in so many comes with an allocation: few are asked for while moves come.
const ALLOCATES: u64 = 4;
/// One block in so many is not given back.
const LEAKS: u64 = 64;

struct Planted;

static TAKEN: AtomicU64 = AtomicU64::new(0);
static GIVEN: AtomicU64 = AtomicU64::new(0);

fn is_due(calls: &AtomicU64, one_in: u64) -> bool {
    calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(one_in)
}

// SAFETY: every call is handed on unchanged; what is allocated beside it is nobody's, and what is
// not given back is used no more.
unsafe impl GlobalAlloc for Planted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_due(&TAKEN, ALLOCATES) {
            // No block of the arena is aligned so.
            let planted = Layout::new::<[u8; 64]>().align_to(4096).expect("a layout");
            // SAFETY: the size is not zero.
            std::hint::black_box(unsafe { Counting.alloc(planted) });
        }
        // SAFETY: the caller keeps the contract.
        unsafe { Counting.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if !is_due(&GIVEN, LEAKS) {
            // SAFETY: as above.
            unsafe { Counting.dealloc(pointer, layout) }
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe { Counting.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Planted = Planted;

fn main() -> ExitCode {
    match parse(lexopt::Parser::from_env()).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}", failure.json());
            ExitCode::FAILURE
        }
    }
}
