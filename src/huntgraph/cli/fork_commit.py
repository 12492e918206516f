"""``huntgraph fork commit``, and how other verbs commit a fork."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huntgraph.cli.diff_screen import show_diff
from huntgraph.cli.output import Json, print_json, say
from huntgraph.cli.timeline import LogDir, WorldFile, Yes, opened
from huntgraph.errors import UsageError

if TYPE_CHECKING:
    from huntgraph.timeline.fork import Fork
    from huntgraph.timeline.timeline import Timeline

__all__ = ["commit", "commit_fork"]


def commit(
    name: str,
    /,
    *,
    reason: str,
    expect: str | None = None,
    yes: Yes = False,
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Adopt a fork.

    Args:
        name: the fork.
        reason: why, for the audit trail.
        expect: the base hash of a diff: another head is refused. For a hunt that stands still.
        yes: do it; without this only the diff's counts are shown.
        json: print the entry of the audit trail as JSON.
    """
    timeline = opened(folder, world)
    fork = timeline.kept_fork(name)
    found = fork.diff()
    if not yes:
        show_diff(found, stat=True)
        say(f"nothing was changed: --yes commits it (--expect {found.base_hash} this and no other)")
        return 0
    return commit_fork(timeline, fork, reason, expect=expect, json=json)


def commit_fork(
    timeline: Timeline,
    fork: Fork,
    reason: str,
    *,
    expect: str | None = None,
    json: bool = False,
) -> int:
    """Adopt a fork and say so."""
    if not reason:
        raise UsageError("a commit needs a reason", fix='add --reason "why"')
    entry = timeline.commit(fork, expect=expect, reason=reason)
    if json:
        print_json("commit", entry.to_dict())
    else:
        say(f"committed as {entry.id}, {entry.cells:,} cells: {reason}")
        for effect in entry.effects:
            print(f"{effect.id}: {effect.what}")
    return 0
