"""Guidance to targets in other partitions by running actors, against one Dijkstra on the whole."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from huntgraph.bus import Counters
from huntgraph.cluster.control import refuse
from huntgraph.schema import UNREACHABLE, Flag, Kind
from tests.chart import solve
from tests.coast import Coast
from tests.contract.independent import IndependentClient
from tests.handover import Records
from tests.partitions import Part
from tests.servers import ground, linked, move, until, within

ASKED = 400
"""Nodes asked about in each partition."""
ROUNDS = 20
"""Rounds after which everybody who asked is told."""
EXACT = Flag.CERTIFIED | Flag.EXACT_NOW


class Scout:
    """One player of one partition, who turns up wherever it is asked to."""

    def __init__(self, client: IndependentClient, part: Part) -> None:
        self.client, self.part, self.seq = client, part, 0

    async def ask(self, nodes: Sequence[int]) -> Records:
        """What it is told at each of these nodes. Shape (n,), dtype UPDATE."""
        moves = []
        for node in nodes:
            self.seq += 1
            moves.append(move(Kind.ENTER, 1 + self.part.partition, self.seq, to=node, hunt=0))
        return (await self.client.moves(np.concatenate(moves)))[0]

    async def new_rounds(self, count: int) -> None:
        """Wait for answers of so many rounds after the one that answers now."""
        seen = set[int]()
        while len(seen) <= count:
            told = (await self.ask([0]))[0]
            if told["flags"] & Flag.CERTIFIED:
                seen.add(int(told["epoch"]))


class Atlas:
    """The whole world as it should be, changed together with the actors' parts."""

    def __init__(self, coast: Coast, goal: int) -> None:
        self.coast, self.goal, world = coast, goal, ground().world
        self.nodes = world.nodes
        self.tail, self.head = world.tails(), world.head
        self.weights = world.cost.astype(np.int64)
        self.home: dict[int, tuple[Part, int]] = {}
        for part in coast.parts:
            for node, whole in enumerate(part.whole[: part.own_nodes].tolist()):
                self.home[whole] = part, node

    def crossing(self) -> NDArray[np.int64]:
        """Edges from one part to another."""
        owner = np.array([self.home[node][0].partition for node in range(self.nodes)])
        return np.flatnonzero((owner[self.tail] != owner[self.head]) & (self.weights > 0))

    async def change(self, edge: int, weight: int) -> None:
        """Give an edge another weight, 0 to close it."""
        part, tail = self.home[int(self.tail[edge])]
        head = int(np.flatnonzero(part.whole == self.head[edge])[0])
        ends = {"from_": tail, "to": head}
        close = move(Kind.EDGE_CLOSE, **ends)
        record = move(Kind.EDGE_PRICE, arg=weight, **ends) if weight else close
        refuse(await self.coast.actors[part.partition].control(record))
        self.weights[edge] = weight

    async def judge(self, scout: Scout, rng: Random) -> int:
        """Ask at nodes all over a partition; the number of answers with a way."""
        away = solve(self.tail, self.head, self.weights, self.nodes, self.goal)
        nodes = [rng.randrange(scout.part.own_nodes) for _ in range(ASKED)]
        told = await scout.ask(nodes)
        for _ in range(ROUNDS):
            if (told["flags"] & EXACT).all():
                break
            # Rounds reach as far as was asked before: now they reach these nodes too.
            await scout.new_rounds(1)
            told = await scout.ask(nodes)
        assert (told["flags"] & EXACT).all()
        here = scout.part.whole[nodes]
        assert told["distance"].tolist() == away[here].tolist()
        ways = told["distance"] != UNREACHABLE
        ahead = scout.part.whole[told["next"][ways]]
        order = self.tail.astype(np.int64) * self.nodes + self.head
        edge = np.searchsorted(order, here[ways].astype(np.int64) * self.nodes + ahead)
        assert (self.weights[edge] > 0).all()
        assert (self.weights[edge] + away[ahead] == away[here[ways]]).all()
        return int(ways.sum())


async def scouts_of(coast: Coast, stack: AsyncExitStack, *numbers: int) -> list[Scout]:
    """A scout in each of these partitions."""
    scouts = []
    for number in numbers:
        link = linked(coast.actors[number], greet=False)
        scouts.append(Scout(await stack.enter_async_context(link), coast.parts[number]))
        await scouts[-1].client.hello(partition=number)
    return scouts


def test_actors_guide_over_two_borders_and_follow_the_weights(short_path: Path, seed: int) -> None:
    """The target is in the last of three strips; the first one has no border with it."""
    coast, rng = Coast(short_path, 3), Random(seed)
    target = rng.randrange(coast.parts[2].own_nodes)
    atlas = Atlas(coast, int(coast.parts[2].whole[target]))

    async def test() -> None:
        async with coast, AsyncExitStack() as stack:
            await coast.start()
            await coast.publish([(2, target)])
            for actor in coast.actors.values():
                await until(partial(_has_neighbours, actor.counters(), 2))
            scouts = await scouts_of(coast, stack, 0, 1)
            for scout in scouts:
                await scout.new_rounds(1)
                assert await atlas.judge(scout, rng) > ASKED // 2
            edges = [*rng.sample(atlas.crossing().tolist(), 40), *rng.sample(_real(), 200)]
            for least, most in [(1, 400), (0, 0), (1, 9)]:
                for edge in dict.fromkeys(edges):
                    if atlas.weights[edge] > 0:
                        await atlas.change(edge, rng.randint(least, most))
                edges = rng.sample(_real(), 200)
                for scout in scouts:
                    await scout.new_rounds(2)
                    await atlas.judge(scout, rng)
            before = [actor.counters().value("allocations") for actor in coast.actors.values()]
            await scouts[0].new_rounds(3)
            after = [actor.counters().value("allocations") for actor in coast.actors.values()]
            assert after == before, "rounds allocate"
            counted = {number: actor.counters() for number, actor in coast.actors.items()}
            assert counted[2].value("rounds_begun") > 0
            assert counted[0].value("rounds_begun") == 0
            assert min(counted[number].value("rounds_joined") for number in (0, 1)) > 0
            assert min(each.value("rounds_done") for each in counted.values()) > 0
            assert counted[0].histogram("round_age_ns").count > 0
            await stack.aclose()
            await coast.stop()

    within(test)


def _has_neighbours(counters: Counters, count: int) -> bool:
    return counters.value("neighbours") == count


def _real() -> list[int]:
    return np.flatnonzero(ground().world.cost).tolist()


def test_guidance_comes_back_with_the_partition_between(short_path: Path, seed: int) -> None:
    coast, rng = Coast(short_path, 3), Random(seed)
    target = rng.randrange(coast.parts[2].own_nodes)
    atlas = Atlas(coast, int(coast.parts[2].whole[target]))

    async def test() -> None:
        async with coast, AsyncExitStack() as stack:
            await coast.start()
            await coast.publish([(2, target)])
            scouts = await scouts_of(coast, stack, 0)
            await scouts[0].new_rounds(1)
            await coast.actors[1].kill()
            await coast.start(1)
            edge = int(rng.choice(atlas.crossing().tolist()))
            await atlas.change(edge, 1)
            await scouts[0].new_rounds(2)
            assert await atlas.judge(scouts[0], rng) > ASKED // 2
            await stack.aclose()
            await coast.stop()

    within(test)
