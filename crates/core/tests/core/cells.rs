//! Cells by name: together they are the state hash, and there are no others.

use huntgraph_core::schema::{HUNTS, Rule, kind};
use huntgraph_core::{Partition, mix};

use crate::support::{Rng, Shadow, World, block, must, tick_of};
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

/// Heat that nobody walked there cools like all other.
#[test]
fn heat_that_a_cell_was_given_decays() {
    let world = World::random(&mut Rng(31), 60, 150, 30);
    let limits = world.limits(8, 1);
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let mut shadow = Shadow::new(&world);
    let blank = Rule::default();
    let traffic = Rule { kind: kind::HUNT_TRAFFIC, index: 1, points: 3, delay: 2, ..blank };
    let rows = [
        Rule { kind: kind::HUNT_BEGIN, hunt_id: 1, ..blank },
        traffic,
        Rule { kind: kind::HUNT_PUBLISH, count: 1, ..blank },
    ];
    for row in rows {
        must(&mut partition, &row.encode(), &mut shadow);
    }
    let tick = tick_of(&partition);
    must(&mut partition, &tick, &mut shadow);
    let edges: Vec<usize> = (0..partition.edge_ids()).step_by(7).collect();
    let warmed: Vec<usize> =
        edges.into_iter().filter(|&edge| partition.edge(edge).unwrap().weight > 0).collect();
    for &edge in &warmed {
        let name = 1 << 56 | edge as u64;
        let word = partition.cell(name).unwrap() | 6 << 16;
        partition.set_cell(name, word, &mut ()).unwrap();
    }
    for _ in 0..2 {
        let tick = tick_of(&partition);
        must(&mut partition, &tick, &mut shadow);
    }
    for edge in warmed {
        assert_eq!(partition.edge(edge).unwrap().heat, 3, "edge {edge}");
    }
    assert_eq!(partition.state_hash(), partition.rehash());
}
