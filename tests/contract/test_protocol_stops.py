"""A game server that stops reading in the middle of an answer costs nobody else anything."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
from aioquic.quic.events import QuicEvent, StreamDataReceived

from huntgraph.schema import Frame, Kind
from tests.contract.independent import IndependentClient
from tests.servers import dial, ground, linked, move, rows, serving, until, within

WINDOW_BYTES = 4_096
"""What the client lets the actor send: far less than the answers to its moves."""


def stop_at_first_byte(client: IndependentClient) -> asyncio.Event:
    """Let the client refuse to read on as soon as a part of an answer has come."""
    stopped = asyncio.Event()
    before = client.quic_event_received

    def received(event: QuicEvent) -> None:
        if isinstance(event, StreamDataReceived) and not stopped.is_set():
            client._quic.stop_stream(client.stream, 7)
            client.transmit()
            stopped.set()
        before(event)

    client.quic_event_received = received  # type: ignore[method-assign]
    return stopped


def test_stopping_in_the_middle_of_an_answer_ends_only_that_link(short_path: Path) -> None:
    async def play() -> None:
        async with serving(short_path) as actor, linked(actor) as other:
            client = await dial(actor, ground().client, window_bytes=WINDOW_BYTES)
            await client.hello()
            stopped = stop_at_first_byte(client)
            players = np.arange(1, 513)
            moves = rows(*(move(Kind.ENTER, int(p), 1, to=0) for p in players))
            client.send_frame(Frame.MOVES, len(moves), 1, moves.tobytes())
            await asyncio.wait_for(stopped.wait(), 60)
            assert await asyncio.wait_for(client.closed, 60) == (0, "done")
            updates, _ = await other.moves(move(Kind.GO, 1, 2, from_=0, to=0))
            assert updates["seq"][0] == 2
            await until(lambda: actor.counters().value("connections") == 1)
            assert actor.alive

    within(play)
