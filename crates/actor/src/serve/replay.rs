//! The log behind a state, applied to it.

use huntgraph_core::schema::{Code, kind};
use huntgraph_core::{Answer, Limits, Line, Partition};

use super::boot::{KEEP, diverged, folder, log_failure};
use super::options::Options;
use crate::failure::Failure;
use crate::log::LogReader;
use crate::page_faults::image_block;
use crate::world_file::WorldFile;

/// The most that a partition can have room for: players, and slots of added edges.
const MOST: (u32, u32) = (1 << 22, 1 << 20);

/// Applies the log behind `from` up to `last` to a block that stands at `from`.
///
/// # Errors
/// HG3012 to HG3014; HG3018, naming the least that would do, where the log has more players or
/// added edges than there is room for.
pub(super) fn replay(
    options: &Options,
    world: &WorldFile,
    block: Vec<Line>,
    from: u64,
    last: u64,
) -> Result<Vec<Line>, Failure> {
    let mut block = block;
    match play(options, world, &mut block, from, last)? {
        None => Ok(block),
        Some(full) => Err(least(options, world, block, full, last)?),
    }
}

/// Applies the log up to `last`, or to the first record that there is no room for: its position.
fn play(
    options: &Options,
    world: &WorldFile,
    block: &mut [Line],
    from: u64,
    last: u64,
) -> Result<Option<u64>, Failure> {
    let image = |e| Failure::new("HG3013", e, "image", "report this");
    let limits = Partition::limits_of(block).map_err(image)?;
    let mut partition = Partition::attach(block).map_err(image)?;
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
            if is_full(&partition, &limits, &answer) {
                return Ok(Some(position));
            }
            let sound = record[0] != kind::HASH || answer.update.code == Code::Ok as u16;
            if !answer.logged || partition.header.position != position || !sound {
                return Err(diverged(options, position));
            }
        }
    }
    if position < last {
        let what = format!("the log ends at {position} for its reader, and not before {last}");
        return Err(Failure::new("HG3012", what, options.dir.display(), KEEP));
    }
    Ok(None)
}

/// Whether a record was taken into the log because a table had more room than it has here.
fn is_full(partition: &Partition, limits: &Limits, answer: &Answer) -> bool {
    let players = partition.header.players == limits.players;
    let edges = partition.header.added + 2 > limits.added;
    let code = answer.update.code;
    // A correction says of a cell that it cannot be made, and no more.
    let corrected = code == Code::BadCell as u16 && (players || edges);
    let full = code == Code::PlayersFull as u16 || code == Code::EdgesFull as u16;
    !answer.logged && (corrected || full)
}

/// The failure that names what the log has at least: found by going on, from the record at `full`,
/// in images with ever more room.
fn least(
    options: &Options,
    world: &WorldFile,
    block: Vec<Line>,
    full: u64,
    last: u64,
) -> Result<Failure, Failure> {
    let image = |e| Failure::new("HG3013", e, "image", "report this");
    let mut limits = Partition::limits_of(&block).map_err(image)?;
    let (mut block, mut stopped) = (block, Some(full));
    while let Some(position) = stopped {
        limits.players = limits.players.saturating_mul(2).min(MOST.0);
        limits.added = limits.added.saturating_mul(2).clamp(2, MOST.1);
        let mut roomier = image_block(limits.total_lines());
        Partition::carry_over(&mut roomier, limits, &mut block).map_err(image)?;
        block = roomier;
        stopped = play(options, world, &mut block, position - 1, last)?;
        if stopped == Some(position) {
            // It was not for want of room.
            return Err(diverged(options, position));
        }
    }
    let partition = Partition::attach(&mut block).map_err(image)?;
    let (players, added) = (partition.header.players, partition.header.added);
    Ok(too_small(options, "log", full, players, added))
}

/// The failure that tells which tables are too small for the log or the snapshot at a position, in
/// which there are so many players and added slots.
pub(super) fn too_small(
    options: &Options,
    place: &str,
    position: u64,
    players: u32,
    added: u32,
) -> Failure {
    let (given, added) = ((options.players, options.added_edges), added.div_ceil(2));
    let tables = [("--players", given.0, players), ("--added-edges", given.1, added)];
    let small = tables.into_iter().filter(|&(_, given, least)| given < least);
    let small: Vec<_> = small
        .map(|(option, _, least)| format!("{option} is too small ({least} is the least that fits)"))
        .collect();
    let what = format!("{} for the {place} at position {position}", small.join(" and "));
    let fix = "give it that value or a greater one";
    Failure::new("HG3018", what, options.dir.display(), fix)
}
