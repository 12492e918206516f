"""Edges that differ between a fork and its base: what happened to each, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.timeline.history import History
from huntgraph.timeline.labels import Labels
from huntgraph.timeline.slots import differences, ends
from huntgraph.timeline.tables import EDGE, edge_parts, index_of, tag_of

if TYPE_CHECKING:
    from huntgraph.timeline.fork import Run

__all__ = ["EDGE_CHANGE", "HOW", "count_areas", "edge_changes"]

EDGE_CHANGE: Final = np.dtype(
    [
        *(("partition", "u2"), ("edge", "u4"), ("from", "u4"), ("to", "u4"), ("how", "u1")),
        *(("label", "u1"), ("was_weight", "u2"), ("now_weight", "u2"), ("was_heat", "u1")),
        *(("now_heat", "u1"), ("was_closed", "?"), ("now_closed", "?")),
    ]
)
"""An edge that differs; `how` is an index of HOW, `label` of `huntgraph.timeline.labels.LABELS`."""
HOW: Final = ("added", "removed", "closed", "opened", "reweighted", "heat")
"""The first that applies; `heat`: only the traffic counted so far, the weight is the same yet."""
AREAS: Final = 8
"""Areas are an AREAS x AREAS grid over the world."""


def edge_changes(run: Run, labels: Labels) -> NDArray[np.void]:
    """Give the edges that differ, by partition and edge id, shape (n,), dtype EDGE_CHANGE."""
    tables = [np.zeros(0, EDGE_CHANGE)]
    for number, replica in run.replicas.items():
        changes = differences(replica)
        mine = tag_of(changes.names) == EDGE
        edges = index_of(changes.names[mine])
        if not len(edges):
            continue
        table = np.zeros(len(edges), EDGE_CHANGE)
        table["partition"], table["edge"] = number, edges
        table["from"], table["to"] = ends(replica, changes, edges)
        for side, words in (("was", changes.old[mine]), ("now", changes.new[mine])):
            weight, heat, closed = edge_parts(words)
            table[f"{side}_weight"], table[f"{side}_heat"] = weight, heat
            table[f"{side}_closed"] = closed
        table["how"] = _how(table)
        table["label"] = labels.of_edges(number, table["from"], table["to"])
        # A slot that is absent on both sides is no edge: somebody added the way back alone.
        tables.append(table[(table["was_weight"] > 0) | (table["now_weight"] > 0)])
    return np.concatenate(tables)


def _how(table: NDArray[np.void]) -> NDArray[np.uint8]:
    was, now = table["was_weight"], table["now_weight"]
    cases = [
        (was == 0) & (now > 0),
        (was > 0) & (now == 0),
        ~table["was_closed"] & table["now_closed"],
        table["was_closed"] & ~table["now_closed"],
        was != now,
    ]
    return np.select(cases, range(len(cases)), len(cases)).astype(np.uint8)


def count_areas(history: History, edges: NDArray[np.void]) -> list[dict[str, int]]:
    """Count changed edges by where they start; nothing for a world without positions."""
    places = [_places(history, number, edges) for number in history.sources]
    bounds = [_bounds(history.sources[number].world) for number in history.sources]
    known = [bound for bound in bounds if bound is not None]
    points = np.concatenate([np.zeros((0, 2), np.int64), *places])
    if not known or not len(points):
        return []
    low = np.min([bound[0] for bound in known], axis=0)
    high = np.max([bound[1] for bound in known], axis=0)
    size = np.maximum((high - low) // AREAS + 1, 1)
    cells, counts = np.unique((points - low) // size, axis=0, return_counts=True)
    found = []
    for cell, count in zip(cells, counts.tolist(), strict=True):
        (x1, z1), (x2, z2) = (low + cell * size).tolist(), (low + (cell + 1) * size - 1).tolist()
        found.append({"x1": x1, "z1": z1, "x2": x2, "z2": z2, "edges": count})
    return sorted(found, key=lambda area: -area["edges"])


def _places(history: History, number: int, edges: NDArray[np.void]) -> NDArray[np.int64]:
    world: Any = history.sources[number].world
    if _bounds(world) is None:
        return np.zeros((0, 2), np.int64)
    tails = edges["from"][edges["partition"] == number]
    return np.stack([world.x[tails], world.y[tails]], axis=1).astype(np.int64)


def _bounds(world: Any) -> tuple[list[int], list[int]] | None:
    x, y = getattr(world, "x", None), getattr(world, "y", None)
    if x is None or y is None or not np.size(x):
        return None
    return [int(x.min()), int(y.min())], [int(x.max()), int(y.max())]
