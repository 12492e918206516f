"""A hunt on one partition, played in process and recorded with a wall clock of its own."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Final

import numpy as np

from huntgraph.engine import Engine, move, ticks
from huntgraph.hunt import loads
from huntgraph.schema import MOVE, NONE, Flag, Kind
from huntgraph.timeline.audit import Audit, Entry, PartHashes
from huntgraph.timeline.cells import bare_hash
from huntgraph.timeline.fork import Fork
from huntgraph.timeline.history import History, Source
from huntgraph.timeline.slots import correction_rows
from huntgraph.timeline.timeline import Timeline
from huntgraph.world import World, generate
from tests.model.histories import MemoryLog

START_MS: Final = 1_764_079_200_000
HUNT: Final = """
hunt: lighthouse
title: The keeper's treasure
teams: [red, blue]
stages:
  - clue: well
    at: {x: 20, y: 25}
    points: 10
    text: Start at the well.
    hints:
      - {after: 1s, cost: 2, text: It stands by the water.}
  - treasure: chest
    at: {x: 45, y: 45}
    needs: well
    who: exclusive
    points: 100
    text: Only the first one finds the chest full.
"""
CHEST, WELL = 1, 0


@functools.cache
def isle() -> World:
    return generate(20_000, seed=7)


class Recorder:
    """An engine whose records are kept, as a log keeps them."""

    def __init__(self) -> None:
        self.world = isle()
        self.engine = Engine(self.world, players=64)
        self.rows: list[Any] = []
        self.updates: list[np.void] = []
        self.seq: dict[int, int] = {}
        self.time_ms = START_MS
        self.apply(loads(HUNT).compile(self.world, 0))
        self.tick()

    def apply(self, records: Any) -> np.void:
        updates: Any = self.engine.apply(records)
        raw = np.ascontiguousarray(records).view(np.uint8).reshape(-1, 64)
        for row, update in zip(raw, updates, strict=True):
            if update["position"]:
                self.rows.append(row)
                self.updates.append(update)
        last: np.void = updates[-1]
        return last

    def tick(self, count: int = 1) -> None:
        """Ticks of 50 ms; behind each second the state hash, as an actor logs it."""
        for _ in range(count):
            self.time_ms += 50
            self.apply(ticks(self.engine.tick + 1, time_ms=self.time_ms))
            if self.engine.tick % 20 == 0:
                self.apply(move(Kind.HASH, a=self.engine.state_hash()))
        self.engine.work()

    def do(self, player: int, kind: Kind, *, server: int = 1, **fields: int) -> np.void:
        seq = self.seq.get(player, 0) + 1
        update = self.apply(move(kind, player=player, seq=seq, server=server, **fields))
        self.seq[player] = int(update["seq"])
        return update

    def enter(self, player: int, node: int, team: int = 0, **fields: int) -> np.void:
        return self.do(player, Kind.ENTER, hunt=0, to=node, arg=team, **fields)

    def asked(self, player: int) -> np.void:
        """The player's last answer again, with guidance that is worked out."""
        self.engine.work()
        again: Any = self.engine.apply(move(Kind.GO, player=player, seq=self.seq[player]))
        last: np.void = again[0]
        return last

    def walk_beside(self, player: int) -> tuple[int, int]:
        """Follow the guidance up to one step before the target; gives that step."""
        update = self.asked(player)
        while update["next"] != update["target"]:
            assert update["flags"] & Flag.GUIDED, "there is a way"
            self.do(player, Kind.GO, from_=int(update["node"]), to=int(update["next"]))
            update = self.asked(player)
        return int(update["node"]), int(update["next"])

    def claim(self, player: int) -> np.void:
        return self.do(player, Kind.CLAIM, arg=NONE)

    def commit(self, fork: Fork) -> str:
        """Commit a fork as `huntgraph.timeline.commit` does it, without an actor; gives its id."""
        run, audit = fork.replay(), Audit(fork.history.folder)
        number, held = 0xC0 + len(audit.entries()), self.engine.position
        before = self._bare_hash()
        self.apply(correction_rows(run.replicas[0], number))
        parts = (PartHashes(0, held, before, self._bare_hash()),)
        recipe = fork.recipe.to_dict()
        entry = Entry(f"{number:016x}", "commit", 0, "a tester", "", recipe=recipe, parts=parts)
        return audit.append(entry).id

    def _bare_hash(self) -> str:
        return f"{bare_hash(self.engine.state_hash(), self.engine.position):016x}"

    def an_edge(self) -> tuple[int, int]:
        """The name of an edge's cell, and another word for it than its own."""
        cost = np.asarray(self.world.cost)
        edge = int(np.flatnonzero((cost > 1) & (cost < cost.max()))[0])
        return 1 << 56 | edge, int(cost[edge]) + 1

    def node(self, x: int, y: int) -> int:
        return self.world.node_at(x, y)

    @property
    def log(self) -> np.ndarray[Any, Any]:
        return np.stack(self.rows)

    def history(self, folder: Path = Path("nowhere")) -> History:
        return History({0: Source(0, self.world, MemoryLog(self.log))}, folder)

    def timeline(self, folder: Path) -> Timeline:
        return Timeline(self.history(folder))

    def moves(self) -> Any:
        return self.log.view(MOVE).reshape(-1)


CHEATER, HONEST, LATE = 66, 7, 8


@functools.cache
def with_a_cheater() -> Recorder:
    """The story of the cheater, for all who only read it."""
    return cheated()


def cheated() -> Recorder:
    """A player who is at the chest by magic takes it from one who walked there."""
    recorder = Recorder()
    well, chest = recorder.node(20, 25), recorder.node(45, 45)
    recorder.enter(HONEST, well, team=0)
    recorder.enter(LATE, recorder.node(30, 30), team=1, server=2)
    recorder.tick(20)
    tail, head = recorder.walk_beside(HONEST)
    recorder.tick(20)
    recorder.enter(CHEATER, well, team=1, server=2)
    recorder.enter(CHEATER, chest, team=1, server=2)
    recorder.tick(20)
    recorder.claim(CHEATER)
    recorder.do(HONEST, Kind.GO, from_=tail, to=head)
    recorder.claim(HONEST)
    recorder.do(HONEST, Kind.LEAVE)
    recorder.tick(5)
    return recorder


def position_of(recorder: Recorder, kind: Kind, player: int, which: int = -1) -> int:
    """Position of one of a player's records of a kind."""
    moves = recorder.moves()
    found = np.flatnonzero((moves["kind"] == kind) & (moves["player"] == player))
    return int(found[which]) + 1
