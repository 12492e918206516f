"""`Supervisor`: keeps an actor running, and has snapshots made.

It starts an actor again when its process has ended, each time a little later, and gives up after
some starts in a row that never came to readiness. It ends a process itself in one case only: when
its thread provably hangs (see `Pulse`). A busy actor is left alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from huntgraph.cluster.actor import START_TIMEOUT_S, Actor, ActorOptions, Stopped
from huntgraph.cluster.pulse import HANG_LOOKS, Pulse
from huntgraph.cluster.snapshots import SnapshotMade, make_snapshot
from huntgraph.errors import ActorError, HuntError, LogDamagedError

__all__ = ["Backoff", "Event", "State", "Supervisor"]

State = Literal["starting", "running", "restarting", "stopping", "stopped", "failed"]
LOOK_EVERY_S: Final = 1.0
_LOG = logging.getLogger(__name__)
# Without it, warnings of a program that set up no logging go to its standard error.
_LOG.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before each start: doubled from ``first_s`` up to ``most_s``.

    A life of ``settled_s`` or more makes the count of starts begin anew; after ``starts`` starts
    in a row that failed, the supervisor gives up.
    """

    first_s: float = 0.1
    most_s: float = 10.0
    settled_s: float = 60.0
    starts: int = 5

    def wait_s(self, tries: int) -> float:
        """Give the wait before the try after ``tries`` quick ends (0, 1, 2 ...)."""
        return min(self.first_s * 2.0 ** min(tries, 40), self.most_s)


@dataclass(frozen=True, slots=True)
class Event:
    """Something the supervisor did or saw.

    ``kind`` is started, damaged, ended, hangs, snapshot, failed.
    """

    kind: str
    text: str
    error: HuntError | None = None


class Supervisor:
    """Keeps one actor running. Use as ``async with Supervisor(options) as supervisor``.

    A restarted actor listens at the address of the first, so that game servers find it again.
    ``on_event`` is called in the loop's thread with every `Event`; it must not block.

    With ``keep_log_ticks`` history is kept for so many ticks: behind each snapshot what is older
    is dropped from the log, but nothing from the position on that ``needed`` gives.
    """

    def __init__(
        self,
        options: ActorOptions,
        *,
        program: Path | None = None,
        snapshot_every_s: float = 60.0,
        keep_log_ticks: int | None = None,
        needed: Callable[[], int | None] | None = None,
        start_timeout_s: float = START_TIMEOUT_S,
        backoff: Backoff | None = None,
        hang_looks: int = HANG_LOOKS,
        look_every_s: float = LOOK_EVERY_S,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self.options = options
        self.state: State = "stopped"
        self.restarts = 0
        self.last_snapshot: SnapshotMade | None = None
        self._program = program
        self._snapshot_every_s = snapshot_every_s
        self._keep_log_ticks = keep_log_ticks
        self._needed = needed
        self._start_timeout_s = start_timeout_s
        self._backoff = backoff or Backoff()
        self._pulse = Pulse(options.directory / "counters", hang_looks=hang_looks)
        self._look_every_s = look_every_s
        self._on_event = on_event
        self._actor: Actor | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        self._error: ActorError | None = None

    @property
    def actor(self) -> Actor:
        """The actor that runs now, or ran last. Raises ActorError before the first start."""
        if self._actor is None:
            raise ActorError("the actor was not started yet", fix="use async with", code="HG1415")
        return self._actor

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> Actor:
        """Start the actor; the first start is tried once, and its failure raised as ActorError."""
        self.state = "starting"
        try:
            await self._start_actor()
        except BaseException:
            self.state = "failed"
            raise
        self._tasks = [asyncio.create_task(self._keep_running())]
        if self._snapshot_every_s > 0:
            self._tasks.append(asyncio.create_task(self._keep_snapshots()))
        return self.actor

    async def stop(self, *, kill: bool = False) -> Stopped | None:
        """Drain and end the actor (``kill``: at once). Raises ActorError when it ended badly."""
        if self.state != "failed":
            self.state = "stopping"
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        stopped = None
        try:
            if self._actor is not None and kill:
                await self._actor.kill()
            elif self._actor is not None:
                stopped = await self._actor.stop()
        finally:
            if self.state != "failed":
                self.state = "stopped"
            self._over.set()
        return stopped

    async def wait(self) -> None:
        """Wait until the actor was stopped; raises ActorError when the supervisor gave up."""
        await self._over.wait()
        if self._error is not None:
            raise self._error

    async def _start_actor(self) -> None:
        self._actor = await Actor.start(
            self.options, timeout_s=self._start_timeout_s, program=self._program
        )
        ready = self._actor.ready
        self.options = replace(self.options, listen=ready.address)
        self.state = "running"
        text = f"actor {ready.pid} at {ready.address}, {ready.replayed} records replayed"
        self._tell(Event("started", text))
        for damage in ready.damaged:
            where = self.options.directory / "log"
            fix = "look at the disk; of what is lost the snapshot behind it holds the effects"
            error = LogDamagedError(damage, where=where, fix=fix, code="HG1511")
            self._tell(Event("damaged", f"passed over: {damage}", error))

    async def _keep_running(self) -> None:
        tries = 0
        loop = asyncio.get_running_loop()
        while True:
            begin = loop.time()
            await self._until_end()
            self.state = "restarting"
            error = self.actor.failure()
            self._tell(Event("ended", str(error), error))
            tries = 0 if loop.time() - begin >= self._backoff.settled_s else tries
            tries = await self._start_again(tries, error)
            if tries < 0:
                return

    async def _start_again(self, tries: int, error: ActorError) -> int:
        """Start with growing waits; gives the count of tries, -1 after giving up."""
        failed = 0
        while failed < self._backoff.starts:
            await asyncio.sleep(self._backoff.wait_s(tries))
            tries += 1
            self.restarts += 1
            try:
                await self._start_actor()
                return tries
            except ActorError as again:
                error = again
                failed += 1
                self._tell(Event("ended", f"start {failed} failed: {again}", again))
        self.state = "failed"
        self._error = error
        self._tell(Event("failed", f"given up after {failed} starts: {error}", error))
        self._over.set()
        return -1

    async def _until_end(self) -> None:
        ended = asyncio.create_task(self.actor.wait())
        try:
            while not ended.done():
                await asyncio.wait({ended}, timeout=self._look_every_s)
                self._pulse.look()
                if self._pulse.hangs and not ended.done():
                    text = f"no heartbeat in {self._pulse.still} looks: the process is ended"
                    self._tell(Event("hangs", text))
                    self._pulse.still = 0
                    await self.actor.kill()
        finally:
            ended.cancel()

    async def _keep_snapshots(self) -> None:
        while True:
            await asyncio.sleep(self._snapshot_every_s)
            if self.state != "running":
                continue
            try:
                self.last_snapshot = await self.snapshot()
            except HuntError as error:
                # The newest snapshot before it and the log still hold everything.
                self._tell(Event("snapshot", f"no snapshot: {error}", error))

    async def snapshot(self) -> SnapshotMade:
        """Have a snapshot made now, and what is not kept dropped. Raises HuntError."""
        keeps, needed = self._keep_log_ticks is not None, self._needed
        made = await make_snapshot(
            self.options.directory,
            self.options.world,
            partition=self.options.partition,
            players=self.options.players,
            fields=self.options.fields,
            added_edges=self.options.added_edges,
            prices=self.options.prices,
            keep_ticks=self._keep_log_ticks,
            keep_from=needed() if keeps and needed is not None else None,
            program=self._program,
        )
        self._tell(Event("snapshot", f"snapshot at position {made.position}"))
        if made.drop_through and self.actor.alive:
            await self.actor.drop_log(made.drop_through)
        return made

    def _tell(self, event: Event) -> None:
        level = logging.INFO if event.error is None else logging.WARNING
        _LOG.log(level, "%s: %s", event.kind, event.text)
        if self._on_event is not None:
            self._on_event(event)

    def to_dict(self) -> dict[str, Any]:
        """Give what is worth knowing, JSON-ready."""
        made = self.last_snapshot
        return {
            "state": self.state,
            "restarts": self.restarts,
            "pid": None if self._actor is None else self._actor.pid,
            "address": self.options.listen,
            "snapshot": None if made is None else made.position,
        }
