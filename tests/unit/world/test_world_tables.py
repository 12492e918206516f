"""CSV and Parquet edge lists: the same columns, the same worlds, errors with line or row."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pytest

from huntgraph.errors import ExtraMissingError, SourceError, UsageError
from huntgraph.world import World, import_csv, import_parquet, import_world

ROWS = "(1, 2, 0.5, 10, 20), (2, 3, 12.25, 30, 40), (3, 1, 7, 50, -60)"
TEXT = "from,to,cost,x,y\n1,2,0.5,10,20\n2,3,12.25,30,40\n3,1,7,50,-60\n"


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def parquet(tmp_path: Path, query: str, name: str = "a.parquet") -> Path:
    path = tmp_path / name
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def named(world: World) -> dict[tuple[int, int], int]:
    assert world.name is not None
    return {
        (int(world.name[tail]), int(world.name[head])): int(cost)
        for tail, head, cost in zip(world.tails(), world.head, world.cost, strict=True)
        if cost
    }


def place(world: World, name: int) -> tuple[int, int, int]:
    node = world.node_named(name)
    return int(world.x[node]), int(world.y[node]), int(world.z[node])


def test_csv_and_parquet_give_the_same_world(tmp_path: Path) -> None:
    ours = import_world(written(tmp_path, TEXT))
    query = f'SELECT * FROM (VALUES {ROWS}) AS t("from", "to", cost, x, y)'
    theirs = import_world(parquet(tmp_path, query))
    for world in (ours, theirs):
        world.check()
        assert named(world) == {(1, 2): 50, (2, 3): 1_225, (3, 1): 700}
        assert place(world, 3) == (50, -60, 0)
        assert world.meta["multiply"] == 100
    assert ours.world_id == theirs.world_id


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("\n", "\r\n"),
        TEXT.rstrip("\n"),
        "\n" + TEXT.replace("\n", "\n\n"),
        TEXT.replace(",", " ,\t"),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("from", '"From"').replace("2,3", '"2","3"'),
        "note,COST,to,from,y,x\n\u00fc b,0.5,2,1,20,10\n,12.25,3,2,40,30\n,7,1,3,-60,50\n",
        'note,cost,to,from,y,x\n"a, b",0.5,2,1,20,10\n,12.25,3,2,40,30\n,7,1,3,-60,50\n',
    ],
)
def test_csv_as_programs_write_it(tmp_path: Path, text: str | bytes) -> None:
    world = import_csv(written(tmp_path, text))
    assert named(world) == {(1, 2): 50, (2, 3): 1_225, (3, 1): 700}
    assert place(world, 2) == (30, 40, 0)


def test_other_delimiters_and_places_of_heads(tmp_path: Path) -> None:
    text = "from;to;cost;to_x;to_y;to_z\n1;2;5;7;8;9\n1;3;6;1;1;1\n"
    world = import_csv(written(tmp_path, text), delimiter=";")
    assert named(world) == {(1, 2): 5, (1, 3): 6}
    assert [place(world, name) for name in (1, 2, 3)] == [(0, 0, 0), (7, 8, 9), (1, 1, 1)]
    with pytest.raises(UsageError, match="cannot delimit"):
        import_csv(written(tmp_path, text), delimiter="5")


def test_long_edges_lie_between_their_ends(tmp_path: Path) -> None:
    text = "from,to,cost,x,y,to_x,to_y\n1,2,240000,0,0,400,-80\n"
    world = import_csv(written(tmp_path, text))
    places = sorted(zip(world.x.tolist(), world.y.tolist(), strict=True))
    assert places == [(0, 0), (100, -20), (200, -40), (300, -60), (400, -80)]
    with pytest.raises(SourceError, match="above 60,000") as caught:
        import_csv(written(tmp_path, text), long_edges="refuse")
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("", 0, 0, "no rows"),
        ("from,to,cost\n", 0, 0, "no rows"),
        ("from,till,cost\n1,2,3\n", 1, 0, 'column "to" is missing'),
        ("from,to,cost,cost\n1,2,3,4\n", 1, 0, '"cost" stands twice'),
        ("from,to,cost,x\n1,2,3,4\n", 1, 0, "belong together"),
        ("from,to,cost\n1,2,3\n1,2\n", 3, 0, "2 fields where 3 belong"),
        ("from,to,cost\n1,2,3\n\n1,2,3,4\n", 4, 0, "4 fields where 3 belong"),
        ("from,to,cost\n1,2,3\n1,,3\n", 3, 3, '"" is not a node id'),
        ("from,to,cost\n1,2,3\n1, b,3\n", 3, 4, '"b" is not a node id'),
        ("from,to,cost\n1,2,3\n1,-2,3\n", 3, 3, '"-2" is not a node id'),
        ("from,to,cost\n1,2,3\n1,2,much\n", 3, 5, '"much" is not a cost'),
        ("from,to,cost\n1,2,3\n1,2,\n", 3, 5, '"" is not a cost'),
        ("from,to,cost\n1,2,3\n1,2,0\n", 3, 0, "the cost is 0"),
        ("from,to,cost\n1,2,3\n1,2,-3\n", 3, 0, "negative"),
        ("from,to,cost,x,y\n1,2,3,4,5\n2,1,3,4.5,5\n", 3, 7, "not a whole number of 32 bits"),
        ("from,to,cost,x,y\n1,2,3,4,5\n\n1,3,3,4,6\n", 4, 0, "elsewhere than in row 2"),
        ('from,to,cost\n1,2,3\n1,"2,3\n', 3, 0, "unexpected end of data"),
    ],
)
def test_wrong_csv(tmp_path: Path, text: str, line: int, column: int, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SourceError, match=said) as caught:
        import_csv(path)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(path) in caught.value.where


def test_parquet_types(tmp_path: Path) -> None:
    query = (
        "SELECT i::UTINYINT AS 'from', (i + 1)::BIGINT AS 'to', (i * 0.25)::DECIMAL(9,2) AS cost,"
        " 'x' AS label FROM range(1, 9) AS t(i)"
    )
    world = import_parquet(parquet(tmp_path, query, "odd [1]*.parquet"))
    assert named(world) == {(i, i + 1): 25 * i for i in range(1, 9)}
    query = "SELECT 1 AS 'from', 2 AS 'to', (0.1::DOUBLE + 0.2::DOUBLE) AS cost"
    world = import_parquet(parquet(tmp_path, query))
    assert named(world) == {(1, 2): 3}
    query = "SELECT 1 AS 'from', 2 AS 'to', 0.7::FLOAT AS cost"
    assert named(import_parquet(parquet(tmp_path, query))) == {(1, 2): 7}


@pytest.mark.parametrize(
    ("query", "row", "said"),
    [
        ("SELECT 1 AS 'from', 2 AS 'to'", 0, '"cost" is missing'),
        ("SELECT 1 AS 'from', 2 AS 'to', 3 AS cost WHERE false", 0, "no rows"),
        ("SELECT 'a' AS 'from', 2 AS 'to', 3 AS cost", 0, "does not hold numbers"),
        ("FROM (VALUES (1, 2, 3), (1, NULL, 3)) AS t('from', 'to', cost)", 2, "has no value"),
        ("FROM (VALUES (1, 2, 3), (-1, 2, 3)) AS t('from', 'to', cost)", 2, "not a whole number"),
        ("FROM (VALUES (1, 2, 3), (1.5, 2, 3)) AS t('from', 'to', cost)", 2, "not a whole number"),
        ("FROM (VALUES (1, 2, 3), (1, 3, 0)) AS t('from', 'to', cost)", 2, "the cost is 0"),
        ("FROM (VALUES (1, 2, 3), (1, 3, -1)) AS t('from', 'to', cost)", 2, "-1"),
        ("FROM (VALUES (1, 2, 1.0), (1, 3, 'NaN'::DOUBLE)) AS t('from', 'to', cost)", 2, "nan"),
        ("FROM (VALUES (1, 2, 1.0), (1, 3, pi())) AS t('from', 'to', cost)", 2, "decimal places"),
        ("SELECT 1 AS 'from', 2 AS 'to', 3 AS cost, 1e10 AS x, 1 AS y", 1, "fit 32 bits"),
    ],
)
def test_wrong_parquet(tmp_path: Path, query: str, row: int, said: str) -> None:
    path = parquet(tmp_path, query)
    with pytest.raises(SourceError, match=said) as caught:
        import_parquet(path)
    assert caught.value.line == row
    assert str(path) in caught.value.where


def test_what_is_no_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with pytest.raises(SourceError, match="no such file"):
        import_parquet(path)
    path.write_text("from,to,cost\n1,2,3\n")
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        import_parquet(path)


def test_without_duckdb_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ExtraMissingError, match=r"huntgraph\[parquet\]"):
        import_parquet(tmp_path / "a.parquet")
