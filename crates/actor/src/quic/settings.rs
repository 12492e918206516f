//! The limits of an endpoint and of each of its connections.
//!
//! The defaults are cut for a public listener on a small machine: a connection may hold at most
//! about 2 MiB (receive plus send window), strangers at most 4 MiB before they are admitted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn_proto::congestion::CubicConfig;
use quinn_proto::{
    ClientConfig, EndpointConfig, IdleTimeout, MtuDiscoveryConfig, ServerConfig, TransportConfig,
    VarInt,
};

use super::tls::{ClientTls, ServerTls};

/// Connection attempts that quinn-proto may hold before this engine has decided on them.
const INCOMING_MAX: usize = 256;
/// Bytes of early packets kept for one undecided attempt.
const INCOMING_BUFFER_BYTES: u64 = 64 << 10;
/// Bytes of early packets kept for all undecided attempts.
const INCOMING_BUFFER_TOTAL_BYTES: u64 = 4 << 20;
/// Smallest datagram size QUIC permits (RFC 9000, section 14).
const DATAGRAM_MIN_BYTES: u16 = 1200;
/// What the headers of IPv6 and UDP take of a packet.
const HEADER_BYTES: u32 = 48;

/// What is known of the way to a peer before anything was sent on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// Over the loopback, which carries datagrams of the largest size: nothing to probe for.
    Loopback,
    /// Over some network, whose datagram size must be found out.
    Network,
}

impl Path {
    /// The way to `peer`, when packets on the loopback may have `loopback_bytes`. Probes are dear
    /// for who receives them: quinn-proto takes their padding for a frame a byte.
    fn to(peer: SocketAddr, loopback_bytes: u32, datagram_bytes: u16) -> Self {
        let fits = loopback_bytes >= u32::from(datagram_bytes) + HEADER_BYTES;
        if fits && peer.ip().to_canonical().is_loopback() { Self::Loopback } else { Self::Network }
    }
}

/// What a server offers to peers, by the way to them.
#[derive(Clone)]
pub(super) struct ServerConfigs {
    network: Arc<ServerConfig>,
    loopback: Arc<ServerConfig>,
}

impl ServerConfigs {
    pub(super) fn on(&self, path: Path) -> Arc<ServerConfig> {
        match path {
            Path::Loopback => self.loopback.clone(),
            Path::Network => self.network.clone(),
        }
    }
}

/// The largest packet of the loopback interface; 0, and so probing, when the system does not tell.
pub(super) fn loopback_bytes() -> u32 {
    let told = std::fs::read_to_string("/sys/class/net/lo/mtu");
    told.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// Limits and times of an endpoint; start from [`Settings::server`] or [`Settings::client`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Connections held at once, closing ones included; further ones are refused.
    pub connections_max: u32,
    /// Handshakes under way above which strangers must first prove their address (one round trip).
    pub retry_above_handshakes: u32,
    /// A handshake that takes longer is given up.
    pub handshake_timeout_ms: u32,
    /// Silence after which a connection counts as lost.
    pub idle_timeout_ms: u32,
    /// Interval of keep-alive packets on a silent connection; 0 is none.
    pub keep_alive_ms: u32,
    /// Round-trip time assumed before the first measurement; the default 200 us fits a local
    /// network. On a distant link it costs a few repeated handshake packets.
    pub initial_rtt_us: u32,
    /// Bidirectional streams a peer may have open (at most [`STREAMS_MAX`]).
    pub streams_max: u8,
    /// Unread bytes a peer may send on one stream.
    pub stream_window_bytes: u32,
    /// Unread bytes a peer may send on one connection.
    pub receive_window_bytes: u32,
    /// Unacknowledged bytes kept for a peer on one connection.
    pub send_window_bytes: u32,
    /// Largest UDP payload to probe for and accept. 1452 fits Ethernet, which the probing finds
    /// by itself; 8952 fits jumbo frames. On the loopback it is used from the start, unprobed, and
    /// takes a frame of 100 moves whole.
    pub datagram_max_bytes: u16,
    /// Send several datagrams by one system call where the kernel can (GSO).
    pub segmentation_offload: bool,
    /// Size asked for the socket's buffers (the kernel may grant less).
    pub socket_buffer_bytes: usize,
}

/// Streams a side may have opened by its peer, and as many by itself.
pub const STREAMS_MAX: u8 = 2;

impl Settings {
    /// Limits of a listening actor.
    #[must_use]
    pub fn server() -> Self {
        Self {
            connections_max: 256,
            retry_above_handshakes: 32,
            handshake_timeout_ms: 5_000,
            idle_timeout_ms: 30_000,
            keep_alive_ms: 0,
            initial_rtt_us: 200,
            streams_max: STREAMS_MAX,
            stream_window_bytes: 256 << 10,
            receive_window_bytes: 1 << 20,
            send_window_bytes: 1 << 20,
            datagram_max_bytes: 8952,
            segmentation_offload: true,
            socket_buffer_bytes: 4 << 20,
        }
    }

    /// Limits of a client: keeps its connections alive, lets servers open no stream.
    #[must_use]
    pub fn client() -> Self {
        Self { connections_max: 64, keep_alive_ms: 10_000, streams_max: 0, ..Self::server() }
    }

    pub(super) fn handshake_timeout(&self) -> Duration {
        Duration::from_millis(self.handshake_timeout_ms.into())
    }

    pub(super) fn endpoint_config(&self) -> Arc<EndpointConfig> {
        let mut config = EndpointConfig::default();
        config
            .max_udp_payload_size(self.datagram_bytes())
            .expect("datagram_bytes() keeps to the range QUIC permits");
        Arc::new(config)
    }

    /// The way to `peer` when packets on the loopback may have `loopback_bytes`.
    pub(super) fn path(&self, peer: SocketAddr, loopback_bytes: u32) -> Path {
        Path::to(peer, loopback_bytes, self.datagram_bytes())
    }

    pub(super) fn server_configs(&self, tls: &ServerTls) -> ServerConfigs {
        let mut network = ServerConfig::with_crypto(tls.0.clone());
        network
            .transport_config(self.transport_config(Path::Network))
            .migration(false)
            .max_incoming(INCOMING_MAX)
            .incoming_buffer_size(INCOMING_BUFFER_BYTES)
            .incoming_buffer_size_total(INCOMING_BUFFER_TOTAL_BYTES);
        let mut loopback = network.clone();
        loopback.transport_config(self.transport_config(Path::Loopback));
        ServerConfigs { network: Arc::new(network), loopback: Arc::new(loopback) }
    }

    pub(super) fn client_config(&self, tls: &ClientTls, path: Path) -> ClientConfig {
        let mut config = ClientConfig::new(tls.0.clone());
        config.transport_config(self.transport_config(path));
        config
    }

    fn datagram_bytes(&self) -> u16 {
        self.datagram_max_bytes.clamp(DATAGRAM_MIN_BYTES, 65_527)
    }

    fn transport_config(&self, path: Path) -> Arc<TransportConfig> {
        let mut search = MtuDiscoveryConfig::default();
        search.upper_bound(self.datagram_bytes());
        let (initial_bytes, search) = match path {
            Path::Loopback => (self.datagram_bytes(), None),
            Path::Network => (DATAGRAM_MIN_BYTES, Some(search)),
        };
        let mut congestion = CubicConfig::default();
        congestion.initial_window(initial_window(initial_bytes));
        let keep_alive = Duration::from_millis(self.keep_alive_ms.into());
        let mut config = TransportConfig::default();
        config
            .max_concurrent_bidi_streams(self.streams_max.min(STREAMS_MAX).into())
            .max_concurrent_uni_streams(VarInt::from_u32(0))
            .stream_receive_window(VarInt::from_u32(self.stream_window_bytes))
            .receive_window(VarInt::from_u32(self.receive_window_bytes))
            .send_window(self.send_window_bytes.into())
            .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(self.idle_timeout_ms))))
            .keep_alive_interval((self.keep_alive_ms > 0).then_some(keep_alive))
            .initial_rtt(Duration::from_micros(self.initial_rtt_us.max(1).into()))
            .datagram_receive_buffer_size(None)
            .congestion_controller_factory(Arc::new(congestion))
            .initial_mtu(initial_bytes)
            .mtu_discovery_config(search)
            .enable_segmentation_offload(self.segmentation_offload);
        Arc::new(config)
    }
}

/// Bytes in flight before the first acknowledgement (RFC 9002, section 7.2). quinn-proto reckons
/// with datagrams of 1,200 bytes, whatever their size: its window may not hold a single one.
fn initial_window(datagram_bytes: u16) -> u64 {
    let bytes = u64::from(datagram_bytes);
    (10 * bytes).min(14_720.max(2 * bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_loopback_that_carries_the_largest_datagrams_is_taken_for_one() {
        let settings = Settings::server();
        let path = |peer: &str, loopback_bytes| {
            settings.path(peer.parse().expect("a literal address"), loopback_bytes)
        };
        for peer in ["127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(path(peer, 65_536), Path::Loopback, "{peer}");
            assert_eq!(path(peer, 9_000), Path::Loopback, "{peer}");
            assert_eq!(path(peer, 8_999), Path::Network, "{peer}");
            assert_eq!(path(peer, 0), Path::Network, "{peer}");
        }
        for peer in ["10.0.0.1:1", "[2001:db8::1]:1", "[::ffff:10.0.0.1]:1"] {
            assert_eq!(path(peer, 65_536), Path::Network, "{peer}");
        }
    }

    #[test]
    fn the_first_window_holds_two_datagrams_and_grows_as_the_standard_says() {
        for (datagram, window) in [(1_200, 12_000), (1_452, 14_520), (1_473, 14_720)] {
            assert_eq!(initial_window(datagram), window);
        }
        assert_eq!(initial_window(8_952), 2 * 8_952);
        assert_eq!(initial_window(65_488), 2 * 65_488);
    }
}
