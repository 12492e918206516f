"""From a list of edges between named nodes to a world: scaling, splitting, numbering."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from huntgraph import schema
from huntgraph.errors import SourceError, UsageError, WorldLimitError
from huntgraph.world.arrays import I32, I64
from huntgraph.world.table import Decimals
from huntgraph.world.world import World

LongEdges: TypeAlias = Literal["split", "refuse"]


@dataclass(frozen=True)
class EdgeList:
    """Edges as a file gives them; ``tail``, ``head``, ``cost`` and ``line`` are parallel."""

    file: object
    tail: I64
    head: I64
    cost: Decimals
    line: I64
    """The line (or row) of each edge, from 1."""
    known: I64 | None = None
    """The ids of all nodes where the file declares them; otherwise those the edges mention."""
    positions: tuple[I64, I32] | None = None
    """Sorted ids with their positions, shape ``(ids, 3)``; nodes left out lie at (0, 0, 0)."""

    def error(self, edge: int, what: str, fix: str) -> SourceError:
        """Make an error that points at the line of ``edge``."""
        return SourceError(what, file=self.file, line=int(self.line[edge]), fix=fix)


class Scale(NamedTuple):
    """How decimal costs become whole ones: times ``multiply``, through ``divide``."""

    multiply: int | None = None
    """``None`` takes the least power of ten that makes every cost whole."""
    divide: int = 1
    """Above 1 costs are rounded, halves up, but never below 1."""


class _Edges(NamedTuple):
    tail: I64
    head: I64
    cost: I64


def to_world(
    edges: EdgeList,
    *,
    scale: Scale,
    long_edges: LongEdges,
    zero_costs: Literal["drop", "refuse"],
    meta: Mapping[str, Any],
) -> World:
    """Build a world from an edge list; what was scaled, dropped and inserted stands in ``meta``.

    Raises SourceError with the line of a wrong edge, or WorldLimitError.
    """
    if long_edges not in ("split", "refuse"):
        raise UsageError(f'long_edges="{long_edges}" is not known', fix='use "split" or "refuse"')
    cost, multiply = _scaled(edges, scale)
    walk = cost > 0
    if zero_costs == "refuse" and not walk.all():
        at = int(np.flatnonzero(~walk)[0])
        raise edges.error(at, "the cost is 0", "costs must be above 0; drop or raise this edge")
    over = np.flatnonzero(cost > schema.COST_MAX)
    if len(over) and long_edges == "refuse":
        what = f"the cost {int(cost[over[0]]):,} is above {schema.COST_MAX:,}"
        raise edges.error(int(over[0]), what, 'use divide=, or long_edges="split"')
    names, tail, head = _number(edges)
    places = _places(edges, names)
    kept = _Edges(tail[walk], head[walk], cost[walk])
    count = len(names)
    if len(over):
        kept, owner = _split_long(kept, count)
        added = len(owner[0])
        names = np.concatenate([names, int(names.max()) + 1 + np.arange(added)])
        if places is not None:
            places = np.concatenate([places, _between(places, *owner)])
    facts = {
        "multiply": multiply,
        "divide": scale.divide,
        "zero_costs_dropped": int(np.count_nonzero(~walk)),
        "nodes_inserted": len(names) - count,
    }
    return World.from_edges(
        *kept, nodes=len(names), positions=places, names=names, meta={**meta, **facts}
    )


def _scaled(edges: EdgeList, scale: Scale) -> tuple[I64, int]:
    """Turn decimal costs into whole ones; returns them and the factor used."""
    multiply, divide = scale
    if divide < 1 or (multiply is not None and multiply < 1):
        raise UsageError("multiply and divide must be 1 or more", fix="use divide= to shrink costs")
    mantissa, places = edges.cost.mantissa.copy(), edges.cost.places.copy()
    below = np.flatnonzero(mantissa < 0)
    if len(below):
        raise edges.error(int(below[0]), "the cost is negative", "costs must be above 0")
    while (spare := (places > 0) & (mantissa % 10 == 0)).any():
        mantissa[spare] //= 10
        places[spare] -= 1
    if multiply is None:
        multiply = 10 ** int(places.max(initial=0))
    # In Python numbers: the product may exceed 64 bits.
    if len(mantissa) and int(mantissa.max()) * multiply >= 2**62:
        at = int(mantissa.argmax())
        raise edges.error(at, "the cost is too large for this scale", "choose a smaller multiply=")
    cost, rest = np.divmod(mantissa * multiply, 10**places)
    if divide == 1 and rest.any():
        at = int(np.flatnonzero(rest)[0])
        fix = f"choose a multiply= that does, such as {10 ** int(places.max())}"
        raise edges.error(at, f"multiply={multiply} does not make this cost whole", fix)
    if divide > 1:
        unit = 10**places * divide
        rounded = (2 * mantissa * multiply + unit) // (2 * unit)
        cost = np.where(mantissa > 0, np.maximum(rounded, 1), 0)
    return cost, multiply


def _number(edges: EdgeList) -> tuple[I64, I64, I64]:
    """Give the sorted names of all nodes, and tails and heads as places among them."""
    if edges.known is None:
        names, places = np.unique(np.concatenate([edges.tail, edges.head]), return_inverse=True)
        return names, places[: len(edges.tail)], places[len(edges.tail) :]
    names = np.unique(edges.known)
    ends = []
    for ids in (edges.tail, edges.head):
        at = np.minimum(np.searchsorted(names, ids), max(0, len(names) - 1))
        strange = np.flatnonzero(names[at] != ids) if len(names) else np.arange(len(ids))
        if len(strange):
            what = f"node {int(ids[strange[0]])} is not one of the file's nodes"
            raise edges.error(int(strange[0]), what, "declare the node or correct its id")
        ends.append(at)
    return names, ends[0], ends[1]


def _places(edges: EdgeList, names: I64) -> I32 | None:
    if edges.positions is None:
        return None
    ids, found = edges.positions
    places = np.zeros((len(names), found.shape[1]), dtype=np.int32)
    at = np.searchsorted(names, ids)
    at = np.minimum(at, len(names) - 1)
    mine = names[at] == ids
    places[at[mine]] = found[mine]
    return places


def _split_long(edges: _Edges, nodes: int) -> tuple[_Edges, tuple[I64, I64, I64, I64]]:
    long = edges.cost > schema.COST_MAX
    chains, owner = _split(_cheapest(_Edges(*(each[long] for each in edges))), nodes)
    joined = (
        np.concatenate([each[~long], chain]) for each, chain in zip(edges, chains, strict=True)
    )
    return _Edges(*joined), owner


def _cheapest(edges: _Edges) -> _Edges:
    order = np.lexsort((edges.cost, edges.head, edges.tail))
    tail, head, cost = (each[order] for each in edges)
    keep = np.ones(len(tail), dtype=np.bool_)
    keep[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    keep &= tail != head
    return _Edges(tail[keep], head[keep], cost[keep])


def _split(edges: _Edges, nodes: int) -> tuple[_Edges, tuple[I64, I64, I64, I64]]:
    """Replace every edge that costs too much by a chain with exactly the same total.

    The second answer tells of each inserted node the tail and head of its edge, its place in the
    chain (from 1) and the pieces of the chain.
    """
    pieces = -(-edges.cost // schema.COST_MAX)
    # Checked in floating point first: a single wild cost could ask for more than memory holds.
    if float(pieces.sum(dtype=np.float64)) - len(pieces) + nodes > schema.NODES:
        raise WorldLimitError(
            f"splitting edges above {schema.COST_MAX:,} would make more than "
            f"{schema.NODES:,} nodes",
            fix="scale the costs down with divide=",
        )
    edge = np.repeat(np.arange(len(pieces)), pieces)
    ends = np.cumsum(pieces)
    step = np.arange(len(edge)) - (ends - pieces)[edge]
    count = pieces[edge]
    cost = edges.cost[edge] // count + (step < edges.cost[edge] % count)
    # Of each chain of n pieces n - 1 nodes are new; they are numbered along the chains.
    before = nodes + (ends - pieces - np.arange(len(pieces)))[edge]
    tail = np.where(step == 0, edges.tail[edge], before + step - 1)
    head = np.where(step == count - 1, edges.head[edge], before + step)
    new = step > 0
    owner = (edges.tail[edge][new], edges.head[edge][new], step[new], count[new])
    return _Edges(tail, head, cost), owner


def _between(places: I32, tail: I64, head: I64, step: I64, count: I64) -> I32:
    start, stop = places[tail].astype(np.int64), places[head].astype(np.int64)
    return (start + (stop - start) * step[:, None] // count[:, None]).astype(np.int32)
