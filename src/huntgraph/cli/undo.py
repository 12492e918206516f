"""``huntgraph undo``."""

from __future__ import annotations

import asyncio
from typing import Annotated

from cyclopts import Parameter

from huntgraph.cli.output import Json, print_json, say
from huntgraph.cli.timeline import LogDir, Without, WorldFile, Yes, opened

__all__ = ["undo"]


def undo(
    commit: str,
    /,
    *,
    reason: str,
    force: Annotated[bool, Parameter(negative="")] = False,
    without: Without = (),
    yes: Yes = False,
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Undo a commit.

    Args:
        commit: its id, as huntgraph audit names it.
        reason: why, for the audit trail.
        force: give also cells that have changed since the words from before the commit.
        without: records that cannot be read and are passed over, PARTITION/POSITION each.
        yes: do it; without this the commit is only shown.
        json: print the new entry of the audit trail as JSON.
    """
    from huntgraph.timeline.audit import Audit
    from huntgraph.timeline.live import undo_commit
    from huntgraph.timeline.tables import describe_cell

    history = opened(folder, world, without).history
    entry = Audit(history.folder).undoable(commit)
    if not yes:
        say(f"{commit}, {entry.cells:,} cells, by {entry.who}: {entry.why}")
        say("nothing was changed: --yes undoes it")
        return 0
    made, conflicts = asyncio.run(undo_commit(history, commit, reason=reason, force=force))
    if json:
        print_json("undo", made.to_dict() | {"kept": len(conflicts)})
        return 0
    say(f"undone by {made.id}, {made.cells:,} cells")
    for each in conflicts:
        say(f"partition {each.partition} keeps {describe_cell(each.name)}: changed since")
    return 0
