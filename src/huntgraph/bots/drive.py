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
    driver = _Driver(link, walkers, tally)
    if first_wait_s:
        await asyncio.sleep(first_wait_s)
    watch = asyncio.create_task(driver.watch_durable())
    try:
        await driver.rounds(rate, stop or asyncio.Event())
        walkers.leave()
        await driver.round()
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch


class _Driver:
    """One link's walkers; durability is that of this link's own positions."""

    def __init__(self, link: Link, walkers: Walkers, tally: Tally) -> None:
        self._link = link
        self._walkers = walkers
        self._tally = tally
        self._last_position = 0
        self._answered_ns = 0
        self._news = asyncio.Event()

    async def rounds(self, rate: float | None, over: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while not over.is_set() and not self._walkers.all_done:
            sent = await self.round()
            if rate is None:
                await asyncio.sleep(0 if sent else 0.001)
                continue
            # Rounds are set by the clock, not by the answers; one that cannot keep up drops rounds.
            due_s = max(due_s + 1.0 / rate, loop.time() - 1.0 / rate)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due_s):
                    await over.wait()

    async def round(self) -> int:
        moves = self._walkers.moves()
        for start in range(0, len(moves), FRAME_RECORDS):
            part = moves[start : start + FRAME_RECORDS]
            began_ns = time.perf_counter_ns()
            updates = await self._link.send(part)
            self._answered_ns = time.perf_counter_ns()
            self._tally.take(updates, (self._answered_ns - began_ns) / 1e6)
            self._walkers.take(updates)
            self._last_position = max(self._last_position, int(updates["position"].max()))
            self._news.set()
        self._tally.take_receipts(self._link)
        return len(moves)

    async def watch_durable(self) -> None:
        """Time how long a position takes from its applied to its durable acknowledgement."""
        while True:
            await self._news.wait()
            self._news.clear()
            answered_ns = self._answered_ns
            await self._link.durable(self._last_position)
            self._tally.durable_ms.append((time.perf_counter_ns() - answered_ns) / 1e6)
