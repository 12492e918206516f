"""Importer of DIMACS ``.gr`` road graphs (9th DIMACS Implementation Challenge).

``c`` lines are comments, ``p sp NODES ARCS`` announces the counts and ids from 1, and
``a FROM TO COST`` is one directed edge. Files without a ``p`` line have ids from 0.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from huntgraph import schema
from huntgraph.errors import SourceError
from huntgraph.world.arrays import I64
from huntgraph.world.edgelist import EdgeList, LongEdges, Scale, to_world
from huntgraph.world.table import Decimals, Table, read_source
from huntgraph.world.world import World


class _Problem(NamedTuple):
    nodes: int
    arcs: int
    field: int


def import_dimacs(
    path: str | Path,
    *,
    multiply: int = 1,
    divide: int = 1,
    long_edges: LongEdges = "split",
    title: str = "",
    attribution: str = "",
) -> World:
    """Read a ``.gr`` file; the ids of the file become the names of the nodes.

    Loops and edges of weight 0 are dropped, the cheapest of repeats is kept. Costs are weights
    times ``multiply`` through ``divide`` (rounded, at least 1). An edge above 60,000 becomes a
    chain of inserted nodes with exactly the same total (``long_edges="split"``), walked one way
    only; with ``"refuse"`` it is an error. Inserted nodes get the names after the greatest id.

    Raises SourceError with file and line, or WorldLimitError.
    """
    file = Path(path)
    table = Table.by_blanks(file, read_source(file))
    heads = table.heads()
    kinds = table.data[table.start[heads]]
    single = table.stop[heads] - table.start[heads] == 1
    comment = kinds == ord("c")
    strange = np.flatnonzero(~comment & ~(single & np.isin(kinds, list(b"ap"))))
    if len(strange):
        at = int(heads[strange[0]])
        what = f'a line begins with "{table.text(at)}"'
        raise table.error(at, what, 'lines begin with "a", "c" or "p"')
    problem = _problem(table, heads, heads[kinds == ord("p")])
    arcs = heads[kinds == ord("a")]
    ids, weights = _arcs(table, heads, arcs, problem)
    edges = EdgeList(
        file,
        ids[0],
        ids[1],
        Decimals(weights, np.zeros_like(weights)),
        table.line[arcs],
        known=_known(problem, ids),
    )
    meta = {
        "title": title or file.stem,
        "source": f"DIMACS {file.name}",
        "attribution": attribution,
    }
    scale = Scale(multiply, divide)
    return to_world(edges, scale=scale, long_edges=long_edges, zero_costs="drop", meta=meta)


def _problem(table: Table, heads: I64, found: I64) -> _Problem | None:
    if not len(found):
        return None
    at = int(found[0])
    if len(found) > 1:
        raise table.error(int(found[1]), 'a second "p" line', 'keep one "p" line')
    following = heads[heads > at]
    stop = int(following[0]) if len(following) else len(table.line)
    if stop - at != 4 or table.text(at + 1) != "sp":
        raise table.error(at, 'the "p" line is not "p sp NODES ARCS"', "correct the line")
    nodes, arcs = table.whole(np.array([at + 2, at + 3]), "a count")
    if nodes > schema.NODES:
        what = f"{nodes:,} nodes are more than the {schema.NODES:,} of a world"
        raise table.error(at + 2, what, "cut the graph into several")
    return _Problem(int(nodes), int(arcs), at)


def _arcs(
    table: Table, heads: I64, arcs: I64, problem: _Problem | None
) -> tuple[tuple[I64, I64], I64]:
    counts = np.diff(heads, append=len(table.line))
    wrong = np.flatnonzero(counts[np.searchsorted(heads, arcs)] != 4)
    if len(wrong):
        at = int(arcs[wrong[0]])
        raise table.error(at, 'the line is not "a FROM TO COST"', "correct or remove the line")
    tail, head = (table.whole(arcs + step, "a node id") for step in (1, 2))
    weights = table.whole(arcs + 3, "a cost")
    if not len(arcs):
        raise SourceError('the file has no "a" line', file=table.file, fix="give a .gr file")
    if problem is not None:
        if len(arcs) != problem.arcs:
            what = f'the "p" line promises {problem.arcs:,} arcs, the file has {len(arcs):,}'
            raise table.error(problem.field, what, "is the file complete?")
        for step, ids in ((1, tail), (2, head)):
            outside = np.flatnonzero((ids < 1) | (ids > problem.nodes))
            if len(outside):
                at = int(arcs[outside[0]]) + step
                what = f"node {table.text(at)} is outside 1..{problem.nodes:,}"
                raise table.error(at, what, 'correct the id or the "p" line')
    return (tail, head), weights


def _known(problem: _Problem | None, ids: tuple[I64, I64]) -> I64:
    if problem is not None:
        return np.arange(1, problem.nodes + 1)
    top = max(int(ids[0].max()), int(ids[1].max()))
    # Sparse ids are numbered as they come; dense ones keep their gaps, as id == node then.
    if top >= 2**24:
        return np.unique(np.concatenate(ids))
    return np.arange(top + 1)
