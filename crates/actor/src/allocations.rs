//! Heap allocations after boot: there are none, and they are counted so that it can be seen.
//!
//! The program `hunt-graph` allocates through [`Counting`]. Until a thread has booted it gets its
//! memory from the system. Then it calls [`seal`]: what it asks for from then on is a block of the
//! [arena](crate::arena), and where the arena has none the system is asked after all, and [`count`]
//! goes up by one. So the count is of heap allocations after boot, and the arena's own numbers
//! ([`blocks_in_use`], [`blocks_peak`]) show what it stands in for. The core cannot allocate at all
//! (`no_std` without `alloc`); what is counted is the work around it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use crate::arena::Arena;
use crate::page_faults::{PAGE_BYTES, keep_pages_small};

/// From this size on memory is whole pages of the system's, by a mapping of its own. The C library
/// would write a word before each, and so put a page behind every buffer that is only reserved, and
/// would keep what boot needed once.
const LARGE: usize = 32 << 10;

thread_local! {
    // Const and without a destructor: reading it allocates nothing.
    static SEALED: Cell<bool> = const { Cell::new(false) };
}

static COUNT: AtomicU64 = AtomicU64::new(0);
static ARENA: Arena = Arena::new();
/// Connections for which the arena has memory.
static POPULATED: AtomicUsize = AtomicUsize::new(0);

/// The program's allocator: the system's, with the arena before it for sealed threads.
pub struct Counting;

/// From here on this thread is served by the arena, and what the arena cannot serve is counted.
pub fn seal() {
    SEALED.set(true);
}

/// Puts memory behind the blocks of the arena that so many connections may take, if there were
/// never so many.
pub fn populate(links: usize) {
    let before = POPULATED.fetch_max(links, Ordering::Relaxed);
    if before < links {
        ARENA.populate(before..links);
    }
}

/// Allocations and reallocations that sealed threads had of the system so far; 0 in programs
/// without [`Counting`].
pub fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// Blocks of the arena in use.
pub fn blocks_in_use() -> u64 {
    ARENA.in_use()
}

/// The most blocks of the arena that were ever in use at once.
pub fn blocks_peak() -> u64 {
    ARENA.peak()
}

/// A block for a sealed thread, or `None` for the system to serve; counts what a sealed thread
/// cannot have.
fn take(layout: Layout) -> Option<NonNull<u8>> {
    // A thread that is ending has no cell any more, and is no move's way either.
    if !SEALED.try_with(Cell::get).unwrap_or(false) {
        return None;
    }
    let block = ARENA.take(layout);
    if block.is_none() {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
    block
}

/// Whether the system gives pages for `layout`.
fn is_large(layout: Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= PAGE_BYTES
}

/// Fresh pages, all zero; null when the system has none.
fn map(bytes: usize) -> *mut u8 {
    let rights = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a mapping at an address the kernel picks, which nothing else refers to.
    let start = unsafe { mmap_anonymous(ptr::null_mut(), bytes, rights, MapFlags::PRIVATE) };
    let Ok(start) = start else { return ptr::null_mut() };
    keep_pages_small(start.cast(), bytes);
    start.cast()
}

/// The system's memory for `layout`.
///
/// # Safety
/// As of [`GlobalAlloc::alloc`].
unsafe fn system_alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the caller keeps GlobalAlloc's contract, which is System's too.
    if is_large(layout) { map(layout.size()) } else { unsafe { System.alloc(layout) } }
}

// SAFETY: memory is a block of the arena, which is the caller's alone until given back, pages of
// their own, or the system's, whose contract is handed on. Which of the three it is, its address
// and its layout tell, on whatever thread it is freed. Counting and the arena allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match take(layout) {
            Some(block) => block.as_ptr(),
            // SAFETY: the caller keeps the contract.
            None => unsafe { system_alloc(layout) },
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some(block) = take(layout) else {
            if is_large(layout) {
                return map(layout.size());
            }
            // SAFETY: as above.
            return unsafe { System.alloc_zeroed(layout) };
        };
        // SAFETY: a block has at least the bytes asked for.
        unsafe { block.write_bytes(0, layout.size()) };
        block.as_ptr()
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if ARENA.size_of(pointer).is_some_and(|room| size <= room) {
            return pointer;
        }
        // SAFETY: the caller promises that `size` is not too large for this alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        let stays = ARENA.size_of(pointer).is_none() && !is_large(layout) && !is_large(wanted);
        let moved = match take(wanted) {
            Some(block) => block.as_ptr(),
            // SAFETY: as above; the C library's memory may go on as such.
            None if stays => return unsafe { System.realloc(pointer, layout, size) },
            // SAFETY: as above.
            None => unsafe { system_alloc(wanted) },
        };
        if !moved.is_null() {
            // SAFETY: both are there, apart from each other, and have as many bytes; the old one
            // is the caller's no more.
            unsafe {
                ptr::copy_nonoverlapping(pointer, moved, layout.size().min(size));
                self.dealloc(pointer, layout);
            }
        }
        moved
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller gives up what it was given, by the arena or by the system.
        unsafe {
            match (ARENA.give(pointer), is_large(layout)) {
                (true, _) => {}
                (false, true) => drop(munmap(pointer.cast(), layout.size())),
                (false, false) => System.dealloc(pointer, layout),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 64).expect("a layout")
    }

    #[test]
    fn memory_keeps_its_bytes_from_the_heap_to_pages_of_its_own_and_back() {
        let sizes = [100, LARGE - 1, LARGE, 3 * LARGE + 1, LARGE, LARGE - 1, 50];
        let mut before = layout(sizes[0]);
        // SAFETY: every size is above zero, each pointer is used with the layout that it was asked
        // for with, and no more once it was grown or given back.
        unsafe {
            let mut memory = Counting.alloc_zeroed(before);
            memory.write_bytes(7, 50);
            for size in sizes {
                memory = Counting.realloc(memory, before, size);
                before = layout(size);
                assert!((0..50).all(|at| memory.add(at).read() == 7), "{size}");
                memory.add(size - 1).write(7);
                assert_eq!(is_large(before), size >= LARGE);
                assert!(size < LARGE || memory.addr().is_multiple_of(PAGE_BYTES), "{size}");
            }
            Counting.dealloc(memory, before);
        }
    }

    #[test]
    fn large_memory_is_zero_when_it_is_asked_to_be() {
        // SAFETY: as above.
        unsafe {
            for _ in 0..3 {
                let memory = Counting.alloc_zeroed(layout(LARGE));
                assert!((0..LARGE).all(|at| memory.add(at).read() == 0));
                memory.write_bytes(7, LARGE);
                Counting.dealloc(memory, layout(LARGE));
            }
        }
    }

    #[test]
    fn what_no_address_space_holds_is_not_given() {
        // SAFETY: as above.
        assert!(unsafe { Counting.alloc(layout(isize::MAX as usize - 63)) }.is_null());
    }
}
