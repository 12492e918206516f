"""Commits and undoes on running actors: what `adopt` and `undo_commit` share, and the latter."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from huntgraph.cluster.control import Status
from huntgraph.engine import Engine
from huntgraph.timeline.audit import Audit, Entry, PartHashes
from huntgraph.timeline.cells import Names
from huntgraph.timeline.commit import Order
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.heated import RULE, Heated
from huntgraph.timeline.history import History
from huntgraph.timeline.recover import recover
from huntgraph.timeline.undo import Conflict, Live, undo

__all__ = ["ready_to_commit", "undo_commit", "written"]

LOG_S: Final = 5.0
LOOK_S: Final = 0.0002


async def ready_to_commit(history: History) -> Mapping[int, Path]:
    """Settle what an earlier commit left half done; give the actors' control sockets."""
    places = {n: source.directory for n, source in history.sources.items()}
    sockets = {n: place / "control.sock" for n, place in places.items() if place is not None}
    await recover(history.folder, sockets)
    return sockets


async def written(history: History, cut: Cut) -> None:
    """Wait until the logs on disk hold what the actors have applied. Raises TimeoutError."""
    async with asyncio.timeout(LOG_S):
        while any(end < cut.get(number, 0) for number, end in history.index(cut).ends().items()):
            await asyncio.sleep(LOOK_S)


async def undo_commit(
    history: History, name: str, *, reason: str, who: str | None = None, force: bool = False
) -> tuple[Entry, list[Conflict]]:
    """Give the cells of a commit their old words back, in all partitions or in none.

    Gives the new entry of the audit trail and the cells that have changed since, which keep what
    they hold unless `force`. Raises what `huntgraph.timeline.undo.undo` raises, and LogDroppedError
    when history begins behind the commit.
    """
    sockets = await ready_to_commit(history)
    # Made before moves are held: what comes meanwhile is little.
    states = {each.partition: _state(history, each) for each in _changed(history, name)}

    async def read(number: int, status: Status, names: Names) -> Live:
        if number not in states:
            return Live(status.state_hash, np.zeros(0, np.uint64), np.zeros(0, np.bool_))
        await written(history, {number: status.position})
        engine, rule = states[number]
        history.bring_on(number, engine, status.position)
        now, _ = engine.words(RULE)
        other = bool((now != rule).any())
        heated = Heated.of(now, *engine.cells(players=False)) if other and force else None
        return Live(engine.state_hash(), *engine.words(names), other, heated)

    order = Order(who=who or getpass.getuser(), why=reason)
    return await undo(history.folder, sockets, name, read, order, force=force)


def _changed(history: History, name: str) -> list[PartHashes]:
    """The partitions that a commit changed."""
    entry = Audit(history.folder).undoable(name)
    return [part for part in entry.parts if part.before != part.after]


def _state(history: History, part: PartHashes) -> tuple[Engine, Names]:
    """A partition as it is now, and the traffic rule of right before the commit."""
    engine = history.engine_at(part.partition, part.position)
    rule, _ = engine.words(RULE)
    history.bring_on(part.partition, engine, history.index().ends()[part.partition])
    return engine, rule
