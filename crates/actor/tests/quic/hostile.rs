//! Bytes nobody should send neither crash the engine nor touch those who behave.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use huntgraph_actor::quic::{Endpoint, Event, Settings};

use crate::certificates::{Authority, SERVER_NAME};
use crate::flow::round_trip;
use crate::pair::{Echo, Pair, Random, any_port, read_all};

const DATAGRAMS: u32 = 10_000;

/// Random bytes that look more or less like QUIC: any header byte, any length, often a version
/// and lengths that are valid, so that parsers are entered at different depths.
fn hostile(random: &mut Random) -> Vec<u8> {
    let longest = if random.below(2) == 0 { 1_500 } else { 60 };
    let size = 1 + random.below(longest);
    let mut bytes = random.bytes(size);
    if bytes.len() > 8 && random.below(4) > 0 {
        bytes[0] |= 0xc0;
        bytes[1..5].copy_from_slice(&[0, 0, 0, random.below(3) as u8]);
        bytes[5] = 8 + random.below(13) as u8;
    }
    bytes
}

fn flood(pair: &mut Pair, seed: u64) {
    println!("seed {seed}");
    let mut random = Random(seed);
    let attacker = UdpSocket::bind(any_port()).expect("a socket");
    let targets: [SocketAddr; 2] =
        [pair.server_addr(), pair.client.local_addr().expect("client address")];
    for number in 0..DATAGRAMS {
        let bytes = hostile(&mut random);
        attacker.send_to(&bytes, targets[number as usize % 2]).expect("loopback takes it");
        // Often enough that no socket buffer overflows.
        if number % 32 == 0 {
            pair.turn();
        }
    }
}

#[test]
fn ten_thousand_hostile_datagrams_leave_connections_alone() {
    let authority = Authority::new();
    let mut pair = Pair::new(&authority.server(), Settings::server(), Settings::client());
    let conn = pair.open(&authority.client()).client.conn;
    let stream = pair.client.open_stream(conn).expect("a stream");
    flood(&mut pair, 4433);
    assert_eq!(pair.client.write(conn, stream, b"still here"), Ok(10));
    let mut echo = Echo::default();
    let mut back = Vec::new();
    pair.until("echo", |pair| {
        let ended = |event: &Event| matches!(event, Event::Closed { .. });
        assert!(!pair.server_events.iter().chain(&pair.client_events).any(ended));
        echo.serve(pair);
        read_all(&mut pair.client, conn, stream, &mut back);
        (back == b"still here").then_some(())
    });
    let received = pair.server.stats().datagrams_received + pair.client.stats().datagrams_received;
    assert!(received >= u64::from(DATAGRAMS), "only {received} datagrams were received");
    assert_eq!((pair.server.connections(), pair.client.connections()), (1, 1));
}

/// The first datagram of a real client, as an eavesdropper would have it.
pub fn captured_first_datagram(authority: &Authority) -> Vec<u8> {
    let tap = UdpSocket::bind(any_port()).expect("a socket");
    let mut client = Endpoint::client(any_port(), Settings::client()).expect("client socket");
    let now = Instant::now();
    let address = tap.local_addr().expect("an address");
    client.connect(now, address, SERVER_NAME, &authority.client()).expect("a free slot");
    client.transmit(now);
    let mut bytes = vec![0; 2_000];
    let size = tap.recv(&mut bytes).expect("the first datagram");
    bytes.truncate(size);
    bytes
}

#[test]
fn replayed_and_damaged_first_packets_hold_slots_only_for_a_while() {
    let authority = Authority::new();
    let settings = Settings::server();
    let limit = Duration::from_millis(settings.handshake_timeout_ms.into());
    let mut pair = Pair::new(&authority.server(), settings, Settings::client());
    let live = pair.open(&authority.client());
    let seed = 77;
    println!("seed {seed}");
    let mut random = Random(seed);
    let first = captured_first_datagram(&authority);
    let attackers: Vec<_> = (0..20).map(|_| UdpSocket::bind(any_port()).expect("socket")).collect();
    for number in 0..2_000 {
        let mut bytes = first.clone();
        // The connection id is the key of the server's tables: another one is another client, for
        // whom the rest of the packet is noise.
        if number % 3 > 0 {
            let at = random.below(bytes.len() as u64);
            bytes[at] ^= 1 << random.below(8);
        }
        let attacker = &attackers[random.below(20)];
        attacker.send_to(&bytes, pair.server_addr()).expect("loopback takes it");
        if number % 16 == 0 {
            pair.turn();
        }
    }
    pair.until("a false handshake", |pair| (pair.server.connections() > 1).then_some(()));
    pair.now += limit;
    pair.until("the end of all false handshakes", |pair| {
        (pair.server.connections() == 1).then_some(())
    });
    let conn = live.client.conn;
    let stream = pair.client.open_stream(conn).expect("a stream");
    assert_eq!(round_trip(&mut pair, conn, stream, b"still here"), b"still here");
}
