//! The idle policies.

use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use huntgraph_actor::quic::{Idle, look};
use rustix::event::{PollFd, PollFlags};

use crate::pair::any_port;

fn in_ms(ms: u64) -> Option<Instant> {
    Some(Instant::now() + Duration::from_millis(ms))
}

#[test]
fn block_sleeps_to_the_deadline_or_the_datagram() {
    let socket = UdpSocket::bind(any_port()).expect("a socket");
    let mut fds = [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)];
    let deadline = in_ms(20);
    assert_eq!(Idle::Block.wait(&mut fds, deadline).expect("ppoll"), 0);
    assert!(Some(Instant::now()) >= deadline, "woken too early");
    assert_eq!(look(&mut fds).expect("ppoll"), 0);
    let address = socket.local_addr().expect("an address");
    socket.send_to(b"wake", address).expect("loopback takes it");
    assert_eq!(Idle::Block.wait(&mut fds, None).expect("ppoll"), 1);
    assert_eq!(look(&mut fds).expect("ppoll"), 1);
    assert!(fds[0].revents().contains(PollFlags::IN));
}

#[test]
fn yield_and_spin_do_not_sleep() {
    for idle in [Idle::Yield, Idle::Spin] {
        let started = Instant::now();
        assert_eq!(idle.wait(&mut [], in_ms(60_000)).expect("no poll"), 0);
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn policies_are_read_by_their_words() {
    for idle in [Idle::Block, Idle::Yield, Idle::Spin] {
        assert_eq!(idle.word().parse(), Ok(idle));
    }
    let unknown = "sleep".parse::<Idle>().expect_err("not a policy");
    assert!(unknown.to_string().contains("block, yield, spin"), "{unknown}");
}
