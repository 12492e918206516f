"""`Index`: what one pass over the logs of all partitions tells about time and borders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import ARRIVAL, CORRECTION, Kind
from huntgraph.timeline.cells import bare_hash
from huntgraph.timeline.log import LogRecords
from huntgraph.timeline.tables import ADDED, PLAYER, tag_of

__all__ = ["ACK", "TAKEN", "TICK", "Correction", "Index", "PartitionIndex"]

TICK: Final = np.dtype([("position", "u8"), ("tick", "u4"), ("time_ms", "u8")])
"""A tick: where it stands in the log, its number, the wall clock in ms since 1970."""
TAKEN: Final = np.dtype([("position", "u8"), ("from", "u2"), ("number", "u8"), ("cause", "u8")])
"""A parcel taken here: position of the record, sender, number, position of its cause there."""
ACK: Final = np.dtype([("position", "u8"), ("to", "u2"), ("number", "u8")])
"""A HANDED_ON: partition `to` holds all parcels from here up to `number`."""

_MARK: Final = np.dtype([("position", "u8"), ("kind", "u1"), ("id", "u8"), ("word", "u8")])
"""A FENCE with the state hash that it was made at, or a SETTLE with the bare hash it ended with."""

Table = NDArray[np.void]


@dataclass(frozen=True)
class Correction:
    """A correction in a log, from its FENCE to its SETTLE."""

    id: int
    fence: int
    """Position of the FENCE."""
    settle: int | None
    """Position of the SETTLE; None while it is under way."""
    changed_nothing: bool
    """Whether it set no cell, or its cells got their old words back before it ended."""


@dataclass
class PartitionIndex:
    """Of one partition; all tables are in the order of the log."""

    end: int = 0
    """Position of the last record read."""
    first: int = 1
    """Position of the first record there is."""
    begin: int = 0
    """Where history begins: the first position whose state can be made."""
    added: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    """Ends of all edges that may have been added, the greater in the upper half, sorted."""
    players: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    """Ids of all who ever got a place in the table, sorted."""
    lost: list[tuple[int, int]] = field(default_factory=list)
    """First and last position of records that could not be read, where they were named."""
    _ticks: list[Table] = field(default_factory=list)
    _taken: list[Table] = field(default_factory=list)
    _acks: list[Table] = field(default_factory=list)
    _marks: list[Table] = field(default_factory=list)

    @property
    def edges_added(self) -> int:
        """Edges that may have been added, by EDGE_ADD or by corrections."""
        return len(self.added)

    @property
    def ticks(self) -> Table:
        """All ticks, dtype TICK."""
        return _joined(self._ticks, TICK)

    @property
    def taken(self) -> Table:
        """All parcels taken, dtype TAKEN."""
        return _joined(self._taken, TAKEN)

    @property
    def acks(self) -> Table:
        """All acknowledgements, dtype ACK."""
        return _joined(self._acks, ACK)

    @property
    def corrections(self) -> list[Correction]:
        """All corrections."""
        marks = [*_joined(self._marks, _MARK).tolist(), (None, 0, 0, 0)]
        return [
            Correction(
                number, fence, settle, settle == fence + 1 or bare_hash(was, fence - 1) == bare
            )
            for (fence, kind, number, was), (settle, _, _, bare) in pairwise(marks)
            if kind == Kind.FENCE
        ]

    def follow(self, records: LogRecords) -> None:
        """Take in the records behind those seen so far."""
        if not len(records.rows):
            return
        if not self.end:
            self.first = records.first
        self.end = records.first + len(records.rows) - 1
        moves, kinds = records.moves, records.rows[:, 0]
        for position in records.positions[kinds == 0].tolist():
            goes_on = bool(self.lost) and self.lost[-1][1] == position - 1
            first = self.lost.pop()[0] if goes_on else position
            self.lost.append((first, position))
        ticks = np.flatnonzero(kinds == Kind.TICK)
        self._ticks += _table(records, ticks, TICK, tick=moves["arg"], time_ms=moves["time_ms"])
        parcels = np.flatnonzero((kinds == Kind.ARRIVE) | (kinds == Kind.NOTICE))
        # Sender, number and cause stand in the same places of an arrival and a notice.
        rows = records.rows.view(ARRIVAL).reshape(-1)
        names = ("from", "number", "cause")
        self._taken += _table(records, parcels, TAKEN, **{name: rows[name] for name in names})
        acks = np.flatnonzero(kinds == Kind.HANDED_ON)
        self._acks += _table(records, acks, ACK, to=moves["arg"], number=moves["a"])
        marks = np.flatnonzero((kinds == Kind.FENCE) | (kinds == Kind.SETTLE))
        ends = records.rows.view(CORRECTION).reshape(-1)
        columns = {"kind": kinds, "id": ends["id"], "word": ends["word_1"]}
        self._marks += _table(records, marks, _MARK, **columns)
        # What a correction makes stands alone in its row (rules, section 12).
        rows, cells = ends[kinds == Kind.CORRECT], tag_of(ends["name_1"][kinds == Kind.CORRECT])
        adds, made = moves[kinds == Kind.EDGE_ADD], rows["word_1"][cells == ADDED]
        half = np.uint64(32)
        tails = np.concatenate([adds["from"], made & np.uint64(0xFFFF_FFFF)]).astype(np.uint64)
        heads = np.concatenate([adds["to"], made >> half]).astype(np.uint64)
        between = np.maximum(tails, heads) << half | np.minimum(tails, heads)
        self.added = _joined_with(self.added, between)
        made = rows["word_1"][(cells == PLAYER) & (rows["name_1"] % np.uint64(8) == 0)]
        came = moves["player"][records.of(Kind.ENTER, Kind.ARRIVE, Kind.STRIKE)]
        self.players = _joined_with(self.players, np.concatenate([came, made]))

    def time_at(self, positions: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], ...]:
        """Give wall clock (ms) and tick at positions: those of the last tick up to each, else 0."""
        ticks = self.ticks
        at = np.searchsorted(ticks["position"], positions, side="right")
        times = np.concatenate([np.zeros(1, np.uint64), ticks["time_ms"]])[at]
        return times, np.concatenate([np.zeros(1, np.uint32), ticks["tick"]])[at]

    def position_at(self, time_ms: int) -> int:
        """Give the position of the last tick at or before a time, 0 before the first.

        The wall clock is taken to run forward; where it was set back, the first place counts.
        """
        ticks = self.ticks
        later = np.flatnonzero(ticks["time_ms"] > time_ms)
        upto = ticks if not len(later) else ticks[: later[0]]
        return int(upto["position"][-1]) if len(upto) else 0

    def taken_at(self, origin: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Give numbers (rising) and positions of the parcels taken from a partition."""
        taken = self.taken
        mine = taken[taken["from"] == origin]
        return mine["number"], mine["position"]


class Index:
    """The index of several partitions, by number."""

    def __init__(self, partitions: Iterable[int]) -> None:
        self.of = {number: PartitionIndex() for number in partitions}

    def follow(self, partition: int, records: LogRecords) -> None:
        """Take in the next records of a partition's log."""
        self.of[partition].follow(records)

    def ends(self) -> dict[int, int]:
        """Give the last position of each partition."""
        return {number: part.end for number, part in self.of.items()}


def _table(
    records: LogRecords, at: NDArray[np.intp], dtype: np.dtype[np.void], **columns: Table
) -> list[Table]:
    if not len(at):
        return []
    table = np.zeros(len(at), dtype)
    table["position"] = records.first + at
    for name, values in columns.items():
        table[name] = values[at]
    return [table]


def _joined_with(known: NDArray[np.uint64], came: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Sorted words with others; nearly all of those are known, and there are many of them."""
    at = np.searchsorted(known, came)
    old = np.append(known, np.uint64(0))[at] == came
    old[at == len(known)] = False
    return known if old.all() else np.union1d(known, came[~old])


def _joined(parts: list[Table], dtype: np.dtype[np.void]) -> Table:
    """One table of several; the list keeps the joined one."""
    if not parts:
        return np.zeros(0, dtype)
    if len(parts) > 1:
        parts[:] = [np.concatenate(parts)]
    return parts[0]
