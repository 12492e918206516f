"""`Answers`: who gets which updates.

Updates come in the order of sending, so each is known by its place alone. Every part of a batch
that the window took in is a `Share` in one queue, and shares are filled from its front.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import UPDATE

__all__ = ["Answers", "Batch"]

U8 = NDArray[np.uint8]
EMPTY: Final = np.empty((0, 64), dtype=np.uint8)


class Batch:
    """The answers to one call of `send`: rows of 64 bytes, and a future for when all are there."""

    __slots__ = ("done", "filled", "rows")

    def __init__(self, count: int) -> None:
        self.rows: U8 = np.empty((count, 64), dtype=np.uint8)
        self.filled = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, rows: U8) -> None:
        """Take the next answers."""
        self.rows[self.filled : self.filled + len(rows)] = rows
        self.filled += len(rows)
        if self.filled == len(self.rows) and not self.done.done():
            self.done.set_result(None)

    def updates(self) -> NDArray[np.void]:
        """Give the answers as records: dtype UPDATE, shape (n,)."""
        return self.rows.reshape(-1).view(UPDATE)


class Answers:
    """The queue of shares; None stands for moves that were posted."""

    def __init__(self) -> None:
        self._shares: deque[list[int | Batch | None]] = deque()
        self._posted: deque[U8] = deque()
        self.unread = 0
        """Posted moves whose updates were not read yet, answered or not."""
        self.unclaimed = 0
        """Answers whose `send` was cancelled."""

    def expect(self, count: int, batch: Batch | None) -> None:
        """The next ``count`` moves sent belong to this batch, or were posted."""
        if batch is None:
            self.unread += count
        self._shares.append([count, batch])

    def take(self, rows: U8) -> None:
        """Hand answers to whom they belong."""
        at = 0
        while at < len(rows):
            share = self._shares[0]
            count, batch = share
            assert isinstance(count, int)
            part = rows[at : at + count]
            at += len(part)
            share[0] = count - len(part)
            if share[0] == 0:
                self._shares.popleft()
            if batch is None:
                self._posted.append(part)
            elif isinstance(batch, Batch):
                self.unclaimed += len(part) if batch.done.cancelled() else 0
                batch.take(part)

    def posted(self) -> U8:
        """Take the answers to posted moves that have come, shape (n, 64)."""
        if not self._posted:
            return EMPTY
        rows = self._posted[0] if len(self._posted) == 1 else np.concatenate(self._posted)
        self._posted.clear()
        self.unread -= len(rows)
        return rows

    def fail(self, error: Exception) -> None:
        """No further answer will come."""
        for _, batch in self._shares:
            if isinstance(batch, Batch) and not batch.done.done():
                batch.done.set_exception(error)
                # A sender that was cancelled meanwhile asks no more.
                batch.done.exception()
        self._shares.clear()
