//! Bytes arrive whole and in order, and a peer that does not read holds up only its own.

use huntgraph_actor::quic::{ConnId, Event, Read, Settings, StreamId, WriteRefused};

use crate::certificates::Authority;
use crate::pair::{Echo, Pair, Random, read_all, take};

/// Sends `bytes` on a stream and returns as many bytes of echo.
pub fn round_trip(pair: &mut Pair, conn: ConnId, stream: StreamId, bytes: &[u8]) -> Vec<u8> {
    let mut echo = Echo::default();
    let mut sent = 0;
    let mut back = Vec::new();
    pair.until("echo", |pair| {
        sent += pair.client.write(conn, stream, &bytes[sent..]).expect("an open stream");
        pair.client.transmit(pair.now);
        echo.serve(pair);
        read_all(&mut pair.client, conn, stream, &mut back);
        (back.len() >= bytes.len()).then_some(())
    });
    back
}

fn echo_all_sizes(server: Settings, client: Settings) {
    let authority = Authority::new();
    let mut pair = Pair::new(&authority.server(), server, client);
    let conn = pair.open(&authority.client()).client.conn;
    let stream = pair.client.open_stream(conn).expect("a stream");
    let mut random = Random(1);
    for size in [1, 2, 63, 64, 1_199, 1_452, 6_416, 65_536, 262_144, 262_145, 1_000_000] {
        let bytes = random.bytes(size);
        assert!(round_trip(&mut pair, conn, stream, &bytes) == bytes, "{size} bytes differ");
    }
}

#[test]
fn bytes_of_every_size_come_back() {
    echo_all_sizes(Settings::server(), Settings::client());
}

#[test]
fn bytes_come_back_without_segmentation_offload() {
    let off = |settings| Settings { segmentation_offload: false, ..settings };
    echo_all_sizes(off(Settings::server()), off(Settings::client()));
}

#[test]
fn bytes_come_back_in_large_datagrams() {
    let jumbo = |settings| Settings { datagram_max_bytes: 16_000, ..settings };
    echo_all_sizes(jumbo(Settings::server()), jumbo(Settings::client()));
}

/// The size of datagrams at either end, and the probes for it that both have sent, after frames of
/// 100 moves went there and back.
fn datagram_bytes_and_probes(server: Settings, client: Settings) -> ([u16; 2], u64) {
    let authority = Authority::new();
    let mut pair = Pair::new(&authority.server(), server, client);
    let opened = pair.open(&authority.client());
    let (here, there) = (opened.client.conn, opened.server.conn);
    let stream = pair.client.open_stream(here).expect("a stream");
    let frame = Random(2).bytes(6_424);
    for _ in 0..4 {
        assert!(round_trip(&mut pair, here, stream, &frame) == frame);
    }
    let stats = [pair.client.connection_stats(here), pair.server.connection_stats(there)];
    let paths = stats.map(|stats| stats.expect("a live connection").path);
    (paths.map(|path| path.current_mtu), paths.iter().map(|path| path.sent_plpmtud_probes).sum())
}

#[test]
fn datagrams_on_the_loopback_have_their_full_size_without_probes() {
    let found = datagram_bytes_and_probes(Settings::server(), Settings::client());
    assert_eq!(found, ([8_952, 8_952], 0));
}

#[test]
fn datagrams_are_no_larger_than_the_peer_takes() {
    let small = Settings { datagram_max_bytes: 1_452, ..Settings::client() };
    assert_eq!(datagram_bytes_and_probes(Settings::server(), small).0, [1_452, 1_452]);
}

#[test]
fn what_the_loopback_does_not_carry_is_probed_for() {
    let large = |settings| Settings { datagram_max_bytes: 65_500, ..settings };
    let ([here, there], probes) =
        datagram_bytes_and_probes(large(Settings::server()), large(Settings::client()));
    assert!(here < 65_500 && there < 65_500);
    assert!(probes > 0, "probes are not counted");
}

/// One of many connections: what it will send, what came back.
struct Line {
    conn: ConnId,
    stream: StreamId,
    frames: Vec<Vec<u8>>,
    sent: usize,
    back: Vec<u8>,
}

#[test]
fn frames_of_twenty_connections_interleave_and_keep_their_order() {
    let authority = Authority::new();
    let tls = authority.client();
    let mut pair = Pair::new(&authority.server(), Settings::server(), Settings::client());
    let seed = 20;
    println!("seed {seed}");
    let mut random = Random(seed);
    let mut lines: Vec<Line> = (0..20)
        .map(|_| {
            let conn = pair.open(&tls).client.conn;
            let stream = pair.client.open_stream(conn).expect("a stream");
            let frames = (0..100).map(|_| frame(&mut random)).collect();
            Line { conn, stream, frames, sent: 0, back: Vec::new() }
        })
        .collect();
    let mut echo = Echo::default();
    pair.until("all echoes", |pair| {
        for _ in 0..7 {
            let pick = random.below(20);
            send_one(pair, &mut lines[pick]);
        }
        lines.iter_mut().for_each(|line| send_one(pair, line));
        pair.client.transmit(pair.now);
        echo.serve(pair);
        for line in &mut lines {
            read_all(&mut pair.client, line.conn, line.stream, &mut line.back);
        }
        lines.iter().all(|line| line.back.len() == line.frames.concat().len()).then_some(())
    });
    for (number, line) in lines.iter().enumerate() {
        assert!(line.back == line.frames.concat(), "connection {number} got other bytes back");
    }
}

fn frame(random: &mut Random) -> Vec<u8> {
    let size = 16 + 64 * random.below(60);
    random.bytes(size)
}

/// Sends the next frame of a line, as far as it is taken.
fn send_one(pair: &mut Pair, line: &mut Line) {
    let all: usize = line.frames.iter().map(Vec::len).sum();
    if line.sent == all {
        return;
    }
    let (mut start, mut index) = (0, 0);
    while line.sent >= start + line.frames[index].len() {
        start += line.frames[index].len();
        index += 1;
    }
    let rest = &line.frames[index][line.sent - start..];
    line.sent += pair.client.write(line.conn, line.stream, rest).expect("an open stream");
}

#[test]
fn small_round_trips_need_no_further_buffers() {
    let authority = Authority::new();
    let mut pair = Pair::new(&authority.server(), Settings::server(), Settings::client());
    let conn = pair.open(&authority.client()).client.conn;
    let stream = pair.client.open_stream(conn).expect("a stream");
    for round in 0..20_000u32 {
        let bytes = [round as u8; 64];
        assert_eq!(round_trip(&mut pair, conn, stream, &bytes), bytes);
    }
    assert_eq!(pair.client.stats().buffers_grown, 0);
    assert_eq!(pair.server.stats().buffers_grown, 0);
}

#[test]
fn a_writer_outruns_a_peer_that_does_not_read_and_goes_on_when_it_reads() {
    let authority = Authority::new();
    let window = 64 << 10;
    let server = Settings { stream_window_bytes: window, ..Settings::server() };
    let mut pair = Pair::new(&authority.server(), server, Settings::client());
    let ends = pair.open(&authority.client());
    let (conn, at_server) = (ends.client.conn, ends.server.conn);
    let stream = pair.client.open_stream(conn).expect("a stream");
    let batch = vec![9; 1 << 20];

    assert_eq!(pair.client.write(conn, stream, &batch), Ok(window as usize));
    assert!(pair.client.is_blocked(conn, stream));
    let same = pair.server_stream(at_server);
    for _ in 0..20 {
        assert_eq!(pair.client.write(conn, stream, &batch), Ok(0), "nothing was read");
        pair.turn();
    }
    let writable = Event::Writable { conn, stream };
    assert!(!pair.client_events.contains(&writable), "told of room before there was any");

    let mut read = Vec::new();
    pair.until("room", |pair| {
        read_all(&mut pair.server, at_server, same, &mut read);
        pair.server.transmit(pair.now);
        take(&mut pair.client_events, |event| (*event == writable).then_some(()))
    });
    assert!(!pair.client.is_blocked(conn, stream));
    assert!(pair.client.write(conn, stream, &batch).expect("an open stream") > 0);
}

#[test]
fn a_read_cut_short_by_the_buffer_is_told_again() {
    let authority = Authority::new();
    let mut pair = Pair::new(&authority.server(), Settings::server(), Settings::client());
    let ends = pair.open(&authority.client());
    let stream = pair.client.open_stream(ends.client.conn).expect("a stream");
    assert_eq!(pair.client.write(ends.client.conn, stream, &[5; 100]), Ok(100));
    let conn = ends.server.conn;
    let mut buffer = [0; 40];
    for expected in [40, 40, 20] {
        let same = pair.server_stream(conn);
        assert_eq!(pair.server.read(conn, same, &mut buffer), Read::Data(expected));
    }
    assert_eq!(pair.server.read(conn, stream, &mut buffer), Read::Blocked);
}

#[test]
fn two_streams_are_open_at_once_and_finished_ones_make_room() {
    let authority = Authority::new();
    let mut pair = Pair::new(&authority.server(), Settings::server(), Settings::client());
    let conn = pair.open(&authority.client()).client.conn;
    let first = pair.client.open_stream(conn).expect("the connection's stream");
    assert_eq!(round_trip(&mut pair, conn, first, b"first"), b"first");
    let mut echo = Echo::default();
    for round in 0..50u8 {
        let control = pair.until("a stream", |pair| pair.client.open_stream(conn));
        assert_eq!(pair.client.open_stream(conn), None, "a third stream in round {round}");
        assert_eq!(pair.client.write(conn, control, &[round]), Ok(1));
        pair.client.finish(conn, control);
        assert_eq!(pair.client.write(conn, control, &[round]), Err(WriteRefused::Closed));
        let mut back = Vec::new();
        pair.until("the stream's end", |pair| {
            echo.serve(pair);
            let end = read_all(&mut pair.client, conn, control, &mut back);
            (end == Read::Finished).then_some(())
        });
        assert_eq!(back, [round]);
    }
    assert_eq!(round_trip(&mut pair, conn, first, b"still here"), b"still here");
}
