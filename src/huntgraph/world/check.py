"""The rules of a world's structure, checked in full."""

from __future__ import annotations

import numpy as np

from huntgraph import schema
from huntgraph.errors import WorldFileError
from huntgraph.world.arrays import U32, U64, WorldArrays, degrees_of

_FIX = "whatever wrote this world broke the rules of the world format; make it again"


def tails(world: WorldArrays) -> U32:
    """Give the node each edge leads from, shape ``(edges,)``."""
    return np.repeat(np.arange(world.nodes, dtype=np.uint32), degrees_of(world.first))


def check_structure(world: WorldArrays, where: object = "") -> None:
    """Check every rule a reader may rely on; takes 24 bytes an edge while it runs.

    Raises WorldFileError that names the first rule broken and an edge that breaks it.
    """
    degrees = degrees_of(world.first)
    if world.first[0] != 0 or world.first[-1] != world.edges or (degrees < 0).any():
        raise _broken("the rows do not follow one another", where)
    if int(degrees.max()) > schema.DEGREE:
        raise _broken(f"a node has more than {schema.DEGREE} edges", where)
    if world.edges and int(world.head.max()) >= world.nodes:
        raise _broken("an edge leads to a node that is not there", where)
    if world.edges and int(world.cost.max()) > schema.COST_MAX:
        raise _broken(f"an edge costs more than {schema.COST_MAX:,}", where)
    keys = _keys(tails(world), world.head)
    if (keys[1:] <= keys[:-1]).any():
        raise _broken("a row is not ascending, or repeats a head", where)
    if (tails(world) == world.head).any():
        raise _broken("a node has an edge to itself", where)
    back = _keys(world.head, tails(world))
    back.sort()
    if not np.array_equal(keys, back):
        raise _broken("an edge has no slot for the way back", where)
    if world.is_grid:
        _check_grid(world, where)
    if world.name is not None and len(np.unique(world.name)) != world.nodes:
        raise _broken("a name stands twice", where)


def _check_grid(world: WorldArrays, where: object) -> None:
    x, y = world.x.astype(np.int64), world.y.astype(np.int64)
    if min(x.min(), y.min()) < 0 or x.max() >= world.width or y.max() >= world.height:
        raise _broken("a node lies outside the grid", where)
    if len(np.unique(y * world.width + x)) != world.nodes:
        raise _broken("two nodes share a cell of the grid", where)


def _keys(tail: U32, head: U32) -> U64:
    keys: U64 = tail.astype(np.uint64)
    keys <<= np.uint64(32)
    keys |= head
    return keys


def _broken(what: str, where: object) -> WorldFileError:
    return WorldFileError(what, where=where, fix=_FIX)
