"""Reading the ring: the in-memory bus of an actor, one writer, any number of readers.

The file is 4,096 bytes of header and a power of two of 64-byte slots (dtype EVENT). A slot's
``stamp`` is its sequence plus one, 0 while it is being written; the word ``head`` is the sequence
the writer gives out next. The writer never waits, so a reader that is too slow is lapped: it is
told what it lost as a `Gap`. Format: ``docs/reference/ring-format.md``.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import ActorError
from huntgraph.schema import EVENT

__all__ = ["Batch", "Gap", "Ring"]

MAGIC: Final = int.from_bytes(b"HGRING\0\0", "little")
VERSION: Final = 1
HEADER_BYTES: Final = 4096
HEAD: Final = 16
"""Index of the header word that holds the next sequence."""
SPARE: Final = 8
"""A lapped reader gives up one part in this of the ring more, so as not to be lapped at once."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Sequences ``first`` to ``last`` (both included) that a reader has lost."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """Events lost."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Batch:
    """What one read gave: ``events`` (dtype EVENT, shape ``(n,)``) from sequence ``first`` on.

    They follow each other without holes. ``gap`` is what was lost just before them, if anything.
    """

    first: int
    events: NDArray[np.void]
    gap: Gap | None = None


class Ring:
    """One reader of a ring, with a place of its own; starts at what is published from now on.

    Raises ActorError: HG1461 while there is no ring yet, HG1462 for a file that is no ring of
    this version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            with self.path.open("rb") as file:
                words: NDArray[Any] = np.memmap(file, dtype="<u8", mode="r")
                self._inode = self.path.stat().st_ino
        except (OSError, ValueError) as error:
            raise _not_ready(self.path, str(error)) from error
        self._words = np.asarray(words)
        if len(self._words) <= HEADER_BYTES // 8 or int(self._words[0]) == 0:
            raise _not_ready(self.path, "the writer has not finished making it")
        version, slots, slot_bytes = (int(word) for word in self._words[1:4])
        whole = len(self._words) * 8 == HEADER_BYTES + slots * 64
        if int(self._words[0]) != MAGIC or version != VERSION or slot_bytes != 64 or not whole:
            raise ActorError(
                "this is no ring of this version",
                where=self.path,
                fix="start the actor with the same version of huntgraph",
                code="HG1462",
            )
        self.slots = slots
        self._slots = self._words[HEADER_BYTES // 8 :].view(EVENT)
        self._stamps = self._words[HEADER_BYTES // 8 :: 8]
        self._fence = threading.Lock()
        self.next = self.head

    @property
    def head(self) -> int:
        """The sequence the writer gives out next."""
        return int(self._words[HEAD])

    @property
    def replaced(self) -> bool:
        """Whether the file at ``path`` is another one by now; then open a new reader."""
        try:
            return self.path.stat().st_ino != self._inode
        except OSError:
            return True

    @property
    def lag(self) -> int:
        """Events published and not read yet."""
        return max(0, self.head - self.next)

    def seek(self, sequence: int) -> None:
        """Go to a sequence; the next read tells of a gap when it is no longer there."""
        if sequence < 0:
            raise ValueError(f"sequences start at 0, not {sequence}")
        self.next = sequence

    def skip_to_latest(self, keep: int = 0) -> Gap | None:
        """Give up all but the ``keep`` newest events; tells what was given up."""
        target = max(self.next, self.head - keep)
        if target == self.next:
            return None
        gap = Gap(self.next, target - 1)
        self.next = target
        return gap

    def read(self, limit: int = 65_536) -> Batch:
        """Copy out what is there, at most ``limit`` events; does not wait.

        A gap comes with the batch that follows it. An event is given out only when its stamp was
        right before and after it was copied.
        """
        lost_from = self.next
        while True:
            head = self.head
            if head <= self.next:
                return self._batch(lost_from, np.empty(0, dtype=EVENT))
            if head - self.next > self.slots:
                self.next = head - self.slots + self.slots // SPARE
            wanted = np.arange(self.next, min(head, self.next + limit), dtype=np.uint64)
            events, torn = self._copy(wanted)
            if torn < len(wanted):
                self.next += torn
                return self._batch(lost_from, events[torn:])
            # All of it was overwritten while it was copied.
            self.next = max(self.next + 1, self.head - self.slots + self.slots // SPARE)

    def _batch(self, lost_from: int, events: NDArray[np.void]) -> Batch:
        first = self.next
        self.next += len(events)
        gap = Gap(lost_from, first - 1) if first > lost_from else None
        return Batch(first, events, gap)

    def _copy(self, wanted: NDArray[np.uint64]) -> tuple[NDArray[np.void], int]:
        """Copy the slots of these sequences; also how many at the front are not to be trusted."""
        start = int(wanted[0]) & (self.slots - 1)
        end = start + len(wanted)
        before = self._turned(self._stamps, start, end)
        self._order_loads()
        events = self._turned(self._slots, start, end)
        self._order_loads()
        after = self._turned(self._stamps, start, end)
        right = wanted + np.uint64(1)
        # The writer goes upwards, so what it has overwritten lies at the front.
        wrong = np.flatnonzero((before != right) | (after != right))
        return events, int(wrong[-1]) + 1 if len(wrong) else 0

    def _turned(self, array: NDArray[Any], start: int, end: int) -> NDArray[Any]:
        if end <= self.slots:
            return array[start:end].copy()
        return np.concatenate([array[start:], array[: end - self.slots]])

    def _order_loads(self) -> None:
        # NumPy has no fences. Two lock cycles in a row keep loads before them before, and loads
        # after them after, on every machine; on x86-64 loads keep their order anyway.
        with self._fence:
            pass
        with self._fence:
            pass


def _not_ready(path: Path, why: str) -> ActorError:
    return ActorError(
        f"there is no ring to read yet: {why}",
        where=path,
        fix="start the actor, then try again",
        code="HG1461",
    )
