"""Graphs of NetworkX become worlds with the same shortest paths."""

from __future__ import annotations

import networkx
import pytest

from huntgraph.errors import HuntError, SourceError, UsageError
from huntgraph.world import from_networkx
from tests.listed import distances, matrix


@pytest.mark.parametrize("directed", [True, False])
def test_shortest_paths_are_the_same(seed: int, directed: bool) -> None:
    graph = networkx.gnm_random_graph(80, 300, seed=seed, directed=directed)
    for number, (_, _, facts) in enumerate(graph.edges(data=True)):
        facts["minutes"] = (number * 37 % 900 + 1) / 4
    world = from_networkx(graph, cost="minutes", title="town")
    world.check()
    assert world.meta["multiply"] == 100
    found = distances(matrix(world), world.node_named(0))
    expected = networkx.single_source_dijkstra_path_length(graph, 0, weight="minutes")
    assert len(expected) == sum(found < float("inf"))
    for node, length in expected.items():
        assert found[world.node_named(node)] == round(100 * length)


def test_names_labels_and_positions() -> None:
    graph = networkx.MultiDiGraph(name="inn")
    graph.add_node("bar", x=4, y=-2)
    graph.add_node("cellar", x=4, y=0, z=-3)
    graph.add_edge("bar", "cellar", cost=9)
    graph.add_edge("bar", "cellar", cost=2)
    world = from_networkx(graph)
    assert world.meta["title"] == "inn"
    assert world.meta["labels"] == ["bar", "cellar"]
    bar, cellar = world.node_named(0), world.node_named(1)
    edge = world.edge(bar, cellar)
    assert edge is not None
    assert world.cost[edge] == 2
    assert world.edge(cellar, bar) is None
    assert (world.x[cellar], world.y[cellar], world.z[cellar]) == (4, 0, -3)
    assert world.node_at(4, -2) == bar


def test_whole_numbers_are_names() -> None:
    graph = networkx.Graph()
    graph.add_edge(70, 5, cost=1)
    world = from_networkx(graph)
    assert "labels" not in world.meta
    assert world.edge(world.node_named(70), world.node_named(5)) is not None


@pytest.mark.parametrize("cost", [0, -1, "far", None, float("nan"), 1e30])
def test_wrong_costs_name_the_edge(cost: object) -> None:
    graph = networkx.DiGraph()
    graph.add_edge("a", "b", cost=cost)
    with pytest.raises(SourceError, match="edge 'a' -> 'b' has the cost"):
        from_networkx(graph)


def test_what_is_missing() -> None:
    graph = networkx.DiGraph()
    with pytest.raises(UsageError, match="no nodes"):
        from_networkx(graph)
    graph.add_edge("a", "b", weight=1)
    with pytest.raises(SourceError, match="has no 'cost'"):
        from_networkx(graph)
    assert from_networkx(graph, cost="weight").edges == 2
    graph.add_node("a", x=0.5, y=0)
    graph.add_node("b", x=0, y=0)
    with pytest.raises(HuntError, match=r"node 'a' has x=0\.5"):
        from_networkx(graph, cost="weight")
