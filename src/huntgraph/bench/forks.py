"""Forks of the last seconds of all partitions, phase by phase, in a process of their own."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Engine
from huntgraph.schema import MOVE, Kind
from huntgraph.timeline import Log
from huntgraph.timeline.warm import Warm
from huntgraph.world import World

__all__ = ["Floor", "Forks", "Place", "Timing", "floor"]

T = TypeVar("T")
THREADS: Final = 2
EDGE: Final = 1


@dataclass(frozen=True)
class Place:
    """Where a partition is: its actor's folder and its world's file."""

    partition: int
    directory: Path
    world: Path


@dataclass
class Timing:
    """One fork: milliseconds of each phase, and what it came to."""

    phase_ms: dict[str, float] = field(default_factory=dict)
    records: int = 0
    changed_cells: int = 0
    changed_edges: int = 0
    began_s: float = 0.0
    """Of the wall clock, as `ended_s`."""
    ended_s: float = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure a phase."""
        began = time.perf_counter()
        yield
        self.phase_ms[name] = self.phase_ms.get(name, 0.0) + (time.perf_counter() - began) * 1e3


@dataclass(frozen=True)
class Floor:
    """What moving and comparing the same memory takes, milliseconds."""

    memcpy_ms: float
    memcmp_ms: float


class Forks:
    """All partitions, warm, and forks of them."""

    def __init__(self, places: Sequence[Place], *, players: int, history_s: float, rate: float):
        self.places, self.history_s = places, history_s
        self._pool = ThreadPoolExecutor(THREADS)
        keep = int(1.5 * rate * history_s / len(places)) + 2 * players
        self.warm = [_open(place, players, keep) for place in places]

    def follow(self) -> int:
        """Bring all heads to the ends of their logs; gives how many records that were."""
        return sum(warm.follow() for warm in self.warm)

    def settle(self) -> None:
        """Make all branches their heads, as is done between forks."""
        self._each(lambda warm: warm.go_back(warm.position))

    def fork(self, share: float) -> tuple[Timing, list[Change]]:
        """Fork `history_s` back, drop the moves of a share of the players, replay, compare."""
        timing = Timing(began_s=time.time())
        since_ms = int((time.time() - self.history_s) * 1e3)
        points = [warm.before(since_ms) for warm in self.warm]
        with timing.phase("fork"):
            self._zip(lambda warm, point: warm.go_back(point), points)
        with timing.phase("edit"):
            inputs = self._zip(lambda warm, point: _edit(warm, point, share), points)
        with timing.phase("replay"):
            self._zip(lambda warm, given: warm.branch.advance(*given), inputs)
        with timing.phase("diff"):
            changes = self._each(lambda warm: warm.branch.changes(warm.head))
        timing.records = sum(len(rows) for rows, _ in inputs)
        timing.changed_cells = sum(len(change[0]) for change in changes)
        timing.changed_edges = sum(_edges(change) for change in changes)
        timing.ended_s = time.time()
        return timing, changes

    def hashes_agree(self) -> bool:
        """Whether forks without edits end where the heads are."""
        self.fork(0.0)
        return all(warm.branch.state_hash() == warm.head.state_hash() for warm in self.warm)

    def _each(self, do: Callable[[Warm], T]) -> list[T]:
        return list(self._pool.map(do, self.warm))

    def _zip(self, do: Callable[[Warm, U], T], given: Sequence[U]) -> list[T]:
        return list(self._pool.map(do, self.warm, given))


Change = tuple[NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint64]]
U = TypeVar("U")


def floor(bytes_each: int, images: int) -> Floor:
    """Copy and compare as much memory as all images are, on as many threads."""
    pair = [np.zeros(bytes_each, np.uint8), np.ones(bytes_each, np.uint8)]
    pair[0][:] = pair[1]
    copy = min(_timed(lambda: np.copyto(pair[0], pair[1])) for _ in range(5))
    compare = min(_timed(lambda: np.array_equal(pair[0], pair[1])) for _ in range(5))
    return Floor(copy * images / THREADS, compare * images / THREADS)


def resident_bytes() -> int:
    """Give the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1e3


def _open(place: Place, players: int, keep: int) -> Warm:
    world = World.open(place.world, verify="header")
    head = Engine(world, players=players, journal=1 << (2 * keep).bit_length())
    log = Log(place.directory, world_id=world.world_id, partition=place.partition)
    return Warm(log, head, keep=keep)


def _edit(warm: Warm, point: int, share: float) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Strike the moves of every so-many-th player."""
    rows = warm.records(point)
    if share:
        moves = rows.view(MOVE).reshape(-1)
        struck = (moves["kind"] == Kind.GO) & (moves["player"] % round(1 / share) == 0)
        rows[struck, 0] = Kind.STRIKE
    return rows, np.arange(point + 1, point + 1 + len(rows), dtype=np.uint64)


def _edges(change: Change) -> int:
    return int(np.count_nonzero(change[0] >> np.uint64(56) == EDGE))
