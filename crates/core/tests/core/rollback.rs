//! Promise P12: what was done can be taken back, bit for bit. Every record of random histories is
//! rolled back at least once and the state compared with the bytes it had.

use huntgraph_core::history::{Change, Touched, differ};
use huntgraph_core::schema::{Arrival, Correction, Move, kind};
use huntgraph_core::{Limits, Line, Partition, WorldView, bytes};

use crate::support::{Rng, World, block, both_forms};
use crate::turmoil::Turmoil;

const OWNERS: [u16; 6] = [5, 6, 5, 6, 5, 6];
const TWINS: [u32; 6] = [40, 9, 41, 10, 42, 11];

/// The last six nodes of a world as the halo of two other partitions.
pub fn with_halo(world: &World) -> WorldView<'_> {
    WorldView { partition: 2, halo_owner: &OWNERS, halo_twin: &TWINS, ..world.view() }
}

pub fn state(memory: &[Line], limits: Limits) -> &[u8] {
    bytes(&memory[..limits.state_lines()])
}

/// A block with a new image of a world.
pub fn laid_out(limits: Limits, view: &WorldView) -> Vec<Line> {
    let mut memory = block(limits);
    Partition::create(&mut memory, limits, view).unwrap();
    memory
}

/// A record of the borders: an arrival or a notice that is next, or an acknowledgement.
fn border_record(rng: &mut Rng, partition: &Partition) -> [u8; 64] {
    let from = OWNERS[rng.below(2) as usize];
    let peer = *partition.border.peer(from).unwrap();
    if rng.chance(40) && peer.sent > peer.acked {
        let a = peer.acked + 1 + rng.below((peer.sent - peer.acked) as u32) as u64;
        return Move { kind: kind::HANDED_ON, arg: from as u32, a, ..Move::default() }.encode();
    }
    let kind = if rng.chance(80) { kind::ARRIVE } else { kind::NOTICE };
    Arrival {
        kind,
        from,
        seq: 7 + rng.below(3),
        player: rng.below(60) as u64 * 0x0101_0101_0101,
        number: peer.taken + 1,
        node: rng.below(partition.header.own_nodes),
        hunt: rng.below(9) as u8,
        ..Arrival::default()
    }
    .encode()
}

pub fn any_record(rng: &mut Rng, turmoil: &mut Turmoil, partition: &Partition) -> [u8; 64] {
    let borders = partition.header.own_nodes < partition.header.nodes;
    if borders && rng.chance(8) { border_record(rng, partition) } else { turmoil.record(partition) }
}

/// Plays a random history; after every few records all of them are taken back, compared with the
/// bytes before, and played again.
fn roll_back_every_record(seed: u64, world: &World, limits: Limits, view: WorldView) -> u64 {
    let limits = Limits { journal: 1 << 14, ..limits };
    let mut memory = laid_out(limits, &view);
    let (mut rng, mut turmoil) = (Rng(seed), Turmoil::new(seed, world, 60));
    for _ in 0..1_500 {
        let before = state(&memory, limits).to_vec();
        let mut partition = Partition::attach(&mut memory).unwrap();
        let (mark, position) = (partition.journal.marks.next, partition.header.position);
        let records: Vec<_> = (0..1 + rng.below(4))
            .map(|_| {
                let raw = any_record(&mut rng, &mut turmoil, &partition);
                partition.apply(&raw, &mut ());
                raw
            })
            .collect();
        let hash = partition.state_hash();
        if partition.header.position > position && rng.chance(50) {
            partition.rewind(position).unwrap();
        }
        partition.undo_to(mark).unwrap();
        assert_eq!(partition.state_hash(), partition.rehash(), "seed {seed}");
        assert!(state(&memory, limits) == before, "seed {seed}: {records:?} left traces");
        let mut partition = Partition::attach(&mut memory).unwrap();
        partition.apply_batch(&records, &mut (), |_, _, _, _| {});
        assert_eq!(partition.state_hash(), hash, "seed {seed}: another outcome the second time");
    }
    Partition::attach(&mut memory).unwrap().state_hash()
}

/// In some forms of the same world: the outcome is one.
fn roll_back_in(forms: &[Limits], seed: u64, world: &World, view: WorldView) {
    let hashes: Vec<_> =
        forms.iter().map(|&limits| roll_back_every_record(seed, world, limits, view)).collect();
    assert!(hashes.iter().all(|&hash| hash == hashes[0]), "seed {seed}: {hashes:x?}");
}

#[test]
fn every_record_can_be_taken_back() {
    for seed in [31, 32] {
        let world = World::random(&mut Rng(seed), 120, 300, 200);
        roll_back_in(&[world.limits(64, 0)], seed, &world, world.view());
        let world = World::near(&mut Rng(seed), 120, 300, 90);
        let forms = both_forms(world.limits(64, 0), &world.view());
        roll_back_in(&forms, seed, &world, world.view());
    }
}

#[test]
fn every_record_at_a_border_can_be_taken_back() {
    for seed in [33, 34] {
        let world = World::random(&mut Rng(seed), 60, 140, 200);
        let view = with_halo(&world);
        roll_back_in(&[Limits::of(&view, 64, 0)], seed, &world, view);
        let world = World::near(&mut Rng(seed), 60, 140, 90);
        let view = with_halo(&world);
        roll_back_in(&both_forms(Limits::of(&view, 64, 0), &view), seed, &world, view);
    }
}

/// Memory for a [`Touched`] of a partition with these limits.
pub fn bits(limits: Limits) -> (Vec<u64>, Vec<u64>) {
    let edges = (limits.edges + limits.added) as usize;
    let players = limits.players as usize;
    (vec![0; Touched::line_words(edges)], vec![0; Touched::player_words(players)])
}

#[test]
fn a_copy_goes_back_to_any_position_the_journal_reaches() {
    let world = World::random(&mut Rng(35), 60, 140, 200);
    let view = with_halo(&world);
    let limits = Limits { journal: 1 << 12, ..Limits::of(&view, 64, 0) };
    let mut memory = laid_out(limits, &view);
    let mut rng = Rng(36);
    let mut turmoil = Turmoil::new(36, &world, 60);
    let mut saved = vec![];
    for _ in 0..3_000 {
        let mut partition = Partition::attach(&mut memory).unwrap();
        let raw = any_record(&mut rng, &mut turmoil, &partition);
        if partition.apply(&raw, &mut ()).logged {
            let position = partition.header.position;
            saved.push((position, state(&memory, limits).to_vec()));
        }
    }
    let mut reached = 0;
    for (position, before) in saved.iter().rev().step_by(7) {
        let mut copy = memory.clone();
        let (mut lines, mut players) = bits(limits);
        let mut touched = Touched { lines: &mut lines, players: &mut players };
        let head = Partition::attach(&mut memory).unwrap();
        let mut branch = Partition::attach(&mut copy).unwrap();
        if let Err(error) = branch.rewind_by(&head.journal, *position, &mut touched) {
            // All that it says it reaches is right as well.
            let text = error.to_string();
            let first = branch.header.position;
            assert!(text.contains(&first.to_string()), "{text}");
            let (_, before) = saved.iter().find(|(at, _)| *at == first).unwrap();
            assert!(state(&copy, limits) == *before);
            break;
        }
        assert!(state(&copy, limits) == *before, "position {position}");
        reached += 1;
    }
    assert!((9..saved.len() / 7).contains(&reached), "{reached} of {}", saved.len());
}

/// One history is corrected into another, cell by cell, as far as its cells may be set.
#[test]
fn corrections_can_be_taken_back() {
    let mut set = 0;
    for seed in 50..60 {
        let world = World::random(&mut Rng(seed), 60, 140, 200);
        let limits = Limits { journal: 1 << 16, ..world.limits(64, 0) };
        let mut blocks = [block(limits), block(limits)];
        for (number, memory) in blocks.iter_mut().enumerate() {
            let mut partition = Partition::create(memory, limits, &world.view()).unwrap();
            let mut turmoil = Turmoil::new(seed + 100 * number as u64, &world, 60);
            for _ in 0..800 {
                let raw = turmoil.record(&partition);
                partition.apply(&raw, &mut ());
            }
        }
        let [ours, theirs] = &mut blocks;
        let before = state(ours, limits).to_vec();
        let mut wanted = vec![];
        let other = Partition::attach(theirs).unwrap();
        other.each_player_cell(|name, word| wanted.push((name, word)));
        other.each_other_cell(|name, word| wanted.push((name, word)));
        other.each_edge_cell(|name, word| wanted.push((name, word)));
        let mut partition = Partition::attach(ours).unwrap();
        let mark = partition.journal.marks.next;
        let fence = Correction { kind: kind::FENCE, id: 9, ..Correction::default() };
        assert!(partition.apply(&fence.encode(), &mut ()).logged);
        for (name_1, word_1) in wanted {
            let row = Correction { kind: kind::CORRECT, id: 9, count: 1, name_1, word_1, ..fence };
            set += partition.apply(&row.encode(), &mut ()).logged as usize;
        }
        // What was made by a correction may be taken away by it.
        for edge in (0..partition.edge_ids() as u64).rev() {
            let name_1 = 10 << 56 | edge;
            let row = Correction { kind: kind::CORRECT, id: 9, count: 1, gone: 1, name_1, ..fence };
            partition.apply(&row.encode(), &mut ());
        }
        let settle = Correction { kind: kind::SETTLE, word_1: partition.bare_hash(), ..fence };
        partition.apply(&settle.encode(), &mut ());
        assert_eq!(partition.state_hash(), partition.rehash());
        partition.undo_to(mark).unwrap();
        assert!(state(ours, limits) == before, "seed {seed}");
    }
    assert!(set > 5_000, "{set}");
}

/// Compares what was touched, and all that there is: the same is told, and again the second time.
fn told_changes(
    head: &Partition,
    branch: &Partition,
    touched: &mut Touched,
    limits: Limits,
    round: usize,
) -> usize {
    fn told(head: &Partition, branch: &Partition, touched: &mut Touched) -> Vec<Change> {
        let mut changes = vec![];
        differ(head, branch, touched, &mut |change| changes.push(change));
        changes
    }
    let (mut lines, mut players) = bits(limits);
    let mut all = Touched { lines: &mut lines, players: &mut players };
    all.fill();
    let changes = told(head, branch, touched);
    assert_eq!(changes, told(head, branch, &mut all), "round {round}");
    // What was found to be equal is not looked at again, and nothing else is passed over.
    assert_eq!(changes, told(head, branch, touched), "round {round}");
    assert_eq!(changes, told(head, branch, &mut all), "round {round}");
    changes.len()
}

/// Branches that go back and on in another way differ from the head by exactly the cells told, and
/// can be made the head again.
#[test]
fn a_branch_differs_by_the_cells_that_are_told_and_can_be_made_the_head_again() {
    let world = World::near(&mut Rng(41), 60, 140, 200);
    for limits in both_forms(Limits::of(&with_halo(&world), 64, 0), &with_halo(&world)) {
        branch_and_go_back(&world, Limits { journal: 1 << 14, ..limits });
    }
}

fn branch_and_go_back(world: &World, limits: Limits) {
    let view = with_halo(world);
    let (mut memory, mut copy) = (laid_out(limits, &view), laid_out(limits, &view));
    let (mut lines, mut players) = bits(limits);
    let mut rng = Rng(42);
    let mut turmoil = Turmoil::new(42, world, 60);
    let mut told = 0;
    for round in 0..60 {
        let mut touched = Touched { lines: &mut lines, players: &mut players };
        let mut head = Partition::attach(&mut memory).unwrap();
        let mark = head.journal.marks.next;
        for _ in 0..rng.below(80) {
            let raw = any_record(&mut rng, &mut turmoil, &head);
            head.apply(&raw, &mut ());
        }
        assert!(touched.add_since(&head.journal, mark));
        let mut branch = Partition::attach(&mut copy).unwrap();
        branch.copy_from(&head, &mut touched);
        touched.clear();
        assert_eq!((branch.state_hash(), branch.rehash()), (head.state_hash(), head.state_hash()));
        let back = head.header.position.saturating_sub(rng.below(60) as u64);
        branch.rewind_by(&head.journal, back, &mut touched).unwrap();
        let mark = branch.journal.marks.next;
        let keeps = rng.below(2) == 0;
        if !keeps {
            branch.journal.note_in(touched);
        }
        for _ in 0..rng.below(40) {
            let raw = any_record(&mut rng, &mut turmoil, &branch);
            branch.apply(&raw, &mut ());
        }
        let mut branch = Partition::attach(&mut copy).unwrap();
        let mut touched = Touched { lines: &mut lines, players: &mut players };
        if keeps {
            assert!(touched.add_since(&branch.journal, mark));
        } else {
            assert!(!touched.add_since(&branch.journal, mark), "nothing is kept of it");
            assert!(branch.undo_to(mark).is_err(), "nor can it be taken back");
        }
        told += told_changes(&head, &branch, &mut touched, limits, round);
    }
    assert!(told > 1_000, "{told}");
}

#[test]
fn a_byte_that_was_not_kept_is_found() {
    let world = World::random(&mut Rng(37), 40, 80, 9);
    let limits = Limits { journal: 1 << 10, ..world.limits(8, 0) };
    let mut memory = laid_out(limits, &world.view());
    let before = state(&memory, limits).to_vec();
    let mut partition = Partition::attach(&mut memory).unwrap();
    let mark = partition.journal.marks.next;
    partition.apply(&crate::support::tick_of(&partition), &mut ());
    // Planted: a write beside the journal.
    partition.hunts[3].rows += 1;
    partition.undo_to(mark).unwrap();
    assert!(state(&memory, limits) != before);
}
