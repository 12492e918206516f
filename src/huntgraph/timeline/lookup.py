"""`lookup`: recorded events by player, team, server, area, time, kind and outcome."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Engine
from huntgraph.schema import NONE, Code, Kind
from huntgraph.schema import Event as EventKind
from huntgraph.timeline.history import History
from huntgraph.timeline.kinds import ALL_KINDS, EDGE_KINDS, HUNT_KINDS, PLAYER_KINDS
from huntgraph.timeline.outcomes import Outcome, outcomes
from huntgraph.timeline.points import Event
from huntgraph.timeline.tables import players_of

__all__ = ["FOUND", "Query", "lookup", "plain"]

FOUND: Final = np.dtype(
    [
        *(("partition", "u2"), ("position", "u8"), ("time_ms", "u8"), ("tick", "u4")),
        *(("kind", "u1"), ("code", "u2"), ("player", "u8"), ("team", "u1"), ("seq", "u4")),
        *(("server", "u4"), ("hunt", "u2"), ("from", "u4"), ("to", "u4"), ("arg", "u4")),
        *(("node", "u4"), ("score", "i4"), ("stage", "u1")),
    ]
)
"""A record and what came of it: `node` and `score` behind it, `stage` found or won (255 none)."""

NO_TEAM: Final = 255


@dataclass(frozen=True)
class Query:
    """What is looked for: all that is given must fit; an empty tuple fits everything."""

    players: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()
    servers: tuple[int, ...] = ()
    kinds: tuple[Kind, ...] = ALL_KINDS
    area: tuple[int, int, int, int] | None = None
    """x1, z1, x2, z2, both corners in it: a node the record names or leaves its player at."""
    since_ms: int = 0
    until_ms: int | None = None
    claims: bool = False
    """Only claims that won."""
    refused: bool = False
    """Only records that were logged and refused."""
    partitions: tuple[int, ...] = ()
    events: tuple[Event, ...] = ()
    """Only these: partition and position of each."""


def lookup(history: History, query: Query, limit: int | None = None) -> NDArray[np.void]:
    """Give what fits, of all partitions, in the order of time: shape (n,), dtype FOUND.

    Partitions are replayed from the newest snapshot before `since_ms` on, so that each record
    comes with its outcome; `limit` ends that early. Raises LogError; LogDroppedError for times and
    events that lie before history begins.
    """
    numbers = query.partitions or tuple(history.sources)
    streams = [_rows(history, number, query) for number in numbers]
    merged = heapq.merge(*streams, key=lambda row: (row["time_ms"], row["partition"]))
    found = list(islice(merged, limit))
    return np.array(found, FOUND) if found else np.zeros(0, FOUND)


def plain(row: np.void) -> dict[str, Any]:
    """Give one row as plain values; kind and code by name, what is not there as None."""
    names = FOUND.names or ()
    body: dict[str, Any] = {name: int(row[name]) for name in names}
    body["event"] = f"{body['partition']}/{body['position']}"
    body["kind"], body["code"] = Kind(body["kind"]).name, Code(body["code"]).name
    absent = {"from": NONE, "to": NONE, "node": NONE, "stage": 255, "team": NO_TEAM, "hunt": 65535}
    return body | {name: None for name, none in absent.items() if body[name] == none}


def _rows(history: History, number: int, query: Query) -> Iterator[np.void]:
    part = history.index().of[number]
    for time_ms in (query.since_ms, query.until_ms):
        if time_ms:
            history.check_kept({number: part.position_at(time_ms)})
    for each, position in query.events:
        if each == number and 0 < position <= part.begin:
            raise history.dropped(number, position)
    first = max(part.position_at(query.since_ms), part.begin) + 1
    last = None if query.until_ms is None else part.position_at(query.until_ms)
    engine, stream = outcomes(history, number, first, last)
    teams = _Teams(engine)
    inside = _inside(history, number, query.area)
    for outcome in stream:
        table = _table(history, number, outcome)
        fit = _fits(table, query, inside)
        table["team"] = teams.of(outcome, fit)
        if query.teams:
            fit &= np.isin(table["team"], query.teams)
        yield from table[fit]


def _table(history: History, number: int, outcome: Outcome) -> Any:
    moves, updates = outcome.records.moves, outcome.updates
    table = np.zeros(len(moves), FOUND)
    table["partition"], table["position"] = number, outcome.records.positions
    part = history.indexed.of[number]
    table["time_ms"], table["tick"] = part.time_at(outcome.records.positions)
    for name in ("kind", "hunt", "player", "seq", "server", "from", "to", "arg"):
        table[name] = moves[name]
    for name in ("code", "node", "score"):
        table[name] = updates[name]
    table["stage"] = updates["found"]
    _tidy(table, outcome)
    return table


def _tidy(table: Any, outcome: Outcome) -> None:
    """Fields that a kind has not say so: layouts other than `move` use their bytes otherwise."""
    rules = outcome.records.of(*HUNT_KINDS)
    parcels = outcome.records.of(Kind.ARRIVE, Kind.NOTICE)
    ordered = outcome.records.of(*PLAYER_KINDS)
    grants = outcome.records.of(Kind.GRANT)
    table["player"][~(ordered | parcels | grants)] = 0
    table["seq"][~ordered] = 0
    for name in ("from", "to"):
        table[name][~outcome.records.of(Kind.GO, *EDGE_KINDS)] = NONE
    table["to"][outcome.records.of(Kind.ENTER)] = outcome.records.moves["to"][
        outcome.records.of(Kind.ENTER)
    ]
    table["hunt"][~(rules | grants | outcome.records.of(Kind.ENTER))] = 65535
    for name in ("arg", "server"):
        table[name][rules | parcels] = 0
    arrived = outcome.events[outcome.events["kind"] == EventKind.ENTERED]
    arrived = arrived[(arrived["flags"] & 1) == 1]
    at = (arrived["position"] - np.uint64(outcome.records.first)).astype(np.intp)
    table["node"][at] = arrived["to"]


class _Teams:
    """Whose team is which, along the log: from ENTER and ARRIVE, before them from the state."""

    def __init__(self, engine: Engine) -> None:
        known = players_of(engine.players())
        self._of = dict(zip(known["id"].tolist(), known["team"].tolist(), strict=True))

    def of(self, outcome: Outcome, wanted: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Give the team of each wanted record's player, NO_TEAM where there is none."""
        moves = outcome.records.moves
        teams = np.full(len(moves), NO_TEAM, np.uint8)
        chosen = outcome.records.of(Kind.ENTER, Kind.ARRIVE)
        ordered = outcome.records.of(*PLAYER_KINDS) & wanted
        arrivals = outcome.records.rows[:, 57]
        for at in np.flatnonzero(chosen | ordered).tolist():
            player, kind = int(moves["player"][at]), int(moves["kind"][at])
            if kind == Kind.ARRIVE:
                self._of[player] = int(arrivals[at])
            elif kind == Kind.ENTER and outcome.updates["code"][at] == Code.OK:
                self._of[player] = int(moves["arg"][at])
            teams[at] = self._of.get(player, NO_TEAM)
        return teams


def _inside(
    history: History, number: int, area: tuple[int, int, int, int] | None
) -> NDArray[np.bool_] | None:
    """For each node of a partition whether it lies in the area; one more for NONE."""
    if area is None:
        return None
    world: Any = history.sources[number].world
    x1, z1, x2, z2 = area
    (west, east), (north, south) = sorted((x1, x2)), sorted((z1, z2))
    x, z = np.asarray(world.x), np.asarray(world.y)
    return np.append((x >= west) & (x <= east) & (z >= north) & (z <= south), False)


def _fits(
    table: NDArray[np.void], query: Query, inside: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    lists: Iterable[tuple[str, tuple[int, ...]]] = (
        ("player", query.players),
        ("server", query.servers),
        ("kind", query.kinds),
    )
    fit = np.ones(len(table), np.bool_)
    for name, wanted in lists:
        if wanted:
            fit &= np.isin(table[name], np.array(wanted, np.uint64))
    fit &= table["time_ms"] >= query.since_ms
    if query.events:
        here = [position for number, position in query.events if number == table["partition"][0]]
        fit &= np.isin(table["position"], np.array(here, np.uint64))
    if inside is not None:
        nodes = [table[name].astype(np.int64) for name in ("from", "to", "node")]
        fit &= np.any([inside[np.minimum(each, len(inside) - 1)] for each in nodes], axis=0)
    if query.claims:
        fit &= (table["kind"] == Kind.CLAIM) & (table["code"] == Code.OK)
    if query.refused:
        fit &= (table["code"] != Code.OK) & (table["kind"] != Kind.HASH)
    return fit
