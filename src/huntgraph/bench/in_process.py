"""Measurements inside this process: the core alone, and an actor and its client on one thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from huntgraph import _core
from huntgraph.bench.distribution import Samples, percentiles, quantile, windows
from huntgraph.bench.result import Found
from huntgraph.bench.scene import Scene, paths
from huntgraph.cores import kept_free, loop_cores

__all__ = ["apply", "frame", "handshake", "roundtrip"]

FRAME_MOVES: Final = 100
WINDOW_ROUND_TRIPS: Final = 2_000
WINDOW_FRAMES: Final = 200
CALM_NS: Final = 10_000
"""A window is calm when 99 of 100 pieces of fixed work in it took less than this too long."""


def unwatched(_word: str) -> None:
    """Let the interpreter look at its signals, which calling this does."""


@contextmanager
def _core_of_its_own() -> Iterator[Callable[[str], None]]:
    """Give what takes this thread to a core that all threads started meanwhile are kept off."""
    cores = set(loop_cores(1))

    def watch(_word: str) -> None:
        if cores:
            os.sched_setaffinity(0, cores)
            cores.clear()

    with kept_free(cores):
        yield watch


def apply(scene: Scene) -> Found:
    """Measure whole moves in the core: CPU time by the thread's clock, best window and spread."""
    numbers, samples = scene.core.apply(unwatched)
    moves = numbers["window_moves"]
    figures: dict[str, float] = {}
    figures["moves_per_s"] = round(moves * 1e9 / int(samples["whole_100_wall"].min()))
    figures["cpu_ns_per_move"] = quantile(samples["whole_100"], 0.0, moves)
    for name in ("whole_100", "whole_1000", "actor_1000", "bare_1000"):
        part = samples[name]
        figures[f"{name}_cpu_ns_per_move"] = quantile(part, 0.0, moves)
        figures[f"{name}_median_cpu_ns_per_move"] = quantile(part, 0.5, moves)
        figures[f"{name}_worst_cpu_ns_per_move"] = quantile(part, 1.0, moves)
        best_ns = int(samples[f"{name}_wall"].min())
        figures[f"{name}_moves_per_s"] = round(moves * 1e9 / best_ns)
    ticks = samples["tick"]
    figures["tick_median_us"] = quantile(ticks, 0.5)
    counted = sum(len(part) for name, part in samples.items() if not name.endswith("_wall"))
    return Found(
        figures=figures | {name: numbers[name] for name in ("nodes", "edges", "players")},
        samples=int(moves) * (counted - len(ticks)),
        distribution={
            **{
                f"{name}_cpu_ns_per_move": percentiles(samples[name], moves)
                for name in ("whole_100", "whole_1000", "actor_1000", "bare_1000")
            },
            "tick_cpu_us": percentiles(ticks),
        },
        floor={"bare_cpu_ns_per_move": figures["bare_1000_cpu_ns_per_move"]},
        offered="batches of 100 and 1,000 moves one after the other, one core",
        idle_policy="none",
    )


def roundtrip(scene: Scene) -> Found:
    """Measure one move over QUIC and back, closed loop, both ends on one thread, spinning."""
    with _core_of_its_own() as watch:
        numbers, samples = scene.core.roundtrip(paths(scene.server), paths(scene.client), watch)
    quiet, traffic, udp = samples["quiet"], samples["traffic"], samples["udp"]
    figures = {
        **_tail("", quiet),
        **_tail("traffic_", traffic),
        "cpu_us": round(numbers["quiet_cpu_ns"] / 1e3, 3),
        "traffic_cpu_us": round(numbers["traffic_cpu_ns"] / 1e3, 3),
    }
    for prefix, part in (("", quiet), ("traffic_", traffic)):
        tails = [quantile(window, 0.99) for window in windows(part, WINDOW_ROUND_TRIPS)]
        figures[f"{prefix}best_window_p99_us"] = min(tails)
        figures[f"{prefix}median_window_p99_us"] = float(np.median(tails))
    return Found(
        figures=figures,
        samples=len(quiet) + len(traffic),
        distribution={
            "quiet_us": percentiles(quiet),
            "traffic_us": percentiles(traffic),
            "udp_us": percentiles(udp),
        },
        floor=_tail("udp_", udp),
        offered="closed loop, one move of 64 bytes in flight",
        idle_policy="spin",
    )


def frame(scene: Scene) -> Found:
    """Measure frames of 100 moves due at set times, both ends on one thread, spinning."""
    pace = FRAME_MOVES, scene.options.rate
    with _core_of_its_own() as watch:
        numbers, samples = scene.core.frame(paths(scene.server), paths(scene.client), pace, watch)
    figures: dict[str, float] = {}
    distribution: dict[str, Any] = {}
    for prefix in ("", "quiet_"):
        latency, service = samples[f"{prefix}latency"], samples[f"{prefix}service"]
        applied, jitter = samples[f"{prefix}apply"], samples[f"{prefix}jitter"]
        figures |= _tail(prefix, latency) | _tail(f"{prefix}service_", service)
        figures |= _tail(f"{prefix}apply_", applied)
        figures[f"{prefix}moves_per_s"] = round(numbers[f"{prefix}moves_per_s"])
        figures[f"{prefix}jitter_floor_p99_us"] = quantile(jitter, 0.99)
        figures |= _calm(prefix, latency, service, jitter)
        for name in ("latency", "service", "apply", "jitter"):
            distribution[f"{prefix}{name}_us"] = percentiles(samples[f"{prefix}{name}"])
    return Found(
        figures=figures,
        samples=len(samples["latency"]) + len(samples["quiet_latency"]),
        distribution=distribution,
        floor={
            "jitter_p99_us": figures["jitter_floor_p99_us"],
            "jitter_p999_us": quantile(samples["jitter"], 0.999),
        },
        offered=f"open loop, {scene.options.rate:,} moves/s in frames of {FRAME_MOVES}",
        idle_policy="spin",
    )


def handshake(scene: Scene) -> Found:
    """Measure handshakes with mutual TLS until both ends are done, both on one thread."""
    count = max(int(scene.options.seconds * 500), 20)
    _, samples = _core.bench_handshake(paths(scene.server), paths(scene.client), count, unwatched)
    figures = {
        "full_ms": quantile(samples["full"], 0.5, 1e6),
        "resumed_ms": quantile(samples["resumed"], 0.5, 1e6),
        "full_p99_ms": quantile(samples["full"], 0.99, 1e6),
        "resumed_p99_ms": quantile(samples["resumed"], 0.99, 1e6),
        "full_cpu_ms": quantile(samples["full_cpu"], 0.5, 1e6),
        "resumed_cpu_ms": quantile(samples["resumed_cpu"], 0.5, 1e6),
    }
    return Found(
        figures=figures,
        samples=2 * count,
        distribution={f"{name}_ms": percentiles(part, 1e6) for name, part in samples.items()},
        floor={name: figures[name] for name in ("full_cpu_ms", "resumed_cpu_ms")},
        offered="one handshake after the other",
        idle_policy="spin",
    )


def _tail(prefix: str, samples: Samples) -> dict[str, float]:
    shares = {"p50_us": 0.5, "p99_us": 0.99, "p999_us": 0.999}
    return {f"{prefix}{name}": quantile(samples, share) for name, share in shares.items()}


def _calm(prefix: str, latency: Samples, service: Samples, jitter: Samples) -> dict[str, float]:
    """Look at the windows in which the machine kept still, judged by the fixed work alone."""
    parts = [windows(part, WINDOW_FRAMES) for part in (latency, service, jitter)]
    calm = [at for at, part in enumerate(parts[2]) if quantile(part, 0.99, 1.0) < CALM_NS]
    figures: dict[str, float] = {
        f"{prefix}calm_windows": len(calm),
        f"{prefix}windows": len(parts[2]),
    }
    if calm:
        chosen = [np.concatenate([part[at] for at in calm]) for part in parts[:2]]
        figures |= _tail(f"{prefix}calm_", chosen[0])
        figures |= _tail(f"{prefix}calm_service_", chosen[1])
    return figures
