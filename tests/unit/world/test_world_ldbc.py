"""LDBC graphs: decimal weights become whole by the least power of ten."""

from __future__ import annotations

from pathlib import Path

import pytest

from huntgraph.errors import HuntError, SourceError, UsageError
from huntgraph.world import World, import_ldbc, import_world


def written(tmp_path: Path, vertices: str, edges: str) -> Path:
    (tmp_path / "a.v").write_text(vertices)
    (tmp_path / "a.e").write_text(edges)
    return tmp_path / "a.e"


def named(world: World) -> dict[tuple[int, int], int]:
    assert world.name is not None
    return {
        (int(world.name[tail]), int(world.name[head])): int(cost)
        for tail, head, cost in zip(world.tails(), world.head, world.cost, strict=True)
        if cost
    }


def test_weights_become_whole(tmp_path: Path) -> None:
    path = written(tmp_path, "7\n5\n9", "7 5 0.5\n5 9 12.25000\n9 7 3\n7 9 1.5e1")
    world = import_ldbc(path, directed=True)
    world.check()
    assert world.meta["multiply"] == 100
    assert named(world) == {(7, 5): 50, (5, 9): 1_225, (9, 7): 300, (7, 9): 1_500}
    assert named(import_ldbc(path, directed=True, multiply=1000))[7, 5] == 500
    assert named(import_ldbc(tmp_path / "a.v", directed=False)) == {
        (7, 5): 50, (5, 7): 50, (5, 9): 1_225, (9, 5): 1_225, (9, 7): 300, (7, 9): 300,
    }  # fmt: skip


def test_whole_weights_stay(tmp_path: Path) -> None:
    world = import_ldbc(written(tmp_path, "1\n2\n3\n", "1 2 4.0\n"), directed=True)
    assert world.meta["multiply"] == 1
    assert named(world) == {(1, 2): 4}
    assert world.nodes == 3


def test_direction_is_said_or_beside(tmp_path: Path) -> None:
    path = written(tmp_path, "1\n2\n", "1 2 4\n")
    with pytest.raises(UsageError, match="both ways") as caught:
        import_world(path)
    assert "directed=True" in caught.value.fix
    (tmp_path / "a.properties").write_text("# x\ngraph.a.directed = false\n")
    assert len(named(import_world(path))) == 2
    (tmp_path / "a.properties").write_text("# x\n\ngraph.a.directed = perhaps\n")
    with pytest.raises(SourceError, match="neither true nor false") as wrong:
        import_world(path)
    assert wrong.value.line == 3


@pytest.mark.parametrize(
    ("vertices", "edges", "file", "line", "said"),
    [
        ("1\nx\n", "1 2 4\n", "a.v", 2, "not a vertex id"),
        ("1 2\n", "1 2 4\n", "a.v", 1, "2 fields where 1 belong"),
        ("1\n2\n\n1\n", "1 2 4\n", "a.v", 4, "vertex 1 stands twice"),
        ("", "1 2 4\n", "a.v", 0, "no vertices"),
        ("1\n2\n", "1 2 4\n1 2\n", "a.e", 2, "2 fields where 3 belong"),
        ("1\n2\n", "1 2 4\n1 3 4\n", "a.e", 2, "node 3 is not one"),
        ("1\n2\n", "1 2 4\n9 2 4\n", "a.e", 2, "node 9 is not one"),
        ("1\n2\n", "1 2 4\n1 2 heavy\n", "a.e", 2, '"heavy" is not a weight'),
        ("1\n2\n", "1 2 4\n1 2 Infinity\n", "a.e", 2, "is not a weight"),
        ("1\n2\n", "1 2 4\n1 2 1e30\n", "a.e", 2, "more than 18 digits"),
        ("1\n2\n", "1 2 4\n1 2 -4\n", "a.e", 2, "negative"),
        ("1\n2\n", "1 2 4\n1 2 0.0\n", "a.e", 2, "the cost is 0"),
        ("1\n2\n", "1 2 4\n1 2 4.4.4\n", "a.e", 2, "is not a weight"),
        ("1\n2\n", "1 2 4\n1 2 .\n", "a.e", 2, "is not a weight"),
    ],
)
def test_wrong_files(
    tmp_path: Path, vertices: str, edges: str, file: str, line: int, said: str
) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        import_ldbc(written(tmp_path, vertices, edges), directed=True)
    assert caught.value.line == line
    assert str(tmp_path / file) in caught.value.where


def test_a_factor_that_does_not_do(tmp_path: Path) -> None:
    path = written(tmp_path, "1\n2\n", "1 2 4\n2 1 0.125\n")
    with pytest.raises(SourceError, match="does not make this cost whole") as caught:
        import_ldbc(path, directed=True, multiply=10)
    assert caught.value.line == 2
    assert "1000" in caught.value.fix
    assert named(import_ldbc(path, directed=True, multiply=10, divide=2)) == {(1, 2): 20, (2, 1): 1}


def test_files_that_are_missing(tmp_path: Path) -> None:
    path = written(tmp_path, "1\n2\n", "1 2 4\n")
    (tmp_path / "a.v").unlink()
    with pytest.raises(SourceError, match="cannot be read"):
        import_ldbc(path, directed=True)
    with pytest.raises(HuntError, match="neither"):
        import_ldbc(tmp_path / "a.x", directed=True)
