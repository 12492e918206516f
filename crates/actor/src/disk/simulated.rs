//! A disk in memory that forgets what was not synced, fails on demand and can be crashed.
//!
//! Model: every file has cached contents (what reads see) and synced contents (what survives);
//! writes between the two wait in one list, in order, together with creations, renames and
//! removals of names, which only `sync_dir` makes survive. A crash keeps, by [`CrashMode`] and
//! seed, some of that list. A failed `sync_data` drops the file's waiting writes but leaves them
//! readable, as Linux does.

use super::crash::{self, CrashMode, Pending};
use super::{Access, Disk, DiskFile};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Lies a disk may be told to tell, so that checkers can be checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flaws {
    /// `sync_data` reports success and does nothing.
    pub skip_sync_data: bool,
    /// `sync_dir` reports success and does nothing.
    pub skip_sync_dir: bool,
    /// `write_at` of zeros over older contents reports success and does nothing.
    pub skip_overwrite_with_zeros: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    pub(super) cached: Vec<u8>,
    pub(super) synced: Vec<u8>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) inodes: Vec<Inode>,
    pub(super) names: BTreeMap<String, usize>,
    pub(super) synced_names: BTreeMap<String, usize>,
    pending: Vec<Pending>,
    operations: u64,
    stop_after: Option<u64>,
    faults: BTreeMap<u64, i32>,
    capacity_bytes: Option<u64>,
    locks: BTreeSet<String>,
    flaws: Flaws,
}

/// A directory of a simulated disk; clones see the same directory.
#[derive(Clone, Debug, Default)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

/// A file in a [`SimulatedDisk`].
#[derive(Debug)]
pub struct SimulatedFile {
    state: Arc<Mutex<State>>,
    inode: usize,
}

/// A held lock of a [`SimulatedDisk`].
#[derive(Debug)]
pub struct SimulatedLock {
    state: Arc<Mutex<State>>,
    name: String,
}

impl SimulatedDisk {
    /// An empty disk that tells the given lies.
    pub fn with_flaws(flaws: Flaws) -> Self {
        let disk = Self::default();
        disk.state().flaws = flaws;
        disk
    }

    /// Changing operations so far (writes, syncs, creations, renames, removals).
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Cuts the power after `operations` changing operations: all later ones fail with `EIO`.
    pub fn stop_after(&self, operations: u64) {
        self.state().stop_after = Some(operations);
    }

    /// Makes the changing operation number `operation` (the first is 1) fail with `errno`.
    pub fn fail_at(&self, operation: u64, errno: i32) {
        self.state().faults.insert(operation, errno);
    }

    /// Limits the sum of all file lengths; growth beyond it fails with `ENOSPC`. `None`: no limit.
    pub fn set_capacity_bytes(&self, capacity_bytes: Option<u64>) {
        self.state().capacity_bytes = capacity_bytes;
    }

    /// The disk after a power cut now, as `mode` and `seed` decide. `self` stays as it is.
    pub fn after_crash(&self, mode: CrashMode, seed: u64) -> Self {
        let state = self.state();
        let survivor = State {
            inodes: state.inodes.clone(),
            synced_names: state.synced_names.clone(),
            flaws: state.flaws,
            ..State::default()
        };
        let survivor = crash::survive(survivor, &state.pending, mode, seed);
        Self { state: Arc::new(Mutex::new(survivor)) }
    }

    /// The disk after a restart of the process alone: all cached contents stay, locks are gone.
    pub fn after_kill(&self) -> Self {
        let state = self.state();
        Self {
            state: Arc::new(Mutex::new(State {
                inodes: state.inodes.clone(),
                names: state.names.clone(),
                synced_names: state.synced_names.clone(),
                pending: state.pending.clone(),
                capacity_bytes: state.capacity_bytes,
                flaws: state.flaws,
                ..State::default()
            })),
        }
    }

    /// What a read of a whole file sees; `None` when there is none.
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let inode = state.names.get(name)?;
        Some(state.inodes[*inode].cached.clone())
    }

    /// Damages a file: `change` edits cached and synced bytes alike.
    pub fn damage(&self, name: &str, change: impl Fn(&mut Vec<u8>)) {
        let mut state = self.state();
        if let Some(&inode) = state.names.get(name) {
            change(&mut state.inodes[inode].cached);
            change(&mut state.inodes[inode].synced);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a changing operation; an error when the power is off or the operation is to fail.
    fn operate(&mut self) -> io::Result<()> {
        if self.is_off() {
            return Err(Errno::IO.into());
        }
        self.operations += 1;
        match self.faults.get(&self.operations) {
            Some(&errno) => Err(io::Error::from_raw_os_error(errno)),
            None => Ok(()),
        }
    }

    fn is_off(&self) -> bool {
        self.stop_after == Some(self.operations)
    }

    fn find(&self, name: &str) -> io::Result<usize> {
        let found = self.names.get(name).copied();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn used_bytes(&self) -> u64 {
        let lengths = self.names.values().map(|&i| self.inodes[i].cached.len());
        lengths.sum::<usize>() as u64
    }

    fn write(&mut self, inode: usize, bytes: &[u8], offset: usize) -> io::Result<()> {
        let end = offset + bytes.len();
        let length = self.inodes[inode].cached.len();
        let growth = end.saturating_sub(length) as u64;
        if growth > 0 && self.capacity_bytes.is_some_and(|limit| self.used_bytes() + growth > limit)
        {
            return Err(Errno::NOSPC.into());
        }
        let zeros = bytes.iter().all(|&byte| byte == 0);
        if self.flaws.skip_overwrite_with_zeros && growth == 0 && zeros {
            return Ok(());
        }
        let cached = &mut self.inodes[inode].cached;
        if cached.len() < end {
            cached.resize(end, 0);
        }
        cached[offset..end].copy_from_slice(bytes);
        self.pending.push(Pending::Write { inode, offset, bytes: bytes.to_vec() });
        Ok(())
    }
}

impl Disk for SimulatedDisk {
    type File = SimulatedFile;
    type Lock = SimulatedLock;

    fn create(&self, name: &str) -> io::Result<SimulatedFile> {
        let mut state = self.state();
        state.operate()?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = state.inodes.len();
        state.inodes.push(Inode::default());
        let name = name.to_owned();
        state.names.insert(name.clone(), inode);
        state.pending.push(Pending::Link { name, inode });
        Ok(SimulatedFile { state: self.state.clone(), inode })
    }

    fn open(&self, name: &str, _access: Access) -> io::Result<SimulatedFile> {
        let state = self.state();
        Ok(SimulatedFile { state: self.state.clone(), inode: state.find(name)? })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        let inode = state.find(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), inode);
        let (from, to) = (from.to_owned(), to.to_owned());
        state.pending.push(Pending::Rename { from, to, inode });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        state.find(name)?;
        state.names.remove(name);
        let name = name.to_owned();
        state.pending.push(Pending::Unlink { name });
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        if !state.flaws.skip_sync_dir {
            let is_write = |pending: &Pending| matches!(pending, Pending::Write { .. });
            state.pending.retain(is_write);
            state.synced_names = state.names.clone();
        }
        Ok(())
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.state();
        Ok(state.names.keys().cloned().collect())
    }

    fn lock(&self, name: &str) -> io::Result<SimulatedLock> {
        if !self.state().locks.insert(name.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(SimulatedLock { state: self.state.clone(), name: name.to_owned() })
    }

    fn describe(&self) -> String {
        "simulated disk".to_owned()
    }
}

impl SimulatedFile {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DiskFile for SimulatedFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.state();
        if let Err(error) = state.operate() {
            // A failed write may still have left a part.
            if !state.is_off() {
                let _ = state.write(self.inode, &bytes[..bytes.len() / 2], offset as usize);
            }
            return Err(error);
        }
        state.write(self.inode, bytes, offset as usize)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.state();
        let cached = &state.inodes[self.inode].cached;
        let start = (offset as usize).min(cached.len());
        let read = buffer.len().min(cached.len() - start);
        buffer[..read].copy_from_slice(&cached[start..start + read]);
        Ok(read)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        let outcome = state.operate();
        let power_is_off = outcome.is_err() && state.is_off();
        if power_is_off || state.flaws.skip_sync_data {
            return outcome;
        }
        let mine = self.inode;
        let of_this_file = |pending: &Pending| match pending {
            Pending::Write { inode, .. } => *inode == mine,
            _ => false,
        };
        let (done, rest) = state.pending.drain(..).partition::<Vec<_>, _>(of_this_file);
        state.pending = rest;
        if outcome.is_ok() {
            for pending in &done {
                state.keep(pending, |_| true);
            }
        }
        outcome
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(self.state().inodes[self.inode].cached.len() as u64)
    }
}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.locks.remove(&self.name);
    }
}
