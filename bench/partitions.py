"""Compare ways to share a world's nodes out: cut, balance, CPU time and memory of each.

python bench/partitions.py WORLD [PARTS] [METHOD ...]

Each method runs in a process of its own. Cut counts directed edges between partitions; balance is
the largest partition over the mean; the memory is the peak of the process, the mapped world
included. ``docs/decisions/0004-partitions.md`` speaks of what it printed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymetis
from numpy.typing import NDArray

from huntgraph.world import World, split
from huntgraph.world.assign import assign_owners
from huntgraph.world.check import tails

CELL = 16
SEED = 1

Owners = NDArray[np.integer]


def product(world: World, parts: int) -> Owners:
    """Share out as huntgraph does: METIS, partitions connected when the world is."""
    return assign_owners(world, parts, SEED)


def metis(world: World, parts: int) -> Owners:
    """Share out by METIS without asking for connected partitions."""
    return _metis(parts, world.first, world.head)


def cells(world: World, parts: int) -> Owners:
    """Share out squares of 16 x 16 cells by METIS, weighted by nodes and edges."""
    x, y = (each.astype(np.int64) - int(each.min()) for each in (world.x, world.y))
    _, cell = np.unique(y // CELL * (int(x.max()) // CELL + 1) + x // CELL, return_inverse=True)
    count = int(cell.max()) + 1
    ends = cell[tails(world)], cell[world.head]
    apart = ends[0] != ends[1]
    pairs, weight = np.unique(ends[0][apart] * count + ends[1][apart], return_counts=True)
    first = np.concatenate([[0], np.cumsum(np.bincount(pairs // count, minlength=count))])
    return _metis(parts, first, pairs % count, np.bincount(cell), weight)[cell]


def _metis(
    parts: int,
    first: NDArray[np.integer],
    head: NDArray[np.integer],
    nodes: NDArray[np.integer] | None = None,
    edges: NDArray[np.integer] | None = None,
) -> Owners:
    rows = pymetis.CSRAdjacency(first.astype(np.int64), head.astype(np.int64))
    options = pymetis.Options(seed=SEED)
    found = pymetis.part_graph(
        parts, rows, vweights=nodes, eweights=edges, recursive=False, options=options
    )
    return np.asarray(found.vertex_part, dtype=np.uint16)


def bisection(world: World, parts: int) -> Owners:
    """Cut the longer side of the bounding box in two, over and over."""
    owner = np.zeros(world.nodes, dtype=np.uint16)

    def cut(nodes: NDArray[np.intp], low: int, count: int) -> None:
        if count == 1:
            owner[nodes] = low
            return
        x, y = world.x[nodes], world.y[nodes]
        along = x if np.ptp(x) >= np.ptp(y) else y
        half = count // 2
        middle = len(nodes) * half // count
        order = np.argpartition(along, middle)
        cut(nodes[order[:middle]], low, half)
        cut(nodes[order[middle:]], low + half, count - half)

    cut(np.arange(world.nodes), 0, parts)
    return owner


def stripes(world: World, parts: int) -> Owners:
    """Cut the world into stripes of rows with the same number of nodes."""
    owner = np.empty(world.nodes, dtype=np.int64)
    owner[np.lexsort((world.x, world.y))] = np.arange(world.nodes) * parts // world.nodes
    return owner


def whole(world: World, parts: int) -> Owners:
    """Make the parts too, not only their owners."""
    return split(world, parts, seed=SEED).locate(np.arange(world.nodes))[0]


METHODS: dict[str, Callable[[World, int], Owners]] = {
    each.__name__: each for each in (product, metis, cells, bisection, stripes, whole)
}


def measure(path: Path, parts: int, method: str) -> dict[str, object]:
    """Run one method in this process."""
    world = World.open(path, verify="header")
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    owner = METHODS[method](world, parts)
    cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    cut = (owner[tails(world)] != owner[world.head]) & (world.cost > 0)
    largest = int(np.bincount(owner.astype(np.int64), minlength=parts).max())
    return {
        "method": method,
        "cut": int(np.count_nonzero(cut)),
        "share": f"{np.count_nonzero(cut) / np.count_nonzero(world.cost):.4%}",
        "balance": round(largest * parts / world.nodes, 4),
        "cpu_s": round(cpu_s, 1),
        "wall_s": round(wall_s, 1),
        "peak_gib": round(peak, 2),
    }


def main(arguments: list[str]) -> None:
    """Measure every method, or the ones named, and print a line for each."""
    path, parts, *methods = arguments + ["12"][: len(arguments) == 1]
    if len(methods) == 1 and os.environ.get("ONE_METHOD"):
        print(json.dumps(measure(Path(path), int(parts), methods[0])), flush=True)
        return
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {path}, {parts} parts")
    for method in methods or METHODS:
        words = [sys.executable, __file__, path, parts, method]
        subprocess.run(words, check=True, env={**os.environ, "ONE_METHOD": "1"})


if __name__ == "__main__":
    main(sys.argv[1:])
