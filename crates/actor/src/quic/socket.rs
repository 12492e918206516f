//! The UDP socket: batched receive, segmented send, and what can go wrong with either.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use quinn_proto::{EcnCodepoint, Transmit};
use quinn_udp::{RecvMeta, UdpSockRef, UdpSocketState};

use crate::page_faults::populate;

/// Receive slots filled by one system call.
const BATCH: usize = 8;
/// Calls of which one offers all slots, while each brings one datagram.
const LOOKS: u32 = 8;
/// A slot holds the largest run of datagrams the kernel may hand over as one (GRO).
const SLOT_BYTES: usize = 65_535;
/// Slots that have all their memory from the start, for the runs of two peers at once. The others
/// have that for a datagram of the largest size each, and get more when runs first come so fast.
const READY_SLOTS: usize = 2;
const READY_BYTES: usize = 9 << 10;
/// Datagrams sent as one at most: 32 full Ethernet frames stay under the kernel's 64 KiB.
const SEGMENTS_MAX: usize = 32;
/// Largest UDP payload, a segmented run included.
const RUN_BYTES_MAX: usize = 65_507;

/// What became of a datagram (or a run of them) handed to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// The kernel took it.
    Done,
    /// The socket's buffer is full: keep it and wait until the socket is writable.
    Blocked,
    /// The kernel refused it (no route, too large, ...): as good as lost on the way; QUIC repeats.
    Lost,
}

/// A nonblocking UDP socket with the kernel's QUIC-friendly features switched on.
pub(super) struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
}

impl Socket {
    /// Binds to `address` and asks for buffers of `buffer_bytes` each way.
    pub(super) fn bind(address: SocketAddr, buffer_bytes: usize) -> io::Result<Self> {
        let io = UdpSocket::bind(address)?;
        let state = UdpSocketState::new(UdpSockRef::from(&io))?;
        // The kernel caps the request at its own limit; a refusal leaves the default, which works.
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&io), buffer_bytes);
        let _ = state.set_send_buffer_size(UdpSockRef::from(&io), buffer_bytes);
        leave_unread(&io, address.ip());
        Ok(Self { io, state })
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }

    /// Whether the kernel may split our datagrams, which forbids probing for a larger size.
    pub(super) fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }

    /// Datagrams of up to `datagram_bytes` that may go into one send.
    pub(super) fn segments_max(&self, datagram_bytes: usize) -> usize {
        let fitting = (RUN_BYTES_MAX / datagram_bytes.max(1)).max(1);
        self.state.max_gso_segments().min(SEGMENTS_MAX).min(fitting)
    }

    /// Sends `contents` as `transmit` says.
    pub(super) fn send(&self, transmit: &Transmit, contents: &[u8]) -> Sent {
        match self.try_send(transmit, contents, transmit.segment_size) {
            Ok(()) => Sent::Done,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Sent::Blocked,
            Err(e) => match transmit.segment_size {
                Some(segment) if refuses_segments(&e) => {
                    self.send_singly(transmit, contents, segment)
                }
                _ => Sent::Lost,
            },
        }
    }

    /// The network card or kernel cannot segment after all: send the run one by one.
    /// quinn-udp has noted it too, so later runs are single datagrams.
    fn send_singly(&self, transmit: &Transmit, contents: &[u8], segment_bytes: usize) -> Sent {
        for datagram in contents.chunks(segment_bytes) {
            if self.try_send(transmit, datagram, None).is_err() {
                return Sent::Lost;
            }
        }
        Sent::Done
    }

    fn try_send(&self, to: &Transmit, contents: &[u8], segment: Option<usize>) -> io::Result<()> {
        let datagram = quinn_udp::Transmit {
            destination: to.destination,
            ecn: to.ecn.and_then(|ecn| quinn_udp::EcnCodepoint::from_bits(ecn as u8)),
            contents,
            segment_size: segment,
            src_ip: to.src_ip,
        };
        self.state.try_send(UdpSockRef::from(&self.io), &datagram)
    }
}

/// Asks the kernel no longer for what quinn-udp asks of it and nobody needs here: when a datagram
/// came; to which address, when there is only one; whether a router on its way was congested, on
/// the loopback, which has none. They cost a tenth of a round trip.
fn leave_unread(io: &UdpSocket, bound: IpAddr) {
    let (level, address, congestion) = match bound {
        IpAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO, libc::IP_RECVTOS),
        IpAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, libc::IPV6_RECVTCLASS),
    };
    turn_off(io, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS);
    if !bound.is_unspecified() {
        turn_off(io, level, address);
    }
    if bound.is_loopback() {
        turn_off(io, level, congestion);
    }
}

/// Turns a socket's option off; a refusal leaves it as it is, which works too.
fn turn_off(io: &UdpSocket, level: libc::c_int, name: libc::c_int) {
    let off: libc::c_int = 0;
    let (value, bytes) = ((&raw const off).cast(), size_of_val(&off) as libc::socklen_t);
    // SAFETY: `value` points to `bytes` bytes that outlive the call.
    unsafe { libc::setsockopt(io.as_raw_fd(), level, name, value, bytes) };
}

fn refuses_segments(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::IO, Errno::INVAL].iter().any(|e| error.raw_os_error() == Some(e.raw_os_error()))
}

/// One received datagram.
pub(super) struct Datagram<'a> {
    pub(super) remote: SocketAddr,
    pub(super) local_ip: Option<IpAddr>,
    pub(super) ecn: Option<EcnCodepoint>,
    pub(super) bytes: &'a [u8],
}

/// The preallocated place into which datagrams are received; the default one has no room.
#[derive(Default)]
pub(super) struct Inbox {
    bytes: Box<[u8]>,
    metas: Box<[RecvMeta]>,
    /// Slots filled by the last call of `fill`.
    filled: usize,
    /// Calls of `fill`.
    calls: u32,
}

impl Inbox {
    pub(super) fn new() -> Self {
        let bytes = vec![0; BATCH * SLOT_BYTES].into_boxed_slice();
        for (at, slot) in bytes.chunks_exact(SLOT_BYTES).enumerate() {
            populate(slot.as_ptr(), if at < READY_SLOTS { SLOT_BYTES } else { READY_BYTES });
        }
        Self {
            bytes,
            metas: vec![RecvMeta::default(); BATCH].into_boxed_slice(),
            filled: 0,
            calls: 0,
        }
    }

    /// Receives what is there, at most one batch, without waiting. All slots are offered while
    /// several are filled, and now and then to see whether they are: looking for a second datagram
    /// in vain takes the kernel half as long as handing one over.
    ///
    /// # Errors
    /// The system's error, but for those a UDP server must outlive (a peer's closed port).
    pub(super) fn fill(&mut self, socket: &Socket) -> io::Result<()> {
        self.calls = self.calls.wrapping_add(1);
        let all = self.filled > 1 || self.calls.is_multiple_of(LOOKS);
        let offered = if all { BATCH } else { 1 };
        self.filled = 0;
        let mut slots = self.bytes.chunks_exact_mut(SLOT_BYTES);
        let mut slices: [IoSliceMut<'_>; BATCH] =
            std::array::from_fn(|_| IoSliceMut::new(slots.next().expect("one slot each")));
        let io = UdpSockRef::from(&socket.io);
        match socket.state.recv(io, &mut slices[..offered], &mut self.metas) {
            Ok(filled) => self.filled = filled,
            Err(e) if passes_by_itself(&e) => {}
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// The datagrams of the last `fill`, in the order of arrival.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = Datagram<'_>> {
        let slots = self.bytes.chunks_exact(SLOT_BYTES).zip(&self.metas).take(self.filled);
        slots.flat_map(|(slot, meta)| {
            slot[..meta.len].chunks(meta.stride.max(1)).map(|bytes| Datagram {
                remote: meta.addr,
                local_ip: meta.dst_ip,
                ecn: meta.ecn.and_then(|ecn| EcnCodepoint::from_bits(ecn as u8)),
                bytes,
            })
        })
    }
}

/// Nothing to read, or the echo of an earlier send to a port nobody listens on.
fn passes_by_itself(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, Interrupted, WouldBlock};
    matches!(error.kind(), WouldBlock | Interrupted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quic::Idle;
    use rustix::event::{PollFd, PollFlags};

    /// Receives until `count` datagrams are there.
    fn receive(socket: &Socket, count: usize) -> Vec<Vec<u8>> {
        let mut inbox = Inbox::new();
        let mut received = Vec::new();
        while received.len() < count {
            let mut fds = [PollFd::from_borrowed_fd(socket.fd(), PollFlags::IN)];
            Idle::Block.wait(&mut fds, None).expect("ppoll");
            inbox.fill(socket).expect("a readable socket");
            received.extend(inbox.datagrams().map(|datagram| datagram.bytes.to_vec()));
        }
        received
    }

    #[test]
    fn a_run_arrives_as_its_datagrams_with_and_without_the_kernels_help() {
        let any_port = "127.0.0.1:0".parse().expect("a literal address");
        let sender = Socket::bind(any_port, 1 << 20).expect("a socket");
        let receiver = Socket::bind(any_port, 1 << 20).expect("a socket");
        let run: Vec<u8> = (0..2_500u32).map(|at| (at / 1_000) as u8).collect();
        let transmit = Transmit {
            destination: receiver.local_addr().expect("an address"),
            ecn: None,
            size: run.len(),
            segment_size: Some(1_000),
            src_ip: None,
        };
        let expected: Vec<Vec<u8>> = run.chunks(1_000).map(<[u8]>::to_vec).collect();
        assert_eq!(sender.send(&transmit, &run), Sent::Done);
        assert_eq!(receive(&receiver, 3), expected);
        assert_eq!(sender.send_singly(&transmit, &run, 1_000), Sent::Done);
        assert_eq!(receive(&receiver, 3), expected);
    }

    #[test]
    fn a_socket_of_all_addresses_tells_to_which_a_datagram_came() {
        for (bound, told) in [("0.0.0.0:0", true), ("127.0.0.1:0", false)] {
            let socket = Socket::bind(bound.parse().expect("a literal address"), 1 << 20);
            let socket = socket.expect("a socket");
            let port = socket.local_addr().expect("an address").port();
            let sender = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            sender.send_to(b"here", ("127.0.0.1", port)).expect("a datagram");
            let mut fds = [PollFd::from_borrowed_fd(socket.fd(), PollFlags::IN)];
            Idle::Block.wait(&mut fds, None).expect("ppoll");
            let mut inbox = Inbox::new();
            inbox.fill(&socket).expect("a readable socket");
            let local_ip = inbox.datagrams().next().expect("a datagram").local_ip;
            assert_eq!(local_ip, told.then(|| [127, 0, 0, 1].into()), "{bound}");
        }
    }

    #[test]
    fn many_waiting_datagrams_are_taken_by_few_calls() {
        let any_port = "127.0.0.1:0".parse().expect("a literal address");
        let receiver = Socket::bind(any_port, 1 << 20).expect("a socket");
        let to = receiver.local_addr().expect("an address");
        let senders: Vec<_> = (0..100u8)
            .map(|number| {
                let sender = UdpSocket::bind("127.0.0.1:0").expect("a socket");
                sender.send_to(&[number], to).expect("a datagram");
                sender
            })
            .collect();
        let (mut inbox, mut taken, mut calls) = (Inbox::new(), Vec::new(), 0);
        while taken.len() < senders.len() {
            let mut fds = [PollFd::from_borrowed_fd(receiver.fd(), PollFlags::IN)];
            Idle::Block.wait(&mut fds, None).expect("ppoll");
            inbox.fill(&receiver).expect("a readable socket");
            taken.extend(inbox.datagrams().map(|datagram| datagram.bytes[0]));
            calls += 1;
        }
        assert_eq!(taken, (0..100).collect::<Vec<u8>>());
        assert!(calls <= LOOKS as usize + senders.len().div_ceil(BATCH), "{calls} calls");
    }

    #[test]
    fn an_empty_socket_gives_nothing_and_a_closed_port_harms_nothing() {
        let any_port = "127.0.0.1:0".parse().expect("a literal address");
        let socket = Socket::bind(any_port, 1 << 20).expect("a socket");
        let gone = Socket::bind(any_port, 1 << 20).expect("a socket");
        let transmit = Transmit {
            destination: gone.local_addr().expect("an address"),
            ecn: None,
            size: 4,
            segment_size: None,
            src_ip: None,
        };
        drop(gone);
        for _ in 0..3 {
            assert_ne!(socket.send(&transmit, b"lost"), Sent::Blocked);
            let mut inbox = Inbox::new();
            inbox.fill(&socket).expect("a readable socket");
            assert_eq!(inbox.datagrams().count(), 0);
        }
    }
}
