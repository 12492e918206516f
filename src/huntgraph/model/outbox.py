"""The halo of a partition and its outbox (rules, section 11)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import PARCELS, PEERS


@dataclass
class Peer:
    """Counters of the parcels between this partition and another."""

    sent: int = 0
    acked: int = 0
    taken: int = 0


class Border:
    """The halo of a partition, and the parcels that wait in its outbox.

    `owner` and `twin` are those of the halo's nodes, shape (nodes - own_nodes,).
    """

    def __init__(
        self,
        partition: int = 0,
        owner: NDArray[np.uint16] | None = None,
        twin: NDArray[np.uint32] | None = None,
        capacity: int | None = None,
    ) -> None:
        self.partition = partition
        self.owner = [] if owner is None else owner.tolist()
        self.twin = [] if twin is None else twin.tolist()
        self.capacity = (PARCELS if self.owner else 0) if capacity is None else capacity
        self.peers = [Peer() for _ in range(PEERS)]
        self.outbox: dict[tuple[int, int], bytes] = {}
        """Records by partition and number."""

    @property
    def full(self) -> bool:
        """Whether no further parcel can wait."""
        return len(self.outbox) >= self.capacity

    def parcels(self, partition: int) -> list[bytes]:
        """The parcels that wait for a partition's acknowledgement, oldest first."""
        waiting = sorted(key for key in self.outbox if key[0] == partition)
        return [self.outbox[key] for key in waiting]
