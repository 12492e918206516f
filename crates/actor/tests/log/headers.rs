//! Header pages of segments: written again when they are damaged, in logs that are ours only.

use crate::workload::{Ledger, Random, WORLD, live, open, options, reader, settle};
use huntgraph_actor::disk::{Disk, SimulatedDisk};
use huntgraph_actor::log::{self, LogError, LogOptions};

/// A log of so many blocks, whose beginning may have been dropped, and what it promised.
fn written(blocks: usize, dropped: bool) -> (SimulatedDisk, Ledger) {
    let (disk, mut ledger) = (SimulatedDisk::default(), Ledger::default());
    let (_, mut logger, mut worker) = open(&disk).expect("open");
    for _ in 0..blocks {
        ledger.append(&mut logger, 1, 60);
        logger.commit();
        settle(&mut worker);
    }
    ledger.durable = logger.durable();
    if dropped {
        ledger.dropped = ledger.durable / 2;
        logger.drop_through(ledger.dropped);
        settle(&mut worker);
    }
    (disk.after_kill(), ledger)
}

fn segments(disk: &SimulatedDisk) -> Vec<String> {
    let mut names = disk.list().expect("list");
    names.retain(|name| name.starts_with("segment-"));
    names.sort();
    names
}

fn contents(disk: &SimulatedDisk) -> Vec<Option<Vec<u8>>> {
    segments(disk).iter().map(|name| disk.contents(name)).collect()
}

fn spoil(disk: &SimulatedDisk, name: &str, seed: u64) {
    disk.damage(name, |bytes| {
        let mut random = Random(seed);
        bytes[..4096].fill_with(|| random.next() as u8);
    });
}

#[test]
fn damaged_headers_are_written_again_and_nothing_is_lost() {
    for dropped in [false, true] {
        let (disk, ledger) = written(24, dropped);
        let names = segments(&disk);
        assert!(names.len() > 3 && names[0].ends_with("01.log") != dropped, "{names:?}");
        // What a start does to it when nothing is damaged.
        let whole = disk.after_kill();
        drop(open(&whole).expect("a whole log"));
        // All but one of the headers; where the log begins with the first segment, all of them.
        for spared in 0..names.len() + !dropped as usize {
            let copy = disk.after_kill();
            let spoilt = names.iter().enumerate().filter(|(at, _)| *at != spared);
            let count = spoilt.map(|(at, name)| spoil(&copy, name, at as u64)).count();
            assert!(matches!(reader(&copy, ledger.durable), Err(LogError::Damaged { .. })));
            let (found, ..) = open(&copy).expect("a log whose headers are damaged");
            assert_eq!(found.damaged.len(), count, "{:?}", found.damaged);
            for damage in &found.damaged {
                assert!(damage.offset == 0 && damage.last_position < damage.first_position);
            }
            ledger.clone().check(&copy, &found).expect("all of the log");
            assert_eq!(contents(&copy), contents(&whole), "all but {spared}");
            let (found, ..) = open(&copy.after_kill()).expect("a log that was mended");
            assert_eq!(found.damaged, []);
        }
    }
}

#[test]
fn a_header_and_blocks_behind_it_are_two_losses() {
    let (disk, ledger) = written(24, false);
    let name = &segments(&disk)[1];
    spoil(&disk, name, 3);
    disk.damage(name, |bytes| bytes[2 * 4096] ^= 1);
    assert!(matches!(open(&disk), Err(LogError::Damaged { .. })));
    let covered = LogOptions { covered: ledger.durable, ..options() };
    let (found, ..) = log::open(disk.after_kill(), &covered).expect("a covered loss");
    let offsets: Vec<_> = found.damaged.iter().map(|damage| damage.offset).collect();
    assert_eq!(offsets, [0, 8192]);
    assert_eq!(found.durable, ledger.durable);
}

#[test]
fn a_log_that_may_be_somebody_elses_is_left_alone() {
    for (blocks, dropped) in [(1, false), (24, false), (24, true)] {
        let (disk, _) = written(blocks, dropped);
        let names = segments(&disk);
        names.iter().enumerate().for_each(|(at, name)| spoil(&disk, name, at as u64));
        let (before, operations) = (contents(&disk), disk.operations());
        let others = [
            LogOptions { partition: 8, ..options() },
            LogOptions { world_id: WORLD + 1, ..options() },
        ];
        // Of a log whose beginning was dropped, headers alone say which world's it is.
        let ours = dropped.then(options);
        for options in others.into_iter().chain(ours) {
            let refused = log::open(disk.clone(), &options);
            assert!(matches!(refused, Err(LogError::Damaged { .. })), "{options:?}");
            assert!(contents(&disk) == before && disk.operations() == operations, "{options:?}");
        }
    }
}

#[test]
fn a_block_or_nothing_stands_behind_a_header_that_is_written_again() {
    let (disk, mut ledger) = (SimulatedDisk::default(), Ledger::default());
    live(&disk, &mut ledger, 5, 2).expect("life");
    let (copy, name) = (disk.after_kill(), &segments(&disk)[0]);
    spoil(&copy, name, 1);
    copy.damage(name, |bytes| bytes[4096] ^= 1);
    assert!(matches!(open(&copy), Err(LogError::Damaged { .. })));
    let shorter = disk.after_kill();
    spoil(&shorter, name, 1);
    shorter.damage(name, |bytes| bytes.truncate(8191));
    assert!(matches!(open(&shorter), Err(LogError::Damaged { .. })));
}
