"""Reading an actor's counters file: named numbers and histograms of times.

The file describes itself: a header of eight words, one entry of eight words a name, then the
numbers. One process writes them with plain stores; a reader may see a histogram in the middle of
a record, so that sums can be one ahead of counts. Format: ``docs/reference/counters.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.bus.histogram import BUCKETS, Histogram
from huntgraph.errors import ActorError

__all__ = ["Counters", "Reading"]

MAGIC: Final = int.from_bytes(b"HGCOUNT\0", "little")
VERSION: Final = 2
HEADER_WORDS: Final = 8
ENTRY_WORDS: Final = 8
HISTOGRAM_HEAD: Final = 8
COUNTER, HISTOGRAM = 1, 2


@dataclass(frozen=True)
class Reading:
    """All numbers of a counters file at one moment.

    ``pid`` and ``started_ms`` are those of the actor that counts: with another one everything
    began at 0 again.
    """

    pid: int
    started_ms: int
    values: dict[str, int]
    histograms: dict[str, Histogram]

    def to_dict(self) -> dict[str, Any]:
        """Give it JSON-ready."""
        histograms = {name: each.to_dict() for name, each in self.histograms.items()}
        return {
            "pid": self.pid,
            "started_ms": self.started_ms,
            "values": self.values,
            "histograms": histograms,
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Reading:
        """Read what `to_dict` gave; other things raise LookupError, TypeError or ValueError."""
        values = {str(name): int(value) for name, value in body["values"].items()}
        histograms = {
            str(name): Histogram.from_dict(each) for name, each in body["histograms"].items()
        }
        return cls(int(body["pid"]), int(body["started_ms"]), values, histograms)


class Counters:
    """An actor's counters file, mapped; every look at it reads the numbers as they are.

    Raises ActorError: HG1463 while there is no such file, HG1464 for one of another kind.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            with self.path.open("rb") as file:
                words: NDArray[Any] = np.memmap(file, dtype="<u8", mode="r")
                self._inode = self.path.stat().st_ino
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise ActorError(
                f"there are no counters to read: {reason}",
                where=self.path,
                fix="start huntgraph serve there, or name the folder that it was started with",
                code="HG1463",
            ) from error
        self._words = np.asarray(words)
        self._places: dict[str, tuple[int, int]] = dict(self._entries())
        self.pid = int(self._words[5])
        self.started_ms = int(self._words[6])

    def __repr__(self) -> str:
        return f"<Counters {self.path}: {len(self._places)} entries of process {self.pid}>"

    def _entries(self) -> Iterator[tuple[str, tuple[int, int]]]:
        words = self._words
        sized = len(words) >= HEADER_WORDS and int(words[4]) == len(words) * 8
        if not sized or int(words[0]) != MAGIC or int(words[1]) != VERSION or int(words[3]) != 64:
            raise self._foreign()
        count = int(words[2])
        if count > (len(words) - HEADER_WORDS) // ENTRY_WORDS:
            raise self._foreign()
        for index in range(count):
            entry = words[HEADER_WORDS + index * ENTRY_WORDS :][:ENTRY_WORDS]
            name = entry[:5].tobytes().rstrip(b"\0").decode("ascii", "replace")
            kind, offset = int(entry[5]), int(entry[6])
            size = 1 if kind == COUNTER else HISTOGRAM_HEAD + BUCKETS
            fits = offset % 8 == 0 and offset // 8 + size <= len(words) and int(entry[7]) == size
            if kind not in (COUNTER, HISTOGRAM) or not fits:
                raise self._foreign()
            yield name, (kind, offset // 8)

    def _foreign(self) -> ActorError:
        return ActorError(
            "this is no counters file of this version",
            where=self.path,
            fix="start the actor with the same version of huntgraph",
            code="HG1464",
        )

    @property
    def replaced(self) -> bool:
        """Whether a restarted actor has made a new file; then open that one."""
        try:
            return self.path.stat().st_ino != self._inode
        except OSError:
            return True

    @property
    def counter_names(self) -> list[str]:
        """The names of the plain numbers, in the order of the file."""
        return [name for name, (kind, _) in self._places.items() if kind == COUNTER]

    @property
    def histogram_names(self) -> list[str]:
        """The names of the histograms, in the order of the file."""
        return [name for name, (kind, _) in self._places.items() if kind == HISTOGRAM]

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def value(self, name: str) -> int:
        """Give a number as it is now. Raises KeyError for a name that is not a counter's."""
        kind, at = self._places[name]
        if kind != COUNTER:
            raise KeyError(name)
        return int(self._words[at])

    def values(self) -> dict[str, int]:
        """Give all plain numbers as they are now."""
        return {name: self.value(name) for name in self.counter_names}

    def histogram(self, name: str) -> Histogram:
        """Copy a histogram. Raises KeyError for a name that is not a histogram's."""
        kind, at = self._places[name]
        if kind != HISTOGRAM:
            raise KeyError(name)
        words = self._words[at : at + HISTOGRAM_HEAD + BUCKETS]
        buckets = words[HISTOGRAM_HEAD:].astype(np.int64)
        return Histogram(int(words[1]), int(words[2]), buckets)

    def read(self) -> Reading:
        """Copy everything."""
        histograms = {name: self.histogram(name) for name in self.histogram_names}
        return Reading(self.pid, self.started_ms, self.values(), histograms)
