"""Who comes first on a core: time travel behind live moves, but a commit before them."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

__all__ = ["before_all_others", "behind_all_others"]

FIRST: Final = 2
"""A real-time priority: above that of actors whose moves wait, and all that have none."""


def behind_all_others() -> None:
    """Run this thread, and those that it starts, only while nobody else wants the core.

    With a nice value alone whoever wakes would wait for the end of this one's slice, milliseconds.
    """
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


@contextmanager
def before_all_others() -> Iterator[None]:
    """Moves wait for what this thread does: it goes first, where that is allowed.

    No nice value would do: whoever it wakes would take the core from it, one after the other.
    Garbage is collected afterwards.
    """
    usual, collects = os.sched_getscheduler(0), gc.isenabled()
    gc.disable()
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(FIRST))
    try:
        yield
    finally:
        os.sched_setscheduler(0, usual, os.sched_param(0))
        if collects:
            gc.enable()
