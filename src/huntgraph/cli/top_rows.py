"""What ``top`` shows of a partition: its figures between two looks, as JSON and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from huntgraph.bus import Histogram, Reading
from huntgraph.cli.output import duration
from huntgraph.schema import FRAME_RECORDS

__all__ = ["Row", "row_of", "total"]

NOT_REFUSED: Final = ("answers_ok", "answers_duplicate")
MIB: Final = 1 << 20


@dataclass(frozen=True)
class Window:
    """What one partition, or several together, did between two looks, and how it stands now."""

    per_s: Mapping[str, float] = field(default_factory=dict)
    now: Counter[str] = field(default_factory=Counter)
    times: Mapping[str, Histogram] = field(default_factory=dict)

    def __add__(self, other: Window) -> Window:
        """Give both together."""
        times = dict(self.times)
        for name, histogram in other.times.items():
            times[name] = times[name] + histogram if name in times else histogram
        # Rates and not rises: one may have been looked at for longer than the other.
        per_s = dict(self.per_s)
        for name, rate in other.per_s.items():
            per_s[name] = per_s.get(name, 0.0) + rate
        # Adding with "+" would lose what is 0, and 0 is not the same as unknown.
        now = self.now.copy()
        now.update(other.now)
        return Window(per_s, now, times)

    def rate(self, *names: str) -> float | None:
        """How much some numbers rose a second; None as long as nobody looked twice."""
        if not self.per_s:
            return None
        return round(sum(self.per_s.get(name, 0.0) for name in names), 1)

    def quantile(self, name: str, share: float, unit_ns: float) -> float | None:
        """Give a quantile of the times in the window; None when there were none."""
        histogram = self.times.get(name)
        if histogram is None or not histogram.count:
            return None
        return round(histogram.quantile_ns(share) / unit_ns, 3)


@dataclass(frozen=True)
class Row:
    """One line."""

    name: str
    state: str
    window: Window

    def to_dict(self) -> dict[str, Any]:
        """Give the figures, JSON-ready; what is not known is null."""
        window, now = self.window, self.window.now
        refused = [name for name in now if name.startswith("answers_") and name not in NOT_REFUSED]
        resident, disk = now.get("resident_bytes"), now.get("log_disk_bytes")
        return {
            "state": self.state,
            "moves_per_s": window.rate("moves"),
            "applied_p50_us": window.quantile("frame_ns", 0.5, 1e3),
            "applied_p99_us": window.quantile("frame_ns", 0.99, 1e3),
            "durable_p50_us": window.quantile("durable_ns", 0.5, 1e3),
            "durable_p99_us": window.quantile("durable_ns", 0.99, 1e3),
            "epoch_age_p99_us": window.quantile("epoch_age_ns", 0.99, 1e3),
            "round_age_p99_us": window.quantile("round_age_ns", 0.99, 1e3),
            "players": now.get("present"),
            "refused_per_s": window.rate(*refused),
            "ring_gaps": now.get("ring_gaps"),
            "allocations": now.get("allocations"),
            "resident_mib": None if resident is None else round(resident / MIB, 1),
            "log_gib": None if disk is None else round(disk / 1024 / MIB, 2),
        }

    def cells(self) -> list[str]:
        """Give the figures as text, the name first; what is not known is a dash."""
        return [self.name, *(_cell(name, value) for name, value in self.to_dict().items())]


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name.endswith("_us"):
        return duration(value * 1e3)
    if name.endswith("_per_s"):
        return f"{value:,.0f}"
    return value if isinstance(value, str) else f"{value:,}"


def row_of(name: str, before: Reading | None, after: Reading | None, elapsed_s: float) -> Row:
    """Give the row of a partition that was looked at twice; ``before`` is None the first time."""
    if after is None:
        return Row(name, "away", Window())
    now = Counter(after.values)
    if before is None or before.started_ms != after.started_ms:
        return Row(name, _state(after.values, beats=True), Window(now=now))
    risen = Counter(after.values)
    risen.subtract(before.values)
    times = {
        name: histogram - before.histograms[name]
        for name, histogram in after.histograms.items()
        if name in before.histograms
    }
    state = _state(after.values, beats=risen["heartbeat_ms"] != 0)
    per_s = {name: rise / elapsed_s for name, rise in risen.items()} if elapsed_s else {}
    return Row(name, state, Window(per_s, now, times))


def _state(values: Mapping[str, int], *, beats: bool) -> str:
    if values.get("log_failed"):
        return "log failed"
    if not beats:
        return "stopped" if values.get("draining") else "silent"
    if values.get("draining"):
        return "draining"
    # Less room than a frame may need: moves are being refused.
    full = values.get("log_room", FRAME_RECORDS) < FRAME_RECORDS
    return "log full" if full else "running"


def total(rows: Sequence[Row]) -> Row:
    """Give the line below all others: sums, and quantiles of all times together."""
    states = Counter(row.state for row in rows).most_common()
    state = ", ".join(f"{count} {state}" for state, count in states)
    return Row("total", state, sum((row.window for row in rows), Window()))
