"""Snapshots by a process of their own: the live actor never pauses for one."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from huntgraph.cluster.actor import Prices
from huntgraph.cluster.process import Lines, failure, spawn
from huntgraph.program import actor_program

__all__ = ["SnapshotMade", "make_snapshot"]

NICE: Final = 10


@dataclass(frozen=True, slots=True)
class SnapshotMade:
    """What the snapshot program printed, as it came."""

    facts: dict[str, Any]

    @property
    def position(self) -> int:
        """The position the snapshot holds the state of."""
        return int(self.facts.get("position", 0))

    @property
    def drop_through(self) -> int:
        """The position up to which the log may be dropped, 0 for nothing."""
        return int(self.facts.get("drop_through", 0))


async def make_snapshot(
    directory: Path,
    world: Path,
    *,
    partition: int = 0,
    players: int = 12_500,
    fields: int = 8,
    added_edges: int = 1024,
    prices: Prices = "auto",
    keep_ticks: int | None = None,
    keep_from: int | None = None,
    program: Path | None = None,
) -> SnapshotMade:
    """Build a new snapshot from the newest one and the durable log. Raises ActorError.

    ``partition``, ``players``, ``fields``, ``added_edges`` and ``prices`` must be those the actor
    was started with. Of older snapshots those stay that ``keep_ticks`` of the past need, and the
    states from position ``keep_from`` on; without them the three newest, and what history begins
    with where the log's beginning was dropped.
    """
    named = {"dir": directory, "world": world, "partition": partition}
    named |= {"players": players, "fields": fields, "added-edges": added_edges, "prices": prices}
    kept = {"keep-ticks": keep_ticks, "keep-from": keep_from}
    named |= {name: value for name, value in kept.items() if value is not None}
    arguments = ["snapshot", *(part for k, v in named.items() for part in (f"--{k}", str(v)))]
    process = await spawn(program or actor_program(), arguments, nice=NICE)
    assert process.stdout is not None
    assert process.stderr is not None
    output = Lines(process.stdout, lambda _: None)
    messages = Lines(process.stderr, lambda _: None)
    try:
        status = await process.wait()
        await asyncio.gather(output.done, messages.done)
    except asyncio.CancelledError:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        raise
    if status != 0:
        events = [event for line in messages.last if (event := _object(line))]
        raise failure(events[-1] if events else None, status, list(messages.last), directory)
    facts = [event for line in output.last if (event := _object(line))]
    return SnapshotMade(facts[-1] if facts else {})


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
