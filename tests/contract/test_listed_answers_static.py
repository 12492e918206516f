"""Imported worlds, solved by SciPy, give the answers that others have listed."""

from __future__ import annotations

import os

import numpy as np
import pytest
from scipy.sparse import csr_array

from huntgraph.world import GppcScenario, GppcState, Patch, Query, import_world
from tests import listed

pytestmark = pytest.mark.data

EVERY = 1 if os.environ.get("HUNTGRAPH_LISTED") == "all" else 0
"""HUNTGRAPH_LISTED=all solves every query of the large sets too: some minutes."""


@pytest.mark.parametrize(
    ("name", "queries", "nodes", "edges", "every"),
    [
        ("arena2", 929, 24_311, 185_186, 1),
        ("den520d", 888, 28_178, 214_004, 1),
        ("Berlin_0_512", 1_870, 196_667, 1_531_742, EVERY or 7),
    ],
)
def test_movingai(name: str, queries: int, nodes: int, edges: int, every: int) -> None:
    answers = listed.movingai_answers(name)
    world = import_world(listed.data_file(f"movingai/{name}.map"))
    assert len(answers) == queries
    assert (world.nodes, int(np.count_nonzero(world.cost))) == (nodes, edges)
    graph = listed.matrix(world)
    for answer in answers[::every]:
        tolerance = listed.movingai_tolerance(name, answer.length)
        start, goal = world.node_at(*answer.start), world.node_at(*answer.goal)
        # Nothing beyond the listed answer need be searched: a longer way then shows as infinite.
        limit = (answer.length + 1) * listed.STRAIGHT
        length = listed.cells(listed.distances(graph, start, limit)[goal])
        assert abs(length - answer.length) <= tolerance, answer


def test_gppc_with_patches_as_edge_changes() -> None:
    listed.data_file("gppc-dynamic/dao_arena2.patch")
    scenario = GppcScenario.open(listed.data_file("gppc-dynamic/dao_arena2.scen"))
    world = scenario.world()
    state = GppcState(scenario, world)
    tails, cost = world.tails(), world.cost.astype(np.float64)
    patches = solved = 0
    graph = None
    every = EVERY or 5
    for number, command in enumerate(scenario):
        if isinstance(command, Patch):
            changes = state.apply(command)
            ids = world.find_edges(changes.tail, changes.head)
            assert (ids >= 0).all()
            was_open = cost[ids] > 0
            assert (was_open != changes.open).all(), "a change must change something"
            cost[ids] = np.where(changes.open, world.cost[ids], 0)
            patches, graph = patches + 1, None
        elif number % every == 0:
            assert isinstance(command, Query)
            if graph is None:
                real = cost > 0
                edges = (cost[real], (tails[real], world.head[real].astype(np.int32)))
                graph = csr_array(edges, shape=(world.nodes, world.nodes))
            start = world.node_at(command.start_x, command.start_y)
            goal = world.node_at(command.goal_x, command.goal_y)
            limit = (command.length + 1) * listed.STRAIGHT
            length = listed.cells(listed.distances(graph, start, limit)[goal])
            assert abs(length - command.length) <= listed.gppc_tolerance(command.length), command
            solved += 1
    assert patches == 439
    assert solved >= 2_000 // every


@pytest.mark.parametrize(
    ("edges", "answers", "directed", "source", "vertices"),
    [
        ("example-directed.e", "example-directed-SSSP", True, 1, 10),
        ("example-undirected.e", "example-undirected-SSSP", False, 2, 9),
        ("sssp-dir-input.e", "sssp-dir-output", True, 1, 10),
        ("sssp-undir-input.e", "sssp-undir-output", False, 1, 12),
    ],
)
def test_ldbc_shortest_paths(
    edges: str, answers: str, directed: bool, source: int, vertices: int
) -> None:
    world = import_world(listed.data_file(f"ldbc/{edges}"), directed=directed)
    expected = listed.sssp_answers(answers)
    assert len(expected) == world.nodes == vertices
    found = listed.distances(listed.matrix(world), world.node_named(source))
    for vertex, distance in expected.items():
        whole = found[world.node_named(vertex)]
        if np.isinf(distance):
            assert np.isinf(whole), vertex
        else:
            # The scale makes all weights whole, so the answer is exact once it is rounded.
            assert whole == round(distance * world.meta["multiply"]), vertex
            assert abs(whole / world.meta["multiply"] - distance) <= 1e-12 * max(1.0, distance)


def test_dimacs_bremen() -> None:
    arcs = listed.bremen_arcs()
    assert len(arcs) == 85_090
    assert max(arcs.values()) > 60_000, "the long edges are the point of this file"
    world = import_world(listed.data_file("dimacs/bremen_dist.gr"))
    assert world.meta["nodes_inserted"] == world.nodes - listed.BREMEN_NODES > 0
    ends = np.array(list(arcs), dtype=np.int32)
    plain = csr_array(
        (np.array(list(arcs.values()), dtype=np.float64), (ends[:, 0], ends[:, 1])),
        shape=(listed.BREMEN_NODES, listed.BREMEN_NODES),
    )
    graph = listed.matrix(world)
    places = np.array([world.node_named(name) for name in range(listed.BREMEN_NODES)])
    seed = 7
    for start in np.random.default_rng(seed).integers(0, listed.BREMEN_NODES, 60):
        expected = listed.distances(plain, int(start))
        found = listed.distances(graph, world.node_named(int(start)))[places]
        assert np.array_equal(found, expected), f"seed {seed}, from {start}"
