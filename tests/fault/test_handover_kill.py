"""``kill -9`` of either side of a border while players walk over it: each arrives once."""

from __future__ import annotations

import asyncio
import os
import random
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from huntgraph.bus import Counters
from huntgraph.client import Identity, connect_all
from huntgraph.cluster.actor import Actor, ActorOptions
from huntgraph.cluster.snapshots import make_snapshot
from huntgraph.model import Border, Model
from huntgraph.schema import Kind
from tests.fault.follower import Follower
from tests.fault.logfile import LogFile
from tests.fault.wanderers import Wanderers
from tests.handover import Records, check, last_moves
from tests.partitions import Part, Rows, split
from tests.servers import PLAYERS, ground, until, within

KILLS = int(os.environ.get("HUNTGRAPH_HANDOVER_KILLS", "20"))
WALKERS = 150
LIFE_ROUNDS = (5, 80)
LIFE_MORE_S = (0.0, 0.03)
DEATH_S = (0.0, 0.1)


class Coast:
    """Two or three partitions with an actor each, killed and started again."""

    def __init__(self, folder: Path, rng: random.Random, parts: int) -> None:
        self.folder, self.rng = folder, rng
        world = ground().world
        rank = np.argsort(np.argsort(np.asarray(world.x), kind="stable"), kind="stable")
        owner = rank * parts // world.nodes
        self.parts = split(Rows(world.first, world.head, world.cost), owner)
        self.options = [self._options(part) for part in self.parts]
        self.actors: list[Actor] = []
        self.kills = 0

    def _options(self, part: Part) -> ActorOptions:
        file = self.folder / f"part-{part.partition:02}.hgw"
        part.save(file)
        others = [other.partition for other in self.parts if other is not part]
        neighbours = {number: self.folder / str(number) for number in others}
        directory = self.folder / str(part.partition)
        changes = {"partition": part.partition, "world": file, "neighbours": neighbours}
        return ground().options(directory, **changes)

    async def start(self) -> None:
        """Start all actors; from now on each keeps its address."""
        for number, options in enumerate(self.options):
            self.actors.append(await Actor.start(options))
            self.options[number] = replace(options, listen=self.actors[number].ready.address)

    async def kill_one(self) -> None:
        """Kill an actor, now and then two at once, and start them again a moment later."""
        count = self.rng.choice([1, 1, 1, 2])
        victims = self.rng.sample(range(len(self.parts)), count)
        for number in victims:
            await self.actors[number].kill()
            self.kills += 1
        await asyncio.sleep(self.rng.uniform(*DEATH_S))
        for number in victims:
            if self.rng.random() < 0.1:
                options = self.options[number]
                files = options.directory, options.world
                await make_snapshot(*files, partition=number, players=PLAYERS)
            self.actors[number] = await Actor.start(self.options[number])

    def links(self) -> dict[int, str]:
        """Where each partition is."""
        return {number: actor.ready.url for number, actor in enumerate(self.actors)}

    async def settle(self) -> None:
        """Wait until nobody is on the way."""
        for actor in self.actors:
            counters = actor.counters()
            await until(partial(_is_empty, counters, counters.value("tick")))

    async def stop(self) -> list[int]:
        """Stop all; their state hashes."""
        stopped = [await actor.stop() for actor in self.actors]
        return [end.state_hash for end in stopped if end is not None]

    def follow(self, part: Part) -> Follower:
        """The oracle, fed with the partition's log."""
        halo = slice(part.own_nodes, None)
        border = Border(part.partition, part.owner[halo], part.twin[halo])
        model = Model(part.first, part.head, part.cost, PLAYERS, border)
        log = LogFile(self.folder / str(part.partition) / "log", part.world_id, part.partition)
        return Follower(model, log)


def _is_empty(counters: Counters, tick: int) -> bool:
    # Counters are brought up to date with the ticks: those of the next one at the earliest.
    return counters.value("tick") > tick + 1 and counters.value("parcels_waiting") == 0


def _has_walked(walkers: Wanderers, goal: int, walking: asyncio.Task[None]) -> bool:
    return walkers.rounds >= goal or walking.done()


async def walk_and_kill(coast: Coast, walkers: Wanderers) -> None:
    """Load over all borders; deaths at random moments; in the end everybody arrives."""
    leaf = ground().client
    identity = Identity(leaf.certificate, leaf.key, leaf.authority)
    async with connect_all(coast.links(), identity=identity, patience_s=30.0) as links:
        over = asyncio.Event()
        walking = asyncio.create_task(walkers.walk(links, over))
        while coast.kills < KILLS:
            goal = walkers.rounds + coast.rng.randint(*LIFE_ROUNDS)
            await until(partial(_has_walked, walkers, goal, walking))
            await asyncio.sleep(coast.rng.uniform(*LIFE_MORE_S))
            await coast.kill_one()
        over.set()
        await walking
        await links.durable()


def judge(coast: Coast, walkers: Wanderers, hashes: list[int]) -> list[Records]:
    """All promises against all logs and the oracle; gives the logs."""
    followers = [coast.follow(part) for part in coast.parts]
    logs = [follower.catch_up() for follower in followers]
    assert check(logs) == []
    assert [follower.model.state_hash() for follower in followers] == hashes
    last = last_moves(logs)
    for player, seq in walkers.promised.items():
        assert seq <= last[player], f"durable move {seq} of player {player} is in no log"
    for walker in walkers.players:
        known = [follower.model.player(walker.player) for follower in followers]
        here = [each for each in known if each is not None and not each.away]
        assert len(here) == 1, f"player {walker.player} is in {len(here)} partitions"
    return logs


@pytest.mark.fault
@pytest.mark.parametrize("parts", [2, 3])
def test_kills_on_either_side_of_a_border_lose_and_double_nobody(
    short_path: Path, rng: random.Random, capsys: pytest.CaptureFixture[str], parts: int
) -> None:
    began = time.monotonic()
    coast = Coast(short_path, rng, parts)
    walkers = Wanderers(coast.parts, rng, WALKERS)
    hashes: list[int] = []

    async def test() -> None:
        await coast.start()
        try:
            await walk_and_kill(coast, walkers)
            await coast.settle()
            hashes.extend(await coast.stop())
        finally:
            for actor in coast.actors:
                await actor.kill()

    within(test, 120 + KILLS * 3)
    logs = judge(coast, walkers, hashes)
    arrivals = sum(int((log["kind"] == Kind.ARRIVE).sum()) for log in logs)
    with capsys.disabled():
        print(
            f"\n{coast.kills} kills of {parts} partitions in {time.monotonic() - began:.0f} s: "
            f"{sum(map(len, logs)):,} records, {arrivals:,} hand-overs, "
            f"{sum(walkers.promised.values()):,} promised moves; refused {walkers.refused()}"
        )
    assert arrivals > 50 * KILLS, "too few hand-overs to prove anything"
