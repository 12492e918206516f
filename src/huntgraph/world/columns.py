"""What tables of edges have in common, whether CSV or Parquet: the names of their columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from huntgraph.errors import SourceError, did_you_mean
from huntgraph.world.arrays import I32, I64

REQUIRED = ("from", "to", "cost")
TAIL_PLACE, HEAD_PLACE = ("x", "y", "z"), ("to_x", "to_y", "to_z")
"""Columns with the position of the node in ``from`` and in ``to``."""
KNOWN = REQUIRED + TAIL_PLACE + HEAD_PLACE


class Columns(NamedTuple):
    """Where the columns of interest stand; others are passed over."""

    at: dict[str, int]

    def place(self, names: Sequence[str]) -> tuple[int, ...]:
        """Give the columns of a position: two, three, or none."""
        return tuple(self.at[name] for name in names if name in self.at)


def find_columns(file: object, header: Sequence[str], line: int) -> Columns:
    """Find the columns by their names. Raises SourceError when one is missing or stands twice."""
    names = [name.strip().lower() for name in header]
    for name in KNOWN:
        if names.count(name) > 1:
            what = f'the column "{name}" stands twice'
            raise SourceError(what, file=file, line=line, fix="keep one of them")
    for name in REQUIRED:
        if name not in names:
            what = f'the column "{name}" is missing'
            hint = did_you_mean(name, [each for each in names if each] or KNOWN)
            fix = f"the columns {', '.join(REQUIRED)} are needed; {hint}"
            raise SourceError(what, file=file, line=line, fix=fix)
    for x, y, z in (TAIL_PLACE, HEAD_PLACE):
        if (x in names) != (y in names) or (z in names and x not in names):
            what = f'the columns "{x}" and "{y}" belong together'
            raise SourceError(what, file=file, line=line, fix="give both or neither")
    return Columns({name: names.index(name) for name in KNOWN if name in names})


def gather_positions(
    file: object, line: I64, parts: Sequence[tuple[I64, I32]]
) -> tuple[I64, I32] | None:
    """Give each node the position its rows state. Raises SourceError when two rows differ.

    ``parts`` holds ids and positions (shape ``(rows, 3)``) of tails, and of heads if stated.
    """
    if not parts:
        return None
    ids = np.concatenate([part[0] for part in parts])
    places = np.concatenate([part[1] for part in parts])
    rows = np.tile(line, len(parts))
    unique, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    differ = np.flatnonzero((places != places[first][inverse]).any(axis=1))
    if len(differ):
        at = int(differ[0])
        earlier = int(rows[first[inverse[at]]])
        what = f"node {int(ids[at])} lies elsewhere than in row {earlier}"
        raise SourceError(what, file=file, line=int(rows[at]), fix="give each node one position")
    return unique, places[first]
