"""Importer of LDBC Graphalytics graphs: a ``.v`` file of vertex ids, an ``.e`` file of edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from huntgraph.errors import SourceError, UsageError
from huntgraph.world.arrays import I64
from huntgraph.world.edgelist import EdgeList, LongEdges, Scale, to_world
from huntgraph.world.table import Decimals, Table, read_source
from huntgraph.world.world import World


def import_ldbc(
    path: str | Path,
    *,
    directed: bool | None = None,
    multiply: int | None = None,
    divide: int = 1,
    long_edges: LongEdges = "split",
    title: str = "",
    attribution: str = "",
) -> World:
    """Read ``NAME.v`` and ``NAME.e``; ``path`` is either of them. Ids become names.

    Args:
        path: the ``.v`` or the ``.e`` file.
        directed: whether an edge counts one way. The files do not tell; without the argument
            ``NAME.properties`` beside them must.
        multiply: factor from decimal weights to whole costs; without it the least power of ten
            that makes every weight whole. ``meta["multiply"]`` tells which was used.
        divide: divisor after that; above 1 costs are rounded, but never below 1.
        long_edges: ``"split"`` edges above 60,000 into chains of the same total, or ``"refuse"``.
        title: a title for the world.
        attribution: whom to name when the world is shown.

    Raises SourceError with file and line, UsageError or WorldLimitError.
    """
    file = Path(path)
    if file.suffix not in (".v", ".e"):
        raise UsageError(f'"{file.name}" is neither .v nor .e', fix="give one of the two files")
    if directed is None:
        directed = _directed(file)
    known = _vertices(file.with_suffix(".v"))
    table = Table.by_blanks(file.with_suffix(".e"), read_source(file.with_suffix(".e")))
    heads = table.heads()
    table.check_width(heads, 3, "FROM TO WEIGHT")
    tail, head = (table.whole(heads + step, "a vertex id") for step in (0, 1))
    cost = table.decimals(heads + 2, "a weight")
    line = table.line[heads]
    if not directed:
        tail, head = np.concatenate([tail, head]), np.concatenate([head, tail])
        cost = Decimals(np.tile(cost.mantissa, 2), np.tile(cost.places, 2))
        line = np.tile(line, 2)
    edges = EdgeList(table.file, tail, head, cost, line, known=known)
    meta = {
        "title": title or file.stem,
        "source": f"LDBC {file.with_suffix('.e').name}",
        "attribution": attribution,
        "directed": directed,
    }
    scale = Scale(multiply, divide)
    return to_world(edges, scale=scale, long_edges=long_edges, zero_costs="refuse", meta=meta)


def _vertices(file: Path) -> I64:
    table = Table.by_blanks(file, read_source(file))
    table.check_width(table.heads(), 1, "one vertex id")
    known = table.whole(np.arange(len(table.line)), "a vertex id")
    if not len(known):
        raise SourceError("the file has no vertices", file=file, fix="give a .v file")
    order = np.argsort(known, kind="stable")
    twice = np.flatnonzero(known[order][1:] == known[order][:-1])
    if len(twice):
        at = int(order[twice[0] + 1])
        raise table.error(at, f"vertex {known[at]} stands twice", "remove the second one")
    return known


def _directed(file: Path) -> bool:
    """Read ``graph.NAME.directed = true`` out of the properties beside the graph."""
    properties = file.with_suffix(".properties")
    if properties.exists():
        for number, line in enumerate(properties.read_text("utf-8").splitlines(), 1):
            key, _, value = line.partition("=")
            if key.strip().endswith(".directed"):
                if value.strip() in ("true", "false"):
                    return value.strip() == "true"
                what = f'"{value.strip()}" is neither true nor false'
                raise SourceError(what, file=properties, line=number, fix="correct the line")
    raise UsageError(
        f"{file.name} does not tell whether its edges count both ways",
        fix="say directed=True or directed=False",
    )
