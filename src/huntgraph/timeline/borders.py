"""Borders in a fork: which of its parcels are taken where, and acknowledged where.

The original run tells which position of p sent parcel n to q, its cause, and which position of q
took it. Where q took n, the fork's q gets the fork's own parcels from p that had been sent by
when n was; where p learnt that q holds n, the fork's p learns what the fork's q held when n was
taken. An unedited fork therefore applies exactly the log, and the order in which partitions are
replayed does not matter, as long as each record comes after what it depends on.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import ARRIVAL
from huntgraph.timeline.index import Index

__all__ = ["Originals", "Sent"]

Way = tuple[int, int]
"""From one partition to another."""


@dataclass
class Sent:
    """The fork's own parcels on one way, from the first unacknowledged one at its point on."""

    base: int
    """Parcels acknowledged at the fork's point: the number before the first one here."""
    rows: list[NDArray[np.uint8]] = field(default_factory=list)
    causes: list[int] = field(default_factory=list)

    def collect(self, parcels: NDArray[np.uint8]) -> None:
        """Take in the outbox, shape (n, 64): those parcels of it that are new."""
        if not len(parcels):
            return
        table = parcels.view(ARRIVAL).reshape(-1)
        new = table["number"] > self.base + len(self.rows)
        self.rows += list(parcels[new])
        self.causes += table["cause"][new].tolist()

    def forget(self, count: int) -> None:
        """Forget all but the first so many parcels."""
        del self.rows[count:], self.causes[count:]

    @property
    def last(self) -> int:
        """Number of the last parcel."""
        return self.base + len(self.rows)

    def upto(self, cause: int) -> int:
        """Number of the last parcel that was sent at or before a position."""
        return self.base + bisect_right(self.causes, cause)

    def between(self, taken: int, number: int) -> list[NDArray[np.uint8]]:
        """Parcels behind `taken` up to `number`."""
        return self.rows[max(taken - self.base, 0) : max(number - self.base, 0)]


class Originals:
    """What crossed the borders in the original run, and what was still under way at its head."""

    def __init__(self, index: Index) -> None:
        self._places: dict[Way, tuple[list[int], list[int]]] = {}
        self._last: dict[tuple[Way, int], int] = {}
        self.outbox: dict[Way, tuple[list[int], list[int]]] = {}
        """Numbers and causes of the parcels not acknowledged at the head, by way."""
        for number, part in index.of.items():
            taken = part.taken
            for origin in np.unique(taken["from"]).tolist():
                mine = taken[taken["from"] == origin]
                way = (origin, number)
                self._places[way] = (mine["number"].tolist(), mine["position"].tolist())
                for parcel, cause in zip(
                    mine["number"].tolist(), mine["cause"].tolist(), strict=True
                ):
                    self._last[way, cause] = parcel

    def set_outbox(self, way: Way, parcels: NDArray[np.uint8]) -> None:
        """Tell what was not acknowledged at the head, shape (n, 64)."""
        table = parcels.view(ARRIVAL).reshape(-1)
        self.outbox[way] = (table["number"].tolist(), table["cause"].tolist())
        for number, cause in zip(*self.outbox[way], strict=True):
            self._last[way, cause] = max(number, self._last.get((way, cause), 0))

    def behind(self, way: Way, number: int, cause: int) -> int:
        """How many parcels of the same cause follow this one: several notices of one find."""
        return self._last.get((way, cause), number) - number

    def taken_where(self, way: Way, number: int) -> int:
        """Position at which the receiver took a parcel; 0 when before its log begins."""
        numbers, positions = self._places.get(way, ([], []))
        at = number - numbers[0] if numbers else -1
        return positions[at] if 0 <= at < len(positions) else 0

    def taken_upto(self, way: Way, head: int) -> int:
        """Number of the last parcel that the receiver had taken at its head."""
        numbers, positions = self._places.get(way, ([], []))
        upto = bisect_right(positions, head)
        return numbers[upto - 1] if upto else 0

    def first_under_way(self, way: Way, head: int) -> int | None:
        """Cause of the oldest parcel that the receiver had not taken at its head."""
        return self._cause_behind(way, self.taken_upto(way, head))

    def first_unacknowledged(self, way: Way) -> int | None:
        """Cause of the oldest parcel that was not acknowledged at the head."""
        numbers, causes = self.outbox.get(way, ([], []))
        return causes[0] if numbers else None

    def _cause_behind(self, way: Way, taken: int) -> int | None:
        numbers, causes = self.outbox.get(way, ([], []))
        return next((c for n, c in zip(numbers, causes, strict=True) if n > taken), None)
