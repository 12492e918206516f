//! How a client ends: failures that last, draining, giving up.

use std::time::Instant;

use huntgraph_actor::client::{LinkEvent, Options};
use huntgraph_core::schema::frame;

use crate::certificates::{Authority, SERVER_NAME};
use crate::script::{Caller, PATIENCE, Script, done, go, linked, refused};

#[test]
fn a_failure_that_lasts_ends_the_client_with_its_reason() {
    const WRONG_PARTITION: u16 = 63;
    let mut script = Script::new();
    let mut caller = Caller::new(script.options());
    let (header, _) = script.frame();
    assert_eq!(header.kind, frame::HELLO);
    script.say(frame::FAILED, WRONG_PARTITION, 0, b"another partition lives here");
    assert_eq!(caller.failure(&mut script), "HG1303");
    let refusal = caller.client.send(&[[0; 64]]).expect_err("the client has ended");
    assert!(refusal.what.contains("another partition lives here"), "{refusal}");
    assert!(caller.client.close(PATIENCE));
}

#[test]
fn the_code_of_the_close_says_the_same() {
    const BAD_SEQUENCE: u32 = 65;
    let (mut script, mut caller) = linked();
    script.cut(BAD_SEQUENCE);
    assert_eq!(caller.failure(&mut script), "HG1303");
}

#[test]
fn a_failure_that_passes_is_followed_by_another_connection() {
    const LOG_FAILED: u16 = 52;
    let (mut script, mut caller) = linked();
    script.say(frame::FAILED, LOG_FAILED, 0, b"the log failed");
    script.welcome(1, 0);
    caller.until(&mut script, "loss", Caller::has_lost);
    let connections = |caller: &Caller| caller.client.statistics().connections;
    caller.until(&mut script, "connection", |caller| connections(caller) == 2);
}

#[test]
fn a_stopping_actor_is_let_go_and_found_again() {
    const DRAINING: u16 = 53;
    let (mut script, mut caller) = linked();
    caller.send(&[go(1, 1)]);
    let got = script.take_moves(1, 1);
    script.say(frame::DRAIN, 0, 0, &[]);
    script.answer(1, &[refused(&got[0], DRAINING)]);
    let (header, _) = script.frame();
    assert_eq!(header.kind, frame::DRAIN, "the client lets the actor go");
    caller.send(&[go(1, 2)]);
    script.durable(0);
    script.finish();
    script.welcome(2, 0);
    let got = script.take_moves(1, 2);
    assert_eq!(got, [go(1, 1), go(1, 2)]);
    script.answer(1, &[done(&got[0], 1), done(&got[1], 2)]);
    assert_eq!(caller.echoes(&mut script, 2).len(), 2);
    assert!(caller.events.contains(&LinkEvent::Draining));
}

#[test]
fn a_client_that_drains_ends_when_all_is_durable() {
    let (mut script, mut caller) = linked();
    caller.send(&[go(1, 1)]);
    caller.client.drain();
    assert_eq!(caller.client.send(&[[0; 64]]).expect_err("drains").code, "HG1306");
    let got = script.take_moves(1, 1);
    assert!(script.is_quiet(30), "the last answer is still to come");
    script.answer(1, &[done(&got[0], 4)]);
    let (header, _) = script.frame();
    assert_eq!(header.kind, frame::DRAIN);
    script.durable(4);
    script.finish();
    let drained = LinkEvent::Drained { durable: 4 };
    caller.until(&mut script, "end", |caller| caller.events.contains(&drained));
    assert!(!caller.has_lost());
    assert_eq!(caller.updates.len(), 1);
    assert!(caller.client.close(PATIENCE));
}

#[test]
fn a_server_of_another_authority_is_refused_at_once() {
    let mut script = Script::new();
    let strange = Authority::new();
    let mut files = script.authority.client_files();
    files.authority = strange.authority_file();
    let options = Options { files, ..script.options() };
    let mut caller = Caller::new(options);
    assert_eq!(caller.failure(&mut script), "HG1302");
    assert_eq!(caller.client.statistics().attempts, 1);
}

#[test]
fn a_client_of_another_authority_is_told_so_at_once() {
    let mut script = Script::new();
    let strange = Authority::new();
    let mut files = strange.client_files();
    files.authority = script.authority.authority_file();
    let options = Options { files, ..script.options() };
    let mut caller = Caller::new(options);
    assert_eq!(caller.failure(&mut script), "HG1302");
    let told = format!("{:?}", caller.events);
    assert!(told.contains("does not accept this client's certificate"), "{told}");
    assert_eq!(caller.client.statistics().attempts, 1);
}

#[test]
fn a_name_the_certificate_is_not_for_is_refused() {
    let mut script = Script::new();
    let mut options = script.options();
    options.server_name = format!("not-{SERVER_NAME}");
    assert_eq!(Caller::new(options).failure(&mut script), "HG1302");
}

#[test]
fn nobody_there_is_given_up_after_the_time_allowed() {
    let mut script = Script::new();
    let nobody = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let address = nobody.local_addr().expect("an address");
    let patient = Options { address, handshake_timeout_ms: 40, ..script.options() };
    let mut caller = Caller::new(patient.clone());
    let attempts = |caller: &Caller| caller.client.statistics().attempts;
    caller.until(&mut script, "second attempt", |caller| attempts(caller) > 1);
    let mut caller = Caller::new(Options { give_up_ms: 150, ..patient });
    assert_eq!(caller.failure(&mut script), "HG1304");
}

/// Refuses each move with LOG_FULL until the client gives up: how many were sent, and why it ended.
fn moves_until_given_up(give_up_ms: u64) -> (usize, String) {
    const LOG_FULL: u16 = 51;
    let mut script = Script::new();
    let mut caller = Caller::new(Options { give_up_ms, ..script.options() });
    if caller.client.send(&[go(1, 1).encode()]).is_err() {
        return (0, "before the first move".to_owned());
    }
    let until = Instant::now() + PATIENCE;
    let mut sent = 0;
    while caller.client.send(&[]).is_ok() {
        assert!(Instant::now() < until, "never given up");
        sent += script.refuse_if_any(LOG_FULL);
    }
    assert_eq!(caller.failure(&mut script), "HG1304");
    (sent, format!("{:?}", caller.events))
}

#[test]
fn an_actor_that_takes_nothing_in_is_given_up_too() {
    // On a machine that stands still for that long a move is not even sent twice.
    for give_up_ms in (0..7).map(|doubled| 200 << doubled) {
        let (sent, why) = moves_until_given_up(give_up_ms);
        if sent > 1 && why.contains("the actor takes no moves in") {
            return;
        }
        println!("{sent} sent in {give_up_ms} ms, then {why}");
    }
    panic!("not tried again, or not given up for that");
}

#[test]
fn an_answer_that_nobody_asked_for_ends_the_client() {
    let (mut script, mut caller) = linked();
    script.answer(1, &[done(&go(1, 1), 1)]);
    assert_eq!(caller.failure(&mut script), "HG1305");
}

#[test]
fn closing_does_not_wait_for_the_network() {
    // The script is not driven: it never answers, and the client would try for longer than this.
    let script = Script::new();
    let mut caller = Caller::new(script.options());
    assert!(caller.client.close(PATIENCE));
}
