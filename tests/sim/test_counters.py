"""What a real actor counts: times of frames and ticks, its memory, and buckets that add up."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest

from huntgraph.bus import Histogram
from huntgraph.bus.histogram import BUCKETS
from huntgraph.cluster import Actor
from tests.servers import until
from tests.sim.client_scene import Scene, Walk
from tests.unit.bus.test_counters import ERROR_MAX

PLAYERS = 100
FRAMES = 100


def misread(histogram: Histogram) -> float:
    """How far the sum of what the buckets report is from the sum the actor kept, as a share."""
    reported = 0.0
    for bucket in np.flatnonzero(histogram.buckets).tolist():
        alone = np.zeros(BUCKETS, dtype=np.int64)
        alone[bucket] = 1
        reported += Histogram(0, 0, alone).quantile_ns(0.5) * int(histogram.buckets[bucket])
    return abs(reported / histogram.sum_ns - 1)


def resident_bytes(pid: int) -> int:
    """What the system says of a process."""
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


async def ticks(actor: Actor, count: int) -> None:
    start = actor.counters().value("tick")
    await until(lambda: actor.counters().value("tick") >= start + count)


def test_frames_ticks_and_memory_are_measured(
    short_path: Path, rng: random.Random, seed: int
) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        actor = await scene.start()
        async with scene.connect(actor) as link:
            walk = Walk(scene.world, range(1, PLAYERS + 1), rng)
            await link.send(walk.enter())
            for _ in range(FRAMES):
                await link.send(walk.step())
            # More than a second, so that the actor has looked at its memory since.
            await ticks(actor, 25)
            reading = actor.counters().read()
        times = reading.histograms
        assert times["apply_ns"].count == FRAMES + 1
        assert times["frame_ns"].count == reading.values["frames"] > FRAMES
        assert 0 < times["apply_ns"].sum_ns < times["frame_ns"].sum_ns
        assert times["tick_ns"].count >= reading.values["tick"] - 1
        for name in ("apply_ns", "frame_ns", "durable_ns", "tick_ns"):
            assert misread(times[name]) <= ERROR_MAX, name
            planted = Histogram(times[name].sum_ns, 0, np.roll(times[name].buckets, 2))
            assert misread(planted) > ERROR_MAX, name
        assert reading.values["resident_bytes"] == pytest.approx(resident_bytes(actor.pid), rel=0.2)
        assert reading.values["world_id"] == scene.world.world_id
        assert reading.values["ring_events"] >= PLAYERS * (FRAMES + 1)

    scene.run(play())


def test_events_are_counted_from_the_actors_start(short_path: Path, seed: int) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        first = await scene.start()
        await ticks(first, 30)
        await first.stop()
        before = first.counters().value("ring_events")
        assert before >= 30
        second = await scene.start()
        await ticks(second, 2)
        assert second.counters().value("ring_events") < before

    scene.run(play())
