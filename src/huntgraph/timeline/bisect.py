"""`bisect`: the first record behind which two histories, or two builds, are not the same.

Both sides give state hashes at positions; a search of a few rounds finds two neighbours of which
the first has equal hashes. Then both are taken there and compared cell by cell, and both states
are kept in a folder.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import ReplayError, UsageError
from huntgraph.schema import Kind
from huntgraph.timeline.history import History
from huntgraph.timeline.tables import Differences, compare, describe_cell

__all__ = ["Build", "Found", "Recorded", "Side", "bisect"]

FAN: Final = 64
"""Positions asked for in one round: a side replays its log once a round."""
Cells = tuple[NDArray[np.uint64], NDArray[np.uint64]]


class Side(Protocol):
    """One of the two that are compared."""

    def begin(self) -> int:
        """Give the first position whose state is known."""

    def end(self) -> int:
        """Give the last position."""

    def hashes(self, positions: Sequence[int]) -> list[int]:
        """Give the state hash at positions, which rise."""

    def cells(self, position: int) -> Cells:
        """Give all cells of the state at a position."""

    def record(self, position: int) -> bytes:
        """Give the record at a position."""


class Recorded:
    """A partition of a history, replayed in this process."""

    def __init__(self, history: History, partition: int) -> None:
        self.history, self.partition = history, partition

    def begin(self) -> int:
        """Give where history begins."""
        return self.history.index().of[self.partition].begin

    def end(self) -> int:
        """Give the last position."""
        return self.history.index().of[self.partition].end

    def hashes(self, positions: Sequence[int]) -> list[int]:
        """Give the state hash at positions, which rise."""
        engine, found = self.history.start(self.partition, positions[0]), []
        for position in positions:
            for records in self.history.sources[self.partition].records(
                engine.position + 1, position
            ):
                engine.apply(records.rows)
                engine.events()
            found.append(engine.state_hash())
        return found

    def cells(self, position: int) -> Cells:
        """Give all cells of the state at a position."""
        return self.history.engine_at(self.partition, position).cells()

    def record(self, position: int) -> bytes:
        """Give the record at a position."""
        (records,) = self.history.sources[self.partition].records(position, position)
        return bytes(records.rows[0].tobytes())


class Build:
    """The same log under another build: a command that starts its Python, such as a path to it.

    The other build replays by itself, with ``COMMAND -m huntgraph.timeline.probe``.
    """

    def __init__(
        self, command: Sequence[str], history: History, partition: int, world: Path
    ) -> None:
        self._command, self._world = list(command), world
        self._own = Recorded(history, partition)

    def begin(self) -> int:
        """Give the start of the log: snapshots are not used. Raises LogDroppedError."""
        if (begin := self._own.begin()) > 0:
            raise self._own.history.dropped(self._own.partition, begin - 1)
        return 0

    def end(self) -> int:
        """Give the last position."""
        return self._own.end()

    def hashes(self, positions: Sequence[int]) -> list[int]:
        """Give the state hash at positions, which rise."""
        return [int(text, 16) for text in self._ask([*map(str, positions)])["hashes"]]

    def cells(self, position: int) -> Cells:
        """Give all cells of the state at a position."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "cells.npz"
            self._ask([str(position), "--cells", str(file)])
            with np.load(file) as found:
                return found["names"], found["words"]

    def record(self, position: int) -> bytes:
        """Give the record at a position."""
        return self._own.record(position)

    def _ask(self, words: list[str]) -> dict[str, Any]:
        source = self._own.history.sources[self._own.partition]
        place = [str(source.directory), str(self._world), str(self._own.partition)]
        command = [*self._command, "-m", "huntgraph.timeline.probe", *place, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            what = f"the other build cannot replay: {done.stderr.strip()[-300:] or 'no message'}"
            fix = "name a Python that imports huntgraph"
            raise UsageError(what, where=self._command[0], fix=fix)
        return dict(json.loads(done.stdout))


@dataclass(frozen=True)
class Found:
    """The first position whose states differ, and what differs there."""

    position: int
    records: tuple[str, str]
    """Hexadecimal; they are equal when two builds do different things with one record."""
    kinds: tuple[str, str]
    hashes: tuple[int, int]
    changes: Differences

    def first_cell(self) -> str:
        """Describe the first cell that differs."""
        return describe_cell(int(self.changes.names[0])) if len(self.changes.names) else ""

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON-ready values, with at most 100 cells."""
        some = zip(*(column[:100].tolist() for column in self.changes), strict=True)
        cells = [
            {"cell": describe_cell(n), "one": f"{a:016x}", "other": f"{b:016x}"} for n, a, b in some
        ]
        return {
            "position": self.position,
            "kinds": list(self.kinds),
            "records": list(self.records),
            "hashes": [f"{each:016x}" for each in self.hashes],
            "differing_cells": len(self.changes.names),
            "cells": cells,
        }


def bisect(one: Side, other: Side, keep: Path | None = None) -> Found | None:
    """Find the first position behind which two sides differ; None when they are the same.

    Looked for among the positions that both have; a difference that is gone again before the next
    of 64 places, evenly over all of them, is not seen. `keep` gets both states there as
    ``one.npz`` and ``other.npz`` (names, words). Raises ReplayError HG1524 when they differ from
    the start, which is another world or another capacity, not a record. Both begin where the
    histories of both do.
    """
    low, high = max(one.begin(), other.begin()), min(one.end(), other.end())
    if not _equal(one, other, [low])[0]:
        what = "both differ before the first record"
        raise ReplayError(what, fix="compare the worlds", code="HG1524")
    while True:
        places = np.unique(np.linspace(low, high, FAN + 1).astype(np.int64))[1:].tolist()
        same = _equal(one, other, places)
        if all(same):
            return None
        first = same.index(False)
        low, high = [low, *places][first], places[first]
        if high - low == 1:
            break
    states = one.cells(high), other.cells(high)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        for name, (names, words) in zip(("one", "other"), states, strict=True):
            np.savez(keep / f"{name}.npz", names=names, words=words)
    records = one.record(high), other.record(high)
    kinds = (_kind(records[0]), _kind(records[1]))
    hashes = (one.hashes([high])[0], other.hashes([high])[0])
    return Found(high, (records[0].hex(), records[1].hex()), kinds, hashes, compare(*states))


def _equal(one: Side, other: Side, positions: list[int]) -> list[bool]:
    return [a == b for a, b in zip(one.hashes(positions), other.hashes(positions), strict=True)]


def _kind(record: bytes) -> str:
    return Kind(record[0]).name if record[0] in list(Kind) else str(record[0])
