"""The log of a partition as NumPy arrays, read beside a running actor or after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph import _core
from huntgraph.errors import LogDamagedError, LogDroppedError, LogError
from huntgraph.schema import MOVE, RULE, Kind
from huntgraph.timeline.kinds import among

__all__ = ["END", "Log", "LogRecords", "Tail"]

END: Final = 2**64 - 1
"""Behind all positions."""


@dataclass(frozen=True, slots=True)
class LogRecords:
    """Consecutive records: row i has position `first + i`. `rows` has shape (n, 64), bytes."""

    first: int
    rows: NDArray[np.uint8]

    @property
    def moves(self) -> NDArray[np.void]:
        """All records as moves, shape (n,), dtype MOVE; mind `kind` before reading other fields."""
        return self.rows.view(MOVE).reshape(-1)

    @property
    def rules(self) -> NDArray[np.void]:
        """All records as rows of hunts, shape (n,), dtype RULE."""
        return self.rows.view(RULE).reshape(-1)

    @property
    def positions(self) -> NDArray[np.uint64]:
        """The position of each row, shape (n,)."""
        return np.arange(self.first, self.first + len(self.rows), dtype=np.uint64)

    def of(self, *kinds: Kind) -> NDArray[np.bool_]:
        """Tell for each row whether its kind is one of these."""
        return among(self.rows[:, 0], kinds)


class Log:
    """The log in an actor's `directory`.

    Raises LogError HG1501 when there is none or it belongs to another world or partition,
    LogDroppedError where records were dropped, and LogDamagedError HG1511 where durable records
    cannot be read. Reading stops there, unless a position of the lost ones is in `without`: then
    each of them is a row of zeros.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        world_id: int,
        partition: int = 0,
        without: Iterable[int] = (),
    ) -> None:
        self.directory = Path(directory)
        self.world_id = world_id
        self.partition = partition
        self.without = set(without)
        self.needed: set[int] = set()
        """Positions of `without` at which reading would have stopped, as far as was read."""

    def records(
        self, first: int = 1, *, batch: int = 65_536, upto: int = END, far: bool = False
    ) -> Iterator[LogRecords]:
        """Give all records from position `first` to the present end, about `batch` at a time.

        Behind the block of position `upto` nothing is read. With `far` no place is taken for the
        end before all behind it was looked at, however much is lost (some milliseconds).
        """
        tail = Tail(self, first, far=far)
        while (records := tail.read(batch, upto)) is not None:
            yield records

    def tail(self, first: int = 1) -> Tail:
        """Give a place in the log, at position `first`, that can be read on from as it grows."""
        return Tail(self, first)

    def first_position(self) -> int:
        """Give the first position that is there: 1 where nothing was dropped."""
        return Tail(self, END).first_position()

    def unreadable(self, error: Exception) -> LogError:
        """Give the error to raise when it cannot be read."""
        if str(error).startswith("log-dropped"):
            return LogDroppedError(
                f"the log of partition {self.partition} has no such records any more: {error}",
                where=str(self.directory),
                fix="ask for what came later",
            )
        return LogError(
            code="HG1501",
            what=f"the log cannot be read: {error}",
            where=str(self.directory),
            fix="check the directory and the world; keep a damaged log for inspection",
        )

    def damaged(self, error: Exception, first: int, last: int) -> LogDamagedError:
        """Give the error to raise when the records of these positions are lost (none: a seal)."""
        name = f"{self.partition}/{first}"
        lost = f"{name} to {self.partition}/{last} are lost" if last >= first else "none is lost"
        fork = f"huntgraph fork create NAME --before {name} --without {name}"
        return LogDamagedError(
            code="HG1511",
            what=f"records cannot be read, {lost}: {error}",
            where=str(self.directory),
            fix=f"to go on without them: {fork} (also lookup, export, rollback); keep the log",
        )


class Tail:
    """A place in a log. Only for the thread that made it."""

    def __init__(self, log: Log, first: int, *, far: bool = False) -> None:
        self._log = log
        try:
            self._reader = _core.LogReader(
                log.directory / "log",
                partition=log.partition,
                world_id=log.world_id,
                first=first,
                without=sorted(log.without),
                far=far,
            )
        except (OSError, ValueError) as error:
            raise log.unreadable(error) from error

    def first_position(self) -> int:
        """Give the first position that is in the log. Raises LogError."""
        try:
            return self._reader.first_position()
        except (OSError, ValueError) as error:
            raise self._log.unreadable(error) from error

    def read(self, batch: int = 65_536, upto: int = END) -> LogRecords | None:
        """Give about `batch` records from here on; None at the present end. Raises LogError.

        Behind the block of position `upto` nothing is read, nor is it looked whether there is more.
        """
        try:
            at, rows = self._reader.read(batch, upto)
        except (OSError, ValueError) as error:
            if (lost := self._reader.lost) is not None:
                raise self._log.damaged(error, *lost) from error
            raise self._log.unreadable(error) from error
        self._log.needed.update(self._reader.needed)
        return LogRecords(at, rows) if len(rows) else None
