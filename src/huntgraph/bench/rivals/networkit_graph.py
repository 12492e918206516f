"""NetworKit: Dijkstra anew after every round of changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkit
import numpy as np

from huntgraph.bench.rivals.graph import I64, Task, measure_library


class Networkit:
    """The graph on one thread."""

    def __init__(self, task: Task) -> None:
        networkit.setNumberOfThreads(1)
        self.task = task
        parts = task.weight.astype(float), (task.tail, task.head)
        self.graph = networkit.GraphFromCoo(parts, int(task.nodes), weighted=True, directed=True)

    def all(self) -> Any:
        """Give the distances asked."""
        search = networkit.distance.Dijkstra(self.graph, int(self.task.root), False)
        return np.array(search.run().getDistances())[self.task.asked]

    def pair(self, source: int, target: int) -> float:
        """Give one distance."""
        search = networkit.distance.Dijkstra(self.graph, source, False, False, target)
        return float(search.run().distance(target))

    def change(self, edges: I64, prices: I64) -> None:
        """Set some weights."""
        for edge, price in zip(edges.tolist(), prices.tolist(), strict=True):
            self.graph.setWeight(int(self.task.tail[edge]), int(self.task.head[edge]), price)


def measure(folder: Path) -> dict[str, float]:
    """Time NetworKit."""
    return measure_library(folder, Networkit)
