"""SciPy: csgraph's Dijkstra on a CSR matrix; a pair costs as much as all, for it has no goal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from huntgraph.bench.rivals.graph import I64, Task, measure_library


class Scipy:
    """The graph as a matrix."""

    def __init__(self, task: Task) -> None:
        self._task = task
        order = np.lexsort((task.head, task.tail))
        size = int(task.nodes)
        starts = np.searchsorted(task.tail[order], np.arange(size + 1))
        parts = task.weight[order].astype(float), task.head[order], starts
        self._graph = csr_array(parts, shape=(size, size))
        self._slot = np.argsort(order)

    def all(self) -> Any:
        """Give the distances asked."""
        return dijkstra(self._graph, indices=int(self._task.root))[self._task.asked]

    def pair(self, source: int, target: int) -> float:
        """Give one distance."""
        return float(dijkstra(self._graph, indices=source)[target])

    def change(self, edges: I64, prices: I64) -> None:
        """Write into the matrix."""
        self._graph.data[self._slot[edges]] = prices


def measure(folder: Path) -> dict[str, float]:
    """Time SciPy."""
    return measure_library(folder, Scipy)
