"""A fork leaves nothing behind: the memory of many is that of one."""

from __future__ import annotations

import gc
from pathlib import Path

from huntgraph.timeline.fork import Run
from huntgraph.timeline.timeline import Timeline
from tests.unit.timeline.recorder import CHEATER, with_a_cheater

WARM, FORKS = 20, 25
"""How far apart freed images lie is settled after some fifteen forks: then nothing is added."""
ALLOWED_MIB = 8.0


def resident_mib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / (1 << 20)


def growth_mib(timeline: Timeline, kept: list[Run] | None = None) -> float:
    """How much memory so many rollbacks leave taken, behind those that warm up."""
    before = 0.0
    for number in range(WARM + FORKS):
        if number == WARM:
            before = resident_mib()
        with timeline.fork(at="0:6") as fork:
            run = fork.drop(player=CHEATER).replay()
            fork.diff()
        if kept is not None:
            kept.append(run)
        del run
    return resident_mib() - before


def test_rollbacks_leave_no_memory_taken(tmp_path: Path) -> None:
    assert growth_mib(with_a_cheater().timeline(tmp_path)) < ALLOWED_MIB


def test_a_rollback_that_keeps_its_images_is_caught(tmp_path: Path) -> None:
    kept: list[Run] = []
    assert growth_mib(with_a_cheater().timeline(tmp_path), kept) > ALLOWED_MIB
    assert len(kept) == WARM + FORKS
