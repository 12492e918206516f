//! How connections and streams end, and what the other side learns of it.

use std::net::UdpSocket;
use std::time::Duration;

use huntgraph_actor::quic::{CloseReason, Event, Read, Settings, WriteRefused};

use crate::certificates::{Authority, SERVER_NAME};
use crate::pair::{Pair, any_port};

#[test]
fn the_peer_sees_code_and_text_of_a_close() {
    let authority = Authority::new();
    let mut pair = Pair::new(&authority.server(), Settings::server(), Settings::client());
    let ends = pair.open(&authority.client());
    let stream = pair.client.open_stream(ends.client.conn).expect("a stream");
    pair.server.close(pair.now, ends.server.conn, 77, "malformed frame");
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
    pair.client.transmit(pair.now);
    pair.client.close(pair.now, ends.client.conn, 1, "bye");
    pair.client.transmit(pair.now);
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
    pair.client.transmit(pair.now);
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
    let server = Settings::server();
    let idle = Duration::from_millis(server.idle_timeout_ms.into());
    let mut pair = Pair::new(&authority.server(), server, Settings::client());
    let ends = pair.open(&authority.client());
    // Only the server is driven from here on: its client has died.
    while pair.server.poll_receive(pair.now).expect("a readable socket") > 0 {}
    let silent_since = pair.now;
    pair.server.handle_timeouts(silent_since + idle / 2);
    assert_eq!(pair.server.next_event(), None, "given up after half of the idle time");
    pair.server.handle_timeouts(silent_since + 2 * idle);
    let gone = Event::Closed { conn: ends.server.conn, reason: CloseReason::TimedOut };
    assert_eq!(pair.server.next_event(), Some(gone));
    assert_eq!(pair.server.next_event(), None);
    pair.server.handle_timeouts(silent_since + 2 * idle);
    assert_eq!(pair.server.connections(), 0);
}

/// Connections at the server and at the client after three idle times in which nobody says a word.
fn connections_after_silence(keep_alive_ms: u32) -> (usize, usize) {
    let authority = Authority::new();
    let client = Settings { keep_alive_ms, ..Settings::client() };
    let step = Duration::from_millis((client.idle_timeout_ms / 100).into());
    let mut pair = Pair::new(&authority.server(), Settings::server(), client);
    pair.open(&authority.client());
    for _ in 0..300 {
        pair.now += step;
        pair.turn();
    }
    (pair.server.connections(), pair.client.connections())
}

#[test]
fn keep_alive_outlasts_the_idle_time() {
    assert_eq!(connections_after_silence(Settings::client().keep_alive_ms), (1, 1));
    assert_eq!(connections_after_silence(0), (0, 0), "without keep-alive");
}

#[test]
fn a_handshake_without_answer_fails_in_time() {
    let authority = Authority::new();
    let silent = UdpSocket::bind(any_port()).expect("a socket");
    let settings = Settings::client();
    let limit = Duration::from_millis(settings.handshake_timeout_ms.into());
    let mut pair = Pair::new(&authority.server(), Settings::server(), settings);
    let address = silent.local_addr().expect("an address");
    let started = pair.now;
    let conn = pair
        .client
        .connect(started, address, SERVER_NAME, &authority.client())
        .expect("a free slot");
    pair.now = started + limit - Duration::from_millis(1);
    pair.turn();
    assert_eq!(pair.client_events, [], "failed too early");
    pair.now = started + limit;
    pair.turn();
    assert_eq!(pair.client_events, [Event::Failed { conn, reason: CloseReason::TimedOut }]);
    pair.until("a free slot", |pair| (pair.client.connections() == 0).then_some(()));
}
