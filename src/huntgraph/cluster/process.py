"""Starting the actor's program as a child that does not outlive its parent."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from huntgraph.errors import ActorError

__all__ = ["Lines", "failure", "spawn"]

PR_SET_PDEATHSIG: Final = 1
KEPT_LINES: Final = 50
"""Lines of a child's messages that are kept to explain its end."""


def _tied_to(parent: int, nice: int) -> Callable[[], None]:
    """Give what the child runs before its program: it is to end (drained) when we end."""
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # the parent ended between fork and prctl
        if nice:
            os.nice(nice)

    return prepare


async def spawn(
    program: Path, arguments: Sequence[str], *, nice: int = 0
) -> asyncio.subprocess.Process:
    """Start a program with pipes for its output, in a session of its own.

    The system ends it with SIGTERM when the *thread* that called this ends, so call this from a
    thread that lives as long as the child should (that of ``asyncio.run`` as a rule). Ctrl-C in a
    terminal does not reach the child: whoever started it decides.

    Raises ActorError HG1412 when it cannot be started.
    """
    try:
        return await asyncio.create_subprocess_exec(
            str(program),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_tied_to(os.getpid(), nice),
        )
    except OSError as error:
        raise ActorError(
            f"the program cannot be started: {error.strerror or error}",
            where=program,
            fix="install the huntgraph wheel for this machine, or set HUNTGRAPH_ACTOR",
            code="HG1412",
        ) from error


class Lines:
    """Reads a child's output line by line to its end, so that the child never waits for us."""

    def __init__(self, stream: asyncio.StreamReader, told: Callable[[str], None]) -> None:
        self.last: deque[str] = deque(maxlen=KEPT_LINES)
        self._stream = stream
        self._told = told
        self.done = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            try:
                line = await self._stream.readline()
            except ValueError:
                continue  # a line beyond the stream's limit; it is dropped
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip("\n")
            self.last.append(text)
            self._told(text)


def failure(
    event: dict[str, Any] | None, status: int, messages: Sequence[str], where: object
) -> ActorError:
    """Make the error for a child that ended: from its own words when it left any."""
    if event is not None:
        return ActorError(
            str(event.get("what", "the actor failed")),
            where=event.get("where") or where,
            fix=str(event.get("fix", "")),
            code=str(event.get("code") or ActorError.default_code),
        )
    how = f"was ended by {_signal_name(-status)}" if status < 0 else f"ended with status {status}"
    said = f"; its last words: {messages[-1]}" if messages else ""
    fix = "look at its messages above, and start it again"
    return ActorError(f"the program {how}{said}", where=where, fix=fix, code="HG1413")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
