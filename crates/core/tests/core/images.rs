//! Blocks that are no image, worlds that are none, and states taken up again.

use huntgraph_core::{ImageError, Limits, Line, Partition, bytes, bytes_mut};

use crate::support::{Rng, Shadow, World, block, tick_of};
use crate::turmoil::Turmoil;

fn refused(world: &World, limits: Limits) -> ImageError {
    let mut memory = block(limits);
    Partition::create(&mut memory, limits, &world.view()).map(|_| ()).unwrap_err()
}

#[test]
fn malformed_worlds_are_refused_at_their_node() {
    let good = World::new(4, &[(0, 1, 5), (1, 2, 5), (2, 0, 5), (2, 3, 1)]);
    let limits = good.limits(4, 1);
    let mut memory = block(limits);
    assert!(Partition::create(&mut memory, limits, &good.view()).is_ok());
    let spoil = |change: &dyn Fn(&mut World)| {
        let mut bad = good.clone();
        change(&mut bad);
        refused(&bad, limits)
    };
    let last = good.head.len();
    assert_eq!(spoil(&|w| w.head.swap(0, 1)), ImageError::Row(0));
    assert_eq!(spoil(&|w| w.head[0] = 4), ImageError::Row(0));
    assert_eq!(spoil(&|w| w.head[0] = u32::MAX), ImageError::Row(0));
    assert_eq!(spoil(&|w| w.head[0] = 0), ImageError::Row(0));
    assert_eq!(spoil(&|w| w.head[1] = 3), ImageError::Row(0));
    assert_eq!(spoil(&|w| w.cost[last - 1] = 60_001), ImageError::Row(3));
    assert_eq!(spoil(&|w| w.first[1] = u32::MAX), ImageError::Row(0));
    assert!(matches!(spoil(&|w| w.first[2] = 0), ImageError::Row(_)));
    assert!(matches!(spoil(&|w| w.first[0] = 1), ImageError::Row(_) | ImageError::Size));
    assert_eq!(spoil(&|w| w.first[4] -= 1), ImageError::Row(2));
    assert_eq!(spoil(&|w| w.head.truncate(last - 1)), ImageError::Size);
    assert_eq!(spoil(&|w| w.cost.truncate(last - 1)), ImageError::Size);
    assert_eq!(spoil(&|w| w.first.truncate(4)), ImageError::Size);
}

#[test]
fn a_row_has_at_most_64_slots() {
    let star = |points: u32| {
        let edges: Vec<_> = (1..=points).map(|node| (0, node, 1)).collect();
        World::new(points + 1, &edges)
    };
    let fits = star(64);
    let mut memory = block(fits.limits(1, 1));
    assert!(Partition::create(&mut memory, fits.limits(1, 1), &fits.view()).is_ok());
    assert_eq!(refused(&star(65), star(65).limits(1, 1)), ImageError::Row(0));
}

#[test]
fn limits_out_of_range_are_refused() {
    let world = World::new(2, &[(0, 1, 1)]);
    let good = world.limits(4, 1);
    let wrong = [
        Limits { players: 0, ..good },
        Limits { players: (1 << 22) + 1, ..good },
        Limits { fields: 65, ..good },
        Limits { pending: 1_000, ..good },
        Limits { pending: 512, ..good },
        Limits { journal: 1_000, fields: 0, ..good },
        Limits { journal: 1_024, ..good },
        Limits { nodes: 0, ..good },
    ];
    for limits in wrong {
        let mut memory = block(good);
        let found = Partition::create(&mut memory, limits, &world.view()).map(|_| ());
        assert_eq!(found, Err(ImageError::Limits), "{limits:?}");
    }
    let mut short = vec![Line::default(); good.total_lines() - 1];
    let found = Partition::create(&mut short, good, &world.view()).map(|_| ());
    assert_eq!(found, Err(ImageError::Size));
}

#[test]
fn blocks_that_are_no_image_are_refused() {
    let world = World::random(&mut Rng(3), 30, 60, 9);
    let limits = world.limits(8, 2);
    let mut memory = block(limits);
    Partition::create(&mut memory, limits, &world.view()).unwrap();
    let taken = |change: &dyn Fn(&mut Vec<Line>)| {
        let mut other = memory.clone();
        change(&mut other);
        let attached = Partition::attach(&mut other).map(|_| ());
        let found = Partition::limits_of(&other);
        let resumed = found.and_then(|found| Partition::resume(&mut other, found).map(|_| ()));
        assert_eq!(attached, resumed);
        attached
    };
    assert_eq!(taken(&|_| {}), Ok(()));
    assert_eq!(taken(&Vec::clear), Err(ImageError::Size));
    assert_eq!(taken(&|m| m.truncate(1)), Err(ImageError::Size));
    assert_eq!(taken(&|m| m.push(Line::default())), Err(ImageError::Size));
    assert_eq!(taken(&|m| m.truncate(limits.state_lines())), Err(ImageError::Size));
    assert_eq!(taken(&|m| bytes_mut(m)[0] ^= 1), Err(ImageError::Magic), "magic");
    assert_eq!(taken(&|m| bytes_mut(m)[8] ^= 2), Err(ImageError::Magic), "version");
    let sizes = 12..48;
    for at in sizes.step_by(4) {
        let grown = taken(&|m| bytes_mut(m)[at + 1] ^= 0x40);
        assert!(matches!(grown, Err(ImageError::Size | ImageError::Limits)), "byte {at}");
        let none = taken(&|m| bytes_mut(m)[at..at + 4].fill(0));
        assert!(matches!(none, Err(ImageError::Size | ImageError::Limits)), "byte {at}");
    }
}

#[test]
fn a_state_taken_up_elsewhere_goes_on_as_if_nothing_had_happened() {
    let world = World::random(&mut Rng(4), 40, 80, 9);
    let limits = world.limits(32, 6);
    for seed in 0..4 {
        let mut memory = block(limits);
        let mut partition = Partition::create(&mut memory, limits, &world.view()).unwrap();
        let mut shadow = Shadow::new(&world);
        let mut turmoil = Turmoil::new(seed, &world, 30);
        for _ in 0..3_000 + seed * 17 {
            let raw = turmoil.record(&partition);
            partition.apply(&raw, &mut shadow);
            partition.work(20);
        }
        assert!(partition.header.added > 0, "no edge was added");
        let (hash, position) = (partition.state_hash(), partition.header.position);
        let mut other = block(limits);
        let state = limits.state_lines() * 64;
        bytes_mut(&mut other)[..state].copy_from_slice(&bytes(&memory)[..state]);
        let mut resumed = Partition::resume(&mut other, limits).unwrap();
        assert_eq!((resumed.state_hash(), resumed.rehash()), (hash, hash));
        assert_eq!(resumed.header.position, position);
        let mut partition = Partition::attach(&mut memory).unwrap();
        for _ in 0..2_000 {
            let raw = turmoil.record(&partition);
            let one = partition.apply(&raw, &mut shadow);
            let two = resumed.apply(&raw, &mut ());
            assert_eq!(
                (one.logged, one.update.code, one.update.score),
                (two.logged, two.update.code, two.update.score)
            );
            assert_eq!(partition.receipt(&one), resumed.receipt(&two));
            resumed.work(5);
        }
        assert_eq!(resumed.state_hash(), partition.state_hash());
        for _ in 0..2 {
            resumed.apply(&tick_of(&resumed), &mut ());
            resumed.work(u32::MAX);
        }
        assert!(!resumed.has_work());
        assert_eq!(bytes(&memory).len(), limits.total_lines() * 64);
    }
}
