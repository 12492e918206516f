//! A descriptor by which one thread wakes another that waits in `poll` or in an event loop.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{EventfdFlags, eventfd};

/// An eventfd: readable from `ring` until `clear`.
pub(super) struct Wake(OwnedFd);

impl Wake {
    /// A descriptor that is not readable.
    ///
    /// # Errors
    /// The system's error when it has no descriptor left.
    pub(super) fn new() -> io::Result<Self> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        Ok(Self(eventfd(0, flags)?))
    }

    /// Makes the descriptor readable.
    pub(super) fn ring(&self) {
        // It can only fail when the count is at its end, and then the descriptor is readable.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Makes the descriptor unreadable.
    pub(super) fn clear(&self) {
        // Nothing to read means that it is clear.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }

    /// The descriptor, to wait for input.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
