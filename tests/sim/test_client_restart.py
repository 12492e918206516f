"""The client over actors that die and stop: nothing lost, nothing twice, receipts once."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.client import Link
from huntgraph.cluster import Actor
from huntgraph.schema import Code, Flag, Kind
from tests.sim.client_scene import Scene, Walk, treasure

PLAYERS = 200
STEPS = 60


def check_log(scene: Scene, walk: Walk) -> None:
    """Each player's moves stand in the log once, in order, as they were sent."""
    log = scene.log()
    taken = defaultdict(list)
    for record in log[(log["kind"] >= Kind.ENTER) & (log["kind"] <= Kind.HINT)]:
        move = (int(record["seq"]), int(record["kind"]), int(record["to"]))
        taken[int(record["player"])].append(move)
    assert taken == walk.sent


async def ask_last(link: Link, walk: Walk) -> NDArray[np.void]:
    """Send each player's last move again: the answer names its state, and nothing is applied."""
    last = walk.step()
    for player, move in zip(walk.players, last, strict=True):
        walk.seqs[player] -= 1
        walk.nodes[player] = int(move["from"])
        walk.sent[player].pop()
        move["seq"] = walk.seqs[player]
    return await link.send(last)


async def walk_all(link: Link, walk: Walk, killer: asyncio.Event, kill_at: int) -> None:
    """Send all steps with several batches on their way; set ``killer`` in the middle."""
    window: list[asyncio.Task[NDArray[np.void]]] = []
    for step in range(STEPS):
        window.append(asyncio.create_task(link.send(walk.step())))
        # Each task runs up to its own place in the window before the next is made.
        await asyncio.sleep(0)
        if step == kill_at:
            killer.set()
        if len(window) >= 8:
            check(await window.pop(0))
    for task in window:
        check(await task)


def check(updates: NDArray[np.void]) -> None:
    codes = set(updates["code"].tolist())
    assert codes <= {Code.OK, Code.DUPLICATE}, codes
    assert np.all((updates["position"] > 0) | (updates["code"] == Code.DUPLICATE))


@pytest.mark.fault
@pytest.mark.parametrize("gentle", [False, True], ids=["kill", "stop"])
def test_an_actor_that_ends_in_the_middle_loses_and_repeats_nothing(
    short_path: Path, rng: random.Random, seed: int, gentle: bool
) -> None:
    scene = Scene(short_path, seed)
    walk = Walk(scene.world, range(1, PLAYERS + 1), rng)

    async def replace(actor: Actor, killer: asyncio.Event) -> Actor:
        await killer.wait()
        await (actor.stop() if gentle else actor.kill())
        return await scene.start(listen=actor.ready.address)

    async def play() -> None:
        actor = await scene.start()
        killer = asyncio.Event()
        replacing = asyncio.create_task(replace(actor, killer))
        async with scene.connect(actor) as link:
            check(await link.send(walk.enter()))
            await walk_all(link, walk, killer, rng.randrange(10, STEPS - 10))
            actor = await replacing
            updates = await ask_last(link, walk)
            assert updates["seq"].tolist() == [walk.seqs[p] for p in walk.players]
            assert updates["node"].tolist() == [walk.nodes[p] for p in walk.players]
            assert np.all(updates["flags"] & Flag.DUPLICATE)
            counts = link.statistics()
            assert (counts["connections"], counts["moves"]) == (2, counts["answered"])
            assert gentle or counts["repeated"] > 0, (
                "nothing was on its way: the test has tested nothing"
            )
            assert link.revisions() == []
            await link.drain()
        await actor.stop()
        check_log(scene, walk)

    scene.run(play())


def check_receipts(
    scene: Scene, walk: Walk, won: NDArray[np.void], given: NDArray[np.void]
) -> None:
    """Each receipt once, each for a claim that stands at its position in the log."""
    assert len(np.unique(given["serial"])) == len(given)
    # A claim that was applied and not answered is answered again, without its receipt.
    mute = won[(won["flags"] & Flag.DUPLICATE) != 0]
    assert set(given["player"].tolist()) == set(walk.players) - set(mute["player"].tolist())
    log = scene.log()
    for receipt in given:
        record = log[int(receipt["position"]) - 1]
        assert record["kind"] == Kind.CLAIM
        assert record["player"] == receipt["player"]


@pytest.mark.fault
def test_receipts_are_given_once_over_crashes(
    short_path: Path, rng: random.Random, seed: int
) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        actor = await scene.start()
        async with scene.connect(actor) as link:
            walk = Walk(scene.world, range(1, PLAYERS + 1), rng, hunt=0)
            node = walk.nodes[1]
            walk.nodes = dict.fromkeys(walk.players, node)
            await actor.control(treasure(node))
            tick = (await actor.status()).tick
            while (await actor.status()).tick < tick + 4:
                await asyncio.sleep(0.01)
            await link.send(walk.enter())
            claims = walk.claim()
            tasks = []
            receipts = []
            for part in np.split(claims, 10):
                tasks.append(asyncio.create_task(link.send(part)))
                await asyncio.sleep(0)
            # The first answers are here, the last ones and their durability may be on their way.
            await tasks[0]
            receipts.append(link.receipts())
            await actor.kill()
            actor = await scene.start(listen=actor.ready.address)
            won = np.concatenate([await task for task in tasks])
            assert won["code"].tolist() == [Code.OK] * PLAYERS
            await link.drain()
            receipts.append(link.receipts())
        await actor.stop()
        check_receipts(scene, walk, won, np.concatenate(receipts))
        check_log(scene, walk)

    scene.run(play())
