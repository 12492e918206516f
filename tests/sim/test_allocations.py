"""What the running program allocates after boot: nothing at rest, a fixed little per frame.

The program counts by itself (crates/actor/src/allocations.rs); that its count can be trusted is
shown by the planted allocation of crates/actor/tests/move_allocations.rs.
"""

from __future__ import annotations

import random
from pathlib import Path

from huntgraph.cluster import Actor
from tests.servers import until
from tests.sim.client_scene import Scene, Walk

PLAYERS = 100
FRAMES = 200
PER_FRAME_MAX = 4
"""Allocations of a frame of 100 moves, all inside the QUIC engine; about 1.7 were measured."""


async def numbers(actor: Actor) -> tuple[int, int]:
    """Allocations and frames, as they stand after the next two ticks."""
    tick = actor.counters().value("tick")
    await until(lambda: actor.counters().value("tick") >= tick + 2)
    counters = actor.counters()
    return counters.value("allocations"), counters.value("frames")


def test_nothing_at_rest_and_a_fixed_little_per_frame(
    short_path: Path, rng: random.Random, seed: int
) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        actor = await scene.start()
        tick = actor.counters().value("tick")
        await until(lambda: actor.counters().value("tick") >= tick + 20)
        assert actor.counters().value("allocations") == 0
        async with scene.connect(actor) as link:
            walk = Walk(scene.world, range(1, PLAYERS + 1), rng)
            await link.send(walk.enter())
            allocations, frames = await numbers(actor)
            for _ in range(FRAMES):
                await link.send(walk.step())
            more, later = await numbers(actor)
            assert later - frames >= FRAMES
            assert more - allocations <= PER_FRAME_MAX * (later - frames)

    scene.run(play())
