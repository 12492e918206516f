"""A fork leaves nothing behind: the memory of many is that of one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from huntgraph.timeline.fork import Run
from tests.unit.timeline.recorder import CHEATER, with_a_cheater
from tests.unit.timeline.resident import alone, resident_bytes

WARM, FORKS, WINDOWS = 20, 25, 3
"""How far apart freed images lie is settled after some fifteen forks as a rule, now and then later:
what a fork leaves taken is taken in each window."""
ALLOWED_BYTES = 8 << 20


def growth(folder: Path, kept: list[Run] | None = None) -> int:
    """How much memory so many rollbacks leave taken, in the best of some windows; bytes."""
    timeline, resident = with_a_cheater().timeline(folder), []
    for number in range(WARM + WINDOWS * FORKS + 1):
        if number >= WARM and (number - WARM) % FORKS == 0:
            resident.append(resident_bytes())
        with timeline.fork(at="0:6") as fork:
            run = fork.drop(player=CHEATER).replay()
            fork.diff()
        if kept is not None:
            kept.append(run)
        del run
    return min(after - before for before, after in pairwise(resident))


def test_rollbacks_leave_no_memory_taken(tmp_path: Path) -> None:
    assert alone(growth, tmp_path) < ALLOWED_BYTES


def test_a_rollback_that_keeps_its_images_is_caught(tmp_path: Path) -> None:
    assert alone(growth, tmp_path, []) > ALLOWED_BYTES
