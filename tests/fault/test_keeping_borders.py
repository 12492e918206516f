"""Partitions whose logs' beginnings are dropped while players walk over the border."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huntgraph.cluster.control import refuse
from huntgraph.cluster.snapshots import SnapshotMade, make_snapshot
from huntgraph.engine import move
from huntgraph.errors import LogDroppedError
from huntgraph.schema import Kind
from huntgraph.timeline.adopt import adopt
from huntgraph.timeline.fork import Fork
from huntgraph.timeline.history import History
from huntgraph.timeline.live import undo_commit
from huntgraph.timeline.points import cut_text, find_point
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.verify_all import verify_all
from tests.coast import Coast
from tests.contract.test_timeline_actors import history_of, wander
from tests.fault.wanderers import Wanderers
from tests.servers import PLAYERS, until, within

FILL = 300_000
"""Records that take more than a segment."""


async def snapshots(coast: Coast, keep_ticks: int | None = None) -> list[SnapshotMade]:
    """Have a snapshot of each partition made."""
    made = []
    for option in coast.options:
        where: dict[str, Any] = {"partition": option.partition, "players": PLAYERS}
        where["keep_ticks"] = keep_ticks
        made.append(await make_snapshot(option.directory, option.world, **where))
    return made


async def fill(coast: Coast) -> None:
    """Fill a segment of each partition with prices that are what they were."""
    for part in coast.parts:
        price = {"from_": 0, "to": int(part.head[0]), "arg": int(part.cost[0])}
        records = np.tile(move(Kind.EDGE_PRICE, **price), FILL)
        refuse(await coast.actors[part.partition].control(records))


async def later(coast: Coast) -> None:
    """Wait until all partitions have put a further tick on disk."""
    for actor in coast.actors.values():
        counters = actor.counters()
        position, tick = counters.value("position"), counters.value("tick")
        await until(partial(passed, counters, tick, position))


def passed(counters: Any, tick: int, position: int) -> bool:
    return bool(counters.value("tick") > tick and counters.value("durable") > position)


async def drop(coast: Coast) -> dict[int, int]:
    """Drop what lies before the first of three snapshots; gives where history begins."""
    begins = {n: made.position for n, made in enumerate(await snapshots(coast))}
    for _ in range(2):
        await later(coast)
        made = await snapshots(coast, keep_ticks=1)
    for number, each in enumerate(made):
        assert each.drop_through == begins[number]
        await coast.actors[number].drop_log(each.drop_through)
        first = coast.folder / str(number) / "log" / "segment-0000000001.log"
        await until(lambda first=first: not first.exists())  # type: ignore[misc]
    return begins


def middle(history: History) -> dict[int, int]:
    """A consistent cut in the middle of what is kept."""
    parts, head = history.index().of, history.head()
    cut = {n: (part.begin + head[n]) // 2 for n, part in parts.items()}
    return find_point(history, cut_text(history.messages().shrink(cut)))


def test_borders_commits_and_forks_go_on_without_the_logs_beginning(short_path: Path) -> None:
    coast, committed, begins = Coast(short_path, 2), list[str](), dict[int, int]()

    async def lose_the_beginning(wanderers: Wanderers) -> None:
        history = history_of(coast)
        fork = Fork(history, Recipe("", find_point(history, "0:0,1:0")))
        fork.drop(player=wanderers.players[0].player)
        committed.append((await adopt(fork, reason="early", who="a tester")).id)
        await fill(coast)
        await later(coast)
        begins.update(await drop(coast))

    async def play() -> None:
        async with coast:
            await coast.start()
            wanderers = await wander(coast, 40, lose_the_beginning)
            history = history_of(coast)
            assert {n: part.begin for n, part in history.index().of.items()} == begins
            point = middle(history)
            fork = Fork(history, Recipe("", point)).drop(player=wanderers.players[1].player)
            committed.append((await adopt(fork, reason="late", who="a tester")).id)
            with pytest.raises(LogDroppedError, match="was dropped"):
                await undo_commit(history, committed[0], reason="too late", who="a tester")
            head = history.head()
            run = Fork(history, Recipe("", point)).replay(to=head)
            assert run.hashes() == run.head_hashes()
            assert [each.id for each in run.reach.crossed][:1] == [committed[1]]
            assert run.head == head
            await undo_commit(history, committed[1], reason="after all", who="a tester")
            await coast.stop()

    within(play, 240)
    history = history_of(coast)
    with pytest.raises(LogDroppedError, match="history begins behind 0/"):
        find_point(history, "0:0,1:0")
    found = verify_all(history)
    assert found.sound, found.to_dict()
    assert {n: each.begin for n, each in found.partitions.items()} == begins
