//! The file operations that the log and the snapshots need, on a real and on a simulated disk.
//!
//! A [`Disk`] is one open directory; names are plain file names in it. Nothing here allocates
//! after boot on the real disk but [`Disk::list`].

mod crash;
mod mapping;
mod real;
mod simulated;

pub use crash::CrashMode;
pub use mapping::{Mapping, reserve};
pub use real::{RealDisk, RealFile, RealLock};
pub use simulated::{Flaws, SimulatedDisk, SimulatedFile, SimulatedLock};

use std::io;

/// What an opened file may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads only.
    Read,
    /// Reads and writes.
    Write,
}

/// One directory of files.
pub trait Disk: Send + 'static {
    /// An open file.
    type File: DiskFile;
    /// A held lock; dropping it releases it.
    type Lock: Send + 'static;

    /// Creates an empty file for writing; `AlreadyExists` when the name is taken.
    fn create(&self, name: &str) -> io::Result<Self::File>;
    /// Opens a file that exists.
    fn open(&self, name: &str, access: Access) -> io::Result<Self::File>;
    /// Renames a file, replacing what stands under `to`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a name.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes all creations, renames and removals so far survive a power cut.
    fn sync_dir(&self) -> io::Result<()>;
    /// All file names, in no order.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Takes an exclusive lock named `name`; `WouldBlock` when another holder has it.
    fn lock(&self, name: &str) -> io::Result<Self::Lock>;
    /// A name of the directory for people, as in error messages.
    fn describe(&self) -> String;
}

/// One open file.
pub trait DiskFile: Send + 'static {
    /// Writes all of `bytes` at `offset` bytes; the file grows as needed.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Reads until `buffer` is full or the file ends; returns the bytes read.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Makes the contents (and the length) survive a power cut.
    fn sync_data(&self) -> io::Result<()>;
    /// Length in bytes.
    fn bytes(&self) -> io::Result<u64>;

    /// Writes zeros over the bytes `from..to`.
    ///
    /// Real writes, not `fallocate`: a sync of a block in an already written extent touches no
    /// metadata, which halves its time.
    fn zero_fill(&self, from: u64, to: u64) -> io::Result<()> {
        static ZEROS: [u8; 16_384] = [0; 16_384];
        let mut at = from;
        while at < to {
            let bytes = (to - at).min(ZEROS.len() as u64);
            self.write_at(&ZEROS[..bytes as usize], at)?;
            at += bytes;
        }
        Ok(())
    }
}
