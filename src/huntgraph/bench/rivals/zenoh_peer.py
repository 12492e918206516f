"""Zenoh: a message of 64 bytes between two peers over TCP on the loopback."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import zenoh

from huntgraph.bench.distribution import quantile

RATE: Final = 1_000
BURST: Final = 20_000
LIMIT_S: Final = 30.0
KEY: Final = "huntgraph/bench"


def measure(folder: Path) -> dict[str, float]:
    """Give delivery times at 1,000 messages a second, open loop, and messages a second."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"tcp/127.0.0.1:{free.getsockname()[1]}"
    with zenoh.open(_config("listen", place)) as there, zenoh.open(_config("connect", place)) as us:
        return _measure(there, us, max(int(RATE * float((folder / "seconds").read_text())), 20))


def _config(way: str, place: str) -> Any:
    config = zenoh.Config()
    config.insert_json5("scouting/multicast/enabled", "false")
    if way == "connect":
        config.insert_json5("listen/endpoints", "[]")
    config.insert_json5(f"{way}/endpoints", json.dumps([place]))
    return config


def _measure(there: Any, us: Any, count: int) -> dict[str, float]:
    delivery: list[int] = []
    come = threading.Condition()

    def take(sample: Any) -> None:
        due_ns = int.from_bytes(sample.payload.to_bytes()[:16], "little")
        with come:
            delivery.append(time.perf_counter_ns() - due_ns)
            come.notify()

    def wait(wanted: int) -> None:
        with come:
            if not come.wait_for(lambda: len(delivery) >= wanted, LIMIT_S):
                raise TimeoutError(f"{len(delivery)} of {wanted} messages came")

    there.declare_subscriber(KEY, take)
    blocking = zenoh.CongestionControl.BLOCK
    writer = us.declare_publisher(KEY, congestion_control=blocking, express=True)
    while not writer.matching_status.matching:
        time.sleep(0.01)
    first_s = time.perf_counter() + 0.05
    for number in range(count):
        due_s = first_s + number / RATE
        time.sleep(max(0.0, due_s - time.perf_counter()))
        writer.put(int(due_s * 1e9).to_bytes(16, "little") + bytes(48))
    wait(count)
    paced = np.array(delivery[:count], np.uint64)
    batched = us.declare_publisher(KEY, congestion_control=blocking)
    began_s = time.perf_counter()
    for _ in range(BURST):
        batched.put(bytes(64))
    wait(count + BURST)
    rate = BURST / (time.perf_counter() - began_s)
    shares = {"p50": 0.5, "p99": 0.99}
    times = {f"delivery_{name}_us": quantile(paced, share) for name, share in shares.items()}
    return {**times, "messages_per_s": round(rate)}
