"""``huntgraph bisect``."""

from __future__ import annotations

import shlex
from pathlib import Path

from huntgraph.cli.exits import Exit
from huntgraph.cli.output import Json, print_json, say
from huntgraph.cli.timeline import LogDir, WorldFile, opened
from huntgraph.errors import UsageError

__all__ = ["bisect"]


def bisect(
    other: Path | None = None,
    /,
    *,
    build: str | None = None,
    partition: int = 0,
    keep: Path | None = None,
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Find the first difference.

    Args:
        other: another folder with a log of the same world.
        build: instead of it: the Python of another build of huntgraph, to replay the same log.
        partition: the partition to compare.
        keep: a folder to put both states in, as arrays of names and words.
        json: print what was found as JSON.
    """
    from huntgraph.cluster.layout import Layout
    from huntgraph.timeline.bisect import Build, Recorded, Side
    from huntgraph.timeline.bisect import bisect as search

    if (other is None) == (build is None):
        raise UsageError("one thing to compare with is needed", fix="name a folder, or --build")
    history = opened(folder, world).history
    if partition not in history.sources:
        raise UsageError(f"there is no partition {partition}", fix=f"{sorted(history.sources)}")
    one: Side = Recorded(history, partition)
    if build is not None:
        file = world or Layout(history.folder).world()
        other_side: Side = Build(shlex.split(build), history, partition, file)
    else:
        other_side = Recorded(opened(other, world).history, partition)
    found = search(one, other_side, keep)
    if json:
        print_json("bisect", {"difference": None if found is None else found.to_dict()})
    elif found is None:
        say("no difference at any position that both have")
    else:
        print(f"first difference at {partition}/{found.position}")
        for name, kind, record in zip(("one", "other"), found.kinds, found.records, strict=True):
            print(f"  {name:<6} {kind:<12} {record}")
        print(f"  {len(found.changes.names):,} cells differ, the first is {found.first_cell()}")
    return Exit.OK if found is None else Exit.DIFFERENCE
