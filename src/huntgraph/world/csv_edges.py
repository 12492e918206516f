"""Importer of edge lists in CSV: columns from, to, cost, and positions if there are any."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from huntgraph.errors import SourceError, UsageError
from huntgraph.world.arrays import I32, I64
from huntgraph.world.columns import HEAD_PLACE, TAIL_PLACE, find_columns, gather_positions
from huntgraph.world.edgelist import EdgeList, LongEdges, Scale, to_world
from huntgraph.world.table import Table, read_source
from huntgraph.world.world import World


def import_csv(
    path: str | Path,
    *,
    delimiter: str = ",",
    multiply: int | None = None,
    divide: int = 1,
    long_edges: LongEdges = "split",
    title: str = "",
    attribution: str = "",
) -> World:
    """Read a CSV file with a header line; every row is one directed edge.

    ``from`` and ``to`` are whole numbers >= 0 and become the names of the nodes; ``cost`` is a
    decimal number above 0. ``x``, ``y`` and ``z`` (whole numbers) are the position of the node in
    ``from``, ``to_x``, ``to_y`` and ``to_z`` of the one in ``to``. Other columns are passed over.
    Lines that are empty are skipped; fields may be quoted but not span lines. ``multiply``,
    ``divide`` and ``long_edges`` are those of `import_ldbc`.

    Raises SourceError with file, line and column, or WorldLimitError.
    """
    file = Path(path)
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n0123456789.-':
        raise UsageError(f"{delimiter!r} cannot delimit fields", fix='use "," or ";" or a tab')
    text = read_source(file).removeprefix(b"\xef\xbb\xbf")
    if b'"' in text:
        text = _unquoted(file, text, delimiter)
    table = Table.by_mark(file, text, delimiter)
    heads = table.heads()
    if len(heads) < 2:
        fix = "give a header line and at least one row"
        raise SourceError("the file has no rows", file=file, fix=fix)
    header = [table.text(at) for at in range(int(heads[0]), int(heads[1]))]
    columns = find_columns(file, header, int(table.line[0]))
    table.check_width(heads, len(header), "as many as the header has columns")
    rows, at = heads[1:], columns.at
    tail, head = (table.whole(rows + at[name], "a node id") for name in ("from", "to"))
    cost = table.decimals(rows + at["cost"], "a cost")
    line = table.line[rows]
    parts = [
        (ids, _positions(table, rows, place))
        for ids, names in ((tail, TAIL_PLACE), (head, HEAD_PLACE))
        if (place := columns.place(names))
    ]
    edges = EdgeList(file, tail, head, cost, line, positions=gather_positions(file, line, parts))
    meta = {"title": title or file.stem, "source": f"CSV {file.name}", "attribution": attribution}
    scale = Scale(multiply, divide)
    return to_world(edges, scale=scale, long_edges=long_edges, zero_costs="refuse", meta=meta)


def _positions(table: Table, rows: I64, place: tuple[int, ...]) -> I32:
    found = np.zeros((len(rows), 3), dtype=np.int32)
    for axis, column in enumerate(place):
        mantissa, places = table.decimals(rows + column, "a position")
        wrong = np.flatnonzero((places != 0) | (np.abs(mantissa) >= 2**31))
        if len(wrong):
            at = int(rows[wrong[0]]) + column
            what = f'the position "{table.text(at)}" is not a whole number of 32 bits'
            raise table.error(at, what, "scale and round the positions first")
        found[:, axis] = mantissa
    return found


def _unquoted(file: Path, text: bytes, delimiter: str) -> bytes:
    """Rewrite quoted fields plainly, line by line, so that line numbers stay true."""
    lines = []
    for number, line in enumerate(text.decode("utf-8", "replace").split("\n"), 1):
        try:
            row = next(csv.reader([line.rstrip("\r")], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            fix = "close the quote on the same line"
            raise SourceError(f"{error}", file=file, line=number, fix=fix) from None
        # A delimiter inside quotes can only belong to a column that is passed over.
        lines.append(delimiter.join(field.replace(delimiter, " ") for field in row))
    return "\n".join(lines).encode()
