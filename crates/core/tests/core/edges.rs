//! Edges that are added to a running partition and removed from it.

use huntgraph_core::schema::{Code, DEGREE, Event, event, flag, kind};
use huntgraph_core::{Limits, Partition, Sink, bytes};

use crate::support::{
    Ends, Rng, Seen, Shadow, World, block, both_forms, edge_change, must, order, player_move,
    tick_of, treasures,
};
use crate::turmoil::Turmoil;

fn add(from: u32, to: u32, cost: u32) -> [u8; 64] {
    order(kind::EDGE_ADD, 0, from, to, cost)
}

/// Enters a player at every node and judges what it is told; gives the next sequence number.
fn ask_everywhere(
    world: &World,
    partition: &mut Partition,
    shadow: &mut Shadow,
    first_seq: u32,
) -> u32 {
    let mut seen = Seen::default();
    for node in 0..world.nodes() {
        let enter = player_move(kind::ENTER, 1, first_seq + node, 0, 0, node);
        let update = must(partition, &enter, shadow);
        assert_eq!(update.flags & flag::PENDING, 0, "{update:?}");
        seen.judge(world, shadow, &update);
    }
    first_seq + world.nodes()
}

/// Applies the next tick and lets the fields catch up with it.
fn settle(partition: &mut Partition, shadow: &mut Shadow) {
    let tick = tick_of(partition);
    must(partition, &tick, shadow);
    partition.work(u32::MAX);
}

#[test]
fn beyond_the_room_edges_are_refused_and_nothing_changes() {
    let world = World::random(&mut Rng(1), 50, 20, 9);
    for (added, fit) in [(0, 0), (1, 0), (7, 3), (8, 4)] {
        let limits = Limits { added, ..world.limits(4, 1) };
        let mut memory = block(limits);
        let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
        let mut done = 0;
        for to in 2..40 {
            let before = (partition.state_hash(), partition.header.position);
            let update = partition.apply(&add(0, to, 3), &mut ()).update;
            let full = update.code == Code::EdgesFull as u16;
            let after = (partition.state_hash(), partition.header.position);
            assert!(full == (after == before) || update.code == Code::EdgeExists as u16);
            done += (partition.header.added as usize / 2 > done) as usize;
        }
        assert_eq!((done, partition.header.added), (fit, 2 * fit as u32));
        assert_eq!(partition.edge_ids(), world.head.len() + 2 * fit);
        assert_eq!(partition.state_hash(), partition.rehash());
    }
}

#[test]
fn no_row_grows_beyond_its_slots_and_every_slot_can_guide() {
    let nodes = DEGREE as u32 + 20;
    let ring: Vec<_> = (0..nodes).map(|node| (node, (node + 1) % nodes, 500)).collect();
    let world = World::new(nodes, &ring);
    for limits in both_forms(world.limits(4, 1), &world.view()) {
        fill_a_row(&world, limits);
    }
}

fn fill_a_row(world: &World, limits: Limits) {
    let nodes = world.nodes();
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let mut shadow = Shadow::new(world);
    for row in treasures(0, &[40]) {
        must(&mut partition, &row, &mut shadow);
    }
    settle(&mut partition, &mut shadow);
    // The longer ago it was added, the dearer it is: the way leads over all slots in turn.
    let mut seq = 1;
    for to in 2..nodes - 1 {
        let code = partition.apply(&add(0, to, 3 * nodes - 3 * to), &mut shadow).update.code;
        let full = to as usize >= DEGREE;
        assert_eq!(code == Code::EdgesFull as u16, full, "to {to}: {code}");
        if to % 9 == 0 && !full {
            settle(&mut partition, &mut shadow);
            seq = ask_everywhere(world, &mut partition, &mut shadow, seq);
        }
    }
    let slots = (0..partition.edge_ids()).filter_map(|edge| partition.edge(edge));
    assert_eq!(slots.filter(|edge| edge.tail == 0).count(), DEGREE);
    assert_eq!(partition.apply(&add(5, 0, 1), &mut shadow).update.code, Code::Ok as u16);
    settle(&mut partition, &mut shadow);
    ask_everywhere(world, &mut partition, &mut shadow, seq);
}

/// Rows are described sixteen nodes a group, and heads further than 2^15 stand in another table.
#[test]
fn tails_and_heads_of_added_edges_are_right_at_the_seams_of_the_rows() {
    let nodes = 40_000;
    let path: Vec<_> = (1..nodes).map(|node| (node - 1, node, 2)).collect();
    let world = World::new(nodes, &path);
    for limits in both_forms(world.limits(2, 1), &world.view()) {
        add_at_the_seams(&world, limits);
    }
}

fn add_at_the_seams(world: &World, limits: Limits) {
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let places = [0, 1, 7, 8, 15, 16, 17, 31, 20_000, 39_983, 39_984, 39_999];
    let mut expected: Vec<Ends> = Vec::new();
    for (at, &from) in places.iter().enumerate() {
        for &to in &places[at + 1..] {
            if to != from + 1 {
                let update = partition.apply(&add(from, to, 7), &mut ()).update;
                assert_eq!(update.code, 0, "{from} to {to}");
                expected.extend([(from, to), (to, from)]);
            }
        }
    }
    let all = (0..partition.edge_ids()).map(|edge| partition.edge(edge).unwrap());
    let ends: Vec<Ends> = all.map(|edge| (edge.tail, edge.head)).collect();
    let own = world.tail.iter().copied().zip(world.head.iter().copied());
    assert_eq!(ends, own.chain(expected).collect::<Vec<_>>());
    assert_eq!(partition.state_hash(), partition.rehash());
}

#[test]
fn a_saved_state_holds_its_added_edges_and_goes_on_adding() {
    let world = World::near(&mut Rng(2), 40, 80, 9);
    for limits in both_forms(world.limits(8, 2), &world.view()) {
        save_and_go_on(&world, Limits { added: 60, ..limits });
    }
}

fn save_and_go_on(world: &World, limits: Limits) {
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let (mut shadow, mut rng) = (Shadow::new(world), Rng(3));
    for row in treasures(0, &[17]) {
        must(&mut partition, &row, &mut shadow);
    }
    let mut seq = 1;
    for _ in 0..4 {
        for _ in 0..60 {
            let change = edge_change(&mut rng, &partition, 9);
            partition.apply(&change, &mut shadow);
        }
        let state = limits.state_lines();
        let (hash, saved) = (partition.state_hash(), memory[..state].to_vec());
        let mut other = block(limits);
        other[..state].copy_from_slice(&saved);
        let mut resumed = Partition::resume(&mut other, limits).unwrap();
        assert_eq!((resumed.state_hash(), resumed.rehash()), (hash, hash));
        assert_eq!(resumed.edge_ids(), world.head.len() + shadow.added.len());
        settle(&mut resumed, &mut shadow);
        seq = ask_everywhere(world, &mut resumed, &mut shadow, seq);
        memory = other;
        partition = Partition::attach(&mut memory).unwrap();
    }
    assert!(partition.header.added > 10);
    assert_eq!(bytes(&memory).len(), limits.total_lines() * 64);
}

/// The judge follows added edges by what events say; one that forgets them must fail.
#[test]
fn a_judge_that_forgets_an_added_edge_finds_the_answers_wrong() {
    let world = World::new(30, &(1..30).map(|node| (node - 1, node, 9)).collect::<Vec<_>>());
    let limits = world.limits(4, 1);
    let judged = |forgets: bool| {
        let mut memory = block(limits);
        let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
        let mut shadow = Shadow::new(&world);
        for row in treasures(0, &[29]) {
            must(&mut partition, &row, &mut shadow);
        }
        must(&mut partition, &add(3, 25, 1), &mut shadow);
        if forgets {
            shadow.live[world.head.len()] = 0;
        }
        settle(&mut partition, &mut shadow);
        ask_everywhere(&world, &mut partition, &mut shadow, 1);
    };
    judged(false);
    assert!(std::panic::catch_unwind(|| judged(true)).is_err());
}

/// Counts the steps over added edges, whose ids begin at `first`.
struct Walked {
    first: u32,
    count: u32,
}

impl Sink for Walked {
    fn event(&mut self, event: &Event) {
        self.count += (event.kind == event::WENT && event.edge >= self.first) as u32;
    }
}

#[test]
fn turmoil_adds_removes_and_walks_over_what_was_added() {
    let world = World::near(&mut Rng(7), 40, 60, 9);
    for limits in both_forms(world.limits(64, 4), &world.view()) {
        walk_over_what_was_added(&world, limits);
    }
}

fn walk_over_what_was_added(world: &World, limits: Limits) {
    let mut memory = block(limits);
    let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
    let mut turmoil = Turmoil::new(5, world, 40);
    let mut seen = Walked { first: world.head.len() as u32, count: 0 };
    let (mut added, mut removed) = (0, 0);
    for _ in 0..6_000 {
        let raw = turmoil.record(&partition);
        let answer = partition.apply(&raw, &mut seen);
        added += (raw[0] == kind::EDGE_ADD && answer.logged) as u32;
        removed += (raw[0] == kind::EDGE_REMOVE && answer.logged) as u32;
    }
    let walked = seen.count;
    assert!(added > 50 && removed > 50 && walked > 50, "{added}, {removed}, {walked}");
}
