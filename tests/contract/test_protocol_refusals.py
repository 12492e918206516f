"""Hostile and mistaken peers of a running actor: each gets its own code, and nothing changes.

The actor of these tests ticks every 10 s, so that position and state hash hardly move unless
somebody makes them move. Another game server stays connected all the while and must go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import socket
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huntgraph.cluster.actor import Actor
from huntgraph.cluster.authority import Leaf
from huntgraph.cluster.control import Status
from huntgraph.schema import CODE_TEXT, COST_MAX, FRAME_RECORDS, HELLO, Code, Frame, Kind
from tests.contract.independent import HEADER, IndependentClient
from tests.servers import Records, dial, ground, hang_up, linked, move, port_of, rows, serving

STILL_MS = 10_000
HASH_TICKS = 20
TLS_ALERT = 0x100
"""QUIC's error code for a TLS alert is this and the alert's number (RFC 9001, section 4.8)."""


class Still:
    """A running actor whose clock stands, and a bystander who is connected to it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.seq = 0
        self.actor, self.bystander = self.run(self._open())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine beside the actor; one that hangs fails."""
        return self.runner.run(asyncio.wait_for(work, 300))

    def close(self) -> None:
        """End both."""
        self.run(self.stack.aclose())
        self.runner.close()

    async def _open(self) -> tuple[Actor, IndependentClient]:
        started = serving(self.directory, tick_ms=STILL_MS, added_edges=0)
        actor = await self.stack.enter_async_context(started)
        bystander = await self.stack.enter_async_context(linked(actor, ground().other))
        return actor, bystander

    async def standing(self) -> Status:
        """Position, tick and state hash."""
        found: Status = await self.actor.status()
        return found

    async def unharmed(self, before: Status) -> None:
        """Nothing has changed, and the bystander is served as ever."""
        now = await self.standing()
        ticks = range(before.tick + 1, now.tick + 1)
        hashes = sum(tick % HASH_TICKS == 0 for tick in ticks)
        assert now.position == before.position + len(ticks) + hashes
        assert ticks or now.state_hash == before.state_hash
        self.seq += 1
        updates, _ = await self.bystander.moves(move(Kind.ENTER, 1, self.seq, to=self.seq))
        assert updates["code"][0] == Code.OK
        assert updates["position"][0] > now.position
        assert updates["node"][0] == self.seq


@pytest.fixture(scope="module")
def still() -> Iterator[Still]:
    folder = Path(tempfile.mkdtemp(prefix="hg-"))
    found = Still(folder / "run")
    yield found
    found.close()
    shutil.rmtree(folder, ignore_errors=True)


def frame(kind: int, count: int, first: int, body: bytes, length: int | None = None) -> bytes:
    """A frame, its length field wrong where asked."""
    return HEADER.pack(len(body) if length is None else length, kind, count, first) + body


def moves(records: Records, first: int = 1) -> bytes:
    """A well-formed MOVES frame."""
    return frame(Frame.MOVES, len(records), first, records.tobytes())


def hello(**fields: int) -> bytes:
    """A HELLO frame."""
    record = np.zeros(1, HELLO)
    record["version"] = 1
    for name, value in fields.items():
        record[name] = value
    return frame(Frame.HELLO, 1, 0, record.tobytes())


ENTER = move(Kind.ENTER, 9, 1, to=3)
TOO_MANY = np.repeat(ENTER, FRAME_RECORDS + 1)


def forbidden(kind: int) -> bytes:
    """A frame with a good move before one of a kind that game servers may not send."""
    bad = move(Kind.ENTER, 10, 1, to=3)
    bad["kind"] = kind
    return moves(rows(ENTER, bad))


GREETED = {
    "length no multiple of 64": (frame(Frame.MOVES, 1, 1, ENTER.tobytes()[:63]), Code.BAD_FRAME),
    "length beyond the records": (frame(Frame.MOVES, 1, 1, bytes(65)), Code.BAD_FRAME),
    "count above the records": (frame(Frame.MOVES, 2, 1, ENTER.tobytes()), Code.BAD_FRAME),
    "count below the records": (frame(Frame.MOVES, 0, 1, ENTER.tobytes()), Code.BAD_FRAME),
    "length of 4 GiB": (frame(Frame.MOVES, 1, 1, b"", 2**32 - 1), Code.FRAME_TOO_LARGE),
    "a record too many": (moves(TOO_MANY), Code.FRAME_TOO_LARGE),
    "a byte too many": (frame(Frame.MOVES, 0, 1, b"", 64 * 1024 + 1), Code.FRAME_TOO_LARGE),
    "frame of kind 0": (frame(0, 0, 0, b""), Code.BAD_FRAME),
    "frame of kind 99": (frame(99, 1, 1, ENTER.tobytes()), Code.BAD_FRAME),
    "frame of kind 65535": (frame(65535, 0, 0, b""), Code.BAD_FRAME),
    "updates from a client": (frame(Frame.UPDATES, 0, 1, b""), Code.BAD_FRAME),
    "welcome from a client": (frame(Frame.WELCOME, 1, 1, bytes(64)), Code.BAD_FRAME),
    "durable from a client": (frame(Frame.DURABLE, 0, 7, b""), Code.BAD_FRAME),
    "control over QUIC": (frame(Frame.CONTROL, 1, 1, ENTER.tobytes()), Code.BAD_FRAME),
    "status over QUIC": (frame(Frame.STATUS, 0, 0, b""), Code.BAD_FRAME),
    "a second hello": (hello(), Code.BAD_FRAME),
    "first number 0": (moves(ENTER, 0), Code.BAD_SEQUENCE),
    "first number 2": (moves(ENTER, 2), Code.BAD_SEQUENCE),
    "first number 2^64 - 1": (moves(ENTER, 2**64 - 1), Code.BAD_SEQUENCE),
    "a tick": (forbidden(Kind.TICK), Code.NOT_ALLOWED),
    "a hash": (forbidden(Kind.HASH), Code.NOT_ALLOWED),
    "a receipt": (forbidden(Kind.RECEIPT), Code.NOT_ALLOWED),
    "a hunt's row": (forbidden(Kind.HUNT_BEGIN), Code.NOT_ALLOWED),
    "a hunt closed": (forbidden(Kind.HUNT_CLOSE), Code.NOT_ALLOWED),
    "a move of kind 0": (forbidden(0), Code.NOT_ALLOWED),
    "a move of kind 6": (forbidden(6), Code.NOT_ALLOWED),
    "a move of kind 15": (forbidden(Kind.EDGE_CLOSE - 1), Code.NOT_ALLOWED),
    "a move of kind 21": (forbidden(Kind.EDGE_ADD + 1), Code.NOT_ALLOWED),
    "a move of kind 255": (forbidden(255), Code.NOT_ALLOWED),
}
STRANGERS = {
    "moves before hello": (moves(ENTER), Code.BAD_FRAME),
    "drain before hello": (frame(Frame.DRAIN, 0, 0, b""), Code.BAD_FRAME),
    "a hello cut short": (frame(Frame.HELLO, 1, 0, bytes(40)), Code.BAD_FRAME),
    "two hello records": (frame(Frame.HELLO, 2, 0, bytes(128)), Code.BAD_FRAME),
    "an empty hello": (frame(Frame.HELLO, 0, 0, b""), Code.BAD_FRAME),
    "version 0": (hello(version=0), Code.BAD_VERSION),
    "version 2": (hello(version=2), Code.BAD_VERSION),
    "another partition": (hello(partition=3), Code.WRONG_PARTITION),
    "another world": (hello(world_id=12345), Code.WRONG_WORLD),
    "another protocol": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", Code.FRAME_TOO_LARGE),
}


async def refused(client: IndependentClient) -> tuple[int, str]:
    """The code and text of FAILED; the connection is closed with the same code."""
    code, _, text = await client.frame(Frame.FAILED)
    closed, reason = await asyncio.wait_for(client.closed, 60)
    assert closed == code
    assert reason == text.decode()
    return code, reason


@pytest.mark.parametrize("name", GREETED)
def test_a_bad_frame_is_refused_whole_and_changes_nothing(still: Still, name: str) -> None:
    data, code = GREETED[name]

    async def test() -> None:
        before = await still.standing()
        async with linked(still.actor) as client:
            client.send_raw(data)
            assert await refused(client) == (code, CODE_TEXT[code][0])
        await still.unharmed(before)

    still.run(test())


@pytest.mark.parametrize("name", STRANGERS)
def test_a_peer_that_did_not_greet_is_refused(still: Still, name: str) -> None:
    data, code = STRANGERS[name]

    async def test() -> None:
        before = await still.standing()
        async with linked(still.actor, greet=False) as client:
            client.stream = client._quic.get_next_available_stream_id()
            client.send_raw(data)
            assert await refused(client) == (code, CODE_TEXT[code][0])
        await still.unharmed(before)

    still.run(test())


def test_moves_before_a_bad_frame_stay_and_those_behind_it_are_not_taken(still: Still) -> None:
    async def test() -> None:
        before = await still.standing()
        good, bad = moves(move(Kind.ENTER, 50, 1, to=1)), frame(99, 0, 0, b"")
        behind = moves(move(Kind.ENTER, 51, 1, to=1), 2)
        async with linked(still.actor) as client:
            client.send_raw(good + bad + behind)
            count, first, _ = await client.frame(Frame.UPDATES)
            assert (count, first) == (1, 1)
            assert (await refused(client))[0] == Code.BAD_FRAME
        after = await still.standing()
        assert after.position - before.position - (after.tick - before.tick) in (1, 2)
        async with linked(still.actor) as client:
            again, _ = await client.moves(rows(*(move(Kind.HINT, p, 2) for p in (50, 51))))
        assert again["seq"].tolist() == [2, 0]

    still.run(test())


def test_changes_of_edges_are_refused_with_their_codes_and_change_nothing(still: Still) -> None:
    world = ground().world
    node = next(node for node in range(world.nodes) if world.row(node)[1].any())
    heads, costs = world.row(node)
    there = int(heads[costs > 0][0])
    far = next(other for other in range(world.nodes) if other != node and other not in heads)

    def edge(kind: Kind, to: int, cost: int = 5) -> Records:
        return move(kind, from_=node, to=to, arg=cost)

    asked = [
        (edge(Kind.EDGE_ADD, world.nodes, 0), Code.UNKNOWN_NODE),
        (edge(Kind.EDGE_ADD, node, 0), Code.BAD_EDGE),
        (edge(Kind.EDGE_ADD, there, 0), Code.BAD_COST),
        (edge(Kind.EDGE_ADD, far, COST_MAX + 1), Code.BAD_COST),
        (edge(Kind.EDGE_ADD, there), Code.EDGE_EXISTS),
        (edge(Kind.EDGE_ADD, far), Code.EDGES_FULL),
        (edge(Kind.EDGE_REMOVE, world.nodes), Code.UNKNOWN_NODE),
        (edge(Kind.EDGE_REMOVE, node), Code.NO_EDGE),
        (edge(Kind.EDGE_REMOVE, far), Code.NO_EDGE),
    ]

    async def test() -> None:
        before = await still.standing()
        async with linked(still.actor) as client:
            updates, _ = await client.moves(rows(*(record for record, _ in asked)))
        assert updates["code"].tolist() == [code for _, code in asked]
        assert not updates["position"].any()
        assert (updates["player"] == 0).all()
        await still.unharmed(before)

    still.run(test())


@pytest.mark.parametrize("ending", ["finished", "closed", "reset", "silent"])
def test_a_frame_cut_in_the_middle_is_not_applied(still: Still, ending: str) -> None:
    async def test() -> None:
        before = await still.standing()
        links = still.actor.counters()
        data = moves(rows(ENTER, move(Kind.ENTER, 10, 1, to=3)))
        for cut in (1, 15, 16, 17, 80, 143):
            async with linked(still.actor) as client:
                client.send_raw(data[:cut])
                await client.ping()
                if ending == "finished":
                    client._quic.send_stream_data(client.stream, b"", end_stream=True)
                    client.transmit()
                    await client.frame(Frame.DURABLE)
                elif ending == "reset":
                    client._quic.reset_stream(client.stream, 7)
                    client.transmit()
                    assert await asyncio.wait_for(client.closed, 60) == (0, "done")
        await still.unharmed(before)
        assert links.value("log_failed") == 0

    still.run(test())


Coming = tuple[Callable[[], Leaf | None], str, set[int]]
TURNED_AWAY: dict[str, Coming] = {
    "another protocol": (lambda: ground().client, "h3", {120}),
    "another version": (lambda: ground().client, "huntgraph/2", {120}),
    "no certificate": (lambda: None, "huntgraph/1", {116}),
    "certificate of another authority": (lambda: ground().stranger, "huntgraph/1", {42, 48, 51}),
    "a server's certificate": (lambda: ground().server, "huntgraph/1", {42, 43}),
}
"""Who comes with what, and the TLS alerts that fit (RFC 8446, section 6.2; RFC 7301)."""


@pytest.mark.parametrize("name", TURNED_AWAY)
def test_a_peer_without_the_right_papers_is_turned_away(still: Still, name: str) -> None:
    leaf, protocol, alerts = TURNED_AWAY[name]

    async def test() -> None:
        before = await still.standing()
        client = await dial(still.actor, leaf(), protocol=protocol, wait=False)
        code, text = await asyncio.wait_for(client.closed, 60)
        hang_up(client)
        assert code - TLS_ALERT in alerts
        assert text
        assert client.frames.empty()
        await still.unharmed(before)

    still.run(test())


def test_random_datagrams_change_nothing(still: Still, rng: random.Random) -> None:
    async def test() -> None:
        before = await still.standing()
        target = ("127.0.0.1", port_of(still.actor))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as strangers:
            for _ in range(5000):
                data = bytearray(rng.randbytes(rng.choice([0, 1, 20, 50, 1200, 1452])))
                if len(data) > 20 and rng.random() < 0.5:
                    # The look of a QUIC packet with a long header, version 1 or another.
                    data[0] |= 0xC0
                    data[1:5] = rng.choice([b"\0\0\0\1", b"\0\0\0\0", rng.randbytes(4)])
                    data[5] = rng.randint(0, 20)
                strangers.sendto(data, target)
        await still.unharmed(before)
        async with linked(still.actor) as client:
            await client.ping()

    still.run(test())


def mutated(rng: random.Random) -> bytes:
    """A stream of some frames in which something is wrong, if only at its end."""
    good = [hello(), moves(ENTER), frame(Frame.DRAIN, 0, 0, b""), frame(Frame.STATUS, 0, 0, b"")]
    data = bytearray(b"".join(rng.choices(good, k=rng.randint(0, 3))))
    for _ in range(rng.randint(0, 4)):
        # The look of a frame, and 64 times a likely count.
        body = rng.randbytes(64 * rng.randint(0, 3) + rng.choice([0, 0, 1, 63]))
        data += frame(rng.randint(0, 10), rng.randint(0, 3), rng.randint(0, 3), body)
    if rng.random() < 0.2:
        data += rng.randbytes(rng.randint(1, 400))
    for _ in range(rng.randint(0, 4)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    # Whatever was left open or good: a frame of no known kind ends it.
    return bytes(data) + frame(rng.randint(12, 65535), 0, 0, bytes(64 * 1024))


def asks_to_stop(data: bytes) -> bool:
    """Whether a DRAIN is among the frames: the one request here that the owner may well make."""
    while len(data) >= HEADER.size:
        length, kind, _, _ = HEADER.unpack_from(data)
        if kind == Frame.DRAIN:
            return True
        data = data[HEADER.size + length :]
    return False


def test_random_bytes_on_streams_end_with_a_code(still: Still, rng: random.Random) -> None:
    refusals = {Code.BAD_FRAME, Code.FRAME_TOO_LARGE, Code.BAD_VERSION, Code.NOT_ALLOWED}
    refusals |= {Code.WRONG_PARTITION, Code.WRONG_WORLD, Code.BAD_SEQUENCE, Code.OK}

    async def one() -> None:
        client = await dial(still.actor, ground().client)
        if rng.random() < 0.5:
            await client.hello()
        else:
            client.stream = client._quic.get_next_available_stream_id()
        # Bytes that end in the middle of a frame are no mistake yet, but the end of the stream is
        # a farewell.
        client._quic.send_stream_data(client.stream, mutated(rng), end_stream=True)
        client.transmit()
        code, _ = await client.closed
        assert code in refusals
        hang_up(client)

    async def test() -> None:
        for _ in range(15):
            await asyncio.gather(*(one() for _ in range(10)))
        await still.unharmed(await still.standing())

    still.run(test())


def test_thousands_of_random_streams_on_the_control_socket(
    still: Still, rng: random.Random
) -> None:
    async def test() -> None:
        for _ in range(3000):
            while asks_to_stop(data := mutated(rng)):
                pass
            reader, writer = await asyncio.open_unix_connection(
                str(still.directory / "control.sock")
            )
            writer.write(data)
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
        await still.unharmed(await still.standing())

    still.run(test())
