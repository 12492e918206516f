//! Every bit of a log and of a snapshot flipped: detected, or cut beyond the watermark only.

use crate::workload::{Ledger, WORLD, live, open, options, reader, record, settle};
use huntgraph_actor::disk::{Disk, SimulatedDisk};
use huntgraph_actor::log::{
    self, BlockHeader, LogError, LogOptions, LogReader, Logger, RawRecord, Recovered, Worker,
};
use huntgraph_actor::snapshot::{self, SnapshotError, SnapshotHeader};

fn name_of(segment: u32) -> String {
    format!("segment-{segment:010}.log")
}

/// Flips a bit (given as bit number in the file) in a copy and opens it.
fn outcome(disk: &SimulatedDisk, name: &str, bit: usize, ledger: &Ledger) -> Result<bool, String> {
    let copy = disk.after_kill();
    copy.damage(name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
    match open(&copy) {
        Err(LogError::Damaged { .. } | LogError::Foreign { .. }) => Ok(true),
        Err(error) => Err(error.to_string()),
        Ok((found, ..)) => {
            let mut ledger = ledger.clone();
            // The newest watermark in the log stands in its last block; it covers all but what
            // was written after it.
            ledger.durable = ledger.durable.min(found.durable);
            ledger.check(&copy, &found)?;
            Ok(found.cut_bytes > 0 || !found.damaged.is_empty())
        }
    }
}

#[test]
fn every_flipped_bit_of_a_log_is_detected_or_cut() {
    let disk = SimulatedDisk::default();
    let mut ledger = Ledger::default();
    live(&disk, &mut ledger, 5, 6).expect("life");
    let (mut cases, mut found) = (0, 0);
    for name in [1, 2].map(name_of) {
        let bytes = disk.contents(&name).expect("a segment");
        let used = bytes.iter().rposition(|&b| b != 0).map_or(0, |last| last + 1);
        for byte in 0..used.next_multiple_of(4096) {
            // All bits of headers and of each block's first record, one bit of every other byte.
            let bits = if byte % 4096 < 128 { 0..8 } else { byte % 8..byte % 8 + 1 };
            for bit in bits {
                cases += 1;
                match outcome(&disk, &name, byte * 8 + bit, &ledger) {
                    Ok(true) => found += 1,
                    Ok(false) => panic!("{name} byte {byte} bit {bit}: not noticed"),
                    Err(problem) => panic!("{name} byte {byte} bit {bit}: {problem}"),
                }
            }
        }
    }
    println!("{cases} flips, {found} noticed");
    assert!(cases > 30_000);
}

#[test]
fn damage_below_the_watermark_is_never_cut() {
    let disk = SimulatedDisk::default();
    let mut ledger = Ledger::default();
    live(&disk, &mut ledger, 5, 6).expect("life");
    assert_eq!(ledger.durable, ledger.lives.len() as u64);
    // A settled log ends with a seal that covers everything, so damage to any record is damage.
    for header in blocks_of(&disk, 1) {
        for record in 0..header.count as usize {
            let at = header.page as usize * 4096 + 64 + record * 64 + record % 64;
            let copy = disk.after_kill();
            copy.damage(&name_of(header.segment), |bytes| bytes[at] ^= 0x10);
            let operations = copy.operations();
            let Err(LogError::Damaged { damage, .. }) = open(&copy) else {
                panic!("record {record} of {header:?} was cut or believed");
            };
            assert_eq!(damage.segment, header.segment);
            assert_eq!(damage.offset, u64::from(header.page) * 4096);
            assert_eq!(damage.first_position, header.first_position);
            assert!(damage.last_position >= header.last_position());
            assert_eq!(copy.operations(), operations, "changed a damaged log");
            // A reader says the same.
            let mut reader = self::reader(&copy, 1).expect("reader");
            let outcome = loop {
                match reader.next_block() {
                    Ok(Some(block)) => assert!(
                        block.header.page != header.page || block.header.segment != header.segment
                    ),
                    other => break other.map(|_| ()),
                }
            };
            assert!(matches!(outcome, Err(LogError::Damaged { .. })), "{outcome:?}");
        }
    }
}

/// The headers of all blocks with records from a position on.
fn blocks_of(disk: &SimulatedDisk, from: u64) -> Vec<BlockHeader> {
    let (mut reader, mut blocks) = (reader(disk, from).expect("reader"), Vec::new());
    while let Some(block) = reader.next_block().expect("block") {
        blocks.push(block.header);
    }
    blocks
}

/// Flips a bit in the middle of a block.
fn flip(disk: &SimulatedDisk, block: &BlockHeader) {
    let at = block.page as usize * 4096 + 64 + block.count as usize * 32;
    disk.damage(&name_of(block.segment), |bytes| bytes[at] ^= 0x10);
}

fn open_covered(
    disk: &SimulatedDisk,
    covered: u64,
) -> Result<(Recovered, Logger, Worker<SimulatedDisk>), LogError> {
    log::open(disk.clone(), &LogOptions { covered, ..options() })
}

/// All records that a reader gives, with their positions.
fn all_of(reader: &mut LogReader<SimulatedDisk>) -> Result<Vec<(u64, RawRecord)>, LogError> {
    let mut found = Vec::new();
    while let Some(block) = reader.next_block()? {
        found.extend((block.first_position..).zip(block.records.iter().copied()));
    }
    Ok(found)
}

#[test]
fn a_reader_goes_over_lost_records_that_are_named_and_over_no_others() {
    let disk = SimulatedDisk::default();
    let mut ledger = Ledger::default();
    live(&disk, &mut ledger, 5, 6).expect("life");
    let whole = all_of(&mut reader(&disk, 1).expect("reader")).expect("a whole log");
    for header in blocks_of(&disk, 1) {
        let copy = disk.after_kill();
        flip(&copy, &header);
        let lost = header.first_position..=header.last_position();
        for named in lost.clone() {
            let mut reader = reader(&copy, 1).expect("reader");
            reader.pass_over(vec![named]);
            let found = all_of(&mut reader).expect("what is left");
            assert_eq!(reader.needed(), [named]);
            let wanted = whole.iter().filter(|(position, _)| !lost.contains(position));
            assert!(found.iter().eq(wanted), "{header:?}");
        }
        for named in [lost.start() - 1, lost.end() + 1] {
            let mut reader = reader(&copy, 1).expect("reader");
            reader.pass_over(vec![named]);
            let Err(LogError::Damaged { damage, .. }) = all_of(&mut reader) else {
                panic!("{header:?} was passed over for {named}");
            };
            assert_eq!(damage.first_position..=damage.last_position, lost);
        }
        let mut behind = reader(&copy, lost.end() + 1).expect("reader");
        let behind = all_of(&mut behind).expect("what is behind");
        assert!(behind.iter().eq(whole.iter().filter(|(position, _)| position > lost.end())));
    }
}

#[test]
fn a_log_goes_on_over_lost_records_that_a_snapshot_covers_and_over_no_others() {
    let disk = SimulatedDisk::default();
    let mut ledger = Ledger::default();
    live(&disk, &mut ledger, 5, 6).expect("life");
    let whole = all_of(&mut reader(&disk, 1).expect("reader")).expect("a whole log");
    for header in blocks_of(&disk, 1) {
        let copy = disk.after_kill();
        flip(&copy, &header);
        let operations = copy.operations();
        for covered in [0, header.first_position - 1, header.last_position() - 1] {
            let opened = open_covered(&copy, covered);
            assert!(matches!(opened, Err(LogError::Damaged { .. })), "{header:?} {covered}");
        }
        assert_eq!(copy.operations(), operations, "changed a damaged log");
        let covered = header.last_position();
        let (found, mut logger, mut worker) = open_covered(&copy, covered).expect("a covered loss");
        assert_eq!((found.durable, found.cut_bytes), (ledger.durable, 0));
        let [damage] = &found.damaged[..] else { panic!("{:?}", found.damaged) };
        let place = (header.segment, u64::from(header.page) * 4096);
        assert_eq!((damage.segment, damage.offset), place);
        assert_eq!((damage.first_position, damage.last_position), (header.first_position, covered));
        // It is a log as ever: what is appended stands behind all that can be read.
        let more = record(found.next_position, 99);
        assert_eq!(logger.append(&[more], 1).expect("room"), found.next_position);
        logger.commit();
        settle(&mut worker);
        let behind = all_of(&mut reader(&copy, covered + 1).expect("reader")).expect("the rest");
        let wanted = whole.iter().filter(|(position, _)| *position > covered).copied();
        assert!(behind.into_iter().eq(wanted.chain([(found.next_position, more)])), "{header:?}");
    }
}

#[test]
fn a_log_goes_on_over_any_number_of_covered_losses() {
    let disk = SimulatedDisk::default();
    let mut ledger = Ledger::default();
    live(&disk, &mut ledger, 5, 6).expect("life");
    let (copy, mut covered) = (disk.after_kill(), 0);
    for (nth, header) in (1..).zip(blocks_of(&disk, 1)) {
        // Two of three: some losses have a whole block between them, some have none.
        if nth % 3 > 0 && header.last_position() < ledger.durable {
            covered = header.last_position();
            flip(&copy, &header);
        }
    }
    let (found, ..) = open_covered(&copy, covered).expect("covered losses");
    assert!(found.damaged.len() > 1, "{:?}", found.damaged);
    assert_eq!(found.durable, ledger.durable);
    let short = open_covered(&copy, covered - 1);
    assert!(matches!(short, Err(LogError::Damaged { .. })));
}

#[test]
fn a_log_whose_beginning_was_dropped_goes_on_over_a_covered_loss_at_its_start() {
    let (disk, mut ledger) = (SimulatedDisk::default(), Ledger::default());
    let (_, mut logger, mut worker) = open(&disk).expect("open");
    for _ in 0..24 {
        ledger.append(&mut logger, 1, 60);
        logger.commit();
        settle(&mut worker);
    }
    ledger.durable = logger.durable();
    logger.drop_through(ledger.durable / 2);
    settle(&mut worker);
    drop((logger, worker));
    let (found, ..) = open(&disk.after_kill()).expect("a whole log");
    let (copy, blocks) = (disk.after_kill(), blocks_of(&disk, found.first_position));
    let (oldest, last) = (blocks[0].segment, blocks[blocks.len() - 1].segment);
    assert!(1 < oldest && oldest < last, "{oldest} to {last}");
    // All before one block after another is lost, over the end of the oldest segment.
    for next in blocks.iter().skip(1).take_while(|block| block.segment <= oldest + 1) {
        for segment in oldest..=next.segment {
            let whole = if segment == next.segment { next.page as usize * 4096 } else { 32 << 10 };
            copy.damage(&name_of(segment), |bytes| bytes[4096..whole].fill(0xab));
        }
        let (covered, operations) = (next.first_position - 1, copy.operations());
        for short in [0, covered - 1] {
            let Err(LogError::Damaged { damage, .. }) = open_covered(&copy, short) else {
                panic!("what is before {next:?} was passed over for {short}");
            };
            assert_eq!((damage.segment, damage.offset), (oldest, 4096));
            assert!(damage.last_position >= covered, "{damage:?}");
        }
        assert_eq!(copy.operations(), operations, "changed a damaged log");
        let begun = copy.after_kill();
        let (found, ..) = open_covered(&begun, covered).expect("a covered loss");
        assert_eq!((found.first_position, found.durable), (covered + 1, ledger.durable));
        let [damage] = &found.damaged[..] else { panic!("{:?}", found.damaged) };
        assert_eq!((damage.first_position, damage.last_position), (1, covered));
        let behind = all_of(&mut reader(&begun, covered + 1).expect("reader")).expect("the rest");
        let wanted = (covered + 1..=ledger.durable).map(|at| (at, record(at, 1)));
        assert!(behind.into_iter().eq(wanted), "behind {covered}");
        // What was dropped and what was lost cannot be told apart, nor passed over by name.
        let early = reader(&begun, covered).and_then(|mut reader| {
            reader.pass_over(vec![covered]);
            all_of(&mut reader)
        });
        let Err(LogError::Dropped { wanted, first }) = early else { panic!("{early:?}") };
        assert_eq!((wanted, first), (covered, covered + 1));
    }
}

#[test]
fn an_oldest_segment_without_a_whole_block_is_damage_whatever_is_covered() {
    let (disk, mut ledger) = (SimulatedDisk::default(), Ledger::default());
    let (_, mut logger, mut worker) = open(&disk).expect("open");
    for _ in 0..20 {
        ledger.append(&mut logger, 1, 60);
        logger.commit();
        settle(&mut worker);
        logger.drop_through(logger.durable());
        settle(&mut worker);
    }
    drop((logger, worker));
    let copy = disk.after_kill();
    let mut names = copy.list().expect("names");
    names.retain(|name| name.starts_with("segment-"));
    assert!(!names.contains(&name_of(1)), "{names:?}");
    for name in &names {
        copy.damage(name, |bytes| bytes[4096..].fill(0));
    }
    let operations = copy.operations();
    for covered in [0, ledger.durable, ledger.durable + 1000] {
        let outcome = open_covered(&copy, covered);
        assert!(matches!(outcome, Err(LogError::Damaged { .. })), "{covered}");
    }
    assert_eq!(copy.operations(), operations, "changed a damaged log");
}

#[test]
fn a_reader_from_far_behind_a_damaged_beginning_gives_what_is_there() {
    let (disk, mut ledger) = (SimulatedDisk::default(), Ledger::default());
    let large = LogOptions { segment_bytes: 1 << 20, ..options() };
    let (_, mut logger, mut worker) = log::open(disk.clone(), &large).expect("open");
    // A block and a seal each: far more pages than a reader looks ahead.
    for _ in 0..100 {
        ledger.append(&mut logger, 1, 1);
        logger.commit();
        settle(&mut worker);
    }
    disk.damage(&name_of(1), |bytes| bytes[4096] ^= 1);
    let rest = |far: bool| {
        let mut reader = reader(&disk, 90).expect("reader");
        if far {
            reader.look_far();
        }
        all_of(&mut reader).expect("the rest")
    };
    let wanted: Vec<_> = (90..=100).map(|at| (at, record(at, 1))).collect();
    assert_eq!(rest(false), wanted);
    // More is lost than a reader looks ahead, unless it is to look at all.
    disk.damage(&name_of(1), |bytes| bytes[4096..100 * 4096].fill(0));
    assert_eq!((rest(false), rest(true)), (vec![], wanted));
}

#[test]
fn a_whole_block_of_another_history_is_not_believed() {
    // Two logs alike in all but their records: each block is valid in the other one's place.
    let history = |life: u64| {
        let disk = SimulatedDisk::default();
        let mut ledger = Ledger::default();
        let (_, mut logger, mut worker) = open(&disk).expect("open");
        for _ in 0..3 {
            ledger.append(&mut logger, life, 20);
            logger.commit();
            settle(&mut worker);
        }
        drop((logger, worker));
        disk
    };
    let (ours, theirs) = (history(1), history(2));
    let name = "segment-0000000001.log";
    let other = theirs.contents(name).expect("a segment");
    // Page 1 is the seal of the epoch, the same in both; the last block is the newest seal.
    for page in 2..=7 {
        let copy = ours.after_kill();
        let place = page * 4096..page * 4096 + 4096;
        copy.damage(name, |bytes| bytes[place.clone()].copy_from_slice(&other[place.clone()]));
        let outcome = open(&copy).map(|(found, ..)| found);
        assert!(matches!(outcome, Err(LogError::Damaged { .. })), "page {page}: {outcome:?}");
        let mut reader = reader(&copy, 1).expect("reader");
        let outcome = loop {
            match reader.next_block() {
                Ok(Some(_)) => {}
                other => break other.map(|_| ()),
            }
        };
        assert!(matches!(outcome, Err(LogError::Rewritten { .. })), "page {page}: {outcome:?}");
    }
}

#[test]
fn a_misdirected_block_is_not_believed() {
    let disk = SimulatedDisk::default();
    let mut ledger = Ledger::default();
    live(&disk, &mut ledger, 5, 6).expect("life");
    let pages = (options().segment_bytes / 4096) as usize;
    for (from, to) in (1..pages).flat_map(|a| (1..pages).map(move |b| (a, b))) {
        let copy = disk.after_kill();
        let bytes = copy.contents("segment-0000000001.log").expect("a segment");
        let page = |index: usize| &bytes[index * 4096..index * 4096 + 4096];
        let same = page(from) == page(to);
        copy.damage("segment-0000000001.log", |bytes| {
            bytes.copy_within(from * 4096..from * 4096 + 4096, to * 4096);
        });
        if let Ok((found, ..)) = open(&copy) {
            let mut ledger = ledger.clone();
            if !same {
                assert!(found.cut_bytes > 0, "page {from} over {to} not noticed");
                ledger.durable = ledger.durable.min(found.durable);
            }
            ledger.check(&copy, &found).unwrap_or_else(|e| panic!("{from} over {to}: {e}"));
        }
    }
}

#[test]
fn every_flipped_bit_of_a_snapshot_is_detected() {
    let disk = SimulatedDisk::default();
    let image: Vec<u8> = (0..5003u32).map(|i| (i * 7 % 251) as u8).collect();
    let header = SnapshotHeader {
        partition: 7,
        world_id: WORLD,
        position: 99,
        tick: 5,
        state_hash: 0xfeed,
        length: image.len() as u64,
    };
    let name = snapshot::write_snapshot(&disk, header, &image).expect("write");
    let bytes = 4096 + image.len().next_multiple_of(8) + 4;
    for bit in 0..bytes * 8 {
        let copy = disk.after_kill();
        copy.damage(&name, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
        let newest = snapshot::newest_valid(&copy, 7, WORLD).expect("list");
        assert!(newest.snapshot.is_none(), "bit {bit} not noticed");
        assert!(matches!(newest.skipped[..], [SnapshotError::Damaged { .. }]));
    }
}
