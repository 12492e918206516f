"""`Actor` and `Control` on the real program."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huntgraph.cluster import Actor, ActorOptions, Control, control_move, make_snapshot
from huntgraph.cluster.pulse import process_state
from huntgraph.errors import ActorError, RefusedError
from huntgraph.hunt import Hunt
from huntgraph.schema import PRICES, Code, Kind
from huntgraph.world import World, split


def test_it_starts_answers_and_drains(options: ActorOptions, world: World) -> None:
    async def work() -> None:
        actor = await Actor.start(options)
        assert actor.ready.url.startswith("huntgraph://127.0.0.1:")
        assert (actor.ready.pid, actor.ready.replayed) == (actor.pid, 0)
        status = await actor.status()
        assert (status.world_id, status.nodes) == (world.world_id, world.nodes)
        assert actor.counters().pid == actor.pid
        stopped = await actor.stop()
        assert stopped is not None
        assert stopped.durable == stopped.position >= status.position
        assert (actor.alive, actor.returncode) == (False, 0)
        assert await actor.stop() == stopped

    asyncio.run(work())


def test_a_part_of_a_world_is_served_like_a_world(options: ActorOptions, world: World) -> None:
    async def work() -> None:
        part = split(world, 3)[1]
        part.save(options.world)
        async with await Actor.start(replace(options, partition=part.partition)) as actor:
            status = await actor.status()
            assert (status.world_id, status.nodes) == (part.world_id, part.nodes)

    asyncio.run(work())


def test_hunts_are_published_and_steered(options: ActorOptions, world: World, hunt: Hunt) -> None:
    async def work() -> None:
        async with await Actor.start(options) as actor:
            published = await actor.publish(hunt, world, 2)
            assert (published.updates["code"] == Code.OK).all()
            with pytest.raises(RefusedError) as caught:
                await actor.publish(hunt, world, 2)
            assert caught.value.refusal == Code.HUNT_IN_USE
            await _ticks(actor, 2)
            await actor.pause(2)
            await _ticks(actor, 2)
            await actor.extend(2, 100)
            await actor.resume(2)
            await _ticks(actor, 2)
            await actor.close(2)
            await _ticks(actor, 2)
            with pytest.raises(RefusedError):
                await actor.close(2)

    asyncio.run(work())


async def _ticks(actor: Actor, count: int) -> None:
    """Wait for ticks: what orders do takes effect at their edge."""
    until = (await actor.status()).tick + count
    while (await actor.status()).tick < until:
        await asyncio.sleep(0.01)


def test_a_second_actor_on_the_same_folder_says_why_it_fails(options: ActorOptions) -> None:
    async def work() -> None:
        async with await Actor.start(options) as first:
            with pytest.raises(ActorError) as caught:
                await Actor.start(options)
            assert caught.value.code.startswith("HG")
            assert caught.value.fix
            assert (await first.status()).nodes

    asyncio.run(work())


def test_killed_it_comes_back_with_what_was_durable(
    options: ActorOptions, world: World, hunt: Hunt
) -> None:
    async def work() -> None:
        actor = await Actor.start(options)
        await actor.publish(hunt, world)
        position = (await actor.status()).position
        while (await actor.status()).durable < position:
            await asyncio.sleep(0.01)
        await actor.kill()
        assert actor.returncode == -signal.SIGKILL
        assert "SIGKILL" in str(actor.failure())
        async with await Actor.start(options) as again:
            assert again.ready.position >= position
            assert again.ready.epoch > actor.ready.epoch
            with pytest.raises(RefusedError):
                await again.publish(hunt, world)

    asyncio.run(work())


def test_a_snapshot_is_made_beside_a_running_actor(
    options: ActorOptions, world: World, hunt: Hunt
) -> None:
    async def work() -> None:
        async with await Actor.start(options) as actor:
            await actor.publish(hunt, world)
            await _ticks(actor, 30)
            made = await make_snapshot(options.directory, options.world, players=options.players)
            assert 0 < made.position <= (await actor.status()).position
            assert actor.alive
        async with await Actor.start(options) as again:
            assert again.ready.replayed < again.ready.position

    asyncio.run(work())


@pytest.mark.parametrize("place", ["log", "snapshot"])
@pytest.mark.parametrize("option", ["players", "added_edges"])
def test_a_table_too_small_is_named_with_the_least_that_fits(
    options: ActorOptions, world: World, option: str, place: str
) -> None:
    heads, _ = world.row(0)
    free = [node for node in range(1, world.nodes) if node not in heads][:11]
    enters = [control_move(Kind.ENTER, player=number, seq=1) for number in range(1, 12)]
    adds = [control_move(Kind.EDGE_ADD, to=node, arg=5) for node in free]
    records = {"players": enters, "added_edges": adds}[option]
    said = rf"--{option.replace('_', '-')} is too small \(11 is the least .* for the {place} at"

    async def work() -> None:
        async with await Actor.start(options) as actor:
            answers = await actor.control(np.concatenate(records))
            assert not answers.updates["code"].any()
        if place == "snapshot":
            await make_snapshot(options.directory, options.world, players=options.players)
        for small in (1, 10):
            changes: dict[str, Any] = {option: small}
            with pytest.raises(ActorError, match=said) as found:
                await Actor.start(replace(options, **changes))
            assert found.value.code == "HG3018"
        tight: dict[str, Any] = {option: 11}
        for fitting in (replace(options, **tight), options):
            async with await Actor.start(fitting) as again:
                repeated = await again.control(np.concatenate(records))
                assert set(repeated.updates["code"]) <= {Code.OK, Code.EDGE_EXISTS}

    asyncio.run(work())


def test_prices_are_chosen_before_the_first_snapshot(options: ActorOptions, world: World) -> None:
    """The log alone leads to either form; a snapshot has one."""
    edges = np.flatnonzero(world.cost)[: PRICES + 1]
    tails = np.searchsorted(world.first, edges, "right") - 1
    ends = zip(tails.tolist(), world.head[edges].tolist(), strict=True)
    prices = [
        control_move(Kind.EDGE_PRICE, **{"from": tail, "to": head, "arg": 1_000 + number})
        for number, (tail, head) in enumerate(ends)
    ]
    either = options, replace(options, prices="any")

    async def work() -> None:
        for chosen in either:
            async with await Actor.start(chosen) as actor:
                answers = await actor.control(np.concatenate(prices[:20]))
                assert not answers.updates["code"].any()
                last = await actor.control(np.concatenate(prices))
                full = chosen.prices == "auto"
                assert (last.updates["code"] == Code.PRICES_FULL).any() == full
        for chosen, other in (either[1], either[0]), (either[0], either[1]):
            folder = replace(chosen, directory=options.directory / chosen.prices)
            async with await Actor.start(folder) as actor:
                await actor.control(np.concatenate(prices[:20]))
            await make_snapshot(
                folder.directory, folder.world, players=folder.players, prices=folder.prices
            )
            with pytest.raises(ActorError, match=f"start with --prices {chosen.prices}") as found:
                await Actor.start(replace(folder, prices=other.prices))
            assert found.value.code == "HG3019"
            async with await Actor.start(folder) as again:
                assert again.ready.position == 20 + again.ready.tick

    asyncio.run(work())


def test_a_killed_parent_leaves_no_actor(options: ActorOptions, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import asyncio, pickle, sys\n"
        "from huntgraph.cluster import Actor\n"
        "async def main():\n"
        "    actor = await Actor.start(pickle.load(open(sys.argv[1], 'rb')))\n"
        "    print(actor.pid, flush=True)\n"
        "    await asyncio.sleep(3600)\n"
        "asyncio.run(main())\n"
    )
    import pickle

    (tmp_path / "options").write_bytes(pickle.dumps(options))
    command = [sys.executable, str(script), str(tmp_path / "options")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert process_state(pid)
        handle = os.pidfd_open(pid)
        parent.kill()
        parent.wait()

        async def ended() -> None:
            gone = asyncio.Event()
            asyncio.get_running_loop().add_reader(handle, gone.set)
            async with asyncio.timeout(20):
                await gone.wait()

        asyncio.run(ended())
        os.close(handle)
    assert process_state(pid) in ("", "Z")


def test_control_refuses_what_is_not_allowed_and_goes_on(options: ActorOptions) -> None:
    async def work() -> None:
        async with await Actor.start(options) as actor:
            path = options.directory / "control.sock"
            async with await Control.open(path) as control:
                with pytest.raises(RefusedError) as caught:
                    await control.send(control_move(Kind.TICK, arg=1))
                assert caught.value.refusal == Code.NOT_ALLOWED
            async with await Control.open(path) as control:
                many = np.concatenate([control_move(Kind.EDGE_OPEN, from_=0, to=0)] * 2500)
                answers = await control.send(many)
                assert len(answers.updates) == 2500
                assert (answers.updates["code"] == Code.NO_EDGE).all()
                together = await asyncio.gather(*(control.status() for _ in range(20)))
                assert len({status.world_id for status in together}) == 1
            assert actor.alive

    asyncio.run(work())


def test_draining_over_the_control_socket_ends_the_actor(options: ActorOptions) -> None:
    async def work() -> None:
        actor = await Actor.start(options)
        async with await Control.open(options.directory / "control.sock") as control:
            position = (await control.status()).position
            assert await control.drain() >= position
        assert await actor.wait() == 0

    asyncio.run(work())


def test_nobody_on_the_socket_is_said_so(short_path: Path) -> None:
    async def work() -> None:
        with pytest.raises(ActorError) as caught:
            await Control.open(short_path / "control.sock")
        assert caught.value.code == "HG1450"

    asyncio.run(work())
