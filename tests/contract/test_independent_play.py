"""A whole short hunt, played with another QUIC implementation from the documented protocol alone.

The hunt: a clue that opens a gate and unlocks a treasure for one player only, and behind it a
treasure that each team can win once, with a hint. Three players in two teams follow the guidance
they are given.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from huntgraph.schema import NONE, Code, Flag, Form, Frame, Kind, Rule
from huntgraph.world import World
from tests.contract.independent import IndependentClient
from tests.servers import Records, ground, linked, move, rule, serving, until, within

STEPS_MAX = 400
CLUE, PRIZE, CUP = 0, 1, 2


@dataclass
class Player:
    """A player as a game server keeps it; ``last`` is its newest update."""

    client: IndependentClient
    number: int
    team: int
    seq: int = 0
    last: Any = None
    receipts: list[Records] = field(default_factory=list)

    async def does(self, kind: Kind, **fields: int) -> Any:
        """One move; its update."""
        self.seq += 1
        record = move(kind, self.number, self.seq, echo=self.seq * 7, **fields)
        updates, receipts = await self.client.moves(record)
        self.last = updates[0]
        assert int(self.last["echo"]) == self.seq * 7
        assert int(self.last["player"]) == self.number
        assert len(receipts) == bool(self.last["flags"] & Flag.RECEIPT)
        self.receipts += [receipts] if len(receipts) else []
        return self.last

    async def enters(self, node: int) -> None:
        """Appear in the hunt."""
        assert (await self.does(Kind.ENTER, to=node, hunt=0, arg=self.team))["code"] == Code.OK

    async def walks(self, stage: int) -> int:
        """Follow the guidance until the player stands on the target; steps taken."""
        steps = 0
        while True:
            assert self.last["stage"] == stage
            assert steps < STEPS_MAX
            if self.last["flags"] & Flag.ARRIVED:
                return steps
            if not self.last["flags"] & Flag.GUIDED:
                # Its field is still being built: ask again with a move that changes nothing.
                await asyncio.sleep(0.01)
                await self.does(Kind.ENTER, to=int(self.last["node"]), hunt=0, arg=self.team)
                continue
            steps += 1
            before = int(self.last["distance"])
            await self.does(Kind.GO, from_=int(self.last["node"]), to=int(self.last["next"]))
            assert self.last["code"] == Code.OK
            if self.last["stage"] != stage:
                return steps
            if self.last["flags"] & Flag.GUIDED:
                assert int(self.last["distance"]) < before


def places(world: World) -> dict[str, int]:
    """Nodes of the hunt: near each other, so that it is short."""
    start = world.nodes // 2
    path = [start]
    while len(path) < 40:
        heads, costs = world.row(path[-1])
        fresh = [int(head) for head, cost in zip(heads, costs, strict=True) if cost]
        fresh = [head for head in fresh if head not in path]
        if not fresh:
            break
        path.append(max(fresh))
    assert len(path) > 12
    return {"start": path[0], "clue": path[4], "prize": path[8], "cup": path[-1]}


def hunt(world: World) -> Records:
    """The rows of the hunt."""
    at = places(world)
    heads, costs = world.row(at["prize"])
    shut = [int(head) for head, cost in zip(heads, costs, strict=True) if cost]
    form, who = {"form": Form.TREASURE}, {"rule": Rule.PLAYER, "form": Form.CLUE}
    body = [
        rule(Kind.HUNT_STAGE, index=CLUE, from_=at["clue"], points=1, **who),
        rule(
            Kind.HUNT_STAGE, index=PRIZE, from_=at["prize"], rule=Rule.EXCLUSIVE, points=10, **form
        ),
        rule(Kind.HUNT_STAGE, index=CUP, from_=at["cup"], rule=Rule.TEAM, points=5, **form),
        rule(Kind.HUNT_NEED, index=PRIZE, mask=1 << CLUE),
        rule(Kind.HUNT_NEED, index=CUP, mask=1 << CLUE),
        rule(Kind.HUNT_HINT, index=CUP, cost=2),
        rule(Kind.HUNT_GATE, index=0, flags=1, mask=1 << CLUE),
        *(rule(Kind.HUNT_GATE_EDGE, index=0, from_=head, to=at["prize"]) for head in shut),
    ]
    begin = rule(Kind.HUNT_BEGIN, teams=2, hunt_id=4711)
    return np.concatenate([begin, *body, rule(Kind.HUNT_PUBLISH, count=len(body))])


async def duplicates_and_gaps(player: Player) -> None:
    """The last move again, an old one again, and one too far ahead: nothing is applied."""
    client, number, seq = player.client, player.number, player.seq
    again, _ = await client.moves(move(Kind.CLAIM, number, seq, arg=NONE))
    assert again["code"][0] == player.last["code"]
    assert again["position"][0] == player.last["position"]
    assert again["flags"][0] & Flag.DUPLICATE
    assert not again["flags"][0] & Flag.RECEIPT
    old, _ = await client.moves(move(Kind.CLAIM, number, 1, arg=NONE))
    assert (old["code"][0], old["position"][0]) == (Code.DUPLICATE, 0)
    gap, _ = await client.moves(move(Kind.HINT, number, seq + 2))
    assert (gap["code"][0], gap["seq"][0], gap["position"][0]) == (Code.SEQ_GAP, seq, 0)
    assert int(gap["score"][0]) == int(player.last["score"])


def check_chain(receipts: list[Records]) -> None:
    """Each receipt proves the one before it."""
    chain = bytes(32)
    ordered = sorted((record[0] for record in receipts), key=lambda r: int(r["serial"]))
    assert [int(r["serial"]) for r in ordered] == list(range(1, len(ordered) + 1))
    for record in ordered:
        raw = record.tobytes()
        chain = hashlib.sha256(chain + raw[:32]).digest()
        assert raw[32:] == chain
        assert raw[0] == Kind.RECEIPT


async def let_go(client: IndependentClient, last: int) -> None:
    """DRAIN: everything is durable, and the connection ends with code 0."""
    client.send_frame(Frame.DRAIN, 0, 0, b"")
    durable = 0
    while durable < last:
        _, durable, _ = await client.frame(Frame.DURABLE)
    code, _ = await asyncio.wait_for(client.closed, 60)
    assert code == 0


async def race(players: list[Player], at: dict[str, int]) -> None:
    """The hunt from the first step to the last claim."""
    ann, bob, cid = players
    for player in players:
        await player.enters(at["start"])
        assert await player.walks(CLUE) > 0
        assert player.last["found"] == CLUE
        assert await player.walks(PRIZE) > 0
    won = await ann.does(Kind.CLAIM, arg=NONE)
    assert (won["code"], won["found"], won["score"]) == (Code.OK, PRIZE, 11)
    await duplicates_and_gaps(ann)
    late = await bob.does(Kind.CLAIM, arg=NONE)
    assert (late["code"], late["score"], late["stage"]) == (Code.TAKEN, 1, CUP)
    assert (await ann.does(Kind.CLAIM, arg=PRIZE))["code"] == Code.ALREADY_WON
    assert (await bob.does(Kind.HINT))["hint"] == 1
    assert (await bob.does(Kind.HINT))["code"] == Code.NO_HINT
    await cid.does(Kind.CLAIM, arg=CUP)
    assert cid.last["code"] == Code.NOTHING_HERE
    for player in players:
        assert await player.walks(CUP) > 0
    codes = [(await player.does(Kind.CLAIM, arg=NONE))["code"] for player in (ann, bob, cid)]
    assert codes == [Code.OK, Code.OK, Code.TEAM_WON]
    assert [int(player.last["score"]) for player in players] == [16, 4, 1]


def test_a_whole_hunt_from_the_documented_protocol_alone(short_path: Path) -> None:
    world = ground().world

    async def test() -> None:
        async with serving(short_path / "run") as actor:
            answers = await actor.control(hunt(world))
            assert not answers.updates["code"].any()
            published = int(answers.updates["position"][-1])
            counters = actor.counters()
            await until(lambda: counters.value("durable") > published)
            async with linked(actor) as one, linked(actor, ground().other) as two:
                ann, bob, cid = Player(one, 1, 0), Player(two, 2, 1), Player(two, 2**64 - 1, 0)
                await race([ann, bob, cid], places(world))
                receipts = ann.receipts + bob.receipts + cid.receipts
                assert len(receipts) == 3
                check_chain(receipts)
                await let_go(one, int(ann.last["position"]))
                await let_go(two, int(cid.last["position"]))

    within(test)
