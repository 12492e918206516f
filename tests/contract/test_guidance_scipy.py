"""What players are told, at every node of many worlds, against SciPy on the same weights."""

from __future__ import annotations

import numpy as np
import pytest

from huntgraph.engine import move
from huntgraph.schema import NONE, UNREACHABLE, Flag, Kind
from huntgraph.world import World, generate
from tests.contract.guide import Guide
from tests.sim.judge import Judge

GOALS = 16


def tangle(seed: int, nodes: int, edges: int, most: int) -> World:
    """A random directed graph: one-way edges, far links, islands, costs 1..most."""
    rng = np.random.default_rng(seed)
    tail, head = rng.integers(0, nodes, (2, edges))
    return World.from_edges(tail, head, rng.integers(1, most + 1, edges), nodes=nodes)


def disturb(guide: Guide, world: World, rng: np.random.Generator, share: float) -> None:
    """Close some edges and price others, between two ticks of the running engine."""
    edges = rng.choice(np.flatnonzero(world.cost), int(world.edges * share), replace=False)
    tails = world.tails()
    for at, kind in enumerate((Kind.EDGE_CLOSE, Kind.EDGE_PRICE)):
        half = edges[at::2]
        ends = {"from": tails[half], "to": world.head[half]}
        guide.apply(move(kind, arg=rng.integers(1, 60_000, len(half)), **ends))


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(lambda: generate(edges=30_000, seed=2), id="4 neighbours"),
        pytest.param(lambda: generate(edges=30_000, seed=2, neighbours=8), id="8 neighbours"),
        pytest.param(lambda: tangle(1, 4_000, 16_000, 60_000), id="wide costs"),
        pytest.param(lambda: tangle(2, 4_000, 9_000, 3), id="many ties and islands"),
        pytest.param(lambda: tangle(3, 2_000, 30_000, 1), id="all costs equal"),
        pytest.param(lambda: tangle(4, 3, 4, 9), id="three nodes"),
    ],
)
def test_every_node_is_told_the_way(world: object, seed: int) -> None:
    assert callable(world)
    ground = world()
    rng = np.random.default_rng(seed)
    guide = Guide(ground)
    everywhere = np.arange(ground.nodes)
    for share in (0.0, 0.1, 0.2):
        disturb(guide, ground, rng, share)
        goals = rng.integers(0, ground.nodes, GOALS).tolist()
        judge = Judge(ground)
        engine = guide.engine
        judge.epochs[0] = np.where(engine.closed(), 0, engine.weights()).astype(np.uint16)
        for goal, _, updates in guide.ask_all(goals, [everywhere] * GOALS):
            away, step = judge.solve(0, goal)
            assert np.array_equal(updates["distance"], away), f"seed {seed}, goal {goal}"
            away_from_it = everywhere != goal
            told = updates["next"][away_from_it]
            assert np.array_equal(told, step[away_from_it]), f"seed {seed}, goal {goal}"
            lost = updates["flags"] & Flag.NO_PATH != 0
            assert np.array_equal(lost, away == UNREACHABLE)
            assert (updates["next"][lost] == NONE).all()
