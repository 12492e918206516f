"""`Supervisor`: restarts on the real program, and children that misbehave."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from huntgraph.cluster import Actor, ActorOptions, Backoff, Event, Pulse, Supervisor
from huntgraph.engine import move
from huntgraph.errors import ActorError, RefusedError
from huntgraph.hunt import Hunt
from huntgraph.schema import Code, Kind
from huntgraph.world import World
from tests.unit.bus.test_counters import write_counters

QUICK = Backoff(first_s=0.01, most_s=0.05, settled_s=60.0, starts=3)


def script(folder: Path, text: str) -> Path:
    """Write a program that misbehaves in its own way."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class Told:
    """Collects events; `until` waits for one of a kind."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, kind: str, count: int = 1) -> Event:
        async with asyncio.timeout(30):
            while True:
                found = [event for event in self.events if event.kind == kind]
                if len(found) >= count:
                    return found[count - 1]
                self._changed.clear()
                await self._changed.wait()


def test_a_killed_actor_is_started_again_at_its_address(
    options: ActorOptions, world: World, hunt: Hunt
) -> None:
    async def work() -> None:
        told = Told()
        supervisor = Supervisor(options, backoff=QUICK, snapshot_every_s=0, on_event=told)
        async with supervisor:
            first = supervisor.actor
            await first.publish(hunt, world)
            position = (await first.status()).position
            while (await first.status()).durable < position:
                await asyncio.sleep(0.01)
            os.kill(first.pid, signal.SIGKILL)
            await told.until("started", 2)
            second = supervisor.actor
            assert second.pid != first.pid
            assert second.ready.address == first.ready.address
            assert supervisor.restarts == 1
            with pytest.raises(RefusedError):
                await second.publish(hunt, world)
        assert supervisor.state == "stopped"
        assert not second.alive

    asyncio.run(work())


def test_an_actor_that_stands_still_is_left_alone(options: ActorOptions) -> None:
    async def work() -> None:
        told = Told()
        supervisor = Supervisor(
            options,
            backoff=QUICK,
            snapshot_every_s=0,
            hang_looks=3,
            look_every_s=0.05,
            on_event=told,
        )
        async with supervisor:
            pid = supervisor.actor.pid
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(0.5)  # ten looks: time itself is what is tested here
            os.kill(pid, signal.SIGCONT)
            assert (await supervisor.actor.status()).nodes
            assert supervisor.actor.pid == pid
            assert [event.kind for event in told.events] == ["started"]

    asyncio.run(work())


def test_a_snapshot_holds_as_many_added_edges_as_its_actor(
    options: ActorOptions, world: World
) -> None:
    """More than the default, so that a snapshot or a start with another room would be refused."""
    count = 1100
    options = replace(options, added_edges=count)
    tails = np.arange(count)
    records = move(Kind.EDGE_ADD, from_=tails, to=tails + world.nodes // 2, arg=9)

    async def work() -> None:
        async with Supervisor(options, snapshot_every_s=0) as supervisor:
            added = await supervisor.actor.control(records)
            assert (added.updates["code"] == Code.OK).all()
            last = int(added.updates["position"][-1])
            while (await supervisor.actor.status()).durable < last:
                await asyncio.sleep(0.01)
            assert (await supervisor.snapshot()).position >= last
        async with await Actor.start(options) as again:
            assert again.ready.replayed <= again.ready.position - count
            repeated = await again.control(records[:1])
            assert repeated.updates["code"] == Code.EDGE_EXISTS
            fresh = move(Kind.EDGE_ADD, from_=0, to=world.nodes - 1, arg=9)
            assert (await again.control(fresh)).updates["code"] == Code.EDGES_FULL

    asyncio.run(work())


def test_snapshots_are_made_on_time(options: ActorOptions) -> None:
    async def work() -> None:
        told = Told()
        async with Supervisor(options, snapshot_every_s=0.3, on_event=told) as supervisor:
            event = await told.until("snapshot")
            assert event.error is None, event.text
            assert supervisor.last_snapshot is not None
            assert supervisor.to_dict()["snapshot"] == supervisor.last_snapshot.position

    asyncio.run(work())


def test_the_failure_line_becomes_the_error(options: ActorOptions, tmp_path: Path) -> None:
    program = script(
        tmp_path,
        "echo talk >&2\n"
        'echo \'{"event":"failed","code":"HG9","what":"w","where":"here","fix":"f"}\' >&2\nexit 1',
    )

    async def work() -> None:
        with pytest.raises(ActorError) as caught:
            await Actor.start(options, program=program)
        assert caught.value.to_dict() == {
            "code": "HG9",
            "what": "w",
            "where": "here",
            "fix": "f",
        }

    asyncio.run(work())


@pytest.mark.parametrize(
    ("text", "timeout_s", "code", "word"),
    [
        ("echo out of luck >&2; exit 7", 60.0, "HG1413", "out of luck"),
        ("kill -9 $$", 60.0, "HG1413", "SIGKILL"),
        ("exec sleep 600", 1.0, "HG1411", "not ready"),
        ('echo \'{"event":"ready","address":"a:1"}\'; exec sleep 600', 60.0, "HG1416", "boot_ms"),
        ("head -c 300000 /dev/zero; echo; exit 3", 60.0, "HG1413", "status 3"),
    ],
)
def test_children_that_misbehave(
    options: ActorOptions, tmp_path: Path, text: str, timeout_s: float, code: str, word: str
) -> None:
    async def work() -> None:
        with pytest.raises(ActorError) as caught:
            await Actor.start(options, program=script(tmp_path, text), timeout_s=timeout_s)
        assert caught.value.code == code
        assert word in caught.value.what

    asyncio.run(work())


def test_a_program_that_is_none(options: ActorOptions, tmp_path: Path) -> None:
    async def work() -> None:
        with pytest.raises(ActorError) as caught:
            await Actor.start(options, program=tmp_path / "nothing")
        assert caught.value.code == "HG1412"

    asyncio.run(work())


def test_one_that_does_not_drain_is_killed(options: ActorOptions, tmp_path: Path) -> None:
    ready = (
        '{"event":"ready","address":"127.0.0.1:1","pid":1,"partition":0,"position":0,"tick":0,'
        '"epoch":1,"replayed":0,"cut_bytes":0,"damaged":[],"boot_ms":1}'
    )
    program = script(tmp_path, f"trap '' TERM\necho '{ready}'\nwhile :; do sleep 0.05; done")

    async def work() -> None:
        actor = await Actor.start(options, program=program)
        with pytest.raises(ActorError) as caught:
            await actor.stop(timeout_s=0.2)
        assert caught.value.code == "HG1414"
        assert not actor.alive

    asyncio.run(work())


def test_it_gives_up_on_an_actor_that_never_comes_up(options: ActorOptions, tmp_path: Path) -> None:
    async def work() -> None:
        told = Told()
        supervisor = Supervisor(options, backoff=QUICK, snapshot_every_s=0, on_event=told)
        async with supervisor:
            # From now on every start fails: there is no such world.
            supervisor.options = replace(supervisor.options, world=tmp_path / "none.hgw")
            os.kill(supervisor.actor.pid, signal.SIGKILL)
            with pytest.raises(ActorError):
                await asyncio.wait_for(supervisor.wait(), 30)
            assert supervisor.state == "failed"
            assert supervisor.restarts == QUICK.starts
            assert told.events[-1].kind == "failed"

    asyncio.run(work())


def test_waits_grow_and_have_an_end() -> None:
    backoff = Backoff(first_s=0.1, most_s=2.0)
    waits = [backoff.wait_s(tries) for tries in range(60)]
    assert waits[:5] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6])
    assert max(waits) == 2.0


def test_a_hang_needs_many_looks_in_a_row(tmp_path: Path) -> None:
    path, pulse = tmp_path / "counters", Pulse(tmp_path / "counters", hang_looks=3)
    write_counters(path, {"heartbeat_ms": 1}, {}, pid=os.getpid())
    assert pulse.look()
    assert [pulse.look(), pulse.look()] == [False, False]
    assert not pulse.hangs
    write_counters(path, {"heartbeat_ms": 2}, {}, pid=os.getpid())
    assert pulse.look()
    assert pulse.still == 0
    assert [pulse.look() for _ in range(3)] == [False] * 3
    assert pulse.hangs
