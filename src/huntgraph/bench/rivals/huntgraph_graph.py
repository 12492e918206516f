"""huntgraph itself, in process: fields that are built once and repaired from epoch to epoch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from huntgraph.bench.rivals.graph import I64, NEAR, Task, measure_library
from huntgraph.bench.rivals.scipy_graph import Scipy
from huntgraph.bench.scene import hunt_rows
from huntgraph.engine import Engine, move, ticks
from huntgraph.schema import UNREACHABLE, Flag, Kind
from huntgraph.world import World

MOST_ROUNDS: Final = 64
"""A field doubles with every round of asking; then the rest is wrong, and told as such."""


class Huntgraph:
    """An engine whose players stand where distances are asked."""

    def __init__(self, task: Task, folder: Path) -> None:
        world = World.open(folder / "world.hgw")
        self._task = task
        self._engine = Engine(world, players=len(task.asked) + len(task.pairs), fields=8)
        self._hunts: dict[int, int] = {}
        self._seq = np.zeros(len(task.asked) + len(task.pairs), np.int64)
        self._built = False

    def all(self) -> Any:
        """Give the distances asked; the field is built the first time."""
        if not self._built:
            self._publish(int(self._task.root))
            self._built = True
        return self._exact(np.arange(len(self._task.asked)), self._task.asked, 0)

    def pair(self, source: int, target: int) -> float:
        """Give one distance, by a field that grows from the source until it covers the target.

        A field that is there already has been repaired with every change.
        """
        if source not in self._hunts:
            self._publish(source)
        hunt = self._hunts[source]
        player = np.array([len(self._task.asked) + hunt - 1])
        return float(self._exact(player, np.array([target]), hunt)[0])

    def change(self, edges: I64, prices: I64) -> None:
        """Price edges anew, let a tick pass, and have the fields repaired."""
        self._price(edges, prices)
        self._engine.apply(ticks(self._engine.tick + 1))
        self._work()

    def lookup_ns(self) -> float:
        """Time one look-up of next step and distance, in batches of all the nodes asked."""
        began_ns = time.perf_counter_ns()
        self._ask(np.arange(len(self._task.asked)), self._task.asked, 0)
        return (time.perf_counter_ns() - began_ns) / len(self._task.asked)

    def near_us(self) -> tuple[Any, list[float]]:
        """Undo the last changes and ask near the root before the fields know: live searches.

        Gives the distances (NaN where the field answered), and the time of each search.
        """
        edges = self._task.changed[-1]
        self._price(edges, self._task.weight[edges])
        away, times = np.full(NEAR, np.nan), []
        for player, node in enumerate(self._task.asked[:NEAR]):
            began_ns = time.perf_counter_ns()
            found = self._ask(np.array([player]), np.array([node]), 0)
            took_us = (time.perf_counter_ns() - began_ns) / 1e3
            if found["flags"][0] & Flag.EXACT_NOW:
                away[player] = found["distance"][0]
                times.append(took_us)
        return away, times

    def _price(self, edges: I64, prices: I64) -> None:
        changes = move(Kind.EDGE_PRICE, arg=prices, to=self._task.tail[edges])
        changes["from"] = self._task.head[edges]
        self._engine.apply(changes)

    def _publish(self, node: int) -> None:
        self._engine.apply(hunt_rows(len(self._hunts), node))
        self._hunts[node] = len(self._hunts)
        self._engine.apply(ticks(self._engine.tick + 1, 2))

    def _ask(self, players: Any, nodes: Any, hunt: int) -> Any:
        self._seq[players] += 1
        seq = self._seq[players]
        return self._engine.apply(
            move(Kind.ENTER, player=players + 1, seq=seq, hunt=hunt, to=nodes)
        )

    def _exact(self, players: Any, nodes: Any, hunt: int) -> Any:
        """Ask until the field, which grows with every asker from beyond it, has all answers."""
        for _ in range(MOST_ROUNDS):
            found = self._ask(players, nodes, hunt)
            if (found["flags"] & Flag.CERTIFIED != 0).all():
                break
            self._work()
        return _plain(found["distance"])

    def _work(self) -> None:
        while self._engine.work():
            pass
        self._engine.events()


def _plain(distance: Any) -> Any:
    return np.where(distance == UNREACHABLE, np.inf, distance)


def measure(folder: Path) -> dict[str, float]:
    """Time huntgraph."""
    made: list[Huntgraph] = []

    def make(task: Task) -> Huntgraph:
        made.append(Huntgraph(task, folder))
        return made[0]

    figures = measure_library(folder, make, keeps=True)
    figures["lookup_ns"] = round(min(made[0].lookup_ns() for _ in range(5)), 1)
    away, times = made[0].near_us()
    if differ := int(np.count_nonzero(~np.isnan(away) & (away != _undone(Task.load(folder))))):
        raise ValueError(f"{differ} distances near the root are wrong")
    return figures | ({"near_us": round(float(np.median(times)), 3)} if times else {})


def _undone(task: Task) -> Any:
    """Give the distances near the root when all but the last changes were made, by SciPy."""
    weight = task.weight.copy()
    for edges, prices in zip(task.changed[:-1], task.prices[:-1], strict=True):
        weight[edges] = prices
    last = task.changed[-1]
    weight[last] = task.weight[last]
    return Scipy(task._replace(weight=weight)).all()[:NEAR]
