"""Commits and undoes on running actors: what `adopt` and `undo_commit` share, and the latter."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from huntgraph.cluster.control import Status
from huntgraph.timeline.audit import Audit, Entry
from huntgraph.timeline.cells import Names
from huntgraph.timeline.commit import Order
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.history import History
from huntgraph.timeline.recover import recover
from huntgraph.timeline.undo import Conflict, Live, undo

__all__ = ["ready_to_commit", "undo_commit", "written"]

LOG_S: Final = 5.0
LOOK_S: Final = 0.002


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
    they hold unless `force`. Raises what `huntgraph.timeline.undo.undo` raises.
    """
    sockets = await ready_to_commit(history)
    # Made before moves are held: what comes meanwhile is little.
    engines = {n: history.engine_at(n, at) for n, at in _changed(history, name).items()}

    async def read(number: int, status: Status, names: Names) -> Live:
        if number not in engines:
            return Live(status.state_hash, np.zeros(0, np.uint64), np.zeros(0, np.bool_))
        await written(history, {number: status.position})
        engine, source = engines[number], history.sources[number]
        for records in source.records(engine.position + 1, status.position):
            engine.advance(records.rows, records.positions)
        return Live(engine.state_hash(), *engine.words(names))

    order = Order(who=who or getpass.getuser(), why=reason)
    return await undo(history.folder, sockets, name, read, order, force=force)


def _changed(history: History, name: str) -> Cut:
    """The partitions that a commit changed, and where the logs of these end now."""
    entry, ends = Audit(history.folder).find(name), history.index().ends()
    parts = () if entry is None else entry.parts
    return {part.partition: ends[part.partition] for part in parts if part.before != part.after}
