"""NetworKit's dynamic Dijkstra: distances are kept and repaired after changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import networkit
import numpy as np
from networkit.dynamics import GraphEvent, GraphEventType

from huntgraph.bench.rivals.graph import I64, Task, measure_library
from huntgraph.bench.rivals.networkit_graph import Networkit


class NetworkitDynamic(Networkit):
    """The graph and the distances from the root."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._search = networkit.distance.DynDijkstra(self.graph, int(task.root))
        self._ran = False

    def all(self) -> Any:
        """Give the distances asked; found anew the first time only."""
        if not self._ran:
            self._search.run()
            self._ran = True
        return np.array([self._search.distance(node) for node in self.task.asked.tolist()])

    def change(self, edges: I64, prices: I64) -> None:
        """Set some weights, and have the distances repaired."""
        super().change(edges, prices)
        tail, head = self.task.tail, self.task.head
        update = GraphEventType.EDGE_WEIGHT_UPDATE
        self._search.updateBatch([
            GraphEvent(update, int(tail[edge]), int(head[edge]), float(price))
            for edge, price in zip(edges.tolist(), prices.tolist(), strict=True)
        ])  # fmt: skip


def measure(folder: Path) -> dict[str, float]:
    """Time NetworKit's dynamic Dijkstra."""
    return measure_library(folder, NetworkitDynamic, keeps=True)
