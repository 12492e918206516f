"""DIMACS graphs: both ways of numbering, exact splitting of long edges, errors with lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huntgraph.errors import HuntError, SourceError, UsageError, WorldLimitError
from huntgraph.world import World, import_dimacs
from tests.listed import distances, matrix


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.gr"
    path.write_text(text)
    return path


def named(world: World) -> dict[tuple[int, int], int]:
    assert world.name is not None
    return {
        (int(world.name[tail]), int(world.name[head])): int(cost)
        for tail, head, cost in zip(world.tails(), world.head, world.cost, strict=True)
        if cost
    }


def test_with_a_p_line_ids_begin_at_1(tmp_path: Path) -> None:
    text = "c a comment, 1 2 3\np sp 4 3\na 1 2 7\nc\n\na\t2 1  8\r\na 2 3 9"
    world = import_dimacs(written(tmp_path, text))
    world.check()
    assert world.nodes == 4
    assert named(world) == {(1, 2): 7, (2, 1): 8, (2, 3): 9}
    with pytest.raises(LookupError):
        world.node_named(0)


def test_without_a_p_line_ids_begin_at_0(tmp_path: Path) -> None:
    world = import_dimacs(written(tmp_path, "a 0 3 7\na 3 0 7\n"))
    assert world.nodes == 4
    assert named(world) == {(0, 3): 7, (3, 0): 7}
    assert len({world.node_named(name) for name in range(4)}) == 4


def test_sparse_ids_are_numbered_as_they_come(tmp_path: Path) -> None:
    world = import_dimacs(written(tmp_path, "a 5 900000000000 7\n"))
    assert world.nodes == 2
    assert named(world) == {(5, 900_000_000_000): 7}


def test_loops_and_zeros_are_dropped_and_the_cheapest_kept(tmp_path: Path) -> None:
    text = "a 0 1 9\na 0 1 4\na 0 1 6\na 1 1 3\na 1 0 0\na 1 2 70000\na 1 2 90000\na 2 2 99999\n"
    world = import_dimacs(written(tmp_path, text))
    assert world.meta["zero_costs_dropped"] == 1
    assert world.meta["nodes_inserted"] == 1
    found = distances(matrix(world), world.node_named(0))
    assert found[world.node_named(2)] == 4 + 70_000


@pytest.mark.parametrize("cost", [60_000, 60_001, 88_514, 120_000, 120_001, 3_000_000_007])
def test_long_edges_are_split_exactly_and_one_way(tmp_path: Path, cost: int) -> None:
    world = import_dimacs(written(tmp_path, f"a 0 1 {cost}\na 1 0 5\na 1 2 6\n"))
    world.check()
    pieces = -(-cost // 60_000)
    assert world.nodes == 3 + pieces - 1 == 3 + world.meta["nodes_inserted"]
    found = distances(matrix(world), world.node_named(0))
    assert found[world.node_named(1)] == cost
    assert found[world.node_named(2)] == cost + 6
    assert distances(matrix(world), world.node_named(1))[world.node_named(0)] == 5
    for name in range(3, min(world.nodes, 9)):
        node = world.node_named(name)
        assert np.count_nonzero(world.row(node)[1]) == 1
        assert np.isfinite(distances(matrix(world), node)[world.node_named(1)])
    costs = [each for ends, each in named(world).items() if ends not in ((1, 0), (1, 2))]
    assert max(costs) - min(costs) <= 1


def test_scaling(tmp_path: Path) -> None:
    path = written(tmp_path, "a 0 1 1\na 1 2 14\na 2 3 15\na 3 4 100000\na 4 5 0\n")
    world = import_dimacs(path, divide=10)
    assert named(world) == {(0, 1): 1, (1, 2): 1, (2, 3): 2, (3, 4): 10_000}
    assert (world.meta["multiply"], world.meta["divide"]) == (1, 10)
    world = import_dimacs(path, multiply=3, divide=10)
    assert named(world) == {(0, 1): 1, (1, 2): 4, (2, 3): 5, (3, 4): 30_000}
    world = import_dimacs(path, multiply=2, long_edges="split")
    assert named(world)[0, 1] == 2
    for wrong in ({"divide": 0}, {"multiply": 0}, {"long_edges": "cut"}):
        with pytest.raises(UsageError):
            import_dimacs(path, **wrong)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("", 0, 0, 'no "a" line'),
        ("c only talk\n", 0, 0, 'no "a" line'),
        ("a 0 1 5\nb 1 2 6\n", 2, 1, 'begins with "b"'),
        ("a 0 1 5\n\n  arc 1 2 6\n", 3, 3, 'begins with "arc"'),
        ("a 0 1 5\na 1 2\n", 2, 1, "a FROM TO COST"),
        ("a 0 1 5\na 1 2 3 4\n", 2, 1, "a FROM TO COST"),
        ("a 0 1 5\na 1 x 6\n", 2, 5, '"x" is not a node id'),
        ("a 0 1 5\na -1 2 6\n", 2, 3, '"-1" is not a node id'),
        ("a 0 1 5\na 1 2 6.5\n", 2, 7, '"6.5" is not a cost'),
        ("a 0 1 5\na 1 2 -6\n", 2, 7, '"-6" is not a cost'),
        ("a 0 1 5\na 1 2 1234567890123456789012\n", 2, 7, "more than 18 digits"),
        ("p sp 2 1\na 0 1 5\n", 2, 3, "node 0 is outside 1..2"),
        ("p sp 2 1\na 1 3 5\n", 2, 5, "node 3 is outside 1..2"),
        ("p sp 2 2\na 1 2 5\n", 1, 1, "promises 2 arcs, the file has 1"),
        ("a 1 2 5\np sp 2 1\np sp 2 1\n", 3, 1, 'second "p" line'),
        ("p max 2 1\na 1 2 5\n", 1, 1, "p sp NODES ARCS"),
        ("p sp 2\na 1 2 5\n", 1, 1, "p sp NODES ARCS"),
        ("p sp two 1\na 1 2 5\n", 1, 6, '"two" is not a count'),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, line: int, column: int, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SourceError, match=said) as caught:
        import_dimacs(path)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(path) in caught.value.where
    assert caught.value.fix


def test_what_is_too_much(tmp_path: Path) -> None:
    path = written(tmp_path, "c\na 0 1 70000\n")
    with pytest.raises(SourceError, match="70,000 is above 60,000") as caught:
        import_dimacs(path, long_edges="refuse")
    assert caught.value.line == 2
    with pytest.raises(WorldLimitError, match="more than 16,777,216 nodes"):
        import_dimacs(written(tmp_path, "a 0 1 999999999999999999\n"))
    with pytest.raises(SourceError, match="too large for this scale"):
        import_dimacs(written(tmp_path, "a 0 1 999999999999999999\n"), multiply=100)
    with pytest.raises(HuntError, match="nodes"):
        import_dimacs(written(tmp_path, "p sp 99999999 1\na 1 2 3\n"))
