"""After boot the running program allocates nothing: first proof, by its own count.

The count is made in the program's allocator (crates/actor/src/allocations.rs). The twin runs a
program that allocates and leaks a little, and must be found out. Two further proofs do without the
program's word: test_allocations_outside.py and test_allocations_valgrind.py.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final, Literal

import pytest

from huntgraph.cluster import Actor
from tests.servers import until
from tests.sim.allocation_scene import (
    ROUND_FRAMES,
    ROUND_MOVES,
    counts,
    planted_program,
    visits,
    walks,
)
from tests.sim.client_scene import Scene

SERVERS: Final = 3
VISITS: Final = 4
PLAYERS: Final = 3_500
BLOCKS_KEPT_MAX: Final = 48
"""Blocks in use when nobody is connected: 16 headers of recycled buffers, and the tables of the
QUIC engine, which have grown once. About 20 were measured."""
PAGE_FAULTS_MAX: Final = 300
"""The ring has 257 pages, and the kernel takes each away once when it writes it to the disk."""


async def blocks_come_back(actor: Actor) -> None:
    """Wait until closed connections, which QUIC keeps for a moment, have given back all blocks."""
    counters = actor.counters
    await until(lambda: counters().value("arena_blocks_in_use") <= BLOCKS_KEPT_MAX, seconds=5.0)


@pytest.mark.parametrize("idle", ["block", "yield", "spin"])
def test_nothing_is_allocated_at_rest_nor_by_moves_nor_by_connections(
    short_path: Path, rng: random.Random, seed: int, idle: Literal["block", "yield", "spin"]
) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        actor = await scene.start(players=PLAYERS, idle=idle)
        tick = actor.counters().value("tick")
        await until(lambda: actor.counters().value("tick") >= tick + 20)
        players = walks(scene, rng, SERVERS)
        await visits(scene, actor, players)
        first = await counts(actor)
        for _ in range(VISITS):
            await visits(scene, actor, players)
        last = await counts(actor)
        assert last.moves - first.moves == SERVERS * VISITS * ROUND_MOVES
        assert last.frames - first.frames >= SERVERS * VISITS * ROUND_FRAMES
        assert last.allocations == 0
        assert last.arena_blocks_peak > BLOCKS_KEPT_MAX
        assert last.page_faults - first.page_faults <= PAGE_FAULTS_MAX
        await blocks_come_back(actor)

    scene.run(play())


@pytest.mark.slow
def test_the_count_sees_a_planted_allocation_and_a_planted_leak(
    short_path: Path, rng: random.Random, seed: int
) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        actor = await scene.start(players=PLAYERS, program=planted_program())
        players = walks(scene, rng, SERVERS)
        for _ in range(VISITS):
            await visits(scene, actor, players)
        found = await counts(actor)
        assert found.allocations > 0
        with pytest.raises(TimeoutError):
            await blocks_come_back(actor)

    scene.run(play())
