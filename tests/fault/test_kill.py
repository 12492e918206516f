"""``kill -9`` of an actor at random moments under load: what was promised is kept.

Each round starts the actor on the same directory, sends again what is open, walks on, and kills
it: under load, while it boots and replays, or while a snapshot is made beside it. Then the dead
actor's log is read by an independent reader and fed to the oracle.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from huntgraph.cluster.actor import Actor
from huntgraph.cluster.snapshots import SnapshotMade, make_snapshot
from huntgraph.errors import ActorError
from tests.fault.follower import Follower
from tests.fault.ledger import check
from tests.fault.load import Load, halt
from tests.fault.scenery import goals, publish
from tests.servers import PLAYERS, dial, ground, hang_up, serving, until, within

ROUNDS = int(os.environ.get("HUNTGRAPH_KILLS", "200"))
LOAD_MOVES = (1, 1000)
"""So many answers come first, however slow the machine is: a life without any proves nothing."""
LOAD_MORE_S = (0.0, 0.01)
BOOT_S = 0.02
SNAPSHOT_S = 0.03
WAYS = ["load"] * 14 + ["boot"] * 3 + ["snapshot"] * 3
CHECK_EVERY = 50


class Rounds:
    """One directory, one load, many deaths."""

    def __init__(self, directory: Path, rng: random.Random) -> None:
        self.directory = directory
        self.rng = rng
        self.ground = ground()
        self.load = Load(self.ground.world, rng, goals(self.ground.world))
        self.follower = Follower.of(self.ground, directory)
        self.counts: Counter[str] = Counter()
        self.boot_ms: list[float] = []
        self.snapshot: asyncio.Task[SnapshotMade] | None = None

    async def prepare(self) -> None:
        """Publish the hunt; end in good order."""
        async with serving(self.directory) as actor:
            await publish(actor, self.ground.world)
        self.follower.catch_up()

    async def round(self, way: str) -> None:
        """Start, load, kill, judge."""
        if way == "boot":
            await self._kill_at_boot()
        actor = await Actor.start(self.ground.options(self.directory))
        try:
            self._judge_start(actor)
            client = await dial(actor, self.ground.client)
            walking = asyncio.create_task(self.load.run(client))
            try:
                await self._until_kill(way, walking)
            finally:
                await actor.kill()
                await asyncio.sleep(0)  # what the actor had told before is still in the socket
                await halt(walking)
                hang_up(client)
        finally:
            await actor.kill()
            await self._end_snapshot()
        self.counts[way] += 1
        self._judge_death()

    async def _until_kill(self, way: str, walking: asyncio.Task[None]) -> None:
        await self._until_answered(self.rng.randint(*LOAD_MOVES), walking)
        await asyncio.sleep(self.rng.uniform(*LOAD_MORE_S))
        if way == "snapshot":
            options = self.ground.options(self.directory)
            making = make_snapshot(options.directory, options.world, players=PLAYERS)
            self.snapshot = asyncio.create_task(making)
            await asyncio.wait({self.snapshot}, timeout=self.rng.uniform(0.0, SNAPSHOT_S))

    async def _until_answered(self, count: int, walking: asyncio.Task[None]) -> None:
        goal = self.load.answered + count
        await until(lambda: self.load.answered >= goal or walking.done(), step_ms=1)
        if walking.done():
            walking.result()

    async def _end_snapshot(self) -> None:
        """Kill it too, or let it finish with the actor dead."""
        snapshot, self.snapshot = self.snapshot, None
        if snapshot is None:
            return
        if self.rng.random() < 0.5:
            snapshot.cancel()
        try:
            await snapshot
            self.counts["snapshots made"] += 1
        except asyncio.CancelledError:
            self.counts["snapshots killed"] += 1

    async def _kill_at_boot(self) -> None:
        limit = self.rng.uniform(0.0, BOOT_S)
        started = time.monotonic()
        try:
            actor = await Actor.start(self.ground.options(self.directory), timeout_s=limit)
        except ActorError as error:
            if error.code != "HG1411":
                raise
            self.counts["killed before it was ready"] += 1
        else:
            await asyncio.sleep(max(0.0, limit - (time.monotonic() - started)))
            await actor.kill()
            self.counts["killed when just ready"] += 1
        # Its ticks may have become durable.
        self._judge_death()

    def _judge_start(self, actor: Actor) -> None:
        """It stands where the dead one's log ended."""
        self.boot_ms.append(actor.ready.boot_ms)
        assert actor.ready.position == self.follower.log.last_position
        assert actor.ready.position >= self.load.durable

    def _judge_death(self) -> None:
        self.load.cut_off()
        self.follower.told = dict(self.load.told)
        self.follower.catch_up()
        self.follower.forget_lost()
        self.load.told.clear()
        last = self.follower.log.last_position
        assert last >= self.load.durable, "a durable-acknowledged position is not in the log"
        for position, receipt in self.load.receipts.items():
            if position <= last:
                assert self.follower.receipts[position] == receipt
        self.load.receipts.clear()

    def judge_ledger(self) -> None:
        """All promises of all rounds against all of the log, read anew."""
        fresh = Follower.of(self.ground, self.directory).log.records()
        assert fresh.tobytes() == self.follower.all_records().tobytes(), "read records changed"
        findings = check(self.load.ledger, fresh)
        assert not findings, f"{len(findings)} broken promises, the first: {findings[0]}"

    async def finish(self) -> None:
        """One last life in peace, drained at its end; its state is the oracle's."""
        async with serving(self.directory) as actor:
            self._judge_start(actor)
            client = await dial(actor, self.ground.client)
            walking = asyncio.create_task(self.load.run(client))
            await self._until_answered(LOAD_MOVES[1], walking)
            await halt(walking)
            client.close()
            await client.wait_closed()
            hang_up(client)
            stopped = await actor.stop()
        assert stopped is not None
        self._judge_death()
        assert self.follower.model.state_hash() == stopped.state_hash
        assert self.follower.log.last_position == stopped.position == stopped.durable
        self.judge_ledger()


async def kill_many(directory: Path, rng: random.Random, rounds: int) -> Rounds:
    """That many deaths, judged after each."""
    run = Rounds(directory, rng)
    await run.prepare()
    for number in range(1, rounds + 1):
        await run.round(rng.choice(WAYS))
        if number % CHECK_EVERY == 0:
            run.judge_ledger()
    await run.finish()
    return run


@pytest.mark.fault
def test_kills_at_random_moments_lose_and_double_nothing(
    short_path: Path, rng: random.Random, record_property: Callable[[str, object], None]
) -> None:
    started = time.monotonic()
    runs: list[Rounds] = []

    async def test() -> None:
        runs.append(await kill_many(short_path / "run", rng, ROUNDS))

    within(test, 240 + ROUNDS * 6)
    run = runs[0]
    record_property("tried", report(run, time.monotonic() - started))
    promised = sum(run.load.ledger.promised.values())
    assert promised > 20 * ROUNDS, "too little load to prove anything"
    assert run.follower.compared > ROUNDS, "too few hashes were compared"


def report(run: Rounds, seconds: float) -> str:
    """One line that says how much was tried."""
    promised = sum(run.load.ledger.promised.values())
    boots = sorted(run.boot_ms)
    return (
        f"{ROUNDS} kills in {seconds:.0f} s ({dict(run.counts)}): "
        f"{run.follower.log.last_position:,} records, {promised:,} promised moves, "
        f"{len(run.follower.receipts)} receipts, {run.follower.compared:,} hashes compared, "
        f"boot {boots[0]:.0f}/{boots[len(boots) // 2]:.0f}/{boots[-1]:.0f} ms"
    )
