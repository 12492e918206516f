"""From a hunt to the records that publish it in every partition of a world."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from huntgraph.errors import UsageError
from huntgraph.hunt.hunt import Hunt
from huntgraph.hunt.places import Places
from huntgraph.hunt.rows import compile_rows
from huntgraph.schema import PEERS, ROUNDS, Kind

__all__ = ["OPENS_AFTER", "AnyParts", "compile_parts", "crowding", "rows_of_parts"]

OPENS_AFTER: Final = 20
"""Least ticks from publishing to opening, so that every partition holds the hunt before one runs:
who walks over the border to where it is not open yet would be out of it."""


class AnyParts(Places, Protocol):
    """What a hunt asks of the partitions of a world; `huntgraph.world.Parts` is one."""

    def __len__(self) -> int:
        """How many partitions there are."""

    def locate(self, nodes: ArrayLike) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
        """Give the partition that owns each node of the whole world, and its id there."""

    def local_ids(self, partition: int, nodes: ArrayLike) -> NDArray[np.int64]:
        """Give the ids of nodes of the whole world in a partition, -1 where it has none."""


def compile_parts(
    hunt: Hunt, parts: AnyParts, slot: int, *, now_ms: int | None = None
) -> list[NDArray[np.void]]:
    """Give the RULE records of a hunt for each partition; see `Hunt.compile_parts`."""
    if len(parts) > PEERS:
        what = f"a hunt over {len(parts)} partitions"
        raise UsageError(what, fix=f"split the world into at most {PEERS}")
    return rows_of_parts(compile_rows(hunt, parts, slot, now_ms=now_ms), parts)


def rows_of_parts(rows: NDArray[np.void], parts: AnyParts) -> list[NDArray[np.void]]:
    """Give each partition its share of the rows of a hunt in the whole world (dtype RULE).

    Every partition gets all stages, needs, hints, gates and the traffic rule. Of a stage that is
    elsewhere it gets the owner and the node there, and of a gate the edges that lead from its own
    nodes.
    """
    return [_share(rows, parts, partition) for partition in range(len(parts))]


def crowding(rows: NDArray[np.void]) -> str | None:
    """Say what players will miss when a hunt over partitions has very many stages.

    ``rows`` are those of one partition, dtype RULE. Gives the text of warning HG1270 when more
    stages may be hunted at a time than targets can have ways over borders, None otherwise.
    """
    stages = int(np.count_nonzero(rows["kind"] == Kind.HUNT_STAGE))
    if stages <= ROUNDS:
        return None
    return (
        f"HG1270: {stages} stages over several partitions, of which at most {ROUNDS} at a time"
        " have ways over borders: hunters of others are guided uncertified, or wait."
        " Let needs or windows keep apart what is hunted at a time"
    )


def _share(rows: NDArray[np.void], parts: AnyParts, partition: int) -> NDArray[np.void]:
    edge = rows["kind"] == Kind.HUNT_GATE_EDGE
    owner = np.zeros(len(rows), dtype=np.int64)
    placed = edge | (rows["kind"] == Kind.HUNT_STAGE)
    owner[placed], node = parts.locate(rows["from"][placed])
    share = rows.copy()
    share["from"][placed] = node
    elsewhere = placed & (owner != partition)
    share["owner"][elsewhere] = 1 + owner[elsewhere]
    own_edge = edge & ~elsewhere
    share["to"][own_edge] = parts.local_ids(partition, rows["to"][own_edge])
    share = np.delete(share, np.flatnonzero(edge & elsewhere))
    begin, publish = share[:1], share[-1:]
    begin["mask"] = (1 << len(parts)) - 1
    begin["opens"] = np.maximum(begin["opens"], OPENS_AFTER)
    publish["count"] = len(share) - 2
    return share
