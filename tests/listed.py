"""Public data sets with listed answers: where they are, their answers, and how near one must come.

The data is not part of the project. It is looked for in ``../shared/data`` beside the repository,
or where HUNTGRAPH_DATA says; a test that needs a file which is not there is skipped and says so.
The answers are read here by other code than the importers under test.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from huntgraph.world import World

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("HUNTGRAPH_DATA") or ROOT / ".." / "shared" / "data").resolve()

CITIES = ("Berlin_0_512",)
"""Scenarios whose lengths are printed with 8 decimals; the others have 6 significant digits."""


BREMEN_NODES = 40_461
"""The highest id of bremen_dist.gr and one, for its ids begin at 0."""

STRAIGHT = 13_860
"""The cost of a straight step in worlds imported with default costs."""


class Answer(NamedTuple):
    """From a cell to a cell, and the optimal octile length between them."""

    start: tuple[int, int]
    goal: tuple[int, int]
    length: float


def data_file(name: str) -> Path:
    """Give the path of a data file; skip the running test when it is not there."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"the public data file {path} is absent (set HUNTGRAPH_DATA to its folder)")
    return path


def movingai_answers(name: str) -> list[Answer]:
    """Read all queries of ``movingai/NAME.map.scen``."""
    lines = data_file(f"movingai/{name}.map.scen").read_text("ascii").split("\n")[1:]
    rows = [line.split("\t") for line in lines if line.strip()]
    return [
        Answer((int(row[4]), int(row[5])), (int(row[6]), int(row[7])), float(row[8]))
        for row in rows
    ]


def movingai_tolerance(name: str, length: float) -> float:
    """Give how far a length may lie from a listed one: the printing, and 2e-8 of it."""
    if name in CITIES:
        unit = 1e-8
    else:
        unit = 10.0 ** (math.floor(math.log10(length)) - 5) if length > 0 else 1e-5
    return 0.51 * unit + 2e-8 * length


def gppc_tolerance(length: float) -> float:
    """Give how far a length may lie from one listed by the dynamic track."""
    return 1e-6 * max(1.0, length)


def cells(cost: float) -> float:
    """Turn a cost of an octile world into a length in cells."""
    return cost / STRAIGHT


def sssp_answers(name: str) -> dict[int, float]:
    """Read the listed distance of every vertex of ``ldbc/NAME``; infinite when out of reach."""
    rows = (line.split() for line in data_file(f"ldbc/{name}").read_text("ascii").splitlines())
    return {int(vertex): float(distance) for vertex, distance in rows}


def bremen_arcs() -> dict[tuple[int, int], int]:
    """Read ``dimacs/bremen_dist.gr`` as its README says: no loops, no zeros, cheapest repeats."""
    arcs: dict[tuple[int, int], int] = {}
    for line in data_file("dimacs/bremen_dist.gr").read_text("ascii").splitlines():
        tail, head, weight = (int(field) for field in line.split()[1:])
        if tail != head and weight > 0:
            arcs[tail, head] = min(weight, arcs.get((tail, head), weight))
    return arcs


def matrix(world: World) -> Any:
    """Give a world's real edges as a SciPy matrix."""
    return csr_array(world.csr(), shape=(world.nodes, world.nodes))


def distances(graph: Any, start: int, limit: float = np.inf) -> NDArray[np.float64]:
    """Give the distance of every node from ``start`` by SciPy, shape ``(nodes,)``."""
    found: NDArray[np.float64] = dijkstra(graph, directed=True, indices=start, limit=limit)
    return found
