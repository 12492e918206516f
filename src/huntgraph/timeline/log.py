"""The log of a partition as NumPy arrays, read beside a running actor or after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huntgraph import _core
from huntgraph.errors import LogError
from huntgraph.schema import MOVE, RULE, Kind

__all__ = ["Log", "LogRecords"]


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
        return np.isin(self.rows[:, 0], [int(kind) for kind in kinds])


class Log:
    """The log in an actor's `directory`.

    Raises LogError HG1501 when there is none, it belongs to another world or partition, or it is
    damaged; reading stops before the damage.
    """

    def __init__(self, directory: str | Path, *, world_id: int, partition: int = 0) -> None:
        self.directory = Path(directory)
        self.world_id = world_id
        self.partition = partition

    def records(self, first: int = 1, *, batch: int = 65_536) -> Iterator[LogRecords]:
        """Give all records from position `first` to the present end, about `batch` at a time."""
        try:
            reader = _core.LogReader(
                self.directory / "log",
                partition=self.partition,
                world_id=self.world_id,
                first=first,
            )
            while True:
                at, rows = reader.read(batch)
                if not len(rows):
                    return
                yield LogRecords(at, rows)
        except (OSError, ValueError) as error:
            raise LogError(
                code="HG1501",
                what=f"the log cannot be read: {error}",
                where=str(self.directory),
                fix="check the directory and the world; keep a damaged log for inspection",
            ) from error
