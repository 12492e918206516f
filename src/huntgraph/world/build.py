"""The one builder of worlds: from a plain list of edges to checked, sorted, symmetric rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from huntgraph import schema
from huntgraph.errors import UsageError, WorldLimitError
from huntgraph.world import order as ordering
from huntgraph.world.arrays import (
    I32,
    U16,
    U32,
    U64,
    Bools,
    WorldArrays,
    checksum,
    degrees_of,
    locked,
    name_contents,
)

_ABSENT = 0xFFFF  # sorts after every real cost, so that a real edge wins over an absent slot
_LOW24 = np.uint64((1 << 24) - 1)


@dataclass(frozen=True)
class Rows:
    """Adjacency rows, and what was done to the list of edges to get them."""

    first: U32
    head: U32
    cost: U16
    loops_dropped: int
    repeats_dropped: int
    absent_added: int


def build(
    tail: ArrayLike,
    head: ArrayLike,
    cost: ArrayLike,
    *,
    nodes: int | None = None,
    positions: ArrayLike | None = None,
    names: ArrayLike | None = None,
    grid: tuple[int, int] | None = None,
    order: str = "auto",
    meta: Mapping[str, Any] | None = None,
) -> WorldArrays:
    """Build a world's arrays; see ``World.from_edges``, which documents every argument."""
    tails, heads, costs = (_integers(each, "tail, head and cost") for each in (tail, head, cost))
    place = None if positions is None else _positions(positions)
    name = None if names is None else _names(names)
    count = _count_nodes(nodes, tails, heads, place, name)
    _check_edges(tails, heads, costs, count)
    if order not in ("auto", "near", "given"):
        raise UsageError(f'there is no node order "{order}"', fix='use "auto", "near" or "given"')
    if order == "auto":
        # Only what tells the nodes apart lets them be moved.
        order = "given" if place is None and name is None else "near"
    if order == "near":
        places = np.zeros((count, 3), dtype=np.int32) if place is None else place
        turned = _near((tails, heads, costs), places, grid=grid is not None)
        rank = ordering.ranks(turned)
        tails, heads = rank[tails], rank[heads]
        place = None if place is None else place[turned]
        name = None if name is None else name[turned]
    rows = make_rows(tails, heads, costs, count)
    _check_degrees(rows.first, name)
    facts = {
        "loops_dropped": rows.loops_dropped,
        "repeats_dropped": rows.repeats_dropped,
        "absent_added": rows.absent_added,
        "positions": place is not None,
        "order": order,
    }
    return assemble(rows, place, name, grid, {**(meta or {}), "build": facts})


def make_rows(tail: NDArray[Any], head: NDArray[Any], cost: NDArray[Any], nodes: int) -> Rows:
    """Sort edges into rows: without loops, the cheapest of repeats, every way back present.

    Tail (24 bits), head (24) and cost (16) fill one 64-bit word, so that a single sort orders
    rows, finds repeats and puts the cheapest first. Takes about 40 bytes an edge while it runs.
    """
    walk = tail != head
    loops = len(tail) - int(np.count_nonzero(walk))
    if loops:
        tail, head, cost = tail[walk], head[walk], cost[walk]
    del walk
    count = len(tail)
    keys: U64 = np.empty(2 * count, dtype=np.uint64)
    _pack(keys[:count], tail, head, cost)
    _pack(keys[count:], head, tail, _ABSENT)
    keys.sort()
    keys = keys[_fresh(keys)]
    costs = keys.astype(np.uint16)
    absent = costs == _ABSENT
    costs[absent] = 0
    added = int(np.count_nonzero(absent))
    keys >>= np.uint64(16)
    heads = (keys & _LOW24).astype(np.uint32)
    keys >>= np.uint64(24)
    first = np.zeros(nodes + 1, dtype=np.uint32)
    np.cumsum(np.bincount(keys.view(np.int64), minlength=nodes), out=first[1:])
    return Rows(first, heads, costs, loops, count - (len(keys) - added), added)


def _fresh(keys: U64) -> Bools:
    """Tell which sorted keys begin a new (tail, head); in blocks, to need no second array."""
    fresh = np.ones(len(keys), dtype=np.bool_)
    block = 1 << 22
    for start in range(1, len(keys), block):
        stop = min(start + block, len(keys))
        differ = (keys[start:stop] ^ keys[start - 1 : stop - 1]) >> np.uint64(16)
        np.not_equal(differ, np.uint64(0), out=fresh[start:stop])
    return fresh


def _pack(keys: U64, tail: NDArray[Any], head: NDArray[Any], cost: NDArray[Any] | int) -> None:
    keys[:] = tail
    keys <<= np.uint64(24)
    keys |= head.astype(np.uint64)
    keys <<= np.uint64(16)
    keys |= np.uint64(cost) if isinstance(cost, int) else cost.astype(np.uint64)


def _integers(values: ArrayLike, what: str) -> NDArray[Any]:
    found = np.asarray(values)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise UsageError(
            f"{what} must be whole numbers in one dimension, "
            f"not {found.dtype} of shape {found.shape}",
            fix="scale and round decimal costs first, for example numpy.rint(100 * cost)",
        )
    if found.dtype.kind == "u":
        return found
    return found.astype(np.int64, copy=False)


def _positions(values: ArrayLike) -> I32:
    found = np.asarray(values)
    if found.ndim != 2 or found.shape[1] not in (2, 3) or found.dtype.kind not in "iu":
        raise UsageError(
            f"positions must be whole numbers of shape (nodes, 2) or (nodes, 3), "
            f"not {found.dtype} of shape {found.shape}",
            fix="scale and round decimal positions first",
        )
    if found.size and (found.min() < -(2**31) or found.max() >= 2**31):
        raise WorldLimitError("a position does not fit 32 bits", fix="scale the positions down")
    return found.astype(np.int32, copy=False)


def _names(values: ArrayLike) -> U64:
    found = _integers(values, "names")
    if found.size and found.dtype.kind == "i" and found.min() < 0:
        raise UsageError("names must not be negative", fix="number the nodes from 0")
    names = found.astype(np.uint64)
    if len(np.unique(names)) != len(names):
        raise UsageError("two nodes have the same name", fix="give each node its own name")
    return names


def _count_nodes(
    nodes: int | None,
    tails: NDArray[Any],
    heads: NDArray[Any],
    place: I32 | None,
    name: U64 | None,
) -> int:
    if len(tails) != len(heads):
        raise UsageError(
            f"there are {len(tails):,} tails but {len(heads):,} heads",
            fix="give one tail, head and cost for each edge",
        )
    counts = {each for each in (nodes, _len(place), _len(name)) if each is not None}
    if len(counts) > 1:
        raise UsageError(
            f"nodes, positions and names disagree about the number of nodes: {sorted(counts)}",
            fix="give one position and one name for each node",
        )
    if counts:
        count = counts.pop()
    else:
        count = max((int(each.max()) + 1 for each in (tails, heads) if len(each)), default=0)
    if not 1 <= count <= schema.NODES:
        raise WorldLimitError(
            f"a world has 1 to {schema.NODES:,} nodes, not {count:,}",
            fix="split a larger world into several",
        )
    return count


def _len(array: NDArray[Any] | None) -> int | None:
    return None if array is None else len(array)


def _check_edges(tails: NDArray[Any], heads: NDArray[Any], costs: NDArray[Any], nodes: int) -> None:
    if len(costs) != len(tails):
        raise UsageError(
            f"there are {len(tails):,} edges but {len(costs):,} costs",
            fix="give one tail, head and cost for each edge",
        )
    for ends in (tails, heads):
        if len(ends) and (int(ends.min()) < 0 or int(ends.max()) >= nodes):
            at = int(np.flatnonzero((ends.astype(np.int64) < 0) | (ends >= nodes))[0])
            raise UsageError(
                f"edge {at:,} names node {int(ends[at]):,}, but there are nodes 0..{nodes - 1:,}",
                fix="number the nodes from 0 without gaps, or give nodes=",
            )
    if len(costs) and (int(costs.min()) < 1 or int(costs.max()) > schema.COST_MAX):
        wrong = np.flatnonzero((costs.astype(np.int64) < 1) | (costs > schema.COST_MAX))
        at = int(wrong[0])
        raise WorldLimitError(
            f"edge {at:,} ({int(tails[at])} -> {int(heads[at])}) costs {int(costs[at]):,}; "
            f"costs are 1..{schema.COST_MAX:,} ({len(wrong):,} edges are outside)",
            fix="scale the costs; importers also split long edges",
        )


def _near(
    edges: tuple[NDArray[Any], NDArray[Any], NDArray[Any]], places: I32, *, grid: bool
) -> U32:
    x, y = places[:, :2].T.astype(np.int64)
    if grid:
        return ordering.by_cells(x, y)
    rows = make_rows(*edges, len(places))
    return ordering.by_edges(rows.first, rows.head, x, y)


def _check_degrees(first: U32, name: U64 | None) -> None:
    degrees = degrees_of(first)
    worst = int(degrees.argmax())
    if degrees[worst] > schema.DEGREE:
        called = f"{worst:,}" if name is None else f"{worst:,} (named {int(name[worst])})"
        raise WorldLimitError(
            f"node {called} has {int(degrees[worst]):,} edges, ways back included; "
            f"{schema.DEGREE} are allowed",
            fix="put a second node beside it and share the edges out, joined by edges of cost 1",
        )


def assemble(
    rows: Rows,
    place: I32 | None,
    name: U64 | None,
    grid: tuple[int, int] | None,
    meta: dict[str, Any],
) -> WorldArrays:
    """Put rows, positions, names and meta together and name the contents."""
    nodes = len(rows.first) - 1
    if place is None:
        place = np.zeros((nodes, 3), dtype=np.int32)
    flat = np.zeros(nodes, dtype=np.int32) if place.shape[1] == 2 else place[:, 2]
    if grid is not None:
        _check_grid(place, grid)
    crcs = (checksum(rows.first), checksum(rows.head), checksum(rows.cost))
    return WorldArrays(
        first=locked(rows.first, "<u4"),
        head=locked(rows.head, "<u4"),
        cost=locked(rows.cost, "<u2"),
        x=locked(place[:, 0], "<i4"),
        y=locked(place[:, 1], "<i4"),
        z=locked(flat, "<i4"),
        name=None if name is None else locked(name, "<u8"),
        width=grid[0] if grid else 0,
        height=grid[1] if grid else 0,
        world_id=name_contents(nodes, len(rows.head), crcs),
        meta=meta,
    )


def _check_grid(place: I32, grid: tuple[int, int]) -> None:
    width, height = grid
    x, y = place[:, 0], place[:, 1]
    inside = bool(((x >= 0) & (x < width) & (y >= 0) & (y < height)).all())
    seen = np.zeros(max(width, 0) * max(height, 0), dtype=np.bool_)
    if inside:
        seen[y.astype(np.int64) * width + x] = True
    if not inside or np.count_nonzero(seen) != len(place):
        raise UsageError(
            f"on a {width} x {height} grid each node needs a cell of its own",
            fix="leave grid= out, or give positions x < width and y < height",
        )
