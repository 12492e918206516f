//! Fields and searches against a plain Dijkstra, and what may go wrong while they are worked on.

use huntgraph_core::schema::{NONE, flag, kind};
use huntgraph_core::{Limits, Partition};

use crate::support::{
    Rng, Seen, Shadow, World, block, edge_change, must, order, player_move, tick_of, treasures,
};
use crate::turmoil::Turmoil;

/// Plays turmoil with work between and judges every answer; gives what was seen, and overflows.
fn play(seed: u64, world: &World, limits: Limits, records: u32) -> (Seen, Shadow, u64) {
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let (mut shadow, mut seen) = (Shadow::new(world), Seen::default());
    let (mut turmoil, mut rng) = (Turmoil::new(seed, world, 40), Rng(seed ^ 1));
    for number in 0..records {
        let raw = turmoil.record(&partition);
        let update = partition.apply(&raw, &mut shadow).update;
        seen.judge(world, &shadow, &update);
        if rng.chance(30) {
            partition.work(rng.below(world.nodes() * 4));
        }
        if number % 256 == 0 {
            assert_eq!(partition.state_hash(), partition.rehash(), "record {number}, seed {seed}");
        }
    }
    assert_eq!(partition.state_hash(), partition.rehash(), "seed {seed}");
    (seen, shadow, partition.guidance.work.overflows)
}

#[test]
fn every_answer_is_a_shortest_way_on_the_weights_it_names() {
    for seed in 0..6 {
        let world = World::random(&mut Rng(seed), 60, 120, [3, 9, 60_000][seed as usize % 3]);
        // Of 60 nodes more new edges would leave none that a bounded search does not reach.
        let limits = Limits { added: 40, ..world.limits(64, 12) };
        let (seen, shadow, _) = play(seed, &world, limits, 12_000);
        assert!(seen.now > 100 && seen.epoch > 100, "{seen:?}");
        assert!(seen.late > 100 && seen.lost > 0 && seen.pending > 0, "{seen:?}");
        assert!(shadow.closed_hunts > 0, "no hunt closed while fields were worked on");
        assert_eq!(shadow.added.len(), 40);
    }
}

/// Few edges change between two epochs, so that fields are repaired and not built anew.
#[test]
fn repaired_fields_are_those_that_would_be_built() {
    let few = 1_000;
    // Of many edges some lead by offsets that are in no list, most by those of long ones.
    let many = 9_000;
    for (seed, edges, most, slice) in [
        (1, few, 4, 900),
        (2, few, 50, 2_000),
        (3, few, 60_000, 9_000),
        (4, few, 2, 9_000),
        (5, many, 5_000, 20_000),
    ] {
        let world = World::random(&mut Rng(seed), 500, edges, most);
        let limits = world.limits(8, 8);
        let mut memory = block(limits);
        let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
        let (mut shadow, mut seen, mut rng) = (Shadow::new(&world), Seen::default(), Rng(seed));
        for hunt in 0..8 {
            for row in treasures(hunt, &[rng.below(500)]) {
                must(&mut partition, &row, &mut shadow);
            }
        }
        for round in 1..400 {
            let tick = tick_of(&partition);
            must(&mut partition, &tick, &mut shadow);
            for hunt in 0..8 {
                let place = rng.below(500);
                let enter = player_move(kind::ENTER, hunt as u64, round, hunt, 0, place);
                let update = must(&mut partition, &enter, &mut shadow);
                seen.judge(&world, &shadow, &update);
                partition.work(slice / 8);
            }
            for _ in 0..6 {
                let change = edge_change(&mut rng, &partition, most);
                partition.apply(&change, &mut shadow);
            }
        }
        let repaired = partition.guidance.work.repaired;
        assert!(repaired > 100, "{repaired} repaired, {seen:?}, seed {seed}");
        // Of many edges there is always one left.
        assert!(seen.epoch > 1_000 && (seen.lost > 0 || edges == many), "{seen:?}");
    }
}

/// A field ends where distances need more bits than it has for them. Around players behind its end
/// nothing is searched for: their target is not there.
#[test]
fn who_is_too_far_away_waits_and_all_others_are_told() {
    let (nodes, cost) = (2_500, 60_000);
    let both = |node| [(node, node + 1, cost as u16), (node + 1, node, cost as u16)];
    let world = World::new(nodes, &(0..nodes - 1).flat_map(both).collect::<Vec<_>>());
    let limits = world.limits(2, 1);
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let mut shadow = Shadow::new(&world);
    for row in treasures(0, &[0]) {
        must(&mut partition, &row, &mut shadow);
    }
    let (mut told, mut seq, mut searches) = (vec![], 0, vec![]);
    for _ in 0..12 {
        searches.push(partition.guidance.work.searches);
        let tick = tick_of(&partition);
        must(&mut partition, &tick, &mut shadow);
        told.clear();
        for node in (100..nodes).step_by(100) {
            seq += 1;
            let enter = player_move(kind::ENTER, 1, seq, 0, 0, node);
            let update = must(&mut partition, &enter, &mut shadow);
            Seen::default().judge(&world, &shadow, &update);
            told.push((node, update.flags & flag::PENDING == 0));
        }
        let done = partition.work(u32::MAX);
        assert!(done < 20 * nodes, "{done} operations: it comes to rest");
    }
    let longest = ((1 << 27) - 2) / cost;
    let wanted: Vec<_> = told.iter().map(|&(node, _)| (node, node <= longest)).collect();
    assert_eq!(told, wanted);
    // Before the field is there, each of them is looked around for.
    assert_eq!(searches[1..], [told.len() as u64; 11]);
}

#[test]
fn more_targets_than_fields_are_never_answered_wrongly() {
    for fields in 1..4 {
        let world = World::random(&mut Rng(fields), 50, 90, 7);
        let (seen, _, _) = play(fields, &world, world.limits(64, fields as u32), 6_000);
        assert!(seen.now + seen.epoch > 100, "{seen:?}");
    }
}

/// Fields share a pool that holds one and a half of them; queue and chain hold less than a field.
#[test]
fn fields_short_of_pages_or_queue_answer_less_but_never_wrongly() {
    let mut answered = 0;
    for seed in 0..8 {
        let most = [4, 60, 60_000][seed as usize % 3];
        let world = World::random(&mut Rng(seed), 4_000, 6_000, most);
        let whole = world.limits(64, 4);
        let pages = 1 + whole.reserve() + whole.tiles() as u32 * 3 / 2;
        let queued = if seed % 2 == 0 { 1024 } else { whole.queued };
        let (seen, _, _) = play(seed, &world, Limits { pages, queued, ..whole }, 4_000);
        assert!(seen.pending > 0, "{seen:?}, seed {seed}");
        answered += seen.epoch;
    }
    assert!(answered > 200, "{answered}");
}

/// A square of `side` by `side` nodes, each with edges to its four neighbours.
fn square(side: u32) -> World {
    let along = |step: u32| move |node: u32| [(node, node + step, 10), (node + step, node, 10)];
    let across = (0..side * side).filter(|node| node % side < side - 1).flat_map(along(1));
    let down = (0..side * (side - 1)).flat_map(along(side));
    World::new(side * side, &across.chain(down).collect::<Vec<_>>())
}

/// All ways lead over two edges at the target; a repair has room to forget a third of the nodes.
#[test]
fn a_repair_without_room_keeps_what_is_near_and_grows_the_rest_anew() {
    let side = 60;
    let world = square(side);
    let limits = Limits { queued: 1024, ..world.limits(8, 1) };
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let (mut shadow, mut seen) = (Shadow::new(&world), Seen::default());
    for row in treasures(0, &[0]) {
        must(&mut partition, &row, &mut shadow);
    }
    let (near, far, mut seq) = (15 * side + 15, side * side - 1, 0);
    for price in 11..19 {
        // The far one asks for more until the field is whole.
        for _ in 0..4 {
            let tick = tick_of(&partition);
            must(&mut partition, &tick, &mut shadow);
            seq += 1;
            let enter = player_move(kind::ENTER, 1, seq, 0, 0, far);
            must(&mut partition, &enter, &mut shadow);
            partition.work(u32::MAX);
        }
        for node in [1, side] {
            must(&mut partition, &order(kind::EDGE_PRICE, 0, node, 0, price), &mut shadow);
        }
        let tick = tick_of(&partition);
        must(&mut partition, &tick, &mut shadow);
        // Slices of any length.
        while partition.work(price) > 0 {}
        for (player, node, told) in [(2, near, true), (3, far, false)] {
            let enter = player_move(kind::ENTER, player, price - 10, 0, 0, node);
            let update = must(&mut partition, &enter, &mut shadow);
            assert_eq!(update.flags & flag::CERTIFIED != 0, told, "{update:?}");
            assert!(update.epoch == partition.header.tick || !told, "{update:?}");
            seen.judge(&world, &shadow, &update);
        }
    }
    let work = &partition.guidance.work;
    assert!(work.repaired >= 8 && work.shortages >= 8, "{work:?}");
    comes_to_rest(&world, &mut partition, &mut shadow, seq);
}

/// A field grows to a far hunter, a near one has its answers, and an edge changes in each tick:
/// after how many ticks the far one is told, and by how many the near one's answers are old.
fn grow_in_slices(slice: u32) -> (Option<usize>, u32) {
    let world = square(60);
    let limits = world.limits(8, 1);
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let (mut shadow, mut oldest) = (Shadow::new(&world), 0);
    for row in treasures(0, &[0]) {
        must(&mut partition, &row, &mut shadow);
    }
    let is_told = |seq| {
        // Nobody's way to the target leads over this edge.
        must(&mut partition, &order(kind::EDGE_PRICE, 0, 0, 1, 10 + seq % 2), &mut shadow);
        let tick = tick_of(&partition);
        must(&mut partition, &tick, &mut shadow);
        let [near, far] = [(2, 10), (1, world.nodes() - 1)].map(|(player, node)| {
            let enter = player_move(kind::ENTER, player, seq, 0, 0, node);
            let update = must(&mut partition, &enter, &mut shadow);
            Seen::default().judge(&world, &shadow, &update);
            update
        });
        if near.flags & flag::CERTIFIED != 0 {
            oldest = oldest.max(partition.header.tick - near.epoch);
        }
        partition.work(slice);
        far.flags & flag::CERTIFIED != 0
    };
    let told = (1..1_000).map(is_told).position(|told| told);
    (told, oldest)
}

#[test]
fn growth_waits_for_epochs_unless_it_would_never_end() {
    let scan = 60 * 60 / 64;
    // Time for little more than finding where growth had stopped: epochs wait, so that it ends.
    let (told, oldest) = grow_in_slices(scan + 4);
    assert!(told.is_some_and(|told| told > 60) && oldest > 2, "{told:?}, {oldest} ticks");
    let (told, oldest) = grow_in_slices(2 * scan + 30);
    assert!(told.is_some_and(|told| told > 30) && oldest <= 2, "{told:?}, {oldest} ticks");
}

#[test]
fn a_full_memory_of_changes_costs_answers_but_never_a_wrong_one() {
    let world = World::random(&mut Rng(5), 400, 1_000, 50);
    let limits = Limits { pending: 1024, ..world.limits(64, 4) };
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let (mut shadow, mut seen, mut rng) = (Shadow::new(&world), Seen::default(), Rng(6));
    let mut seq = 0;
    for row in treasures(0, &[7]) {
        must(&mut partition, &row, &mut shadow);
    }
    for round in 0..60 {
        let tick = tick_of(&partition);
        must(&mut partition, &tick, &mut shadow);
        // Two rounds of five change more edges than can be remembered.
        let (changes, work) = if round % 5 > 1 { (90, 400) } else { (3_000, 2) };
        for number in 0..changes {
            if number % 30 == 0 {
                partition.work(work);
                seq += 1;
                let place = rng.below(world.nodes());
                let enter = player_move(kind::ENTER, 1, seq, 0, 0, place);
                let update = must(&mut partition, &enter, &mut shadow);
                seen.judge(&world, &shadow, &update);
            }
            let edge = rng.below(world.head.len() as u32) as usize;
            let (from, to) = (world.tail[edge], world.head[edge]);
            let price = order(kind::EDGE_PRICE, 0, from, to, 1 + rng.below(50));
            partition.apply(&price, &mut shadow);
        }
    }
    assert!(partition.guidance.work.overflows > 3);
    assert!(seen.epoch > 50 && seen.pending > 0, "{seen:?}");
    comes_to_rest(&world, &mut partition, &mut shadow, seq);
}

/// In calm, guidance is exact for the newest weights everywhere.
fn comes_to_rest(world: &World, partition: &mut Partition, shadow: &mut Shadow, last_seq: u32) {
    let mut seen = Seen::default();
    for _ in 0..2 {
        let tick = tick_of(partition);
        must(partition, &tick, shadow);
        partition.work(u32::MAX);
    }
    assert!(!partition.has_work());
    for place in 0..world.nodes() {
        let enter = player_move(kind::ENTER, 1, last_seq + 1 + place, 0, 0, place);
        let update = must(partition, &enter, shadow);
        assert_eq!(update.epoch, partition.header.tick);
        assert_eq!(update.flags & flag::PENDING, 0);
        seen.judge(world, shadow, &update);
    }
}

#[test]
fn a_hunt_that_closes_while_its_field_is_worked_on_leaves_nothing_behind() {
    let world = World::random(&mut Rng(8), 300, 500, 9);
    let limits = world.limits(8, 1);
    // Wherever the work stands when the hunt closes: clearing, searching, nearly done.
    for done in (0..400).step_by(7) {
        let mut memory = block(limits);
        let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
        let (mut shadow, mut seen) = (Shadow::new(&world), Seen::default());
        let mut seq = 0;
        for (round, target) in [3, 200, 120].into_iter().enumerate() {
            for row in treasures(0, &[target]) {
                must(&mut partition, &row, &mut shadow);
            }
            let tick = tick_of(&partition);
            must(&mut partition, &tick, &mut shadow);
            seq += 1;
            let enter = player_move(kind::ENTER, 5, seq, 0, 0, 50);
            let update = must(&mut partition, &enter, &mut shadow);
            assert_eq!(update.target, target);
            seen.judge(&world, &shadow, &update);
            partition.work(done + round as u32);
            let close = order(kind::HUNT_CLOSE, 0, 0, 0, 0);
            must(&mut partition, &close, &mut shadow);
            let tick = tick_of(&partition);
            must(&mut partition, &tick, &mut shadow);
        }
        for row in treasures(0, &[77]) {
            must(&mut partition, &row, &mut shadow);
        }
        let tick = tick_of(&partition);
        must(&mut partition, &tick, &mut shadow);
        for node in 0..world.nodes() {
            seq += 1;
            let enter = player_move(kind::ENTER, 5, seq, 0, 0, node);
            let update = must(&mut partition, &enter, &mut shadow);
            seen.judge(&world, &shadow, &update);
            partition.work(u32::MAX);
            // The one field may have been busy for the closed hunt when it was first asked for.
            assert!(node < 2 || update.flags & flag::PENDING == 0, "{update:?}");
        }
    }
}

#[test]
fn work_in_any_slices_gives_the_same_field() {
    let world = World::random(&mut Rng(9), 500, 900, 5);
    let limits = world.limits(8, 2);
    let answers = |slice: u32| {
        let mut memory = block(limits);
        let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
        let mut shadow = Shadow::new(&world);
        for row in treasures(0, &[11]) {
            must(&mut partition, &row, &mut shadow);
        }
        let tick = tick_of(&partition);
        must(&mut partition, &tick, &mut shadow);
        must(&mut partition, &player_move(kind::ENTER, 1, 1, 0, 0, 0), &mut shadow);
        let mut used = 0;
        loop {
            let did = partition.work(slice);
            assert!(did <= slice);
            used += did;
            if did < slice {
                break;
            }
        }
        assert!(!partition.has_work());
        let told: Vec<(u32, u32)> = (0..world.nodes())
            .map(|node| {
                let enter = player_move(kind::ENTER, 1, 2 + node, 0, 0, node);
                let update = must(&mut partition, &enter, &mut shadow);
                (update.distance, update.next)
            })
            .collect();
        (used, told)
    };
    let whole = answers(u32::MAX);
    let away = world.solve(&[], &world.cost, 11);
    for (node, &distance) in away.iter().enumerate() {
        let next = world.next(&[], &world.cost, &away, node as u32);
        assert_eq!(whole.1[node], (distance, if distance == 0 { NONE } else { next }));
    }
    for slice in [1, 2, 17, 300] {
        assert_eq!(answers(slice), whole);
    }
}
