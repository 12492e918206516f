"""Worlds to split, and parts put together again by other code than that under test."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from scipy.sparse import csr_array

from huntgraph.world import Parts, World


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Small free-form worlds: several connected parts, one-way edges, lone nodes, names."""
    nodes = draw(st.integers(1, 40))
    node = st.integers(0, nodes - 1)
    pairs = draw(st.lists(st.tuples(node, node), max_size=80))
    cost = st.integers(1, 60_000)
    costs = draw(st.lists(cost, min_size=len(pairs), max_size=len(pairs)))
    placed = draw(st.booleans())
    at = st.tuples(st.integers(-50, 50), st.integers(-50, 50), st.integers(-9, 9))
    place = draw(st.lists(at, min_size=nodes, max_size=nodes)) if placed else None
    names = [1_000 + 3 * each for each in range(nodes)] if draw(st.booleans()) else None
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return World.from_edges(
        ends[:, 0],
        ends[:, 1],
        np.array(costs, dtype=np.int64),
        nodes=nodes,
        positions=place,
        names=names,
        meta={"title": "drawn"},
    )


def slots(world: World) -> dict[tuple[int, int], int]:
    """Every slot of a world and its cost."""
    ends = zip(world.tails().tolist(), world.head.tolist(), strict=True)
    return dict(zip(ends, world.cost.tolist(), strict=True))


def glued(parts: Parts) -> list[tuple[int, int, int]]:
    """The slots that start at own nodes of all parts, in numbers of the whole world."""
    found = []
    for world in parts:
        ids = ids_of(world)
        for (tail, head), cost in slots(world).items():
            if tail < world.own_nodes:
                found.append((int(ids[tail]), int(ids[head]), cost))
    return found


def ids_of(world: World) -> Any:
    """The numbers of a part's nodes in the whole world."""
    assert world.global_ids is not None
    return world.global_ids


def glued_matrix(parts: Parts) -> csr_array:
    """The real edges of all parts as one matrix over the nodes of the whole world."""
    tail, head, cost = [], [], []
    for world in parts:
        ids, real = ids_of(world), world.cost > 0
        tail.append(ids[world.tails()[real]])
        head.append(ids[world.head[real]])
        cost.append(world.cost[real].astype(np.float64))
    ends = np.concatenate(tail), np.concatenate(head)
    return csr_array((np.concatenate(cost), ends), shape=(parts.nodes, parts.nodes))
