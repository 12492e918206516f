"""A map of roads made of a seed: crossings, some joined by roads of several nodes, no grid."""

from __future__ import annotations

import numpy as np

from huntgraph.world import World
from huntgraph.world.arrays import I64

JOINED = 0.7
"""Share of neighbouring crossings that a road joins."""
BENDS = 6
"""A road has fewer nodes than so many between its crossings."""
EDGES_PER_CROSSING = 10
"""About so many, each way of a road counted, bends included."""
APART = 100
"""Between two crossings, in units of position."""


def make_roads(side: int, seed: int, *, positions: bool = False) -> World:
    """Make a map of ``side`` by ``side`` crossings, 2.2 edges a node, numbered at random."""
    rng = np.random.default_rng(seed)
    crossings = side * side
    at = np.arange(crossings).reshape(side, side)
    ends = np.concatenate([_pairs(at[:, :-1], at[:, 1:]), _pairs(at[:-1], at[1:])])
    ends = ends[rng.random(len(ends)) < JOINED]
    bends = rng.integers(0, BENDS, len(ends))
    start, nodes = crossings + np.cumsum(bends) - bends, crossings + int(bends.sum())
    steps = []
    for step in range(BENDS):
        road = np.flatnonzero(bends >= step)
        tail = start[road] + step - 1 if step else ends[road, 0]
        last = bends[road] == step
        steps.append(_pairs(tail, np.where(last, ends[road, 1], start[road] + step)))
    both = np.concatenate(steps)
    both = np.concatenate([both, both[:, ::-1]])
    number = rng.permutation(nodes)
    places = np.empty((nodes, 2), dtype=np.int64)
    places[number] = _places(rng, side, ends, bends)
    cost = rng.integers(1, 1000, len(both))
    tail, head = number[both].T
    return World.from_edges(
        tail,
        head,
        cost,
        positions=places if positions else None,
        names=np.arange(nodes),
        meta={"title": "roads"},
    )


def _pairs(one: I64, other: I64) -> I64:
    return np.stack([one.ravel(), other.ravel()], axis=1)


def _places(rng: np.random.Generator, side: int, ends: I64, bends: I64) -> I64:
    """Give positions: of crossings about a lattice, of bends about the line between two."""
    crossing = np.stack(np.divmod(np.arange(side * side), side), axis=1) * APART
    crossing += rng.integers(-APART // 3, APART // 3, crossing.shape)
    road = np.repeat(np.arange(len(ends)), bends)
    step = np.arange(len(road)) - np.repeat(np.cumsum(bends) - bends, bends) + 1
    share = (step / (bends[road] + 1))[:, None]
    bend = crossing[ends[road, 0]] * (1 - share) + crossing[ends[road, 1]] * share
    return np.concatenate([crossing, bend.astype(np.int64)])
