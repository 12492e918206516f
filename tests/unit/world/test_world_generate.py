"""Generated worlds: the size asked for, all connected, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import connected_components

from huntgraph.errors import UsageError
from huntgraph.world import World, generate
from huntgraph.world.components import largest_component
from huntgraph.world.generate import CLIMB_MAX
from huntgraph.world.terrain import make_terrain, raw_bits
from tests.listed import matrix


@pytest.mark.parametrize(
    ("edges", "neighbours"), [(100, 4), (100, 8), (10_000, 4), (10_000, 8), (200_000, 4)]
)
def test_size_and_connection(edges: int, neighbours: int, seed: int) -> None:
    world = generate(edges, seed, neighbours=neighbours)
    world.check()
    real = int(np.count_nonzero(world.cost))
    assert edges <= real <= edges * 1.6 + 400
    if edges >= 200_000:
        assert real <= edges * 1.05
    parts, _ = connected_components(matrix(world), directed=True, connection="strong")
    assert parts == 1


def test_the_same_seed_gives_the_same_world() -> None:
    first, second, other = generate(20_000, 7), generate(20_000, 7), generate(20_000, 8)
    assert first.world_id == second.world_id != other.world_id
    assert np.array_equal(first.z, second.z)
    assert first.meta == second.meta
    assert generate(20_000, 7, neighbours=8).world_id != first.world_id


def test_ids_do_not_change_between_releases_or_machines() -> None:
    # A change here breaks every hunt on a generated world: raise generate.VERSION with it.
    assert f"{generate(10_000, 1).world_id:016x}" == "fbad9479f282620b"
    assert f"{generate(10_000, 2**64 - 1, neighbours=8).world_id:016x}" == "0c953d15d4bd3ef4"
    assert raw_bits(1, 2, 2).tolist() == [8271799387826207682, 7948369750201702571]


def test_costs_steps_and_portals() -> None:
    world = generate(100_000, 3)
    tails = world.tails()
    dx = np.abs(world.x[tails].astype(np.int64) - world.x[world.head])
    dy = np.abs(world.y[tails].astype(np.int64) - world.y[world.head])
    step = dx + dy == 1
    assert int(np.count_nonzero(~step)) == 2 * world.meta["portals"]
    assert (world.cost[~step] >= 400).all()
    assert (world.cost[~step] < 800).all()
    assert int((dx + dy)[~step].min()) > 20
    assert int(world.cost[step].min()) == 8
    assert 30 < int(world.cost[step].max()) <= 27 + CLIMB_MAX
    # Uphill is dearer than the same step down.
    up = step & (world.z[world.head] > world.z[tails])
    down = world.find_edges(world.head[up], tails[up])
    assert (world.cost[up] > world.cost[down]).all()


def test_diagonals_cut_no_corner() -> None:
    world = generate(50_000, 3, neighbours=8)
    cells = world.node_grid >= 0
    tails, heads = world.tails(), world.head
    x, y = world.x.astype(np.int64), world.y.astype(np.int64)
    diagonal = (np.abs(x[tails] - x[heads]) == 1) & (np.abs(y[tails] - y[heads]) == 1)
    assert diagonal.any()
    tails, heads = tails[diagonal], heads[diagonal]
    assert cells[y[tails], x[heads]].all()
    assert cells[y[heads], x[tails]].all()


def test_land_has_water_bridges_and_holes() -> None:
    terrain = make_terrain(600, 500, seed=4)
    assert terrain.walkable.shape == (500, 600)
    share = terrain.walkable.mean()
    assert 0.75 < share < 0.9
    bare = terrain.walkable & (terrain.effort == 8)
    lanes = bare[1:-1] & ~terrain.walkable[:-2] & ~terrain.walkable[2:]
    # A bridge is a lane of easy cells with water on both sides.
    runs = lanes[:, :-3] & lanes[:, 1:-2] & lanes[:, 2:-1] & lanes[:, 3:]
    assert runs.sum() > 20


def plain_largest(mask: list[list[bool]]) -> set[tuple[int, int]]:
    left = {(y, x) for y, row in enumerate(mask) for x, free in enumerate(row) if free}
    parts: list[set[tuple[int, int]]] = []
    while left:
        part, queue = set(), [min(left)]
        left.remove(queue[0])
        while queue:
            y, x = queue.pop()
            part.add((y, x))
            for near in ((y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)):
                if near in left:
                    left.remove(near)
                    queue.append(near)
        parts.append(part)
    return max(parts, key=lambda part: (len(part), [-each for each in min(part)]), default=set())


def test_largest_component_equals_a_plain_search(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for height, width in ((1, 1), (1, 30), (30, 1), (9, 13), (40, 40), (40, 40), (80, 20)):
        for share in (0.0, 0.4, 0.55, 0.65, 1.0):
            mask = rng.random((height, width)) < share
            found = largest_component(mask)
            assert {(int(y), int(x)) for y, x in np.argwhere(found)} == plain_largest(mask.tolist())


def test_progress_is_told_in_order() -> None:
    told: list[tuple[float, str]] = []
    generate(10_000, 1, progress=lambda share, text: told.append((share, text)))
    assert told[-1] == (1.0, "done")
    assert all(0.0 <= share <= 1.0 and text for share, text in told)


@pytest.mark.parametrize(
    ("edges", "seed", "neighbours", "said"),
    [
        (99, 1, 4, "99 edges"),
        (10**9, 1, 4, "choose 100 to"),
        (1_000, -1, 4, "seed=-1"),
        (1_000, 2**64, 4, "seed="),
        (1_000, 1, 6, "neighbours=6"),
    ],
)
def test_what_cannot_be_generated(edges: int, seed: int, neighbours: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        generate(edges, seed, neighbours=neighbours)


def test_z_is_the_height_of_the_land() -> None:
    world: World = generate(100_000, 3)
    assert 0 <= int(world.z.min()) < int(world.z.max()) <= 255
