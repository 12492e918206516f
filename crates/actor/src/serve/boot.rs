//! From files to a partition at work: world, newest snapshot, the log's tail.

use std::time::{SystemTime, UNIX_EPOCH};

use huntgraph_core::{Header, ImageError, Limits, Line, Partition, WorldView, bytes, bytes_mut};

use super::options::Options;
use super::replay::{replay, too_small};
use crate::disk::RealDisk;
use crate::failure::Failure;
use crate::log::LogReader;
use crate::page_faults::image_block;
use crate::snapshot::{self, Snapshot, SnapshotHeader};
use crate::world_file::WorldFile;

/// What to do about a log that cannot be trusted.
pub(super) const KEEP: &str = "keep the directory for inspection, then restore the log from a \
                               copy, or a newer snapshot, or start in a new directory";

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
            "its beginning was dropped, and there is no whole snapshot of this version: restore \
             snapshots from a copy, or use the version that made them"
        }
        "log-foreign" => "serve the world that this directory was made for, or give another --dir",
        _ => KEEP,
    };
    Failure::new("HG3012", error, options.dir.display(), fix)
}

fn image_failure(error: ImageError, options: &Options) -> Failure {
    let fix = "check the world and the limits";
    Failure::new("HG3013", error, options.world.display(), fix)
}

fn other_prices(error: ImageError, options: &Options) -> Failure {
    let fix = match options.any_prices {
        true => "start with --prices auto, as before, or in a new directory",
        false => "start with --prices any, as before, or in a new directory",
    };
    Failure::new("HG3019", error, options.dir.display(), fix)
}

/// The limits that a snapshot's image was made with, where one with `limits` can hold its state.
fn saved_limits(found: &Snapshot<RealDisk>, limits: &Limits) -> Result<Limits, ImageError> {
    let mut first = [Line::default(); size_of::<Header>().div_ceil(size_of::<Line>())];
    let read = found.read_first(bytes_mut(&mut first));
    let own =
        read.map_err(|_| ImageError::Size).map(|()| Partition::check_carry(&first, limits))??;
    let whole = own.state_lines() * size_of::<Line>() == found.header.length as usize;
    if whole { Ok(own) } else { Err(ImageError::Size) }
}

/// The newest whole snapshot of this partition and world, if it is one of this version.
///
/// # Errors
/// HG3010, HG3011, HG3013 for limits out of range, HG3018 when its state does not fit them, HG3019
/// when it was made with the other `--prices`.
pub fn fitting_snapshot(
    options: &Options,
    world: &WorldFile,
) -> Result<Option<Snapshot<RealDisk>>, Failure> {
    let disk = folder(options, "snapshots")?;
    let newest = snapshot::newest_valid(&disk, options.partition, world.world_id)
        .map_err(|e| snapshot_failure(e, options))?;
    let Some(found) = newest.snapshot else { return Ok(None) };
    let position = found.header.position;
    let wanted = |players, added| too_small(options, "snapshot", position, players, added);
    match saved_limits(&found, &options.limits(world)) {
        Ok(_) => Ok(Some(found)),
        Err(ImageError::Players(players)) => Err(wanted(players, 0)),
        Err(ImageError::Added(added)) => Err(wanted(0, added)),
        Err(error @ ImageError::Form) => Err(other_prices(error, options)),
        Err(error @ ImageError::Limits) => Err(image_failure(error, options)),
        // Of another version: the log that it was made from leads to the same state.
        Err(_) => Ok(None),
    }
}

/// Fills a block from a snapshot; one whose image had another size is carried over.
fn take_up<'b>(
    options: &Options,
    block: &'b mut [Line],
    limits: Limits,
    found: &Snapshot<RealDisk>,
) -> Result<Partition<'b>, Failure> {
    let image = |e| image_failure(e, options);
    let own = saved_limits(found, &limits).map_err(image)?;
    let disk = folder(options, "snapshots")?;
    let read = |lines: &mut [Line]| {
        let read = found.read_into(&disk, bytes_mut(lines));
        read.map_err(|e| snapshot_failure(e, options))
    };
    let partition = if (own.players, own.added) == (limits.players, limits.added) {
        read(&mut block[..limits.state_lines()])?;
        Partition::resume(block, limits).map_err(image)?
    } else {
        let mut saved = vec![Line::default(); own.state_lines()];
        read(&mut saved)?;
        match Partition::carry_over(block, limits, &mut saved) {
            Err(ImageError::Carried) => return Err(diverged(options, found.header.position)),
            carried => carried.map_err(image)?,
        }
    };
    let SnapshotHeader { state_hash, position, .. } = found.header;
    let same = partition.rehash() == state_hash && partition.header.position == position;
    if same { Ok(partition) } else { Err(diverged(options, position)) }
}

/// Fills a block from a fitting snapshot and the log, up to `last` or the log's end.
///
/// # Errors
/// HG3010 to HG3014, HG3016, HG3018 and HG3019; nothing on disk is changed.
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
    let mut from = 0;
    if let Some(found) = snapshot {
        from = take_up(options, &mut block, limits, &found)?.header.position;
    } else {
        let view = WorldView { partition: options.partition, ..world.view() };
        Partition::create(&mut block, limits, &view).map_err(|e| image_failure(e, options))?;
    }
    if from > last {
        let what = format!("the snapshot at {from} is ahead of the log, which ends at {last}");
        return Err(Failure::new("HG3014", what, options.dir.display(), KEEP));
    }
    let block = replay(options, world, block, from, last)?;
    Ok(Booted { block, replayed: last - from, snapshot: from })
}

/// The failure of a state that is not the one that was recorded.
pub(super) fn diverged(options: &Options, position: u64) -> Failure {
    let what = format!("the state at position {position} differs from what was recorded");
    Failure::new(
        "HG3014",
        what,
        options.dir.display(),
        "run 'huntgraph verify' to find the first bad position",
    )
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
    let usable = |found: &Snapshot<_>| saved_limits(found, &limits).is_ok();
    let drop_through = snapshot::prune(&disk, &header, options.keep, first, usable);
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
