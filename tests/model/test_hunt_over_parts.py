"""An authored hunt over three partitions: engine and model agree, and the partitions do too."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.hunt import Hunt, compile_parts, loads
from huntgraph.schema import Code, Event, Kind
from huntgraph.world import Parts, World, generate, split
from tests.joined import UNTOLD, check
from tests.model.checker import engine_class
from tests.model.land import Land, Stroll

pytestmark = pytest.mark.skipif(engine_class() is None, reason="the extension is not built")

PARTS = 3
PAGE = """
hunt: three
teams: [red, blue]
stages:
  - {{clue: a, at: {0}}}
  - {{clue: b, at: {1}, needs: a}}
  - {{treasure: c, at: {2}, who: exclusive, needs: a}}
  - {{treasure: d, at: {3}, who: team}}
  - {{treasure: e, at: {4}, stock: 2}}
  - {{treasure: f, at: {5}, needs: {{any: [b, c]}}}}
gates:
  - {{gate: vault, edges: {6}, shut_at_start: true, flips_when: [a, b]}}
  - {{gate: hatch, edges: {7}, flips_when: [d]}}
"""


def scene(rng: Random) -> tuple[World, Parts, Hunt]:
    """A world in parts, and a hunt with two stages and some edges of each gate in each of them."""
    world = generate(edges=1000, seed=rng.randrange(1000))
    parts = split(world, PARTS)
    owner, _ = parts.locate(np.arange(world.nodes))
    mine = [np.flatnonzero(owner == number).tolist() for number in range(PARTS)]
    nodes = [node for each in mine for node in rng.sample(each, 2)]
    rng.shuffle(nodes)
    gates = [[_way(rng, world, rng.choice(each)) for each in mine] for _ in range(2)]
    return world, parts, loads(PAGE.format(*nodes, *gates))


def _way(rng: Random, world: World, tail: int) -> list[int]:
    heads, costs = world.row(tail)
    return [tail, rng.choice(heads[costs > 0].tolist())]


def play(rng: Random, *, skew: int = 0) -> tuple[Land, Counter[int]]:
    """A hunt from its publishing to where all is carried; how often each event came.

    ``skew`` plants a fault: stages elsewhere are said to be so many partitions further on.
    """
    world, parts, hunt = scene(rng)
    land = Land(parts)
    rows = compile_parts(hunt, parts, 0)
    for each in rows:
        _turn_owners(each, skew)
    assert land.publish(rows) == []
    land.tick(21)
    stages = [int(row["from"]) for row in hunt.compile(world, 0) if row["kind"] == Kind.HUNT_STAGE]
    stroll, seen = Stroll(rng, world, stages, 8), Counter[int]()
    for _ in range(1500):
        deed = stroll.next()
        answer = land.do(deed)
        stroll.learn(deed, answer.code)
        seen.update(event.kind for event in answer.events)
        if answer.moved_to or rng.random() < 0.1:
            land.carry()
        if rng.random() < 0.03:
            land.tick()
    land.carry()
    for pair in land.pairs:
        pair.compare_state()
    return land, seen


def _turn_owners(rows: NDArray[np.void], skew: int) -> None:
    # Turned round among the others, so that no partition is told that its own stage is elsewhere.
    elsewhere = rows["owner"] > 0
    others = np.unique(rows["owner"][elsewhere])
    at = np.searchsorted(others, rows["owner"][elsewhere])
    rows["owner"][elsewhere] = others[(at + skew) % len(others)]


@pytest.mark.parametrize("seed", range(4))
def test_a_hunt_over_three_partitions_is_one_hunt(seed: int) -> None:
    land, seen = play(Random(seed))
    assert check([pair.model for pair in land.pairs]) == []
    for event in (Event.FOUND, Event.CLAIMED, Event.HANDED):
        assert seen[event] > 0, event
    met = sum((pair.seen for pair in land.pairs), Counter[str]())
    assert met[f"kind {Kind.NOTICE}, code {Code.OK}"] > 0
    assert met["NOTED"] > 0
    assert met["GATE"] > 2 * PARTS, "each gate where it is, and told of elsewhere"


def test_stages_said_to_be_in_the_wrong_partition_are_found_out() -> None:
    land, _ = play(Random(0), skew=1)
    assert UNTOLD in {what for what, _ in check([pair.model for pair in land.pairs])}
