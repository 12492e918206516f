"""Whether an actor makes progress, told from its counters alone.

A busy actor is alive: being busy is a matter of readiness, never a reason to end a process. Its
heartbeat is a counter that moves with every tick, also when nobody plays or the disk is full. One
that has not moved over many looks belongs to a thread that hangs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from huntgraph.bus import Counters
from huntgraph.errors import ActorError

__all__ = ["HANG_LOOKS", "HEARTBEAT", "Pulse", "process_state"]

HEARTBEAT: Final = "heartbeat_ms"
HANG_LOOKS: Final = 60
"""Looks in a row without a heartbeat that make a hang. Looks are counted and not seconds, so that
a stop of the looking process, or of the whole machine, proves nothing against the actor."""


class Pulse:
    """Looks at one actor's heartbeat now and then (once a second is right)."""

    def __init__(self, counters: str | Path, *, hang_looks: int = HANG_LOOKS) -> None:
        self.path = Path(counters)
        self.hang_looks = hang_looks
        self.still = 0
        self._counters: Counters | None = None
        self._last = -1

    @property
    def hangs(self) -> bool:
        """Whether the last looks prove that the actor's thread hangs."""
        return self.still >= self.hang_looks

    def look(self) -> bool:
        """Look once; whether the heartbeat has moved since the last look.

        A process that is stopped by a debugger or waits for its disk is not counted against: it
        goes on by itself, and killing it would mend nothing.
        """
        beat = self._read()
        moved = beat is not None and beat != self._last
        if moved and beat is not None:
            self._last = beat
        waits = self._counters is not None and process_state(self._counters.pid) in ("T", "t", "D")
        if moved or waits:
            self.still = 0
        else:
            self.still += 1
        return moved

    def _read(self) -> int | None:
        try:
            if self._counters is None or self._counters.replaced:
                self._counters = Counters(self.path)
            return self._counters.value(HEARTBEAT)
        except (ActorError, KeyError):
            return None


def process_state(pid: int) -> str:
    """Give the letter the system has for a process's state, "" when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[0]
