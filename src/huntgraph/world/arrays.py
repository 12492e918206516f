"""The arrays a world consists of, and the id that names their contents."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from huntgraph._core import crc32c

if TYPE_CHECKING:
    from huntgraph.world.part import Part

U16: TypeAlias = NDArray[np.uint16]
U32: TypeAlias = NDArray[np.uint32]
U64: TypeAlias = NDArray[np.uint64]
I32: TypeAlias = NDArray[np.int32]
I64: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class WorldArrays:
    """A world as read-only arrays; node and edge ids are the places in them.

    The edges of node ``u`` are the ids ``first[u] .. first[u + 1] - 1``. An edge of cost 0 is an
    *absent slot*: it keeps the structure symmetric and cannot be walked.
    """

    first: U32
    """Shape ``(nodes + 1,)``: the first edge id of each node's row."""
    head: U32
    """Shape ``(edges,)``: the node an edge leads to; ascending within a row."""
    cost: U16
    """Shape ``(edges,)``: the base cost, 1..60,000; 0 for an absent slot."""
    x: I32
    """Shape ``(nodes,)``: position, in the units of the source (cells on a grid)."""
    y: I32
    """Shape ``(nodes,)``: position; grows downwards on a grid."""
    z: I32
    """Shape ``(nodes,)``: height."""
    name: U64 | None
    """Shape ``(nodes,)``: the ids of the source, unique; ``None`` when the source has none."""
    width: int
    """Columns of the grid; 0 when the world is not a grid."""
    height: int
    """Rows of the grid; 0 when the world is not a grid."""
    world_id: int
    """64 bits that name nodes, edges and costs (not positions, names or meta)."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """JSON-ready facts: title, source, attribution, seed, how the world was made."""
    part: Part | None = None
    """What this world is of a larger one; ``None`` for a whole world."""

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return len(self.first) - 1

    @property
    def edges(self) -> int:
        """Number of edge slots, absent ones included."""
        return len(self.head)

    @property
    def is_grid(self) -> bool:
        """Whether every node is a cell of a ``width`` x ``height`` grid."""
        return self.width > 0

    def sections(self) -> dict[str, bytes | NDArray[Any]]:
        """Give what a world file holds, by tag, in the order of the file; JSON apart."""
        found: dict[str, bytes | NDArray[Any]] = {
            "first": self.first,
            "head": self.head,
            "cost": self.cost,
            "x": self.x,
            "y": self.y,
            "z": self.z,
        }
        if self.name is not None:
            found["name"] = self.name
        if self.part is not None:
            found.update(self.part.sections())
        return found


def checksum(data: bytes | NDArray[Any]) -> int:
    """CRC-32C of the bytes of ``data``, read in place."""
    if isinstance(data, bytes):
        return int(crc32c(data))
    return int(crc32c(np.ascontiguousarray(data).reshape(-1).view(np.uint8).data))


def degrees_of(first: U32) -> I64:
    """Give the number of slots of each node, shape ``(nodes,)``."""
    wide = first.astype(np.int64)
    return wide[1:] - wide[:-1]


def name_contents(nodes: int, edges: int, crcs: tuple[int, int, int]) -> int:
    """Compute a world id from the counts and the CRC-32C of ``first``, ``head`` and ``cost``."""
    digest = hashlib.sha256(struct.pack("<QQIII", nodes, edges, *crcs)).digest()
    return int.from_bytes(digest[:8], "little")


def locked(array: NDArray[Any], dtype: str) -> NDArray[Any]:
    """Give ``array`` as a read-only, contiguous array of ``dtype``, copied only where needed."""
    found = np.ascontiguousarray(array, dtype=dtype)
    if found.flags.writeable:
        found = found.view()
        found.flags.writeable = False
    return found
