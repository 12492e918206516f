"""NATS JetStream, one replica, every message synced before it is acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import nats
import numpy as np
from nats.js.api import StorageType

from huntgraph.bench.distribution import quantile
from huntgraph.bench.nats import nats_server

IN_FLIGHT: Final = 64
MOST: Final = 4_000
"""Messages that may wait in the open loop: a server that cannot keep up ends it."""

Publish = Callable[[], Awaitable[object]]


def measure(folder: Path) -> dict[str, float]:
    """Give times from publishing to the acknowledgement: `due` (open loop), `one`, `pipelined`."""
    seconds, rate, size = map(float, (folder / "offer").read_text().split())
    return asyncio.run(_measure(folder, seconds, rate, int(size)))


async def _measure(folder: Path, seconds: float, rate: float, size: int) -> dict[str, float]:
    found: dict[str, float] = {}
    async with nats_server(folder / "server", sync_always=True) as url:
        client = await nats.connect(url)
        stream = client.jetstream(timeout=60.0)
        await stream.add_stream(
            name="log", subjects=["log"], storage=StorageType.FILE, max_bytes=1 << 30
        )
        payload = bytes(size)

        async def publish() -> object:
            return await stream.publish("log", payload)

        parts = {
            "one": await _closed(publish, seconds, 1),
            "pipelined": await _closed(publish, seconds, IN_FLIGHT),
            "due": await _open(publish, seconds, rate),
        }
        await client.close()
    for name, (samples, took_s) in parts.items():
        times = np.array(samples, np.uint64)
        times.tofile(folder / f"{name}.u64")
        found[f"{name}_p50_ms"] = quantile(times, 0.5, 1e6)
        found[f"{name}_p99_ms"] = quantile(times, 0.99, 1e6)
        found[f"{name}_per_s"] = round(len(times) / took_s)
    return found


async def _closed(publish: Publish, seconds: float, in_flight: int) -> tuple[list[int], float]:
    samples: list[int] = []
    began_s = time.perf_counter()

    async def one() -> None:
        while time.perf_counter() < began_s + seconds:
            began_ns = time.perf_counter_ns()
            await publish()
            samples.append(time.perf_counter_ns() - began_ns)

    await asyncio.gather(*(one() for _ in range(in_flight)))
    return samples, time.perf_counter() - began_s


async def _open(publish: Publish, seconds: float, rate: float) -> tuple[list[int], float]:
    samples: list[int] = []
    first_s = time.perf_counter()

    async def one(due_s: float) -> None:
        await publish()
        samples.append(int((time.perf_counter() - due_s) * 1e9))

    tasks: set[asyncio.Task[None]] = set()
    for number in range(int(seconds * rate)):
        due_s = first_s + number / rate
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
        tasks.add(task := asyncio.create_task(one(due_s)))
        task.add_done_callback(tasks.discard)
        if len(tasks) > MOST:
            break
    await asyncio.gather(*tasks)
    return samples, time.perf_counter() - first_s
