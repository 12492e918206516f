//! The player table with ids that were chosen to hurt it.

use huntgraph_core::Partition;
use huntgraph_core::schema::{Code, kind};

use crate::support::{Rng, Shadow, World, block, player_move};

const HUNTLESS: u16 = u16::MAX;

/// The inverse of the index's multiplier modulo 2^64 (Newton's iteration).
fn inverse(odd: u64) -> u64 {
    let mut found = odd;
    for _ in 0..6 {
        found = found.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(found)));
    }
    assert_eq!(found.wrapping_mul(odd), 1);
    found
}

/// Ids whose products with the multiplier share their top bits: all belong into one bucket.
fn colliding(top: u64, count: u64) -> Vec<u64> {
    let back = inverse(0x9E37_79B9_7F4A_7C15);
    (0..count).map(|low| ((top << 52) | low).wrapping_mul(back)).collect()
}

#[test]
fn colliding_and_extreme_ids_are_all_found_again() {
    let world = World::random(&mut Rng(1), 20, 30, 9);
    // The last bucket, so that the probes run over the end of the index.
    for top in [0, 0xFFF] {
        let mut ids = colliding(top, 900);
        ids.extend([0, u64::MAX, 1 << 63, 1, u64::MAX - 1]);
        ids.sort_unstable();
        ids.dedup();
        let limits = world.limits(ids.len() as u32, 1);
        let mut memory = block(limits);
        let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
        let mut shadow = Shadow::new(&world);
        for (at, &id) in ids.iter().enumerate() {
            assert_eq!(partition.player_slot(id), None, "id {id}");
            let enter = player_move(kind::ENTER, id, 1, HUNTLESS, 0, at as u32 % 20);
            let update = partition.apply(&enter, &mut shadow).update;
            assert_eq!((update.code, update.player, update.seq), (0, id, 1));
        }
        for (at, &id) in ids.iter().enumerate() {
            assert_eq!(partition.player_slot(id), Some(at), "id {id}");
            assert_eq!(partition.players[at].node, at as u32 % 20);
        }
        let (hash, position) = (partition.state_hash(), partition.header.position);
        for &stranger in &colliding(top, 1_000)[900..] {
            let enter = player_move(kind::ENTER, stranger, 1, HUNTLESS, 0, 0);
            let answer = partition.apply(&enter, &mut shadow);
            assert_eq!(answer.update.code, Code::PlayersFull as u16);
            assert!(!answer.logged);
        }
        assert_eq!((partition.state_hash(), partition.header.position), (hash, position));
        assert_eq!(partition.rehash(), hash);
    }
}

#[test]
fn sequence_numbers_at_the_end_of_their_range_are_told_apart() {
    let world = World::random(&mut Rng(2), 5, 5, 9);
    let limits = world.limits(4, 1);
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let mut shadow = Shadow::new(&world);
    let mut send = |seq: u32| {
        let enter = player_move(kind::ENTER, 3, seq, HUNTLESS, 0, 0);
        let update = partition.apply(&enter, &mut shadow).update;
        (update.code, update.seq)
    };
    let gap = Code::SeqGap as u16;
    assert_eq!(send(0), (gap, 0));
    assert_eq!(send(u32::MAX), (gap, 0));
    assert_eq!(send(1), (0, 1));
    assert_eq!(send(u32::MAX), (gap, 1));
    assert_eq!(send(0), (Code::Duplicate as u16, 1));
    assert_eq!(send(2), (0, 2));
}
