"""Importer of edge lists in Parquet, read by DuckDB (the extra ``huntgraph[parquet]``)."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import ExtraMissingError, SourceError
from huntgraph.world.arrays import I32, I64
from huntgraph.world.columns import HEAD_PLACE, TAIL_PLACE, find_columns, gather_positions
from huntgraph.world.edgelist import EdgeList, LongEdges, Scale, to_world
from huntgraph.world.table import Decimals
from huntgraph.world.world import World

_PLACES_MAX = 6
"""Decimal costs may have so many places; a double holds no more of them exactly enough."""


def import_parquet(
    path: str | Path,
    *,
    multiply: int | None = None,
    divide: int = 1,
    long_edges: LongEdges = "split",
    title: str = "",
    attribution: str = "",
) -> World:
    """Read a Parquet file with the columns of `import_csv`; errors name the row, from 1.

    Raises ExtraMissingError without DuckDB, SourceError with file and row, or WorldLimitError.
    """
    file = Path(path)
    names, values = _read(file)
    columns = find_columns(file, names, 0)
    found = {name: values[at] for name, at in columns.at.items()}
    tail, head = (_whole(file, found[name], name, least=0) for name in ("from", "to"))
    if not len(tail):
        raise SourceError("the file has no rows", file=file, fix="give at least one edge")
    row = np.arange(1, len(tail) + 1)
    parts = []
    for ids, axes in ((tail, TAIL_PLACE), (head, HEAD_PLACE)):
        if axes[0] in found:
            place = np.zeros((len(ids), 3), dtype=np.int32)
            for axis, name in enumerate(axes):
                if name in found:
                    place[:, axis] = _position(file, found[name], name)
            parts.append((ids, place))
    edges = EdgeList(
        file,
        tail,
        head,
        _decimals(file, found["cost"]),
        row,
        positions=gather_positions(file, row, parts),
    )
    meta = {
        "title": title or file.stem,
        "source": f"Parquet {file.name}",
        "attribution": attribution,
    }
    scale = Scale(multiply, divide)
    return to_world(edges, scale=scale, long_edges=long_edges, zero_costs="refuse", meta=meta)


def _read(file: Path) -> tuple[list[str], list[NDArray[Any]]]:
    try:
        duckdb: Any = importlib.import_module("duckdb")
    except ImportError:
        what = "reading Parquet needs DuckDB, which is not installed"
        raise ExtraMissingError(what, fix='install "huntgraph[parquet]"') from None
    if not file.is_file():
        raise SourceError("there is no such file", file=file, fix="check the path")
    try:
        with duckdb.connect() as connection:
            relation = connection.execute("SELECT * FROM read_parquet($1)", [_literal(file)])
            columns = relation.fetchnumpy()
    except duckdb.Error as error:
        what = f"it cannot be read as Parquet: {str(error).splitlines()[0]}"
        raise SourceError(what, file=file, fix="write the file again") from None
    return list(columns), list(columns.values())


def _literal(file: Path) -> str:
    """Keep DuckDB from taking characters of a path for a pattern."""
    return "".join(f"[{each}]" if each in "*?[" else each for each in str(file))


def _plain(file: Path, values: NDArray[Any], name: str) -> NDArray[Any]:
    if isinstance(values, np.ma.MaskedArray):
        missing = np.flatnonzero(np.ma.getmaskarray(values))
        if len(missing):
            what = f'the column "{name}" has no value'
            raise SourceError(what, file=file, line=int(missing[0]) + 1, fix="fill it in")
        values = np.ma.getdata(values)
    if values.dtype.kind not in "iuf":
        what = f'the column "{name}" does not hold numbers'
        raise SourceError(what, file=file, fix="cast it to a number first")
    return values


def _whole(file: Path, values: NDArray[Any], name: str, least: int) -> I64:
    plain = _plain(file, values, name)
    wrong = np.flatnonzero((plain != np.floor(plain)) | (plain < least) | (plain > 2**62))
    if len(wrong):
        at = int(wrong[0])
        what = f'"{name}" is {plain[at]}, not a whole number from {least}'
        raise SourceError(what, file=file, line=at + 1, fix="correct the row")
    return plain.astype(np.int64)


def _position(file: Path, values: NDArray[Any], name: str) -> I32:
    found = _whole(file, values, name, least=-(2**31))
    wrong = np.flatnonzero(found >= 2**31)
    if len(wrong):
        what = f'"{name}" does not fit 32 bits'
        raise SourceError(what, file=file, line=int(wrong[0]) + 1, fix="scale the positions")
    return found.astype(np.int32)


def _decimals(file: Path, values: NDArray[Any]) -> Decimals:
    plain = _plain(file, values, "cost")
    if plain.dtype.kind in "iu":
        whole = _whole(file, plain, "cost", least=0)
        return Decimals(whole, np.zeros_like(whole))
    if not np.isfinite(plain).all() or (np.abs(plain) > 1e9).any():
        at = int(np.flatnonzero(~(np.abs(plain) <= 1e9))[0])
        what = f"the cost is {plain[at]}"
        raise SourceError(what, file=file, line=at + 1, fix="costs are 0 to 1e9")
    # Doubles are not decimals: 0.1 + 0.2 counts as 0.3 when it is so to six places.
    unit = float(10**_PLACES_MAX)
    mantissa = np.rint(plain.astype(np.float64) * unit).astype(np.int64)
    near = (1e-6 if plain.dtype.itemsize == 4 else 1e-9) * np.maximum(1.0, plain)
    off = np.flatnonzero(np.abs(plain - mantissa / unit) > near)
    if len(off):
        at = int(off[0])
        what = f"the cost {float(plain[at])!r} has more than {_PLACES_MAX} decimal places"
        raise SourceError(what, file=file, line=at + 1, fix="round the costs first")
    return Decimals(mantissa, np.full(len(mantissa), _PLACES_MAX, dtype=np.int64))
