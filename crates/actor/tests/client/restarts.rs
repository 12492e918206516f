//! Actors that come back having lost what was not durable.

use huntgraph_actor::client::LinkEvent;
use huntgraph_core::schema::{Move, Update, flag, kind};

use crate::script::{Caller, Script, again, done, go, linked};

fn claim(player: u64, seq: u32) -> Move {
    Move { kind: kind::CLAIM, ..go(player, seq) }
}

fn won(record: &Move, position: u64) -> Update {
    Update { flags: flag::RECEIPT, found: 3, ..done(record, position) }
}

fn revised(caller: &Caller) -> Vec<u64> {
    let numbers = caller.events.iter().filter_map(|event| match event {
        LinkEvent::Revised { number, .. } => Some(*number),
        _ => None,
    });
    numbers.collect()
}

/// Three moves answered at 11, 12, 13, of which the actor told that 11 is durable.
fn answered(moves: &[Move; 3]) -> (Script, Caller) {
    let (mut script, mut caller) = linked();
    caller.send(moves);
    let got = script.take_moves(1, 3);
    script.answer(1, &[done(&got[0], 11), done(&got[1], 12), done(&got[2], 13)]);
    script.durable(11);
    caller.until(&mut script, "durable", |caller| caller.durable == 11);
    assert_eq!(caller.echoes(&mut script, 3).len(), 3);
    (script, caller)
}

#[test]
fn a_lost_tail_is_sent_again_also_when_its_positions_are_durable_with_other_records() {
    let moves = [go(1, 1), go(2, 1), go(1, 2)];
    let (mut script, mut caller) = answered(&moves);
    script.cut(0);
    // Restarted at 11; then ticks took 12 to 20 and are durable before the client is back.
    script.welcome(2, 20);
    let got = script.take_moves(1, 2);
    assert_eq!(got, [moves[1], moves[2]]);
    caller.take();
    assert_eq!(caller.durable, 11, "12 and 13 are lost: they must not count as durable");
    script.answer(1, &[done(&got[0], 21), done(&got[1], 22)]);
    script.durable(21);
    caller.send(&[go(1, 3)]);
    let (first, got) = script.moves();
    assert_eq!((first, &got[..]), (3, &[go(1, 3)][..]));
    caller.take();
    assert_eq!(caller.durable, 11);
    script.answer(3, &[done(&got[0], 23)]);
    script.durable(22);
    caller.until(&mut script, "durable", |caller| caller.durable == 22);
    assert_eq!(caller.echoes(&mut script, 4).len(), 4);
    assert_eq!(caller.client.statistics().unsettled, 1);
    assert_eq!(caller.client.statistics().repeated, 2);
    assert_eq!(revised(&caller), [0u64; 0]);
}

#[test]
fn a_tail_that_outlived_the_restart_is_recognised() {
    let moves = [go(1, 1), go(2, 1), go(1, 2)];
    let (mut script, mut caller) = answered(&moves);
    script.cut(0);
    script.welcome(2, 15);
    let got = script.take_moves(1, 2);
    script.answer(1, &[again(&got[0], 12), again(&got[1], 13)]);
    caller.until(&mut script, "settling", |caller| caller.client.statistics().unsettled == 0);
    caller.until(&mut script, "durable", |caller| caller.durable == 15);
    assert_eq!(caller.updates.len(), 3);
}

#[test]
fn a_receipt_is_handed_out_once_and_only_when_durable() {
    let (mut script, mut caller) = linked();
    caller.send(&[claim(1, 1), go(1, 2)]);
    let got = script.take_moves(1, 2);
    script.answer(1, &[won(&got[0], 5), done(&got[1], 6)]);
    assert_eq!(caller.echoes(&mut script, 2).len(), 2);
    assert_eq!(caller.receipts.len(), 0);
    script.cut(0);
    // Restarted, and the claim had reached the disk: as an older move it is named no more.
    script.welcome(2, 6);
    let got = script.take_moves(1, 2);
    script.answer(1, &[again(&got[0], 0), again(&got[1], 6)]);
    caller.until(&mut script, "receipt", |caller| caller.receipts.len() == 1);
    assert_eq!((caller.receipts[0].position, caller.receipts[0].stage), (5, 3));
    caller.send(&[go(1, 3)]);
    let got = script.take_moves(3, 1);
    script.answer(3, &[done(&got[0], 7)]);
    script.durable(7);
    caller.until(&mut script, "durable", |caller| caller.durable == 7);
    assert_eq!((caller.receipts.len(), caller.updates.len()), (1, 3));
}

#[test]
fn a_claim_that_comes_out_otherwise_after_a_restart_is_told_and_gives_no_receipt() {
    const TAKEN: u16 = 26;
    let (mut script, mut caller) = linked();
    caller.send(&[claim(1, 1), claim(2, 1)]);
    let got = script.take_moves(1, 2);
    script.answer(1, &[won(&got[0], 5), won(&got[1], 6)]);
    assert_eq!(caller.echoes(&mut script, 2).len(), 2);
    script.cut(0);
    script.welcome(2, 4);
    let got = script.take_moves(1, 2);
    let lost = Update { code: TAKEN, ..done(&got[0], 8) };
    script.answer(1, &[lost, won(&got[1], 9)]);
    script.durable(9);
    caller.until(&mut script, "durable", |caller| caller.durable == 9);
    assert_eq!(revised(&caller), [1]);
    assert_eq!(caller.receipts.len(), 1);
    assert_eq!((caller.receipts[0].player, caller.receipts[0].position), (2, 9));
    assert_eq!(caller.updates.len(), 2);
}

#[test]
fn a_second_loss_before_the_repeats_are_answered_changes_nothing() {
    let moves = [go(1, 1), go(2, 1), go(1, 2)];
    let (mut script, mut caller) = answered(&moves);
    script.cut(0);
    script.welcome(2, 20);
    script.take_moves(1, 2);
    script.cut(0);
    // In the same epoch again: the repeats were applied at 21 and 22, nobody was told.
    script.welcome(2, 20);
    let got = script.take_moves(1, 2);
    script.answer(1, &[again(&got[0], 21), again(&got[1], 22)]);
    script.durable(21);
    caller.send(&[go(2, 2)]);
    let got = script.take_moves(3, 1);
    caller.take();
    assert_eq!(caller.durable, 11);
    script.answer(3, &[done(&got[0], 23)]);
    script.durable(23);
    caller.until(&mut script, "durable", |caller| caller.durable == 23);
    assert_eq!(caller.updates.len(), 4);
    assert_eq!(caller.client.statistics().unsettled, 0);
}

#[test]
fn an_actor_that_has_lost_durable_positions_ends_the_client() {
    let moves = [go(1, 1), go(2, 1), go(1, 2)];
    let (mut script, mut caller) = answered(&moves);
    script.cut(0);
    script.welcome(1, 0);
    assert_eq!(caller.failure(&mut script), "HG1308");
}
