//! The game server's side of the protocol: one partition, one connection, its own thread.
//!
//! [`Client::send`] puts moves into a window of fixed size and never waits. The thread sends what
//! the window holds, keeps every move until it is settled (a DURABLE covers it, or it was refused
//! without a position), connects again after whatever happens, and sends again what is unsettled.
//! [`Client::take`] hands out the answers, each once, in the order of sending.
//!
//! ```text
//!  send -> | window: numbered moves, their answers, their receipts | -> take
//!                     ^ v  (one lock, held for copies only)
//!              thread: QUIC, frames, back-off, repeats
//! ```
//!
//! Three promises:
//! - A move is applied once: players' moves are told apart by `seq`. Changes of edges have none;
//!   one whose answer was lost with the connection is sent again and may be applied again, in the
//!   same order as before.
//! - A receipt is handed out once its claim is durable, so it is final.
//! - The durable position handed out never covers a move that an actor lost in a crash and that
//!   was applied anew at another position: it stays behind until the new position is durable.
//!
//! Memory is made at the start; a move costs no allocation here after that.

mod backoff;
mod event;
mod handle;
mod judge;
mod reasons;
mod sending;
mod shared;
mod stream;
mod wake;
mod window;
mod worker;

use std::net::SocketAddr;

pub use event::LinkEvent;
pub use handle::{Client, Sent, Taken};
pub use shared::Statistics;

use crate::quic::ClientFiles;

/// How to reach an actor, and the limits of a client. Start from [`Options::new`].
#[derive(Clone, Debug)]
pub struct Options {
    /// The actor's address.
    pub address: SocketAddr,
    /// Name or address that the actor's certificate must be for.
    pub server_name: String,
    /// PEM files of both sides.
    pub files: ClientFiles,
    /// The partition wanted.
    pub partition: u16,
    /// The world expected; 0 takes any.
    pub world_id: u64,
    /// Names this client over reconnects; 0 chooses at random.
    pub client_id: u64,
    /// Moves kept at once: unsettled, or answered and not yet taken.
    pub capacity: usize,
    /// Most unanswered records; the actor's own limit holds too.
    pub in_flight: u32,
    /// Time without a connection, or with nothing but retries, after which the client gives up;
    /// 0 is never.
    pub give_up_ms: u64,
    /// Silence of the actor after which the connection counts as lost.
    pub idle_timeout_ms: u32,
    /// Longest time for one attempt to connect.
    pub handshake_timeout_ms: u32,
}

impl Options {
    /// Options for an actor's address with all else at its default.
    #[must_use]
    pub fn new(address: SocketAddr, server_name: impl Into<String>, files: ClientFiles) -> Self {
        Self {
            address,
            server_name: server_name.into(),
            files,
            partition: 0,
            world_id: 0,
            client_id: 0,
            capacity: 65_536,
            in_flight: u32::MAX,
            give_up_ms: 0,
            idle_timeout_ms: 2_000,
            handshake_timeout_ms: 1_000,
        }
    }
}
