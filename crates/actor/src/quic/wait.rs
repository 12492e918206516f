//! What a loop does when it has nothing to do.
//!
//! Sleeping costs the wake-up (25-60 us on a shared machine), spinning costs a core and starves
//! whoever needs it. The choice is the operator's: `block` by default, `yield` for low latency,
//! `spin` only on a core that nothing else may use.

use std::io;
use std::str::FromStr;
use std::time::Instant;

use rustix::event::{PollFd, Timespec, poll};
use rustix::thread::sched_yield;

/// The idle policy of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Idle {
    /// Sleep in the kernel until a descriptor is ready or a time has come.
    #[default]
    Block,
    /// Give the core away for a moment, then look again.
    Yield,
    /// Look again at once.
    Spin,
}

/// The word does not name an idle policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownIdle(String);

impl std::fmt::Display for UnknownIdle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "idle_policy: '{}' is none of block, yield, spin", self.0)
    }
}

impl std::error::Error for UnknownIdle {}

impl FromStr for Idle {
    type Err = UnknownIdle;

    fn from_str(word: &str) -> Result<Self, UnknownIdle> {
        match word {
            "block" => Ok(Self::Block),
            "yield" => Ok(Self::Yield),
            "spin" => Ok(Self::Spin),
            _ => Err(UnknownIdle(word.to_owned())),
        }
    }
}

impl Idle {
    /// The policy's word, as read by [`FromStr`].
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Yield => "yield",
            Self::Spin => "spin",
        }
    }

    /// Waits as the policy says for one of `fds` or the `deadline` (`None`: no deadline).
    ///
    /// `Block` returns the number of ready descriptors, told in their `revents`; 0 on the deadline
    /// or a signal. `Yield` and `Spin` look at no descriptor and return 0: the caller polls its
    /// socket anyway, and calls [`look`] for rare ones (a control socket) every so many turns.
    ///
    /// # Errors
    /// The system's error when a descriptor cannot be polled.
    pub fn wait(self, fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<usize> {
        match self {
            Self::Block => block(fds, deadline),
            Self::Yield => {
                sched_yield();
                Ok(0)
            }
            Self::Spin => {
                std::hint::spin_loop();
                Ok(0)
            }
        }
    }
}

/// Looks at `fds` without waiting; returns how many are ready.
///
/// # Errors
/// The system's error when a descriptor cannot be polled.
pub fn look(fds: &mut [PollFd<'_>]) -> io::Result<usize> {
    poll_until(fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
}

fn block(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<usize> {
    let Some(deadline) = deadline else {
        return poll_until(fds, None);
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout = Timespec {
        tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    };
    poll_until(fds, Some(&timeout))
}

/// rustix makes this `ppoll`, whose timeout is in nanoseconds.
fn poll_until(fds: &mut [PollFd<'_>], timeout: Option<&Timespec>) -> io::Result<usize> {
    match poll(fds, timeout) {
        Err(rustix::io::Errno::INTR) => {
            fds.iter_mut().for_each(PollFd::clear_revents);
            Ok(0)
        }
        ready => Ok(ready?),
    }
}
