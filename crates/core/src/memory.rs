//! Memory: lines, and typed slices laid over them.
//!
//! The only file of this crate with unsafe code: it turns one block of cache lines into typed
//! slices, and it issues prefetches. Everything else works on those slices in safe Rust.
#![allow(unsafe_code)]

use core::mem::{size_of, size_of_val};

use crate::added::{Added, Entry};
use crate::border::{Desk, Peer};
use crate::edge_lines::LINE_EDGES;
use crate::guidance::{Field, Label, Page, Pending, Queued, Round, Work};
use crate::half_line::HalfLine;
use crate::history::{self, Marks};
use crate::hunts::Hunt;
use crate::image::Header;
use crate::masks::{MaskBlock, MaskGroup};
use crate::offsets::SHARED;
use crate::players::Player;
use crate::prices::Prices;
use crate::row_group::{GROUP_NODES, RowGroup};
use crate::schema::Arrival;

/// One cache line; a block is a slice of these.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, Default)]
pub struct Line([u64; 8]);

/// The bytes of whole lines, for saving and comparing.
pub fn bytes(block: &[Line]) -> &[u8] {
    // SAFETY: a Line is 64 bytes of plain data without padding; any byte may be read as u8.
    unsafe { core::slice::from_raw_parts(block.as_ptr().cast(), size_of_val(block)) }
}

/// The bytes of whole lines, for loading a saved state.
pub fn bytes_mut(block: &mut [Line]) -> &mut [u8] {
    // SAFETY: as in `bytes`; every bit pattern is a valid Line.
    unsafe { core::slice::from_raw_parts_mut(block.as_mut_ptr().cast(), size_of_val(block)) }
}

/// The bytes of items of the image.
pub(crate) fn bytes_of<T: Plain>(items: &[T]) -> &[u8] {
    // SAFETY: T is Plain: without padding, so that each byte of the items may be read as u8.
    unsafe { core::slice::from_raw_parts(items.as_ptr().cast(), size_of_val(items)) }
}

/// The bytes of items of the image, to be put back as they were.
pub(crate) fn bytes_of_mut<T: Plain>(items: &mut [T]) -> &mut [u8] {
    // SAFETY: as in `bytes_of`; every bit pattern is a valid T.
    unsafe { core::slice::from_raw_parts_mut(items.as_mut_ptr().cast(), size_of_val(items)) }
}

/// Whether two items that take a line each are the same, to the last bit: all at once, without the
/// call of a function or a branch for each word.
#[inline(always)]
pub(crate) fn same<T: Plain>(one: &T, other: &T) -> bool {
    const { assert!(size_of::<T>() == size_of::<Line>()) };
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{
            __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128,
            _mm_setzero_si128, _mm_xor_si128,
        };
        // SAFETY: SSE2 is part of this architecture; the four unaligned loads of each item stay
        // within its 64 bytes, which may all be read, as T is Plain.
        unsafe {
            let load = |item, part| {
                _mm_loadu_si128(core::ptr::from_ref::<T>(item).cast::<__m128i>().add(part))
            };
            let differing = (0..4).fold(_mm_setzero_si128(), |bits, part| {
                _mm_or_si128(bits, _mm_xor_si128(load(one, part), load(other, part)))
            });
            _mm_movemask_epi8(_mm_cmpeq_epi8(differing, _mm_setzero_si128())) == 0xFFFF
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        bytes_of(core::slice::from_ref(one)) == bytes_of(core::slice::from_ref(other))
    }
}

/// Brings the line of `slice[index]` towards the cache; out of range, some other line or none.
#[inline(always)]
pub(crate) fn prefetch<T>(slice: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch never faults and changes nothing, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(slice.as_ptr().wrapping_add(index).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (slice, index);
}

/// Bit per offset: whether it is `wanted`. All at once, with no branch for each to be mistaken in.
#[inline(always)]
pub(crate) fn equal_offsets(offsets: &[i16; SHARED], wanted: i16) -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{
            __m128i, _mm_cmpeq_epi16, _mm_loadu_si128, _mm_movemask_epi8, _mm_packs_epi16,
            _mm_set1_epi16,
        };
        // SAFETY: SSE2 is part of this architecture; the four unaligned loads of eight offsets each
        // stay within the 32 that there are.
        unsafe {
            let wanted = _mm_set1_epi16(wanted);
            let equal = |part| {
                let eight = _mm_loadu_si128(offsets.as_ptr().cast::<__m128i>().add(part));
                _mm_cmpeq_epi16(eight, wanted)
            };
            let sixteen =
                |part| _mm_movemask_epi8(_mm_packs_epi16(equal(part), equal(part + 1))) as u32;
            sixteen(0) | sixteen(2) << 16
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    offsets.iter().rev().fold(0, |bits, &offset| bits << 1 | (offset == wanted) as u32)
}

/// As [`equal_offsets`], of eight.
#[inline(always)]
pub(crate) fn equal_eight(offsets: &[i16; 8], wanted: i16) -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{
            _mm_cmpeq_epi16, _mm_loadu_si128, _mm_movemask_epi8, _mm_packs_epi16, _mm_set1_epi16,
            _mm_setzero_si128,
        };
        // SAFETY: SSE2 is part of this architecture; the unaligned load is of all 16 bytes.
        unsafe {
            let eight = _mm_loadu_si128(offsets.as_ptr().cast());
            let equal = _mm_cmpeq_epi16(eight, _mm_set1_epi16(wanted));
            _mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())) as u32
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    offsets.iter().rev().fold(0, |bits, &offset| bits << 1 | (offset == wanted) as u32)
}

/// Bit per byte: whether, of the bits in `mask`, it has those of `wanted`.
#[inline(always)]
pub(crate) fn equal_bytes(bytes: &[u8; LINE_EDGES], mask: u8, wanted: u8) -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{
            _mm_and_si128, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8,
        };
        // SAFETY: SSE2 is part of this architecture; the unaligned load is of all 16 bytes.
        unsafe {
            let masked = _mm_and_si128(
                _mm_loadu_si128(bytes.as_ptr().cast()),
                _mm_set1_epi8(mask.cast_signed()),
            );
            _mm_movemask_epi8(_mm_cmpeq_epi8(masked, _mm_set1_epi8(wanted.cast_signed()))) as u32
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    bytes.iter().rev().fold(0, |bits, &byte| bits << 1 | (byte & mask == wanted) as u32)
}

/// How many bits are set in the first `count` of sixteen bytes, 15 at most: in all bytes at once.
#[inline(always)]
pub(crate) fn count_bits(bytes: &[u8; GROUP_NODES], count: usize) -> u32 {
    const FIRST: [u8; 2 * GROUP_NODES] = {
        let mut first = [0; 2 * GROUP_NODES];
        first.split_at_mut(GROUP_NODES).0.copy_from_slice(&[u8::MAX; GROUP_NODES]);
        first
    };
    // A window of sixteen, as many of which are ones as are counted.
    let window = FIRST[GROUP_NODES - count % GROUP_NODES..].first_chunk::<GROUP_NODES>();
    let window = window.expect("it lies within");
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{
            _mm_add_epi8, _mm_and_si128, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_sad_epu8,
            _mm_set1_epi8, _mm_setzero_si128, _mm_srli_epi16, _mm_sub_epi8, _mm_unpackhi_epi64,
        };
        // SAFETY: SSE2 is part of this architecture; both unaligned loads are of all 16 bytes.
        unsafe {
            let load = |bytes: &[u8; GROUP_NODES]| _mm_loadu_si128(bytes.as_ptr().cast());
            let bits = _mm_and_si128(load(bytes), load(window));
            // Hamming weights of pairs, of fours, and of bytes, one beside the other.
            let half = |bits, by: u8| _mm_and_si128(bits, _mm_set1_epi8(by.cast_signed()));
            let pairs = _mm_sub_epi8(bits, half(_mm_srli_epi16::<1>(bits), 0x55));
            let fours = _mm_add_epi8(half(pairs, 0x33), half(_mm_srli_epi16::<2>(pairs), 0x33));
            let whole = half(_mm_add_epi8(fours, _mm_srli_epi16::<4>(fours)), 0x0F);
            let sums = _mm_sad_epu8(whole, _mm_setzero_si128());
            (_mm_cvtsi128_si64(sums) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums))) as u32
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    bytes.iter().zip(window).map(|(bits, of)| (bits & of).count_ones()).sum()
}

/// Bit per byte: whether it is not the same in both.
#[inline(always)]
pub(crate) fn unequal_bytes(one: &[u8; LINE_EDGES], other: &[u8; LINE_EDGES]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    {
        use core::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8};
        // SAFETY: SSE2 is part of this architecture; both unaligned loads are of all 16 bytes.
        unsafe {
            let load = |bytes: &[u8; LINE_EDGES]| _mm_loadu_si128(bytes.as_ptr().cast());
            _mm_movemask_epi8(_mm_cmpeq_epi8(load(one), load(other))) as u32 ^ 0xFFFF
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    one.iter().zip(other).rev().fold(0, |bits, (one, other)| bits << 1 | (one != other) as u32)
}

/// Lines that `count` items take, each section starting on a line of its own.
pub(crate) const fn lines<T>(count: usize) -> usize {
    (size_of::<T>() * count).div_ceil(size_of::<Line>())
}

/// Types that may be laid over lines: plain data, every bit pattern valid, no padding.
///
/// # Safety
/// `repr(C)` or primitive, alignment at most 64, no padding, no invalid bit pattern.
pub(crate) unsafe trait Plain {}
macro_rules! plain {
    ($($kind:ty),*) => { $(
        // SAFETY: checked by eye; what would be padding is a field named `spare`.
        unsafe impl Plain for $kind {}
    )* };
}
plain!(u8, u16, i16, u32, u64, Header, Player, Hunt, Line, Marks, Round);
plain!(RowGroup, HalfLine, Prices, Entry, Added, Work, Field, Page, Queued, Pending, Label, Desk);
plain!(Peer, history::Entry, MaskGroup, MaskBlock, [u8; Arrival::BYTES]);

/// Cuts `count` items off the front of `rest`.
pub(crate) fn take<'a, T: Plain>(rest: &mut &'a mut [Line], count: usize) -> &'a mut [T] {
    let whole = core::mem::take(rest);
    let (mine, others) = whole.split_at_mut(lines::<T>(count));
    *rest = others;
    // SAFETY: `mine` is exclusively borrowed for 'a, holds at least `count` items of T, is aligned
    // to 64 >= align_of::<T>(), and T is Plain: every bit pattern is a valid value.
    unsafe { core::slice::from_raw_parts_mut(mine.as_mut_ptr().cast(), count) }
}

/// What stands at the beginning of a block; `None` when the block is too short for it.
pub(crate) fn first_of<T: Plain>(block: &[Line]) -> Option<&T> {
    let whole = block.len() >= lines::<T>(1);
    // SAFETY: the block is long enough, aligned to 64 >= align_of::<T>(), and T is Plain.
    whole.then(|| unsafe { &*block.as_ptr().cast::<T>() })
}
