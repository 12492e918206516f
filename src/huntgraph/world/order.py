"""The order of nodes: tiles of positions, so that near nodes are near in memory."""

from __future__ import annotations

import math

import numpy as np

from huntgraph.world.arrays import I64, U32, U64

TILE = 64
"""Side of a tile in cells, on grids; elsewhere the side that gives about TILE x TILE nodes."""


def tile_side(x: I64, y: I64) -> int:
    """Choose a tile for scattered positions: as large as 4,096 nodes need on average."""
    wide, high = int(x.max() - x.min()) + 1, int(y.max() - y.min()) + 1
    return max(1, math.isqrt(wide * high * TILE * TILE // len(x)))


def by_tiles(x: I64, y: I64, side: int) -> U32:
    """Give the nodes in the order of their tiles, row by row within each tile.

    ``x`` and ``y`` have shape ``(nodes,)``; so has the answer: place -> node. Equal positions
    keep their order.
    """
    west, north = x - x.min(), y - y.min()
    columns = int(west.max()) // side + 1
    rows = int(north.max()) // side + 1
    tile = (north // side) * columns + west // side
    cell = (north % side) * side + west % side
    nodes = len(x)
    if columns * rows * side * side < 2**39:
        # One sort of packed words is several times quicker than a stable argsort.
        packed: U64 = (tile * (side * side) + cell).astype(np.uint64)
        packed <<= np.uint64(24)
        packed |= np.arange(nodes, dtype=np.uint64)
        packed.sort()
        packed &= np.uint64((1 << 24) - 1)
        return packed.astype(np.uint32)
    return np.lexsort((cell, tile)).astype(np.uint32)


def ranks(order: U32) -> U32:
    """Invert an order: node -> place."""
    places = np.empty(len(order), dtype=np.uint32)
    places[order] = np.arange(len(order), dtype=np.uint32)
    return places
