//! The arena: fixed blocks of memory, taken and given back without asking the system.
//!
//! quinn-proto and rustls want memory while they work: nodes of their maps, the state of a new
//! connection. After boot the actor's threads get it from here (see
//! [`allocations`](crate::allocations)), so that it is recycled and never grows.
//!
//! Blocks come in classes of one size each, and a class has one bit a block, set while the block is
//! in use. Taking sets the lowest clear bit by an atomic OR, and the block is the taker's exactly
//! when that OR was the one that set it; giving back clears the bit by an atomic AND. So any thread
//! may take and any other give back, without a lock. There is no list of free blocks, hence no
//! pointer that may go stale between being read and being used (the ABA problem of Treiber's
//! stack). The clearing releases and the setting acquires: what the last owner of a block did to it
//! is over before the next one has it. The lowest block is taken first, so that few blocks in use
//! are few cache lines in use.

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

/// Blocks of one size.
struct Class {
    /// Bytes of a block: 32 or a multiple of 64, which is what it is aligned to.
    size: usize,
    blocks: usize,
}

const fn class(size: usize, blocks: usize) -> Class {
    Class { size, blocks }
}

/// Connections that the arena is cut for.
pub const LINKS: usize = 64;

/// From the smallest blocks to the largest. A connection at rest holds 46 blocks, 23 KiB with what
/// its blocks waste: 9 of up to 32 bytes, 8 of 128, 17 of 256, 3 of 512, 7 of 640, 2 of 1408 and
/// one of 6432. Here is room for [`LINKS`] of them; for handshakes, packets under way and queues of
/// bytes beside them (40 connections were seen to take 2,098 blocks at once while all sent frames
/// of 1,000 moves); and for the largest tables that quinn-proto makes of so many connections.
const CLASSES: [Class; 11] = [
    class(32, 1024),
    class(64, 256),
    class(128, 768),
    class(256, 1280),
    class(512, 256),
    class(640, 704),
    class(1408, 320),
    class(1792, 64),
    class(4096, 40),
    class(6656, 68),
    class(17_408, 4),
];

/// Where the blocks of each class begin, and last where all of them end.
const STARTS: [usize; CLASSES.len() + 1] = {
    let (mut starts, mut at) = ([0; CLASSES.len() + 1], 0);
    while at < CLASSES.len() {
        starts[at + 1] = starts[at] + CLASSES[at].size * CLASSES[at].blocks;
        at += 1;
    }
    starts
};

/// Bytes of all blocks.
const BYTES: usize = STARTS[CLASSES.len()];
/// Words of bits of a class, as many as the class with the most blocks needs.
const WORDS: usize = 20;
/// Greatest alignment that blocks have.
const ALIGN_MAX: usize = 64;

const _: () = {
    let mut at = 0;
    while at < CLASSES.len() {
        assert!(CLASSES[at].blocks <= 64 * WORDS);
        at += 1;
    }
};

#[repr(C, align(4096))]
struct Memory(UnsafeCell<[u8; BYTES]>);

/// The blocks and their bits. All zero at first, so that a static one is no part of the program's
/// file and of no memory until it is populated.
pub struct Arena {
    memory: Memory,
    used: [[AtomicU64; WORDS]; CLASSES.len()],
    in_use: AtomicU64,
    peak: AtomicU64,
}

// SAFETY: the memory is only handed out as blocks, each to one owner at a time (see the module).
unsafe impl Sync for Arena {}

impl Arena {
    /// All blocks free.
    #[expect(clippy::new_without_default, reason = "for statics, which need it const")]
    pub const fn new() -> Self {
        Self {
            memory: Memory(UnsafeCell::new([0; BYTES])),
            used: [const { [const { AtomicU64::new(0) }; WORDS] }; CLASSES.len()],
            in_use: AtomicU64::new(0),
            peak: AtomicU64::new(0),
        }
    }

    /// Puts memory behind the blocks that the connections `links` (of [`LINKS`]) may take: their
    /// share of each class, whose lowest blocks are taken first. Other blocks get theirs when they
    /// are first used.
    pub fn populate(&self, links: Range<usize>) {
        let memory = self.memory.0.get().cast::<u8>();
        if links.start == 0 {
            crate::page_faults::keep_pages_small(memory, BYTES);
        }
        for (class, start) in CLASSES.iter().zip(STARTS) {
            let share = |links: usize| (class.blocks * links).div_ceil(LINKS).min(class.blocks);
            let (from, to) = (share(links.start) * class.size, share(links.end) * class.size);
            crate::page_faults::populate(memory.wrapping_add(start + from), to - from);
        }
    }

    /// Blocks in use.
    pub fn in_use(&self) -> u64 {
        self.in_use.load(Ordering::Relaxed)
    }

    /// The most blocks that were in use at once.
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// A block for `layout`; `None` when its class is used up or there is none for it.
    pub fn take(&self, layout: Layout) -> Option<NonNull<u8>> {
        let class = class_of(layout)?;
        let index = self.claim(class)?;
        let in_use = self.in_use.fetch_add(1, Ordering::Relaxed) + 1;
        self.peak.fetch_max(in_use, Ordering::Relaxed);
        let offset = STARTS[class] + index * CLASSES[class].size;
        // SAFETY: the block lies within the memory, so it stays in bounds and is not null.
        Some(unsafe { NonNull::new_unchecked(self.memory.0.get().cast::<u8>().add(offset)) })
    }

    /// Sets the lowest clear bit of a class and gives its number.
    fn claim(&self, class: usize) -> Option<usize> {
        for (at, word) in self.used[class].iter().enumerate() {
            let mut used = word.load(Ordering::Relaxed);
            while used != u64::MAX {
                let bit = used.trailing_ones();
                let index = 64 * at + bit as usize;
                if index >= CLASSES[class].blocks {
                    return None;
                }
                used = word.fetch_or(1 << bit, Ordering::Acquire);
                if used & 1 << bit == 0 {
                    return Some(index);
                }
            }
        }
        None
    }

    /// Takes a block back; `false` when `pointer` is not of this arena.
    ///
    /// # Safety
    /// If it is of this arena, it was given by [`take`](Self::take) and is used no more.
    pub unsafe fn give(&self, pointer: *mut u8) -> bool {
        let Some((class, index)) = self.place_of(pointer) else {
            return false;
        };
        self.in_use.fetch_sub(1, Ordering::Relaxed);
        let bit = 1 << (index % 64);
        let used = self.used[class][index / 64].fetch_and(!bit, Ordering::Release);
        debug_assert!(used & bit != 0, "a block was given back twice");
        true
    }

    /// Bytes of the block at `pointer`, if it is of this arena.
    pub fn size_of(&self, pointer: *mut u8) -> Option<usize> {
        self.place_of(pointer).map(|(class, _)| CLASSES[class].size)
    }

    fn place_of(&self, pointer: *mut u8) -> Option<(usize, usize)> {
        let offset = pointer.addr().wrapping_sub(self.memory.0.get().addr());
        if offset >= BYTES {
            return None;
        }
        let class = STARTS.iter().rposition(|&start| start <= offset)?;
        Some((class, (offset - STARTS[class]) / CLASSES[class].size))
    }
}

fn class_of(layout: Layout) -> Option<usize> {
    if layout.align() > ALIGN_MAX {
        return None;
    }
    let wanted = layout.size().max(layout.align());
    CLASSES.iter().position(|class| class.size >= wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).expect("a layout")
    }

    #[test]
    fn blocks_are_apart_and_aligned_and_a_class_ends() {
        static ARENA: Arena = Arena::new();
        for class in &CLASSES {
            let mut starts = Vec::new();
            while let Some(block) = ARENA.take(layout(class.size, 32)) {
                assert!(block.addr().get().is_multiple_of(class.size.min(ALIGN_MAX)));
                assert_eq!(ARENA.size_of(block.as_ptr()), Some(class.size));
                starts.push(block.as_ptr());
            }
            assert_eq!(starts.len(), class.blocks);
            assert!(starts.windows(2).all(|pair| pair[1].addr() - pair[0].addr() == class.size));
            let middle = starts[class.blocks / 2];
            // SAFETY: taken above and used no more.
            assert!(unsafe { ARENA.give(middle) });
            assert_eq!(ARENA.take(layout(class.size, 1)).map(NonNull::as_ptr), Some(middle));
        }
        let blocks: usize = CLASSES.iter().map(|class| class.blocks).sum();
        assert_eq!((ARENA.in_use(), ARENA.peak()), (blocks as u64, blocks as u64));
    }

    /// Pages of the blocks that have memory.
    fn pages(arena: &Arena) -> usize {
        let mut present = [0u8; BYTES.div_ceil(4096)];
        // SAFETY: a byte is written for each page of the arena, which begins with a page.
        let told =
            unsafe { libc::mincore(arena.memory.0.get().cast(), BYTES, present.as_mut_ptr()) };
        assert_eq!(told, 0, "{}", std::io::Error::last_os_error());
        present.iter().filter(|&page| page & 1 != 0).count()
    }

    #[test]
    #[cfg_attr(miri, ignore = "the system is asked which pages are there")]
    fn blocks_have_memory_for_as_many_links_as_there_may_be() {
        static ARENA: Arena = Arena::new();
        assert_eq!(pages(&ARENA), 0);
        ARENA.populate(0..LINKS / 8);
        let eighth = BYTES / 8 / 4096;
        assert!((eighth..=eighth + 2 * CLASSES.len()).contains(&pages(&ARENA)));
        for links in LINKS / 8..LINKS {
            ARENA.populate(links..links + 1);
        }
        assert_eq!(pages(&ARENA), BYTES.div_ceil(4096));
        ARENA.populate(LINKS..LINKS + 9);
        assert_eq!(pages(&ARENA), BYTES.div_ceil(4096));
    }

    #[test]
    fn what_has_no_block_is_told() {
        static ARENA: Arena = Arena::new();
        assert!(ARENA.take(layout(CLASSES[CLASSES.len() - 1].size + 1, 1)).is_none());
        assert!(ARENA.take(layout(8, 2 * ALIGN_MAX)).is_none());
        let mut foreign = 0u8;
        // SAFETY: not of this arena.
        assert!(!unsafe { ARENA.give(&raw mut foreign) });
        assert_eq!(ARENA.in_use(), 0);
    }

    /// Four threads take, mark, check and pass on to be given back by another thread.
    #[test]
    fn threads_never_share_a_block() {
        static ARENA: Arena = Arena::new();
        const ROUNDS: u64 = if cfg!(miri) { 200 } else { 200_000 };
        std::thread::scope(|scope| {
            let (senders, receivers): (Vec<_>, Vec<_>) =
                (0..4).map(|_| mpsc::sync_channel::<(usize, u64)>(16)).unzip();
            for (number, receiver) in receivers.into_iter().enumerate() {
                let next = senders[(number + 1) % 4].clone();
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let size = 32 << (round % 4);
                        let mark = number as u64 * ROUNDS + round;
                        if let Some(block) = ARENA.take(layout(size, 8)) {
                            // SAFETY: the block has 8 bytes and is this thread's until passed on.
                            unsafe { block.cast::<u64>().write(mark) };
                            next.send((block.as_ptr().expose_provenance(), mark)).expect("a peer");
                        }
                        while let Ok((address, mark)) = receiver.try_recv() {
                            check_and_give(&ARENA, address, mark);
                        }
                    }
                    drop(next);
                    receiver.iter().for_each(|(address, mark)| {
                        check_and_give(&ARENA, address, mark);
                    });
                });
            }
            drop(senders);
        });
        assert_eq!(ARENA.in_use(), 0);
    }

    fn check_and_give(arena: &Arena, address: usize, mark: u64) {
        let block = std::ptr::with_exposed_provenance_mut::<u8>(address);
        // SAFETY: passed on by its owner, which is this thread now.
        unsafe {
            assert_eq!(block.cast::<u64>().read(), mark, "another owner wrote to this block");
            assert!(arena.give(block));
        }
    }
}
