"""An actor that is asked to stop, or is stopped for a while, keeps what it answered."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from pathlib import Path

import pytest

from huntgraph.schema import Code, Frame, Kind
from tests.fault.follower import prove
from tests.fault.ledger import check
from tests.fault.load import Load, halt
from tests.fault.scenery import goals, publish
from tests.servers import dial, ground, hang_up, linked, move, serving, until, within

pytestmark = pytest.mark.fault
TICK_MS = 50
PAUSE_S = 2.0
CATCH_UP_TICKS = 20
"""After a stall at most a second's ticks are made up at once."""
STILL_MS = 10_000
FAREWELL_S = 2.0
"""An actor with links waits so long for those that do not leave."""
TRIES = 5


def test_sigterm_drains_and_all_that_was_answered_is_on_disk(
    short_path: Path, rng: random.Random
) -> None:
    async def test() -> None:
        world, directory = ground().world, short_path / "run"
        load = Load(world, rng, goals(world))
        async with serving(directory) as actor:
            await publish(actor, world)
            async with linked(actor, ground().other) as bystander:
                client = await dial(actor, ground().client)
                walking = asyncio.create_task(load.run(client))
                await until(lambda: load.answered > 2000)
                os.kill(actor.pid, signal.SIGTERM)
                await bystander.frame(Frame.DRAIN)
                updates, _ = await bystander.moves(move(Kind.ENTER, 7, 1, to=1))
                assert (updates["code"][0], updates["position"][0]) == (Code.DRAINING, 0)
                code, _ = await asyncio.wait_for(client.closed, 60)
                assert code == 0
                await halt(walking)
                hang_up(client)
            assert await actor.wait() == 0
            stopped = await actor.stop()
        assert stopped is not None
        assert stopped.durable == stopped.position
        follower = prove(ground(), directory, stopped.state_hash)
        answered = {(player, seq) for _, _, player, seq in load.ledger.applied}
        records = follower.all_records()
        logged = set(zip(records["player"].tolist(), records["seq"].tolist(), strict=True))
        assert answered <= logged
        assert check(load.ledger, records) == []

    within(test)


def test_a_stalled_actor_goes_on_and_loses_nothing(short_path: Path, rng: random.Random) -> None:
    async def test() -> None:
        world, directory = ground().world, short_path / "run"
        load = Load(world, rng, goals(world))
        async with serving(directory) as actor:
            await publish(actor, world)
            client = await dial(actor, ground().client)
            walking = asyncio.create_task(load.run(client))
            await until(lambda: load.answered > 1000)
            counters = actor.counters()
            os.kill(actor.pid, signal.SIGSTOP)
            ticks, answered = counters.value("tick"), load.answered
            # The length of the stall is what is tested.
            await asyncio.sleep(PAUSE_S)
            os.kill(actor.pid, signal.SIGCONT)
            resumed = time.monotonic()

            def caught_up() -> bool:
                """More ticks have passed than the clock's since then, by those made up."""
                passed = counters.value("tick") - ticks
                return passed > CATCH_UP_TICKS / 2 + (time.monotonic() - resumed) * 1000 / TICK_MS

            await until(caught_up)
            await until(lambda: walking.done() or load.answered > answered + 2000)
            assert not walking.done(), walking.exception()
            await halt(walking)
            hang_up(client)
            stopped = await actor.stop()
        assert stopped is not None
        follower = prove(ground(), directory, stopped.state_hash)
        assert check(load.ledger, follower.all_records()) == []

    within(test)


def test_what_a_walk_failed_of_is_told_at_its_end() -> None:
    async def fail() -> None:
        raise AssertionError("an answer too many")

    async def test() -> None:
        walking = asyncio.create_task(fail())
        await asyncio.wait({walking})
        with pytest.raises(AssertionError, match="too many"):
            await halt(walking)

    within(test)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_actor_ends_at_once(short_path: Path, number: signal.Signals) -> None:
    async def test() -> None:
        # The machine may be slow once; an actor that waits for something does so each time.
        for _ in range(TRIES):
            async with serving(short_path / "run", tick_ms=STILL_MS) as actor:
                began = time.monotonic()
                os.kill(actor.pid, number)
                assert await actor.wait() == 0
                took_s = time.monotonic() - began
                assert await actor.stop() is not None
            if took_s < FAREWELL_S / 2:
                return
        pytest.fail(f"the quickest of {TRIES} did not end at once")

    within(test)
