"""`Actor`: one running process of the program ``hunt-graph``, from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from huntgraph.bus import Counters, Ring
from huntgraph.cluster.authority import Leaf
from huntgraph.cluster.control import Answers, Control, Status, control_move, refuse
from huntgraph.cluster.process import Lines, failure, spawn
from huntgraph.cores import only_for_loop
from huntgraph.errors import ActorError
from huntgraph.program import actor_program
from huntgraph.schema import Kind

if TYPE_CHECKING:
    from huntgraph.hunt import AnyWorld, Hunt

__all__ = ["Actor", "ActorOptions", "Prices", "Ready", "Stopped"]

Prices: TypeAlias = Literal["auto", "any"]
"""Which costs edges may have: any, or as the world goes (`ActorOptions.prices`)."""

START_TIMEOUT_S: Final = 120.0
STOP_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class ActorOptions:
    """How an actor is started; `identity` is the server's."""

    directory: Path
    world: Path
    identity: Leaf
    partition: int = 0
    listen: str = "127.0.0.1:0"
    players: int = 12_500
    fields: int = 8
    guidance_mib: int = 0
    """Memory of all fields together, 0 = room for all of them whole."""
    added_edges: int = 1024
    prices: Prices = "auto"
    """`any`: edges may take any cost at any time; `auto`: where a world has few costs, few others
    (`schema.PRICES` in all), for half the memory."""
    idle: Literal["block", "yield", "spin"] = "block"
    segment_mib: int = 64
    tick_ms: int = 50
    guidance_percent: int = 50
    neighbours: Mapping[int, Path] = field(default_factory=dict)
    """Directory of each other partition's actor, on this machine."""
    core: int | None = None
    """The core that its loop has to itself; see `huntgraph.cores`."""

    def arguments(self) -> list[str]:
        """Give the program's arguments."""
        named = {
            "dir": self.directory,
            "world": self.world,
            "partition": self.partition,
            "listen": self.listen,
            "certificate": self.identity.certificate,
            "key": self.identity.key,
            "authority": self.identity.authority,
            "players": self.players,
            "fields": self.fields,
            "guidance-mib": self.guidance_mib,
            "added-edges": self.added_edges,
            "prices": self.prices,
            "idle": self.idle,
            "segment-mib": self.segment_mib,
            "tick-ms": self.tick_ms,
            "guidance-percent": self.guidance_percent,
        }
        options = [part for name, value in named.items() for part in (f"--{name}", str(value))]
        for number, directory in self.neighbours.items():
            options += ["--neighbour", f"{number}={directory}"]
        return ["serve", *options]


@dataclass(frozen=True, slots=True)
class Ready:
    """What an actor says when it is ready; ``address`` is ``host:port`` for QUIC."""

    address: str
    pid: int
    partition: int
    position: int
    tick: int
    epoch: int
    replayed: int
    cut_bytes: int
    damaged: Sequence[str]
    """What of the log could not be read and was passed over, as the snapshot is behind it."""
    boot_ms: float

    @property
    def url(self) -> str:
        """Where game servers connect to."""
        return f"huntgraph://{self.address}"


@dataclass(frozen=True, slots=True)
class Stopped:
    """What an actor says at its end: its last position, the last on disk, and the state hash."""

    position: int
    durable: int
    state_hash: int


class Actor:
    """A running actor. Use ``async with await Actor.start(options) as actor``: leaving stops it."""

    def __init__(self, options: ActorOptions, process: asyncio.subprocess.Process) -> None:
        self.options = options
        self._process = process
        self._failed: dict[str, Any] | None = None
        self._stopped: Stopped | None = None
        self._ready: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()
        self._control: Control | None = None
        assert process.stdout is not None
        assert process.stderr is not None
        self._output = Lines(process.stdout, self._on_output)
        self._messages = Lines(process.stderr, self._on_message)

    @classmethod
    async def start(
        cls,
        options: ActorOptions,
        *,
        timeout_s: float = START_TIMEOUT_S,
        program: Path | None = None,
    ) -> Self:
        """Start the program and wait until it is ready.

        Raises ActorError with the code the program named when it gave up, HG1411 when it was not
        ready in time, HG1410 and HG1412 when it cannot be started at all.
        """
        options.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        process = await spawn(program or actor_program(), options.arguments())
        actor = cls(options, process)
        try:
            await actor._wait_ready(timeout_s)
            if options.core is not None:
                only_for_loop(actor.pid, options.core)
        except BaseException:
            await actor.kill()
            raise
        return actor

    async def _wait_ready(self, timeout_s: float) -> None:
        ended = asyncio.create_task(self.wait())
        either: set[asyncio.Future[Any]] = {ended, self._ready}
        try:
            await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if self._ready.done():
            self._ready.result()
            return
        if self._process.returncode is not None:
            raise self.failure()
        raise ActorError(
            f"the actor was not ready within {timeout_s:g} s",
            where=self.options.directory,
            fix="give it more time: a long log takes long to replay; snapshots shorten it",
            code="HG1411",
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            await self.stop()
        else:
            await self.kill()

    @property
    def ready(self) -> Ready:
        """What the actor said when it was ready."""
        return self._ready.result()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process is there, busy or not."""
        return self._process.returncode is None

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.returncode

    def failure(self) -> ActorError:
        """Say why the process ended, in its own words when it left any."""
        status = self._process.returncode or 0
        return failure(self._failed, status, list(self._messages.last), self.options.directory)

    async def wait(self) -> int:
        """Wait for the process to end and its output to be read; gives its exit status."""
        status = await self._process.wait()
        await asyncio.wait({self._output.done, self._messages.done}, timeout=5.0)
        return status

    def counters(self) -> Counters:
        """Open the counters file."""
        return Counters(self.options.directory / "counters")

    def ring(self) -> Ring:
        """Open the ring, at what comes next."""
        return Ring(self.options.directory / "ring")

    async def control(self, records: NDArray[np.void]) -> Answers:
        """Send records (dtype MOVE or RULE) over the control socket; see `Control.send`."""
        return await (await self._link()).send(records)

    async def status(self) -> Status:
        """Ask for the positions, the tick and the state hash."""
        return await (await self._link()).status()

    async def drop_log(self, position: int) -> None:
        """Let the log's segments up to a position go: a snapshot of it must be on disk."""
        await (await self._link()).drop(position)

    async def publish(self, hunt: Hunt, world: AnyWorld, slot: int = 0) -> Answers:
        """Publish a hunt into a slot; effective at the next tick. Raises RefusedError."""
        return refuse(await self.control(hunt.compile(world, slot)), f"slot {slot}")

    async def pause(self, slot: int) -> Answers:
        """Pause a hunt at the next tick. Raises RefusedError."""
        return await self._order(Kind.HUNT_PAUSE, slot)

    async def resume(self, slot: int) -> Answers:
        """Let a paused hunt go on at the next tick. Raises RefusedError."""
        return await self._order(Kind.HUNT_RESUME, slot)

    async def extend(self, slot: int, ticks: int) -> Answers:
        """Let a hunt close later by so many ticks of 50 ms. Raises RefusedError."""
        return await self._order(Kind.HUNT_EXTEND, slot, arg=ticks)

    async def close(self, slot: int) -> Answers:
        """Close a hunt at the next tick. Raises RefusedError."""
        return await self._order(Kind.HUNT_CLOSE, slot)

    async def _order(self, kind: Kind, slot: int, **fields: int) -> Answers:
        return refuse(await self.control(control_move(kind, slot, **fields)), f"slot {slot}")

    async def stop(self, *, timeout_s: float = STOP_TIMEOUT_S) -> Stopped | None:
        """Drain and end the actor; gives its last positions, None when it had ended before.

        One that does not end in time is killed, which loses nothing that was durable; then, and
        when it ended with a failure, ActorError is raised.
        """
        if not self.alive:
            return self._stopped
        await self._close_control()
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(timeout_s):
                status = await self.wait()
        except TimeoutError as error:
            await self.kill()
            raise ActorError(
                f"the actor did not drain within {timeout_s:g} s and was killed",
                where=self.options.directory,
                fix="nothing durable is lost; start it again and it replays its log",
                code="HG1414",
            ) from error
        if status != 0:
            raise self.failure()
        return self._stopped

    async def kill(self) -> None:
        """End the process at once, as a crash would; what was durable stays."""
        await self._close_control()
        if self.alive:
            self._signal(signal.SIGKILL)
        await self.wait()

    def _signal(self, number: signal.Signals) -> None:
        # It may just have ended by itself.
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def _link(self) -> Control:
        if self._control is None or self._control.closed:
            self._control = await Control.open(self.options.directory / "control.sock")
        return self._control

    async def _close_control(self) -> None:
        control, self._control = self._control, None
        if control is not None:
            await control.close()

    def _on_output(self, line: str) -> None:
        event = _event(line)
        if event.get("event") == "ready" and not self._ready.done():
            missing = Ready.__dataclass_fields__.keys() - event.keys()
            if missing:
                what = f"the ready line lacks {', '.join(sorted(missing))}"
                fix = "use a hunt-graph of the same version as huntgraph"
                error = ActorError(what, where=self.options.directory, fix=fix, code="HG1416")
                self._ready.set_exception(error)
                return
            names = Ready.__dataclass_fields__
            self._ready.set_result(Ready(**{name: event[name] for name in names}))
        elif event.get("event") == "stopped":
            state_hash = int(str(event.get("state_hash", "0")), 16)
            self._stopped = Stopped(int(event["position"]), int(event["durable"]), state_hash)

    def _on_message(self, line: str) -> None:
        event = _event(line)
        if event.get("event") == "failed":
            self._failed = event


def _event(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
