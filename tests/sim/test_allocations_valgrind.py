"""After boot the running program allocates nothing: third proof, by valgrind.

Valgrind runs the very program on a processor of its own making and counts the heap allocations of
its whole life. One run has twice the moves of the other, and the totals must be equal. (rustix's
own vDSO clock, which valgrind cannot run, is only used by the benchmarks in process; the program
reads its clocks through the C library.)
"""

from __future__ import annotations

import random
import re
import shlex
import shutil
from pathlib import Path
from typing import Final

import pytest

from huntgraph.program import actor_program
from tests.sim.allocation_scene import ROUND_MOVES, counts, planted_program, script, visits, walks
from tests.sim.client_scene import Scene

pytestmark = pytest.mark.slow
ATTEMPTS: Final = 7
PLANTED_ATTEMPTS: Final = 2
PLANTED_APART: Final = 10
"""So far apart, not even as many attempts as are made above could meet."""
TOTAL: Final = re.compile(r"total heap usage: ([\d,]+) allocs")


def total(scene: Scene, program: Path, rounds: int, rng: random.Random) -> int:
    """Heap allocations of a program's life in which one game server moved so many rounds."""
    report = scene.folder / "valgrind.txt"
    words = ("valgrind", "--undef-value-errors=no", "--leak-check=no", f"--log-file={report}")
    slow = script(scene.folder / "slow", shlex.join([*words, str(program)]))

    async def play() -> None:
        actor = await scene.start(program=slow)
        await visits(scene, actor, walks(scene, rng, 1), rounds)
        assert (await counts(actor)).moves == 1_000 + rounds * ROUND_MOVES
        await actor.stop()

    scene.run(play())
    found = TOTAL.search(report.read_text())
    assert found, report.read_text()
    return int(found[1].replace(",", ""))


def totals(
    folder: Path, program: Path, seed: int, attempts: int = ATTEMPTS
) -> tuple[set[int], set[int]]:
    """The allocations of some lives, and of lives with twice the moves of those.

    Starting and stopping may take a block or two more or less (what the clock says when decides);
    what moves allocate is there every time. So pairs are repeated until one total was of both.
    """
    if shutil.which("valgrind") is None:
        pytest.skip("there is no valgrind (apt install valgrind)")
    rng = random.Random(seed)
    found: tuple[set[int], set[int]] = (set(), set())
    for attempt in range(attempts):
        for rounds, lives in enumerate(found, start=1):
            place = folder / f"{attempt}-{rounds}"
            place.mkdir()
            lives.add(total(Scene(place, seed), program, rounds, rng))
        if found[0] & found[1]:
            break
    return found


def test_twice_the_moves_are_as_many_allocations(short_path: Path, seed: int) -> None:
    single, double = totals(short_path, actor_program(), seed)
    assert min(single) > 0
    assert single & double


def test_planted_allocations_are_seen_in_the_totals(short_path: Path, seed: int) -> None:
    single, double = totals(short_path, planted_program(), seed, PLANTED_ATTEMPTS)
    print(f"{sorted(single)} allocations, {sorted(double)} with twice the moves")
    assert max(single) + PLANTED_APART < min(double)
