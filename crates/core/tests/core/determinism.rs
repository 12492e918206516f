//! The same records give the same bytes: in every build, in any batches, with any work between.

use huntgraph_core::{Limits, Partition, bytes};

use crate::support::{Rng, Shadow, World, block};
use crate::turmoil::Turmoil;

/// State hash after the history of [`history`], in debug and release builds, on every machine.
const HASH: u64 = 0xfc6a_ae86_a3aa_aa53;
const POSITION: u64 = 35_331;

fn history(world: &World, limits: Limits, count: u32) -> (Vec<[u8; 64]>, u64, u64) {
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let mut turmoil = Turmoil::new(77, world, 50);
    let records = (0..count)
        .map(|_| {
            let raw = turmoil.record(&partition);
            partition.apply(&raw, &mut ());
            raw
        })
        .collect();
    (records, partition.state_hash(), partition.header.position)
}

#[test]
fn the_hash_of_a_long_history_is_the_one_written_here() {
    let world = World::random(&mut Rng(20), 120, 300, 200);
    let limits = world.limits(64, 8);
    let (_, hash, position) = history(&world, limits, 40_000);
    assert_eq!((hash, position), (HASH, POSITION), "found {hash:#018x}");
}

#[test]
fn batches_guidance_and_looking_ahead_change_nothing() {
    let world = World::random(&mut Rng(21), 80, 200, 20);
    let limits = world.limits(64, 8);
    let (records, hash, _) = history(&world, limits, 8_000);
    let mut states = Vec::new();
    for (seed, most, work) in [(1, 1, 0), (2, 8_000, 0), (3, 90, 500), (4, 9, 10)] {
        let mut memory = block(limits);
        let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
        let (mut rng, mut shadow) = (Rng(seed), Shadow::new(&world));
        let (mut rest, mut told) = (&records[..], Vec::new());
        while !rest.is_empty() {
            let some = (1 + rng.below(most) as usize).min(rest.len());
            partition.apply_batch(&rest[..some], &mut shadow, |_, raw, answer, receipt| {
                let update = answer.update;
                assert_eq!(update.kind, raw[0]);
                told.push((
                    update.code,
                    update.position,
                    update.node,
                    update.score,
                    receipt.copied(),
                ));
            });
            partition.work(rng.below(work + 1));
            let [first, end] = [(); 2].map(|()| rng.below(80) as usize);
            partition.fetch_next_moves(first..end);
            rest = &rest[some..];
        }
        assert_eq!((partition.state_hash(), partition.rehash()), (hash, hash));
        let saved = bytes(&memory)[..limits.state_lines() * 64].to_vec();
        states.push((saved, told, shadow.live, shadow.ticks));
    }
    assert!(states.windows(2).all(|two| two[0] == two[1]));
}
