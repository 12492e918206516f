"""Which partition owns which node: a balanced share-out of a graph with few edges cut.

METIS does it (G. Karypis and V. Kumar, "Multilevel k-way partitioning scheme for irregular
graphs", 1998). What was measured against it: ``docs/decisions/0004-partitions.md``.
"""

from __future__ import annotations

import heapq
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import ExtraMissingError, UsageError
from huntgraph.world.arrays import U16, WorldArrays
from huntgraph.world.check import tails
from huntgraph.world.components import join
from huntgraph.world.part import PARTS_MAX

IMBALANCE = 0.03
"""The largest partition has at most so much more than its share, rounded up to a whole node."""


def size_max(nodes: int, parts: int) -> int:
    """Give the most nodes a partition may own."""
    return max(-(-nodes // parts), int((1 + IMBALANCE) * nodes / parts))


def assign_owners(world: WorldArrays, parts: int, seed: int) -> U16:
    """Give the partition that owns each node, shape ``(nodes,)``; none is empty.

    Every node and every slot weighs the same, so heat and costs do not matter. Partitions are
    connected when the world is. The same world, seed and version of METIS give the same answer.

    Raises:
        UsageError: there cannot be so many parts, or the seed is out of range.
        ExtraMissingError: pymetis is not installed.
    """
    most = min(world.nodes, PARTS_MAX)
    if not 1 <= parts <= most:
        what = f"a world of {world.nodes:,} nodes cannot be split into {parts:,} parts"
        raise UsageError(what, fix=f"choose 1 to {most:,}")
    if not 0 <= seed < 2**31:
        raise UsageError(f"seed={seed} is not possible", fix="choose 0 to 2**31 - 1")
    if parts == 1 or not world.edges:
        # METIS answers neither question.
        return (np.arange(world.nodes) * parts // world.nodes).astype(np.uint16)
    return level_out(_metis(world, parts, seed), parts)


def load_metis() -> Any:
    """Give the module pymetis. Raises ExtraMissingError when it is not installed."""
    try:
        return importlib.import_module("pymetis")
    except ImportError:
        what = "splitting a world needs METIS, which is not installed"
        raise ExtraMissingError(what, fix='install "huntgraph[split]"') from None


def _metis(world: WorldArrays, parts: int, seed: int) -> U16:
    pymetis = load_metis()
    options = pymetis.Options(seed=seed)
    if _is_connected(world):
        options.contig = 1  # METIS refuses to keep parts connected where the graph is not
    wide = pymetis.zero_copy_dtype()
    rows = pymetis.CSRAdjacency(world.first.astype(wide), world.head.astype(wide))
    found = pymetis.part_graph(parts, rows, recursive=False, options=options)
    return np.asarray(found.vertex_part, dtype=np.uint16)


def _is_connected(world: WorldArrays) -> bool:
    ends = tails(world).view(np.int32), world.head.view(np.int32)
    return not join(world.nodes, *ends).any()


def level_out(owner: NDArray[Any], parts: int) -> U16:
    """Move nodes out of partitions that are too large, and one into each that is empty.

    METIS keeps to its 3 % but for graphs of few nodes a part, where a handful are moved here.
    """
    owner = owner.astype(np.uint16)
    sizes = np.bincount(owner, minlength=parts)
    order = np.argsort(owner, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    keep = min(size_max(len(owner), parts), int(sizes.max()))
    spare = np.flatnonzero(place >= keep).tolist()
    room = [(min(int(size), keep), partition) for partition, size in enumerate(sizes)]
    heapq.heapify(room)
    for node in spare:
        size, partition = room[0]
        owner[node] = partition
        heapq.heapreplace(room, (size + 1, partition))
    while room[0][0] == 0:
        largest = int(np.bincount(owner, minlength=parts).argmax())
        owner[np.flatnonzero(owner == largest)[-1]] = room[0][1]
        heapq.heapreplace(room, (1, room[0][1]))
    return owner
