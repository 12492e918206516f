"""Other QUIC stacks beside ours: an echo of 64-byte records over the loopback, one client each."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from huntgraph import _core
from huntgraph.bench.distribution import Samples, percentiles, quantile
from huntgraph.bench.outside import AbsentError, ask, ask_program
from huntgraph.bench.result import Found
from huntgraph.bench.scene import Scene, paths
from huntgraph.bench.with_actor import LARGE_FRAME_MOVES, load

__all__ = ["quic_rivals"]

UDP_ROUND_TRIPS: Final = 20_000
SHARES: Final = {"p50_us": 0.5, "p99_us": 0.99}
PYTHON: Final = ("aioquic_echo", "qh3_echo")


def quic_rivals(scene: Scene) -> Found:
    """Measure one record there and back, and records a second, of every stack there is.

    Ours applies each record to the real core, logs it and answers it; the others only echo.
    """
    _, bare = _core.bench_udp_floor(UDP_ROUND_TRIPS, lambda _word: None)
    server, client = paths(scene.server), paths(scene.client)
    _, samples = scene.core.roundtrip(server, client, lambda _word: None)
    found = load(scene, records=LARGE_FRAME_MOVES, rate=0, client_idle="yield")
    figures: dict[str, float] = _tail("", samples["quiet"])
    figures["records_per_s"] = round(found.numbers["moves_per_s"])
    distribution = {"us": percentiles(samples["quiet"]), "udp_us": percentiles(bare["udp"])}
    notes: dict[str, str] = {}
    for name in ("quinn", *PYTHON):
        try:
            rate, times = _rival(name, scene, server)
        except AbsentError as absent:
            notes[name] = str(absent)
            continue
        figures |= {**_tail(f"{name}_", times), f"{name}_records_per_s": round(rate)}
        distribution[f"{name}_us"] = percentiles(times)
    return Found(
        figures=figures,
        samples=len(samples["quiet"]),
        distribution=distribution,
        floor=_tail("udp_", bare["udp"]),
        offered="closed loop: one record of 64 bytes in flight; then frames of 1,000, 256 KiB",
        idle_policy=f"spin (round trips), {scene.options.idle_policy} (records a second)",
        notes=notes,
    )


def _rival(name: str, scene: Scene, server: tuple[Path, Path, Path]) -> tuple[float, Samples]:
    place = scene.folder / name
    seconds = scene.options.seconds
    if name == "quinn":
        words = [name, str(seconds), str(place), *map(str, server)]
        numbers, samples = ask_program(words, place)
        return numbers["records_per_s"], samples["pingpong"]
    place.mkdir()
    (place / "offer").write_text("\n".join([str(seconds), *map(str, server)]))
    rate = ask(name, place)["records_per_s"]
    return rate, np.fromfile(place / "pingpong.u64", np.uint64)


def _tail(prefix: str, samples: Samples) -> dict[str, float]:
    return {f"{prefix}{name}": quantile(samples, share) for name, share in SHARES.items()}
