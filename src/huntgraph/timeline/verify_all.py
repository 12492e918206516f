"""`verify` over all partitions of a folder, and what went between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import UsageError
from huntgraph.schema import ARRIVAL, Event, Kind
from huntgraph.timeline.history import History
from huntgraph.timeline.outcomes import outcomes
from huntgraph.timeline.snapshot import newest_snapshot
from huntgraph.timeline.verify import Problem, Verification, verify

__all__ = ["Verified", "check_crossings", "verify_all"]

ANY = 1 << 63


@dataclass
class Verified:
    """What was found: one outcome a partition, and players taken that nobody had handed over."""

    partitions: dict[int, Verification] = field(default_factory=dict)
    crossings: list[tuple[int, Problem]] = field(default_factory=list)
    """Partition that took it, and where."""

    @property
    def sound(self) -> bool:
        """Whether all is as recorded."""
        return not self.crossings and all(found.sound for found in self.partitions.values())

    def first_bad(self) -> tuple[int, Problem] | None:
        """Give the first bad position, of the partition with the lowest number that has one."""
        bad = [(n, problem) for n, found in self.partitions.items() for problem in found.problems]
        return min([*bad, *self.crossings], key=lambda p: (p[0], p[1].position), default=None)

    def to_dict(self) -> dict[str, Any]:
        """Give it as JSON-ready values."""
        first = self.first_bad()
        return {
            "sound": self.sound,
            "first_bad": None if first is None else f"{first[0]}/{first[1].position}",
            "partitions": {str(n): found.to_dict() for n, found in self.partitions.items()},
            "crossings": [
                {"partition": n, "position": problem.position, "what": problem.what}
                for n, problem in self.crossings
            ],
        }


def verify_all(
    history: History,
    *,
    from_snapshot: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Verified:
    """Replay all partitions and compare everything that was recorded; see `verify`.

    `from_snapshot` begins at each partition's newest snapshot, which must be whole; from the
    start, each player taken over a border is compared with who was handed over. Where the log's
    beginning was dropped, the start is the oldest snapshot. Raises LogError, UsageError when there
    is no snapshot to begin from.
    """
    found = Verified()
    for number, source in history.sources.items():
        assert source.directory is not None
        begin = ANY if from_snapshot else source.begin()[0]
        snapshot = newest_snapshot(source.directory, begin) if begin else None
        if begin and snapshot is None:
            what = "there is no whole snapshot to begin at"
            fix = "verify from the start; if that was dropped, use a copy of the folder"
            raise UsageError(what, where=source.directory, fix=fix)
        found.partitions[number] = verify(
            source.directory,
            source.world,
            partition=number,
            snapshot=snapshot,
            progress=progress,
        )
    if not from_snapshot and len(history.sources) > 1 and found.sound:
        found.crossings = check_crossings(history)
    return found


def check_crossings(history: History) -> list[tuple[int, Problem]]:
    """Compare each ARRIVE with who was handed over there: player, number and cause.

    Gives the partition that took it and where, for each that nobody had sent like that, as far
    as history reaches back.
    """
    sent: dict[int, set[tuple[int, ...]]] = {}
    begins = {number: part.begin for number, part in history.index().of.items()}
    for number in history.sources:
        _, stream = outcomes(history, number, begins[number] + 1)
        for outcome in stream:
            handed = outcome.events[outcome.events["kind"] == Event.HANDED]
            for to, n, cause, player in _columns(handed, "value", "a", "position", "player"):
                sent.setdefault(to, set()).add((number, n, cause, player))
    found = []
    for number, source in history.sources.items():
        for records in source.records(begins[number] + 1):
            arrivals = np.flatnonzero(records.of(Kind.ARRIVE))
            rows = records.rows.view(ARRIVAL).reshape(-1)[arrivals]
            parcels = _columns(rows, "from", "number", "cause", "player")
            for at, parcel in zip(arrivals.tolist(), parcels, strict=True):
                # Who was handed over before history begins there is not known any more.
                known = parcel[2] > begins.get(parcel[0], 0)
                if known and parcel not in sent.get(number, set()):
                    what = f"player {parcel[3]} was taken as nobody had handed it over"
                    found.append((number, Problem(records.first + at, what)))
    return found


def _columns(table: NDArray[np.void], *names: str) -> list[tuple[int, ...]]:
    return list(zip(*(table[name].tolist() for name in names), strict=True))
