"""Commits and undoes on running actors: what `adopt` and `undo_commit` share, and the latter."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from huntgraph.cluster.control import Status
from huntgraph.timeline.audit import Entry
from huntgraph.timeline.cells import Names
from huntgraph.timeline.commit import Order
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.history import History
from huntgraph.timeline.recover import recover
from huntgraph.timeline.tables import words_at
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
        while any(history.index().ends()[number] < cut[number] for number in cut):
            await asyncio.sleep(LOOK_S)


async def undo_commit(
    history: History, name: str, *, reason: str, who: str | None = None, force: bool = False
) -> tuple[Entry, list[Conflict]]:
    """Give the cells of a commit their old words back, in all partitions or in none.

    Gives the new entry of the audit trail and the cells that have changed since, which keep what
    they hold unless `force`. Raises what `huntgraph.timeline.undo.undo` raises.
    """

    async def read(number: int, status: Status, names: Names) -> Live:
        await written(history, {number: status.position})
        engine = history.engine_at(number, status.position)
        known, words = engine.cells()
        held = words_at(names, (known, words))
        return Live(engine.state_hash(), held, np.isin(names, known))

    sockets = await ready_to_commit(history)
    order = Order(who=who or getpass.getuser(), why=reason)
    return await undo(history.folder, sockets, name, read, order, force=force)
