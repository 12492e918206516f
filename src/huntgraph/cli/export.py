"""``huntgraph export``."""

from __future__ import annotations

from pathlib import Path

from huntgraph.cli.output import Json, counted, print_json, say
from huntgraph.cli.timeline import LogDir, Without, WorldFile, opened, tell_begins

__all__ = ["export"]


def export(
    out: Path,
    /,
    *,
    at: str = "head",
    log: bool = True,
    state: bool = True,
    without: Without = (),
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Write Parquet files.

    Args:
        out: the folder to write into.
        at: the point up to which the log and at which the state is exported.
        log: export the records.
        state: export edges, players and stages.
        without: records that cannot be read and are passed over, PARTITION/POSITION each.
        json: print the files' paths as JSON.
    """
    from huntgraph.timeline.export import read_log, state_tables, write_parquet

    timeline = opened(folder, world, without)
    files = []
    for number, position in timeline.point(at).items():
        tables = {}
        if log:
            tables["log"] = read_log(timeline.history.sources[number], position)
        if state:
            tables |= state_tables(timeline.history.engine_at(number, position))
        files += write_parquet(tables, out / f"partition-{number:02}")
    if log:
        tell_begins(timeline.history)
    if json:
        print_json("export", {"files": [str(file) for file in files]})
    else:
        print("\n".join(str(file) for file in files))
        say(counted(len(files), "file"))
    return 0
