//! Promise P8 where a branch is told what its head found: nothing but time depends on it.

use huntgraph_core::history::{Bookmark, Recall, Touched};
use huntgraph_core::schema::{Move, Receipt, kind};
use huntgraph_core::{Answer, Limits, Line, Partition};

use crate::rollback::{bits, laid_out, state};
use crate::support::{Rng, World, both_forms};
use crate::turmoil::Turmoil;

/// A log: records, and the position of each.
type Log = (Vec<[u8; 64]>, Vec<u64>);

/// Plays a random history; gives what was logged of it.
fn live(memory: &mut [Line], world: &World, seed: u64, count: usize) -> Log {
    let mut head = Partition::attach(memory).unwrap();
    let mut turmoil = Turmoil::new(seed, world, 60);
    let (mut records, mut positions) = (vec![], vec![]);
    for _ in 0..count {
        let raw = turmoil.record(&head);
        if head.apply(&raw, &mut ()).logged {
            records.push(raw);
            positions.push(head.header.position);
        }
    }
    (records, positions)
}

/// The log behind a point with some records left out, put in, led elsewhere or turned to STRIKE.
fn edited((records, positions): &Log, rng: &mut Rng) -> Log {
    let mut log = (vec![], vec![]);
    for (raw, &position) in records.iter().zip(positions) {
        let mut raw = *raw;
        match rng.below(40) {
            0 => continue,
            1 => raw[0] = kind::STRIKE,
            2 => raw = Move { to: rng.below(60), ..Move::decode(&raw) }.encode(),
            3 => {
                log.0.push(raw);
                log.1.push(position);
            }
            _ => {}
        }
        log.0.push(raw);
        log.1.push(position);
    }
    log
}

/// Lets a copy of the head go back and take a log; gives its answers.
fn replayed(
    copy: &mut [Line],
    limits: Limits,
    (point, head): (u64, &Partition),
    log: &Log,
    told_by: Option<&Partition>,
    mut rng: Rng,
) -> Vec<(Answer, Option<Receipt>)> {
    let (mut lines, mut players) = bits(limits);
    let mut touched = Touched { lines: &mut lines, players: &mut players };
    let mut branch = Partition::attach(copy).unwrap();
    let mut at: Bookmark = branch.rewind_by(&head.journal, point, &mut touched).unwrap();
    let (mut answers, mut done) = (vec![], 0);
    while done < log.0.len() {
        let some = done..log.0.len().min(done + 1 + rng.below(50) as usize);
        let first = log.1[done];
        let mut recall = told_by.and_then(|head| Recall::new(&head.journal, at, first));
        let truth = told_by.is_some_and(|told_by| std::ptr::eq(told_by, head));
        assert!(recall.is_some() || !truth, "the head's journal fits as long as it is read on");
        let (records, positions) = (&log.0[some.clone()], &log.1[some.clone()]);
        branch.replay(records, positions, recall.as_mut(), &mut (), |_, _, answer, receipt| {
            answers.push((*answer, receipt.copied()));
        });
        at = recall.map_or(at, |recall| recall.bookmark());
        done = some.end;
    }
    assert_eq!(branch.state_hash(), branch.rehash());
    answers
}

/// Forks a random history at random points, edits it and replays it, told and untold.
fn told_and_untold(seed: u64, by_another: bool) {
    let mut rng = Rng(seed);
    let world = World::random(&mut rng, 60, 140, 200);
    told_and_untold_of(&world, world.limits(64, 0), seed, by_another);
    let world = World::near(&mut rng, 60, 140, 200);
    for limits in both_forms(world.limits(64, 0), &world.view()) {
        told_and_untold_of(&world, limits, seed, by_another);
    }
}

fn told_and_untold_of(world: &World, limits: Limits, seed: u64, by_another: bool) {
    let mut rng = Rng(seed);
    let limits = Limits { journal: 1 << 16, ..limits };
    let mut memory = laid_out(limits, &world.view());
    let mut other = laid_out(limits, &world.view());
    let (records, positions) = live(&mut memory, world, seed, 1_500);
    live(&mut other, world, seed + 1, 1_500);
    let head_bytes = memory.clone();
    let head = Partition::attach(&mut memory).unwrap();
    let other = Partition::attach(&mut other).unwrap();
    for round in 0..12 {
        let from = rng.below(records.len() as u32) as usize;
        let point = if from == 0 { 0 } else { positions[from - 1] };
        let mut log = (records[from..].to_vec(), positions[from..].to_vec());
        if round % 3 > 0 {
            log = edited(&log, &mut rng);
        }
        let [mut told, mut untold] = [(); 2].map(|()| head_bytes.clone());
        let by = if by_another { &other } else { &head };
        let chunks = rng.next();
        let found = replayed(&mut told, limits, (point, &head), &log, Some(by), Rng(chunks));
        let wanted = replayed(&mut untold, limits, (point, &head), &log, None, Rng(chunks));
        assert!(found == wanted, "seed {seed}, round {round}: another answer");
        assert!(state(&told, limits) == state(&untold, limits), "seed {seed}, round {round}");
        if round % 3 == 0 {
            assert!(state(&told, limits) == state(&head_bytes, limits), "no edits, no difference");
        }
    }
}

#[test]
fn a_replay_that_is_told_what_its_head_found_is_the_same() {
    (70..80).for_each(|seed| told_and_untold(seed, false));
}

/// The journal of quite another history tells nothing that is true.
#[test]
fn a_replay_that_is_told_lies_is_the_same() {
    (70..80).for_each(|seed| told_and_untold(seed, true));
}
