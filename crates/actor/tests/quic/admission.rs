//! Who is let in: certificates, protocol, number, address; and sessions resumed.

use huntgraph_actor::quic::{
    CRYPTO_ERROR, ClientFiles, CloseReason, ConnectError, Endpoint, Event, IdentityFiles,
    ServerFiles, Settings,
};
use std::net::UdpSocket;

use crate::certificates::{Authority, SERVER_NAME};
use crate::flow::round_trip;
use crate::hostile::captured_first_datagram;
use crate::pair::{Pair, any_port};

/// TLS alerts (RFC 8446, section 6).
const UNKNOWN_CA: u64 = 48;
const CERTIFICATE_REQUIRED: u64 = 116;
const NO_APPLICATION_PROTOCOL: u64 = 120;

fn pair(authority: &Authority) -> Pair {
    Pair::new(&authority.server(), Settings::server(), Settings::client())
}

fn transport_code(reason: &CloseReason) -> u64 {
    match reason {
        CloseReason::Transport { code, .. } => *code,
        other => panic!("not ended by the transport: {other}"),
    }
}

#[test]
fn both_ends_know_the_other_by_its_certificate() {
    let authority = Authority::new();
    let ends = pair(&authority).open(&authority.client());
    let hash = |name: &str| {
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        let file = authority.directory.join(name);
        let certificate = CertificateDer::from_pem_file(file).expect("an issued certificate");
        ring::digest::digest(&ring::digest::SHA256, &certificate).as_ref().to_vec()
    };
    assert_eq!(ends.server.peer.expect("a client certificate")[..], hash("client.pem"));
    assert_eq!(ends.client.peer.expect("a server certificate")[..], hash("server.pem"));
}

#[test]
fn a_client_without_certificate_is_refused() {
    let authority = Authority::new();
    let files = ClientFiles { identity: None, authority: authority.authority_file() };
    let mut pair = pair(&authority);
    let conn = pair.begin(&files.load().expect("client files"));
    let at_client = pair.client_end(conn);
    assert_eq!(transport_code(&at_client), CRYPTO_ERROR + CERTIFICATE_REQUIRED);
    assert_eq!(at_client.code(), "quic_tls");
    let at_server = pair.server_failure();
    assert_eq!(transport_code(&at_server), CRYPTO_ERROR + CERTIFICATE_REQUIRED);
    assert!(!pair.server_events.iter().any(|event| matches!(event, Event::Opened { .. })));
}

#[test]
fn a_client_of_another_authority_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let files = ClientFiles {
        identity: Some(other.issue("client")),
        authority: authority.authority_file(),
    };
    let mut pair = pair(&authority);
    let conn = pair.begin(&files.load().expect("client files"));
    assert_eq!(transport_code(&pair.client_end(conn)), CRYPTO_ERROR + UNKNOWN_CA);
    assert_eq!(pair.server_failure().code(), "quic_tls");
}

#[test]
fn a_server_of_another_authority_is_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let files = ClientFiles {
        identity: Some(authority.issue("client")),
        authority: other.authority_file(),
    };
    let mut pair = pair(&authority);
    let conn = pair.begin(&files.load().expect("client files"));
    assert_eq!(transport_code(&pair.client_end(conn)), CRYPTO_ERROR + UNKNOWN_CA);
}

#[test]
fn another_protocol_is_refused() {
    let authority = Authority::new();
    let tls = authority.client_files().load_for(b"huntgraph/0").expect("client files");
    let mut pair = pair(&authority);
    let conn = pair.begin(&tls);
    let reason = pair.client_end(conn);
    assert_eq!(transport_code(&reason), CRYPTO_ERROR + NO_APPLICATION_PROTOCOL);
}

/// How many strangers [`knock`].
const STRANGERS: u64 = 4;

/// The first datagrams of so many clients come, each once, from where nobody hears an answer. A
/// real client may ask again before it hears the answer: it would count more than once.
fn knock(authority: &Authority, pair: &mut Pair) {
    let judged = |server: &Endpoint| {
        let stats = server.stats();
        stats.refused + stats.retried + server.connections() as u64
    };
    let before = judged(&pair.server);
    let stranger = UdpSocket::bind(any_port()).expect("a socket");
    for _ in 0..STRANGERS {
        let first = captured_first_datagram(authority);
        stranger.send_to(&first, pair.server_addr()).expect("loopback takes it");
    }
    pair.until("word on all strangers", |pair| {
        (judged(&pair.server) >= before + STRANGERS).then_some(())
    });
}

/// Refusals that were told so far.
fn refusals_told(pair: &Pair) -> u64 {
    let counts = pair.server_events.iter().map(|event| match event {
        Event::Refused { count } => u64::from(*count),
        _ => 0,
    });
    counts.sum()
}

#[test]
fn connections_beyond_the_limit_are_refused_and_fit_again_later() {
    let authority = Authority::new();
    let tls = authority.client();
    let settings = Settings { connections_max: 2, ..Settings::server() };
    let mut pair = Pair::new(&authority.server(), settings, Settings::client());
    let first = pair.open(&tls);
    pair.open(&tls);
    knock(&authority, &mut pair);
    assert_eq!((pair.server.stats().refused, refusals_told(&pair)), (STRANGERS, STRANGERS));
    assert_eq!(pair.server.connections(), 2);
    let third = pair.begin(&tls);
    assert_eq!(pair.client_end(third).code(), "quic_refused");
    assert!(refusals_told(&pair) > STRANGERS, "the refusal was not told");
    assert_eq!(pair.server.connections(), 2);

    pair.client.close(pair.now, first.client.conn, 0, "");
    pair.until("a free slot", |pair| (pair.server.connections() == 1).then_some(()));
    let fourth = pair.open(&tls);
    assert_ne!(fourth.server.conn, first.server.conn, "names of connections are not used again");
}

#[test]
fn a_client_refuses_to_begin_more_than_its_limit() {
    let authority = Authority::new();
    let tls = authority.client();
    let settings = Settings { connections_max: 1, ..Settings::client() };
    let mut pair = Pair::new(&authority.server(), Settings::server(), settings);
    pair.open(&tls);
    let address = pair.server_addr();
    let refused = pair.client.connect(pair.now, address, SERVER_NAME, &tls);
    assert_eq!(refused, Err(ConnectError::Full { connections_max: 1 }));
}

/// A server with these settings, and how many of the strangers who knocked it has asked to prove
/// their address, how many it has given a slot and begun a handshake with.
fn asked_and_let_in(authority: &Authority, settings: Settings) -> (Pair, (u64, u64)) {
    let mut pair = Pair::new(&authority.server(), settings, Settings::client());
    knock(authority, &mut pair);
    let counts = (pair.server.stats().retried, pair.server.connections() as u64);
    (pair, counts)
}

#[test]
fn a_busy_server_lets_strangers_prove_their_address_first() {
    let authority = Authority::new();
    let settings = Settings { retry_above_handshakes: 0, ..Settings::server() };
    let (mut pair, counts) = asked_and_let_in(&authority, settings);
    assert_eq!(counts, (STRANGERS, 0));
    // Who hears the answer can prove it.
    pair.open(&authority.client());
    assert!(pair.server.stats().retried > STRANGERS, "let in unasked");
}

#[test]
fn a_server_asks_only_above_its_limit_of_handshakes() {
    let authority = Authority::new();
    let (mut pair, counts) = asked_and_let_in(&authority, Settings::server());
    assert_eq!(counts, (0, STRANGERS), "strangers who are not asked hold slots");
    pair.open(&authority.client());
    assert_eq!(pair.server.stats().retried, 0);
    let settings = Settings { retry_above_handshakes: 3, ..Settings::server() };
    assert_eq!(asked_and_let_in(&authority, settings).1, (STRANGERS - 3, 3));
}

#[test]
fn a_second_connection_resumes_the_session_until_certificates_are_reloaded() {
    let authority = Authority::new();
    let tls = authority.client();
    let mut pair = pair(&authority);
    let full = pair.open(&tls);
    assert!(!full.client.resumed && !full.server.resumed);
    // The tickets travel ahead of the first bytes from the server.
    let stream = pair.client.open_stream(full.client.conn).expect("a stream");
    assert_eq!(round_trip(&mut pair, full.client.conn, stream, b"hello"), b"hello");
    let received =
        |pair: &Pair, conn| pair.client.connection_stats(conn).expect("a connection").udp_rx.bytes;
    let full_bytes = received(&pair, full.client.conn);

    let again = pair.open(&tls);
    assert!(again.client.resumed && again.server.resumed);
    assert_eq!(again.server.peer, full.server.peer, "the resumed peer is known as before");
    assert!(again.server.peer.is_some());
    let resumed_bytes = received(&pair, again.client.conn);
    assert!(resumed_bytes < full_bytes, "{resumed_bytes} bytes resumed, {full_bytes} full");

    pair.server.set_server_tls(&authority.server());
    let reloaded = pair.open(&tls);
    assert!(!reloaded.client.resumed && !reloaded.server.resumed);
    assert_ne!(reloaded.client.peer, full.client.peer, "the new certificate is shown");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let good = authority.issue("good");
    let other = authority.issue("other");
    let broken = authority.directory.join("broken.pem");
    std::fs::write(&broken, "no certificate\n").expect("a file");
    let load = |identity: &IdentityFiles, authority| {
        let files = ServerFiles { identity: identity.clone(), authority };
        files.load().err().expect("these files must not load")
    };
    let missing = authority.directory.join("missing.pem");
    let error = load(&good, missing.clone());
    assert_eq!((error.code, &error.path), ("tls_file", &missing));
    let error = load(&good, broken.clone());
    assert_eq!((error.code, &error.path), ("tls_file", &broken));
    let no_key = IdentityFiles { private_key: broken.clone(), ..good.clone() };
    let error = load(&no_key, authority.authority_file());
    assert_eq!((error.code, &error.path), ("tls_file", &broken));
    let mixed = IdentityFiles { private_key: other.private_key.clone(), ..good };
    let error = load(&mixed, authority.authority_file());
    assert_eq!((error.code, &error.path), ("tls_identity", &other.private_key));
    assert!(error.to_string().contains("good.pem"), "{error}");
}
