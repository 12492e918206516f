//! A state carried over into an image of another size is what an image of that size would hold
//! after the same records, to the last byte, and goes on like it.

use huntgraph_core::schema::{Move, kind};
use huntgraph_core::{Answer, ImageError, Limits, Line, Partition, WorldView, bytes, bytes_mut};

use crate::rollback::{any_record, laid_out, state, with_halo};
use crate::support::{Rng, World, block, both_forms, forms, player_move};
use crate::turmoil::Turmoil;

/// Players and slots of added edges.
const SIZES: [(u32, u32); 5] = [(14, 4), (30, 60), (64, 2048), (40, 0), (200, 11)];

fn sized(limits: Limits, (players, added): (u32, u32)) -> Limits {
    Limits { players, added, ..limits }
}

fn limits_of(memory: &[Line]) -> Limits {
    Partition::limits_of(memory).unwrap()
}

/// The state of an image in one of another size.
fn carried(memory: &[Line], limits: Limits) -> Result<Vec<Line>, ImageError> {
    let mut saved = memory[..limits_of(memory).state_lines()].to_vec();
    let mut other = block(limits);
    Partition::carry_over(&mut other, limits, &mut saved).map(|_| ())?;
    Ok(other)
}

/// Both ways to an image of a size: from the beginning of history, and taken up from its bytes.
fn replayed(view: &WorldView, limits: Limits, logged: &[([u8; 64], Answer)]) -> Vec<Line> {
    let mut memory = laid_out(limits, view);
    let mut partition = Partition::attach(&mut memory).unwrap();
    for (raw, answer) in logged {
        let again = partition.apply(raw, &mut ());
        let told = |of: &Answer| (of.update.code, of.update.position, of.update.score, of.logged);
        assert_eq!(told(&again), told(answer), "{raw:?}");
    }
    let mut other = block(limits);
    let lines = ..limits.state_lines();
    other[lines].copy_from_slice(&memory[lines]);
    Partition::resume(&mut other, limits).unwrap();
    other
}

/// Whether two images of one size hold the same state.
fn alike(one: &[Line], other: &[Line]) -> bool {
    limits_of(one) == limits_of(other) && state(one, limits_of(one)) == state(other, limits_of(one))
}

/// Lets both go on with the same records and the same work; the logged ones with their answers.
fn go_on(
    (rng, turmoil): (&mut Rng, &mut Turmoil),
    [one, other]: [&mut [Line]; 2],
    count: u32,
) -> Vec<([u8; 64], Answer)> {
    let mut logged = vec![];
    let (mut one, mut other) = (Partition::attach(one).unwrap(), Partition::attach(other).unwrap());
    for _ in 0..count {
        let raw = any_record(rng, turmoil, &one);
        let (answer, again) = (one.apply(&raw, &mut ()), other.apply(&raw, &mut ()));
        assert_eq!((answer, one.receipt(&answer)), (again, other.receipt(&again)), "{raw:?}");
        if answer.logged {
            logged.push((raw, answer));
        }
        let operations = rng.below(90);
        assert_eq!(one.work(operations), other.work(operations));
    }
    assert_eq!((one.state_hash(), one.rehash()), (other.state_hash(), other.state_hash()));
    logged
}

/// One history over images of many sizes, one after the other.
fn carry_on(seed: u64, world: &World, view: WorldView, base: Limits) -> Vec<Line> {
    let (mut rng, mut turmoil) = (Rng(seed), Turmoil::new(seed, world, 60));
    let (mut live, mut logged, mut refused) = (laid_out(sized(base, SIZES[0]), &view), vec![], 0);
    for round in 0..24 {
        let limits = sized(base, SIZES[rng.below(5) as usize]);
        let header = *Partition::attach(&mut live).unwrap().header;
        match carried(&live, limits) {
            Ok(mut grown) => {
                let mut whole = replayed(&view, limits, &logged);
                assert!(alike(&grown, &whole), "seed {seed}, round {round}: {limits:?}");
                let both = [&mut grown[..], &mut whole[..]];
                logged.extend(go_on((&mut rng, &mut turmoil), both, 400));
                live = grown;
            }
            Err(error) => {
                refused += 1;
                let least = if header.players > limits.players {
                    ImageError::Players(header.players)
                } else {
                    ImageError::Added(header.added)
                };
                assert_eq!(error, least, "seed {seed}, round {round}");
            }
        }
    }
    let header = *Partition::attach(&mut live).unwrap().header;
    assert!(refused > 0 && header.players > SIZES[0].0 && header.added > SIZES[0].1);
    live
}

#[test]
fn a_state_carried_over_is_that_of_an_image_of_that_size() {
    for seed in [41, 42, 43] {
        let rng = &mut Rng(seed);
        for world in [World::random(rng, 60, 140, 40), World::near(rng, 60, 140, 40)] {
            for (seed, view) in [(seed, world.view()), (seed + 10, with_halo(&world))] {
                let limits = forms(Limits::of(&view, 1, 6), &view).into_iter();
                let hashes = limits.map(|limits| {
                    let mut live = carry_on(seed, &world, view, limits);
                    Partition::attach(&mut live).unwrap().state_hash()
                });
                let hashes: Vec<_> = hashes.collect();
                assert!(hashes.iter().all(|&hash| hash == hashes[0]), "seed {seed}: {hashes:x?}");
            }
        }
    }
}

/// As from an image of its own size, and with a journal or without.
#[test]
fn what_is_no_state_gets_over_whatever_its_size() {
    let world = World::random(&mut Rng(44), 60, 140, 40);
    let live = carry_on(44, &world, with_halo(&world), Limits::of(&with_halo(&world), 1, 6));
    let own = limits_of(&live);
    let small = Limits { journal: 1 << 10, fields: 0, pending: 1024, queued: 1024, ..own };
    let small = Limits { pages: 1 + small.reserve(), ..small };
    for limits in [Limits { fields: 3, ..own }, small, sized(small, (201, 2050))] {
        let there = carried(&live, limits).unwrap();
        let back = carried(&there, own).unwrap();
        assert!(alike(&back, &live), "{limits:?}");
    }
    let least = Partition::attach(&mut live.clone()).map(|p| (p.header.players, p.header.added));
    let tight = carried(&live, sized(own, least.unwrap())).unwrap();
    assert!(alike(&carried(&tight, own).unwrap(), &live));
}

/// A section that was left out makes a difference, whichever it is.
#[test]
fn a_forgotten_section_is_caught() {
    let world = World::near(&mut Rng(45), 60, 140, 40);
    for limits in both_forms(Limits::of(&with_halo(&world), 1, 6), &with_halo(&world)) {
        forgotten_sections_are_caught(&world, limits);
    }
}

fn forgotten_sections_are_caught(world: &World, limits: Limits) {
    let live = carry_on(45, world, with_halo(world), limits);
    let whole = carried(&live, sized(limits_of(&live), (70, 2060))).unwrap();
    let (mut caught, mut start) = (vec![], 0);
    for (name, lines) in limits_of(&whole).sections() {
        let mut spoilt = whole.clone();
        bytes_mut(&mut spoilt[start..start + lines]).fill(0);
        if bytes(&spoilt) != bytes(&whole) {
            let same = std::panic::catch_unwind(|| alike(&spoilt, &whole));
            assert!(!matches!(same, Ok(true)), "{name}");
            caught.push(name);
        }
        start += lines;
    }
    assert_eq!(start, limits_of(&whole).state_lines());
    // No head is far from its tail in so small a world, its only block begins with nothing before
    // it, and rows have one form.
    let rows = if limits.compact { "rows" } else { "masks" };
    let blank = ["far", "blocks", rows, if limits.compact { rows } else { "prices" }];
    let all = limits_of(&whole).sections().map(|(name, _)| name).into_iter();
    assert_eq!(caught, all.filter(|name| !blank.contains(name)).collect::<Vec<_>>());
}

#[test]
fn heads_far_from_their_tails_get_over() {
    let nodes = 70_000;
    let path = (1..nodes).map(|node| (node - 1, node, 2));
    let world =
        World::new(nodes, &path.chain([(3, 69_000, 5), (69_001, 4, 6)]).collect::<Vec<_>>());
    for limits in both_forms(world.limits(4, 1), &world.view()) {
        far_heads_get_over(&world, limits);
    }
}

fn far_heads_get_over(world: &World, limits: Limits) {
    let mut memory = laid_out(limits, &world.view());
    let mut partition = Partition::attach(&mut memory).unwrap();
    let add = Move { kind: kind::EDGE_ADD, from: 9, to: 60_000, arg: 7, ..Move::default() };
    assert!(partition.apply(&add.encode(), &mut ()).logged);
    let mut grown = carried(&memory, sized(limits, (9, 4000))).unwrap();
    let (one, other) =
        (Partition::attach(&mut memory).unwrap(), Partition::attach(&mut grown).unwrap());
    assert!((0..one.edge_ids() + 1).all(|edge| one.edge(edge) == other.edge(edge)));
}

#[test]
fn what_is_not_the_same_world_or_no_state_is_refused() {
    let world = World::random(&mut Rng(46), 60, 140, 40);
    let limits = world.limits(8, 2);
    let mut memory = laid_out(limits, &world.view());
    let mut partition = Partition::attach(&mut memory).unwrap();
    for id in 1..=5 {
        let enter = player_move(kind::ENTER, id, 1, u16::MAX, 0, 3);
        assert!(partition.apply(&enter, &mut ()).logged);
    }
    let refused = |limits: Limits, change: &dyn Fn(&mut Vec<Line>)| {
        let mut saved = memory[..limits_of(&memory).state_lines()].to_vec();
        change(&mut saved);
        let mut other = block(limits);
        let found = Partition::carry_over(&mut other, limits, &mut saved).map(|_| ());
        (found, bytes(&other).iter().all(|&byte| byte == 0))
    };
    let none = |_: &mut Vec<Line>| {};
    let cut = |saved: &mut Vec<Line>| saved.truncate(saved.len() - 1);
    let other_version = |saved: &mut Vec<Line>| bytes_mut(saved)[8] ^= 2;
    let more = Limits { players: 16, ..limits };
    assert_eq!(refused(more, &none), (Ok(()), false));
    assert_eq!(
        refused(Limits { players: 4, ..limits }, &none),
        (Err(ImageError::Players(5)), true)
    );
    assert_eq!(refused(Limits { parcels: 9, ..more }, &none), (Err(ImageError::Size), true));
    assert_eq!(refused(Limits { far: more.far + 1, ..more }, &none), (Err(ImageError::Size), true));
    let other_form = Limits { compact: !more.compact, ..more };
    assert_eq!(refused(other_form, &none), (Err(ImageError::Form), true));
    assert_eq!(refused(Limits { players: 0, ..more }, &none), (Err(ImageError::Limits), true));
    assert_eq!(refused(more, &cut), (Err(ImageError::Size), true));
    assert_eq!(refused(more, &Vec::clear), (Err(ImageError::Size), true));
    assert_eq!(refused(more, &other_version), (Err(ImageError::Magic), true));
}

/// What was changed behind the back of its hash is not taken for the state that was saved.
#[test]
fn a_state_that_is_not_what_its_hash_says_is_refused() {
    let world = World::random(&mut Rng(47), 60, 140, 40);
    let live = carry_on(47, &world, with_halo(&world), Limits::of(&with_halo(&world), 1, 6));
    let own = limits_of(&live);
    let mut start = 0;
    for (name, lines) in own.sections() {
        // A weight, a player's finds, where an added edge leads.
        let byte = [("edges", 24), ("players", 8), ("added", 4)].iter().find(|of| of.0 == name);
        if let Some((_, byte)) = byte {
            let mut spoilt = live.clone();
            bytes_mut(&mut spoilt)[start * 64 + byte] ^= 1;
            let more = sized(own, (own.players + 1, own.added + 2));
            assert_eq!(carried(&spoilt, more).map(|_| ()), Err(ImageError::Carried), "{name}");
        }
        start += lines;
    }
}
