"""``kill -9`` of either side of a border while players walk over it: each arrives once."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from huntgraph.client import Identity, connect_all
from huntgraph.cluster.snapshots import make_snapshot
from huntgraph.model import Model
from huntgraph.schema import Kind
from tests.coast import Coast
from tests.fault.wanderers import CLUES, Wanderers
from tests.handover import Records, check, last_moves
from tests.servers import PLAYERS, ground, until, within

KILLS = int(os.environ.get("HUNTGRAPH_HANDOVER_KILLS", "10"))
WALKERS = 150
LIFE_ROUNDS = (5, 80)
LIFE_MORE_S = (0.0, 0.03)
DEATH_S = (0.0, 0.1)


class Storm:
    """Deaths on a coast."""

    def __init__(self, coast: Coast, rng: random.Random) -> None:
        self.coast, self.rng = coast, rng
        self.kills = 0

    async def strike(self) -> None:
        """Kill an actor, now and then two at once, and start them again a moment later."""
        count = self.rng.choice([1, 1, 1, 2])
        victims = self.rng.sample(range(len(self.coast.parts)), count)
        for number in victims:
            await self.coast.actors[number].kill()
            self.kills += 1
        await asyncio.sleep(self.rng.uniform(*DEATH_S))
        for number in victims:
            if self.rng.random() < 0.1:
                options = self.coast.options[number]
                files = options.directory, options.world
                await make_snapshot(*files, partition=number, players=PLAYERS)
            await self.coast.start(number)


def _has_walked(walkers: Wanderers, goal: int, walking: asyncio.Task[None]) -> bool:
    return walkers.rounds >= goal or walking.done()


async def walk_and_kill(storm: Storm, walkers: Wanderers, kills: int) -> None:
    """Load over all borders; deaths at random moments; in the end everybody arrives."""
    leaf = ground().client
    identity = Identity(leaf.certificate, leaf.key, leaf.authority)
    async with connect_all(storm.coast.links(), identity=identity, patience_s=30.0) as links:
        over = asyncio.Event()
        walking = asyncio.create_task(walkers.walk(links, over))
        while storm.kills < kills:
            goal = walkers.rounds + storm.rng.randint(*LIFE_ROUNDS)
            await until(partial(_has_walked, walkers, goal, walking))
            await asyncio.sleep(storm.rng.uniform(*LIFE_MORE_S))
            await storm.strike()
        over.set()
        await walking
        await links.durable()


def judge(coast: Coast, walkers: Wanderers, hashes: list[int]) -> list[Records]:
    """All promises against all logs and the oracle; gives the logs."""
    followers = [coast.follow(part) for part in coast.parts]
    logs = [follower.catch_up() for follower in followers]
    assert check(logs) == []
    assert [follower.model.state_hash() for follower in followers] == hashes
    judge_hunt([follower.model for follower in followers])
    last = last_moves(logs)
    for player, seq in walkers.promised.items():
        assert seq <= last[player], f"durable move {seq} of player {player} is in no log"
    for walker in walkers.players:
        known = [follower.model.player(walker.player) for follower in followers]
        here = [each for each in known if each is not None and not each.away]
        assert len(here) == 1, f"player {walker.player} is in {len(here)} partitions"
    return logs


def judge_hunt(models: list[Model]) -> None:
    """Everybody knows of every clue whether it was found; each player was paid once for each."""
    for number in range(CLUES):
        found = {model.hunts[0].stages[number].wins > 0 for model in models}
        assert len(found) == 1, f"clue {number} was found for some partitions only"
    assert any(stage.wins > 0 for stage in models[0].hunts[0].stages)
    for model in models:
        for player in model.players:
            assert player.away or player.score == player.progress.bit_count()


def storm_over(folder: Path, rng: random.Random, parts: int, kills: int) -> str:
    """So many kills and all the judging; a line that says how much was tried."""
    began = time.monotonic()
    coast = Coast(folder, parts)
    storm = Storm(coast, rng)
    walkers = Wanderers(coast.parts, rng, WALKERS)
    hashes: list[int] = []

    async def test() -> None:
        async with coast:
            await coast.start()
            await coast.publish(walkers.clues())
            await walk_and_kill(storm, walkers, kills)
            await coast.settle()
            hashes.extend(await coast.stop())

    within(test, 120 + kills * 6)
    logs = judge(coast, walkers, hashes)
    arrivals = sum(int((log["kind"] == Kind.ARRIVE).sum()) for log in logs)
    assert arrivals > 50 * kills, "too few hand-overs to prove anything"
    return (
        f"{storm.kills} kills of {parts} partitions in {time.monotonic() - began:.0f} s: "
        f"{sum(map(len, logs)):,} records, {arrivals:,} hand-overs, "
        f"{sum(walkers.promised.values()):,} promised moves; refused {walkers.refused()}"
    )


@pytest.mark.fault
@pytest.mark.parametrize("parts", [2, 3])
def test_kills_on_either_side_of_a_border_lose_and_double_nobody(
    short_path: Path,
    rng: random.Random,
    record_property: Callable[[str, object], None],
    parts: int,
) -> None:
    record_property("tried", storm_over(short_path, rng, parts, KILLS))


@pytest.mark.fault
@pytest.mark.soak
def test_hundreds_of_kills_on_either_side_of_borders(short_path: Path, rng: random.Random) -> None:
    print(storm_over(short_path, rng, 3, 500))
