"""Importer of NetworkX graphs; it needs only the graph, so NetworkX itself is not imported."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np

from huntgraph.errors import SourceError, UsageError
from huntgraph.world.arrays import I32, I64
from huntgraph.world.edgelist import EdgeList, LongEdges, Scale, to_world
from huntgraph.world.table import Decimals, exact
from huntgraph.world.world import World

_SOURCE = "NetworkX graph"


def from_networkx(
    graph: Any,
    cost: str = "cost",
    *,
    multiply: int | None = None,
    divide: int = 1,
    long_edges: LongEdges = "split",
    title: str = "",
) -> World:
    """Build a world from a ``Graph``, ``DiGraph``, ``MultiGraph`` or ``MultiDiGraph``.

    Edges of an undirected graph count both ways, of parallel ones the cheapest. Every edge needs
    the attribute named by ``cost``, a number above 0. When all nodes are whole numbers >= 0 they
    become the names; otherwise a node's name is its place in ``list(graph.nodes)``, and
    ``meta["labels"]`` holds the nodes as text in that order. Attributes ``x``, ``y`` and ``z``
    (whole numbers) become positions when all nodes have x and y. ``multiply``, ``divide`` and
    ``long_edges`` are those of `import_ldbc`.

    Raises SourceError naming the edge or node, or WorldLimitError.
    """
    nodes: list[Hashable] = list(graph.nodes)
    if not nodes:
        raise UsageError("the graph has no nodes", fix="give a graph with nodes and edges")
    ids, numbered = _number(nodes)
    tail, head, costs = [], [], []
    for start, stop, facts in graph.edges(data=True):
        tail.append(ids[start])
        head.append(ids[stop])
        costs.append(_cost(start, stop, facts, cost))
    ends = np.array(tail, dtype=np.int64), np.array(head, dtype=np.int64)
    pairs = np.array(costs, dtype=np.int64).reshape(-1, 2)
    line = np.arange(1, len(pairs) + 1)
    if not graph.is_directed():
        ends = np.concatenate(ends), np.concatenate(ends[::-1])
        pairs, line = np.tile(pairs, (2, 1)), np.tile(line, 2)
    known = np.array(list(ids.values()), dtype=np.int64)
    edges = EdgeList(
        _SOURCE,
        *ends,
        Decimals(pairs[:, 0], pairs[:, 1]),
        line,
        known=known,
        positions=_positions(graph, known),
    )
    meta: dict[str, Any] = {"title": title or str(graph.name), "source": _SOURCE, "attribution": ""}
    if not numbered:
        meta["labels"] = [str(node) for node in nodes]
    scale = Scale(multiply, divide)
    return to_world(edges, scale=scale, long_edges=long_edges, zero_costs="refuse", meta=meta)


def _number(nodes: list[Hashable]) -> tuple[dict[Hashable, int], bool]:
    """Give each node its name, and whether the nodes are their names themselves."""
    whole = [node for node in nodes if type(node) is int and 0 <= node < 2**62]
    numbered = len(whole) == len(nodes)
    return dict(zip(nodes, whole if numbered else range(len(nodes)), strict=True)), numbered


def _cost(tail: Hashable, head: Hashable, facts: Mapping[str, Any], name: str) -> tuple[int, int]:
    place = f"edge {tail!r} -> {head!r}"
    if name not in facts:
        fix = f"give every edge a {name!r}, or name another attribute with cost="
        raise SourceError(f"{place} has no {name!r}", file=_SOURCE, fix=fix)
    try:
        # A float's shortest text is the decimal its author wrote.
        found = exact(str(facts[name]))
    except (ValueError, OverflowError):
        what = f"{place} has the cost {facts[name]!r}"
        raise SourceError(what, file=_SOURCE, fix="costs are numbers of up to 18 digits") from None
    if found[0] <= 0:
        what = f"{place} has the cost {facts[name]!r}"
        raise SourceError(what, file=_SOURCE, fix="costs must be above 0")
    return found


def _positions(graph: Any, known: I64) -> tuple[I64, I32] | None:
    rows = list(graph.nodes(data=True))
    if not all("x" in facts and "y" in facts for _, facts in rows):
        return None
    places = np.zeros((len(rows), 3), dtype=np.int32)
    for at, (node, facts) in enumerate(rows):
        for axis, name in enumerate("xyz"):
            value = facts.get(name, 0)
            if value != int(value) or not -(2**31) <= value < 2**31:
                what = f"node {node!r} has {name}={value!r}, not a whole number of 32 bits"
                raise SourceError(what, file=_SOURCE, fix="scale and round the positions first")
            places[at, axis] = int(value)
    return known, places
