//! Which snapshots are kept, and how far the log behind them may be dropped.
//!
//! The past is kept by logged time: an actor that does not run ages nothing, and no clock that is
//! set drops anything. The oldest snapshot that is kept is where history begins; from there on
//! they are kept at such distances that any state between two is a bounded replay away.

use super::{Snapshot, SnapshotError, SnapshotHeader, io_error, list};
use crate::disk::Disk;

/// Snapshots kept whatever their age, and the log behind them: the newest may turn out damaged.
pub const NEWEST_KEPT: usize = 3;
/// Records between two kept snapshots: 1 GiB of a busy log, which is a second or two of replay.
pub const SPACING_RECORDS: u64 = 1 << 24;
/// The kept time has so many snapshots at least, and is that part longer than asked for: whoever
/// begins at its very end has so long to come to an end.
const SHARES: u64 = 16;

/// What is kept of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// States of so many ticks before the newest snapshot.
    pub ticks: u64,
    /// States from this position on as well.
    pub from: u64,
}

impl Keep {
    /// All of it.
    pub const ALL: Self = Self { ticks: u64::MAX, from: u64::MAX };
}

/// Removes the snapshots that `keep` does not need, all of the world of `newest`, which was made
/// last; `first` is the first position in the log. Gives the position up to which the log may be
/// dropped, that of a whole snapshot that is `usable`, or 0. Damaged files are left for inspection.
///
/// # Errors
/// `snapshot-io`.
pub fn prune<D: Disk>(
    disk: &D,
    newest: &SnapshotHeader,
    keep: Keep,
    first: u64,
    usable: impl Fn(&Snapshot<D>) -> bool,
) -> Result<u64, SnapshotError> {
    let found = oldest_first(disk)?;
    let begin = begin(disk, &found, newest, keep, usable)?;
    let from = match begin {
        Some(at) => &found[at].header,
        // The world is a snapshot of position 0, as long as the log begins there.
        None if first > 1 && !found.is_empty() => &found[0].header,
        None => &SnapshotHeader { position: 0, tick: 0, ..*newest },
    };
    let spacing = if keep.ticks == u64::MAX && first == 1 {
        (u64::MAX, u64::MAX)
    } else {
        (SPACING_RECORDS, keep.ticks / SHARES)
    };
    let kept = spaced(&found, from, spacing);
    let mut gone = false;
    for snapshot in found.iter().filter(|snapshot| !kept.contains(&snapshot.header.position)) {
        disk.remove(&snapshot.name).map_err(|e| io_error(disk, "remove a snapshot", e))?;
        gone = true;
    }
    if gone {
        disk.sync_dir().map_err(|e| io_error(disk, "sync the directory", e))?;
    }
    Ok(begin.map_or(0, |at| found[at].header.position))
}

/// All snapshots whose headers are whole.
fn oldest_first<D: Disk>(disk: &D) -> Result<Vec<Snapshot<D>>, SnapshotError> {
    let mut found = Vec::new();
    for (_, name) in list(disk)?.into_iter().rev() {
        match Snapshot::open(disk, &name) {
            Ok(snapshot) => found.push(snapshot),
            Err(SnapshotError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The snapshot that history is to begin at: the newest one that is old enough, whole, and one
/// that an actor can start from, which `usable` tells.
fn begin<D: Disk>(
    disk: &D,
    found: &[Snapshot<D>],
    newest: &SnapshotHeader,
    keep: Keep,
    usable: impl Fn(&Snapshot<D>) -> bool,
) -> Result<Option<usize>, SnapshotError> {
    let age = keep.ticks.saturating_add(keep.ticks / SHARES);
    let Some(latest) = newest.tick.checked_sub(age) else { return Ok(None) };
    let identity = |of: &SnapshotHeader| (of.partition, of.world_id);
    for at in (0..(found.len() + 1).saturating_sub(NEWEST_KEPT)).rev() {
        let header = &found[at].header;
        let old = header.tick <= latest && header.position <= keep.from;
        if !old || identity(header) != identity(newest) || !usable(&found[at]) {
            continue;
        }
        match found[at].verify(disk) {
            Ok(()) => return Ok(Some(at)),
            Err(SnapshotError::Damaged { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Positions of the snapshots that are kept: from `from` on as few as do not lie further apart than
/// `spacing` (records, ticks), and the newest ones.
fn spaced<D: Disk>(found: &[Snapshot<D>], from: &SnapshotHeader, spacing: (u64, u64)) -> Vec<u64> {
    let newest = found.len().saturating_sub(NEWEST_KEPT);
    let (mut kept, mut last) = (vec![from.position], *from);
    for (at, snapshot) in found.iter().enumerate() {
        let header = snapshot.header;
        if header.position <= from.position {
            continue;
        }
        let far = |next: &SnapshotHeader| {
            next.position - last.position > spacing.0
                || next.tick.saturating_sub(last.tick) > spacing.1
        };
        if at >= newest || far(&found[at + 1].header) {
            kept.push(header.position);
            last = header;
        }
    }
    kept
}
