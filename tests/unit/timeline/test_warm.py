"""A warm partition follows its log, and forks of the last ticks start where they should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from huntgraph.engine import Engine, move, ticks
from huntgraph.errors import ReplayError
from huntgraph.schema import Kind
from huntgraph.timeline.log import END, LogRecords
from huntgraph.timeline.warm import Warm
from huntgraph.world import generate

PLAYERS = 40
TICK_MS = 50


class GrowingLog:
    """A log in memory that grows; `read` gives what came since, some at a time."""

    partition = 0

    def __init__(self) -> None:
        self.rows = np.zeros((0, 64), np.uint8)
        self._read = 0

    def tail(self, first: int) -> GrowingLog:
        self._read = first - 1
        return self

    def read(self, batch: int = 100, upto: int = END) -> LogRecords | None:
        batch = batch if self._read < upto else 0
        rows = self.rows[self._read : self._read + batch]
        records = LogRecords(self._read + 1, rows)
        self._read += len(rows)
        return records if len(rows) else None

    def append(self, records: Any) -> None:
        self.rows = np.concatenate([self.rows, records.view(np.uint8).reshape(-1, 64)])


def warm_of(world: Any, log: Any) -> Warm:
    return Warm(log, Engine(world, players=PLAYERS, journal=1 << 14), keep=400)


def played(world: Any, log: GrowingLog) -> Iterator[int]:
    """Let everyone walk, a tick a step; gives the tick after each."""
    who, at = np.arange(PLAYERS), np.arange(PLAYERS) * 7
    log.append(move(Kind.ENTER, player=who + 1, seq=1, to=at))
    for tick in range(1, 30):
        log.append(ticks(tick, time_ms=1000 + TICK_MS * tick))
        to = world.head[world.first[at]]
        log.append(move(Kind.GO, player=who + 1, seq=tick + 1, from_=at, to=to))
        at = to
        yield tick


def test_it_goes_back_to_ticks_and_replays_what_is_kept() -> None:
    world, log = generate(edges=2_000, seed=3), GrowingLog()
    warm = warm_of(world, log)
    for tick in played(world, log):
        warm.follow()
        point = warm.before(1000 + TICK_MS * (tick - 3))
        branch = warm.go_back(point)
        assert branch.position == point
        assert branch.tick == max(tick - 3, 1)
        for records in warm.kept(point):
            assert branch.advance(records.rows, records.positions) == 0
        assert branch.state_hash() == warm.head.state_hash() == branch.state_hash(anew=True)
    assert warm.position == len(log.rows)
    assert len(warm.kept(0)[0].rows) < len(log.rows), "nothing was ever forgotten"


def test_records_of_another_state_are_refused() -> None:
    world, log = generate(edges=2_000, seed=3), GrowingLog()
    warm = warm_of(world, log)
    log.append(move(Kind.GO, player=5, seq=1, from_=0, to=1))
    with pytest.raises(ReplayError, match="differs from the log"):
        warm.follow()
