"""Orders of nodes: near ones near in memory, in rows that take few bytes for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huntgraph import _core
from huntgraph.bench.roads import APART, make_roads
from huntgraph.world import World, import_dimacs
from huntgraph.world.cuthill_mckee import reverse_cuthill_mckee
from tests.listed import data_file

BYTES = 6
"""Most that an edge of a world of any form takes, with where its row lies and where it leads."""


def bytes_an_edge(world: World, folder: Path) -> float:
    world.save(folder / "world.hgw")
    return _core.row_bytes(folder / "world.hgw") / world.edges


def test_reverse_cuthill_mckee_by_hand() -> None:
    # A star 0 - {1, 2, 3} with 3 - 4 behind, and a lone node 5.
    world = World.from_edges([0, 0, 0, 3], [1, 2, 3, 4], [1, 1, 1, 1], nodes=6)
    whole = np.zeros(6, np.int64)
    assert reverse_cuthill_mckee(world.first, world.head, whole).tolist() == [4, 3, 2, 0, 1, 5]
    # Blocks {1, 2, 5} and {0, 3, 4}: no way leads from one into the other.
    blocks = np.array([1, 0, 0, 1, 1, 0])
    assert reverse_cuthill_mckee(world.first, world.head, blocks).tolist() == [1, 2, 5, 0, 3, 4]


@pytest.mark.parametrize("positions", [False, True])
def test_roads_numbered_at_random_take_six_bytes_an_edge(
    positions: bool, seed: int, tmp_path: Path
) -> None:
    world = make_roads(150, seed, positions=positions)
    assert bytes_an_edge(world, tmp_path) <= BYTES
    turned = np.random.default_rng(seed).permutation(world.nodes)
    shuffled = World.from_edges(turned[world.tails()], turned[world.head], world.cost)
    assert bytes_an_edge(shuffled, tmp_path) > BYTES


@pytest.mark.data
def test_a_real_map_of_roads_takes_six_bytes_an_edge(tmp_path: Path) -> None:
    """But for 64 KiB of room for edges that are added, whatever the size of the world."""
    world = import_dimacs(data_file("dimacs/bremen_dist.gr"))
    assert bytes_an_edge(world, tmp_path) - 2**16 / world.edges <= BYTES


def test_successive_nodes_are_near_each_other(seed: int) -> None:
    world = make_roads(120, seed, positions=True)
    places = np.stack([world.x, world.y]).astype(np.int64)
    apart = np.hypot(*np.diff(places))
    assert np.quantile(apart, 0.99) < 64 * APART < (np.ptp(places, axis=1)).min()


def test_without_names_or_positions_nodes_keep_their_numbers() -> None:
    kept = World.from_edges([0, 3, 1], [3, 1, 2], [5, 6, 7])
    assert kept.edge(0, 3) is not None
    assert kept.meta["build"]["order"] == "given"
    named = World.from_edges([0, 3, 1], [3, 1, 2], [5, 6, 7], names=[70, 71, 72, 73])
    assert named.meta["build"]["order"] == "near"
    assert [named.node_named(name) for name in (70, 73, 71, 72)] in ([0, 1, 2, 3], [3, 2, 1, 0])
