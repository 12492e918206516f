//! Which snapshots are kept: any state of the kept time is a bounded replay from one of them.

use std::collections::BTreeMap;

use crate::workload::WORLD;
use huntgraph_actor::disk::{Disk, SimulatedDisk};
use huntgraph_actor::snapshot::{
    Keep, NEWEST_KEPT, SPACING_RECORDS, SnapshotHeader, prune, write_snapshot,
};

/// Ticks by position.
type Snapshots = BTreeMap<u64, u64>;

/// Logged time that is kept, in ticks, and the sixteenth of it that snapshots lie apart at most.
const TICKS: u64 = 3_200;
const SHARE: u64 = TICKS / 16;

fn header(position: u64, tick: u64) -> SnapshotHeader {
    SnapshotHeader { partition: 7, world_id: WORLD, position, tick, state_hash: 1, length: 64 }
}

fn kept(disk: &SimulatedDisk) -> Vec<u64> {
    let names = disk.list().expect("list");
    let digits =
        |name: &String| name.strip_prefix("snapshot-")?.strip_suffix(".snap")?.parse().ok();
    let mut found: Vec<u64> = names.iter().filter_map(digits).collect();
    found.sort_unstable();
    found
}

/// What must hold after a snapshot was made and others removed, and the log up to `dropped`.
fn check(made: &Snapshots, kept: &[u64], dropped: u64, keep: Keep) -> Result<(), String> {
    let (&newest, &now) = made.last_key_value().expect("one was made");
    let third = made.keys().rev().take(NEWEST_KEPT).min().copied().unwrap_or(0);
    if dropped > third || !made.range(third..).all(|(position, _)| kept.contains(position)) {
        return Err(format!("one of the newest cannot be started from at {newest}"));
    }
    // History begins at the first snapshot whose log is there: at 0 until something is dropped.
    let known = kept.iter().copied().filter(|&position| position >= dropped);
    let begin = if dropped == 0 { 0 } else { known.clone().min().unwrap_or(newest) };
    let since = made.get(&begin).copied().unwrap_or(0);
    if dropped > 0 && (since + keep.ticks > now || begin > keep.from) {
        return Err(format!("history begins at {begin}, which is too late at {newest}"));
    }
    let mut last = (begin, since);
    for position in known.filter(|&position| position > begin && keep != Keep::ALL) {
        let at = (position, made[&position]);
        let near = at.0 - last.0 <= SPACING_RECORDS && at.1 - last.1 <= SHARE;
        let next_made = made.range(last.0 + 1..).next().map(|(&position, _)| position);
        if !near && next_made != Some(position) {
            return Err(format!("{} and {position} lie too far apart", last.0));
        }
        last = at;
    }
    Ok(())
}

/// A busy day, a quiet one, a busy one: `extra` positions more are dropped than may be.
fn live(keep: Keep, extra: u64) -> Result<(Snapshots, Vec<u64>, u64), String> {
    let disk = SimulatedDisk::default();
    let (mut made, mut position, mut tick, mut dropped) = (Snapshots::new(), 0, 0, 0);
    for turn in 0..600u64 {
        let quiet = (200..400).contains(&turn);
        position += if quiet { 40 } else { SPACING_RECORDS / 5 + turn };
        tick += if turn % 50 == 49 { 3 * SHARE } else { 20 };
        let newest = header(position, tick);
        write_snapshot(&disk, newest, &[turn as u8; 64]).expect("write");
        made.insert(position, tick);
        let through = prune(&disk, &newest, keep, dropped + 1, |_| true).expect("prune");
        dropped = dropped.max(if through > 0 { through + extra } else { 0 });
        check(&made, &kept(&disk), dropped, keep)?;
    }
    Ok((made, kept(&disk), dropped))
}

#[test]
fn the_kept_time_has_snapshots_at_bounded_distances_and_not_many_more() {
    let keep = Keep { ticks: TICKS, from: u64::MAX };
    let (made, kept, dropped) = live(keep, 0).unwrap_or_else(|e| panic!("{e}"));
    let span = made.keys().max().expect("some") - dropped;
    assert!(dropped > 0 && kept.len() as u64 <= 2 * 17 + 2 * span / SPACING_RECORDS + 3);
}

#[test]
fn what_is_still_needed_stays() {
    let (_, kept, dropped) = live(Keep { ticks: TICKS, from: 5_000 }, 0).expect("sound");
    assert_eq!(dropped, 0, "position 5,000 lies before the first snapshot");
    assert!(kept.len() > 100);
}

#[test]
fn without_a_kept_time_the_newest_stay_and_nothing_is_dropped() {
    let (_, kept, dropped) = live(Keep::ALL, 0).expect("sound");
    assert_eq!((kept.len(), dropped), (NEWEST_KEPT, 0));
}

#[test]
fn where_the_beginning_was_dropped_before_all_snapshots_that_are_spaced_stay() {
    let disk = SimulatedDisk::default();
    for at in 1..=9 {
        let newest = header(at * SPACING_RECORDS, at);
        write_snapshot(&disk, newest, &[0; 64]).expect("write");
        let through = prune(&disk, &newest, Keep::ALL, SPACING_RECORDS + 1, |_| true);
        assert_eq!(through.expect("prune"), 0);
    }
    assert_eq!(kept(&disk).len(), 9);
}

#[test]
fn a_damaged_snapshot_or_one_that_cannot_be_used_is_no_beginning() {
    let keep = Keep { ticks: 160, from: u64::MAX };
    let disk = SimulatedDisk::default();
    for at in 1..=20 {
        let length = if at == 8 { 128 } else { 64 };
        let made = SnapshotHeader { length, ..header(at * SPACING_RECORDS, at * 20) };
        write_snapshot(&disk, made, &vec![0; length as usize]).expect("write");
    }
    // 20 * 20 - 160 - 10 = 230: those up to the 11th are old enough.
    for damaged in [11, 10, 9] {
        let name = format!("snapshot-{:020}.snap", damaged * SPACING_RECORDS);
        disk.damage(&name, |bytes| bytes[4100] ^= 1);
    }
    let newest = header(20 * SPACING_RECORDS, 400);
    let through = prune(&disk, &newest, keep, 1, |found| found.header.length == 64);
    assert_eq!(through.expect("prune"), 7 * SPACING_RECORDS);
    assert_eq!(kept(&disk)[0], 7 * SPACING_RECORDS);
}

#[test]
fn the_checker_catches_one_record_dropped_too_many() {
    let keep = Keep { ticks: TICKS, from: u64::MAX };
    println!("{}", live(keep, 1).expect_err("not caught"));
}
