"""More targets hunted over borders than can have rounds: what is told, and that it is counted."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import numpy as np

from huntgraph.bus import Counters
from huntgraph.schema import ROUNDS, Flag, Kind
from tests.coast import Coast
from tests.contract.independent import IndependentClient
from tests.handover import Records
from tests.partitions import Part
from tests.servers import linked, move, until, within

TARGETS = ROUNDS + 4
"""Some may be so near that no way over the border can be shorter: those need no rounds."""
EXACT = Flag.CERTIFIED | Flag.EXACT_NOW


def beside_the_border(part: Part) -> list[int]:
    """Own nodes with slots to the halo: what a partition knows alone of ways to them is nothing."""
    tails = np.repeat(np.arange(len(part.whole)), np.diff(part.first))
    beside = np.unique(tails[(tails < part.own_nodes) & (part.head >= part.own_nodes)])
    return [int(node) for node in beside]


class Crowd:
    """Players who each hunt another clue: number n has found the n clues before."""

    def __init__(
        self, client: IndependentClient, counters: Counters, clues: list[int], away: int
    ) -> None:
        self.client, self.counters, self.clues, self.away = client, counters, clues, away
        self.seq = [0] * len(clues)

    def _enter(self, player: int, node: int) -> Records:
        self.seq[player] += 1
        return move(Kind.ENTER, 1 + player, self.seq[player], to=node, hunt=0)

    async def ask(self, players: Iterable[int]) -> Records:
        """What these are told far from their targets, a tick on. Shape (n,), dtype UPDATE."""
        tick = self.counters.value("tick")
        await until(lambda: self.counters.value("tick") > tick)
        moves = np.concatenate([self._enter(player, self.away) for player in players])
        return (await self.client.moves(moves))[0]

    async def find(self, players: range) -> None:
        """Let each of these find all clues before its own."""
        for player in players:
            moves = [self._enter(player, node) for node in self.clues[:player]]
            await self.client.moves(np.concatenate(moves))

    async def leave(self, player: int) -> None:
        """Let one hunt no more."""
        self.seq[player] += 1
        await self.client.moves(move(Kind.LEAVE, 1 + player, self.seq[player]))


def test_targets_too_many_are_counted_and_wait_for_a_place(short_path: Path, seed: int) -> None:
    coast, rng = Coast(short_path, 2, fields=3 * TARGETS), Random(seed)
    part = coast.parts[1]
    clues = rng.sample(beside_the_border(part), TARGETS)
    away = rng.choice([node for node in range(part.own_nodes) if node not in clues])

    async def test() -> None:
        async with coast, AsyncExitStack() as stack:
            await coast.start()
            await coast.publish([(1, node) for node in clues])
            client = await stack.enter_async_context(linked(coast.actors[1], greet=False))
            await client.hello(partition=1)
            counters = coast.actors[1].counters()
            await until(lambda: counters.value("neighbours") == 1)
            crowd = Crowd(client, counters, clues, away)
            await crowd.find(range(1, ROUNDS))
            told = await crowd.ask(range(ROUNDS))
            assert told["stage"].tolist() == list(range(ROUNDS))
            while not (told["flags"] & EXACT).all():
                told = await crowd.ask(range(ROUNDS))
            assert counters.value("rounds_failed_full") == 0
            await crowd.find(range(ROUNDS, TARGETS))
            while not counters.value("rounds_failed_full"):
                told = await crowd.ask(range(TARGETS))
            waiting = [n for n, flags in enumerate(told["flags"]) if not flags & EXACT]
            assert waiting
            assert (told["flags"][waiting] & (Flag.GUIDED | Flag.PENDING)).all()
            for player in set(range(TARGETS)).difference(waiting):
                await crowd.leave(player)
            while not (told["flags"] & EXACT).all():
                told = await crowd.ask(waiting)
            await stack.aclose()
            await coast.stop()

    within(test)
