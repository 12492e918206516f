"""Load for the tests of allocations: game servers come, send frames of every size, and go."""

from __future__ import annotations

import asyncio
import functools
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pytest

from huntgraph.client.connect import Connecting
from huntgraph.cluster import Actor
from tests.servers import until
from tests.sim.client_scene import Scene, Walk

ROOT: Final = Path(__file__).parents[2]
FRAMES: Final = (1, 100, 1_000)
"""Moves of a frame; each size moves everybody once a round."""
FRAMES_EACH: Final = 100
"""Frames of one size in a round; whoever has not moved by then moves in one greater frame."""
WALKERS: Final = 1_000
"""Players of a game server."""
ROUND_MOVES: Final = 3_000
ROUND_FRAMES: Final = 101 + 10 + 1


class Counts(NamedTuple):
    """What the program counted since its boot."""

    allocations: int
    arena_blocks_in_use: int
    arena_blocks_peak: int
    page_faults: int
    frames: int
    moves: int


async def counts(actor: Actor) -> Counts:
    """The counts as they stand after the next two ticks, everyone gone who has hung up."""
    counters = actor.counters()
    tick = counters.value("tick")
    await until(lambda: actor.counters().value("tick") >= tick + 2)
    counters = actor.counters()
    return Counts(*(counters.value(name) for name in Counts._fields))


async def visit(connecting: Connecting, walk: Walk, rounds: int) -> None:
    """One game server: it connects, its players walk in frames of every size, it leaves."""
    async with connecting as link:
        if not any(walk.seqs.values()):
            await link.send(walk.enter())
        for _ in range(rounds):
            for size in FRAMES:
                moves = walk.step()
                cuts = [*range(size, min(len(moves), size * FRAMES_EACH + 1), size)]
                for frame in np.split(moves, cuts):
                    await link.send(frame)


async def visits(scene: Scene, actor: Actor, walks: list[Walk], rounds: int = 1) -> None:
    """As many game servers at once as there are walks; returns when the actor forgot them."""
    names = [f"game-server-{number}" for number in range(len(walks))]
    links = [scene.connect(actor, name) for name in names]
    await asyncio.gather(*(visit(*pair, rounds) for pair in zip(links, walks, strict=True)))
    await until(lambda: actor.counters().value("connections") == 0)


def walks(scene: Scene, rng: random.Random, servers: int) -> list[Walk]:
    """Players of their own for each game server."""
    groups = (range(1 + n * WALKERS, 1 + (n + 1) * WALKERS) for n in range(servers))
    return [Walk(scene.world, group, rng) for group in groups]


@functools.cache
def planted_program() -> Path:
    """Build the program with the planted faults (crates/actor/examples/planted_allocation.rs).

    In the profile of cargo test, which has built all but the example itself in `make test`.
    """
    cargo = os.environ.get("CARGO", "cargo")
    if shutil.which(cargo) is None:
        pytest.skip("cargo is not here: the program with the planted faults cannot be built")
    environment = os.environ | {"PYO3_BUILD_EXTENSION_MODULE": "1"}
    target = Path(environment.setdefault("CARGO_TARGET_DIR", str(ROOT / "target")))
    name = "planted_allocation"
    build = [cargo, "build", "--profile", "checked", "--locked", "-p", "huntgraph-actor"]
    build += ["--example", name]
    subprocess.run(build, cwd=ROOT, env=environment, check=True, stdout=sys.stderr)
    return target / "checked" / "examples" / name


def script(path: Path, command: str) -> Path:
    """A program that is a line of shell, which hands its own arguments on."""
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(0o700)
    return path
