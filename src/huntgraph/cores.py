"""Cores for loops that spin: each has one to itself, on which devices interrupt least.

A disk's interrupts often come to one core alone. A loop that runs there waits for the end of each,
and its own log syncs all the time (`docs/decisions/0019-cores-for-loops.md`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

__all__ = ["interruptions", "kept_free", "loop_cores", "only_for_loop"]

TABLE: Final = Path("/proc/interrupts")


def loop_cores(loops: int) -> list[int]:
    """Choose a core for each loop that spins, those with the fewest interruptions first.

    None when there are not so many and one for all other threads.
    """
    allowed, table = os.sched_getaffinity(0), ""
    if loops >= len(allowed):
        return []
    with suppress(OSError):
        table = TABLE.read_text()
    count = interruptions(table)
    return sorted(allowed, key=lambda core: (count.get(core, 0), core))[:loops]


def interruptions(table: str) -> dict[int, int]:
    """Count how often devices have interrupted each core, by the text of ``/proc/interrupts``."""
    head, *lines = table.splitlines() or [""]
    count = dict.fromkeys((int(name.removeprefix("CPU")) for name in head.split()), 0)
    for line in lines:
        name, _, counts = line.partition(":")
        if name.strip().isdecimal():  # the others are the kernel's own
            for core, times in zip(count, counts.split(), strict=False):
                count[core] += int(times)
    return count


@contextmanager
def kept_free(cores: Iterable[int | None]) -> Iterator[None]:
    """Keep this thread, and the threads and processes that it starts, off cores; None is none."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, allowed - set(cores))
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def only_for_loop(process: int, core: int) -> None:
    """Give a core to the loop of an actor's process, which runs on its first thread."""
    with suppress(ProcessLookupError):
        os.sched_setaffinity(process, {core})
