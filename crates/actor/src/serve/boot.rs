//! From files to a partition at work: world, newest snapshot, the log's tail.

use std::time::{SystemTime, UNIX_EPOCH};

use huntgraph_core::schema::{Code, kind};
use huntgraph_core::{Line, Partition, WorldView, bytes, bytes_mut};

use super::options::Options;
use crate::disk::RealDisk;
use crate::failure::Failure;
use crate::log::LogReader;
use crate::page_faults::image_block;
use crate::snapshot::{self, Snapshot, SnapshotHeader};
use crate::world_file::WorldFile;

/// What to do about a log that cannot be trusted.
const KEEP: &str = "keep the directory for inspection, then restore the log from a copy, or a \
                        newer snapshot, or start in a new directory";

/// A partition's block and what it took to fill it.
pub struct Booted {
    /// The block, laid out, at the log's end.
    pub block: Vec<Line>,
    /// Records applied from the log.
    pub replayed: u64,
    /// Position of the snapshot that was begun with, 0 for none.
    pub snapshot: u64,
}

/// Wall clock in milliseconds since 1970: only ever written into records.
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// The disk of a folder of the partition's directory.
pub fn folder(options: &Options, name: &str) -> Result<RealDisk, Failure> {
    let path = options.dir.join(name);
    RealDisk::create(&path).map_err(|e| {
        Failure::new(
            "HG3010",
            format!("the directory cannot be made: {e}"),
            path.display(),
            "check the path and its permissions",
        )
    })
}

fn snapshot_failure(error: snapshot::SnapshotError, options: &Options) -> Failure {
    Failure::new(
        "HG3011",
        error,
        options.dir.display(),
        "move the snapshots aside to replay the whole log",
    )
}

/// What to do about a log that cannot be opened or read: HG3012.
pub fn log_failure(error: crate::log::LogError, options: &Options) -> Failure {
    let fix = match error.code() {
        "log-locked" => "another actor owns this directory: stop it, or give another --dir",
        "log-no-space" => "free disk space",
        "log-dropped" => {
            "its beginning was dropped: give the --players, --added-edges and version that the \
             snapshots were made with, or restore snapshots from a copy"
        }
        "log-foreign" => "serve the world that this directory was made for, or give another --dir",
        _ => KEEP,
    };
    Failure::new("HG3012", error, options.dir.display(), fix)
}

/// The newest whole snapshot of this partition, world and size.
///
/// # Errors
/// HG3010 and HG3011.
pub fn fitting_snapshot(
    options: &Options,
    world: &WorldFile,
) -> Result<Option<Snapshot<RealDisk>>, Failure> {
    let disk = folder(options, "snapshots")?;
    let newest = snapshot::newest_valid(&disk, options.partition, world.world_id)
        .map_err(|e| snapshot_failure(e, options))?;
    let length = options.limits(world).state_lines() * 64;
    Ok(newest.snapshot.filter(|found| found.header.length as usize == length))
}

/// Fills a block from a fitting snapshot and the log, up to `last` or the log's end.
///
/// # Errors
/// HG3010 to HG3014, HG3016 and HG3018; nothing on disk is changed.
pub fn boot(
    options: &Options,
    world: &WorldFile,
    snapshot: Option<Snapshot<RealDisk>>,
    last: u64,
) -> Result<Booted, Failure> {
    let limits = options.limits(world);
    if world.partition().is_some_and(|own| own != options.partition) {
        let what = format!("the world is not of partition {}", options.partition);
        let fix = "give the part's own number as --partition";
        return Err(Failure::new("HG3016", what, options.world.display(), fix));
    }
    let mut block = image_block(limits.total_lines());
    let image =
        |e| Failure::new("HG3013", e, options.world.display(), "check the world and the limits");
    let mut from = 0;
    if let Some(found) = snapshot {
        let disk = folder(options, "snapshots")?;
        let state = bytes_mut(&mut block[..limits.state_lines()]);
        found.read_into(&disk, state).map_err(|e| snapshot_failure(e, options))?;
        let partition = Partition::resume(&mut block, limits).map_err(image)?;
        from = found.header.position;
        let same =
            partition.rehash() == found.header.state_hash && partition.header.position == from;
        if !same {
            return Err(diverged(options, from));
        }
    } else {
        let view = WorldView { partition: options.partition, ..world.view() };
        Partition::create(&mut block, limits, &view).map_err(image)?;
    }
    if from > last {
        let what = format!("the snapshot at {from} is ahead of the log, which ends at {last}");
        return Err(Failure::new("HG3014", what, options.dir.display(), KEEP));
    }
    let replayed = replay(options, world, &mut block, from, last)?;
    Ok(Booted { block, replayed, snapshot: from })
}

fn diverged(options: &Options, position: u64) -> Failure {
    let what = format!("the state at position {position} differs from what was recorded");
    Failure::new(
        "HG3014",
        what,
        options.dir.display(),
        "run 'huntgraph verify' to find the first bad position",
    )
}

/// The option whose table was large enough when a record was logged, and is not now.
fn too_small(code: u16) -> Option<&'static str> {
    const TABLES: [(Code, &str); 2] =
        [(Code::PlayersFull, "--players"), (Code::EdgesFull, "--added-edges")];
    TABLES.iter().find(|(full, _)| *full as u16 == code).map(|&(_, option)| option)
}

fn no_room(options: &Options, position: u64, option: &str) -> Failure {
    let what = format!("{option} is too small for what is in the log at position {position}");
    let fix = "give it the value of the run before, or a greater one";
    Failure::new("HG3018", what, options.dir.display(), fix)
}

fn replay(
    options: &Options,
    world: &WorldFile,
    block: &mut [Line],
    from: u64,
    last: u64,
) -> Result<u64, Failure> {
    let mut partition =
        Partition::attach(block).map_err(|e| Failure::new("HG3013", e, "image", "report this"))?;
    let disk = folder(options, "log")?;
    let reader = LogReader::open(disk, options.partition, world.world_id, from + 1);
    let mut reader = reader.map_err(|e| log_failure(e, options))?;
    reader.look_far();
    let mut position = from;
    while position < last
        && let Some(found) = reader.next_block().map_err(|e| log_failure(e, options))?
    {
        if found.first_position != position + 1 {
            return Err(diverged(options, position));
        }
        for record in found.records.iter().take((last - position) as usize) {
            let answer = partition.apply(record, &mut ());
            position += 1;
            let sound = record[0] != kind::HASH || answer.update.code == Code::Ok as u16;
            if !answer.logged
                && let Some(option) = too_small(answer.update.code)
            {
                return Err(no_room(options, position, option));
            }
            if !answer.logged || partition.header.position != position || !sound {
                return Err(diverged(options, position));
            }
        }
    }
    if position < last {
        let what = format!("the log ends at {position} for its reader, and not before {last}");
        return Err(Failure::new("HG3012", what, options.dir.display(), KEEP));
    }
    Ok(position - from)
}

/// The verb `snapshot`: replays the durable log beside a running actor and saves the state.
///
/// # Errors
/// As [`boot`], or HG3011 when the snapshot cannot be written.
pub fn make_snapshot(options: &Options) -> Result<String, Failure> {
    let world = WorldFile::open(&options.world)?;
    let (first, last) = positions(options, &world)?;
    let mut booted = boot(options, &world, fitting_snapshot(options, &world)?, last)?;
    let image = |e| Failure::new("HG3013", e, "image", "report this");
    let limits = Partition::limits_of(&booted.block).map_err(image)?;
    let partition = Partition::attach(&mut booted.block).map_err(image)?;
    let header = SnapshotHeader {
        partition: options.partition,
        world_id: world.world_id,
        position: partition.header.position,
        tick: partition.header.tick as u64,
        state_hash: partition.state_hash(),
        length: limits.state_lines() as u64 * 64,
    };
    let disk = folder(options, "snapshots")?;
    if header.position > booted.snapshot {
        let state = bytes(&booted.block[..limits.state_lines()]);
        snapshot::write_snapshot(&disk, header, state).map_err(|e| snapshot_failure(e, options))?;
    }
    let drop_through = snapshot::prune(&disk, &header, options.keep, first);
    let drop_through = drop_through.map_err(|e| snapshot_failure(e, options))?;
    let SnapshotHeader { position, tick, state_hash, .. } = header;
    Ok(format!(
        "{{\"event\":\"snapshot\",\"position\":{position},\"tick\":{tick},\
         \"replayed\":{},\"state_hash\":\"{state_hash:016x}\",\
         \"drop_through\":{drop_through}}}",
        booted.replayed
    ))
}

/// The first position in the log, and the greatest watermark that stands there.
fn positions(options: &Options, world: &WorldFile) -> Result<(u64, u64), Failure> {
    let disk = folder(options, "log")?;
    let reader = LogReader::open(disk, options.partition, world.world_id, u64::MAX);
    let mut reader = reader.map_err(|e| log_failure(e, options))?;
    let first = reader.first_position().map_err(|e| log_failure(e, options))?;
    reader.look_far();
    while reader.next_block().map_err(|e| log_failure(e, options))?.is_some() {}
    Ok((first, reader.durable()))
}
