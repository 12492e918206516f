"""`Warm`: a partition's state kept at the head of its log, ready to be forked within a blink.

A fork of cold history reads a snapshot and replays the log behind it: seconds. A warm partition
follows the log as it grows, with a journal of what was overwritten and a branch beside: a fork
into the last seconds goes back by the journal, and the records to replay are at hand.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

import numpy as np

from huntgraph.engine import Engine
from huntgraph.errors import ReplayError
from huntgraph.schema import Kind
from huntgraph.timeline.log import Log, LogRecords

__all__ = ["Warm"]

BRANCH_JOURNAL = 1 << 14


class Warm:
    """A partition at the head of its log. Not for several threads at once.

    `head` is an engine with a journal that stands somewhere in the log; it is brought to the end
    by `follow`. The records of the last `keep` positions and the ticks among them are kept.
    """

    def __init__(self, log: Log, head: Engine, *, keep: int) -> None:
        self.log, self.head, self.keep = log, head, keep
        self.branch = head.branch(BRANCH_JOURNAL)
        self._tail = log.tail(head.position + 1)
        self._kept: deque[LogRecords] = deque()
        self._ticks: list[tuple[int, int]] = []
        """Wall clock in milliseconds and position of each TICK kept."""

    @property
    def position(self) -> int:
        """Position of the head."""
        return self.head.position

    def follow(self) -> int:
        """Take in what the log has got since; gives how many records that were.

        Raises ReplayError HG1521 for a record that is refused here: this is not the actor's state.
        """
        begin = self.position
        while (records := self._tail.read()) is not None:
            if self.head.advance(records.rows, records.positions):
                what = f"partition {self.log.partition} took records that are refused here"
                raise ReplayError(what, fix="run huntgraph verify", code="HG1521")
            self._kept.append(records)
            moves = records.moves
            at = np.flatnonzero(moves["kind"] == Kind.TICK)
            times, positions = moves["time_ms"][at].tolist(), records.positions[at].tolist()
            self._ticks.extend(zip(times, positions, strict=True))
        self._forget()
        return self.position - begin

    def before(self, time_ms: int) -> int:
        """Give the position of the last TICK at or before a time, the oldest kept if none is."""
        at = bisect_right(self._ticks, (time_ms, 1 << 63))
        return self._ticks[max(at - 1, 0)][1]

    def kept(self, after: int) -> list[LogRecords]:
        """Give all records behind a position that is kept, in parts as they were read."""
        parts = [
            LogRecords(max(part.first, after + 1), part.rows[max(after + 1 - part.first, 0) :])
            for part in self._kept
        ]
        return [part for part in parts if len(part.rows)]

    def go_back(self, position: int) -> Engine:
        """Give the branch as the partition was after the record at `position`.

        Raises ValueError when the journal does not reach back so far.
        """
        self.branch.go_back(self.head, position)
        return self.branch

    def _forget(self) -> None:
        floor = self.position - self.keep
        while self._kept and self._kept[0].first + len(self._kept[0].rows) <= floor:
            self._kept.popleft()
        first = self._kept[0].first if self._kept else floor
        del self._ticks[: bisect_right([position for _, position in self._ticks], first - 1)]
