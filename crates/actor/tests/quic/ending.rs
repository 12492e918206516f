//! How connections and streams end, and what the other side learns of it.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use huntgraph_actor::quic::{CloseReason, Event, Read, Settings, WriteRefused};

use crate::certificates::{Authority, SERVER_NAME};
use crate::pair::{Pair, any_port, sleep, step};

#[test]
fn the_peer_sees_code_and_text_of_a_close() {
    let authority = Authority::new();
    let mut pair = Pair::new(&authority.server(), Settings::server(), Settings::client());
    let ends = pair.open(&authority.client());
    let stream = pair.client.open_stream(ends.client.conn).expect("a stream");
    pair.server.close(Instant::now(), ends.server.conn, 77, "malformed frame");
    let reason = pair.client_end(ends.client.conn);
    let expected = CloseReason::Application { code: 77, text: "malformed frame".to_owned() };
    assert_eq!(reason, expected);
    pair.until("free slots", |pair| {
        (pair.server.connections() + pair.client.connections() == 0).then_some(())
    });
    assert!(pair.server_events.is_empty(), "the closer is told nothing: {:?}", pair.server_events);
    assert_eq!(pair.client.read(ends.client.conn, stream, &mut [0; 8]), Read::Closed);
}

#[test]
fn bytes_sent_before_a_close_can_be_read_when_it_is_told() {
    let authority = Authority::new();
    let mut pair = Pair::new(&authority.server(), Settings::server(), Settings::client());
    let ends = pair.open(&authority.client());
    let conn = ends.server.conn;
    let stream = pair.client.open_stream(ends.client.conn).expect("a stream");
    assert_eq!(pair.client.write(ends.client.conn, stream, b"last words"), Ok(10));
    pair.client.transmit(Instant::now());
    pair.client.close(Instant::now(), ends.client.conn, 1, "bye");
    pair.client.transmit(Instant::now());
    assert_eq!(pair.server_end(conn).code(), "quic_application_close");
    let mut buffer = [0; 64];
    assert_eq!(pair.server.read(conn, stream, &mut buffer), Read::Data(10));
    assert_eq!(&buffer[..10], b"last words");
}

#[test]
fn the_peer_sees_the_code_of_a_reset_in_both_directions() {
    let authority = Authority::new();
    let mut pair = Pair::new(&authority.server(), Settings::server(), Settings::client());
    let ends = pair.open(&authority.client());
    let conn = ends.server.conn;
    let stream = pair.client.open_stream(ends.client.conn).expect("a stream");
    assert_eq!(pair.client.write(ends.client.conn, stream, &[1; 64]), Ok(64));
    let same = pair.server_stream(conn);
    let mut buffer = [0; 128];
    assert_eq!(pair.server.read(conn, same, &mut buffer), Read::Data(64));
    pair.client.reset(ends.client.conn, stream, 5);
    pair.client.transmit(Instant::now());
    pair.server_stream(conn);
    assert_eq!(pair.server.write(conn, same, &[1; 64]), Err(WriteRefused::Stopped(5)));
    assert_eq!(pair.server.read(conn, same, &mut buffer), Read::Reset(5));
    assert_eq!(pair.server.read(conn, same, &mut buffer), Read::Closed);
    assert_eq!(pair.client.write(ends.client.conn, stream, &[1]), Err(WriteRefused::Closed));
    let next = pair.until("a stream", |pair| pair.client.open_stream(ends.client.conn));
    assert_ne!(next, stream);
}

#[test]
fn a_peer_that_falls_silent_is_given_up_after_the_idle_time() {
    let authority = Authority::new();
    let idle = Duration::from_millis(300);
    let settings = Settings { idle_timeout_ms: 300, ..Settings::server() };
    let client = Settings { idle_timeout_ms: 300, keep_alive_ms: 0, ..Settings::client() };
    let mut pair = Pair::new(&authority.server(), settings, client);
    let ends = pair.open(&authority.client());
    let silent_since = Instant::now();
    let mut events = Vec::new();
    // Only the server is driven from here on: its client has died.
    while events.is_empty() {
        assert!(silent_since.elapsed() < 20 * idle, "never given up");
        sleep(&[&pair.server]);
        step(&mut pair.server, &mut events);
    }
    let gone = Event::Closed { conn: ends.server.conn, reason: CloseReason::TimedOut };
    assert_eq!(events, [gone]);
    assert!(silent_since.elapsed() >= idle / 2, "given up after {:?}", silent_since.elapsed());
    step(&mut pair.server, &mut events);
    assert_eq!(pair.server.connections(), 0);
}

#[test]
fn keep_alive_outlasts_the_idle_time() {
    let authority = Authority::new();
    let settings = Settings { idle_timeout_ms: 300, ..Settings::server() };
    let client = Settings { idle_timeout_ms: 300, keep_alive_ms: 50, ..Settings::client() };
    let mut pair = Pair::new(&authority.server(), settings, client);
    pair.open(&authority.client());
    let started = Instant::now();
    pair.until("a second", |_| (started.elapsed() > Duration::from_secs(1)).then_some(()));
    assert_eq!((pair.server.connections(), pair.client.connections()), (1, 1));
}

#[test]
fn a_handshake_without_answer_fails_in_time() {
    let authority = Authority::new();
    let silent = UdpSocket::bind(any_port()).expect("a socket");
    let settings = Settings { handshake_timeout_ms: 200, ..Settings::client() };
    let mut pair = Pair::new(&authority.server(), Settings::server(), settings);
    let address = silent.local_addr().expect("an address");
    let started = Instant::now();
    let conn = pair
        .client
        .connect(started, address, SERVER_NAME, &authority.client())
        .expect("a free slot");
    assert_eq!(pair.client_end(conn), CloseReason::TimedOut);
    let took = started.elapsed();
    assert!((200..5_000).contains(&took.as_millis()), "failed after {took:?}");
    pair.until("a free slot", |pair| (pair.client.connections() == 0).then_some(()));
}
