//! What can go wrong with a log, each with a code.

use std::fmt;
use std::io;

/// Damage that recovery must not guess away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Segment's sequence.
    pub segment: u32,
    /// Bytes from the segment's start to the damage.
    pub offset: u64,
    /// First position that cannot be read.
    pub first_position: u64,
    /// Last position that is known to have been durable; below `first_position` where no lost
    /// position is known.
    pub last_position: u64,
    /// What was found.
    pub detail: &'static str,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {} is damaged at byte {} ({})", self.segment, self.offset, self.detail)?;
        if self.last_position < self.first_position {
            return write!(f, "; the positions before {} can be read", self.first_position);
        }
        write!(
            f,
            "; positions {}..={} were durable and cannot be read",
            self.first_position, self.last_position
        )
    }
}

/// Failure to open or read a log.
#[derive(Debug)]
pub enum LogError {
    /// An operation of the disk failed.
    Io {
        /// Directory of the log.
        directory: String,
        /// What was being done.
        operation: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// Another process writes this log.
    Locked {
        /// Directory of the log.
        directory: String,
    },
    /// Durable records cannot be read.
    Damaged {
        /// Directory of the log.
        directory: String,
        /// Where and what.
        damage: Damage,
    },
    /// The log belongs to another partition or world, or is of another version.
    Foreign {
        /// Directory of the log.
        directory: String,
        /// What differs.
        detail: String,
    },
    /// The wanted positions have been dropped.
    Dropped {
        /// The position asked for.
        wanted: u64,
        /// The first position that is still there.
        first: u64,
    },
    /// A block that a reader had seen was cut by a recovery and others stand in its place.
    Rewritten {
        /// The first position that must be read again at the latest.
        position: u64,
    },
    /// The options make no sense together.
    Options {
        /// What is wrong and what would be right.
        detail: &'static str,
    },
}

impl LogError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { source, .. } if is_no_space(source) => "log-no-space",
            Self::Io { .. } => "log-io",
            Self::Locked { .. } => "log-locked",
            Self::Damaged { .. } => "log-damaged",
            Self::Foreign { .. } => "log-foreign",
            Self::Dropped { .. } => "log-dropped",
            Self::Rewritten { .. } => "log-rewritten",
            Self::Options { .. } => "log-options",
        }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.code())?;
        match self {
            Self::Io { directory, operation, source } => write!(
                f,
                "cannot {operation} in {directory}: {source}; check the disk, its space and \
                 permissions"
            ),
            Self::Locked { directory } => write!(
                f,
                "{directory} is in use by another actor; stop it or choose another log directory"
            ),
            Self::Damaged { directory, damage } => write!(
                f,
                "{directory}: {damage}; restore the segment from a good copy, or start a new log \
                 from a snapshot of a later position"
            ),
            Self::Foreign { directory, detail } => write!(
                f,
                "{directory} holds another log: {detail}; choose the directory of this partition"
            ),
            Self::Dropped { wanted, first } => write!(
                f,
                "position {wanted} is no longer in the log, the first is {first}; start from a \
                 snapshot"
            ),
            Self::Rewritten { position } => write!(
                f,
                "the log was cut and rewritten near position {position}; open the reader again at \
                 the last durable position"
            ),
            Self::Options { detail } => f.write_str(detail),
        }
    }
}

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// The operation that stopped a log for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was being done.
    pub operation: &'static str,
    /// The system's error number; 0 when there was none.
    pub errno: i32,
    /// Segment being written.
    pub segment: u32,
    /// Last durable position.
    pub durable: u64,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "log-failed: cannot {} (segment {}): {}; nothing after position {} is promised \
             durable; \
             the log stays stopped, check the disk and restart the actor",
            self.operation,
            self.segment,
            io::Error::from_raw_os_error(self.errno),
            self.durable
        )
    }
}

impl std::error::Error for Failure {}

/// Why records were not appended. None of them was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// There is no room now.
    Full {
        /// Records that would fit now.
        room: usize,
        /// Whether the disk has no space for the next segment (else the queue is full: wait).
        no_space: bool,
    },
    /// The log has stopped for good.
    Failed(Failure),
}

impl AppendError {
    /// Stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full { no_space: true, .. } => "log-no-space",
            Self::Full { .. } => "log-full",
            Self::Failed(_) => "log-failed",
        }
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { room, no_space } => write!(
                f,
                "{}: room for {room} records; {}",
                self.code(),
                if *no_space {
                    "the disk has no space for the next segment, free some or take a snapshot"
                } else {
                    "the log is being written, try again after the next commit"
                }
            ),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for AppendError {}

/// Whether an error means that the disk (or the quota) is full.
pub(crate) fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
