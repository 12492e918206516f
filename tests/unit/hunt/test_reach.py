from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huntgraph.hunt.reach import FRONTIER_WIDE, Ways, main_part
from huntgraph.world import World
from tests.unit.hunt.grounds import both, grid, line

edges = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda pair: pair[0] != pair[1]),
    min_size=1,
    max_size=40,
)


def _closure(pairs: list[tuple[int, int]], start: int) -> set[int]:
    seen = {start}
    while True:
        more = {head for tail, head in pairs if tail in seen} - seen
        if not more:
            return seen
        seen |= more


@given(edges, st.integers(0, 11))
@settings(max_examples=150)
def test_reach_and_reach_back_agree_with_a_plain_closure(
    pairs: list[tuple[int, int]], start: int
) -> None:
    ways = Ways(line(pairs, 12))
    assert set(np.flatnonzero(ways.reach([start])).tolist()) == _closure(pairs, start)
    turned = [(head, tail) for tail, head in pairs]
    assert set(np.flatnonzero(ways.reach_back([start])).tolist()) == _closure(turned, start)


def test_wide_and_narrow_frontiers_find_the_same() -> None:
    world = grid(3 * FRONTIER_WIDE, 3 * FRONTIER_WIDE)
    ways = Ways(world)
    random = np.random.default_rng(5)
    ways.open &= random.random(len(ways.open)) < 0.6
    starts = random.integers(0, ways.nodes, 200)
    seen = ways.reach(starts.tolist())
    tail, head = world.tails()[ways.open], world.head[ways.open]
    expected = np.zeros(len(seen), bool)
    expected[starts] = True
    while True:
        before = expected.sum()
        expected[head[expected[tail]]] = True
        if expected.sum() == before:
            break
    assert 200 < expected.sum() < len(expected)
    assert np.array_equal(seen, expected)


def test_a_search_goes_on_through_edges_that_open() -> None:
    world = line(both((0, 1), (1, 2), (2, 3)), 4)
    ways = Ways(world)
    edge = world.edge(1, 2)
    assert edge is not None
    ways.open[edge] = False
    seen = ways.reach([0])
    assert seen.tolist() == [True, True, False, False]
    ways.step(seen, [edge], [1])
    assert seen.all()


def test_main_part_is_the_large_strongly_connected_one() -> None:
    # 0..5 in a ring; 6 only leads in; 7 is only led to; 8 stands alone.
    ring = [(node, (node + 1) % 6) for node in range(6)]
    world = line([*ring, (6, 0), (3, 7)], 9)
    assert main_part(Ways(world)).tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("shape", ["grid", "corridor"])
def test_a_million_nodes_take_less_than_two_seconds(shape: str) -> None:
    if shape == "grid":
        world = grid(1000, 1000)
    else:
        step = np.arange(999_999)
        tail, head = np.r_[step, step + 1], np.r_[step + 1, step]
        world = World.from_edges(tail, head, np.full(len(tail), 1))
    ways = Ways(world)
    # Processor time: another program's share of the machine is no fault of the search.
    begin = time.process_time()
    seen = ways.reach([0])
    seconds = time.process_time() - begin
    assert seen.all()
    print(f"{shape}: {seconds:.2f} s")
    assert seconds < 2
