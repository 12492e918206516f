"""`WarmReplica`: a replica that stands on a warm partition, so that no image is made for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Rows
from huntgraph.timeline.replica import Replica
from huntgraph.timeline.warm import Warm

__all__ = ["WarmReplica"]


class WarmReplica(Replica):
    """The base is the head of a warm partition, which is behind the fork's point already.

    What the head saw of the records between the two is kept, so that only the fork is replayed.
    Raises ValueError when the head's journal, or what is kept, does not reach back to the point.
    """

    def __init__(self, world: Rows, warm: Warm, point: int) -> None:
        super().__init__(world, warm.log.partition, lambda _: warm.head, point)
        self._warm = warm
        warm.outcomes(point)
        self.fork_at(point)
        warm.lend(self)

    @property
    def image_bytes(self) -> int:
        """Bytes that an image takes for this fork: none, both are there without it."""
        return 0

    def fork_at(self, position: int) -> None:
        """Let the branch stand where the head stood at a position, and forget the last branch."""
        self._branch, self._akin = self._warm.go_back(position), True
        self._before, self._events, self._marked = None, [], False

    def follow(
        self, rows: NDArray[np.uint8], positions: NDArray[np.uint64], *, torn: bool = False
    ) -> tuple[NDArray[np.uint64], NDArray[np.void]]:
        """Give what the head saw of the records that it is through with, and let it take the rest.

        Nothing is `torn`: a partition of which records are lost is not kept warm.
        """
        known = int(np.searchsorted(positions, self.position, side="right"))
        self._warm.take(rows[known:], positions[known:])
        return self._warm.outcomes(int(positions[0]) - 1 if len(positions) else self.position)
