//! Handshakes with mutual TLS, both ends on one thread.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Identity, Report, Watch, failure, nanoseconds, thread_cpu};
use crate::failure::Failure;
use crate::quic::{ClientTls, ConnId, Endpoint, Event, Settings};

const SERVER_NAME: &str = "localhost";
const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// Closed connections that QUIC may still remember (each for about 0.1 s).
const CLOSING_MAX: usize = 48;
/// Turns after a handshake, for the ticket of the next to come.
const TICKET_TURNS: usize = 6;

struct Ends {
    server: Endpoint,
    client: Endpoint,
}

/// `count` full and `count` resumed handshakes, from the first packet until both ends know that it
/// is done (the client's certificate checked). Samples: `full`, `resumed` (wall time; both ends'
/// work is in it), `full_cpu`, `resumed_cpu`.
///
/// # Errors
/// HG3030 for certificates that do not fit, and when a handshake fails or is of the wrong kind.
pub fn handshake(
    server: &Identity,
    client: &Identity,
    count: usize,
    watch: Watch,
) -> Result<Report, Failure> {
    let tls = server.as_server().load().map_err(|e| failure(&e, e.path.display()))?;
    let socket = |e| failure(e, ANY_PORT);
    let mut ends = Ends {
        server: Endpoint::server(ANY_PORT, &tls, Settings::server()).map_err(socket)?,
        client: Endpoint::client(ANY_PORT, Settings::client()).map_err(socket)?,
    };
    let load = || client.as_client().load().map_err(|e| failure(&e, e.path.display()));
    let mut report = Report::default();
    for (name, cpu_name, resume) in [("full", "full_cpu", false), ("resumed", "resumed_cpu", true)]
    {
        let mut wall = Vec::with_capacity(count);
        let mut cpu = Vec::with_capacity(count);
        let mut kept = load()?;
        ends.once(&kept)?;
        for number in 0..count {
            if number % 32 == 0 {
                watch("")?;
            }
            if !resume {
                kept = load()?;
            }
            let (took, worked, resumed) = ends.once(&kept)?;
            if resumed != resume {
                return Err(failure(format!("a handshake was not {name}"), ANY_PORT));
            }
            wall.push(nanoseconds(took));
            cpu.push(nanoseconds(worked));
        }
        report.samples_ns.push((name, wall));
        report.samples_ns.push((cpu_name, cpu));
    }
    Ok(report)
}

impl Ends {
    /// One handshake: wall time, CPU time, whether a session was resumed.
    fn once(&mut self, tls: &ClientTls) -> Result<(Duration, Duration, bool), Failure> {
        let address = self.server.local_addr().map_err(|e| failure(e, ANY_PORT))?;
        let (started, before) = (Instant::now(), thread_cpu());
        let (conn, resumed) = self.shake_hands(started, address, tls)?;
        let (took, worked) = (started.elapsed(), thread_cpu() - before);
        for _ in 0..TICKET_TURNS {
            self.turn(address)?;
        }
        self.close(conn, address)?;
        Ok((took, worked, resumed))
    }

    /// From the first packet until both ends know that the handshake is done. A function of its
    /// own, so that callgrind can count it alone.
    #[inline(never)]
    fn shake_hands(
        &mut self,
        now: Instant,
        address: SocketAddr,
        tls: &ClientTls,
    ) -> Result<(ConnId, bool), Failure> {
        let conn = self.client.connect(now, address, SERVER_NAME, tls);
        let conn = conn.map_err(|e| failure(e, address))?;
        let (mut here, mut there) = (None, false);
        while here.is_none() || !there {
            drive(&mut self.client, address)?;
            here = opened(&mut self.client, address)?.or(here);
            drive(&mut self.server, address)?;
            there |= opened(&mut self.server, address)?.is_some();
        }
        Ok((conn, here == Some(true)))
    }

    fn turn(&mut self, address: SocketAddr) -> Result<(), Failure> {
        for end in [&mut self.client, &mut self.server] {
            drive(end, address)?;
            while end.next_event().is_some() {}
        }
        Ok(())
    }

    fn close(&mut self, conn: ConnId, address: SocketAddr) -> Result<(), Failure> {
        self.client.close(Instant::now(), conn, 0, "");
        self.turn(address)?;
        while self.client.connections() > CLOSING_MAX {
            self.turn(address)?;
        }
        Ok(())
    }
}

fn drive(end: &mut Endpoint, address: SocketAddr) -> Result<(), Failure> {
    let now = Instant::now();
    end.poll_receive(now).map_err(|e| failure(e, address))?;
    end.handle_timeouts(now);
    end.transmit(now);
    Ok(())
}

/// Whether a connection has opened, and then whether it was resumed.
fn opened(end: &mut Endpoint, address: SocketAddr) -> Result<Option<bool>, Failure> {
    while let Some(event) = end.next_event() {
        match event {
            Event::Opened { resumed, .. } => return Ok(Some(resumed)),
            Event::Failed { reason, .. } => return Err(failure(reason, address)),
            _ => {}
        }
    }
    Ok(None)
}
