"""Where every player stands: one row a player over all partitions, with its rank in its hunt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_HUNT", "STANDING", "Held", "plain_standing", "standings"]

NO_HUNT: Final = 255
STANDING: Final = np.dtype(
    [
        *(("id", "u8"), ("partition", "u2"), ("node", "u4"), ("present", "u1"), ("hunt", "u1")),
        *(("hunt_id", "u8"), ("team", "u1"), ("progress", "u8"), ("score", "i4"), ("target", "u1")),
        *(("hints", "u1"), ("seq", "u4"), ("rank", "u4")),
    ]
)
"""`partition` is where the player is, or was last; `rank` counts from 1, 0 without a hunt.
`hunt_id` is that of the player's hunt, 0 without one and where no state has that hunt any more."""
Held = Mapping[int, Mapping[int, tuple[int, int]]]
"""Of each partition the hunts that its slots hold: id and edition."""
_SHARED: Final = (
    "id",
    "node",
    "present",
    "hunt",
    "team",
    "progress",
    "score",
    "target",
    "hints",
    "seq",
)


def standings(
    players: Mapping[int, NDArray[np.void]], held: Held, other: Held | None = None
) -> NDArray[np.void]:
    """Give the standing of every player, sorted by id, of the players (PLAYERS) by partition.

    `held` are the hunts of that state, `other` those of one with the same history: a slot may hold
    another hunt than the one that a player who did nothing since is in.
    """
    found = np.zeros(sum(len(each) for each in players.values()), STANDING)
    here, begin = np.zeros(len(found), np.bool_), 0
    for number, each in players.items():
        rows = slice(begin, begin + len(each))
        found["partition"][rows] = number
        for name in _SHARED:
            found[name][rows] = each[name]
        found["hunt_id"][rows] = _hunt_ids(each, [held, other or held], number)
        here[rows] = each["away"] == 0
        begin += len(each)
    found = found[_latest(found, here)]
    found["rank"] = _ranks(found)
    return found


def _hunt_ids(
    players: NDArray[np.void], states: Sequence[Held], partition: int
) -> NDArray[np.uint64]:
    """The id of each player's hunt: the one of its slot that is in the player's edition."""
    found = np.zeros(len(players), np.uint64)
    own = states[0][partition]
    for held in reversed(states):
        for slot, (hunt_id, edition) in held[partition].items():
            is_it = (players["hunt"] == slot) & (players["edition"] == edition)
            # Where editions differ between the states, the same hunt is none of an earlier edition.
            known = own.get(slot, (0, 0))
            if known[0] != hunt_id or known[1] == edition:
                found[is_it] = hunt_id
    return found


def _latest(rows: NDArray[np.void], here: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Give the rows by id, of each id one: whoever walked over a border left a row behind."""
    order = np.argsort(rows["id"], kind="stable")
    ids = rows["id"][order]
    if (ids[1:] > ids[:-1]).all():
        return order
    order = np.lexsort((rows["seq"], rows["present"], here, rows["id"]))
    ids = rows["id"][order]
    latest: NDArray[np.intp] = order[np.append(ids[1:] != ids[:-1], True)]
    return latest


def plain_standing(row: np.void) -> dict[str, Any]:
    """Give a row as plain values; hunt, hunt_id, target and rank None when there is none."""
    names = STANDING.names or ()
    body: dict[str, Any] = {name: int(row[name]) for name in names if name != "seq"}
    body["present"] = bool(body["present"])
    absent = {"hunt": NO_HUNT, "hunt_id": 0, "target": 255, "rank": 0}
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
