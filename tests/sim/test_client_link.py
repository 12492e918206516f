"""The asyncio client against the real actor: batches, many tasks, draining, refusals."""

from __future__ import annotations

import asyncio
import os
import random
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from huntgraph.client import Identity, Link, Seats, connect
from huntgraph.cluster import Authority
from huntgraph.errors import LinkError, UsageError
from huntgraph.schema import MOVE, UPDATE, Code, Kind
from tests.sim.client_scene import Scene, Walk, treasure


def test_batches_of_several_tasks_get_their_own_answers(
    short_path: Path, rng: random.Random, seed: int
) -> None:
    scene = Scene(short_path, seed)

    async def one(link: Link, walk: Walk) -> None:
        for moves in [walk.enter(), *[walk.step() for _ in range(10)]]:
            updates = await link.send(moves)
            assert updates.dtype == UPDATE
            assert updates["echo"].tolist() == moves["echo"].tolist()
            assert updates["code"].tolist() == [Code.OK] * len(moves)
            assert updates["node"].tolist() == moves["to"].tolist()

    async def play() -> None:
        walks = [Walk(scene.world, range(n * 100, n * 100 + 50), rng) for n in range(1, 5)]
        async with await scene.start() as actor, scene.connect(actor, capacity=120) as link:
            assert int(link.welcome["world_id"]) == scene.world.world_id
            await asyncio.gather(*(one(link, walk) for walk in walks))
            counts = link.statistics()
            assert counts["moves"] == counts["answered"] == 4 * 50 * 11
            assert counts["repeated"] == 0
            durable = await link.drain()
            assert durable >= counts["moves"]
            with pytest.raises(LinkError) as caught:
                await link.send(walks[0].step())
            assert caught.value.code == "HG1306"

    scene.run(play())


def test_posted_moves_are_answered_by_the_iterator_with_back_pressure(
    short_path: Path, rng: random.Random, seed: int
) -> None:
    scene = Scene(short_path, seed)
    walk = Walk(scene.world, range(1, 41), rng)

    async def play() -> None:
        async with await scene.start() as actor, scene.connect(actor, capacity=100) as link:
            batches = [walk.enter(), *[walk.step() for _ in range(20)]]
            wanted = np.concatenate(batches)["echo"].tolist()

            async def post() -> None:
                for moves in batches:
                    await link.post(moves)

            posting = asyncio.create_task(post())
            await link.durable(80)
            assert not posting.done(), "with 100 unread answers, posting waits"
            got: list[int] = []
            async for updates in link.updates():
                got += updates["echo"].tolist()
                if len(got) == len(wanted):
                    break
            await posting
            assert got == wanted
            assert link.statistics()["unread"] == 0

    scene.run(play())


def test_receipts_come_once_and_durable(short_path: Path, rng: random.Random, seed: int) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        async with await scene.start() as actor, scene.connect(actor) as link:
            walk = Walk(scene.world, range(1, 31), rng, hunt=0)
            node = walk.nodes[1]
            walk.nodes = dict.fromkeys(walk.players, node)
            await actor.control(treasure(node))
            tick = (await actor.status()).tick
            while (await actor.status()).tick < tick + 4:
                await asyncio.sleep(0.01)
            entered = await link.send(walk.enter())
            assert entered["code"].tolist() == [0] * 30
            claims = await link.send(walk.claim())
            again = await link.send(walk.claim())
            assert claims["code"].tolist() == [0] * 30
            assert again["code"].tolist() == [Code.ALREADY_WON] * 30
            await link.durable(int(again["position"].max()))
            receipts = link.receipts()
            assert receipts["position"].tolist() == claims["position"].tolist()
            assert receipts["serial"].tolist() == list(range(1, 31))
            await link.drain()
            assert len(link.receipts()) == 0

    scene.run(play())


def test_a_cancelled_send_leaves_the_link_whole(
    short_path: Path, rng: random.Random, seed: int
) -> None:
    scene = Scene(short_path, seed)
    walk = Walk(scene.world, range(1, 51), rng)

    async def play() -> None:
        async with await scene.start() as actor, scene.connect(actor, capacity=60) as link:
            task = asyncio.create_task(link.send(walk.enter()))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            moves = walk.step()
            updates = await link.send(moves)
            assert updates["echo"].tolist() == moves["echo"].tolist()
            assert updates["code"].tolist() == [0] * 50
            assert link.statistics()["unclaimed"] == 50

    scene.run(play())


def test_two_links_are_independent(short_path: Path, rng: random.Random, seed: int) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        async with await scene.start() as actor:
            first = await scene.connect(actor, "one")
            second = await scene.connect(actor, "two")
            one, two = (Walk(scene.world, range(a, a + 20), rng) for a in (1, 101))
            await asyncio.gather(first.send(one.enter()), second.send(two.enter()))
            first.close()
            updates = await second.send(two.step())
            assert updates["code"].tolist() == [0] * 20
            with pytest.raises(LinkError):
                await first.send(one.step())
            await second.drain()

    scene.run(play())


def test_refusals_say_what_and_what_to_do(short_path: Path, seed: int) -> None:
    scene = Scene(short_path, seed)
    stranger = Authority.create_or_open(short_path / "strangers").client_identity()
    trusted = scene.authority.client_identity()

    async def attempt(
        identity: Identity, url: str, partition: int = 0, world_id: int = 0
    ) -> LinkError:
        """Connect, without an end of trying: only the refusal itself ends it."""
        connecting = partial(connect, url, identity=identity, timeout_ms=1 << 31)
        with pytest.raises(LinkError) as caught:
            await connecting(partition=partition, world_id=world_id)
        return caught.value

    async def play() -> None:
        async with await scene.start() as actor:
            url = actor.ready.url
            mixed = Identity(stranger.certificate, stranger.key, trusted.authority)
            for identity in (mixed, Identity(trusted.certificate, trusted.key, stranger.authority)):
                error = await attempt(identity, url)
                assert error.code == "HG1302"
                assert "certificate" in error.what
                assert error.where == actor.ready.address
                assert error.fix
            good = Identity(trusted.certificate, trusted.key, trusted.authority)
            error = await attempt(good, url, partition=3)
            assert (error.code, "63" in error.what) == ("HG1303", True)
            error = await attempt(good, url, world_id=1)
            assert (error.code, "64" in error.what) == ("HG1303", True)

    scene.run(play())


def test_a_kind_that_is_not_allowed_ends_the_link(short_path: Path, seed: int) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        async with await scene.start() as actor:
            link = await scene.connect(actor)
            moves = np.zeros(1, dtype=MOVE)
            moves["kind"] = Kind.HUNT_CLOSE
            # An array of moves is looked at before it is sent, so that the link lives on.
            with pytest.raises(UsageError, match="record 0 is of kind"):
                await link.send(moves)
            assert link.connected
            with pytest.raises(LinkError) as caught:
                await link.send(moves.view(np.uint8).reshape(1, 64))
            assert caught.value.code == "HG1303"
            with pytest.raises(LinkError):
                await link.durable(1 << 40)
            link.close()

    scene.run(play())


def test_seats_number_for_the_caller(short_path: Path, seed: int) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        async with await scene.start() as actor, scene.connect(actor) as link:
            seats = Seats()
            moves = np.zeros(3, dtype=MOVE)
            moves["player"], moves["hunt"] = [5, 6, 7], 0xFFFF
            moves["kind"], moves["to"] = Kind.ENTER, [0, scene.world.nodes, 1]
            updates = await link.send(seats.number(moves))
            assert updates["code"].tolist() == [0, Code.UNKNOWN_NODE, 0]
            seats.learn(updates)
            moves["to"] = [1, 2, 3]
            updates = await link.send(seats.number(moves))
            assert updates["code"].tolist() == [0, 0, 0]
            assert updates["seq"].tolist() == [2, 1, 2]

    scene.run(play())


def test_a_forked_child_cannot_use_the_link(short_path: Path, seed: int) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        async with await scene.start() as actor, scene.connect(actor) as link:
            child = os.fork()
            if child == 0:
                try:
                    link.statistics()
                except RuntimeError:
                    os._exit(7)
                os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
            assert link.statistics()["connections"] == 1

    scene.run(play())
