//! Page faults: a first use of a page leads through the kernel, which a move should not wait for.

use huntgraph_core::Line;
use rustix::mm::{Advice, madvise};

/// Bytes of a page.
pub const PAGE_BYTES: usize = 4096;
/// Depth of the stack that moves and handshakes stay within.
const STACK_BYTES: usize = 64 << 10;

/// Page faults of the calling thread so far, with and without a disk behind them; 0 where the
/// kernel does not say.
pub fn page_faults() -> u64 {
    // SAFETY: all zero is a value of this struct of integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one `rusage` to where it is told.
    if unsafe { libc::getrusage(libc::RUSAGE_THREAD, &raw mut usage) } != 0 {
        return 0;
    }
    (usage.ru_minflt + usage.ru_majflt) as u64
}

/// Lets the kernel put memory behind `bytes` from `start` on now, so that no later use of them is a
/// page fault. Kernels before 5.14 cannot: there each page costs its fault at its first use.
pub fn populate(start: *const u8, bytes: usize) {
    let before = start.addr() % PAGE_BYTES;
    let first = start.wrapping_sub(before).cast_mut();
    // SAFETY: populating changes no byte of any page, whoever owns it, and fails where no page is.
    let _ = unsafe { madvise(first.cast(), bytes + before, Advice::LinuxPopulateWrite) };
}

/// Does so for the stack that the calling thread has yet to use.
#[inline(never)]
pub fn populate_stack() {
    let deep = [0u8; STACK_BYTES];
    std::hint::black_box(&deep);
}

/// Memory for an image of so many lines, all zero and all there. Moves touch it all over, so the
/// kernel is asked for huge pages, whose addresses the processor looks up at once.
pub fn image_block(lines: usize) -> Vec<Line> {
    let mut block: Vec<Line> = Vec::with_capacity(lines);
    let (start, bytes) = (block.as_mut_ptr(), lines * size_of::<Line>());
    let before = start.addr().next_multiple_of(PAGE_BYTES) - start.addr();
    let whole = bytes.saturating_sub(before) / PAGE_BYTES * PAGE_BYTES;
    let first = start.wrapping_byte_add(before);
    // SAFETY: the whole pages lie inside the vector's memory, and advice changes no byte of them.
    let _ = unsafe { madvise(first.cast(), whole, Advice::LinuxHugepage) };
    block.resize(lines, Line::default());
    block
}
