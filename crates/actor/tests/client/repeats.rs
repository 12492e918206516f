//! Connections that are lost, moves that are put off: everything once and in order.

use huntgraph_core::schema::{Move, frame, kind};

use crate::script::{again, done, go, linked, refused};

#[test]
fn answers_come_in_order_with_events_and_the_durable_position() {
    let (mut script, mut caller) = linked();
    let moves: Vec<Move> = (1..=3_000).map(|seq| go(9, seq)).collect();
    assert_eq!(caller.send(&moves), (1, 3_000));
    let got = script.take_moves(1, 3_000);
    assert_eq!(got, moves);
    for (part, first) in got.chunks(1_000).zip([1u64, 1_001, 2_001]) {
        let answers: Vec<_> = part.iter().map(|m| done(m, 100 + m.seq as u64)).collect();
        script.answer(first, &answers);
    }
    let echoes: Vec<u64> = moves.iter().map(|m| m.echo).collect();
    assert_eq!(caller.echoes(&mut script, 3_000), echoes);
    assert_eq!(caller.client.statistics().unsettled, 3_000);
    script.durable(3_100);
    caller.until(&mut script, "durable", |caller| caller.durable == 3_100);
    assert_eq!(caller.client.statistics().unsettled, 0);
    assert_eq!(script.client, 77);
}

#[test]
fn moves_without_an_answer_are_sent_again_and_answered_once() {
    let (mut script, mut caller) = linked();
    let moves = [go(1, 1), go(2, 1), go(1, 2)];
    caller.send(&moves);
    script.take_moves(1, 3);
    script.cut(0);
    caller.send(&[go(2, 2)]);
    script.welcome(1, 0);
    let got = script.take_moves(1, 4);
    assert_eq!(got, [moves[0], moves[1], moves[2], go(2, 2)]);
    // The actor had applied two of them: an older one has no position, the player's last has one.
    let answers = [again(&got[0], 0), again(&got[1], 6), done(&got[2], 7), done(&got[3], 8)];
    script.answer(1, &answers);
    let echoes: Vec<u64> = got.iter().map(|m| m.echo).collect();
    assert_eq!(caller.echoes(&mut script, 4), echoes);
    assert_eq!(caller.client.statistics().repeated, 3);
    assert_eq!(caller.updates[0].code, 18);
    // The older one stands before position 8, nobody knows where: it is kept until that is durable.
    script.durable(7);
    caller.until(&mut script, "durable", |caller| caller.durable == 7);
    assert_eq!(caller.client.statistics().unsettled, 4);
    script.durable(8);
    caller.until(&mut script, "durable", |caller| caller.durable == 8);
    assert_eq!(caller.client.statistics().unsettled, 0);
}

#[test]
fn answers_to_repeats_are_swallowed_and_durable_moves_are_not_repeated() {
    let (mut script, mut caller) = linked();
    let moves = [go(1, 1), go(1, 2), go(1, 3)];
    caller.send(&moves);
    let got = script.take_moves(1, 3);
    script.answer(1, &[done(&got[0], 5), done(&got[1], 6), done(&got[2], 7)]);
    script.durable(5);
    caller.until(&mut script, "durable", |caller| caller.durable == 5);
    assert_eq!(caller.echoes(&mut script, 3).len(), 3);
    script.cut(0);
    script.welcome(1, 6);
    let got = script.take_moves(1, 1);
    assert_eq!(got, [moves[2]]);
    script.answer(1, &[again(&got[0], 7)]);
    caller.send(&[go(1, 4)]);
    let (first, got) = script.moves();
    assert_eq!((first, got.len()), (2, 1));
    script.answer(2, &[done(&got[0], 8)]);
    script.durable(8);
    caller.until(&mut script, "durable", |caller| caller.durable == 8);
    assert_eq!(caller.updates.len(), 4);
    assert!(caller.has_lost());
    assert_eq!(caller.client.statistics().swallowed, 1);
}

#[test]
fn a_move_refused_without_a_position_is_never_repeated() {
    let (mut script, mut caller) = linked();
    caller.send(&[go(1, 5), go(2, 1)]);
    let got = script.take_moves(1, 2);
    script.answer(1, &[refused(&got[0], 17), done(&got[1], 3)]);
    assert_eq!(caller.echoes(&mut script, 2).len(), 2);
    script.cut(0);
    script.welcome(1, 0);
    assert_eq!(script.take_moves(1, 1), [go(2, 1)]);
}

#[test]
fn an_answered_change_of_an_edge_is_not_applied_again_in_the_same_epoch() {
    let (mut script, mut caller) = linked();
    let close = Move { kind: kind::EDGE_CLOSE, echo: 1, ..Move::default() };
    caller.send(&[close, go(1, 1)]);
    let got = script.take_moves(1, 2);
    script.answer(1, &[done(&got[0], 5), done(&got[1], 6)]);
    assert_eq!(caller.echoes(&mut script, 2).len(), 2);
    script.cut(0);
    script.welcome(1, 0);
    assert_eq!(script.take_moves(1, 1), [go(1, 1)]);
}

#[test]
fn moves_that_the_log_had_no_room_for_are_sent_again_in_order() {
    const LOG_FULL: u16 = 51;
    const SEQ_GAP: u16 = 17;
    let (mut script, mut caller) = linked();
    caller.send(&[go(1, 1), go(1, 2)]);
    let got = script.take_moves(1, 2);
    caller.send(&[go(1, 3), go(2, 1)]);
    let later = script.take_moves(3, 2);
    script.answer(1, &[refused(&got[0], LOG_FULL), refused(&got[1], LOG_FULL)]);
    // There was room again for the second frame: player 2 is served, player 1 has a gap.
    script.answer(3, &[refused(&later[0], SEQ_GAP), done(&later[1], 4)]);
    let got = script.take_moves(5, 3);
    assert_eq!(got, [go(1, 1), go(1, 2), go(1, 3)]);
    script.answer(5, &[done(&got[0], 5), done(&got[1], 6), done(&got[2], 7)]);
    let echoes: Vec<u64> = [go(1, 1), go(1, 2), go(1, 3), go(2, 1)].map(|m| m.echo).into();
    assert_eq!(caller.echoes(&mut script, 4), echoes);
    assert!(caller.updates.iter().all(|update| update.code == 0));
    script.durable(7);
    caller.until(&mut script, "durable", |caller| caller.durable == 7);
    assert_eq!(caller.client.statistics().unsettled, 0);
}

#[test]
fn a_claim_never_makes_the_answer_greater_than_a_frame() {
    let (mut script, caller) = linked();
    let claims: Vec<Move> =
        (1..=1_000).map(|seq| Move { kind: kind::CLAIM, ..go(1, seq) }).collect();
    caller.send(&claims);
    for first in [1, 513] {
        let (header, _) = script.frame();
        assert_eq!((header.kind, header.first), (frame::MOVES, first));
        assert!(header.count <= 512);
    }
}
