"""Judges guidance: every answer against SciPy's Dijkstra on the weights of the epoch it names.

Answers that are exact now are judged on the live weights right after their very move, by a plain
Dijkstra from the target that stops at the distance claimed.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from huntgraph.engine import Records
from huntgraph.schema import NONE, UNREACHABLE, Event, Flag
from huntgraph.world import World

EXACT = Flag.EXACT_NOW | Flag.CERTIFIED
TOLD = (Flag.GUIDED, Flag.NO_PATH, Flag.ARRIVED, Flag.PENDING)
"""An answer about a target has one of them."""
SOLUTIONS = 2_048
"""Solved (epoch, target) pairs that are remembered."""


class Wrong(NamedTuple):
    """An answer that is not what the weights say."""

    row: int
    what: str
    update: Any


class Judge:
    """Follows the weights by the events of a partition, and judges its updates.

    Weights are routing weights: 0 where an edge is closed or absent. Edges that are added to the
    running world come behind the world's, in the order of adding, two slots each.
    """

    def __init__(self, world: World) -> None:
        self.first = world.first.astype(np.int64)
        self.tail = world.tails().astype(np.int64)
        self.head = world.head.astype(np.int64)
        self.nodes = world.nodes
        self.live: list[int] = world.cost.astype(np.int64).tolist()
        self.epochs = {0: world.cost.astype(np.uint16)}
        self.seen: Counter[str] = Counter()
        self.wrong: list[Wrong] = []
        pairs = self.tail * self.nodes + self.head
        back = np.searchsorted(pairs, self.head * self.nodes + self.tail)
        self._reverse: list[int] = back.tolist()
        self._heads: list[int] = self.head.tolist()
        self._starts: list[int] = self.first.tolist()
        self._added: dict[int, list[int]] = {}
        """Added slots of each node's row."""
        self._solved: dict[tuple[int, int], tuple[NDArray[np.int64], NDArray[np.int64]]] = {}

    def follow(self, updates: Records, events: Records, position: int) -> None:
        """Judge the updates of one batch; `events` are all of it, `position` stood before it."""
        reached = np.maximum.accumulate(np.concatenate([[position], updates["position"]]))[1:]
        happened = events[np.isin(events["kind"], [Event.DELTA, Event.TICKED])]
        told, at = happened["position"], 0
        now = updates["flags"] & Flag.EXACT_NOW != 0
        self.seen["answers"] += len(updates)
        for index in np.flatnonzero(now):
            until = int(np.searchsorted(told, reached[index], side="right"))
            self._change(happened[at:until])
            at = max(at, until)
            self._judge_now(int(index), updates[index])
        self._change(happened[at:])
        self._judge_epochs(updates)

    def agrees_with(self, weights: NDArray[np.uint16], closed: NDArray[np.bool_]) -> bool:
        """Whether the engine's own weights are those that its events led to."""
        return bool(np.array_equal(np.where(closed, 0, weights), np.array(self.live)))

    @property
    def judged(self) -> int:
        """Answers with a distance, or with "no path", that were judged."""
        return self.seen["now"] + self.seen["epoch"]

    def _change(self, happened: Records) -> None:
        rows = zip(
            *(happened[name].tolist() for name in ("kind", "edge", "value", "flags", "tick")),
            *(happened[name].tolist() for name in ("from", "to")),
            strict=True,
        )
        for kind, edge, value, flags, tick, tail, head in rows:
            if kind == Event.DELTA:
                if edge == len(self.live):
                    self._add(tail, head)
                self.live[edge] = 0 if flags & 1 else value
            else:
                self.epochs[tick] = np.array(self.live, np.uint16)

    def _add(self, tail: int, head: int) -> None:
        """Take in two new slots, there and back, both absent so far."""
        edge = len(self.live)
        self.live += [0, 0]
        self._heads += [head, tail]
        self._reverse += [edge + 1, edge]
        self.tail, self.head = (
            np.append(self.tail, [tail, head]),
            np.append(self.head, [head, tail]),
        )
        self._added.setdefault(tail, []).append(edge)
        self._added.setdefault(head, []).append(edge + 1)
        self.seen["added"] += 1

    def _row(self, node: int) -> Iterator[int]:
        """The edges of a node in the order of its row."""
        yield from range(self._starts[node], self._starts[node + 1])
        yield from self._added.get(node, ())

    def _judge_now(self, index: int, update: Any) -> None:
        node, target, claimed = (int(update[name]) for name in ("node", "target", "distance"))
        if update["flags"] & Flag.ARRIVED:
            self.seen["arrived"] += 1
            if node != target or claimed != 0:
                self.wrong.append(Wrong(index, "has not arrived", update))
            return
        self.seen["now"] += 1
        away = self._within(target, claimed)
        step = next(
            (
                self._heads[edge]
                for edge in self._row(node)
                if self.live[edge]
                and away.get(self._heads[edge], NONE) + self.live[edge] == claimed
            ),
            NONE,
        )
        if away.get(node) != claimed:
            self.wrong.append(Wrong(index, f"distance now is {away.get(node)}", update))
        elif update["next"] != step:
            self.wrong.append(Wrong(index, f"next now is {step}", update))

    def _within(self, target: int, limit: int) -> dict[int, int]:
        """Live distances to `target` of all nodes that are not further than `limit`."""
        final: dict[int, int] = {}
        queue = [(0, target)]
        while queue and queue[0][0] <= limit:
            distance, node = heapq.heappop(queue)
            if node in final:
                continue
            final[node] = distance
            for edge in self._row(node):
                weight = self.live[self._reverse[edge]]
                if weight and self._heads[edge] not in final:
                    heapq.heappush(queue, (distance + weight, self._heads[edge]))
        return final

    def _judge_epochs(self, updates: Records) -> None:
        hunted = updates["target"] != NONE
        flags = updates["flags"]
        self._judge_flags(hunted, updates)
        certified = hunted & (flags & EXACT == Flag.CERTIFIED)
        self.seen["late"] += int((certified & (updates["epoch"] < updates["tick"])).sum())
        keys = updates["epoch"].astype(np.int64) << 32 | updates["target"]
        for key in np.unique(keys[certified]).tolist():
            rows = np.flatnonzero(certified & (keys == key))
            self._judge_field(rows, updates, key >> 32, key & NONE)

    def _judge_flags(self, hunted: NDArray[np.bool_], updates: Records) -> None:
        """Flags fit each other and the place: in a whole world all but pending is exact."""
        told, exact = updates["flags"] & sum(TOLD), updates["flags"] & EXACT != 0
        pending, arrived = told == Flag.PENDING, told == Flag.ARRIVED
        there = updates["node"] == updates["target"]
        self.seen["pending"] += int((hunted & pending).sum())
        self._note(hunted & ~np.isin(told, TOLD), "not one answer", updates)
        self._note(hunted & (pending == exact), "neither exact nor pending, or both", updates)
        self._note(hunted & (arrived != there), "has arrived or has not", updates)

    def _judge_field(
        self, rows: NDArray[np.intp], updates: Records, epoch: int, target: int
    ) -> None:
        self.seen["epoch"] += len(rows)
        if epoch not in self.epochs:
            self.wrong += [Wrong(int(at), f"no tick {epoch} yet", updates[at]) for at in rows]
            return
        away, step = self.solve(epoch, target)
        mine = updates[rows]
        node = mine["node"]
        lost = away[node] == UNREACHABLE
        self.seen["no path"] += int(lost.sum())
        flag = np.where(lost, Flag.NO_PATH, Flag.GUIDED)
        sound = mine["flags"] & (Flag.NO_PATH | Flag.GUIDED) == flag
        sound &= mine["distance"] == away[node]
        sound &= mine["next"] == step[node]
        for at in rows[~sound]:
            where = updates["node"][at]
            what = f"epoch {epoch} says {away[where]} by {step[where]}"
            self.wrong.append(Wrong(int(at), what, updates[at]))

    def solve(self, epoch: int, target: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Distances to `target` at `epoch` by SciPy, and next nodes; both of shape (nodes,)."""
        key = epoch, target
        if key not in self._solved:
            if len(self._solved) >= SOLUTIONS:
                self._solved.clear()
            self._solved[key] = self._solve(self.epochs[epoch].astype(np.int64), target)
        return self._solved[key]

    def _solve(
        self, weight: NDArray[np.int64], target: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        # Edges that were added later are not in it.
        tail, head = self.tail[: len(weight)], self.head[: len(weight)]
        real = weight > 0
        ends = head[real], tail[real]
        graph = csr_array((weight[real].astype(np.float64), ends), shape=(self.nodes, self.nodes))
        found = dijkstra(graph, directed=True, indices=target)
        away = np.where(np.isinf(found), UNREACHABLE, found).astype(np.int64)
        good = real & (away[tail] == weight + away[head])
        edges = np.flatnonzero(good & (away[tail] != UNREACHABLE))
        step = np.full(self.nodes, NONE, np.int64)
        # Backwards: of several edges of a node the lowest slot is written last.
        step[tail[edges][::-1]] = head[edges][::-1]
        return away, step

    def _note(self, which: NDArray[np.bool_], what: str, updates: Records) -> None:
        self.wrong += [Wrong(int(at), what, updates[at]) for at in np.flatnonzero(which)]
