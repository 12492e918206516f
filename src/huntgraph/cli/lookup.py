"""``huntgraph lookup``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from huntgraph.cli.output import Count, Json, counted, print_json, say, table
from huntgraph.cli.timeline import (
    Area,
    Kinds,
    LogDir,
    Numbers,
    Parquet,
    Without,
    WorldFile,
    opened,
    query_of,
    save,
    tell_begins,
)

__all__ = ["lookup"]


def lookup(
    *,
    player: Numbers = (),
    team: Numbers = (),
    server: Numbers = (),
    area: Area = None,
    since: str | None = None,
    until: str | None = None,
    kind: Kinds = (),
    claims: bool = False,
    refused: bool = False,
    partition: Numbers = (),
    limit: Count = 1000,
    parquet: Parquet = None,
    without: Without = (),
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Look events up.

    Args:
        player: records of these players.
        team: records of players in these teams at the time.
        server: records that these game servers sent.
        area: x1,z1,x2,z2: records that name a node there, or leave their player at one.
        since: a time, or how long before the last tick: 10m, 2026-11-25T14:00:00Z.
        until: the same, for the end.
        kind: kinds of records: claim, go, edge_close ...
        claims: only claims that won.
        refused: only records that were refused.
        partition: only these partitions.
        limit: at most so many, the earliest ones.
        parquet: write them to this file.
        without: records that cannot be read and are passed over, PARTITION/POSITION each.
        json: print them as JSON.
    """
    from huntgraph.timeline.kinds import ALL_KINDS
    from huntgraph.timeline.lookup import lookup as look
    from huntgraph.timeline.lookup import plain

    timeline = opened(folder, world, without)
    options: dict[str, Any] = {"player": player, "team": team, "server": server, "area": area}
    options |= {"kind": kind}
    options |= {"since": since, "until": until, "claims": claims, "refused": refused}
    query = query_of(timeline, ALL_KINDS, **options, partition=partition)
    found = look(timeline.history, query, limit)
    if parquet is not None:
        save(found, parquet)
    if since is None:
        tell_begins(timeline.history)
    rows = [plain(row) for row in found]
    if json:
        print_json("events", {"events": rows, "limited": len(rows) == limit})
    elif parquet is None:
        _show(rows, limit)
    return 0


def _show(rows: list[dict[str, Any]], limit: int) -> None:
    columns = ("event", "time", "kind", "code", "player", "team", "server", "nodes", "more")
    table("", columns, _cells(rows))
    say(counted(len(rows), "event") + (f", the first {limit:,}" if len(rows) == limit else ""))


def _cells(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        moment = datetime.fromtimestamp(row["time_ms"] / 1000, UTC)
        time = moment.strftime("%F %T.%f")[:-3] if row["time_ms"] else ""
        ends = [row[name] for name in ("from", "to") if row[name] is not None] or [row["node"]]
        stage = "" if row["stage"] is None else f"stage {row['stage']}"
        names = ("player", "team", "server")
        some = ("" if row[name] in (None, 0) else str(row[name]) for name in names)
        nodes = " -> ".join(str(node) for node in ends if node is not None)
        yield row["event"], time, row["kind"], row["code"], *some, nodes, stage
