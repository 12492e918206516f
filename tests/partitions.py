"""A world cut into parts: arrays for the model, files for the actor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from huntgraph.world import format as layout
from huntgraph.world.arrays import checksum, name_contents

Place = tuple[int, int]
"""A partition and a node of its world."""
ITEM_BYTES: Final = {"first": 4, "head": 4, "cost": 2, "owner": 2, "twin": 4}


class Rows(NamedTuple):
    """Adjacency rows: first u32 (nodes + 1,), head u32 (edges,), cost u16 (edges,)."""

    first: NDArray[np.uint32]
    head: NDArray[np.uint32]
    cost: NDArray[np.uint16]


@dataclass(frozen=True)
class Part:
    """One partition's world: its own nodes, then the halo. All but `rows` have shape (nodes,)."""

    partition: int
    rows: Rows
    own_nodes: int
    owner: NDArray[np.uint16]
    twin: NDArray[np.uint32]
    whole: NDArray[np.uint32]
    """The node's number in the world that was cut."""

    @property
    def first(self) -> NDArray[np.uint32]:
        return self.rows.first

    @property
    def head(self) -> NDArray[np.uint32]:
        return self.rows.head

    @property
    def cost(self) -> NDArray[np.uint16]:
        return self.rows.cost

    @property
    def world_id(self) -> int:
        """The id that the file of this part has."""
        crcs = tuple(checksum(np.ascontiguousarray(column)) for column in self.rows)
        assert len(crcs) == 3
        return name_contents(len(self.owner), len(self.rows.head), crcs)

    def save(self, path: Path) -> None:
        """Write a world file with all that an actor reads of one."""
        columns = {**self.rows._asdict(), "owner": self.owner, "twin": self.twin}
        offset, sections = layout.PAGE, []
        for tag, column in columns.items():
            data = np.ascontiguousarray(column)
            item = ITEM_BYTES[tag]
            sections.append(layout.Section(tag, offset, data.nbytes, checksum(data), item))
            offset = layout.pages(offset + data.nbytes)
        shape = len(self.owner), len(self.rows.head), self.world_id
        header = layout.Header(*shape, 0, 0, 1, 1, tuple(sections))
        with path.open("wb") as file:
            file.write(layout.encode(header))
            for section, column in zip(sections, columns.values(), strict=True):
                file.write(bytes(section.offset - file.tell()))
                file.write(np.ascontiguousarray(column).tobytes())


def split(rows: Rows, owner: NDArray[np.integer]) -> list[Part]:
    """Cut rows into parts; `owner` names each node's partition, shape (nodes,), dense from 0.

    A part's own nodes keep their order; its halo is every foreign node that one of them has a slot
    to, with the slots back and no others.
    """
    nodes = len(rows.first) - 1
    tail = np.repeat(np.arange(nodes), rows.first[1:].astype(np.int64) - rows.first[:-1])
    local = np.zeros(nodes, np.uint32)
    for partition in range(int(owner.max()) + 1):
        mine = np.flatnonzero(owner == partition)
        local[mine] = np.arange(len(mine))
    parts = []
    for partition in range(int(owner.max()) + 1):
        mine = np.flatnonzero(owner == partition)
        halo = np.unique(rows.head[(owner[tail] == partition) & (owner[rows.head] != partition)])
        whole = np.concatenate([mine, halo]).astype(np.uint32)
        number = np.full(nodes, len(whole), np.int64)
        number[whole] = np.arange(len(whole))
        own_tail, own_head = owner[tail] == partition, owner[rows.head] == partition
        kept = (own_tail | own_head) & (number[tail] < len(whole))
        kept &= number[rows.head] < len(whole)
        order = np.lexsort((number[rows.head[kept]], number[tail[kept]]))
        counts = np.bincount(number[tail[kept]], minlength=len(whole))
        first = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
        head = number[rows.head[kept]][order].astype(np.uint32)
        # Rows of the halo are absent slots: those edges are its owner's.
        cost = np.where(own_tail, rows.cost, 0)[kept][order].astype(np.uint16)
        cut = Rows(first, head, cost)
        owners = owner[whole].astype(np.uint16)
        parts.append(Part(partition, cut, len(mine), owners, local[whole], whole))
    return parts
