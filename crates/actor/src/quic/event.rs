//! What an endpoint tells its caller.

use std::fmt;

use quinn_proto::{ConnectionError, StreamId};

/// Names one connection of an endpoint; never names another one later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl ConnId {
    /// Index of the connection's slot, below `Settings::connections_max`: for tables beside the
    /// endpoint. A slot is used again after its connection has ended.
    #[must_use]
    pub fn slot(self) -> usize {
        self.slot as usize
    }
}

/// Something the caller may want to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The handshake is complete.
    Opened {
        /// The new connection.
        conn: ConnId,
        /// SHA-256 of the peer's certificate (DER), also when the session was resumed.
        peer_certificate_sha256: Option<[u8; 32]>,
        /// Whether an earlier session was resumed, so that no certificate was exchanged.
        resumed: bool,
    },
    /// The stream has bytes, its end, or its reset to read; a stream first heard of here was
    /// opened by the peer. Told again when a read was cut short by the caller's buffer.
    Readable {
        /// The connection.
        conn: ConnId,
        /// Its stream.
        stream: StreamId,
    },
    /// A stream that had accepted less than it was given takes bytes again (or was stopped).
    Writable {
        /// The connection.
        conn: ConnId,
        /// Its stream.
        stream: StreamId,
    },
    /// An open connection has ended, not by this side's `close`. What came before can still be
    /// read until the endpoint is driven again.
    Closed {
        /// The connection.
        conn: ConnId,
        /// Why it ended.
        reason: CloseReason,
    },
    /// A handshake (of a client, or one this side began) did not succeed.
    Failed {
        /// The connection that never opened.
        conn: ConnId,
        /// Why it failed.
        reason: CloseReason,
    },
    /// Strangers were refused because all slots are taken.
    Refused {
        /// How many since this was last told; who asks again before it hears so is counted again.
        count: u32,
    },
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer's program closed it with its own code.
    Application {
        /// The code it gave.
        code: u64,
        /// The text it gave.
        text: String,
    },
    /// QUIC or TLS ended it (RFC 9000 section 20.1; `0x100` plus a TLS alert).
    Transport {
        /// The transport error code.
        code: u64,
        /// What is known about it.
        text: String,
        /// Whether the peer found the error (else this side did).
        by_peer: bool,
    },
    /// Nothing was heard of the peer for the idle time, or the handshake took too long.
    TimedOut,
    /// The peer no longer knows the connection (it was restarted).
    Reset,
    /// The peer speaks no version of QUIC that this side does.
    VersionMismatch,
}

/// Transport code of a refusal because of a limit (RFC 9000, section 20.1).
pub const CONNECTION_REFUSED: u64 = 0x2;
/// Transport code base of TLS alerts: the alert's number is added (RFC 9001, section 4.8).
pub const CRYPTO_ERROR: u64 = 0x100;

impl CloseReason {
    /// Machine-readable code of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Application { .. } => "quic_application_close",
            Self::Transport { code: CONNECTION_REFUSED, .. } => "quic_refused",
            Self::Transport { code, .. } if code & !0xff == CRYPTO_ERROR => "quic_tls",
            Self::Transport { .. } => "quic_transport",
            Self::TimedOut => "quic_timed_out",
            Self::Reset => "quic_reset",
            Self::VersionMismatch => "quic_version",
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())?;
        match self {
            Self::Application { code, text } => write!(f, ": peer closed with {code}: {text}"),
            Self::Transport { code, text, by_peer } => {
                let side = if *by_peer { "peer" } else { "this side" };
                write!(f, ": {side} found error {code:#x}: {text}")
            }
            Self::TimedOut => f.write_str(": the peer was silent for too long"),
            Self::Reset => f.write_str(": the peer no longer knows the connection"),
            Self::VersionMismatch => f.write_str(": no common version of QUIC"),
        }
    }
}

impl From<ConnectionError> for CloseReason {
    fn from(error: ConnectionError) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match error {
            ConnectionError::ApplicationClosed(close) => {
                Self::Application { code: close.error_code.into_inner(), text: text(&close.reason) }
            }
            ConnectionError::ConnectionClosed(close) => Self::Transport {
                code: close.error_code.into(),
                text: text(&close.reason),
                by_peer: true,
            },
            ConnectionError::TransportError(error) => {
                Self::Transport { code: error.code.into(), text: error.reason, by_peer: false }
            }
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::Reset => Self::Reset,
            ConnectionError::VersionMismatch => Self::VersionMismatch,
            ConnectionError::LocallyClosed | ConnectionError::CidsExhausted => {
                Self::Transport { code: 0, text: error.to_string(), by_peer: false }
            }
        }
    }
}
