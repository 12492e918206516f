"""After boot the running program allocates nothing: second proof, from outside.

The C library's heap is all that a Rust program on Linux gets memory from, but for mappings of its
own. So every way into that heap is counted by a library loaded before it (malloc_counter.c), for
each thread; and the process's mappings, of which the heap is one, must be the same before and
after. The program's own count is not used.
"""

from __future__ import annotations

import random
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from huntgraph.cluster import Actor
from huntgraph.program import actor_program
from tests.sim.allocation_scene import ROUND_MOVES, counts, planted_program, script, visits, walks
from tests.sim.client_scene import Scene

SOURCE: Final = Path(__file__).with_name("malloc_counter.c")
PLACES: Final = 64
SERVERS: Final = 2
VISITS: Final = 4
PLAYERS: Final = 2_500


class Outside:
    """A program whose heap calls are counted."""

    def __init__(self, folder: Path, program: Path) -> None:
        library, self.file = folder / "malloc_counter.so", folder / "malloc_counts"
        cc = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE)]
        subprocess.run(cc, check=True)
        self.file.write_bytes(bytes(16 * PLACES))
        words = ("env", f"LD_PRELOAD={library}", f"MALLOC_COUNTS={self.file}", str(program))
        self.program = script(folder / "counted", shlex.join(words))

    def calls(self) -> dict[int, int]:
        """Calls so far by thread id; the program's first thread has the id of its process."""
        table = np.fromfile(self.file, dtype="<u8").reshape(PLACES, 2)
        return {int(thread): int(calls) for thread, calls in table if thread}


def mappings(actor: Actor) -> list[str]:
    """Where memory is mapped, the heap and the stacks included, with its rights."""
    lines = Path("/proc", str(actor.pid), "maps").read_text().splitlines()
    return [re.sub(r"\s+", " ", line) for line in lines]


@pytest.fixture
def scene(short_path: Path, seed: int) -> Scene:
    """A scene, where a C compiler is there to build the counter."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler cc (apt install gcc libc6-dev)")
    return Scene(short_path, seed)


async def play_counted(
    scene: Scene, outside: Outside, rng: random.Random
) -> tuple[dict[int, int], bool]:
    """Let game servers come, move and leave.

    Gives the heap calls meanwhile by thread, and whether the mappings are still the same.
    """
    actor = await scene.start(program=outside.program, players=PLAYERS)
    await counts(actor)
    before, mapped = outside.calls(), mappings(actor)
    assert before[actor.pid] > 100, "boot allocates, so a counter that stands still is broken"
    players = walks(scene, rng, SERVERS)
    for _ in range(VISITS):
        await visits(scene, actor, players)
    assert (await counts(actor)).moves == SERVERS * (1_000 + VISITS * ROUND_MOVES)
    calls = {thread: calls - before.get(thread, 0) for thread, calls in outside.calls().items()}
    return calls, mappings(actor) == mapped


def test_no_thread_calls_the_heap_and_nothing_is_mapped(scene: Scene, rng: random.Random) -> None:
    outside = Outside(scene.folder, actor_program())

    async def play() -> None:
        calls, same = await play_counted(scene, outside, rng)
        assert same
        assert len(calls) >= 2, "the loop's thread and the log's"
        assert not any(calls.values()), calls

    scene.run(play())


@pytest.mark.slow
def test_the_counter_sees_planted_allocations(scene: Scene, rng: random.Random) -> None:
    outside = Outside(scene.folder, planted_program())

    async def play() -> None:
        calls, same = await play_counted(scene, outside, rng)
        assert any(calls.values())
        assert not same

    scene.run(play())
