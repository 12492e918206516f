"""Forks of the last seconds of all partitions, phase by phase, in a process of their own."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from huntgraph.bus import Counters
from huntgraph.cluster.control import Status
from huntgraph.engine import Engine
from huntgraph.timeline import Log
from huntgraph.timeline.cells import Changes
from huntgraph.timeline.commit import Head, Order, Report, commit
from huntgraph.timeline.fork import Fork
from huntgraph.timeline.history import History, Source
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.tables import EDGE, tag_of
from huntgraph.timeline.warm import Warm
from huntgraph.world import World

__all__ = ["LONG", "Forks", "Place", "Timing", "floor_ms", "now_ms", "resident_bytes"]

T = TypeVar("T")
U = TypeVar("U")
Words = NDArray[np.uint64]
Found = tuple[Words, Words, Words]
"""Names, old and new words of cells."""
THREADS: Final = 2
LONG: Final = 6
"""How often as long a history is kept as is forked most of the time."""
LOG_S: Final = 5.0
LOOK_S: Final = 0.0001
NEARER: Final = 8
"""How often heads and branches are brought nearer, at most."""
NEAR_S: Final = 0.003
"""They are near when that took no longer."""


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
    changed_edges: int = 0
    changed_cells: int = 0
    committed_cells: int = 0
    stopped_ms: float = 0.0
    """How long a commit had moves wait, in the partition where it was longest, by its actor."""
    fence_ms: float = 0.0
    """The same for all of them together, by whoever commits: until the last has answered."""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure a phase."""
        began = time.perf_counter()
        yield
        self.phase_ms[name] = (time.perf_counter() - began) * 1e3


class Forks:
    """All partitions, warm, and forks of them. Only for the thread that made it."""

    def __init__(
        self, places: Sequence[Place], folder: Path, *, players: int, history_s: float, rate: float
    ) -> None:
        self.places, self.folder, self.history_s = places, folder, history_s
        self._players, self._commits = players, 0
        self._heads: dict[int, Head] = {}
        """What a commit is about to change in each partition, at the position it stood at last."""
        self._pools = {threads: ThreadPoolExecutor(threads) for threads in (1, THREADS)}
        self._pool = self._pools[THREADS]
        keep = int(1.2 * LONG * rate * history_s / len(places)) + 2 * players
        self.warm = [_open(place, players, keep) for place in places]

    def follow(self) -> int:
        """Bring all heads to the ends of their logs; gives how many records that were."""
        return sum(warm.follow() for warm in self.warm)

    def fork(
        self, share: float, head_ms: int | None = None, *, times: float = 1, threads: int = THREADS
    ) -> Timing:
        """Fork `history_s` back, strike the moves of a share of the players, replay, compare.

        Each partition goes through all of it by itself, so that what one phase brings near is there
        for the next. A phase's time is its share of the wall time.

        `head_ms`: when the history to be forked ended. Without it players go on: the work is done
        on one thread, and the history ends now. `times` as far back, `LONG` at most.
        """
        self._pool = self._pools[threads if head_ms else 1]
        self.follow()
        # A branch is kept the same as its head between forks.
        self._each(lambda warm: warm.go_back(warm.position))
        timing = Timing()
        since_ms = (head_ms or now_ms()) - int(times * self.history_s * 1e3)
        points = [warm.before(since_ms) for warm in self.warm]
        with timing.phase("edit"):
            struck = self._struck(share)
        began = time.perf_counter()
        found, parts = zip(*self._zip(partial(_go_through, struck), points), strict=True)
        wall_ms = (time.perf_counter() - began) * 1e3
        of_all = {name: sum(part.phase_ms[name] for part in parts) for name in parts[0].phase_ms}
        spent_ms = sum(of_all.values())
        timing.phase_ms |= {name: wall_ms * ms / spent_ms for name, ms in of_all.items()}
        timing.records = sum(
            warm.position - point for warm, point in zip(self.warm, points, strict=True)
        )
        timing.changed_cells = sum(len(names) for names, _, _ in found)
        timing.changed_edges = sum(_count_edges(names) for names, _, _ in found)
        return timing

    def compare_all(self) -> float:
        """Compare all states with their branches, whatever changed: milliseconds, best of three."""
        self._pool = self._pools[THREADS]
        return min(
            _timed(lambda: self._each(lambda w: w.branch.changes(w.head, everything=True)))
            for _ in range(3)
        )

    def by_verbs(self, share: float, head_ms: int) -> float:
        """Do the same with `Fork`, as the command line does it: replay, and a diff with labels.

        Gives milliseconds, the best of three, on one thread.
        """
        self.follow()
        history = self._history()
        return min(self._by_verbs(history, share, head_ms) for _ in range(3))

    def _by_verbs(self, history: History, share: float, head_ms: int) -> float:
        since_ms = head_ms - int(self.history_s * 1e3)
        point = {warm.log.partition: warm.before(since_ms) for warm in self.warm}
        fork = Fork(history, Recipe("bench", point))
        began = time.perf_counter()
        fork.drop(player=self._struck(max(share, 1 / self._players)).tolist()).replay()
        changed = len(fork.diff().players)
        spent_ms = (time.perf_counter() - began) * 1e3
        if not changed:
            raise RuntimeError("a fork without the moves of some players changed nobody")
        return spent_ms

    def _history(self) -> History:
        """The history of all partitions, warm."""
        sources, warm = {}, {each.log.partition: each for each in self.warm}
        for place in self.places:
            n, world = place.partition, World.open(place.world, verify="header")
            sources[n] = Source(n, world, warm[n], place.directory)
        history = History(sources, self.folder)
        history.warm = warm
        history.index()
        return history

    def is_the_head(self, head_ms: int) -> bool:
        """Whether forks without edits end where the heads are."""
        self.fork(0.0, head_ms)
        return all(warm.branch.state_hash() == warm.head.state_hash() for warm in self.warm)

    def fork_and_commit(self, share: float, head_ms: int | None = None) -> Timing:
        """Fork as `fork` does, and adopt what came of it in all partitions."""
        timing, report = self.fork(share, head_ms), Report()
        sockets = {place.partition: place.directory / "control.sock" for place in self.places}

        async def catch_up(statuses: Mapping[int, Status]) -> Mapping[int, Head]:
            given = zip(self.places, self.warm, strict=True)
            return {p.partition: self._head(w, statuses[p.partition], share) for p, w in given}

        before = self._stops_ns()
        self._heads = {}
        order, near = Order(who="bench", why="measured"), partial(self._come_near, share)
        with timing.phase("commit"):
            committing = commit(self.folder, sockets, catch_up, order, near=near, report=report)
            made = asyncio.run(committing)
        self._commits += 1
        timing.fence_ms, timing.committed_cells = report.fence_ms, made.cells
        timing.stopped_ms = max(self._ends_ns(before)) / 1e6
        return timing

    def _stops_ns(self) -> list[int]:
        """How long moves were ever stopped in each partition."""
        counters = (Counters(place.directory / "counters") for place in self.places)
        return [each.histogram("stopped_ns").sum_ns for each in counters]

    def _ends_ns(self, before: Sequence[int]) -> list[int]:
        """How long they were since then, once all go on."""
        by = time.monotonic() + LOG_S
        while True:
            stops = [now - then for now, then in zip(self._stops_ns(), before, strict=True)]
            if all(stops):
                return stops
            if time.monotonic() > by:
                raise TimeoutError("moves still wait in some partition")
            time.sleep(LOOK_S)

    def _come_near(self, share: float) -> None:
        """Bring heads and branches on until little is left to be done while moves are held."""
        for _ in range(NEARER):
            began = time.monotonic()
            self._go_on(share)
            if time.monotonic() - began < NEAR_S:
                return

    def _go_on(self, share: float) -> None:
        """Bring heads and branches on, and compare those for which something has come."""
        self.follow()
        struck = self._struck(share)
        for warm in self.warm:
            known = self._heads.get(warm.log.partition)
            if known is None or known.position < warm.position:
                self._heads[warm.log.partition] = self._compare(warm, struck)

    def _head(self, warm: Warm, status: Status, share: float) -> Head:
        """Bring a partition to where its actor is held; gives what is to be changed there."""
        near = self._heads[warm.log.partition]
        if near.position == status.position:
            return near
        by = time.monotonic() + LOG_S
        while warm.position < status.position:
            if not warm.follow(status.position):
                if time.monotonic() > by:
                    raise TimeoutError("the log does not hold what the actor has applied")
                time.sleep(LOOK_S)
        return self._compare(warm, self._struck(share))

    def _compare(self, warm: Warm, struck: Words) -> Head:
        """Bring the branch on to the head; gives what is to be changed there."""
        warm.replay(struck=struck)
        found = warm.branch.changes(warm.head)
        players, slots = warm.head.player_slots, warm.head.edge_slots
        changes = Changes.between(*found, players=players, slots=slots)
        return Head(warm.position, warm.head.state_hash(), changes)

    def _struck(self, share: float) -> Words:
        """Every so-many-th player: those whose moves are taken out. Others after each commit.

        Who was set back by one goes on from where it was, and is refused: no more is to be undone.
        """
        step = round(1 / share) if share else self._players + 1
        return np.arange(step - self._commits, self._players + 1, step, dtype=np.uint64)

    def _each(self, do: Callable[[Warm], T]) -> list[T]:
        return list(self._pool.map(do, self.warm))

    def _zip(self, do: Callable[[Warm, U], T], given: Sequence[U]) -> list[T]:
        return list(self._pool.map(do, self.warm, given))


def _go_through(struck: Words, warm: Warm, point: int) -> tuple[Found, Timing]:
    """Fork, replay and compare one partition; gives what differs and the times of its phases."""
    timing = Timing()
    with timing.phase("fork"):
        warm.go_back(point)
    with timing.phase("replay"):
        warm.replay(struck=struck)
    with timing.phase("diff"):
        found = warm.branch.changes(warm.head)
    return found, timing


def floor_ms(image_bytes: int, images: int) -> tuple[float, float]:
    """Copy and compare as much memory as all images have, on as many threads: milliseconds."""
    pair = [np.ones(image_bytes, np.uint8) for _ in range(2)]
    copy = min(_timed(lambda: np.copyto(pair[0], pair[1])) for _ in range(5))
    compare = min(_timed(lambda: np.array_equal(pair[0], pair[1])) for _ in range(5))
    return copy * images / THREADS, compare * images / THREADS


def now_ms() -> int:
    """Give the wall clock, as ticks have it."""
    return time.time_ns() // 1_000_000


def resident_bytes() -> int:
    """Give the resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _timed(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1e3


def _open(place: Place, players: int, keep: int) -> Warm:
    world = World.open(place.world, verify="header")
    head = Engine(world, players=players, journal=1 << (3 * keep).bit_length())
    log = Log(place.directory, world_id=world.world_id, partition=place.partition)
    return Warm(log, head, keep=keep)


def _count_edges(names: Words) -> int:
    return int(np.count_nonzero(tag_of(names) == EDGE))
