"""Reading the ring: the in-memory bus of an actor, one writer, any number of readers.

The file is 4,096 bytes of header and a power of two of 64-byte slots (dtype EVENT). The word
``head`` is the sequence the writer gives out next; slots of sequences below the word ``claimed``
may be written at any time. The writer never waits, so a reader that is too slow is lapped: it is
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
VERSION: Final = 2
HEADER_BYTES: Final = 4096
HEAD: Final = 16
"""Index of the header word that holds the next sequence."""
CLAIMED: Final = 32
"""Index of the header word below which sequences' slots may be written."""
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
        self._fence = threading.Lock()
        self.next = self.head

    def __repr__(self) -> str:
        return f"<Ring {self.path}: {self.slots:,} slots, {self.lag:,} events to read>"

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

        A gap comes with the batch that follows it. An event is given out only when its slot was
        not claimed for a later one before it was copied whole.
        """
        lost_from = self.next
        while True:
            head = self.head
            if head <= self.next:
                return self._batch(lost_from, np.empty(0, dtype=EVENT))
            if self._oldest > self.next:
                self.next = min(head, self._oldest + self.slots // SPARE)
            events = self._copy(self.next, min(head, self.next + limit))
            self._order_loads()
            lost = self._oldest - self.next
            if lost < len(events) or not len(events):
                self.next += max(lost, 0)
                return self._batch(lost_from, events[max(lost, 0) :])
            # All of it was claimed while it was copied: once more, from later on.

    @property
    def _oldest(self) -> int:
        """The oldest sequence whose slot is not claimed for another."""
        return int(self._words[CLAIMED]) - self.slots

    def _batch(self, lost_from: int, events: NDArray[np.void]) -> Batch:
        first = self.next
        self.next += len(events)
        gap = Gap(lost_from, first - 1) if first > lost_from else None
        return Batch(first, events, gap)

    def _copy(self, first: int, end: int) -> NDArray[np.void]:
        """Copy the slots of sequences from ``first`` to before ``end``."""
        self._order_loads()
        at, count = first & (self.slots - 1), end - first
        turned = self._slots[at : at + count], self._slots[: max(0, at + count - self.slots)]
        events = np.concatenate(turned)
        # Without the writer's mark for events that came in a batch.
        events["stamp"] = np.arange(first + 1, end + 1)
        return events

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
