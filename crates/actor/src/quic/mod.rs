//! QUIC driven by hand: quinn-proto, one socket, one thread, no runtime.
//!
//! An actor receives, applies, answers and sends on one thread, because handing a packet to another
//! thread costs more (25-60 us) than everything QUIC does to it (3 us). So nothing here waits,
//! calls back or spawns: the caller's loop asks for each step.
//!
//! ```text
//!        .-> poll_receive -> handle_timeouts -> next_event* -> read* -> write* -> transmit -.
//!        '------------------ wait (fd, next_timeout; see Idle) <----------------------------'
//! ```
//!
//! A server that echoes what it reads:
//!
//! ```no_run
//! use std::time::Instant;
//! use huntgraph_actor::quic::{Endpoint, Event, Idle, IdentityFiles, Read, ServerFiles, Settings};
//! use rustix::event::{PollFd, PollFlags};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let identity = IdentityFiles {
//!     certificate_chain: "server.pem".into(),
//!     private_key: "server.key".into(),
//! };
//! let tls = ServerFiles { identity, authority: "authority.pem".into() }.load()?;
//! let mut endpoint = Endpoint::server("127.0.0.1:4433".parse()?, &tls, Settings::server())?;
//! let mut buffer = vec![0; 64 << 10];
//! loop {
//!     let now = Instant::now();
//!     endpoint.poll_receive(now)?;
//!     endpoint.handle_timeouts(now);
//!     while let Some(event) = endpoint.next_event() {
//!         if let Event::Readable { conn, stream } = event {
//!             while let Read::Data(count) = endpoint.read(conn, stream, &mut buffer) {
//!                 // A real caller keeps what was not taken, and offers it at `Writable`.
//!                 let _taken = endpoint.write(conn, stream, &buffer[..count])?;
//!             }
//!         }
//!     }
//!     endpoint.transmit(now);
//!     let mut interest = PollFlags::IN;
//!     interest.set(PollFlags::OUT, endpoint.wants_write());
//!     let deadline = endpoint.next_timeout();
//!     Idle::Block.wait(&mut [PollFd::from_borrowed_fd(endpoint.fd(), interest)], deadline)?;
//! }
//! # }
//! ```
//!
//! Rules of use:
//! - The first stream a client opens is the connection's stream; a second one is for control.
//! - A stream is a flow of bytes: frames are cut out of it by the caller, who checks their length
//!   before keeping them.
//! - Batches are written whole. A peer that does not read makes `write` take less, down to nothing,
//!   and costs its own connection's windows, no more.
//! - `transmit` must follow whatever was done, and be called again when it returned false and the
//!   socket is writable.
//! - QUIC's acknowledgements say nothing about the peer's program and come up to 25 ms late; they
//!   are not shown. What was applied, the peer must say itself.
//!
//! Memory: all tables and buffers are made at the start. A message of one write and one read costs
//! no allocation here; what is left is inside quinn-proto (its list of unacknowledged writes gives
//! its memory back when it is empty, its map of sent packets has nodes) and the state of a
//! connection, about 23 KB: an actor serves them from its [arena](crate::arena).
//! [`EndpointStats::buffers_grown`] counts when slow peers held all buffers.
//!
//! Sources: RFC 9000 (QUIC), RFC 9001 (its TLS), RFC 9002 (recovery).

mod buffers;
mod connect;
mod connection;
mod endpoint;
mod event;
mod exchange;
mod intake;
mod settings;
mod socket;
mod stream;
mod table;
mod tls;
mod verifier;
mod wait;

pub use connect::ConnectError;
pub use endpoint::{Endpoint, EndpointStats};
pub use event::{CONNECTION_REFUSED, CRYPTO_ERROR, CloseReason, ConnId, Event};
pub use quinn_proto::StreamId;
pub use settings::{STREAMS_MAX, Settings};
pub use stream::{Read, WriteRefused};
pub use tls::{ClientFiles, ClientTls, IdentityFiles, PROTOCOL, ServerFiles, ServerTls, TlsError};
pub use wait::{Idle, UnknownIdle, look};
