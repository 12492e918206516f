//! The floor under every latency figure: what QUIC alone costs on this machine.
//!
//! Drives a server and a client on one thread over loopback sockets (so no wake-up is in the
//! figures) and prints the round trip of one 64-byte record, the time of full and resumed
//! handshakes, and the heap allocations of a round trip. The CPU time of both ends is in each
//! figure. Run it with `cargo run --release -p huntgraph-actor --example quic_floor`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use huntgraph_actor::quic::{
    ClientTls, ConnId, Endpoint, Event, Read, ServerTls, Settings, StreamId,
};

#[path = "../tests/quic/certificates.rs"]
mod certificates;
use certificates::{Authority, SERVER_NAME};

const RECORD_BYTES: usize = 64;
const WARM_UP: usize = 2_000;
const ROUND_TRIPS: usize = 20_000;
const HANDSHAKES: usize = 300;
const CLOSING_MAX: usize = 48;

/// Counts what the program asks of the system's allocator.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `at` came from `alloc` above with the same layout.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Both ends of the link.
struct Link {
    server: Endpoint,
    client: Endpoint,
    client_tls: ClientTls,
    buffer: Vec<u8>,
}

impl Link {
    fn new(server_tls: &ServerTls, client_tls: ClientTls) -> std::io::Result<Self> {
        let any_port = "127.0.0.1:0".parse().expect("a literal address");
        Ok(Self {
            server: Endpoint::server(any_port, server_tls, Settings::server())?,
            client: Endpoint::client(any_port, Settings::client())?,
            client_tls,
            buffer: vec![0; 64 << 10],
        })
    }

    /// One turn of the server: receive, echo, send.
    fn serve(&mut self) -> std::io::Result<()> {
        let now = Instant::now();
        self.server.poll_receive(now)?;
        self.server.handle_timeouts(now);
        while let Some(event) = self.server.next_event() {
            if let Event::Readable { conn, stream } = event {
                while let Read::Data(count) = self.server.read(conn, stream, &mut self.buffer) {
                    let taken = self.server.write(conn, stream, &self.buffer[..count]);
                    assert_eq!(taken, Ok(count), "one record always fits");
                }
            }
        }
        self.server.transmit(now);
        Ok(())
    }

    /// One turn of the client, without its events.
    fn drive_client(&mut self) -> std::io::Result<()> {
        let now = Instant::now();
        self.client.poll_receive(now)?;
        self.client.handle_timeouts(now);
        self.client.transmit(now);
        Ok(())
    }

    /// Connects; returns the connection and whether the session was resumed.
    fn connect(&mut self) -> std::io::Result<(ConnId, bool)> {
        let address = self.server.local_addr()?;
        self.client
            .connect(Instant::now(), address, SERVER_NAME, &self.client_tls)
            .expect("a free slot");
        loop {
            self.drive_client()?;
            self.serve()?;
            match self.client.next_event() {
                Some(Event::Opened { conn, resumed, .. }) => return Ok((conn, resumed)),
                Some(other) => panic!("connecting brought {other:?}"),
                None => {}
            }
        }
    }

    /// Sends one record and waits, spinning, for its echo.
    fn round_trip(&mut self, conn: ConnId, stream: StreamId) -> std::io::Result<Duration> {
        let record = [7; RECORD_BYTES];
        let started = Instant::now();
        let taken = self.client.write(conn, stream, &record);
        assert_eq!(taken, Ok(RECORD_BYTES), "one record always fits");
        self.client.transmit(started);
        let mut back = 0;
        while back < RECORD_BYTES {
            self.serve()?;
            self.drive_client()?;
            while self.client.next_event().is_some() {}
            if let Read::Data(count) = self.client.read(conn, stream, &mut self.buffer) {
                back += count;
            }
        }
        Ok(started.elapsed())
    }

    /// Closes, and waits while many closed connections are not yet forgotten (QUIC keeps each for
    /// about 0.1 s).
    fn disconnect(&mut self, conn: ConnId) -> std::io::Result<()> {
        self.client.close(Instant::now(), conn, 0, "");
        while self.client.connections() > CLOSING_MAX {
            self.drive_client()?;
            self.serve()?;
        }
        Ok(())
    }
}

/// Prints one line of a distribution.
fn report(what: &str, mut samples: Vec<Duration>) {
    samples.sort_unstable();
    let us = |share: f64| {
        let index = ((samples.len() - 1) as f64 * share) as usize;
        samples[index].as_nanos() as f64 / 1000.0
    };
    let (min, p50, p99, p999, max) = (us(0.0), us(0.5), us(0.99), us(0.999), us(1.0));
    println!(
        "{what:<26} {:>6} samples  min {min:>7.1}  p50 {p50:>7.1}  p99 {p99:>7.1}  \
         p99.9 {p999:>7.1}  max {max:>8.1} us",
        samples.len()
    );
}

fn measure_round_trips(link: &mut Link) -> std::io::Result<()> {
    let (conn, _) = link.connect()?;
    let stream = link.client.open_stream(conn).expect("a stream");
    for _ in 0..WARM_UP {
        link.round_trip(conn, stream)?;
    }
    let mut samples = Vec::with_capacity(ROUND_TRIPS);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..ROUND_TRIPS {
        samples.push(link.round_trip(conn, stream)?);
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    report("round trip of 64 B", samples);
    println!(
        "allocations                {:.2} a round trip (both ends); \
         buffers grown: client {}, server {}",
        allocations as f64 / ROUND_TRIPS as f64,
        link.client.stats().buffers_grown,
        link.server.stats().buffers_grown
    );
    let path = link.client.connection_stats(conn).expect("a live connection");
    println!(
        "packets                    {} sent, {} lost, datagrams of {} B",
        path.udp_tx.datagrams, path.path.lost_packets, path.path.current_mtu
    );
    link.disconnect(conn)
}

/// Times handshakes from `connect` to `Opened`; `resume` keeps the tickets of the one before.
fn measure_handshakes(link: &mut Link, authority: &Authority, resume: bool) -> std::io::Result<()> {
    let files = authority.client_files();
    let mut samples = Vec::with_capacity(HANDSHAKES);
    for _ in 0..HANDSHAKES {
        if !resume {
            link.client_tls = files.load().expect("client files");
        }
        let started = Instant::now();
        let (conn, resumed) = link.connect()?;
        samples.push(started.elapsed());
        assert_eq!(resumed, resume, "a handshake of the wrong kind");
        let stream = link.client.open_stream(conn).expect("a stream");
        link.round_trip(conn, stream)?;
        link.disconnect(conn)?;
    }
    report(if resume { "resumed handshake" } else { "full handshake, mutual" }, samples);
    Ok(())
}

fn main() -> std::io::Result<()> {
    let authority = Authority::new();
    let mut link = Link::new(&authority.server(), authority.client())?;
    println!("one thread drives both ends over 127.0.0.1, spinning; load and machine are yours");
    measure_round_trips(&mut link)?;
    measure_handshakes(&mut link, &authority, false)?;
    measure_handshakes(&mut link, &authority, true)
}
