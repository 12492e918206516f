"""Actors as neighbours: who may hand players over, and what happens while one of them is away."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huntgraph.bus import Counters
from huntgraph.cluster.actor import Actor
from huntgraph.errors import ActorError, RefusedError
from huntgraph.schema import ARRIVAL, FRAME_RECORDS, MOVE, PARCELS, Code, Frame, Kind
from huntgraph.timeline import verify
from tests.coast import Coast
from tests.contract.independent import IndependentClient
from tests.handover import Records
from tests.partitions import Part
from tests.servers import NO_HUNT, dial, ground, hang_up, linked, move, serving, until, within

Test = Callable[[], Coroutine[Any, Any, None]]


def guarded(coast: Coast) -> Callable[[Test], Test]:
    """Ends the coast's actors behind a test, come what may."""

    def wrap(test: Test) -> Test:
        async def run() -> None:
            async with coast:
                await test()
                await coast.stop()

        return run

    return wrap


def arrival(number: int, **fields: int) -> Records:
    """An ARRIVE from partition 1, shape (1,), as a row of dtype MOVE."""
    row = np.zeros(1, ARRIVAL)
    given = {"kind": Kind.ARRIVE, "from": 1, "number": number, "player": 7, "seq": 3}
    for name, value in {**given, "hunt": 255, "target": 255, **fields}.items():
        row[name] = value
    return row.view(MOVE)


@pytest.mark.parametrize("record", [arrival(1), move(Kind.HANDED_ON, arg=1, a=1)])
def test_a_game_server_cannot_hand_over_players(short_path: Path, record: Records) -> None:
    async def test() -> None:
        async with serving(short_path / "run", tick_ms=10_000) as actor:
            client = await dial(actor, ground().client)
            await client.hello()
            before = await actor.status()
            client.send_frame(Frame.MOVES, 1, 1, record.tobytes())
            code, _, _ = await client.frame(Frame.FAILED)
            assert code == Code.NOT_ALLOWED
            assert (await actor.status()).position == before.position
            hang_up(client)

    within(test)


def test_only_the_actor_itself_says_what_is_held(short_path: Path) -> None:
    async def test() -> None:
        async with serving(short_path / "run") as actor:
            with pytest.raises(RefusedError) as refused:
                await actor.control(move(Kind.HANDED_ON, arg=1, a=1))
            assert refused.value.refusal == Code.NOT_ALLOWED

    within(test)


def test_arrivals_over_the_control_socket_are_numbered(short_path: Path) -> None:
    async def test() -> None:
        async with serving(short_path / "run") as actor:
            sent = np.concatenate([arrival(n) for n in (2, 1, 1, 2, 4)])
            updates = (await actor.control(sent)).updates
            codes = [Code.SEQ_GAP, Code.OK, Code.DUPLICATE, Code.OK, Code.SEQ_GAP]
            assert updates["code"].tolist() == codes
            assert updates["echo"].tolist() == [1, 2, 2, 3, 3]
            assert (updates["position"] > 0).tolist() == [False, True, False, True, False]

    within(test)


def way_out(part: Part) -> tuple[int, int]:
    """An edge of the part that leads over the border."""
    tail = np.repeat(np.arange(len(part.owner)), part.first[1:].astype(np.int64) - part.first[:-1])
    out = (tail < part.own_nodes) & (part.head >= part.own_nodes) & (part.cost > 0)
    edge = int(np.flatnonzero(out)[0])
    return int(tail[edge]), int(part.head[edge])


async def send_out(
    client: IndependentClient, part: Part, players: range
) -> tuple[Records, list[int]]:
    """Players enter beside the border and walk over it; the answers to their steps, and codes."""
    tail, head = way_out(part)
    updates = []
    for start in range(players.start, players.stop, FRAME_RECORDS):
        some = range(start, min(start + FRAME_RECORDS, players.stop))
        moves = [move(Kind.ENTER, player, 1, to=tail, hunt=NO_HUNT) for player in some]
        await client.moves(np.concatenate(moves))
        moves = [move(Kind.GO, player, 2, from_=tail, to=head) for player in some]
        updates.append((await client.moves(np.concatenate(moves)))[0])
    found = np.concatenate(updates)
    return found, found["code"].tolist()


def holds(counters: Counters, name: str, value: int) -> bool:
    return counters.value(name) == value


async def reaches(actor: Actor, name: str, value: int) -> None:
    """Wait until a counter has a value."""
    await until(partial(holds, actor.counters(), name, value), 30)


def test_while_a_neighbour_is_away_players_wait_until_the_outbox_is_full(short_path: Path) -> None:
    coast = Coast(short_path, 2, players=5000)

    @guarded(coast)
    async def test() -> None:
        await coast.start(0)
        here = coast.actors[0]
        async with linked(here) as client:
            updates, codes = await send_out(client, coast.parts[0], range(1, PARCELS + 11))
            assert codes == [Code.OK] * PARCELS + [Code.BORDER_FULL] * 10
            assert set(updates["moved_to"].tolist()) == {0, 2}
            await reaches(here, "parcels_waiting", PARCELS)
            await coast.start(1)
            await reaches(here, "parcels_waiting", 0)
            await reaches(coast.actors[1], "present", PARCELS)
            tail, head = way_out(coast.parts[0])
            late = [
                move(Kind.GO, player, 3, from_=tail, to=head)
                for player in range(PARCELS + 1, PARCELS + 11)
            ]
            updates, _ = await client.moves(np.concatenate(late))
            assert updates["code"].tolist() == [Code.OK] * 10
            await reaches(coast.actors[1], "present", PARCELS + 10)

    within(test)


def test_players_that_find_no_room_are_not_lost(short_path: Path) -> None:
    coast = Coast(short_path, 2)
    coast.options[1] = ground().options(
        coast.options[1].directory, partition=1, world=coast.options[1].world, players=40
    )

    @guarded(coast)
    async def test() -> None:
        await coast.start()
        async with linked(coast.actors[0]) as client:
            await send_out(client, coast.parts[0], range(1, 51))
        await reaches(coast.actors[1], "present", 40)
        await reaches(coast.actors[0], "parcels_waiting", 10)
        # With a greater table, all go on.
        await coast.actors[1].stop()
        coast.options[1] = ground().options(
            coast.options[1].directory, partition=1, world=coast.options[1].world, players=60
        )
        await coast.start(1)
        await reaches(coast.actors[1], "present", 50)
        await reaches(coast.actors[0], "parcels_waiting", 0)

    within(test)


def test_nobody_is_handed_to_another_partition_than_named(short_path: Path) -> None:
    coast = Coast(short_path, 3)
    wrong = {1: coast.options[2].directory}
    coast.options[0] = ground().options(
        coast.options[0].directory, world=coast.options[0].world, neighbours=wrong
    )

    @guarded(coast)
    async def test() -> None:
        await coast.start(0, 2)
        async with linked(coast.actors[0]) as client:
            await send_out(client, coast.parts[0], range(1, 6))
        await reaches(coast.actors[0], "parcels_waiting", 5)
        counters = coast.actors[0].counters()
        before, tick = counters.value("neighbour_rests"), counters.value("tick")
        await until(lambda: counters.value("tick") >= tick + 60)
        # It rests longer each time, up to a second.
        assert before + 1 < counters.value("neighbour_rests") < before + 12
        assert counters.value("neighbours") == 0
        assert coast.actors[2].counters().value("players") == 0

    within(test)


async def allocations(actor: Actor) -> int:
    """Heap allocations of an actor since its boot, counted at a tick from now on."""
    counters = actor.counters()
    later = counters.value("tick") + 2
    await until(lambda: counters.value("tick") >= later)
    return counters.value("allocations")


def test_handing_over_allocates_nothing(short_path: Path) -> None:
    coast = Coast(short_path, 2)

    @guarded(coast)
    async def test() -> None:
        await coast.start(0)
        here = coast.actors[0]
        async with linked(here) as client:
            await send_out(client, coast.parts[0], range(1, 201))
        await reaches(here, "connections", 0)
        before = await allocations(here)
        await coast.start(1)
        await reaches(here, "parcels_waiting", 0)
        assert await allocations(here) == before, "connecting and sending"
        there = coast.actors[1]
        before = await allocations(there)
        async with linked(here) as client:
            await send_out(client, coast.parts[0], range(201, 401))
        await reaches(there, "present", 400)
        assert await allocations(there) == before, "taking arrivals in"

    within(test)
    for part in coast.parts:
        found = verify(short_path / str(part.partition), part, partition=part.partition)
        assert found.problems == []
        assert found.positions > 400


@pytest.mark.parametrize("neighbour", [0, 64])
def test_neighbours_must_have_numbers_of_their_own(short_path: Path, neighbour: int) -> None:
    async def test() -> None:
        neighbours = {neighbour: short_path / "other"}
        with pytest.raises(ActorError) as refused:
            await Actor.start(ground().options(short_path / "run", neighbours=neighbours))
        assert refused.value.code == "HG3000"

    within(test)


def test_a_part_is_served_under_its_own_number(short_path: Path) -> None:
    coast = Coast(short_path, 2)

    async def test() -> None:
        options = ground().options(short_path / "run", world=coast.options[1].world)
        with pytest.raises(ActorError) as refused:
            await Actor.start(options)
        assert refused.value.code == "HG3016"

    within(test)
