"""Measurements of an actor's process, loaded by a thread of this one."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from huntgraph import _core
from huntgraph.bench.distribution import Samples, percentiles, quantile
from huntgraph.bench.machine import filesystem
from huntgraph.bench.result import Found
from huntgraph.bench.roads import EDGES_PER_CROSSING, make_roads
from huntgraph.bench.scene import IdlePolicy, Scene, paths
from huntgraph.bus import Histogram
from huntgraph.cluster import Actor, ActorOptions, Prices, refuse
from huntgraph.cores import kept_free, loop_cores

__all__ = [
    "Loaded",
    "allocations",
    "durable",
    "load",
    "memory",
    "quic",
    "sync_floor",
    "with_actor",
]

FRAME_MOVES: Final = 100
LARGE_FRAME_MOVES: Final = 1_000
IN_FLIGHT_BYTES: Final = 256 << 10
SYNC_BYTES: Final = 8 << 10
Given = TypeVar("Given")
NEWS_TICKS: Final = 2


@dataclass
class Loaded:
    """What a load found, and what the actor counted meanwhile."""

    numbers: dict[str, float]
    samples: dict[str, Samples]
    service: Histogram
    resident: dict[str, dict[str, float]]
    counted: dict[str, dict[str, int]]
    """By word; ``done`` is two ticks after the load."""


def quic(scene: Scene) -> Found:
    """Measure moves a second: client and actor share the machine, frames of 1,000 moves."""
    found = load(scene, records=LARGE_FRAME_MOVES, rate=0, client_idle="yield")
    windows = found.samples["window"]
    moves = found.numbers["window_moves"]
    rates = {name: moves * 1e9 / quantile(windows, share, 1.0) for name, share in _SPREAD.items()}
    figures = {name: round(rate) for name, rate in rates.items()}
    return Found(
        figures={**figures, "mean_moves_per_s": round(found.numbers["moves_per_s"])},
        samples=int(found.numbers["moves"]),
        distribution={
            "window_s": percentiles(windows, 1e9),
            "frame_us": percentiles(found.samples["latency"]),
        },
        floor={},
        offered=f"closed loop, frames of {LARGE_FRAME_MOVES:,} moves, 256 KiB in flight",
        idle_policy=scene.options.idle_policy,
    )


_SPREAD: Final = {"moves_per_s": 0.0, "median_moves_per_s": 0.5, "worst_moves_per_s": 1.0}


def durable(scene: Scene) -> Found:
    """Measure how long an applied frame takes to be on disk, as its sender sees it."""
    floors = [_bare_syncs(scene)]
    found = load(scene, records=FRAME_MOVES, rate=scene.options.rate, client_idle="yield")
    floors.append(_bare_syncs(scene))
    samples = found.samples["durable"]
    syncs = {name: np.concatenate([floor[name] for floor in floors]) for name in floors[0]}
    figures = {
        "p50_ms": quantile(samples, 0.5, 1e6),
        "p99_ms": quantile(samples, 0.99, 1e6),
        "p999_ms": quantile(samples, 0.999, 1e6),
        "moves_per_s": round(found.numbers["moves_per_s"]),
        "applied_p50_us": quantile(found.samples["latency"], 0.5),
        "applied_p99_us": quantile(found.samples["latency"], 0.99),
        "service_p50_us": found.service.quantile_ns(0.5) / 1e3,
        "service_p99_us": found.service.quantile_ns(0.99) / 1e3,
    }
    floor: dict[str, float] = {}
    for name, each in syncs.items():
        floor |= {f"{name}_p50_ms": quantile(each, 0.5, 1e6)}
        floor |= {f"{name}_p99_ms": quantile(each, 0.99, 1e6)}
        figures[f"ratio_to_{name}"] = round(figures["p50_ms"] / floor[f"{name}_p50_ms"], 3)
    taken = zip(("before", "after"), floors, strict=True)
    return Found(
        figures={**figures, **floor},
        samples=len(samples),
        distribution={
            "durable_ms": percentiles(samples, 1e6),
            "applied_us": percentiles(found.samples["latency"]),
            **{
                f"{name}_{when}_ms": percentiles(each, 1e6)
                for when, each_floor in taken
                for name, each in each_floor.items()
            },
        },
        floor=floor,
        offered=f"open loop, {scene.options.rate:,} moves/s in frames of {FRAME_MOVES}, "
        f"log on {filesystem(scene.folder)}",
        idle_policy=scene.options.idle_policy,
    )


def _bare_syncs(scene: Scene) -> dict[str, Samples]:
    """Time bare syncs back to back, and as often as frames come."""
    directory, seconds = scene.folder / "sync", scene.options.seconds / 8
    return {
        "fsync": sync_floor(directory, seconds),
        "paced_fsync": sync_floor(directory, seconds, FRAME_MOVES / scene.options.rate),
    }


def memory(scene: Scene) -> Found:
    """Measure an actor's resident memory after all its players have walked, in both forms."""
    options = scene.options
    compact, found = (_walked(scene, prices) for prices in ("auto", "any"))
    start, end = found.resident["measuring"], found.resident["measured"]
    figures = {
        "rss_mib": round(end["rss"] / 2**20, 2),
        "grid_rss_mib": round(compact.resident["measured"]["rss"] / 2**20, 2),
        "bytes_per_edge": round(end["rss"] / scene.edges, 2),
        "edges": scene.edges,
        "players": options.players,
        "nodes": scene.nodes,
        "fields": FIELDS,
        "guidance_mib": GUIDANCE_MIB,
        **_bytes_per_edge(scene),
        "rss_before_players_mib": round(found.resident["ready"]["rss"] / 2**20, 2),
        "rss_before_walk_mib": round(start["rss"] / 2**20, 2),
        "growth_kib": round((end["rss"] - start["rss"]) / 2**10, 1),
        "anonymous_mib": round(end["anonymous"] / 2**20, 2),
        "moves": found.numbers["moves"],
    }
    return Found(
        figures=figures,
        samples=len(found.resident),
        distribution={},
        floor={"rows_mib": round(figures["rows_bytes_per_edge"] * scene.edges / 2**20, 2)},
        offered=f"open loop, {options.rate:,} moves/s; {int(found.numbers['moves']):,} in all",
        idle_policy=options.idle_policy,
    )


def _walked(scene: Scene, prices: Prices) -> Loaded:
    """Let all players of an actor walk."""
    return load(
        scene,
        records=FRAME_MOVES,
        rate=scene.options.rate,
        client_idle="block",
        directory=f"actor-{prices}",
        prices=prices,
    )


def _bytes_per_edge(scene: Scene) -> dict[str, float]:
    """Give the bytes an edge of the rows: of the grid in both forms, of roads as many."""
    rows = {
        "grid_bytes_per_edge": _core.row_bytes(scene.world_file) / scene.edges,
        "rows_bytes_per_edge": _core.row_bytes(scene.world_file, any_prices=True) / scene.edges,
        "roads_bytes_per_edge": _road_bytes(scene),
    }
    return {name: round(each, 2) for name, each in rows.items()}


def _road_bytes(scene: Scene) -> float:
    """Give the bytes an edge of the rows of a map of roads with as many edges."""
    roads = make_roads(math.isqrt(scene.edges // EDGES_PER_CROSSING), seed=1)
    roads.save(file := scene.folder / "roads.hgw")
    return _core.row_bytes(file) / roads.edges


FIELDS: Final = 8
GUIDANCE_MIB: Final = 6
"""Room for one field of a million nodes, whole, and for the repairs of all."""


def allocations(scene: Scene) -> Found:
    """Count an actor's heap allocations and page faults, frames of each size at a fresh actor."""
    options = scene.options
    pace = {1: min(options.rate, SINGLES_RATE), FRAME_MOVES: options.rate}
    pace[LARGE_FRAME_MOVES] = options.rate
    loads = [
        load(scene, records=records, rate=rate, client_idle="block", directory=f"actor-{records}")
        for records, rate in pace.items()
    ]
    done = [load.counted["done"] for load in loads]
    before = sum(load.counted["measuring"]["page_faults"] for load in loads)
    after = sum(counted["page_faults"] for counted in done)
    figures: dict[str, float] = {
        "after_boot": sum(counted["allocations"] for counted in done),
        "page_faults": after - before,
        "page_faults_after_boot": after,
        "moves": sum(int(load.numbers["moves"]) for load in loads),
        "frames": sum(counted["frames"] for counted in done),
        "arena_blocks_in_use": max(counted["arena_blocks_in_use"] for counted in done),
        "arena_blocks_peak": max(counted["arena_blocks_peak"] for counted in done),
    }
    return Found(
        figures=figures,
        samples=int(figures["moves"]),
        offered="open loop, "
        + ", ".join(f"{rate:,} moves/s in frames of {records:,}" for records, rate in pace.items()),
        idle_policy=options.idle_policy,
    )


SINGLES_RATE: Final = 5_000
COUNTED: Final = (
    "allocations",
    "arena_blocks_in_use",
    "arena_blocks_peak",
    "frames",
    "page_faults",
)


def sync_floor(directory: Path, seconds: float, period_s: float = 0.0) -> Samples:
    """Time bare writes and syncs of `SYNC_BYTES`, one each period or one after the other."""
    _, samples = _core.bench_sync_floor(
        directory, SYNC_BYTES, period_s, seconds, lambda _word: None
    )
    return samples["sync"]


def load(
    scene: Scene,
    *,
    records: int,
    rate: int,
    client_idle: IdlePolicy,
    directory: str = "actor",
    prices: Prices = "auto",
) -> Loaded:
    """Start an actor, publish the hunts, let a thread of this process load it, and stop it.

    An actor that spins has a core for its loop alone, as its operator must give it one.
    """
    stopped = threading.Event()

    async def measure(actor: Actor) -> Loaded:
        resident = {"ready": _resident(actor.pid)}
        service: list[Histogram] = []
        counted: dict[str, dict[str, int]] = {}

        def watch(word: str) -> None:
            if stopped.is_set():
                raise KeyboardInterrupt
            if word:
                resident[word] = _resident(actor.pid)
                service.append(actor.counters().histogram("frame_ns"))
                counted[word] = _counted(actor)

        def drive() -> tuple[dict[str, float], dict[str, Samples]]:
            return scene.core.drive(
                actor.ready.address,
                paths(scene.client),
                watch,
                records=records,
                rate=rate,
                in_flight_bytes=IN_FLIGHT_BYTES,
                idle=client_idle,
            )

        with ThreadPoolExecutor(1) as thread:
            numbers, samples = await asyncio.get_running_loop().run_in_executor(thread, drive)
        await _pass_ticks(actor)
        counted["done"] = _counted(actor)
        return Loaded(numbers, samples, service[1] - service[0], resident, counted)

    try:
        return asyncio.run(with_actor(scene, measure, directory, prices))
    finally:
        stopped.set()


async def with_actor(
    scene: Scene,
    work: Callable[[Actor], Awaitable[Given]],
    directory: str = "actor",
    prices: Prices = "auto",
) -> Given:
    """Start an actor with the scene's hunts open, let it work, and stop it.

    A loop that spins has a core to itself, if there are two.
    """
    cores = loop_cores(1) if scene.options.idle_policy == "spin" else []
    options = ActorOptions(
        directory=scene.folder / directory,
        world=scene.world_file,
        identity=scene.server,
        players=scene.options.players,
        fields=FIELDS,
        guidance_mib=GUIDANCE_MIB,
        prices=prices,
        idle=scene.options.idle_policy,
        core=cores[0] if cores else None,
    )
    with kept_free(cores):
        async with await Actor.start(options) as actor:
            refuse(await actor.control(scene.rows), "the hunt of the measurement")
            await _pass_ticks(actor)
            return await work(actor)


async def _pass_ticks(actor: Actor) -> None:
    """Wait until a hunt has opened and the counters are of now."""
    until = (await actor.status()).tick + NEWS_TICKS
    while (await actor.status()).tick < until:
        await asyncio.sleep(actor.options.tick_ms / 1e3)


def _counted(actor: Actor) -> dict[str, int]:
    counters = actor.counters()
    return {name: counters.value(name) for name in COUNTED}


def _resident(pid: int) -> dict[str, float]:
    """Read a process's resident memory in bytes: all of it, and what no file stands behind."""
    names: dict[str, Any] = {"Rss:": "rss", "Anonymous:": "anonymous"}
    found = {"rss": 0.0, "anonymous": 0.0}
    with contextlib.suppress(ProcessLookupError):
        for line in Path("/proc", str(pid), "smaps_rollup").read_text().splitlines():
            name, *rest = line.split()
            if name in names:
                found[names[name]] = float(rest[0]) * 1024
    return found
