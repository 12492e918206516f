"""MovingAI maps: every passable cell, 8 neighbours, no corner cut; errors with line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huntgraph.errors import SourceError, UsageError
from huntgraph.world import Query, World, import_movingai, read_scenario

HEAD = "type octile\nheight 3\nwidth 4\nmap\n"
ROWS = ["..@S", "G.T.", "..W."]


def written(tmp_path: Path, text: str | bytes, name: str = "a.map") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def steps(world: World) -> dict[tuple[int, int, int, int], int]:
    tails = world.tails()
    return {
        (int(world.x[t]), int(world.y[t]), int(world.x[h]), int(world.y[h])): int(cost)
        for t, h, cost in zip(tails, world.head, world.cost, strict=True)
    }


def plain_steps(rows: list[str]) -> dict[tuple[int, int, int, int], int]:
    free = {(x, y) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell in ".GS"}
    found = {}
    for x, y in free:
        for dx in (-1, 0, 1):
            for dy in (-1, 0, 1):
                around = {(x + dx, y), (x, y + dy), (x + dx, y + dy)}
                if (dx or dy) and around <= free:
                    found[x, y, x + dx, y + dy] = 19_601 if dx and dy else 13_860
    return found


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_cells_and_steps(tmp_path: Path, end: str) -> None:
    text = (HEAD + "\n".join(ROWS)).replace("\n", end)
    world = import_movingai(written(tmp_path, text))
    world.check()
    assert (world.width, world.height, world.nodes) == (4, 3, 9)
    assert steps(world) == plain_steps(ROWS)
    assert (world.x[world.node_at(3, 0)], world.y[world.node_at(3, 0)]) == (3, 0)


def test_random_maps_equal_plain_rules(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for width, height in ((1, 1), (1, 9), (9, 1), (30, 20), (130, 70)):
        rows = ["".join(rng.choice(list(".GS@OTW"), width)) for _ in range(height)]
        rows[0] = "." + rows[0][1:]
        text = f"type octile\nheight {height}\nwidth {width}\nmap\n" + "\n".join(rows) + "\n"
        assert steps(import_movingai(written(tmp_path, text))) == plain_steps(rows)


def test_costs_are_options(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "\n".join(ROWS))
    world = import_movingai(path, straight=10, diagonal=14, title="a", attribution="b")
    assert set(world.cost.tolist()) == {10, 14}
    assert world.meta["title"] == "a"
    assert world.meta["attribution"] == "b"
    with pytest.raises(UsageError, match="straight=0"):
        import_movingai(path, straight=0)
    with pytest.raises(UsageError, match="diagonal=60001"):
        import_movingai(path, diagonal=60_001)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("", 1, 0, 'ends where "type ..."'),
        ("type tile\n", 1, 0, 'type "tile"'),
        ("height 3\n", 1, 0, '"type" is missing'),
        ("type octile\nheight x\n", 2, 0, '"x" is not a height'),
        ("type octile\nheight 3\nwidth 0\n", 3, 0, '"0" is not a width'),
        ("type octile\nheight 3\nwidth 99999999999999999999\n", 3, 0, "is not a width"),
        ("type octile\nheight 3\nwidth 4\nmop\n", 4, 0, '"map" is missing'),
        (HEAD + "....\n...\n....\n", 6, 0, "row 1 has 3 cells, not 4"),
        (HEAD + "....\n....\n", 7, 0, "ends where row 2 of 3"),
        (HEAD + "....\n..x.\n....\n", 6, 3, '"x" is not a cell'),
        (HEAD + "....\n...\u00e9\n....\n", 6, 0, "row 1 has 5 cells"),
        (HEAD + "....\n....\n....\n....\n", 8, 0, "after the last row"),
        (HEAD + "@@@@\n@@@@\n@@@@\n", 0, 0, "no passable cell"),
    ],
)
def test_wrong_maps(tmp_path: Path, text: str, line: int, column: int, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SourceError, match=said) as caught:
        import_movingai(path)
    assert (caught.value.line, caught.value.column) == (line, column)
    place = str(path) + (f":{line}" if line else "") + (f":{column}" if column else "")
    assert caught.value.where == place
    assert caught.value.fix


def test_a_map_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        import_movingai(tmp_path / "absent.map")


def test_a_map_too_large_to_number(tmp_path: Path) -> None:
    text = "type octile\nheight 1000000\nwidth 1000000\nmap\n"
    with pytest.raises(Exception, match="too large"):
        import_movingai(written(tmp_path, text))


def test_scenarios(tmp_path: Path) -> None:
    text = "version 1\n0\ta.map\t4\t3\t0\t0\t1\t1\t1.41421\n\n7\tb c\t4\t3\t0\t0\t1\t0\t1\n"
    path = written(tmp_path, text.replace("b c", "b"), "a.map.scen")
    assert read_scenario(path) == [Query(0, 0, 0, 1, 1, 1.41421), Query(7, 0, 0, 1, 0, 1.0)]
    for wrong, line, said in (
        ("version 2\n", 1, 'version "2"'),
        ("version 1\n0\ta.map\t4\n", 2, "3 fields where 9"),
        ("version 1\n\n0 a 4 3 0 zero 1 1 1.0\n", 3, "not a number"),
    ):
        with pytest.raises(SourceError, match=said) as caught:
            read_scenario(written(tmp_path, wrong, "b.scen"))
        assert caught.value.line == line
