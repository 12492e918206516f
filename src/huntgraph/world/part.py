"""What makes a world file one partition of a larger world, and the rules it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import WorldFileError
from huntgraph.world import arrays

if TYPE_CHECKING:
    from huntgraph.world.arrays import U16, U32, WorldArrays

PARTS_MAX = 1 << 16
"""The number of a partition has 16 bits."""

_FIX = "split the whole world again with huntgraph world split"


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """One partition's own nodes and its halo, as they lie in a larger world.

    The own nodes come first. The *halo* follows: one node for each foreign node that shares a slot
    with an own one, by owner and then by its number there, so that all nodes of one neighbour
    stand together.
    """

    partition: int
    """The number of this partition, 0..parts - 1."""
    parts: int
    """How many partitions the whole world has."""
    own_nodes: int
    """The first ``own_nodes`` nodes are owned by this partition, the others are its halo."""
    owner: U16
    """Shape ``(nodes,)``: the partition that owns each node."""
    twin: U32
    """Shape ``(nodes,)``: the number each node has in the world of its owner."""
    global_ids: U32
    """Shape ``(nodes,)``: the number each node has in the whole world."""
    whole_id: int
    """World id of the whole world."""
    whole_title: str
    """Title of the whole world."""
    whole_nodes: int
    """Nodes of the whole world."""

    def sections(self) -> dict[str, NDArray[Any]]:
        """Give what a world file holds of it, by tag."""
        return {"owner": self.owner, "twin": self.twin, "global": self.global_ids}

    def facts(self) -> dict[str, Any]:
        """Give what stands under ``part`` in the world's meta, JSON-ready."""
        return {
            "partition": self.partition,
            "parts": self.parts,
            "whole_id": f"{self.whole_id:016x}",
            "whole_title": self.whole_title,
            "whole_nodes": self.whole_nodes,
        }


def read_part(
    owner: U16, twin: U32, global_ids: U32, meta: Mapping[str, Any], where: object
) -> Part:
    """Put the sections of a part and its meta together. Raises WorldFileError."""
    try:
        facts = meta["part"]
        partition, parts, nodes = (int(facts[key]) for key in ("partition", "parts", "whole_nodes"))
        whole_id, title = int(facts["whole_id"], 16), str(facts["whole_title"])
    except (KeyError, TypeError, ValueError):
        raise _broken("its meta does not say which part of which world it is", where) from None
    # The own nodes come first; a file that breaks this rule is refused by check_part.
    own = int(np.count_nonzero(owner == partition))
    return Part(partition, parts, own, owner, twin, global_ids, whole_id, title, nodes)


def check_part(world: WorldArrays, where: object = "") -> None:
    """Check the rules of owners, twins and halo; costs a pass over nodes and the halo's rows.

    Raises WorldFileError that names the first rule broken.
    """
    part = world.part
    if part is None:
        return
    if not 0 <= part.partition < part.parts <= PARTS_MAX:
        raise _broken(f"it calls itself partition {part.partition} of {part.parts}", where)
    own = part.own_nodes
    if not own or (part.owner[:own] != part.partition).any():
        raise _broken("its own nodes do not come first", where)
    if int(part.owner.max()) >= part.parts:
        raise _broken(f"the owner of a node is not one of {part.parts} partitions", where)
    if not np.array_equal(part.twin[:own], np.arange(own, dtype=np.uint32)):
        raise _broken("an own node is not its own twin", where)
    ranks = part.owner[own:].astype(np.uint64) << np.uint64(32) | part.twin[own:]
    if (ranks[1:] <= ranks[:-1]).any():
        raise _broken("its halo is not sorted by owner and twin, or repeats a node", where)
    if part.global_ids.max() >= part.whole_nodes or _repeats(part.global_ids):
        raise _broken("a node's number in the whole world is too large or stands twice", where)
    _check_halo_rows(world, own, where)


def _check_halo_rows(world: WorldArrays, own: int, where: object) -> None:
    if (arrays.degrees_of(world.first[own:]) < 1).any():
        raise _broken("a halo node shares no edge with an own node", where)
    at = int(world.first[own])
    if (world.head[at:] >= own).any():
        raise _broken("a halo node leads to another halo node", where)
    if world.cost[at:].any():
        raise _broken("an edge leads out of the halo", where)


def _repeats(numbers: U32) -> bool:
    found = np.sort(numbers)
    return bool((found[1:] == found[:-1]).any())


def _broken(what: str, where: object) -> WorldFileError:
    return WorldFileError(f"this part of a world is not sound: {what}", where=where, fix=_FIX)
