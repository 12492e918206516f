"""rustworkx: Dijkstra on a PyDiGraph whose edges carry their weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rustworkx

from huntgraph.bench.rivals.graph import I64, Task, measure_library


class Rustworkx:
    """The graph; edge indices are those of the task."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._graph = rustworkx.PyDiGraph()
        self._graph.add_nodes_from(range(int(task.nodes)))
        ends = task.tail.tolist(), task.head.tolist(), task.weight.astype(float).tolist()
        self._graph.add_edges_from(list(zip(*ends, strict=True)))

    def all(self) -> Any:
        """Give the distances asked."""
        root = int(self._task.root)
        found = rustworkx.digraph_dijkstra_shortest_path_lengths(self._graph, root, float)
        return np.array([found[node] if node != root else 0.0 for node in self._task.asked])

    def pair(self, source: int, target: int) -> float:
        """Give one distance."""
        found = rustworkx.digraph_dijkstra_shortest_path_lengths(
            self._graph, source, float, goal=target
        )
        return float(found[target])

    def change(self, edges: I64, prices: I64) -> None:
        """Replace what some edges carry."""
        for edge, price in zip(edges.tolist(), prices.tolist(), strict=True):
            self._graph.update_edge_by_index(edge, float(price))


def measure(folder: Path) -> dict[str, float]:
    """Time rustworkx."""
    return measure_library(folder, Rustworkx)
