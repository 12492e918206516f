"""Control sessions that do not play their part: an actor neither spins nor hangs for them."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import numpy as np
import pytest

from huntgraph.cluster.actor import Actor
from huntgraph.schema import FRAME, WELCOME, Frame
from tests.servers import serving, until, within

pytestmark = pytest.mark.fault
SESSIONS = 16
"""Control sessions that an actor serves at once."""
LOOK_TICKS = 20
BUSY_S = 0.08
"""Core time in a second of 20 ticks: a loop that waits takes 0.01, and one that does not all of the
core that it gets."""


def joined(actor: Actor) -> socket.socket:
    link = socket.socket(socket.AF_UNIX)
    link.connect(str(actor.options.directory / "control.sock"))
    link.setblocking(False)
    return link


def asking(kind: Frame) -> bytes:
    """An empty frame."""
    header = np.zeros(1, FRAME)
    header["kind"] = kind
    return header.tobytes()


async def core_time_s(actor: Actor) -> float:
    """How much of a core an actor takes in a second of ticks, however late it is looked at."""
    counters = actor.counters()

    def taken() -> float:
        words = Path(f"/proc/{actor.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    before, tick = taken(), counters.value("tick")
    await until(lambda: counters.value("tick") >= tick + LOOK_TICKS)
    return (taken() - before) * LOOK_TICKS / (counters.value("tick") - tick)


async def welcomes(link: socket.socket, count: int) -> None:
    """Read the answers to so many STATUS frames."""
    loop, left = asyncio.get_running_loop(), count * (FRAME.itemsize + WELCOME.itemsize)
    while left > 0:
        data = await asyncio.wait_for(loop.sock_recv(link, min(left, 65_536)), 60)
        assert data, f"cut off with {left} bytes to come"
        left -= len(data)


def ask_in_vain(link: socket.socket) -> int:
    """Ask for the status until nothing more is taken, and read no answer; how many were asked."""
    sent = 0
    try:
        while True:
            sent += link.send(asking(Frame.STATUS) * 64)
    except BlockingIOError:
        return sent


def test_a_session_too_many_waits_and_costs_nothing(short_path: Path) -> None:
    async def test() -> None:
        async with serving(short_path) as actor:
            links = [joined(actor) for _ in range(SESSIONS + 1)]
            for link in links:
                link.send(asking(Frame.STATUS))
            for link in links[:-1]:
                await welcomes(link, 1)
            assert await core_time_s(actor) < BUSY_S
            links[0].close()
            await welcomes(links[-1], 1)
            for link in links[1:]:
                link.close()

    within(test)


def test_a_session_that_reads_no_answers_costs_nothing_and_gets_them_all(short_path: Path) -> None:
    async def test() -> None:
        async with serving(short_path) as actor:
            link, asked = joined(actor), 0
            while more := ask_in_vain(link):
                asked += more
                busy_s = await core_time_s(actor)
            assert busy_s < BUSY_S
            # A frame may have been cut off.
            rest = asking(Frame.STATUS)[asked % FRAME.itemsize :]
            answers = asyncio.create_task(welcomes(link, asked // FRAME.itemsize + 1))
            await asyncio.get_running_loop().sock_sendall(link, rest)
            await answers
            link.close()

    within(test)


def test_a_session_that_asks_to_stop_and_reads_nothing_is_not_waited_for(short_path: Path) -> None:
    async def test() -> None:
        async with serving(short_path) as actor:
            link = joined(actor)
            link.setblocking(True)
            link.sendall(asking(Frame.STATUS) * 3000 + asking(Frame.DRAIN))
            assert await asyncio.wait_for(actor.wait(), 20) == 0
            link.close()

    within(test)
