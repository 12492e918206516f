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

/// Lets go of all pages of the program and its libraries. Boot has read nearly all of them, and the
/// kernel maps 15 neighbours with each; they stay in the system's cache of files, from where those
/// that are needed again come back, by a page fault each 64 KiB.
pub fn drop_code() {
    // SAFETY: `drop_code_of` has the type asked for, and keeps nothing of what it is given.
    unsafe { libc::dl_iterate_phdr(Some(drop_code_of), std::ptr::null_mut()) };
}

/// Does so for one program or library.
unsafe extern "C" fn drop_code_of(
    object: *mut libc::dl_phdr_info,
    _bytes: usize,
    _data: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the loader tells of an object that is loaded, and of as many headers as there are.
    let (base, segments) = unsafe {
        let libc::dl_phdr_info { dlpi_addr, dlpi_phdr, dlpi_phnum, .. } = *object;
        (dlpi_addr as usize, std::slice::from_raw_parts(dlpi_phdr, dlpi_phnum.into()))
    };
    for segment in segments {
        if segment.p_type != libc::PT_LOAD || segment.p_flags & libc::PF_W != 0 {
            continue;
        }
        let start = base + segment.p_vaddr as usize;
        let (first, end) = (start - start % PAGE_BYTES, start + segment.p_memsz as usize);
        let pages = std::ptr::with_exposed_provenance_mut(first);
        // SAFETY: nothing may write to these pages, so what comes back is as it was.
        let _ = unsafe { madvise(pages, end - first, Advice::LinuxDontNeed) };
    }
    0
}

/// Keeps the kernel from putting a huge page behind the first byte used of these whole pages, as
/// some systems do for all memory.
pub fn keep_pages_small(start: *const u8, bytes: usize) {
    // SAFETY: advice changes no byte of any page.
    let _ = unsafe { madvise(start.cast_mut().cast(), bytes, Advice::LinuxNoHugepage) };
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages of files that this process has mapped and present, from the third number of its statm.
    fn file_pages() -> i64 {
        let statm = std::fs::read_to_string("/proc/self/statm").expect("this process has a statm");
        statm.split(' ').nth(2).and_then(|word| word.parse().ok()).expect("a number")
    }

    #[test]
    fn code_that_was_let_go_comes_back_when_it_is_called() {
        // Other tests call theirs back meanwhile.
        let dropped = (0..100).map(|_| {
            let before = file_pages();
            drop_code();
            before - file_pages()
        });
        assert!(dropped.max() > Some(64), "of the pages of this program and the C library");
    }
}
