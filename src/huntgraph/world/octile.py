"""A world from a mask of passable cells: 8 neighbours, no corner cutting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from huntgraph.world.arrays import Bools
from huntgraph.world.grid import (
    ALL_STEPS,
    cell_positions,
    check_costs,
    grid_edges,
    number_cells,
)
from huntgraph.world.world import World


def octile_world(mask: Bools, straight: int, diagonal: int, meta: Mapping[str, Any]) -> World:
    """Build the world of the passable cells of ``mask``, shape ``(height, width)``."""
    check_costs(straight, diagonal)
    numbers = number_cells(mask)
    tails, heads, costs = [], [], []
    for (dx, dy), tail, head in grid_edges(mask, ALL_STEPS):
        tails.append(numbers[tail])
        heads.append(numbers[head])
        costs.append(np.full(len(tail), diagonal if dx and dy else straight, dtype=np.uint16))
    height, width = mask.shape
    return World.from_edges(
        np.concatenate(tails),
        np.concatenate(heads),
        np.concatenate(costs),
        nodes=int(np.count_nonzero(mask)),
        positions=cell_positions(mask),
        grid=(width, height),
        meta={**meta, "straight": straight, "diagonal": diagonal},
    )
