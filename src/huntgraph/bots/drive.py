"""`drive`: walkers over a link, at a steady pace, with latencies noted."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from huntgraph.bots.walkers import Walkers
from huntgraph.schema import FRAME_RECORDS, RECEIPT, Code, Flag, Kind

__all__ = ["Link", "Tally", "drive"]

KEPT: Final = 4096
"""Latencies kept: the newest ones."""


class Link(Protocol):
    """What `drive` asks of a link; that of `huntgraph.client.connect` is one."""

    async def send(self, moves: NDArray[np.void]) -> NDArray[np.void]:
        """Send moves (dtype MOVE); gives their updates, same length and order."""

    def receipts(self) -> NDArray[np.void]:
        """Give the receipts that came since the last call: dtype RECEIPT."""

    async def durable(self, position: int) -> Any:
        """Wait until a position is durable."""


@dataclass
class Tally:
    """What came of driving walkers; several links may share one."""

    moves: int = 0
    frames: int = 0
    guided: int = 0
    certified: int = 0
    refused: dict[int, int] = field(default_factory=dict)
    last_position: int = 0
    applied_ms: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    durable_ms: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    proofs: list[NDArray[np.void]] = field(default_factory=list)

    @property
    def claims(self) -> int:
        """Treasures won."""
        return sum(len(proof) for proof in self.proofs)

    @property
    def receipts(self) -> NDArray[np.void]:
        """All receipts that came: dtype RECEIPT, in the order of their serials."""
        if not self.proofs:
            return np.empty(0, dtype=RECEIPT)
        whole = np.concatenate(self.proofs)
        return whole[np.argsort(whole["serial"], kind="stable")]

    def quantiles_ms(self, which: str) -> tuple[float, float]:
        """Give p50 and p99 of the newest ``"applied"`` or ``"durable"`` latencies, in ms."""
        values = self.applied_ms if which == "applied" else self.durable_ms
        if not values:
            return 0.0, 0.0
        p50, p99 = np.quantile(np.array(values), [0.5, 0.99])
        return float(p50), float(p99)

    def take_receipts(self, link: Link) -> None:
        """Keep the receipts that came over a link."""
        proof = link.receipts()
        if len(proof):
            self.proofs.append(proof)

    def take(self, updates: NDArray[np.void], elapsed_ms: float) -> None:
        """Count the updates to one frame."""
        self.moves += len(updates)
        self.frames += 1
        self.applied_ms.append(elapsed_ms)
        self.last_position = max(self.last_position, int(updates["position"].max()))
        self.guided += int(np.count_nonzero(updates["flags"] & Flag.GUIDED))
        self.certified += int(np.count_nonzero(updates["flags"] & Flag.CERTIFIED))
        codes = updates["code"]
        # A claim in vain is how a walker asks for guidance: that is no refusal of note.
        asked = (updates["kind"] == Kind.CLAIM) & (codes == Code.NOTHING_HERE)
        wrong = codes[(codes != Code.OK) & ~asked]
        for code, count in zip(*np.unique(wrong, return_counts=True), strict=True):
            self.refused[int(code)] = self.refused.get(int(code), 0) + int(count)


async def drive(
    link: Link,
    walkers: Walkers,
    tally: Tally,
    *,
    rate: float | None = None,
    stop: asyncio.Event | None = None,
    first_wait_s: float = 0.0,
) -> None:
    """Send the walkers' moves until all are done or ``stop`` is set; then have them leave.

    ``rate`` is moves a second of each walker; None sends a round as soon as the last is answered.
    ``first_wait_s`` sets the links of one test apart, so that their frames do not come together.
    """
    over = stop or asyncio.Event()
    if first_wait_s:
        await asyncio.sleep(first_wait_s)
    watch = asyncio.create_task(_watch_durable(link, tally))
    try:
        await _rounds(link, walkers, tally, rate, over)
        walkers.leave()
        await _round(link, walkers, tally)
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch


async def _rounds(
    link: Link, walkers: Walkers, tally: Tally, rate: float | None, over: asyncio.Event
) -> None:
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while not over.is_set() and not walkers.all_done:
        sent = await _round(link, walkers, tally)
        if rate is None:
            await asyncio.sleep(0 if sent else 0.001)
            continue
        # Rounds are set by the clock, not by the answers; one that cannot keep up drops rounds.
        due_s = max(due_s + 1.0 / rate, loop.time() - 1.0 / rate)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(due_s):
                await over.wait()


async def _round(link: Link, walkers: Walkers, tally: Tally) -> int:
    moves = walkers.moves()
    for start in range(0, len(moves), FRAME_RECORDS):
        part = moves[start : start + FRAME_RECORDS]
        began_ns = time.perf_counter_ns()
        updates = await link.send(part)
        tally.take(updates, (time.perf_counter_ns() - began_ns) / 1e6)
        walkers.take(updates)
    tally.take_receipts(link)
    return len(moves)


async def _watch_durable(link: Link, tally: Tally) -> None:
    """Time how long the newest position takes from its applied to its durable acknowledgement."""
    seen = 0
    while True:
        position = tally.last_position
        if position == seen:
            await asyncio.sleep(0.001)
            continue
        began_ns = time.perf_counter_ns()
        await link.durable(position)
        tally.durable_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
        seen = position
