"""Which nodes can be reached: breadth-first search on NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.hunt.places import AnyWorld

__all__ = ["Ways", "main_part"]

Bools = NDArray[np.bool_]

FRONTIER_WIDE: Final = 48
"""From this many nodes on a whole frontier at once is quicker than node by node (measured)."""
CANDIDATES: Final = 16


class Ways:
    """The edges of a world as open or shut, and searches over the open ones.

    ``open`` has shape ``(edges,)`` and may be changed between searches. A million nodes with four
    million edges take well under a second; corridors of one node's width are walked node by node,
    so that no shape of world is slow.
    """

    def __init__(self, world: AnyWorld) -> None:
        self.first: NDArray[np.int64] = np.asarray(world.first).astype(np.int64)
        self.head: NDArray[Any] = np.asarray(world.head)
        self.open: Bools = np.asarray(world.cost) > 0
        self.nodes: int = len(self.first) - 1
        self._back: NDArray[np.int64] | None = None

    def reach(self, starts: Iterable[int], *, seen: Bools | None = None) -> Bools:
        """Give a mask of shape ``(nodes,)`` of what can be reached from ``starts``, these included.

        ``seen`` goes on with an earlier search after edges were opened; it is changed in place.
        """
        found = np.zeros(self.nodes, dtype=np.bool_) if seen is None else seen
        _spread(self.first, self.head, self.open, found, list(starts))
        return found

    def reach_back(self, goals: Iterable[int]) -> Bools:
        """Give a mask of shape ``(nodes,)`` of the nodes from which a goal can be reached."""
        if self._back is None:
            # Rows are sorted and symmetric, so a stable sort by head lists the turned edges in
            # the very order of the rows: entry k is the edge that turns edge k around.
            self._back = np.argsort(self.head, kind="stable")
        found = np.zeros(self.nodes, dtype=np.bool_)
        _spread(self.first, self.head, self.open[self._back], found, list(goals))
        return found

    def step(self, seen: Bools, edges: Iterable[int], tails: Iterable[int]) -> None:
        """Open ``edges`` (with their ``tails``) and carry a search on through them."""
        begin = []
        for edge, tail in zip(edges, tails, strict=True):
            self.open[edge] = True
            if seen[tail] and not seen[self.head[edge]]:
                begin.append(int(self.head[edge]))
        if begin:
            self.reach(begin, seen=seen)


def main_part(ways: Ways) -> NDArray[np.int64]:
    """Give the nodes of a large part in which every node can be reached from every other.

    Looks from a few nodes spread over the world and stops at a part of more than half of it:
    finding the very largest of many small parts would not help an author.
    """
    degree = np.diff(ways.first)
    used = np.flatnonzero(degree > 0)
    if not len(used):
        return np.arange(min(ways.nodes, 1), dtype=np.int64)
    best: Bools | None = None
    tried = np.zeros(ways.nodes, dtype=np.bool_)
    for place in np.linspace(0, len(used) - 1, CANDIDATES, dtype=np.int64):
        node = int(used[(place + len(used) // 2) % len(used)])
        if tried[node]:
            continue
        part = ways.reach([node]) & ways.reach_back([node])
        tried |= part
        if best is None or part.sum() > best.sum():
            best = part
        if 2 * int(best.sum()) > ways.nodes:
            break
    assert best is not None
    return np.flatnonzero(best)


def _spread(
    first: NDArray[np.int64],
    head: NDArray[Any],
    is_open: Bools,
    seen: Bools,
    starts: list[int],
) -> None:
    seen[starts] = True
    frontier = np.unique(np.asarray(starts, dtype=np.int64))
    slot = np.empty(len(first), dtype=np.int64)
    while len(frontier):
        if len(frontier) < FRONTIER_WIDE:
            frontier = _spread_narrow((first, head, is_open, seen), frontier)
            continue
        begin = first[frontier]
        count = first[frontier + 1] - begin
        shift = np.repeat(begin - (np.cumsum(count) - count), count)
        edges = shift + np.arange(len(shift))
        heads = head[edges[is_open[edges]]]
        heads = heads[~seen[heads]]
        seen[heads] = True
        # Of equal heads the last writer stays: that leaves each node once, without a sort.
        order = np.arange(len(heads))
        slot[heads] = order
        frontier = heads[slot[heads] == order]


def _spread_narrow(
    arrays: tuple[NDArray[np.int64], NDArray[Any], Bools, Bools],
    frontier: NDArray[np.int64],
) -> NDArray[np.int64]:
    # Plain memory views: an element of an array costs several times as much to read.
    first, head, is_open, seen = (_view(each) for each in arrays)
    here: list[int] = frontier.tolist()
    while 0 < len(here) < FRONTIER_WIDE:
        following: list[int] = []
        for node in here:
            for edge in range(first[node], first[node + 1]):
                if is_open[edge]:
                    to = head[edge]
                    if not seen[to]:
                        seen[to] = 1
                        following.append(to)
        here = following
    return np.asarray(here, dtype=np.int64)


def _view(array: NDArray[Any]) -> memoryview:
    return array.view(np.uint8).data if array.dtype == np.bool_ else array.data
