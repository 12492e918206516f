//! Memory for an image, on huge pages where the kernel has them.
//!
//! A move touches a dozen lines anywhere in 30 MiB. On pages of 4 KiB nearly each of them misses
//! the processor's table of addresses too (docs/performance.md has the figures).

use huntgraph_core::Line;
use rustix::mm::{Advice, madvise};

const HUGE_BYTES: usize = 2 << 20;

/// So many lines of zeros. The memory is taken at once; the kernel is asked for huge pages before
/// the first of it is used, and goes on with small ones if it has none.
pub fn zeroed_lines(count: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::with_capacity(count);
    let start = lines.as_mut_ptr();
    let before = start.addr().next_multiple_of(HUGE_BYTES) - start.addr();
    let whole = (count * size_of::<Line>()).saturating_sub(before) / HUGE_BYTES * HUGE_BYTES;
    if whole > 0 {
        let first = start.cast::<u8>().wrapping_add(before);
        // SAFETY: advice about pages changes none of their bytes, and all lie in the vector.
        let _ = unsafe { madvise(first.cast(), whole, Advice::LinuxHugepage) };
    }
    lines.resize(count, Line::default());
    lines
}
