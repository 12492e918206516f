"""What the demo shows while it runs: one look a fifth of a second, as a table or as plain lines."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huntgraph.cli.output import duration, say

if TYPE_CHECKING:
    from rich.table import Table

    from huntgraph.bots import Tally, Walkers
    from huntgraph.bus import Counters, Histogram
    from huntgraph.cli.serving import Served

__all__ = ["Look", "Screen"]

LIVE_S: Final = 0.2
PLAIN_S: Final = 1.0
WINDOW_S: Final = 1.0
"""Rates and quantiles are those of about the last second."""
HISTOGRAMS: Final = {"applied": "frame_ns", "durable": "durable_ns", "epoch age": "epoch_age_ns"}


@dataclass(frozen=True, slots=True)
class Look:
    """The actor's numbers at one moment."""

    time_s: float
    values: dict[str, int]
    histograms: dict[str, Histogram]

    @classmethod
    def at(cls, counters: Counters) -> Look:
        """Look now."""
        histograms = {
            name: counters.histogram(entry)
            for name, entry in HISTOGRAMS.items()
            if entry in counters
        }
        return cls(time.monotonic(), counters.values(), histograms)


class Screen:
    """Shows a running demo; ``async with Screen(...)`` shows it until the block is left."""

    def __init__(
        self, served: Served, groups: Sequence[Walkers], tally: Tally, *, seconds: float
    ) -> None:
        self._served = served
        self._groups = groups
        self._tally = tally
        self._seconds = seconds
        self._began_s = time.monotonic()
        self._counters = served.actor.counters()
        self._looks = [Look.at(self._counters)]
        self._task: asyncio.Task[None] | None = None
        self.peak_moves_per_s = 0.0

    async def __aenter__(self) -> Screen:
        live = sys.stderr.isatty()
        self._task = asyncio.create_task(self._live() if live else self._plain())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _plain(self) -> None:
        while True:
            await asyncio.sleep(PLAIN_S)
            self._look()
            say("  ".join(f"{name} {value}" for name, value in self._rows()))

    async def _live(self) -> None:
        from rich.console import Console
        from rich.live import Live

        with Live(self._table(), console=Console(stderr=True), transient=True) as live:
            while True:
                await asyncio.sleep(LIVE_S)
                self._look()
                live.update(self._table())

    def _look(self) -> None:
        if self._counters.replaced:
            self._counters = self._served.actor.counters()
            self._looks = []
        self._looks.append(Look.at(self._counters))
        oldest_s = self._looks[-1].time_s - WINDOW_S
        while len(self._looks) > 2 and self._looks[1].time_s <= oldest_s:
            self._looks.pop(0)
        self.peak_moves_per_s = max(self.peak_moves_per_s, self._rate("moves"))

    def _rate(self, name: str) -> float:
        first, last = self._looks[0], self._looks[-1]
        elapsed_s = last.time_s - first.time_s
        moved = last.values.get(name, 0) - first.values.get(name, 0)
        return moved / elapsed_s if elapsed_s > 0 else 0.0

    def _quantiles(self, name: str) -> str:
        first, last = self._looks[0], self._looks[-1]
        if name not in last.histograms:
            return "-"
        window = last.histograms[name]
        if name in first.histograms and first is not last:
            window = window - first.histograms[name]
        p50, p99 = window.quantile_ns(0.5), window.quantile_ns(0.99)
        return f"p50 {duration(p50)} p99 {duration(p99)}"

    def _rows(self) -> list[tuple[str, str]]:
        last = self._looks[-1].values
        present = sum(int(group.present.sum()) for group in self._groups)
        done = sum(int(group.done.sum()) for group in self._groups)
        client = self._tally.quantiles_ms("applied")
        return [
            ("time", f"{time.monotonic() - self._began_s:.0f}/{self._seconds:g} s"),
            ("moves/s", f"{self._rate('moves'):,.0f}"),
            ("applied", self._quantiles("applied")),
            ("at the bots", f"p50 {client[0]:.2f} ms p99 {client[1]:.2f} ms"),
            ("durable", self._quantiles("durable")),
            ("claims", f"{last.get('claims', 0):,}"),
            ("epoch age", self._quantiles("epoch age")),
            ("players", f"{present:,} walking, {done:,} done"),
            ("tick", f"{last.get('tick', 0):,}"),
            ("position", f"{last.get('position', 0):,}"),
        ]

    def _table(self) -> Table:
        from rich.box import ROUNDED
        from rich.table import Table

        shown = Table(title="huntgraph demo (not for production)", box=ROUNDED, show_header=False)
        shown.add_column(style="bold")
        shown.add_column(justify="right", min_width=32)
        for name, value in self._rows():
            shown.add_row(name, value)
        shown.caption = f"{self._served.gateway.url}/metrics    Ctrl-C ends it"
        return shown

    def figures(self) -> dict[str, Any]:
        """Give latencies over the whole run as the actor's counters have them, JSON-ready."""
        look = Look.at(self._counters)
        found: dict[str, Any] = {}
        for name, histogram in look.histograms.items():
            key = name.replace(" ", "_")
            found[f"{key}_p50_us"] = histogram.quantile_ns(0.5) / 1000
            found[f"{key}_p99_us"] = histogram.quantile_ns(0.99) / 1000
        found["peak_moves_per_s"] = round(self.peak_moves_per_s)
        return found
