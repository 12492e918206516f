"""Who comes first on a core: time travel behind live moves, but a commit before them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["before_all_others", "behind_all_others"]


def behind_all_others() -> None:
    """Run this thread, and those that it starts, only while nobody else wants the core.

    With a nice value alone whoever wakes would wait for the end of this one's slice, milliseconds.
    """
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


@contextmanager
def before_all_others() -> Iterator[None]:
    """Moves wait for what this thread does: it goes first, where that is allowed."""
    usual, nice = os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0)
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        os.sched_setscheduler(0, usual, os.sched_param(0))
