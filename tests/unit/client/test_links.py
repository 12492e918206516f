"""`Links` over the real core in this process: two partitions, and a ferry between them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast

import numpy as np
import pytest

from huntgraph.bots import Walkers
from huntgraph.client import Link, Links, Revision
from huntgraph.engine import Engine, ticks
from huntgraph.errors import UsageError
from huntgraph.schema import MOVE, UPDATE, Code, Flag, Form, Kind, Rule
from tests.handover import Records
from tests.partitions import Part, Rows, split
from tests.servers import move, rule

NODES, SHORE = 8, 4
"""A path of nodes 0 to 7; nodes below 4 are partition 0, the others 1."""


def parts() -> list[Part]:
    """Node 4 of the path is the halo of partition 0, and its own node 0 in partition 1."""
    slots = sorted((a, b) for a in range(NODES) for b in (a - 1, a + 1) if 0 <= b < NODES)
    first = np.searchsorted([tail for tail, _ in slots], np.arange(NODES + 1)).astype(np.uint32)
    head = np.array([head for _, head in slots], np.uint32)
    path = Rows(first, head, np.full(len(head), 5, np.uint16))
    return split(path, np.arange(NODES) // SHORE)


class Shore:
    """A partition that stands for its link: what lies behind `durable_position` dies in a crash."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.engine = Engine(part, players=8)
        self.log: list[bytes] = []
        self.durable_position = 0
        self.lost: list[Revision] = []

    def apply(self, records: Records) -> Records:
        updates = self.engine.apply(records)
        for record, update in zip(records, updates, strict=True):
            if update["position"] and not update["flags"] & Flag.DUPLICATE:
                self.log.append(record.tobytes())
        return updates

    async def send(self, moves: Records) -> Records:
        await asyncio.sleep(0)
        return self.apply(moves)

    def receipts(self) -> Records:
        return self.engine.receipts()

    def revisions(self) -> list[Revision]:
        lost, self.lost = self.lost, []
        return lost

    async def durable(self, position: int) -> int:
        assert position <= len(self.log)
        self.durable_position = len(self.log)
        return self.durable_position

    def crash(self) -> None:
        """Start anew with what was durable; a link tells that its moves came to nothing."""
        kept, gone = self.log[: self.durable_position], self.log[self.durable_position :]
        self.engine, self.log = Engine(self.part, players=8), []
        for record in kept:
            self.apply(np.frombuffer(record, MOVE))
        for record in gone:
            row = np.frombuffer(record, MOVE)[0]
            if row["kind"] != Kind.ARRIVE:
                update = np.zeros((), UPDATE)
                update["player"], update["code"] = row["player"], Code.UNKNOWN_PLAYER
                self.lost.append(Revision(1, update))


class Strait:
    """Both shores, links to them, and the ferry."""

    def __init__(self, patience_s: float = 10.0) -> None:
        self.shores = [Shore(part) for part in parts()]
        links = {number: cast("Link", shore) for number, shore in enumerate(self.shores)}
        self.links = Links(links, patience_s=patience_s)

    def ferry(self) -> None:
        """Everything there is becomes durable and arrives; the arrivals are not durable yet."""
        for shore in self.shores:
            shore.durable_position = len(shore.log)
        for shore, other in (self.shores, self.shores[::-1]):
            parcels = shore.engine._core.parcels(other.part.partition)
            other.apply(np.ascontiguousarray(parcels).view(MOVE).reshape(-1))

    @contextlib.asynccontextmanager
    async def ferrying(self) -> AsyncIterator[None]:
        """The ferry goes all the time."""

        async def go() -> None:
            while True:
                await asyncio.sleep(0.001)
                self.ferry()

        task = asyncio.create_task(go())
        yield
        task.cancel()

    async def send(self, *moves: Records) -> Records:
        return await self.links.send(np.concatenate(moves))


def go(seq: int, tail: int, head: int) -> Records:
    return move(Kind.GO, 7, seq, from_=tail, to=head)


CROSSING = (move(Kind.ENTER, 7, 1, to=3), go(2, 3, SHORE))


def test_one_batch_crosses_the_border_and_comes_back() -> None:
    async def test() -> None:
        strait = Strait()
        async with strait.ferrying():
            # From the border on, node numbers are those of the other side.
            updates = await strait.send(*CROSSING, go(3, 0, 1), go(4, 1, 0), go(5, 0, SHORE))
            assert updates["code"].tolist() == [Code.OK] * 5
            assert updates["moved_to"].tolist() == [0, 2, 0, 0, 1]
            assert updates["node"].tolist()[2:4] == [1, 0]
            assert strait.links.partition_of(7) == 0
            updates = await strait.send(go(6, 3, 2))
            assert (updates["code"][0], updates["node"][0]) == (Code.OK, 2)
            await strait.links.durable()
            assert strait.links.durable_seq(7) == 6

    asyncio.run(test())


def test_who_does_not_arrive_in_time_is_answered_as_unknown() -> None:
    async def test() -> None:
        strait = Strait(patience_s=0.05)
        updates = await strait.send(*CROSSING, go(3, 0, 1))
        assert updates["code"].tolist() == [Code.OK, Code.OK, Code.UNKNOWN_PLAYER]
        strait.ferry()
        assert (await strait.send(go(3, 0, 1)))["code"].tolist() == [Code.OK]

    asyncio.run(test())


def test_moves_lost_with_an_arrival_are_sent_again_before_the_next() -> None:
    async def test() -> None:
        strait = Strait()
        await strait.send(*CROSSING)
        strait.ferry()
        there = strait.shores[1]
        updates = await strait.send(go(3, 0, 1), go(4, 1, 2))
        assert updates["code"].tolist() == [Code.OK, Code.OK]
        there.crash()
        assert strait.links.durable_seq(7) == 2
        assert there.engine.player(7) is None
        async with strait.ferrying():
            (update,) = await strait.send(go(5, 2, 3))
        assert (update["code"], update["node"], update["seq"]) == (Code.OK, 3, 5)
        sent = np.frombuffer(b"".join(there.log), MOVE)
        assert sent[sent["kind"] == Kind.GO]["seq"].tolist() == [3, 4, 5]

    asyncio.run(test())


def test_a_gap_that_nobody_can_fill_is_the_answer() -> None:
    async def test() -> None:
        strait = Strait()
        await strait.send(CROSSING[0])
        (update,) = await strait.send(go(9, 3, 2))
        assert (update["code"], update["seq"]) == (Code.SEQ_GAP, 1)

    asyncio.run(test())


def test_links_to_nothing_are_refused() -> None:
    with pytest.raises(UsageError):
        Links({})


def test_bots_walk_over_the_border_to_their_treasure() -> None:
    async def test() -> None:
        strait = Strait()
        for shore in strait.shores:
            place: dict[str, Any] = {"from_": 0, "owner": 0 if shore.part.partition else 2}
            stage = {"form": Form.TREASURE, "rule": Rule.PLAYER, "points": 10}
            begin = rule(Kind.HUNT_BEGIN, hunt_id=3, mask=0b11)
            rows = [rule(Kind.HUNT_STAGE, index=0, **stage, **place)]
            for record in (begin, *rows, rule(Kind.HUNT_PUBLISH, count=1), ticks(1)):
                assert shore.apply(record.view(MOVE))["code"].tolist() == [Code.OK]
        walkers = Walkers([11, 12], starts=[0, 2])
        async with strait.ferrying():
            for _ in range(200):
                moves = walkers.moves()
                if len(moves):
                    walkers.take(await strait.links.send(moves))
                for shore in strait.shores:
                    shore.engine.work()
        assert walkers.score.tolist() == [10, 10]
        assert walkers.all_done

    asyncio.run(test())
