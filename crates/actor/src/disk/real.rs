//! Files of the operating system, by system calls relative to an open directory.

use super::{Access, Disk, DiskFile};
use rustix::fd::OwnedFd;
use rustix::fs::{self, AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::io;
use std::path::{Path, PathBuf};

/// A directory of the machine's file system.
#[derive(Debug)]
pub struct RealDisk {
    path: PathBuf,
    directory: OwnedFd,
}

/// A file in a [`RealDisk`].
#[derive(Debug)]
pub struct RealFile(OwnedFd);

/// A `flock` on a file, released when dropped (or when the process dies).
#[derive(Debug)]
pub struct RealLock(#[allow(dead_code, reason = "held for its Drop")] OwnedFd);

impl RealDisk {
    /// Opens an existing directory.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref().to_path_buf();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = fs::open(&path, flags, Mode::empty())?;
        Ok(Self { path, directory })
    }

    /// Opens a directory, making it and its parents first where they are missing.
    ///
    /// A new directory's name is synced into its parent: a power cut must not lose the directory
    /// from under its synced files.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        if !path.is_dir() {
            let parent = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            let parent = Self::create(parent)?;
            match fs::mkdir(path, Mode::from_raw_mode(0o750)) {
                Ok(()) | Err(Errno::EXIST) => parent.sync_dir()?,
                Err(error) => return Err(error.into()),
            }
        }
        Self::open(path)
    }

    /// The directory's path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Disk for RealDisk {
    type File = RealFile;
    type Lock = RealLock;

    fn create(&self, name: &str) -> io::Result<RealFile> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o640);
        Ok(RealFile(fs::openat(&self.directory, name, flags, mode)?))
    }

    fn open(&self, name: &str, access: Access) -> io::Result<RealFile> {
        let flags = match access {
            Access::Read => OFlags::RDONLY | OFlags::CLOEXEC,
            Access::Write => OFlags::RDWR | OFlags::CLOEXEC,
        };
        Ok(RealFile(fs::openat(&self.directory, name, flags, Mode::empty())?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(fs::renameat(&self.directory, from, &self.directory, to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        Ok(fs::unlinkat(&self.directory, name, AtFlags::empty())?)
    }

    fn sync_dir(&self) -> io::Result<()> {
        Ok(fs::fsync(&self.directory)?)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::Dir::read_from(&self.directory)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().to_str()
                && name != "."
                && name != ".."
            {
                names.push(name.to_owned());
            }
        }
        Ok(names)
    }

    fn lock(&self, name: &str) -> io::Result<RealLock> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let file = fs::openat(&self.directory, name, flags, Mode::from_raw_mode(0o640))?;
        fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(RealLock(file))
    }

    fn describe(&self) -> String {
        self.path.display().to_string()
    }
}

impl DiskFile for RealFile {
    fn write_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::pwrite(&self.0, bytes, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    bytes = &bytes[written..];
                    offset += written as u64;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match rustix::io::pread(&self.0, &mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(filled)
    }

    fn sync_data(&self) -> io::Result<()> {
        // Not retried on any error: the kernel has then marked the pages clean, and a second call
        // would report success for data that never reached the disk.
        Ok(fs::fdatasync(&self.0)?)
    }

    fn bytes(&self) -> io::Result<u64> {
        Ok(fs::fstat(&self.0)?.st_size as u64)
    }
}
