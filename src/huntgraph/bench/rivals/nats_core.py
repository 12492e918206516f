"""NATS core: a message of 64 bytes from a publisher over the server to a subscriber."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, Final

import nats
import numpy as np

from huntgraph.bench.distribution import quantile
from huntgraph.bench.nats import nats_server

RATE: Final = 1_000
BURST: Final = 20_000
PADDING: Final = bytes(48)


def measure(folder: Path) -> dict[str, float]:
    """Give delivery times at 1,000 messages a second, open loop, and messages a second."""
    return asyncio.run(_measure(folder, float((folder / "seconds").read_text())))


async def _measure(folder: Path, seconds: float) -> dict[str, float]:
    async with nats_server(folder / "nats") as url:
        writer, reader = await nats.connect(url), await nats.connect(url)
        delivery: list[int] = []
        news = asyncio.Event()
        wanted = max(int(RATE * seconds), 20)

        async def take(message: Any) -> None:
            due_ns = int.from_bytes(message.data[:8], "little")
            delivery.append(time.perf_counter_ns() - due_ns)
            if len(delivery) >= wanted:
                news.set()

        await reader.subscribe("moves", cb=take)
        await reader.flush()
        first_s = time.perf_counter() + 0.05
        for number in range(wanted):
            due_s = first_s + number / RATE
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            await writer.publish("moves", int(due_s * 1e9).to_bytes(16, "little") + PADDING)
            await writer.flush()
        await news.wait()
        paced = np.array(delivery, np.uint64)
        news.clear()
        delivery.clear()
        wanted = BURST
        began_s = time.perf_counter()
        for _ in range(BURST):
            await writer.publish("moves", bytes(16) + PADDING)
        await writer.flush()
        await news.wait()
        rate = BURST / (time.perf_counter() - began_s)
        await writer.close()
        await reader.close()
    shares = {"p50": 0.5, "p99": 0.99}
    times = {f"delivery_{name}_us": quantile(paced, share) for name, share in shares.items()}
    return {**times, "messages_per_s": round(rate)}
