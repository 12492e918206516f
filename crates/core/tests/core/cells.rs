//! Cells by name: together they are the state hash, and there are no others.

use huntgraph_core::schema::HUNTS;
use huntgraph_core::{Partition, mix};

use crate::support::{Rng, World, block};
use crate::turmoil::Turmoil;

/// Every name that may have a cell in a partition without borders, and some that never have.
fn names(partition: &Partition) -> impl Iterator<Item = u64> {
    let edges = partition.edge_ids() as u64 + 2;
    let players = partition.header.players as u64 + 1;
    let hunts = HUNTS as u64 + 1;
    let counts = [0, edges, players * 8, hunts * 16, hunts * 1024, hunts * 128, hunts * 512];
    let counts = counts.into_iter().chain([12, 64, 64 * 4, edges, 3]);
    counts.enumerate().flat_map(|(tag, count)| (0..count).map(move |at| (tag as u64) << 56 | at))
}

#[test]
fn the_cells_by_name_add_up_to_the_state_hash() {
    let world = World::random(&mut Rng(30), 60, 150, 30);
    let limits = world.limits(32, 4);
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let mut turmoil = Turmoil::new(5, &world, 30);
    for round in 0..4_000 {
        let raw = turmoil.record(&partition);
        partition.apply(&raw, &mut ());
        if round % 400 == 399 {
            let cells = names(&partition).filter_map(|name| Some((name, partition.cell(name)?)));
            let sum = cells.fold(0u64, |sum, (name, word)| sum.wrapping_add(mix(name, word)));
            assert_eq!(sum, partition.state_hash(), "after {round}");
        }
    }
}
