"""`WarmReplica`: a replica that stands on a warm partition, so that no image is made for it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Rows
from huntgraph.errors import ReplayError
from huntgraph.timeline.replica import Replica
from huntgraph.timeline.warm import Warm

__all__ = ["WarmReplica"]


class WarmReplica(Replica):
    """The base is the head of a warm partition, which is behind the fork's point already.

    What was logged between the two is replayed on the branch first, for its answers; that it leads
    to the head's very state is checked. Then the branch goes back once more, for the fork. Raises
    ValueError when the head's journal does not reach back to the point.
    """

    def __init__(self, world: Rows, warm: Warm, point: int) -> None:
        super().__init__(world, warm.log.partition, lambda _: warm.head, point)
        self._warm, self._point = warm, point
        self.fork_at(point)
        warm.lend(self)

    @property
    def image_bytes(self) -> int:
        """Bytes that an image takes for this fork: none, both are there without it."""
        return 0

    def fork_at(self, position: int) -> None:
        """Let the branch stand where the head stood at a position, and forget the last branch."""
        self._branch, self._akin = self._warm.go_back(position), True
        self._before, self._events = None, []

    def follow(
        self, rows: NDArray[np.uint8], positions: NDArray[np.uint64]
    ) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """Replay what the head is through with on the branch, and let the head take the rest."""
        known = int(np.searchsorted(positions, self.position, side="right"))
        if not known:
            return super().follow(rows, positions)
        updates, events = self.replay(rows[:known], positions[:known]), self.events()
        if self.branch_hash() != self.head_hash():
            what = f"partition {self.partition} is not at {self.position} what its log leads to"
            raise ReplayError(what, fix="run huntgraph verify", code="HG1521")
        if known < len(rows):
            later = super().follow(rows[known:], positions[known:])
            updates, events = (
                np.concatenate(pair) for pair in zip((updates, events), later, strict=True)
            )
        self.fork_at(self._point)
        return updates, events
