"""Where every player stands: one row a player over all partitions, with its rank in its hunt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.timeline.tables import players_of

__all__ = ["NO_HUNT", "STANDING", "plain_standing", "standings"]

NO_HUNT: Final = 255
STANDING: Final = np.dtype(
    [
        *(("id", "u8"), ("partition", "u2"), ("node", "u4"), ("present", "u1"), ("hunt", "u1")),
        *(("team", "u1"), ("progress", "u8"), ("score", "i4"), ("target", "u1")),
        *(("hints", "u1"), ("seq", "u4"), ("rank", "u4")),
    ]
)
"""`partition` is where the player is, or was last; `rank` counts from 1, 0 without a hunt."""
_SHARED: Final = ("node", "present", "hunt", "team", "progress", "score", "target", "hints", "seq")

Cells = tuple[NDArray[np.uint64], NDArray[np.uint64]]


def standings(cells: Mapping[int, Cells]) -> NDArray[np.void]:
    """Give the standing of every player, sorted by id; `cells` are those of each partition."""
    rows, here = [], []
    for number, each in cells.items():
        players = players_of(*each)
        table = np.zeros(len(players), STANDING)
        table["id"], table["partition"] = players["id"], number
        for name in _SHARED:
            table[name] = players[name]
        rows.append(table)
        here.append(players["away"] == 0)
    everything = np.concatenate([np.zeros(0, STANDING), *rows])
    at_home = np.concatenate([np.zeros(0, np.bool_), *here])
    # Whoever walked over a border left a row behind: the last of each id is where it is now.
    order = np.lexsort((everything["seq"], everything["present"], at_home, everything["id"]))
    everything = everything[order]
    last = np.append(everything["id"][1:] != everything["id"][:-1], True)
    found: NDArray[np.void] = everything[last[: len(everything)]]
    found["rank"] = _ranks(found)
    return found


def plain_standing(row: np.void) -> dict[str, Any]:
    """Give a row as plain values; hunt, target and rank None when there is none."""
    names = STANDING.names or ()
    body: dict[str, Any] = {name: int(row[name]) for name in names if name != "seq"}
    body["present"] = bool(body["present"])
    absent = {"hunt": NO_HUNT, "target": 255, "rank": 0}
    return body | {name: None for name, none in absent.items() if body[name] == none}


def _ranks(table: NDArray[np.void]) -> NDArray[np.uint32]:
    """Ranks by score in each hunt, equal ones for equal scores: 1, 2, 2, 4."""
    ranks = np.zeros(len(table), np.uint32)
    for hunt in np.unique(table["hunt"]).tolist():
        mine = np.flatnonzero(table["hunt"] == hunt)
        if hunt != NO_HUNT:
            scores = np.sort(-table["score"][mine].astype(np.int64))
            ranks[mine] = 1 + np.searchsorted(scores, -table["score"][mine].astype(np.int64))
    return ranks
