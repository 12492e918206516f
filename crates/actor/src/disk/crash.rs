//! What a power cut leaves of a simulated disk.

use super::simulated::State;

/// What a power cut leaves of the operations that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashMode {
    /// Nothing.
    DropUnsynced,
    /// The first so many, in order.
    KeepPrefix,
    /// The first so many, and a part (any count of bytes) of the next write.
    TearLast,
    /// Any of them; of some writes only some 512-byte sectors.
    Reorder,
}

impl CrashMode {
    /// All modes.
    pub const ALL: [Self; 4] =
        [Self::DropUnsynced, Self::KeepPrefix, Self::TearLast, Self::Reorder];
}

/// An operation that has not been synced.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    Write { inode: usize, offset: usize, bytes: Vec<u8> },
    Link { name: String, inode: usize },
    Rename { from: String, to: String, inode: usize },
    Unlink { name: String },
}

/// Applies what survives of `pending` to a disk that holds what was synced before.
pub(super) fn survive(
    mut survivor: State,
    pending: &[Pending],
    mode: CrashMode,
    seed: u64,
) -> State {
    let mut random = Random(seed);
    let kept = match mode {
        CrashMode::DropUnsynced => 0,
        CrashMode::Reorder => pending.len(),
        CrashMode::KeepPrefix | CrashMode::TearLast => random.below(pending.len() + 1),
    };
    for operation in &pending[..kept] {
        match mode {
            CrashMode::Reorder if random.below(2) == 0 => {}
            CrashMode::Reorder if random.below(3) == 0 => survivor.keep(operation, |at| {
                // One coin a sector, the same for all bytes of it.
                Random(seed ^ (at / 512) as u64).next() & 1 == 0
            }),
            _ => survivor.keep(operation, |_| true),
        }
    }
    if mode == CrashMode::TearLast
        && let Some(operation @ Pending::Write { bytes, .. }) = pending.get(kept)
    {
        let torn_at = random.below(bytes.len() + 1);
        survivor.keep(operation, |at| at < torn_at);
    }
    survivor.names = survivor.synced_names.clone();
    for inode in &mut survivor.inodes {
        inode.cached.clone_from(&inode.synced);
    }
    survivor
}

impl State {
    /// Makes a pending operation survive; of a write only the bytes whose offset in it passes.
    pub(super) fn keep(&mut self, pending: &Pending, passes: impl Fn(usize) -> bool) {
        match pending {
            Pending::Write { inode, offset, bytes } => {
                let synced = &mut self.inodes[*inode].synced;
                for (at, &byte) in bytes.iter().enumerate() {
                    if passes(at) {
                        if synced.len() <= offset + at {
                            synced.resize(offset + at + 1, 0);
                        }
                        synced[offset + at] = byte;
                    }
                }
            }
            Pending::Link { name, inode } => {
                self.synced_names.insert(name.clone(), *inode);
            }
            Pending::Rename { from, to, inode } => {
                if self.synced_names.get(from) == Some(inode) {
                    self.synced_names.remove(from);
                }
                self.synced_names.insert(to.clone(), *inode);
            }
            Pending::Unlink { name } => {
                self.synced_names.remove(name);
            }
        }
    }
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
