//! A file mapped into memory and shared between processes, seen as 64-bit cells.

use rustix::fd::OwnedFd;
use rustix::fs;
use rustix::mm::{self, MapFlags, ProtFlags};
use std::io;
use std::ptr::NonNull;
use std::slice;
use std::sync::atomic::AtomicU64;

/// A shared mapping of a whole file, as `AtomicU64` cells.
///
/// Cells are the only view given out: other processes may write at any time, and relaxed atomic
/// access is what makes that defined.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<AtomicU64>,
    cells: usize,
}

// SAFETY: the mapping is plain shared memory that lives until Drop; it is only reached through
// atomics, which may be used from any thread.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

/// Gives a file its length with all its blocks: a write through a mapping into a hole of a full
/// disk would end the process with SIGBUS instead of an error.
pub fn reserve(file: &OwnedFd, bytes: u64) -> rustix::io::Result<()> {
    match fs::fallocate(file, fs::FallocateFlags::empty(), 0, bytes) {
        // A file system that cannot reserve: the length alone must do.
        Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => fs::ftruncate(file, bytes),
        outcome => outcome,
    }
}

impl Mapping {
    /// Maps `bytes` bytes (a multiple of 4,096, at least one page) of `file` from its start.
    ///
    /// All pages are touched now, so that no later access faults.
    ///
    /// # Errors
    /// `InvalidInput` for a bad length, `UnexpectedEof` when the file is shorter, else the
    /// system's error.
    pub fn new(file: &OwnedFd, bytes: usize, writable: bool) -> io::Result<Self> {
        if bytes == 0 || !bytes.is_multiple_of(4096) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if (fs::fstat(file)?.st_size as u64) < bytes as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let protection =
            if writable { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ };
        let flags = MapFlags::SHARED | MapFlags::POPULATE;
        // SAFETY: a fresh mapping at an address the kernel picks; nothing else refers to it.
        let start = unsafe { mm::mmap(std::ptr::null_mut(), bytes, protection, flags, file, 0)? };
        if writable {
            // POPULATE only maps pages of a file for reading.
            crate::page_faults::populate(start.cast(), bytes);
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, cells: bytes / 8 })
    }

    /// All cells. Storing into a mapping that was opened read-only is a memory fault.
    #[inline]
    pub fn cells(&self) -> &[AtomicU64] {
        // SAFETY: `start` is page-aligned and maps `cells * 8` bytes until Drop; AtomicU64 has the
        // size and alignment of u64 and any bit pattern is a value of it.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.cells) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: unmaps exactly what `new` mapped; no reference outlives `self`.
        let _ = unsafe { mm::munmap(self.start.as_ptr().cast(), self.cells * 8) };
    }
}
