"""What a correction changes so that the head becomes the fork (rules, section 12)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.timeline import tables
from huntgraph.timeline.cells import Changes
from huntgraph.timeline.replica import Replica
from huntgraph.timeline.tables import Differences

__all__ = ["changes_to_adopt"]

NOWHERE: Final = (0, 0, 0, 255 << 8 | 255 << 16, 0)
"""Words 1 to 4 and 6 of a player who never came here: at node 0, in no hunt, not present."""


def changes_to_adopt(replica: Replica) -> Changes:
    """Give the changes that a commit makes to a partition's head.

    A player is the one of its id: where slots differ, the branch's player goes into its slot of
    the base, and one that the base has not into the next free slot. What no correction may set
    stays as it is: clock, position, receipts, borders, and the game servers' part of a player.
    """
    found = replica.changes()
    others = tables.tag_of(found.names) != tables.PLAYER
    parts = (Differences(*(column[others] for column in found)), _players(replica))
    names, old, new = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    players = len(_words(replica, branch=False))
    return Changes.between(names, old, new, players=players, slots=replica.base_slots)


def _players(replica: Replica) -> Differences:
    """Differing words of players, in the slots of the base."""
    base, fork = (_words(replica, branch=branch) for branch in (False, True))
    slots = {int(row[0]): slot for slot, row in enumerate(base)}
    newcomers = sum(int(row[0]) not in slots for row in fork)
    old = np.concatenate([base, np.zeros((newcomers, 8), np.uint64)])
    new = old.copy()
    free = len(base)
    for row in fork:
        slot = slots.pop(int(row[0]), None)
        if slot is None:
            slot, free = free, free + 1
        new[slot] = row
    for slot in slots.values():
        new[slot, [1, 2, 3, 4, 6]] = np.array(NOWHERE, np.uint64)
    at, word = np.nonzero(old != new)
    names = np.uint64(tables.name_of(tables.PLAYER, 0)) | (at * 8 + word).astype(np.uint64)
    return Differences(names, old[at, word], new[at, word])


def _words(replica: Replica, *, branch: bool) -> NDArray[np.uint64]:
    """The words of all players, shape (players, 8)."""
    names, words = replica.small_cells(branch=branch)
    mine = tables.tag_of(names) == tables.PLAYER
    index = tables.index_of(names[mine]).astype(np.intp)
    grid = np.zeros((int(index.max()) // 8 + 1 if len(index) else 0, 8), np.uint64)
    grid[index // 8, index % 8] = words[mine]
    return grid
