"""igraph: ``distances`` with Dijkstra's algorithm and an edge attribute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import igraph
import numpy as np

from huntgraph.bench.rivals.graph import I64, Task, measure_library


class Igraph:
    """The graph, its weights an attribute."""

    def __init__(self, task: Task) -> None:
        self._task = task
        ends = np.column_stack([task.tail, task.head])
        self._graph = igraph.Graph(n=int(task.nodes), edges=ends, directed=True)
        self._graph.es["weight"] = task.weight.tolist()

    def all(self) -> Any:
        """Give the distances asked."""
        found = self._graph.distances(int(self._task.root), weights="weight", algorithm="dijkstra")
        return np.array(found[0])[self._task.asked]

    def pair(self, source: int, target: int) -> float:
        """Give one distance."""
        found = self._graph.distances(source, target, weights="weight", algorithm="dijkstra")
        return float(found[0][0])

    def change(self, edges: I64, prices: I64) -> None:
        """Set the attribute of some edges."""
        self._graph.es[edges.tolist()]["weight"] = prices.tolist()


def measure(folder: Path) -> dict[str, float]:
    """Time igraph."""
    return measure_library(folder, Igraph)
