//! Beginning and closing connections.

use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use quinn_proto::{ConnectionHandle, VarInt};

use super::connection::Connection;
use super::endpoint::Endpoint;
use super::event::ConnId;
use super::tls::ClientTls;

/// Why a connection could not be begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectError {
    /// All slots are taken.
    Full {
        /// The limit, `Settings::connections_max`.
        connections_max: usize,
    },
    /// quinn-proto refused the address or name.
    Rejected(quinn_proto::ConnectError),
}

impl ConnectError {
    /// Machine-readable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Full { .. } => "quic_connections_full",
            Self::Rejected(_) => "quic_connect",
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full { connections_max } => write!(
                f,
                "{}: all {connections_max} connections are in use; close one or raise the limit",
                self.code()
            ),
            Self::Rejected(cause) => write!(f, "{}: {cause}", self.code()),
        }
    }
}

impl std::error::Error for ConnectError {}

impl Endpoint {
    /// Begins a connection to `address`, whose certificate must be for `server_name`. The outcome
    /// comes as [`Event::Opened`](super::Event::Opened) or
    /// [`Event::Failed`](super::Event::Failed).
    ///
    /// # Errors
    /// [`ConnectError`] when all slots are taken or the address or name cannot be right.
    pub fn connect(
        &mut self,
        now: Instant,
        address: SocketAddr,
        server_name: &str,
        tls: &ClientTls,
    ) -> Result<ConnId, ConnectError> {
        if self.table.is_full() {
            let connections_max = self.settings.connections_max as usize;
            return Err(ConnectError::Full { connections_max });
        }
        let config = self.settings.client_config(tls, self.path(address));
        let (handle, proto) = self
            .proto
            .connect(now, config, address, server_name)
            .map_err(ConnectError::Rejected)?;
        Ok(self.add(now, handle, proto))
    }

    /// Closes a connection; the peer is told `code` and `text`, unsent bytes are dropped, and no
    /// event follows. Does nothing if it is over already.
    pub fn close(&mut self, now: Instant, conn: ConnId, code: u32, text: &str) {
        let Some(connection) = self.table.get_mut(conn) else {
            return;
        };
        connection.close(now, VarInt::from_u32(code), text.as_bytes());
        self.settle(conn.slot());
    }

    /// Gives a new connection, of either side, its place.
    pub(super) fn add(
        &mut self,
        now: Instant,
        handle: ConnectionHandle,
        proto: quinn_proto::Connection,
    ) -> ConnId {
        let deadline = now + self.settings.handshake_timeout();
        let conn = self.table.insert(handle.0, Connection::new(proto, deadline));
        self.settle(handle.0);
        conn
    }
}
