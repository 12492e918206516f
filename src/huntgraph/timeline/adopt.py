"""The cells that a correction sets so that the head becomes the fork (rules, section 12)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.timeline import cells
from huntgraph.timeline.cells import Changes
from huntgraph.timeline.replica import Replica

__all__ = ["correction_cells"]

ORDER: Final = (cells.SINGLE, cells.ADDED, cells.EDGE, cells.HUNT, cells.STAGE, cells.GATE, 6)
"""Tags before players: an edge may be set once it and the traffic rule are there."""
TRAFFIC: Final = (6, 7, 9)
"""Words of tag 7 that are a hunt's, not the partition's own clock, place and receipts."""
SET_OF_A_PLAYER: Final = (1, 2, 3, 4, 6)
NOWHERE: Final = (0, 0, 0, 255 << 8 | 255 << 16, 0)
"""Those words of a player who never came here: at no node, in no hunt, not present."""


def correction_cells(replica: Replica) -> Changes:
    """Give names, old and new words of all cells that a commit sets, in an order that is allowed.

    A player is the one of its id: where slots differ, the branch's player goes into its slot of
    the base, and one that the base has not into the next free slot. Left alone are position,
    tick, receipts, borders, and what belongs to a player's game server (number of the last move,
    its code and its position).
    """
    changes = replica.changes()
    tags = cells.tag_of(changes.names)
    parts = [_players(replica)]
    for tag in reversed(ORDER):
        mine = tags == tag
        if tag == cells.SINGLE:
            mine &= np.isin(cells.index_of(changes.names), TRAFFIC)
        parts.insert(0, Changes(*(column[mine] for column in changes)))
    return Changes(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _players(replica: Replica) -> Changes:
    base, fork = (_words(replica, branch=branch) for branch in (False, True))
    slots = {int(row[0]): slot for slot, row in enumerate(base)}
    free = len(base)
    names, old, new = [], [], []
    for row in fork:
        slot = slots.pop(int(row[0]), None)
        known = slot is not None
        if slot is None:
            slot, free = free, free + 1
        before = base[slot] if known else np.zeros(8, np.uint64)
        for word in SET_OF_A_PLAYER if known else (0, *SET_OF_A_PLAYER):
            names.append(cells.name_of(cells.PLAYER, slot * 8 + word))
            old.append(int(before[word]))
            new.append(int(row[word]))
    for slot in slots.values():
        for word, value in zip(SET_OF_A_PLAYER, NOWHERE, strict=True):
            names.append(cells.name_of(cells.PLAYER, slot * 8 + word))
            old.append(int(base[slot][word]))
            new.append(value | (int(base[slot][2]) & 0xFFFF_FFFF if word == 2 else 0))
    every = Changes(*(np.array(column, np.uint64) for column in (names, old, new)))
    differ = every.old != every.new
    return Changes(*(column[differ] for column in every))


def _words(replica: Replica, *, branch: bool) -> NDArray[np.uint64]:
    """The words of all players, shape (players, 8)."""
    names, words = replica.small_cells(branch=branch)
    mine = cells.tag_of(names) == cells.PLAYER
    index = cells.index_of(names[mine]).astype(np.intp)
    grid = np.zeros((int(index.max()) // 8 + 1 if len(index) else 0, 8), np.uint64)
    grid[index // 8, index % 8] = words[mine]
    return grid
