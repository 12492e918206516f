//! Whole cache lines written past the caches.
//!
//! A line that another core has read costs its writer 30-40 ns to get back, and on the machines
//! measured such requests do not overlap. A line written whole with non-temporal stores is not
//! fetched back at all: 2-7 ns, and the writer's own cache keeps what it needs.

#![allow(unsafe_code)]

use std::sync::atomic::AtomicU64;

/// Words of a line.
pub const LINE_WORDS: usize = 8;

/// One line of shared memory, aligned as lines are.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct Line(pub [AtomicU64; LINE_WORDS]);

// SAFETY: words whose bits are all zero are words.
unsafe impl bytemuck::Zeroable for Line {}

/// Writes a line. Other threads may see its words in any order, and before or after all other
/// stores, until [`stream_fence`] has been called.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn stream(line: &Line, words: &[u64; LINE_WORDS]) {
    use std::arch::x86_64::{__m128i, _mm_set_epi64x, _mm_stream_si128};
    let to = line.0.as_ptr().cast::<__m128i>().cast_mut();
    let (pairs, _) = words.as_chunks::<2>();
    // SAFETY: SSE2 is part of x86-64; `to` holds 64 bytes and is aligned to 64. The target is made
    // of atomics, so writing through a shared reference is allowed, and the memory is shared with
    // other processes, whose accesses Rust cannot know: what they and racing readers here see is
    // the machine's affair. The machine writes each aligned eight bytes whole, as relaxed stores
    // would be, and a racing reader throws away what it has copied. That these stores overtake
    // others is the one difference, which `stream_fence` ends: it comes before any store that
    // tells a reader to look, as the instruction's contract demands.
    unsafe {
        for (part, &[low, high]) in pairs.iter().enumerate() {
            // Put together from both words: loading two at once that were only just stored one by
            // one waits until both are in the cache.
            _mm_stream_si128(to.add(part), _mm_set_epi64x(high as i64, low as i64));
        }
    }
}

/// Orders streamed lines: those before it are seen before any store after it, those after it are
/// not seen before any store before it.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn stream_fence() {
    // SAFETY: SSE is part of x86-64.
    unsafe { std::arch::x86_64::_mm_sfence() };
}

/// Writes a line: here by relaxed stores, which allow what non-temporal ones do.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn stream(line: &Line, words: &[u64; LINE_WORDS]) {
    for (cell, word) in line.0.iter().zip(words) {
        cell.store(*word, std::sync::atomic::Ordering::Relaxed);
    }
}

/// Orders streamed lines: a release fence, where they are relaxed stores.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn stream_fence() {
    std::sync::atomic::fence(std::sync::atomic::Ordering::Release);
}

/// Memory that begins at a line, seen as lines; the rest is left out.
#[inline]
pub fn lines(cells: &[AtomicU64]) -> &[Line] {
    // SAFETY: a line is eight cells with no other demand than its alignment, which `align_to`
    // sees to.
    let (before, lines, _) = unsafe { cells.align_to::<Line>() };
    assert!(before.is_empty(), "a mapping and its header are whole lines");
    lines
}
