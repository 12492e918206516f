"""Places of a hunt on a world: nodes and edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import WorldLookupError
from huntgraph.hunt.finding import Finding
from huntgraph.hunt.page import XY, Gate, Name, Page, Place
from huntgraph.hunt.source import Source

__all__ = ["AnyWorld", "Placed", "Places", "gate_pairs", "place", "place_text"]


class Places(Protocol):
    """What finding a hunt's places asks of a world; `World` and `Parts` of `huntgraph.world` do.

    Nodes are those of the whole world.
    """

    @property
    def nodes(self) -> int:
        """How many nodes there are."""

    @property
    def cost_max(self) -> int:
        """The greatest cost of an edge; 0 when there is none."""

    def node_at(self, x: int, y: int) -> int:
        """Give the node at a position, or raise WorldLookupError."""

    def node_named(self, name: int) -> int:
        """Give the node with an id of the source, or raise WorldLookupError."""

    def edge(self, tail: int, head: int) -> int | None:
        """Give the id of an edge that can be walked, or None."""


class AnyWorld(Places, Protocol):
    """What a hunt asks of a world; `huntgraph.world.World` is one.

    ``first`` has shape ``(nodes + 1,)``, ``head`` and ``cost`` ``(edges,)`` (cost 0: an absent
    slot), ``x`` and ``y`` ``(nodes,)``. Rows are sorted and symmetric in structure.
    """

    @property
    def first(self) -> NDArray[Any]:
        """Where each node's row starts."""

    @property
    def head(self) -> NDArray[Any]:
        """The node each edge leads to."""

    @property
    def cost(self) -> NDArray[Any]:
        """Base costs; 0 for an absent slot."""

    @property
    def x(self) -> NDArray[Any]:
        """Positions of the nodes."""

    @property
    def y(self) -> NDArray[Any]:
        """Positions of the nodes."""


@dataclass(slots=True)
class Placed:
    """Where a hunt's parts are on one world; -1 for what was not found (then a finding says so)."""

    stages: list[int] = field(default_factory=list)
    """Node of each stage."""
    pairs: list[list[tuple[int, int]]] = field(default_factory=list)
    """Tail and head of each edge, per gate, in the order of `gate_pairs`."""
    edges: list[list[int]] = field(default_factory=list)
    """Edge ids, per gate."""
    starts: list[int] = field(default_factory=list)
    """Nodes where players come in."""
    findings: list[Finding] = field(default_factory=list)


def place(page: Page, source: Source, world: Places) -> Placed:
    """Find every place of a hunt on a world; what is not there becomes a finding."""
    placed = Placed()

    def node(spot: Place, *path: str | int) -> int:
        try:
            return _node(spot, world)
        except WorldLookupError as error:
            fix = error.fix or "choose a node of the world"
            placed.findings.append(source.finding("HG1250", path, error.what, fix))
            return -1

    for number, stage in enumerate(page.stages):
        placed.stages.append(node(stage.at, "stages", number, "at"))
    for number, spot in enumerate(page.start):
        placed.starts.append(node(spot, "start", number))
    for number, gate in enumerate(page.gates):
        ends: dict[tuple[str, int], tuple[int, int]] = {}
        pairs: list[tuple[int, int]] = []
        edges: list[int] = []
        for key, index, turned in gate_pairs(gate):
            if (key, index) not in ends:
                path = ("gates", number, key, index)
                tail, head = getattr(gate, key)[index]
                ends[key, index] = (node(tail, *path, 0), node(head, *path, 1))
            pair = ends[key, index][::-1] if turned else ends[key, index]
            edge = world.edge(*pair) if min(pair) >= 0 else None
            if edge is None and min(pair) >= 0:
                placed.findings.append(_no_edge(source, gate, number, key, index, pair))
            pairs.append(pair)
            edges.append(-1 if edge is None else edge)
        placed.pairs.append(pairs)
        placed.edges.append(edges)
    return placed


def gate_pairs(gate: Gate) -> Iterator[tuple[str, int, bool]]:
    """Give key, index and direction (turned or not) of each edge of a gate, in record order."""
    for index in range(len(gate.edges)):
        yield "edges", index, False
    for index in range(len(gate.both_ways)):
        yield "both_ways", index, False
        yield "both_ways", index, True


def place_text(spot: Place) -> str:
    """Write a place as an author would."""
    if isinstance(spot, XY):
        return f"({spot.x}, {spot.y})"
    return f"name {spot.name}" if isinstance(spot, Name) else f"node {spot}"


def _node(spot: Place, world: Places) -> int:
    if isinstance(spot, XY):
        return int(world.node_at(spot.x, spot.y))
    if isinstance(spot, Name):
        return int(world.node_named(spot.name))
    if spot >= world.nodes:
        what = f"there is no node {spot}; nodes are 0..{world.nodes - 1}"
        raise WorldLookupError(what, fix="use {x, y} or {name}: they stay right in other worlds")
    return int(spot)


def _no_edge(
    source: Source, gate: Gate, number: int, key: str, index: int, pair: tuple[int, int]
) -> Finding:
    tail, head = getattr(gate, key)[index]
    between = f"{place_text(tail)} and {place_text(head)}"
    what = f'gate "{gate.id}": no edge leads from node {pair[0]} to node {pair[1]} ({between})'
    fix = "name two neighbours, or use edges instead of both_ways where only one way exists"
    return source.finding("HG1251", ("gates", number, key, index), what, fix)


def distances_squared(world: AnyWorld, nodes: NDArray[np.int64], node: int) -> NDArray[np.float64]:
    """Give the squared straight distances of ``nodes`` (shape ``(n,)``) from ``node``."""
    dx = world.x[nodes].astype(np.float64) - float(world.x[node])
    dy = world.y[nodes].astype(np.float64) - float(world.y[node])
    return np.asarray(dx * dx + dy * dy)
