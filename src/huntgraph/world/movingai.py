"""Importer of MovingAI grid maps (``.map``) and reader of their scenarios (``.scen``).

Format: Sturtevant, "Benchmarks for Grid-Based Pathfinding" (IEEE Transactions on Computational
Intelligence and AI in Games 4, 2012). x is the column, y the row, both from 0 at the top left.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from huntgraph.errors import SourceError
from huntgraph.world.arrays import Bools
from huntgraph.world.grid import DIAGONAL, STRAIGHT, check_cells
from huntgraph.world.octile import octile_world
from huntgraph.world.table import read_source
from huntgraph.world.world import World

PASSABLE, BLOCKED = ".GS", "@OTW"


class Query(NamedTuple):
    """One query of a scenario and its listed answer."""

    bucket: int
    start_x: int
    start_y: int
    goal_x: int
    goal_y: int
    length: float
    """Optimal octile length in cells; -1 when the goal cannot be reached."""


class Lines:
    """The lines of a text file, taken one by one; knows where it stands."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.number = 0
        text = read_source(file)
        self._lines: Iterator[bytes] = iter(text.splitlines())

    def take(self, what: str) -> str:
        """Give the next line, of which ``what`` says what it should be."""
        self.number += 1
        line = next(self._lines, None)
        if line is None:
            text = f"the file ends where {what} should be"
            raise SourceError(text, file=self.file, line=self.number, fix="is it complete?")
        # Latin-1 keeps one character a byte, so that columns in errors are right.
        return line.decode("latin-1")

    def rest(self) -> Iterator[str]:
        """Give the remaining lines that are not blank."""
        for line in self._lines:
            self.number += 1
            if line.strip():
                yield line.decode("latin-1")

    def error(self, what: str, fix: str, column: int = 0) -> SourceError:
        """Make an error that points at the line taken last."""
        return SourceError(what, file=self.file, line=self.number, column=column, fix=fix)

    def keyed(self, key: str) -> str:
        """Take a line ``KEY VALUE`` and give its value."""
        found, _, value = self.take(f'"{key} ..."').partition(" ")
        if found.strip() != key:
            raise self.error(f'"{key}" is missing, found "{found[:40]}"', "correct the header")
        return value.strip()

    def count(self, key: str, most: int) -> int:
        """Take a line ``KEY NUMBER`` and give its number, 1 to ``most``."""
        value = self.keyed(key)
        if not (value.isascii() and value.isdigit() and 1 <= int(value[:12]) <= most):
            raise self.error(f'"{value[:40]}" is not a {key}', f"write a number 1..{most:,}")
        return int(value)

    def cells(self, width: int, height: int) -> Bools:
        """Take ``height`` rows of ``width`` cells; true where passable."""
        mask = np.empty((height, width), dtype=np.bool_)
        known = np.zeros(256, dtype=np.bool_)
        known[list((PASSABLE + BLOCKED).encode())] = True
        free = np.zeros(256, dtype=np.bool_)
        free[list(PASSABLE.encode())] = True
        for y in range(height):
            text = self.take(f"row {y} of {height}")
            row = np.frombuffer(text.encode("latin-1"), dtype=np.uint8)
            if len(row) != width:
                raise self.error(f"row {y} has {len(row)} cells, not {width}", "correct the row")
            if not known[row].all():
                at = int(np.flatnonzero(~known[row])[0])
                what = f'"{text[at]}" is not a cell'
                fix = f'passable are "{PASSABLE}", blocked "{BLOCKED}"'
                raise self.error(what, fix, at + 1)
            mask[y] = free[row]
        return mask


def import_movingai(
    path: str | Path,
    *,
    straight: int = STRAIGHT,
    diagonal: int = DIAGONAL,
    title: str = "",
    attribution: str = "",
) -> World:
    """Read a ``.map`` file: every passable cell is a node, joined to 8 neighbours.

    Corners are not cut: a diagonal step needs both cells beside it passable. Costs are
    ``straight`` and ``diagonal``; with the values given an octile length is a cost / 13,860, right
    to 1.3e-9. Look nodes up by ``world.node_at(x, y)``.

    Raises SourceError with file, line and column.
    """
    file = Path(path)
    mask = read_map(file)
    if not mask.any():
        raise SourceError("the map has no passable cell", file=file, fix="is it the right map?")
    meta = {
        "title": title or file.stem,
        "source": f"MovingAI {file.name}",
        "attribution": attribution,
    }
    return octile_world(mask, straight, diagonal, meta)


def read_map(path: str | Path) -> Bools:
    """Read the passable cells of a ``.map`` file, shape ``(height, width)``."""
    lines = Lines(Path(path))
    kind = lines.keyed("type")
    if kind != "octile":
        raise lines.error(f'the map has type "{kind[:40]}"', 'only type "octile" is known')
    height, width = lines.count("height", 2**20), lines.count("width", 2**20)
    check_cells(width, height, lines.file)
    if lines.take('"map"').strip() != "map":
        raise lines.error('"map" is missing', "correct the header")
    mask = lines.cells(width, height)
    for line in lines.rest():
        raise lines.error(f'"{line[:20]}" stands after the last row', "remove it, or mend height")
    return mask


def read_scenario(path: str | Path) -> list[Query]:
    """Read a MovingAI ``.scen`` file of version 1. Raises SourceError with file and line."""
    lines = Lines(Path(path))
    version = lines.keyed("version")
    if version not in ("1", "1.0"):
        raise lines.error(f'the scenario has version "{version[:20]}"', "only version 1 is known")
    queries = []
    for line in lines.rest():
        fields = line.split()
        if len(fields) != 9:
            raise lines.error(f"{len(fields)} fields where 9 belong", "correct the line")
        queries.append(read_query(lines, [fields[0], *fields[4:9]]))
    return queries


def read_query(lines: Lines, fields: list[str]) -> Query:
    """Read bucket, start, goal and length. Raises SourceError at the line taken last."""
    try:
        bucket, start_x, start_y, goal_x, goal_y = (int(each) for each in fields[:5])
        return Query(bucket, start_x, start_y, goal_x, goal_y, float(fields[5]))
    except ValueError as error:
        raise lines.error(f"a field is not a number: {error}", "correct the line") from None
