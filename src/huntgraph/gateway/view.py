"""What the gateway knows of a partition, without ever asking its actor.

Everything comes from the counters file and the ring, which cost the actor nothing to have read.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from huntgraph.bus import Counters, Gap, Reading, Ring
from huntgraph.cluster import Pulse, Supervisor
from huntgraph.errors import ActorError
from huntgraph.schema import FRAME_RECORDS

__all__ = ["BROKEN", "PartitionView"]

BROKEN: Final = ("log_failed", "answers_hash_mismatch")
"""Counters that are 0 as long as nothing is broken."""
STILL_LOOKS: Final = 3
"""Looks without a heartbeat after which a partition is not ready any more."""


class PartitionView:
    """One partition's files, looked at once a second, and its supervisor where it runs here."""

    def __init__(
        self, directory: str | Path, *, partition: int = 0, supervisor: Supervisor | None = None
    ) -> None:
        self.directory = Path(directory)
        self.partition = partition
        self.supervisor = supervisor
        self.pulse = Pulse(self.directory / "counters")
        self.latest: dict[str, int] = {}
        self.before: dict[str, int] = {}
        self.started_ms = time.time_ns() // 1_000_000
        self.gaps_told = 0
        self.events_lost = 0
        self._counters: Counters | None = None

    def counters(self) -> Counters | None:
        """Open the counters, anew after a restart of the actor; None while there are none."""
        # Another thread may be here too, so what is looked at is held.
        counters = self._counters
        try:
            if counters is None or counters.replaced:
                counters = Counters(self.directory / "counters")
        except ActorError:
            counters = None
        self._counters = counters
        return counters

    def read(self) -> Reading | None:
        """Copy all numbers and those the gateway counts itself; None while there are none."""
        counters = self.counters()
        if counters is None:
            return None
        reading = counters.read()
        own = {"ring_gaps": self.gaps_told, "ring_lost": self.events_lost}
        return replace(reading, values=reading.values | own)

    @property
    def up(self) -> bool:
        """Whether there are counters and the heartbeat moves."""
        return self.counters() is not None and not self.pulse.hangs

    def note_gap(self, gap: Gap) -> None:
        """Count a gap that a client was told."""
        self.gaps_told += 1
        self.events_lost += gap.count

    def ring(self) -> Ring:
        """Open a reader of the ring, at what comes next. Raises ActorError."""
        return Ring(self.directory / "ring")

    def look(self) -> None:
        """Look at the numbers; call it once a second."""
        self.pulse.look()
        counters = self.counters()
        self.before, self.latest = self.latest, counters.values() if counters else {}

    def broken(self) -> list[str]:
        """Say why this process should be ended; empty as long as it should not.

        Only what waiting cannot mend counts: a broken invariant, a thread that hangs, a supervisor
        that gave up. A busy, draining or restarting actor is alive.
        """
        reasons = [f"{name} is set" for name in BROKEN if self.latest.get(name)]
        if self.supervisor is not None and self.supervisor.state == "failed":
            reasons.append("the actor cannot be started")
        elif self.supervisor is None and self.pulse.hangs:
            # With a supervisor here, it ends a hanging actor itself.
            reasons.append(f"no heartbeat in {self.pulse.still} looks")
        return reasons

    def unready(self) -> list[str]:
        """Say why no more load should come here now; empty when it may."""
        reasons = self.broken()
        if self.supervisor is not None and self.supervisor.state != "running":
            reasons.append(f"the actor is {self.supervisor.state}")
        if not self.latest:
            return [*reasons, "there are no counters yet"]
        if self.pulse.still >= STILL_LOOKS:
            reasons.append(f"no heartbeat in {self.pulse.still} looks")
        if self.latest.get("draining"):
            reasons.append("the actor is draining")
        # Less than a frame may need: moves are being refused.
        if self.latest.get("log_room", FRAME_RECORDS) < FRAME_RECORDS:
            reasons.append("the log has no room")
        if self._rose("answers_busy") or self._rose("answers_log_full"):
            reasons.append("moves are being refused")
        return reasons

    def _rose(self, name: str) -> bool:
        # A restarted actor counts from 0 again, which is no rise.
        return bool(self.before) and self.latest.get(name, 0) > self.before.get(name, 0)

    def address(self) -> dict[str, Any]:
        """Give the partition and where its actor listens, None while nobody knows; JSON-ready."""
        options = None if self.supervisor is None else self.supervisor.options
        url = None if options is None else f"huntgraph://{options.listen}"
        return {"partition": self.partition, "url": url}

    def to_dict(self) -> dict[str, Any]:
        """Give what a probe is told, JSON-ready."""
        shown = ("tick", "epoch", "position", "durable", "players", "present", "connections")
        facts: dict[str, Any] = {"partition": self.partition, "reasons": self.unready()}
        facts |= {name: self.latest[name] for name in shown if name in self.latest}
        if self.supervisor is not None:
            facts["supervisor"] = self.supervisor.to_dict()
        return facts
