"""The load of an echo over QUIC for stacks with aioquic's interface; see `aioquic_echo`."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

RECORD: Final = bytes(64)
FRAME_RECORDS: Final = 1_000
IN_FLIGHT: Final = 4
"""Frames of 1,000 records, 256 KiB in all: as `huntgraph bench quic` has them."""


@dataclass(frozen=True)
class Stack:
    """The parts of a stack: its configuration, ``connect`` and ``serve`` of its asyncio module."""

    configuration: Any
    connect: Any
    serve: Any


def measure_echo(stack: Stack, folder: Path) -> dict[str, float]:
    """Write round trips of one record to ``pingpong.u64``, and give records a second."""
    seconds, *files = (folder / "offer").read_text().splitlines()
    times, rate = asyncio.run(_measure(stack, float(seconds), files))
    np.array(times, np.uint64).tofile(folder / "pingpong.u64")
    return {"records_per_s": rate}


async def _measure(stack: Stack, seconds: float, files: list[str]) -> tuple[list[int], float]:
    certificate, key, authority = files
    ours = stack.configuration(is_client=False, alpn_protocols=["echo"])
    ours.load_cert_chain(certificate, key)
    theirs = stack.configuration(is_client=True, alpn_protocols=["echo"], server_name="localhost")
    theirs.load_verify_locations(authority)
    echoes: set[asyncio.Task[None]] = set()

    def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        echoes.add(asyncio.ensure_future(_echo(reader, writer)))

    server = await stack.serve("127.0.0.1", 0, configuration=ours, stream_handler=echo)
    port = server._transport.get_extra_info("sockname")[1]
    async with stack.connect("127.0.0.1", port, configuration=theirs) as client:
        reader, writer = await client.create_stream()
        times = await _ping_pong(reader, writer, seconds)
        rate = await _stream(reader, writer, seconds)
    for task in echoes:
        task.cancel()
    server.close()
    return times, rate


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)


async def _ping_pong(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> list[int]:
    times: list[int] = []
    until_s = time.perf_counter() + seconds
    while time.perf_counter() < until_s:
        began_ns = time.perf_counter_ns()
        writer.write(RECORD)
        await reader.readexactly(len(RECORD))
        times.append(time.perf_counter_ns() - began_ns)
    return times


async def _stream(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> float:
    frame = RECORD * FRAME_RECORDS
    for _ in range(IN_FLIGHT):
        writer.write(frame)
    frames, began_s = 0, time.perf_counter()
    while time.perf_counter() < began_s + seconds:
        await reader.readexactly(len(frame))
        writer.write(frame)
        frames += 1
    return frames * FRAME_RECORDS / (time.perf_counter() - began_s)
