"""The demo's hunt: a generated one in one district of a large world, so that it is soon walked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.hunt import Hunt, generate_hunt, load, loads
from huntgraph.hunt.page import Page
from huntgraph.hunt.source import Source
from huntgraph.world import World

__all__ = ["cached_hunt", "district", "district_hunt"]

CLUES: Final = 2
TREASURES: Final = 4
TEAMS: Final = 2


def cached_hunt(world: World, file: Path, *, seed: int, side: int) -> Hunt:
    """Read the hunt at ``file``, or make it there when there is none."""
    if file.exists():
        return load(file)
    hunt = district_hunt(world, seed=seed, side=side)
    hunt.save(file)
    return hunt


def district(world: World, side: int) -> NDArray[np.int64]:
    """Give the nodes of a square of ``side`` units around the middle of the world."""
    away_x = np.abs(world.x - int(world.x.mean()))
    away_y = np.abs(world.y - int(world.y.mean()))
    return np.flatnonzero((away_x <= side // 2) & (away_y <= side // 2))


def district_hunt(world: World, *, seed: int, side: int) -> Hunt:
    """Generate a hunt on a district; its file names nodes of the whole world."""
    nodes = district(world, side)
    hunt = generate_hunt(
        _part(world, nodes), seed=seed, clues=CLUES, treasures=TREASURES, teams=TEAMS, name="demo"
    )
    plain = _renamed(hunt.page.plain(), nodes)
    return loads(Hunt(Page.model_validate(plain), Source("", {}, {}, {})).to_yaml())


def _part(world: World, nodes: NDArray[np.int64]) -> World:
    """Make a world of some nodes and the edges among them; node i is ``nodes[i]``."""
    number = np.full(world.nodes, -1, dtype=np.int64)
    number[nodes] = np.arange(len(nodes))
    first = world.first.astype(np.int64)
    counts = first[nodes + 1] - first[nodes]
    starts = np.cumsum(counts) - counts
    edges = np.arange(counts.sum()) + np.repeat(first[nodes] - starts, counts)
    tails, heads = np.repeat(np.arange(len(nodes)), counts), number[world.head[edges]]
    inside = (heads >= 0) & (world.cost[edges] > 0)
    return World.from_edges(
        tails[inside],
        heads[inside],
        world.cost[edges][inside],
        nodes=len(nodes),
        positions=np.stack([world.x[nodes], world.y[nodes]], axis=1),
        order="given",
    )


def _renamed(plain: dict[str, Any], nodes: NDArray[np.int64]) -> dict[str, Any]:
    """Put nodes of the whole world where a page names nodes of the part."""
    plain["start"] = [int(nodes[node]) for node in plain["start"]]
    for stage in plain["stages"]:
        stage["at"] = int(nodes[stage["at"]])
    for gate in plain.get("gates", []):
        gate["edges"] = [[int(nodes[end]) for end in edge] for edge in gate["edges"]]
    return plain
