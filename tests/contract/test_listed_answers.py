"""The engine, asked by players and patched while it runs, gives the answers others have listed."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from huntgraph.engine import Records, move
from huntgraph.schema import UNREACHABLE, Flag, Kind
from huntgraph.world import EdgeChanges, GppcScenario, GppcState, Patch, Query, World, import_world
from tests import listed
from tests.contract.guide import Guide

pytestmark = pytest.mark.data


def far_off(world: World, name: str, every: int) -> tuple[int, int, list[listed.Answer]]:
    """Ask every n-th distinct goal of a map; give goals, queries and those answered otherwise."""
    queries: dict[int, list[listed.Answer]] = defaultdict(list)
    for answer in listed.movingai_answers(name):
        queries[world.node_at(*answer.goal)].append(answer)
    goals = list(queries)[::every]
    starts = [[world.node_at(*each.start) for each in queries[goal]] for goal in goals]
    wrong, asked = [], 0
    for goal, _, updates in Guide(world).ask_all(goals, starts):
        for answer, update in zip(queries[goal], updates, strict=True):
            length = listed.cells(float(update["distance"]))
            asked += 1
            if abs(length - answer.length) > listed.movingai_tolerance(name, answer.length):
                wrong.append(answer)
    return len(goals), asked, wrong


@pytest.mark.parametrize(
    ("name", "every", "goals", "queries"),
    [
        ("arena2", 1, 900, 929),
        ("den520d", 1, 866, 888),
        ("Berlin_0_512", 9, 208, 208),
        pytest.param("Berlin_0_512", 1, 1_870, 1_870, marks=pytest.mark.soak),
    ],
)
def test_movingai(name: str, every: int, goals: int, queries: int) -> None:
    world = import_world(listed.data_file(f"movingai/{name}.map"))
    assert far_off(world, name, every) == (goals, queries, [])


def test_movingai_answers_of_a_wrong_map_are_noticed() -> None:
    """The comparison can fail: one straight step in 3,333 is a fifth too cheap."""
    world = import_world(listed.data_file("movingai/arena2.map"))
    straight = np.flatnonzero(world.cost == listed.STRAIGHT)
    cost = world.cost.copy()
    cost[straight[::3_333]] = listed.STRAIGHT * 4 // 5
    tails = world.tails()
    real = cost > 0
    bad = World.from_edges(
        tails[real],
        world.head[real],
        cost[real],
        nodes=world.nodes,
        positions=np.stack([world.x, world.y], axis=1),
        grid=(world.width, world.height),
    )
    assert len(far_off(bad, "arena2", 1)[2]) > 0


OPENED = Kind.EDGE_OPEN, Kind.EDGE_CLOSE
ADDED = Kind.EDGE_ADD, Kind.EDGE_REMOVE


def patch_records(changes: EdgeChanges, world: World, kinds: tuple[Kind, Kind]) -> Records:
    """Edge records of a patch, of the kinds for a new and a lost edge. Shape (n,), dtype MOVE."""
    pairs = zip(changes.tail, changes.head, strict=True)
    slots = np.array([world.slot(*pair) for pair in pairs], np.int64)
    ends = {"from_": changes.tail, "to": changes.head}
    records = move(kinds[0], arg=world.cost[slots], **ends)
    records["kind"][~changes.open] = kinds[1]
    return records


def answer_queries(guide: Guide, world: World, queries: list[Query]) -> list[Query]:
    """Ask the engine as it stands; give the queries that it answers otherwise than listed."""
    goals = [world.node_at(each.goal_x, each.goal_y) for each in queries]
    starts = [[world.node_at(each.start_x, each.start_y)] for each in queries]
    wrong = []
    for query, (_, _, updates) in zip(queries, guide.ask_all(goals, starts), strict=True):
        length = listed.cells(float(updates["distance"][0]))
        if abs(length - query.length) > listed.gppc_tolerance(query.length):
            wrong.append(query)
    return wrong


def play_gppc(
    kinds: tuple[Kind, Kind] = OPENED, leave_out: int = -1
) -> tuple[int, int, list[Query]]:
    """Play the dynamic track on one running engine.

    A patch may be left out on purpose; the play then ends with the first wrong answers.
    """
    listed.data_file("gppc-dynamic/dao_arena2.patch")
    scenario = GppcScenario.open(listed.data_file("gppc-dynamic/dao_arena2.scen"))
    world = scenario.world()
    state, guide = GppcState(scenario, world), Guide(world)
    patches = solved = 0
    waiting: list[Query] = []
    wrong: list[Query] = []
    for command in scenario:
        if isinstance(command, Query):
            waiting.append(command)
            continue
        wrong += answer_queries(guide, world, waiting)
        solved += len(waiting)
        waiting = []
        if leave_out >= 0 and wrong:
            return patches, solved, wrong
        assert isinstance(command, Patch)
        changes = state.apply(command)
        if patches != leave_out:
            guide.apply(patch_records(changes, world, kinds))
        patches += 1
    wrong += answer_queries(guide, world, waiting)
    assert guide.engine.state_hash() == guide.engine.state_hash(anew=True)
    return patches, solved + len(waiting), wrong


@pytest.mark.parametrize("kinds", [OPENED, ADDED], ids=["opened", "added"])
def test_gppc_patches_are_live_edge_changes_of_one_engine(kinds: tuple[Kind, Kind]) -> None:
    assert play_gppc(kinds) == (439, 2_000, [])


def test_gppc_a_patch_left_out_is_noticed() -> None:
    assert len(play_gppc(leave_out=3)[2]) > 0


@pytest.mark.parametrize(
    ("edges", "answers", "directed", "source"),
    [
        ("example-directed.e", "example-directed-SSSP", True, 1),
        ("example-undirected.e", "example-undirected-SSSP", False, 2),
        ("sssp-dir-input.e", "sssp-dir-output", True, 1),
        ("sssp-undir-input.e", "sssp-undir-output", False, 1),
    ],
)
def test_ldbc_shortest_paths(edges: str, answers: str, directed: bool, source: int) -> None:
    world = import_world(listed.data_file(f"ldbc/{edges}"), directed=directed)
    expected = listed.sssp_answers(answers)
    assert len(expected) == world.nodes
    start = world.node_named(source)
    goals = [world.node_named(vertex) for vertex in expected]
    asked = Guide(world).ask_all(goals, [[start]] * len(goals))
    for (vertex, length), (goal, _, updates) in zip(expected.items(), asked, strict=True):
        update = updates[0]
        if np.isinf(length):
            assert update["flags"] & Flag.NO_PATH, vertex
            assert update["distance"] == UNREACHABLE, vertex
        else:
            # The scale makes all weights whole, so the answer is exact, not near.
            assert update["distance"] == round(length * world.meta["multiply"]), vertex
            assert bool(update["flags"] & Flag.ARRIVED) == (goal == start), vertex


def lengths_to(goal: int) -> NDArray[np.float64]:
    """Solve Bremen with SciPy from the file alone: every node's distance to `goal`, by its id."""
    arcs = listed.bremen_arcs()
    ends = np.array(list(arcs), dtype=np.int32)
    size = (listed.BREMEN_NODES, listed.BREMEN_NODES)
    weights = np.array(list(arcs.values()), dtype=np.float64)
    return listed.distances(csr_array((weights, (ends[:, 1], ends[:, 0])), shape=size), goal)


def test_dimacs_bremen_equals_scipy() -> None:
    world = import_world(listed.data_file("dimacs/bremen_dist.gr"))
    places = np.array([world.node_named(name) for name in range(listed.BREMEN_NODES)])
    seed = 11
    goals = np.random.default_rng(seed).integers(0, listed.BREMEN_NODES, 16)
    targets = [int(places[goal]) for goal in goals]
    for goal, (_, _, updates) in zip(
        goals, Guide(world).ask_all(targets, [places] * len(targets)), strict=True
    ):
        expected = lengths_to(int(goal))
        found = updates["distance"].astype(np.float64)
        found[found == UNREACHABLE] = np.inf
        assert np.array_equal(found, expected), f"seed {seed}, goal {goal}"
