//! Failing operations, full disks, two openers, dropped segments.

use crate::workload::{Ledger, PARTITION, WORLD, live, open, options, reader, record, settle};
use huntgraph_actor::disk::{CrashMode, Disk, DiskFile, Flaws, SimulatedDisk};
use huntgraph_actor::log::{self, AppendError, LogError, LogReader, Turn};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

#[test]
fn a_failure_of_any_operation_stops_the_log_for_good_and_loses_nothing() {
    let whole = SimulatedDisk::default();
    live(&whole, &mut Ledger::default(), 1, 12).expect("a healthy disk");
    let mut stopped = 0;
    for at in 1..=whole.operations() {
        let disk = SimulatedDisk::default();
        disk.fail_at(at, EIO);
        let mut ledger = Ledger::default();
        let Ok((_, mut logger, mut worker)) = open(&disk) else {
            continue;
        };
        for _ in 0..20 {
            ledger.append(&mut logger, 1, 40);
            logger.commit();
            settle(&mut worker);
            ledger.durable = logger.durable();
            logger.drop_through(ledger.durable / 2);
            ledger.dropped = ledger.durable / 2;
        }
        if let Some(failure) = logger.failed().copied() {
            stopped += 1;
            assert_eq!(failure.errno, EIO, "operation {at}");
            assert!(failure.to_string().contains("log-failed"));
            assert_eq!(logger.append(&[[0; 64]], 0), Err(AppendError::Failed(failure)));
            assert_eq!(logger.room(), 0);
            let operations = disk.operations();
            assert_eq!(worker.turn(), Turn::Failed);
            assert_eq!(disk.operations(), operations, "retried after operation {at}");
        }
        drop((logger, worker));
        // The process restarts on the same machine, then the power fails: what the cache showed
        // after a failed sync must have been written again before it was called durable.
        let restarted = disk.after_kill();
        let (found, logger, worker) = open(&restarted).expect("restart");
        ledger.check(&restarted, &found).expect("restart");
        drop((logger, worker));
        let crashed = restarted.after_crash(CrashMode::DropUnsynced, at);
        let (found, ..) = open(&crashed).expect("power cut after restart");
        ledger.check(&crashed, &found).unwrap_or_else(|e| panic!("operation {at}: {e}"));
    }
    assert!(stopped > 40, "only {stopped} failures stopped the log");
}

#[test]
fn a_full_disk_refuses_whole_appends_and_recovers_when_space_comes_back() {
    let disk = SimulatedDisk::default();
    // Room for two segments, not for the third.
    disk.set_capacity_bytes(Some(2 * options().segment_bytes + 5000));
    let (_, mut logger, mut worker) = open(&disk).expect("open");
    let mut ledger = Ledger::default();
    let refusal = loop {
        let first = ledger.lives.len() as u64 + 1;
        match logger.append(&[record(first, 1)], 0) {
            Ok(_) => ledger.lives.push(1),
            Err(refusal) => break refusal,
        }
        logger.commit();
        assert!(settle(&mut worker), "{:?}", logger.failed());
        ledger.durable = logger.durable();
    };
    assert_eq!(refusal, AppendError::Full { room: 0, no_space: true });
    assert_eq!(refusal.code(), "log-no-space");
    assert_eq!(ledger.durable, ledger.lives.len() as u64, "all that was taken is durable");
    disk.set_capacity_bytes(None);
    while logger.room() < 3 {
        // Until the retry is due; no event of the disk announces space.
        assert!(settle(&mut worker), "{:?}", logger.failed());
    }
    ledger.append(&mut logger, 1, 3);
    assert_eq!(ledger.lives.len() as u64, ledger.durable + 3);
    logger.commit();
    settle(&mut worker);
    ledger.durable = logger.durable();
    assert_eq!(ledger.durable, ledger.lives.len() as u64);
    drop((logger, worker));
    let (found, ..) = open(&disk).expect("open again");
    ledger.check(&disk, &found).expect("all there");
}

#[test]
fn a_dropped_segment_gives_a_full_disk_room_again() {
    let disk = SimulatedDisk::default();
    disk.set_capacity_bytes(Some(2 * options().segment_bytes));
    let (_, mut logger, mut worker) = open(&disk).expect("open");
    let mut ledger = Ledger::default();
    for _ in 0..100 {
        ledger.append(&mut logger, 1, 3);
        logger.commit();
        assert!(settle(&mut worker), "{:?}", logger.failed());
        ledger.durable = logger.durable();
        ledger.dropped = ledger.durable;
        logger.drop_through(ledger.durable);
    }
    assert!(logger.counts().segments_recycled > 10, "{:?}", logger.counts());
    drop((logger, worker));
    let (found, ..) = open(&disk).expect("open again");
    ledger.check(&disk, &found).expect("all there");
    assert!(found.first_position > 1);
}

#[test]
fn a_full_disk_at_opening_is_reported() {
    let disk = SimulatedDisk::default();
    disk.fail_at(2, ENOSPC);
    let error = open(&disk).err().expect("refused");
    assert_eq!(error.code(), "log-no-space");
}

#[test]
fn a_second_opener_is_refused_and_changes_nothing() {
    let disk = SimulatedDisk::default();
    let first = open(&disk).expect("open");
    let operations = disk.operations();
    assert!(matches!(open(&disk), Err(LogError::Locked { .. })));
    assert_eq!(disk.operations(), operations);
    drop(first);
    assert_eq!(open(&disk).expect("lock released").0.epoch, 2);
}

#[test]
fn another_partition_or_world_is_refused() {
    let disk = SimulatedDisk::default();
    drop(open(&disk).expect("open"));
    for (partition, world_id) in [(PARTITION + 1, WORLD), (PARTITION, WORLD + 1)] {
        let mut other = options();
        (other.partition, other.world_id) = (partition, world_id);
        let error = log::open(disk.clone(), &other).err().expect("refused");
        assert_eq!(error.code(), "log-foreign");
        assert!(LogReader::open(disk.clone(), partition, world_id, 1).is_err());
    }
}

#[test]
fn stale_blocks_of_a_recycled_segment_are_never_read() {
    // A disk that forgets to zero: recycled segments keep all their old blocks.
    let flaws = Flaws { skip_overwrite_with_zeros: true, ..Flaws::default() };
    let disk = SimulatedDisk::with_flaws(flaws);
    let (_, mut logger, mut worker) = open(&disk).expect("open");
    let mut ledger = Ledger::default();
    for round in 0..120 {
        ledger.append(&mut logger, 1, 1 + round % 70);
        logger.commit();
        settle(&mut worker);
        ledger.durable = logger.durable();
        ledger.dropped = ledger.durable.saturating_sub(100);
        logger.drop_through(ledger.dropped);
        let copy = disk.after_kill();
        let (found, again, other) = open(&copy).expect("open a copy");
        let mut copied = ledger.clone();
        copied.check(&copy, &found).unwrap_or_else(|e| panic!("round {round}: {e}"));
        drop((again, other));
    }
    assert!(logger.counts().segments_recycled > 5);
}

#[test]
fn segments_go_over_one_whose_first_block_is_damaged() {
    let disk = SimulatedDisk::default();
    let (_, mut logger, mut worker) = open(&disk).expect("open");
    let mut ledger = Ledger::default();
    for _ in 0..40 {
        ledger.append(&mut logger, 1, 60);
        logger.commit();
        settle(&mut worker);
    }
    drop((logger, worker));
    disk.damage("segment-0000000002.log", |bytes| bytes[4096] ^= 1);
    let covered = ledger.lives.len() as u64;
    let options = log::LogOptions { covered, ..options() };
    let (found, mut logger, mut worker) = log::open(disk.clone(), &options).expect("covered");
    assert_eq!(found.damaged.len(), 1);
    logger.drop_through(covered);
    assert!(settle(&mut worker), "{:?}", logger.failed());
    let counts = logger.counts();
    let gone = counts.segments_recycled + counts.segments_dropped;
    assert_eq!(gone + 2, u64::from(found.segments), "all but that at work and the next");
    ledger.append(&mut logger, 1, 1);
    logger.commit();
    assert!(settle(&mut worker));
    assert_eq!(logger.durable(), covered + 1);
}

#[test]
fn a_cut_tail_is_reported_and_stays_cut() {
    let disk = SimulatedDisk::default();
    let mut ledger = Ledger::default();
    live(&disk, &mut ledger, 3, 2).expect("life");
    let (durable, name) = (ledger.durable, "segment-0000000001.log");
    // A torn block behind the end.
    disk.damage(name, |bytes| {
        let end = bytes.iter().rposition(|&b| b != 0).expect("blocks") / 4096 * 4096 + 4096;
        bytes[end..end + 100].fill(0xab);
        bytes[end + 6000] = 1;
    });
    let (found, logger, worker) = open(&disk).expect("open");
    assert_eq!((found.durable, found.cut_bytes), (durable, 8192));
    drop((logger, worker));
    let (found, ..) = open(&disk).expect("open again");
    assert_eq!((found.durable, found.cut_bytes), (durable, 0));
}

#[test]
fn a_missing_segment_is_damage() {
    let disk = SimulatedDisk::default();
    let mut ledger = Ledger::default();
    let (_, mut logger, mut worker) = open(&disk).expect("open");
    for _ in 0..30 {
        ledger.append(&mut logger, 1, 60);
        logger.commit();
        settle(&mut worker);
    }
    drop((logger, worker));
    for sequence in 1..=3 {
        let copy = disk.after_kill();
        copy.remove(&format!("segment-{sequence:010}.log")).expect("remove");
        let outcome = open(&copy);
        if sequence == 1 {
            // Indistinguishable from a dropped one; the positions tell the caller.
            assert!(outcome.expect("open").0.first_position > 1);
        } else {
            assert!(matches!(outcome, Err(LogError::Damaged { .. })));
        }
    }
    assert_eq!(reader(&disk, 1).expect("reader").next_position(), 1);
    let file = disk.open("segment-0000000001.log", huntgraph_actor::disk::Access::Read);
    assert_eq!(file.and_then(|f| f.bytes()).expect("length"), options().segment_bytes);
}
