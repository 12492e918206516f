"""The builder keeps every rule of a world, and lookups find what was built."""

from __future__ import annotations

import json
import random
from typing import Literal

import numpy as np
import pytest
from scipy.sparse import csr_array

from huntgraph.errors import HuntError, UsageError, WorldLimitError, WorldLookupError
from huntgraph.world import World


def random_edges(rng: random.Random, nodes: int, edges: int) -> list[tuple[int, int, int]]:
    return [
        (rng.randrange(nodes), rng.randrange(nodes), rng.randint(1, 60_000)) for _ in range(edges)
    ]


def test_loops_repeats_and_ways_back() -> None:
    world = World.from_edges([0, 0, 0, 1, 2], [1, 1, 0, 2, 1], [9, 5, 1, 7, 8])
    world.check()
    assert world.first.tolist() == [0, 1, 3, 4]
    assert world.head.tolist() == [1, 0, 2, 1]
    assert world.cost.tolist() == [5, 0, 7, 8]
    assert world.meta["build"] == {
        "loops_dropped": 1,
        "repeats_dropped": 1,
        "absent_added": 1,
        "positions": False,
        "order": "given",
    }


@pytest.mark.parametrize("order", ["given", "near"])
def test_random_worlds_equal_a_plain_dictionary(
    rng: random.Random, order: Literal["given", "near"]
) -> None:
    for nodes, edges in ((1, 0), (2, 1), (40, 300), (500, 3_000)):
        given = random_edges(rng, nodes, edges)
        cheapest: dict[tuple[int, int], int] = {}
        for tail, head, cost in given:
            if tail != head:
                cheapest[tail, head] = min(cost, cheapest.get((tail, head), cost))
        columns = np.array(given, dtype=np.int64).reshape(-1, 3)
        places = [[rng.randint(-900, 900), rng.randint(-90, 90), at] for at in range(nodes)]
        names = rng.sample(range(10**6), nodes)
        world = World.from_edges(*columns.T, positions=places, names=names, order=order)
        world.check()
        node = [world.node_named(name) for name in names]
        assert sorted(node) == list(range(nodes))
        if order == "given":
            assert node == list(range(nodes))
        for at, place in zip(node, places, strict=True):
            assert [world.x[at], world.y[at], world.z[at]] == place
        found = {}
        for tail in range(nodes):
            for edge in range(world.first[tail], world.first[tail + 1]):
                if world.cost[edge]:
                    found[tail, int(world.head[edge])] = int(world.cost[edge])
        assert found == {(node[a], node[b]): cost for (a, b), cost in cheapest.items()}


def test_tiles_keep_near_cells_together() -> None:
    y, x = np.divmod(np.arange(200 * 100), 200)
    world = World.from_edges([], [], [], positions=np.stack([x, y], 1), grid=(200, 100))
    # Every full tile of 64 x 64 cells is 4,096 nodes in a row.
    first_tile = slice(0, 64 * 64)
    assert int(world.x[first_tile].max()) == int(world.y[first_tile].max()) == 63
    assert world.node_at(63, 63) == 4_095
    assert world.node_at(64, 0) == 4_096
    with pytest.raises(WorldLookupError, match="no single node at"):
        world.node_at(200, 0)
    with pytest.raises(WorldLookupError):
        world.node_at(-1, 0)


def test_tile_order_of_far_scattered_positions(rng: random.Random) -> None:
    far = 2**31 - 1
    places = [[rng.randint(-far, far), rng.randint(-far, far)] for _ in range(3_000)]
    world = World.from_edges([], [], [], positions=places, names=range(3_000))
    assert sorted(world.node_named(name) for name in range(3_000)) == list(range(3_000))
    for name, (x, y) in enumerate(places):
        node = world.node_named(name)
        assert (world.x[node], world.y[node]) == (x, y)


def test_edge_lookups(rng: random.Random) -> None:
    given = np.array(random_edges(rng, 60, 500))
    world = World.from_edges(*given.T)
    real = {(int(a), int(b)) for a, b, _ in given if a != b}
    pairs = [(a, b) for a in range(60) for b in range(60)]
    ids = world.find_edges([a for a, _ in pairs], [b for _, b in pairs])
    for (a, b), edge in zip(pairs, ids, strict=True):
        assert world.edge(a, b) == (int(edge) if edge >= 0 else None)
        assert (edge >= 0) == ((a, b) in real)
        slot = world.slot(a, b)
        assert (slot is not None) == ((a, b) in real or (b, a) in real)
        if slot is not None:
            heads, costs = world.row(a)
            assert heads[slot - world.first[a]] == b
            assert costs[slot - world.first[a]] == world.cost[slot]
    assert world.tails().tolist() == [
        node for node in range(60) for _ in range(len(world.row(node)[0]))
    ]
    with pytest.raises(WorldLookupError, match="no node 60"):
        world.edge(60, 0)
    with pytest.raises(WorldLookupError):
        world.find_edges([60], [0])


def test_rows_for_scipy() -> None:
    world = World.from_edges([0, 1, 2], [1, 2, 0], [5, 6, 7])
    matrix = csr_array(world.csr(), shape=(3, 3)).toarray()
    assert matrix.tolist() == [[0, 5, 0], [0, 0, 6], [7, 0, 0]]


def test_info_is_json() -> None:
    world = World.from_edges([0], [1], [5], meta={"title": "two"})
    info = json.loads(json.dumps(world.info()))
    assert info["title"] == "two"
    assert (info["nodes"], info["edges"], info["slots"], info["absent"]) == (2, 1, 2, 1)
    assert info["world_id"] == f"{world.world_id:016x}"
    assert "two" in repr(world)


def test_the_id_names_nodes_edges_and_costs_only() -> None:
    base = World.from_edges([0], [1], [5])
    same = World.from_edges(
        [0, 0], [1, 1], [5, 6], names=[7, 8], order="given", meta={"title": "other"}
    )
    dearer = World.from_edges([0], [1], [6])
    larger = World.from_edges([0], [1], [5], nodes=3)
    assert base.world_id == same.world_id
    assert len({base.world_id, dearer.world_id, larger.world_id}) == 3


def test_arrays_are_read_only() -> None:
    world = World.from_edges([0], [1], [5], positions=[[0, 0], [1, 0]])
    for array in (world.first, world.head, world.cost, world.x, world.y, world.z):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_64_edges_a_node_and_no_more() -> None:
    World.from_edges([0] * 64, range(1, 65), [1] * 64).check()
    with pytest.raises(WorldLimitError, match="node 0 has 65 edges"):
        World.from_edges([0] * 65, range(1, 66), [1] * 65)
    with pytest.raises(WorldLimitError, match="named 900"):
        # Ways back count too: 65 edges that only lead here are 65 slots.
        World.from_edges(range(1, 66), [0] * 65, [1] * 65, names=range(900, 966))


@pytest.mark.parametrize("cost", [0, -1, 60_001, 2**40])
def test_costs_outside_are_refused(cost: int) -> None:
    with pytest.raises(WorldLimitError, match=r"edge 1 \(1 -> 0\) costs") as caught:
        World.from_edges([0, 1], [1, 0], [1, cost])
    assert caught.value.code == "HG1120"


WRONG: list[tuple[dict[str, object], str]] = [
    ({"tail": [0], "head": [1, 2], "cost": [1]}, "1 tails but 2 heads"),
    ({"tail": [0], "head": [1], "cost": [1, 2]}, "1 edges but 2 costs"),
    ({"tail": [0], "head": [1], "cost": [1.5]}, "whole numbers"),
    ({"tail": [[0]], "head": [[1]], "cost": [[1]]}, "one dimension"),
    ({"tail": [0], "head": [2], "cost": [1], "nodes": 2}, "names node 2"),
    ({"tail": [-1], "head": [0], "cost": [1]}, "names node -1"),
    ({"tail": [], "head": [], "cost": []}, "1 to 16,777,216 nodes, not 0"),
    ({"tail": [0], "head": [2**24], "cost": [1]}, "16,777,217"),
    ({"tail": [0], "head": [1], "cost": [1], "names": [5, 5]}, "same name"),
    ({"tail": [0], "head": [1], "cost": [1], "names": [-5, 5]}, "negative"),
    ({"tail": [0], "head": [1], "cost": [1], "names": [1, 2, 3], "nodes": 2}, "disagree"),
    ({"tail": [0], "head": [1], "cost": [1], "positions": [[0, 0, 0, 0]] * 2}, "positions must be"),
    ({"tail": [0], "head": [1], "cost": [1], "positions": [[0.5, 0]] * 2}, "positions must be"),
    ({"tail": [0], "head": [1], "cost": [1], "positions": [[2**31, 0]] * 2}, "fit 32 bits"),
    ({"tail": [0], "head": [1], "cost": [1], "order": "best"}, "node order"),
    (
        {"tail": [0], "head": [1], "cost": [1], "positions": [[0, 0]] * 2, "grid": (2, 2)},
        "a cell of its own",
    ),
    (
        {"tail": [0], "head": [1], "cost": [1], "positions": [[0, 0], [2, 0]], "grid": (2, 2)},
        "a cell of its own",
    ),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_what_does_not_fit_is_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(HuntError, match=said) as caught:
        World.from_edges(**arguments)  # type: ignore[arg-type]
    assert isinstance(caught.value, UsageError | WorldLimitError)
    assert caught.value.fix


def test_lookups_that_find_nothing() -> None:
    world = World.from_edges([0], [1], [5], names=[10, 20])
    for name in (0, 15, 25, -1, 2**64):
        with pytest.raises(WorldLookupError, match="no node named"):
            world.node_named(name)
    with pytest.raises(WorldLookupError, match="not a grid"):
        _ = world.node_grid
    with pytest.raises(WorldLookupError, match="have no names"):
        World.from_edges([0], [1], [5]).node_named(0)
    scattered = World.from_edges([0], [1], [5], nodes=3, positions=[[4, 4], [7, 9], [4, 4]])
    assert scattered.node_at(7, 9) in (0, 1, 2)
    with pytest.raises(WorldLookupError):
        scattered.node_at(4, 4)
