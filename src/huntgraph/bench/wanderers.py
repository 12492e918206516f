"""Players who wander for ever: as they are guided to a treasure, then anew from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Records, move
from huntgraph.schema import NONE, UPDATE, Code, Flag, Kind
from huntgraph.world import World

__all__ = ["Wanderers", "near"]

STRAY: Final = 0.1
"""Share of moves that go anywhere, so that traffic is not on the shortest ways alone."""


class Wanderers:
    """Players ``first`` + 1 to ``first`` + ``count``, spread over the hunts of some slots.

    A player enters at one of the nodes that ``starts`` has for its hunt's slot, goes where it is
    told (or along any edge), and when it has arrived, or would leave the partition, enters anew
    elsewhere; nobody claims, so that no target is ever used up.
    """

    def __init__(
        self,
        world: World,
        count: int,
        starts: Mapping[int, NDArray[np.integer]],
        seed: int,
        *,
        first: int = 0,
    ) -> None:
        self.count = count
        self._id = first + 1
        self._starts = {slot: nodes for slot, nodes in starts.items() if len(nodes)}
        self.slot = np.resize(np.array(list(self._starts), np.uint16), count)
        self._own = world.nodes if world.part is None else world.part.own_nodes
        self.last: Records = np.zeros(count, UPDATE)
        self.last["node"] = NONE
        self._rng = np.random.default_rng(seed)
        self._first = world.first.astype(np.int64)
        self._head = world.head

    def moves(self, who: NDArray[np.intp]) -> Records:
        """Give one move of each of these players (numbers from 0): dtype MOVE, shape (n,)."""
        last, rng = self.last[who], self._rng
        seq = last["seq"] + 1
        outside = (last["node"] == NONE) | (last["flags"] & Flag.ARRIVED != 0)
        slot = self.slot[who]
        node = np.where(outside, 0, last["node"])
        row = self._first[node]
        degree = np.maximum(self._first[node + 1] - row, 1)
        anywhere = self._head[row + rng.integers(0, 1 << 30, len(who)) % degree]
        told = (last["flags"] & Flag.GUIDED != 0) & (last["next"] != NONE)
        told &= rng.random(len(who)) >= STRAY
        moves = move(Kind.GO, player=who + self._id, seq=seq, echo=who)
        moves["from"] = node
        moves["to"] = np.where(told, last["next"], anywhere)
        outside |= moves["to"] >= self._own
        moves["kind"][outside] = Kind.ENTER
        moves["hunt"][outside] = slot[outside]
        moves["from"][outside] = 0
        for hunt, starts in self._starts.items():
            mine = outside & (slot == hunt)
            moves["to"][mine] = starts[rng.integers(0, len(starts), int(mine.sum()))]
        return moves

    def take(self, updates: Records) -> int:
        """Learn from the updates to some moves; gives how many were refused."""
        self.last[updates["echo"].astype(np.intp)] = updates
        return int(np.count_nonzero(updates["code"] != Code.OK))


def near(world: World, target: int, reach: int) -> NDArray[np.int64]:
    """Give the nodes within so many cells of a node, in either direction; 0: all nodes."""
    if not reach:
        return np.arange(world.nodes)
    x, y = world.x.astype(np.int64), world.y.astype(np.int64)
    apart = np.maximum(abs(x - x[target]), abs(y - y[target]))
    return np.flatnonzero(apart <= reach)
