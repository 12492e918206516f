"""``kill -9`` of coordinator and actors in the middle of commits: all old, or all new."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from threading import Timer
from types import SimpleNamespace

import pytest

from huntgraph.client import Identity, connect_all
from huntgraph.cluster import together
from huntgraph.cluster.control import Status
from huntgraph.errors import ActorError, CommitError
from huntgraph.schema import Frame
from huntgraph.timeline import commit as module
from huntgraph.timeline.audit import Audit, Entry
from huntgraph.timeline.commit import Head, Order, commit
from huntgraph.timeline.recover import recover
from huntgraph.timeline.undo import undo
from tests.coast import Coast
from tests.fault.coordinator import STEPS, catch_up
from tests.fault.corrections import Scene, TornError
from tests.fault.wanderers import Wanderers
from tests.handover import check, last_moves
from tests.servers import ground, until, within

KILLS = int(os.environ.get("HUNTGRAPH_COMMIT_KILLS", "5"))
WALKERS = 60
COMMIT_S = 0.03
"""Kills of actors fall within so much of a commit's beginning."""


@asynccontextmanager
async def traffic(coast: Coast, walkers: Wanderers) -> AsyncIterator[None]:
    """Players walk as long as the block lasts, and one round more."""
    leaf = ground().client
    identity = Identity(leaf.certificate, leaf.key, leaf.authority)
    async with connect_all(coast.links(), identity=identity, patience_s=30.0) as links:
        over = asyncio.Event()
        walking = asyncio.create_task(walkers.walk(links, over))
        try:
            yield
        finally:
            over.set()
            await walking
            await links.durable()


def run(
    folder: Path, rng: random.Random, parts: int, test: Callable[[Scene], Awaitable[None]]
) -> Scene:
    """A coast with traffic, the test on it, and at last the judging of all moves."""
    coast = Coast(folder, parts)
    walkers = Wanderers(coast.parts, rng, WALKERS)
    scene = Scene(coast, folder / "data", rng)
    hashes: list[int] = []

    async def whole() -> None:
        async with coast:
            await coast.start()
            await coast.publish(walkers.clues())
            await scene.settle_in()
            async with traffic(coast, walkers):
                await test(scene)
                rounds = walkers.rounds
                await until(lambda: walkers.rounds > rounds + 2)
            await coast.settle()
            hashes.extend(await coast.stop())

    within(whole, 120 + KILLS * 10)
    for follower in scene.followers:
        follower.catch_up()
    assert [follower.model.state_hash() for follower in scene.followers] == hashes
    logs = [follower.all_records() for follower in scene.followers]
    assert check(logs) == []
    last = last_moves(logs)
    for player, seq in walkers.promised.items():
        assert seq <= last[player], f"durable move {seq} of player {player} is in no log"
    return scene


@pytest.mark.fault
def test_a_coordinator_that_dies_at_any_step_leaves_all_old_or_all_new(
    short_path: Path, rng: random.Random
) -> None:
    async def test(scene: Scene) -> None:
        for step in STEPS:
            await scene.die_at(step)
            await scene.recover()
            decided = await scene.judge()
            assert decided == (STEPS.index(step) >= STEPS.index("decided")), step

    run(short_path, rng, 2, test)


@pytest.mark.fault
def test_actors_that_die_in_commits_come_back_all_old_or_all_new(
    short_path: Path, rng: random.Random, record_property: Callable[[str, object], None]
) -> None:
    outcomes = []

    async def test(scene: Scene) -> None:
        for _ in range(KILLS):
            victim = rng.randrange(len(scene.coast.parts))
            actor = scene.coast.actors[victim]
            # From a thread: a commit gives the event loop no turn at most of its steps.
            shot = Timer(rng.uniform(0, COMMIT_S), os.kill, (actor.pid, signal.SIGKILL))
            shot.start()
            (ended,) = await asyncio.gather(scene.commit(), return_exceptions=True)
            await asyncio.to_thread(shot.join)
            await actor.kill()
            # Whoever dies before it is asked for anything does not answer: ActorError.
            assert isinstance(ended, Entry | CommitError | ActorError | None), ended
            await scene.coast.start(victim)
            done = await scene.recover()
            assert all(each.outcome != "failed" for each in done), done
            outcomes.append(await scene.judge())
        await scene.commit()
        assert await scene.judge()

    scene = run(short_path, rng, 3, test)
    fence = statistics.median(scene.fences_ms)
    tried = f"{KILLS} kills in commits, {sum(outcomes)} decided; moves waited {fence:.1f} ms"
    record_property("tried", tried)


@pytest.mark.fault
def test_a_stale_commit_changes_nothing_and_an_undo_brings_the_old_words_back(
    short_path: Path, rng: random.Random
) -> None:
    async def test(scene: Scene) -> None:
        entry = await scene.commit()
        assert await scene.judge()
        before = {number: dict(words) for number, words in scene.words.items()}
        old = {n: {name: was for name, was, _ in rows} for n, rows in scene.planned.items()}
        with pytest.raises(CommitError) as raised:
            await stale(scene)
        assert raised.value.code == "HG1611"
        scene.planned = {number: [] for number in scene.planned}
        assert not await scene.judge()
        order = Order("test", "back")
        undone, conflicts = await undo(scene.data, scene.sockets, entry.id, scene.read, order)
        assert (undone.kind, undone.of, conflicts) == ("undo", entry.id, [])
        scene.planned = {
            number: [(name, before[number][name], word) for name, word in rows.items()]
            for number, rows in old.items()
        }
        assert await scene.judge()
        for actor in scene.coast.actors.values():
            assert actor.counters().value("allocations") == 0

    run(short_path, rng, 2, test)


async def stale(scene: Scene) -> None:
    """A commit whose changes were made for another state in one partition."""
    right = catch_up(scene.plan())

    async def wrong(statuses: Mapping[int, Status]) -> Mapping[int, Head]:
        heads = dict(await right(statuses))
        return heads | {1: replace(heads[1], state_hash=heads[1].state_hash ^ 1)}

    await commit(scene.data, scene.sockets, wrong, Order("test", "too late"))


@pytest.mark.fault
def test_a_restart_stays_fenced_until_it_is_recovered(short_path: Path, rng: random.Random) -> None:
    async def test(scene: Scene) -> None:
        await scene.die_at("durable")
        await scene.coast.actors[1].kill()
        await scene.coast.start(1)
        status = await scene.coast.actors[1].status()
        assert status.fenced
        await asyncio.sleep(0)
        again = await scene.coast.actors[1].status()
        assert (again.position, again.tick) == (status.position, status.tick)
        await scene.recover()
        assert not await scene.judge()

    run(short_path, rng, 2, test)


@pytest.mark.fault
def test_settling_before_the_decision_is_caught(short_path: Path, rng: random.Random) -> None:
    async def test(scene: Scene) -> None:
        await scene.die_at("released", hasty=True)
        await scene.recover()
        with pytest.raises(TornError, match="not decided"):
            await scene.judge()

    run(short_path, rng, 2, test)


@pytest.mark.fault
def test_a_commit_that_does_not_wait_for_the_disk_is_caught(
    short_path: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = {each.name: each for each in Frame} | {"SYNC": Frame.STATUS}

    async def test(scene: Scene) -> None:
        with monkeypatch.context() as planted:
            planted.setattr(module, "Frame", SimpleNamespace(**frames))
            with pytest.raises(CommitError, match="not all on disk"):
                await scene.commit()
        assert not await scene.judge()

    run(short_path, rng, 2, test)


@pytest.mark.fault
def test_nothing_is_decided_before_those_who_take_no_part_have_their_past_on_disk(
    short_path: Path, rng: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(scene: Scene) -> None:
        scene.planned = cells = scene.plan() | {1: []}
        spared = scene.coast.actors[1].pid

        def stop(step: str) -> None:
            if step == "quiet":
                monkeypatch.setattr(together, "TIMEOUT_S", 1.0)
                os.kill(spared, signal.SIGSTOP)

        order = Order("test", "other costs")
        try:
            with pytest.raises(CommitError, match="no answer within"):
                await commit(scene.data, scene.sockets, catch_up(cells), order, step=stop)
        finally:
            os.kill(spared, signal.SIGCONT)
            monkeypatch.undo()
        await scene.recover()
        assert not await scene.judge()
        await commit(scene.data, scene.sockets, catch_up(cells), order)
        assert await scene.judge()

    run(short_path, rng, 2, test)


@pytest.mark.fault
def test_a_recovery_that_forgets_a_partition_is_caught(
    short_path: Path, rng: random.Random
) -> None:
    async def test(scene: Scene) -> None:
        await scene.die_at("durable")
        sockets = scene.sockets
        forgotten = sockets.pop(1)
        await recover(scene.data, sockets)
        with pytest.raises(TornError, match="left fenced"):
            await scene.judge()
        await recover(scene.data, {1: forgotten})
        assert not await scene.judge()
        assert Audit(scene.data).entries() == []

    run(short_path, rng, 2, test)
