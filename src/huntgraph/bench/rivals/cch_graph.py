"""RoutingKit's customizable contraction hierarchies, with partial customization after changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import routingkit_cch as cch

from huntgraph.bench.rivals.graph import I64, Task, measure_library


class Hierarchy:
    """Order, hierarchy and metric."""

    def __init__(self, task: Task) -> None:
        self._task = task
        tail, head = task.tail.tolist(), task.head.tolist()
        x, y = task.place.T.tolist()
        order = cch.compute_order_inertial(int(task.nodes), tail, head, x, y)
        self._cch = cch.CCH(order, tail, head, False)
        self._metric = cch.CCHMetric(self._cch, task.weight.tolist())
        self._updater = cch.CCHMetricPartialUpdater(self._cch)

    def all(self) -> Any:
        """Give the distances asked."""
        search = cch.CCHOneToMany(self._metric, self._task.asked.tolist())
        found = search.distances_from(int(self._task.root))
        return np.array([np.inf if one is None else one for one in found], float)

    def pair(self, source: int, target: int) -> float:
        """Give one distance."""
        return float(cch.CCHQuery(self._metric).run(source, target).distance)

    def change(self, edges: I64, prices: I64) -> None:
        """Customize what the changed arcs touch."""
        changes = dict(zip(edges.tolist(), prices.tolist(), strict=True))
        self._updater.apply(self._metric, changes)


def measure(folder: Path) -> dict[str, float]:
    """Time RoutingKit's hierarchies."""
    return measure_library(folder, Hierarchy)
