//! Power cuts after every operation of the disk, also during recovery, and the checker's twins.

use crate::workload::{Ledger, live, open, settle};
use huntgraph_actor::disk::{CrashMode, Flaws, SimulatedDisk};

/// Crash states of one disk: each mode with some seeds.
fn crashes(disk: &SimulatedDisk, at: u64) -> Vec<(String, SimulatedDisk)> {
    let mut states = Vec::new();
    for mode in CrashMode::ALL {
        let seeds = if mode == CrashMode::DropUnsynced { 1 } else { 4 };
        for seed in 0..seeds {
            let state = disk.after_crash(mode, at * 1000 + seed);
            states.push((format!("after operation {at}, {mode:?}, seed {seed}"), state));
        }
    }
    states
}

/// Recovers `disk`, cutting the power during recovery too, and goes on with another life.
fn check(name: &str, disk: &SimulatedDisk, before: &Ledger, nested: bool) -> Result<u64, String> {
    let mut states = 1;
    let describe = |problem: String| format!("{name}: {problem}");
    let first = disk.after_kill();
    let mut ledger = before.clone();
    let (found, logger, worker) = open(&first).map_err(|e| describe(e.to_string()))?;
    ledger.check(&first, &found).map_err(describe)?;
    drop((logger, worker));
    if nested {
        for at in 0..first.operations() {
            let second = disk.after_kill();
            second.stop_after(at);
            drop(open(&second));
            for (nested_name, third) in crashes(&second, at) {
                check(&format!("{name}; recovery {nested_name}"), &third, before, false)?;
                states += 1;
            }
        }
    }
    // Another life on top: what was cut must not come back.
    live(&first, &mut ledger, 1000 + found.epoch, 3).map_err(|e| describe(e.to_string()))?;
    let (found, ..) = open(&first.after_kill()).map_err(|e| describe(e.to_string()))?;
    ledger.check(&first, &found).map_err(describe)?;
    Ok(states)
}

/// All crash states of a workload of two lives; how many there were.
fn crash_everywhere(flaws: Flaws, seed: u64) -> Result<u64, String> {
    let run = |stop_after: Option<u64>| {
        let disk = SimulatedDisk::with_flaws(flaws);
        if let Some(operations) = stop_after {
            disk.stop_after(operations);
        }
        let mut ledger = Ledger::default();
        let alive = live(&disk, &mut ledger, seed, 9).is_ok();
        if alive {
            let _ = live(&disk, &mut ledger, seed + 1, 7);
        }
        (disk, ledger)
    };
    let operations = run(None).0.operations();
    assert!(operations > 100, "a workload of {operations} operations");
    let mut states = 0;
    for at in 0..=operations {
        let (disk, ledger) = run(Some(at));
        for (index, (name, state)) in crashes(&disk, at).iter().enumerate() {
            let name = format!("workload {seed} {name}");
            let nested = (at as usize + index).is_multiple_of(16);
            states += check(&name, state, &ledger, nested)?;
        }
    }
    Ok(states)
}

#[test]
fn no_durable_record_is_lost_wherever_the_power_fails() {
    let mut states = 0;
    for seed in 1..=2 {
        match crash_everywhere(Flaws::default(), seed) {
            Ok(count) => states += count,
            Err(problem) => panic!("{problem}"),
        }
    }
    println!("{states} crash states");
    assert!(states >= 10_000, "only {states} states");
}

/// One record a commit and a drop after each: seals open segments, segments go as soon as they may.
#[test]
fn a_drop_never_takes_the_last_block_that_is_on_disk() {
    let run = |stop_after: Option<u64>| {
        let disk = SimulatedDisk::default();
        let mut ledger = Ledger::default();
        let (_, mut logger, mut worker) = open(&disk).expect("open");
        if let Some(operations) = stop_after {
            disk.stop_after(operations);
        }
        for _ in 0..40 {
            ledger.append(&mut logger, 1, 1);
            logger.commit();
            settle(&mut worker);
            ledger.durable = logger.durable();
            ledger.dropped = ledger.durable;
            logger.drop_through(ledger.durable);
            settle(&mut worker);
        }
        (disk, ledger, logger.counts().segments_recycled)
    };
    let (whole, _, recycled) = run(None);
    assert!(recycled > 5, "only {recycled} segments dropped");
    let opened = SimulatedDisk::default();
    drop(open(&opened).expect("open"));
    for at in opened.operations()..=whole.operations() {
        let (disk, ledger, _) = run(Some(at));
        for (name, state) in crashes(&disk, at) {
            check(&name, &state, &ledger, false).unwrap_or_else(|e| panic!("{e}"));
        }
    }
}

#[test]
fn the_checker_catches_a_disk_that_skips_syncs() {
    let flaws = Flaws { skip_sync_data: true, ..Flaws::default() };
    let problem = crash_everywhere(flaws, 1).expect_err("not caught");
    println!("{problem}");
}

#[test]
fn the_checker_catches_a_disk_that_skips_directory_syncs() {
    let flaws = Flaws { skip_sync_dir: true, ..Flaws::default() };
    let problem = crash_everywhere(flaws, 1).expect_err("not caught");
    println!("{problem}");
}
