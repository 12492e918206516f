//! Snapshot files: round trip, choice, retention, power cuts.

use crate::workload::WORLD;
use huntgraph_actor::disk::{CrashMode, Disk, Flaws, SimulatedDisk};
use huntgraph_actor::snapshot::{
    CHUNK_BYTES, Keep, NEWEST_KEPT, SnapshotError, SnapshotHeader, SnapshotWriter, newest_valid,
    prune, write_snapshot,
};

fn image(position: u64, length: usize) -> Vec<u8> {
    (0..length as u64).map(|i| (i * 31 + position) as u8).collect()
}

fn header(position: u64, length: usize) -> SnapshotHeader {
    SnapshotHeader {
        partition: 7,
        world_id: WORLD,
        position,
        tick: position * 2,
        state_hash: !position,
        length: length as u64,
    }
}

#[test]
fn what_was_written_is_read_back_whatever_the_length() {
    for length in [0, 1, 8, 4096, CHUNK_BYTES - 1, CHUNK_BYTES, 2 * CHUNK_BYTES + 77] {
        let disk = SimulatedDisk::default();
        let bytes = image(5, length);
        let mut writer = SnapshotWriter::begin(&disk, header(5, length)).expect("begin");
        for piece in bytes.chunks(300_001) {
            writer.write(piece).expect("write");
        }
        writer.finish().expect("finish");
        let newest = newest_valid(&disk, 7, WORLD).expect("list");
        let found = newest.snapshot.expect("a snapshot");
        assert_eq!(found.header, header(5, length));
        let mut read = vec![0xff; length];
        found.read_into(&disk, &mut read).expect("read");
        assert!(read == bytes, "length {length}");
        let wrong = found.read_into(&disk, &mut vec![0; length + 1]);
        assert!(matches!(wrong, Err(SnapshotError::Length { .. })));
    }
}

#[test]
fn the_newest_whole_one_is_chosen_and_older_ones_go() {
    let disk = SimulatedDisk::default();
    let mut names = Vec::new();
    for position in [10, 20, 30, 40, 50] {
        names.push(
            write_snapshot(&disk, header(position, 9000), &image(position, 9000)).expect("write"),
        );
    }
    disk.damage(&names[4], |bytes| bytes[5000] ^= 1);
    let newest = newest_valid(&disk, 7, WORLD).expect("list");
    assert_eq!(newest.snapshot.expect("one").header.position, 40);
    assert!(newest.skipped[0].to_string().contains(&names[4]));
    assert!(newest_valid(&disk, 8, WORLD).expect("list").snapshot.is_none());
    disk.damage(&names[4], |bytes| bytes[30] ^= 1);
    assert_eq!(prune(&disk, &header(40, 9000), Keep::ALL, 1, |_| true).expect("prune"), 0);
    let mut left = disk.list().expect("list");
    left.sort();
    assert_eq!(left, names[1..], "the damaged one is kept for inspection");
}

/// As many snapshots as are kept whatever their age, the last one at position 10.
fn with_snapshots(flaws: Flaws) -> SimulatedDisk {
    let disk = SimulatedDisk::with_flaws(flaws);
    for position in 11 - NEWEST_KEPT as u64..=10 {
        write_snapshot(&disk, header(position, 9000), &image(position, 9000)).expect("write");
    }
    disk
}

/// Crashes while another snapshot is written and the oldest one removed.
fn crash_everywhere(flaws: Flaws) -> Result<u64, String> {
    let run = |stop_after: Option<u64>| {
        let disk = with_snapshots(flaws);
        if let Some(operations) = stop_after {
            disk.stop_after(operations);
        }
        let written = write_snapshot(&disk, header(20, 9000), &image(20, 9000)).is_ok();
        if written {
            let _ = prune(&disk, &header(20, 9000), Keep::ALL, 1, |_| true);
        }
        (disk, written)
    };
    let start = with_snapshots(Flaws::default()).operations();
    let mut states = 0;
    for at in start..=run(None).0.operations() {
        let (disk, written) = run(Some(at));
        for mode in CrashMode::ALL {
            for seed in 0..8 {
                states += 1;
                let crashed = disk.after_crash(mode, at * 100 + seed);
                let newest = newest_valid(&crashed, 7, WORLD).map_err(|e| e.to_string())?;
                let Some(found) = newest.snapshot else {
                    return Err(format!("operation {at}, {mode:?}, seed {seed}: none left"));
                };
                let wanted = if written { 20..=20 } else { 10..=20 };
                if !wanted.contains(&found.header.position) || !newest.skipped.is_empty() {
                    return Err(format!("operation {at}, {mode:?}, seed {seed}: wrong one"));
                }
                let mut read = vec![0; 9000];
                found.read_into(&crashed, &mut read).map_err(|e| e.to_string())?;
                assert!(read == image(found.header.position, 9000));
                write_snapshot(&crashed, header(30, 10), &image(30, 10))
                    .map_err(|e| e.to_string())?;
            }
        }
    }
    Ok(states)
}

#[test]
fn a_whole_snapshot_is_there_wherever_the_power_fails() {
    let states = crash_everywhere(Flaws::default()).unwrap_or_else(|e| panic!("{e}"));
    println!("{states} crash states");
    assert!(states > 200);
}

#[test]
fn the_checker_catches_skipped_syncs() {
    for flaws in [
        Flaws { skip_sync_data: true, ..Flaws::default() },
        Flaws { skip_sync_dir: true, ..Flaws::default() },
    ] {
        println!("{}", crash_everywhere(flaws).expect_err("not caught"));
    }
}
