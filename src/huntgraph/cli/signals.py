"""Ctrl-C and SIGTERM in verbs that run a loop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable

from huntgraph.cli.exits import Exit

__all__ = ["Signals", "run_async"]


class Signals:
    """SIGINT and SIGTERM as events of a loop: the first asks to end, the second ends at once."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.interrupted = False
        self._task: asyncio.Task[int] | None = None

    def watch(self, task: asyncio.Task[int]) -> None:
        """Take over both signals; the second one cancels ``task``."""
        self._task = task
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on, number)

    def _on(self, number: signal.Signals) -> None:
        self.interrupted |= number == signal.SIGINT
        if not self.stop.is_set():
            self.stop.set()
        elif self._task is not None:
            self._task.cancel()


def run_async(work: Callable[[Signals], Awaitable[int]]) -> int:
    """Run ``work`` in a loop of its own; Ctrl-C gives 130, SIGTERM what ``work`` gives."""

    async def outer() -> int:
        signals = Signals()
        task = asyncio.ensure_future(_as_task(work(signals)))
        signals.watch(task)
        try:
            status = await task
        except asyncio.CancelledError:
            status = Exit.INTERRUPTED
        return Exit.INTERRUPTED if signals.interrupted else status

    return asyncio.run(outer())


async def _as_task(work: Awaitable[int]) -> int:
    return await work
