"""The rules that hold between the partitions of one world, and between them and the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from huntgraph.errors import WorldFileError
from huntgraph.world.arrays import U32, U64, WorldArrays
from huntgraph.world.check import check_structure
from huntgraph.world.cuthill_mckee import slots_of
from huntgraph.world.part import Part, check_part

_FIX = "split the whole world again with huntgraph world split"


def check_parts(
    worlds: Sequence[WorldArrays], parts: Sequence[Part], whole: WorldArrays | None
) -> None:
    """Check each part, all parts together, and every edge against the whole world if given.

    Raises WorldFileError naming the part and the first rule broken.
    """
    for world, part in zip(worlds, parts, strict=True):
        where = f"part {part.partition}"
        check_structure(world, where)
        check_part(world, where)
    owned = np.concatenate([part.global_ids[: part.own_nodes] for part in parts])
    if not np.array_equal(np.sort(owned), np.arange(parts[0].whole_nodes)):
        raise _broken("a node of the whole world has no owner, or two", "the parts together")
    for part in parts:
        _check_twins(part, parts)
        _check_border(part, parts)
    if whole is None:
        return
    if whole.world_id != parts[0].whole_id or whole.nodes != parts[0].whole_nodes:
        raise _broken("they were not made of this world", "the parts together")
    for world, part in zip(worlds, parts, strict=True):
        _check_edges(world, part, whole)


def _check_twins(part: Part, parts: Sequence[Part]) -> None:
    for other in parts:
        here = part.owner == other.partition
        twin = part.twin[here]
        if len(twin) and int(twin.max()) >= other.own_nodes:
            raise _broken("a twin is no own node of its owner", f"part {part.partition}")
        if not np.array_equal(other.global_ids[twin], part.global_ids[here]):
            raise _broken("a twin is another node of its owner", f"part {part.partition}")


def _check_border(part: Part, parts: Sequence[Part]) -> None:
    """Who knows a node of this part must be known here: halos come in pairs."""
    known = set(np.unique(part.owner[part.own_nodes :]).tolist())
    for other in parts:
        knows = bool((other.owner[other.own_nodes :] == part.partition).any())
        if knows != (other.partition in known):
            what = f"only one side knows of its border with part {other.partition}"
            raise _broken(what, f"part {part.partition}")


def _check_edges(world: WorldArrays, part: Part, whole: WorldArrays) -> None:
    own = np.arange(part.own_nodes, dtype=np.uint32)
    here = _words(world, own, part.global_ids)
    there = _words(whole, part.global_ids[: part.own_nodes], None)
    if len(here) != len(there) or (here != there).any():
        shorter = min(len(here), len(there))
        differ = np.flatnonzero(here[:shorter] != there[:shorter])
        word = int(there[differ[0]] if len(differ) else max(here, there, key=len)[shorter])
        tail, head = word >> 40, word >> 16 & 0xFFFFFF
        what = f"the slot {tail} -> {head} of the whole world is missing, another or too many"
        raise _broken(what, f"part {part.partition}")
    for axis in ("x", "y", "z", "name"):
        mine, theirs = getattr(world, axis), getattr(whole, axis)
        same = mine is theirs is None or np.array_equal(mine, theirs[part.global_ids])
        if not same:
            raise _broken(f"{axis} of a node is not that of the whole", f"part {part.partition}")


def _words(world: WorldArrays, tail: U32, global_ids: U32 | None) -> U64:
    """Give the slots of some rows as sorted words: tail and head in the whole world, and cost."""
    slots, length = slots_of(world.first, tail)
    head = world.head[slots]
    if global_ids is not None:
        tail, head = global_ids[tail], global_ids[head]
    words = np.repeat(tail.astype(np.uint64), length)
    words <<= np.uint64(24)
    words |= head
    words <<= np.uint64(16)
    words |= world.cost[slots]
    words.sort()
    return words


def _broken(what: str, where: str) -> WorldFileError:
    return WorldFileError(f"these parts of a world are not sound: {what}", where=where, fix=_FIX)
