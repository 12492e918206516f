"""Where every player stands: one row a player over all partitions, with its rank in its hunt."""

from __future__ import annotations

from collections.abc import Mapping
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
Slots = Mapping[int, tuple[int, int]]
"""The hunts that slots hold: id and edition."""
Held = Mapping[int, Slots]
"""The same of each partition."""
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
        found["hunt_id"][rows] = _hunt_ids(each, held[number], (other or held)[number])
        here[rows] = each["away"] == 0
        begin += len(each)
    found = found[_latest(found, here)]
    found["rank"] = _ranks(found)
    return found


def _hunt_ids(players: NDArray[np.void], own: Slots, other: Slots) -> NDArray[np.uint64]:
    """The id of each player's hunt: that of its slot in the player's edition."""
    found = _held_by(own, players)
    stale = np.flatnonzero((players["hunt"] != NO_HUNT) & (found == 0))
    if len(stale):
        # A hunt that is here in another edition is not the one of these players.
        others = {slot: held for slot, held in other.items() if held[0] != own.get(slot, (0, 0))[0]}
        found[stale] = _held_by(others, players[stale])
    return found


def _held_by(slots: Slots, players: NDArray[np.void]) -> NDArray[np.uint64]:
    ids, editions = np.zeros(256, np.uint64), np.zeros(256, np.uint64)
    for slot, held in slots.items():
        ids[slot], editions[slot] = held
    is_it = players["edition"] == editions[players["hunt"]]
    return np.where(is_it, ids[players["hunt"]], 0).astype(np.uint64)


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
