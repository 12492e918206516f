"""`Warm`: a partition's state kept at the head of its log, ready to be forked within a blink.

A fork of cold history reads a snapshot and replays the log behind it: seconds. A warm partition
follows the log as it grows, with a journal of what was overwritten and a branch beside: a fork
into the last seconds goes back by the journal, and the records to replay are at hand.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, Protocol, Self, runtime_checkable
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Engine
from huntgraph.schema import EVENT, Kind
from huntgraph.timeline.log import END, LogRecords
from huntgraph.timeline.replica import take_log

__all__ = ["Growing", "Warm"]

BRANCH_JOURNAL: Final = 1 << 14
PART: Final = 1 << 14
"""Records that are kept together: what comes in smaller pieces is joined up to so many."""


class Reader(Protocol):
    """A place in a log: `huntgraph.timeline.log.Tail` fits."""

    def read(self, batch: int = 65_536, upto: int = END) -> LogRecords | None:
        """Give about `batch` records from here on, few behind `upto`; None at the present end."""


@runtime_checkable
class Growing(Protocol):
    """What a warm partition needs of a log: `huntgraph.timeline.log.Log` fits."""

    @property
    def partition(self) -> int:
        """Number of the partition."""

    def tail(self, first: int = 1) -> Reader:
        """Give a place in the log that can be read on from as it grows."""

    def records(
        self, first: int = 1, *, batch: int = 65_536, upto: int = END
    ) -> Iterator[LogRecords]:
        """Give all records from a position to the present end, or little further than `upto`."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Records that follow one another, and whose moves they are."""

    records: LogRecords
    players: NDArray[np.uint64]
    """Players of all moves in rising order, and the numbers of the moves."""
    numbers: NDArray[np.uint32]

    @classmethod
    def of(cls, records: LogRecords) -> Self:
        moves = records.moves
        mine = np.flatnonzero(records.rows[:, 0] <= Kind.STRIKE)
        players = moves["player"][mine]
        order = np.argsort(players, kind="stable")
        return cls(records, players[order], mine[order].astype(np.uint32))

    @property
    def end(self) -> int:
        """Position behind the last record."""
        return self.records.first + len(self)

    def __len__(self) -> int:
        return len(self.records.rows)

    def joined(self, other: _Part) -> _Part:
        """This part and the one that follows it."""
        rows = np.concatenate([self.records.rows, other.records.rows])
        return _Part.of(LogRecords(self.records.first, rows))

    def moves_of(self, players: NDArray[np.uint64]) -> NDArray[np.uint32]:
        """Numbers of all moves of these players, in order."""
        begins = np.searchsorted(self.players, players, "left")
        counts = np.searchsorted(self.players, players, "right") - begins
        # Where each player's run begins here, and where it will stand among the others.
        shifts = np.repeat(begins - np.cumsum(counts) + counts, counts)
        return np.sort(self.numbers[np.arange(len(shifts)) + shifts])


class Warm:
    """A partition at the head of its log. Only for the thread that made it.

    `head` is an engine with a journal that stands somewhere in the log; it is brought to the end
    by `follow`. The records of the last `keep` positions and the ticks among them are kept.
    `branch_journal` is how many entries what is replayed on the branch can be taken back by.
    """

    def __init__(
        self, log: Growing, head: Engine, *, keep: int, branch_journal: int = BRANCH_JOURNAL
    ) -> None:
        self.log, self.head, self.keep = log, head, keep
        self.branch = head.branch(branch_journal)
        self._reached = head.position
        """Position that the branch has been replayed to."""
        self._tail = log.tail(head.position + 1)
        self._parts: deque[_Part] = deque()
        self._outcomes: deque[tuple[int, NDArray[np.uint64], NDArray[np.void]]] = deque()
        """Of what the head took, in pieces: first position, what was seen, wins."""
        self._user: ReferenceType[object] | None = None
        self._least = min(PART, keep // 8)
        self._ticks: list[tuple[int, int]] = []
        """Wall clock in milliseconds and position of each TICK kept."""

    @property
    def position(self) -> int:
        """Position of the head."""
        return self.head.position

    @property
    def lent(self) -> bool:
        """Whether somebody stands on head and branch: nobody else moves them until it is gone."""
        return self._user is not None and self._user() is not None

    def lend(self, user: object) -> None:
        """Leave head and branch to somebody, for as long as that object lives."""
        self._user = ref(user)

    def read(self, upto: int = END) -> None:
        """Take in what the log has got since, or has up to a position. The head stays."""
        while (records := self._tail.read(upto=upto)) is not None:
            self._keep(records)
            moves = records.moves
            at = np.flatnonzero(moves["kind"] == Kind.TICK)
            times, positions = moves["time_ms"][at].tolist(), records.positions[at].tolist()
            self._ticks.extend(zip(times, positions, strict=True))
        self._forget()

    def follow(self, upto: int = END) -> int:
        """Bring the head to the end of the log, or to a position; gives how many records that were.

        Raises ReplayError HG1521 for a record that does not behave as it did.
        """
        self.read(upto)
        begin = self.position
        for records in self.kept(begin):
            end = max(upto + 1 - records.first, 0)
            self.take(records.rows[:end], records.positions[:end])
        return self.position - begin

    def take(self, rows: NDArray[np.uint8], positions: NDArray[np.uint64]) -> None:
        """Let the head take the next records of the log, and keep what came of them.

        Raises ReplayError HG1521 for one that does not behave as it did.
        """
        if len(rows):
            found = take_log(self.head, self.log.partition, rows, positions)
            self._outcomes.append((int(positions[0]), *found))

    def outcomes(self, after: int) -> tuple[NDArray[np.uint64], NDArray[np.void]]:
        """Give what was seen of each record behind a position, up to the head, and wins (EVENT).

        Raises ValueError when they are not kept so far back.
        """
        if self.position <= after:
            return np.zeros(0, np.uint64), np.zeros(0, EVENT)
        first = self._outcomes[0][0] if self._outcomes else self.position + 1
        if after + 1 < first:
            raise ValueError(f"outcomes are kept from position {first} on")
        seen, wins = (
            np.concatenate(column) for column in list(zip(*self._outcomes, strict=True))[1:]
        )
        self._outcomes = deque([(first, seen, wins)])
        return seen[after + 1 - first :], wins[wins["position"] > after]

    def records(
        self, first: int = 1, *, batch: int = 65_536, upto: int = END
    ) -> Iterator[LogRecords]:
        """Give all records from a position to the end of the log: those that are kept, from here.

        So that a warm partition can stand for its log in a `huntgraph.timeline.history.Source`.
        """
        self.read(upto)
        kept = self._parts[0].records.first if self._parts else self.position + 1
        if first < kept:
            for records in self.log.records(first, batch=batch):
                if records.first >= kept:
                    break
                yield LogRecords(records.first, records.rows[: kept - records.first])
        yield from self.kept(max(first, kept) - 1)

    def before(self, time_ms: int) -> int:
        """Give the position of the last TICK at or before a time, the oldest kept if none is."""
        at = bisect_right(self._ticks, (time_ms, 1 << 63))
        return self._ticks[max(at - 1, 0)][1]

    def kept(self, after: int) -> list[LogRecords]:
        """Give all records behind a position that is kept, in parts as they were read."""
        return [_behind(part.records, after) for part in self._parts if part.end > after + 1]

    def replay(self, *, struck: Sequence[int] | NDArray[np.uint64] = ()) -> None:
        """Replay on the branch, from where it is to the head, without the moves of some players.

        Each of them counts as STRIKE: it takes its player's number and does nothing else, so that
        all positions stay. When the head has gone on, the same again brings the branch on too.
        """
        players = np.asarray(struck, np.uint64)
        after, self._reached = self._reached, self.position
        for part in self._parts:
            if part.end <= after + 1:
                continue
            records = _behind(part.records, after)
            numbers = part.moves_of(players)
            skipped = len(part.records.rows) - len(records.rows)
            mine = numbers[np.searchsorted(numbers, skipped) :] - np.uint32(skipped)
            self.branch.advance_log(records.rows, records.first, mine, head=self.head)

    def go_back(self, position: int) -> Engine:
        """Give the branch as the partition was after the record at `position`.

        Raises ValueError when the journal does not reach back so far.
        """
        self.branch.go_back(self.head, position)
        self._reached = position
        return self.branch

    def _keep(self, records: LogRecords) -> None:
        part = _Part.of(records)
        # Twice as long each time, so that a record is copied a few times only.
        while self._parts and len(self._parts[-1]) <= min(len(part), self._least):
            part = self._parts.pop().joined(part)
        self._parts.append(part)

    def _forget(self) -> None:
        floor = self.position - self.keep
        while self._parts and self._parts[0].end <= floor:
            self._parts.popleft()
        while self._outcomes and self._outcomes[0][0] + len(self._outcomes[0][1]) <= floor:
            self._outcomes.popleft()
        first = self._parts[0].records.first if self._parts else floor
        del self._ticks[: bisect_right(self._ticks, first - 1, key=itemgetter(1))]


def _behind(records: LogRecords, position: int) -> LogRecords:
    """Those behind a position."""
    first = max(records.first, position + 1)
    return LogRecords(first, records.rows[first - records.first :])
