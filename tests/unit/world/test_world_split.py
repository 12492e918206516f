"""A split keeps every node and edge of the whole world, once, and says where each one is."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components, dijkstra

from huntgraph import schema
from huntgraph.cli.exits import Exit
from huntgraph.cli.run import run
from huntgraph.errors import ExtraMissingError, UsageError, WorldLookupError
from huntgraph.world import World, generate, import_dimacs, import_movingai, split
from huntgraph.world.arrays import degrees_of
from huntgraph.world.assign import level_out, size_max
from tests.listed import data_file, matrix
from tests.unit.world.partitions import glued, glued_matrix, ids_of, slots, worlds


@pytest.fixture(scope="module")
def town() -> World:
    return generate(20_000, 5)


@settings(max_examples=150, deadline=None)
@given(worlds(), st.data())
def test_every_slot_is_in_exactly_one_part(world: World, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, world.nodes))
    parts = split(world, count, seed=data.draw(st.integers(0, 5)))
    whole = slots(world)
    found = glued(parts)
    assert len(found) == len(whole)
    assert {(tail, head): cost for tail, head, cost in found} == whole
    owned = np.concatenate([ids_of(part)[: part.own_nodes] for part in parts])
    assert sorted(owned.tolist()) == list(range(world.nodes))
    assert max(part.own_nodes for part in parts) <= size_max(world.nodes, count)
    parts.check(world)


@settings(max_examples=100, deadline=None)
@given(worlds(), st.data())
def test_the_halo_is_exact(world: World, data: st.DataObject) -> None:
    parts = split(world, data.draw(st.integers(1, world.nodes)))
    owner, _ = parts.locate(np.arange(world.nodes))
    wanted = Counter(
        {(int(owner[tail]), head) for tail, head in slots(world) if owner[tail] != owner[head]}
    )
    found = Counter(
        (at, int(node)) for at, part in enumerate(parts) for node in ids_of(part)[part.own_nodes :]
    )
    assert found == wanted
    for part in parts:
        assert part.owner is not None
        for (tail, head), cost in slots(part).items():
            if tail >= part.own_nodes:
                assert head < part.own_nodes
                assert cost == 0
        for axis in ("x", "y", "z"):
            assert np.array_equal(getattr(part, axis), getattr(world, axis)[ids_of(part)])
        if world.name is not None:
            assert part.name is not None
            assert np.array_equal(part.name, world.name[ids_of(part)])


@settings(max_examples=60, deadline=None)
@given(worlds(), st.data())
def test_nodes_are_located_there_and_back(world: World, data: st.DataObject) -> None:
    parts = split(world, data.draw(st.integers(1, world.nodes)))
    nodes = np.arange(world.nodes)
    partition, local = parts.locate(nodes)
    assert np.array_equal(parts.global_ids(partition, local), nodes)
    for part in parts:
        # A twin is where locate says.
        partition, local = parts.locate(ids_of(part))
        assert part.owner is not None
        assert part.twin is not None
        assert np.array_equal(partition, part.owner)
        assert np.array_equal(local, part.twin)


def test_one_node_is_located_too(town: World) -> None:
    parts = split(town, 3)
    partition, local = parts.locate(7)
    assert int(parts.global_ids(partition, local)) == 7
    for nodes in (-1, [0, town.nodes]):
        with pytest.raises(WorldLookupError, match="whole world are 0"):
            parts.locate(nodes)
    with pytest.raises(WorldLookupError, match=r"partitions are 0\.\.2"):
        parts.global_ids(3, 0)
    with pytest.raises(WorldLookupError, match="nodes of partition 1"):
        parts.global_ids([0, 1], [0, parts[1].nodes])


def test_the_same_seed_gives_the_same_bytes(town: World, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        split(town, 5, seed=3).save(tmp_path / folder)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == [*(f"part-0{at}.hgw" for at in range(5)), "parts.json"]
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert split(town, 5, seed=4)[0].world_id != split(town, 5, seed=3)[0].world_id


@pytest.mark.parametrize("parts", [2, 12, 30])
def test_a_grid_is_split_evenly_with_few_crossings(town: World, parts: int) -> None:
    found = split(town, parts)
    about = found.info()
    assert about["balance"] <= 1.03
    stripes = (np.arange(town.nodes) * parts // town.nodes).astype(np.uint16)
    crossing = int(np.count_nonzero(stripes[town.tails()] != stripes[town.head]))
    assert about["crossing_edges"] < crossing / 2
    assert about["edges"] == int(np.count_nonzero(town.cost))
    for part in found:
        assert int(degrees_of(part.first).max()) <= schema.DEGREE
        assert part.is_grid
        x, y = int(part.x[0]), int(part.y[0])
        assert part.node_at(x, y) == 0
        assert ids_of(part)[0] == town.node_at(x, y)


def test_parts_of_a_connected_world_are_connected(town: World) -> None:
    for part in split(town, 12):
        own = part.own_nodes
        pieces, _ = connected_components(matrix(part)[:own, :own], directed=False)
        assert pieces == 1


def check_distances(world: World, parts: int, rng: np.random.Generator) -> None:
    """One Dijkstra over all parts glued together gives the distances of the whole world."""
    found = split(world, parts)
    found.check(world)
    starts = rng.integers(0, world.nodes, 3)
    wanted = dijkstra(matrix(world), indices=starts)
    assert np.array_equal(dijkstra(glued_matrix(found), indices=starts), wanted)


def test_distances_over_the_parts_are_those_of_the_whole(town: World, seed: int) -> None:
    check_distances(town, 12, np.random.default_rng(seed))
    check_distances(generate(30_000, 8, neighbours=8), 7, np.random.default_rng(seed))


@pytest.mark.data
def test_a_road_graph_without_positions(seed: int) -> None:
    world = import_dimacs(data_file("dimacs/bremen_dist.gr"))
    check_distances(world, 12, np.random.default_rng(seed))
    assert split(world, 12).info()["balance"] <= 1.03


@pytest.mark.data
@pytest.mark.parametrize("name", ["arena2", "den520d", "Berlin_0_512"])
def test_game_maps(name: str, seed: int) -> None:
    world = import_movingai(data_file(f"movingai/{name}.map"))
    check_distances(world, 12, np.random.default_rng(seed))


def test_a_part_without_positions_keeps_near_nodes_near(rng_array: np.random.Generator) -> None:
    side = 60
    shuffled = rng_array.permutation(side * side).reshape(side, side)
    ends = [(shuffled[:, :-1], shuffled[:, 1:]), (shuffled[:-1], shuffled[1:])]
    tail, head = (np.concatenate([pair[at].ravel() for pair in ends]) for at in (0, 1))
    world = World.from_edges(tail, head, np.full(len(tail), 9))
    for part in split(world, 4):
        own = int(part.first[part.own_nodes])
        inside = part.head[:own] < part.own_nodes
        spread = np.abs(part.tails()[:own].astype(np.int64) - part.head[:own])[inside]
        assert spread.max() <= 3 * side  # as the rows are, in spite of the shuffling


@pytest.fixture
def rng_array(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.lists(st.integers(0, 5), min_size=6, max_size=60))
def test_no_partition_stays_empty_or_too_large(owner: list[int]) -> None:
    found = level_out(np.array(owner), 6)
    sizes = np.bincount(found, minlength=6)
    assert sizes.min() >= 1
    assert sizes.max() <= size_max(len(owner), 6)
    if np.bincount(owner, minlength=6).max() <= size_max(len(owner), 6) and set(owner) == set(
        range(6)
    ):
        assert found.tolist() == owner


def test_what_cannot_be_split(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for parts in (0, town.nodes + 1):
        with pytest.raises(UsageError, match="cannot be split"):
            split(town, parts)
    with pytest.raises(UsageError, match="seed"):
        split(town, 2, seed=-1)
    with pytest.raises(UsageError, match="a part already"):
        split(split(town, 2)[0], 2)
    monkeypatch.setitem(sys.modules, "pymetis", None)
    with pytest.raises(ExtraMissingError, match="METIS") as caught:
        split(town, 2)
    assert "huntgraph[split]" in caught.value.fix


def test_what_is_missing_is_said_before_a_world_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pymetis", None)
    file = tmp_path / "town.hgw"
    assert run(["world", "make", str(file), "--edges", "2000", "--parts", "2"]) == Exit.USAGE
    assert "huntgraph[split]" in capsys.readouterr().err
    assert not file.exists()


def test_lookups_are_by_nodes_of_the_whole_world(town: World) -> None:
    parts = split(town, 3)
    tail, head = town.tails(), town.head
    owner, _ = parts.locate(np.arange(town.nodes))
    assert parts.cost_max == town.cost_max
    for node in (0, town.nodes // 2, town.nodes - 1):
        assert parts.node_at(int(town.x[node]), int(town.y[node])) == node
    with pytest.raises(WorldLookupError, match="no single node"):
        parts.node_at(-1, -1)
    crossing = int(np.flatnonzero((owner[tail] != owner[head]) & (town.cost > 0))[0])
    for edge in (int(np.flatnonzero(town.cost)[0]), crossing):
        at = int(tail[edge]), int(head[edge])
        found = parts.edge(*at)
        assert found is not None
        part = parts[int(owner[at[0]])]
        ends = [int(part.tails()[found]), int(part.head[found])]
        assert parts.global_ids(part.partition, ends).tolist() == list(at)
    far = next(n for n in range(town.nodes) if parts.local_ids(0, n) < 0)
    assert parts.edge(int(parts.global_ids(0, 0)), far) is None


def test_a_whole_world_is_its_own_only_partition(town: World) -> None:
    assert (town.part, town.partition, town.parts, town.own_nodes) == (None, 0, 1, town.nodes)
    assert (town.owner, town.twin, town.global_ids) == (None, None, None)
    only = split(town, 1)[0]
    assert (only.partition, only.parts, only.own_nodes) == (0, 1, town.nodes)
    assert only.world_id == town.world_id
