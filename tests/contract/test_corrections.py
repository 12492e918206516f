"""Holding, fencing and letting go, as an actor's control socket does them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import numpy as np

from huntgraph.cluster.actor import Actor
from huntgraph.cluster.control import Control, Request, Status, orders, refuse
from huntgraph.cluster.snapshots import make_snapshot
from huntgraph.schema import CORRECTION, UPDATE, Code, Frame, Kind
from huntgraph.timeline.cells import bare_hash
from huntgraph.timeline.fence import correction_under_way, fence, settle
from huntgraph.timeline.recover import recovering
from tests.contract.independent import IndependentClient
from tests.servers import PLAYERS, Records, ground, linked, move, serving, until, within

ID = 77


async def open_control(actor: Actor) -> Control:
    return await Control.open(actor.options.directory / "control.sock")


def cell(name: int, word: int) -> Records:
    row = np.zeros(1, CORRECTION)
    row["kind"], row["id"], row["count"], row["name_1"], row["word_1"] = (
        Kind.CORRECT, ID, 1, name, word,
    )  # fmt: skip
    return row


def an_edge() -> tuple[int, int]:
    """The name of an edge, and another word for it than its own."""
    cost = np.asarray(ground().world.cost)
    edge = int(np.flatnonzero((cost > 1) & (cost < cost.max()))[0])
    return 1 << 56 | edge, int(cost[edge]) + 1


async def waits(client: IndependentClient, moves: Records) -> asyncio.Task[Records]:
    """Send moves that are not answered within some ticks."""

    async def play() -> Records:
        updates, _ = await client.moves(moves)
        return updates

    sent = asyncio.create_task(play())
    done, _ = await asyncio.wait({sent}, timeout=0.3)
    assert not done, "the moves were answered"
    return sent


def may_come_first() -> bool:
    """Whether the system allows a real-time priority here."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except PermissionError:
        return False
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


async def ready(control: Control) -> Status:
    ((_, body),) = await asyncio.gather(*control.post([Request(Frame.READY)]))
    return Status.from_body(body)


async def until_status(control: Control, name: str, value: bool) -> Status:
    async with asyncio.timeout(60):
        while True:
            status = await control.status()
            if getattr(status, name) == value:
                return status
            await asyncio.sleep(0.005)


def test_moves_and_ticks_wait_while_they_are_held(short_path: Path) -> None:
    async def play() -> None:
        async with serving(short_path) as actor, linked(actor) as client:
            control, other = await open_control(actor), await open_control(actor)
            held = await control.hold()
            assert (held.held, held.fenced) == (True, False)
            sent = await waits(client, move(Kind.ENTER, 1, 1, to=0))
            status = await other.status()
            assert (status.tick, status.position) == (held.tick, held.position)
            assert actor.counters().value("held") == 1
            await control.release()
            assert (await sent)["code"][0] == Code.OK
            # Whoever dies lets go.
            await control.hold()
            sent = await waits(client, move(Kind.LEAVE, 1, 2))
            await control.close()
            assert (await sent)["code"][0] == Code.OK
            assert not (await until_status(other, "held", False)).fenced
            await other.close()

    within(play)


def test_a_fence_whose_session_ends_is_let_go_until_a_cell_was_set(short_path: Path) -> None:
    async def play() -> None:
        async with serving(short_path) as actor, linked(actor) as client:
            other = await open_control(actor)
            control = await open_control(actor)
            assert (await control.send(fence(ID, 0))).updates["echo"][0] == ID
            sent = await waits(client, move(Kind.ENTER, 1, 1, to=0))
            refused = (await other.send(move(Kind.EDGE_CLOSE))).updates
            assert refused["code"][0] == Code.FENCED
            assert await correction_under_way(other) == ID
            await control.close()
            assert (await sent)["code"][0] == Code.OK
            assert not (await other.status()).fenced

            control = await open_control(actor)
            answers = await control.send(np.concatenate([fence(ID, 0), cell(*an_edge())]))
            assert answers.updates["code"].tolist() == [Code.OK, Code.OK]
            await control.close()
            sent = await waits(client, move(Kind.LEAVE, 1, 2))
            status = await other.status()
            assert status.fenced
            end = settle(ID, bare_hash(status.state_hash, status.position, ID))
            assert (await other.send(end)).updates["code"][0] == Code.OK
            assert (await sent)["code"][0] == Code.OK
            await other.close()

    within(play)


def test_a_sync_is_answered_when_all_that_its_session_was_answered_is_on_disk(
    short_path: Path,
) -> None:
    async def play() -> None:
        async with serving(short_path) as actor:
            control = await open_control(actor)
            (first,) = await asyncio.gather(*control.post([Request(Frame.SYNC)]))
            assert not Status.from_body(first[1]).fenced
            rows = np.concatenate([fence(ID, 0), *(cell(*an_edge()) for _ in range(3000))])
            posted = control.post([*orders(rows), Request(Frame.SYNC)])
            *answers, (_, body) = await asyncio.gather(*posted)
            assert len(answers) == 3
            status = Status.from_body(body)
            updates = np.concatenate([np.frombuffer(each, UPDATE) for _, each in answers])
            assert not updates["code"].any()
            assert status.durable >= updates["position"][-1] == status.position
            end = settle(ID, bare_hash(status.state_hash, status.position, ID))
            refuse(await control.send(end))
            await control.close()

    within(play)


def test_an_actor_that_is_to_be_ready_writes_all_down_and_comes_first_until_its_release(
    short_path: Path,
) -> None:
    first = os.SCHED_FIFO if may_come_first() else os.SCHED_OTHER

    def has_policy(actor: Actor, policy: int) -> bool:
        return os.sched_getscheduler(actor.pid) == policy

    async def comes_first(actor: Actor, ask: Callable[[], Awaitable[object]]) -> bool:
        """Whether it is seen to come first: it does for 0.1 s, and may be looked at too late."""
        await ask()
        with contextlib.suppress(TimeoutError):
            await until(partial(has_policy, actor, first), seconds=0.5, step_ms=2)
            return True
        return False

    async def play() -> None:
        async with serving(short_path) as actor:
            control, other = await open_control(actor), await open_control(actor)
            before = (await control.status()).position
            while (await control.status()).position < before + 3:
                await asyncio.sleep(0.01)  # ticks alone, in no hurry to be on disk
            seen = await control.status()
            status = await ready(control)
            assert status.durable >= seen.position
            assert not status.held
            while not await comes_first(actor, control.hold):
                await control.release()
            # Nobody comes first for long.
            await until(partial(has_policy, actor, os.SCHED_OTHER))
            await control.release()
            while not await comes_first(actor, partial(ready, other)):
                await other.release()
            await other.close()
            await until(partial(has_policy, actor, os.SCHED_OTHER))
            await control.close()

    within(play)


def test_a_fence_holds_over_snapshot_and_restart_until_it_is_recovered(short_path: Path) -> None:
    async def play() -> None:
        options = ground().options(short_path)
        actor = await Actor.start(options)
        control = await open_control(actor)
        name, word = an_edge()
        await control.send(np.concatenate([fence(ID, 0), cell(name, word)]))
        async with asyncio.timeout(60):
            while (status := await control.status()).durable < status.position:
                await asyncio.sleep(0.005)
        made = await make_snapshot(short_path, options.world, players=PLAYERS)
        assert made.position == status.position
        await actor.kill()
        async with serving(short_path) as again, linked(again) as client:
            started = await again.status()
            assert (started.fenced, started.state_hash) == (True, status.state_hash)
            sent = await waits(client, move(Kind.ENTER, 1, 1, to=0))
            told: list[str] = []
            # There is no plan of it: it set no cell that anybody knows of.
            async with recovering(short_path / "data", {0: short_path}, told.append):
                assert (await sent)["code"][0] == Code.OK
            assert told
            assert again.counters().value("allocations") == 0

    within(play)
