"""Small worlds and records for the tests of the rules."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from huntgraph.model import Model
from huntgraph.schema import ARRIVAL, CORRECTION, MOVE, NOTICE, RULE, Kind

NO_HUNT = 65535
Record = bytes


class World(NamedTuple):
    """Adjacency rows: first u32 (nodes + 1,), head u32 (edges,), cost u16 (edges,)."""

    first: NDArray[np.uint32]
    head: NDArray[np.uint32]
    cost: NDArray[np.uint16]


def world_of(nodes: int, edges: Iterable[tuple[int, int, int]]) -> World:
    """A world from (tail, head, cost) rows; a missing direction becomes an absent slot."""
    costs = {(tail, head): cost for tail, head, cost in edges}
    slots = sorted(costs.keys() | {(head, tail) for tail, head in costs})
    rows = np.bincount([tail for tail, _ in slots], minlength=nodes)
    first = np.concatenate(([0], np.cumsum(rows))).astype(np.uint32)
    head = np.array([head for _, head in slots], np.uint32)
    return World(first, head, np.array([costs.get(slot, 0) for slot in slots], np.uint16))


def grid_world(rng: Random, width: int, height: int, greatest: int = 9) -> World:
    """A grid with holes in its edges, one-way streets and a few long links; costs tie often."""
    nodes, edges = width * height, {}
    for node in range(nodes):
        x, y = node % width, node // width
        near = [node + 1] * (x + 1 < width) + [node + width] * (y + 1 < height)
        far = [rng.randrange(nodes)] if rng.random() < 0.05 else []
        for other in near + far:
            if other != node and rng.random() < 0.93:
                there, back = rng.randint(1, greatest), rng.randint(1, greatest)
                one_way = rng.random() < 0.1
                edges[(node, other)] = there
                edges[(other, node)] = 0 if one_way else back
    return world_of(nodes, ((tail, head, cost) for (tail, head), cost in edges.items()))


def record_of(kind: int, *, tail: int = 0, head: int = 0, **fields: int) -> Record:
    """64 bytes in the layout that the kind asks for; `tail`, `head` are from and to."""
    layout = RULE if Kind.HUNT_BEGIN <= kind <= Kind.HUNT_PUBLISH else MOVE
    if kind in (Kind.ARRIVE, Kind.NOTICE):
        layout = ARRIVAL if kind == Kind.ARRIVE else NOTICE
    else:
        fields = {"to": head, **fields}
    row = np.zeros((), layout)
    for name, value in {"kind": kind, "from": tail, **fields}.items():
        row[name] = value
    return row.tobytes()


def correction_of(
    kind: int, number: int, *cells: tuple[int, int], gone: int = 0, count: int | None = None
) -> Record:
    """A record of correction `number`: cells are pairs of name and word, up to three."""
    row = np.zeros((), CORRECTION)
    row["kind"], row["id"], row["gone"] = kind, number, gone
    row["count"] = len(cells) if count is None else count
    for place, (name, word) in enumerate(cells, start=1):
        row[f"name_{place}"], row[f"word_{place}"] = name, word
    return row.tobytes()


def tick_of(model: Model, ahead: int = 1) -> Record:
    """The TICK `ahead` ticks from now."""
    return record_of(Kind.TICK, arg=model.tick + ahead)


def next_move(model: Model, player: int, kind: int, **fields: int) -> Record:
    """The player's next record in its dense numbering."""
    known = model.player(player)
    seq = 1 if known is None else known.seq + 1
    return record_of(kind, player=player, seq=seq, **fields)
