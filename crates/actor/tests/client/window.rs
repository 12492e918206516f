//! The window's size is its size.

use std::time::Instant;

use huntgraph_actor::client::Options;
use huntgraph_core::schema::Move;

use crate::script::{Caller, PATIENCE, Script, done, go};

#[test]
fn a_full_window_refuses_and_takes_again_once_settled_and_taken() {
    let mut script = Script::new();
    let mut caller = Caller::new(Options { capacity: 4, ..script.options() });
    let moves: Vec<Move> = (1..=6).map(|seq| go(1, seq)).collect();
    assert_eq!(caller.send(&moves), (1, 4));
    assert_eq!(caller.send(&moves[4..]), (5, 0));
    script.welcome(1, 0);
    let got = script.take_moves(1, 4);
    let answers: Vec<_> = got.iter().map(|m| done(m, m.seq as u64)).collect();
    script.answer(1, &answers);
    assert_eq!(caller.echoes(&mut script, 4).len(), 4);
    assert_eq!(caller.send(&moves[4..]), (5, 0), "answered is not settled");
    script.durable(2);
    caller.until(&mut script, "durable", |caller| caller.durable == 2);
    assert_eq!(caller.send(&moves[4..]), (5, 2));
    let got = script.take_moves(5, 2);
    assert_eq!(got, moves[4..]);
    script.answer(5, &[done(&got[0], 5), done(&got[1], 6)]);
    script.durable(6);
    // Looked for without taking: what is settled still fills the window.
    let until = Instant::now() + PATIENCE;
    while caller.client.statistics().unsettled > 0 {
        assert!(Instant::now() < until, "never settled");
        script.turn();
    }
    assert_eq!(caller.send(&moves), (7, 2), "settled is not taken");
    assert_eq!(caller.echoes(&mut script, 6).len(), 6);
}

#[test]
fn no_more_records_are_in_flight_than_allowed() {
    let mut script = Script::new();
    let mut caller = Caller::new(Options { in_flight: 3, ..script.options() });
    script.welcome(1, 0);
    let moves: Vec<Move> = (1..=5).map(|seq| go(1, seq)).collect();
    caller.send(&moves);
    let got = script.take_moves(1, 3);
    assert!(script.is_quiet(30));
    script.answer(1, &[done(&got[0], 1)]);
    let got = script.take_moves(4, 1);
    assert_eq!(got, moves[3..4]);
    assert_eq!(caller.echoes(&mut script, 1).len(), 1);
}
