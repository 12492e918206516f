"""Worlds made from a seed: terrain with holes, water, bridges and a few portals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from huntgraph.errors import UsageError
from huntgraph.world.arrays import U16, U32, Bools
from huntgraph.world.components import largest_component
from huntgraph.world.grid import ALL_STEPS, STRAIGHT_STEPS, number_cells, open_steps, window
from huntgraph.world.terrain import PORTALS, Terrain, make_terrain, raw_bits
from huntgraph.world.world import World

Progress: TypeAlias = Callable[[float, str], None]
"""Called with the share done, 0..1, and what is being done."""

Edges: TypeAlias = tuple[U32, U32, U16]
"""Tails, heads and costs."""

VERSION = 1
"""Changes whenever the same seed gives another world."""
EDGES_MIN, EDGES_MAX = 100, {4: 56_000_000, 8: 100_000_000}
NODES_A_PORTAL = 50_000
CLIMB_MAX = 13

_EDGES_A_CELL = {4: 3.155, 8: 6.09}


def generate(
    edges: int = 4_000_000,
    seed: int = 1,
    *,
    neighbours: int = 4,
    progress: Progress | None = None,
) -> World:
    """Make a world of at least ``edges`` directed edges, a few per cent more at most as a rule.

    The same arguments give the same world (and `world_id`) on every machine. The land is a grid of
    cells with hills; lakes, rivers and rocks cannot be walked; bridges cross the water; and one
    pair of portals for every 50,000 nodes joins far places both ways. Only the largest connected
    part is kept, so every node can reach every other.

    A straight step costs 8 (level road) to 40 (steep and rough): the mean effort of the two cells,
    8..27, and 2 for each unit climbed, at most 13. Going down is not dearer than level ground. A
    diagonal step (``neighbours=8``; corners are not cut) costs 1.415 times that, rounded down. A
    portal costs 400..799. Positions are cells, ``z`` is the height 0..255.

    Args:
        edges: 100 to 56,000,000 (100,000,000 with 8 neighbours).
        seed: 0 to 2**64 - 1.
        neighbours: 4 or 8.
        progress: called now and then with the share done and a text.

    Raises:
        UsageError: an argument is outside its bounds.
    """
    if neighbours not in EDGES_MAX:
        raise UsageError(f"neighbours={neighbours} is not possible", fix="choose 4 or 8")
    if not EDGES_MIN <= edges <= EDGES_MAX[neighbours]:
        bounds = f"{EDGES_MIN:,} to {EDGES_MAX[neighbours]:,}"
        raise UsageError(f"{edges:,} edges cannot be generated", fix=f"choose {bounds}")
    if not 0 <= seed < 2**64:
        raise UsageError(f"seed={seed} is not possible", fix="choose 0 to 2**64 - 1")
    tell = progress or _silent
    steps = STRAIGHT_STEPS if neighbours == 4 else ALL_STEPS
    terrain, part = _large_enough(edges, seed, steps, tell)
    tell(0.5, "laying edges")
    numbers = number_cells(part).view(np.uint32)
    portals = _portals(seed, int(np.count_nonzero(part)))
    tails, heads, costs = _lay_edges(terrain, part, numbers, steps, portals)
    y, x = np.nonzero(part)
    positions = np.stack([x, y, terrain.ground[part]], axis=1).astype(np.int32)
    size = (part.shape[1], part.shape[0])
    del terrain, part, numbers, x, y
    tell(0.65, "sorting edges")
    meta: dict[str, Any] = {
        "title": f"generated world, seed {seed}",
        "source": "huntgraph world make",
        "attribution": "",
        "generator": VERSION,
        "seed": seed,
        "edges_asked": edges,
        "neighbours": neighbours,
        "portals": _portal_count(len(positions)),
    }
    world = World.from_edges(tails, heads, costs, positions=positions, grid=size, meta=meta)
    tell(1.0, "done")
    return world


def _silent(_share: float, _text: str) -> None:
    """Tell nobody."""


def _large_enough(
    edges: int, seed: int, steps: tuple[tuple[int, int], ...], tell: Progress
) -> tuple[Terrain, Bools]:
    """Make land until its largest part has enough edges: nearly always at the first try."""
    cells = edges / _EDGES_A_CELL[len(steps)] + 0.3 * math.sqrt(edges)
    while True:
        width = max(8, math.ceil(math.sqrt(cells)))
        height = max(8, math.ceil(cells / width))
        tell(0.0, f"shaping {width:,} x {height:,} cells of land")
        terrain = make_terrain(width, height, seed)
        tell(0.35, "finding the largest connected part")
        part = largest_component(terrain.walkable)
        found = sum(int(np.count_nonzero(open_steps(part, dx, dy))) for dx, dy in steps)
        if found >= edges:
            return terrain, part
        cells *= min(1.5, 1.01 * edges / max(found, 1))


def _lay_edges(
    terrain: Terrain,
    part: Bools,
    numbers: U32,
    steps: tuple[tuple[int, int], ...],
    portals: Edges,
) -> Edges:
    height, width = part.shape
    cells = numbers.reshape(height, width)
    tails, heads, costs = [], [], []
    for dx, dy in steps:
        free = open_steps(part, dx, dy)
        leave, enter = window(dx, dy, width, height)
        tails.append(cells[leave][free])
        heads.append(cells[enter][free])
        effort = (terrain.effort[leave][free] + terrain.effort[enter][free]) >> 1
        climb = terrain.ground[enter][free] - terrain.ground[leave][free]
        cost = effort + np.clip(2 * climb, 0, CLIMB_MAX).astype(np.uint16)
        if dx and dy:
            cost = (cost.astype(np.uint32) * 1449 >> 10).astype(np.uint16)
        costs.append(cost)
    return (
        np.concatenate([*tails, portals[0]]),
        np.concatenate([*heads, portals[1]]),
        np.concatenate([*costs, portals[2]]),
    )


def _portal_count(nodes: int) -> int:
    return max(2, nodes // NODES_A_PORTAL)


def _portals(seed: int, nodes: int) -> Edges:
    """Join pairs of nodes that lie at least a third of the land's rows apart, both ways."""
    count = _portal_count(nodes)
    bits = raw_bits(seed, PORTALS, 3 * count).reshape(3, count)
    third = np.uint64(max(1, nodes // 3))
    here = bits[0] % np.uint64(nodes)
    there = (here + third + bits[1] % third) % np.uint64(nodes)
    cost = (400 + bits[2] % np.uint64(400)).astype(np.uint16)
    ends = here.astype(np.uint32), there.astype(np.uint32)
    return np.concatenate(ends), np.concatenate(ends[::-1]), np.concatenate([cost, cost])
