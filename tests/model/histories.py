"""Histories of several partitions in memory, for tests of the timeline: no files, no actors."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Engine
from huntgraph.schema import MOVE, Kind
from huntgraph.timeline.history import History, Source
from huntgraph.timeline.log import END, LogRecords
from tests.model.realm import Realm, Shore
from tests.model.worlds import record_of

PLAYERS = 64
PARCELS = 4096
"""Room of an outbox: as much as an actor has, so that a replay is refused what it was."""


class MemoryLog:
    """A log that was never on a disk: rows of shape (n, 64), position 1 first."""

    def __init__(self, rows: NDArray[np.uint8]) -> None:
        self.rows = rows

    def records(
        self, first: int = 1, *, batch: int = 65_536, upto: int = END
    ) -> Iterator[LogRecords]:
        for at in range(first - 1, min(len(self.rows), upto), batch):
            yield LogRecords(at + 1, self.rows[at : at + batch])


@functools.cache
def played(seed: int, steps: int = 1500, parts: int = 3, *, quiet: bool = False) -> Realm:
    """A random history of a world in parts; `quiet`: nothing is under way at its end."""
    realm = Realm(Random(seed), parts, PARCELS)
    for shore in realm.shores:
        # A full table would leave players under way for good.
        shore.players = PLAYERS
        shore.pair = shore._pair()
    for _ in range(steps):
        realm.step()
    if quiet:
        realm.settle()
        acknowledge(realm)
    return realm


def acknowledge(realm: Realm) -> None:
    """Every partition learns what the others hold."""
    for shore in realm.shores:
        for other in realm.shores:
            held = shore.held_from(other.part.partition, hasty=True)
            peer = other.model.border.peers[shore.part.partition]
            if held > peer.acked:
                other.apply([record_of(Kind.HANDED_ON, arg=shore.part.partition, a=held)])


def history_of(realm: Realm, folder: Path) -> History:
    """The history of a realm."""
    sources = {}
    for shore in realm.shores:
        number = shore.part.partition
        sources[number] = Source(number, shore.part, MemoryLog(honest(shore)))
    return History(sources, folder)


def honest(shore: Shore) -> NDArray[np.uint8]:
    """A log's records, with the right hash in each HASH: random histories hold wrong ones too."""
    rows = np.frombuffer(b"".join(shore.log), np.uint8).reshape(-1, 64).copy()
    engine, done = Engine(shore.part, players=PLAYERS), 0
    for at in np.flatnonzero(rows[:, 0] == Kind.HASH).tolist():
        engine.apply(rows[done:at])
        rows[at].view(MOVE)[0]["a"], done = engine.state_hash(), at
    return rows
