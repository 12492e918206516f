"""The order of nodes: near ones are near in memory, and so are where they lead."""

from __future__ import annotations

import math

import numpy as np

from huntgraph.world.arrays import I64, U32, U64
from huntgraph.world.cuthill_mckee import reverse_cuthill_mckee

TILE = 64
"""Side of a tile in cells, on grids; elsewhere the side that gives about TILE x TILE nodes."""


def by_cells(x: I64, y: I64) -> U32:
    """Give the nodes of a grid in tiles, row by row in each: place -> node.

    ``x`` and ``y`` have shape ``(nodes,)``. Nodes of one cell keep their order.
    """
    if not len(x):
        return np.zeros(0, dtype=np.uint32)
    tile = _tiles(x, y, TILE)
    cell = (y - y.min()) % TILE * TILE + (x - x.min()) % TILE
    if int(tile.max()) * TILE * TILE < 2**39:
        # One sort of packed words is several times quicker than a stable argsort.
        packed: U64 = (tile * (TILE * TILE) + cell).astype(np.uint64)
        packed <<= np.uint64(24)
        packed |= np.arange(len(tile), dtype=np.uint64)
        packed.sort()
        packed &= np.uint64((1 << 24) - 1)
        return packed.astype(np.uint32)
    return np.lexsort((cell, tile)).astype(np.uint32)


def by_edges(first: U32, head: U32, x: I64, y: I64) -> U32:
    """Give nodes in tiles of their positions, by their edges in each: place -> node.

    Neighbours in memory lead equally far then, which an actor keeps once. A world whose nodes are
    all in one place is one tile.

    Args:
        first: where each node's row begins in ``head``, shape ``(nodes + 1,)``.
        head: the node each slot leads to; the way back of each is there too.
        x: positions, shape ``(nodes,)``.
        y: the same.
    """
    if not len(x):
        return np.zeros(0, dtype=np.uint32)
    return reverse_cuthill_mckee(first, head, _tiles(x, y, _side(x, y)))


def _side(x: I64, y: I64) -> int:
    """Choose a tile for scattered positions: as large as 4,096 nodes need on average."""
    wide, high = int(x.max() - x.min()) + 1, int(y.max() - y.min()) + 1
    return max(1, math.isqrt(wide * high * TILE * TILE // len(x)))


def _tiles(x: I64, y: I64, side: int) -> I64:
    """Give the tile of each node, tiles row by row."""
    west, north = x - x.min(), y - y.min()
    tile: I64 = (north // side) * (int(west.max()) // side + 1) + west // side
    return tile


def ranks(order: U32) -> U32:
    """Invert an order: node -> place."""
    places = np.empty(len(order), dtype=np.uint32)
    places[order] = np.arange(len(order), dtype=np.uint32)
    return places
