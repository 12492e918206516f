"""``huntgraph follow``: keep a folder's history warm, and run verbs on it."""

from __future__ import annotations

import io
import json as codec
import signal
import socket
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

from cyclopts import Parameter

from huntgraph.cli.exits import Exit
from huntgraph.cli.orders import layout_in_use
from huntgraph.cli.output import Count, Json, print_json, progress, say
from huntgraph.cli.resident import SOCKET, receive
from huntgraph.cli.timeline import LogDir, WorldFile, lending
from huntgraph.errors import ActorError
from huntgraph.priority import behind_all_others
from huntgraph.timeline.points import cut_text
from huntgraph.timeline.timeline import Timeline, open_timeline

__all__ = ["follow"]

LOOK_S = 0.1
"""How often the logs are read on."""
ANSWER_S = 5.0
"""How long whoever asks may take to say what."""


def follow(
    *,
    keep: Count = 200_000,
    eager: Annotated[bool, Parameter(negative="")] = False,
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Keep a folder's history warm.

    Args:
        keep: how many of a partition's last records a fork can go back: 200 to 350 bytes each,
            beside two images of each partition.
        eager: be as urgent as everything else: without it this takes only core time that nobody
            else wants, so that live moves do not notice.
        json: print the positions that it starts from as JSON.
    """
    layout = layout_in_use(folder)
    with _listening(layout.folder / SOCKET) as listener:
        with progress("Reading the logs"):
            timeline = open_timeline(layout.folder, world, warm=keep)
        if not eager:
            behind_all_others()
        stands = timeline.follow()
        if json:
            print_json("follow", {"keep": keep, "head": {str(n): at for n, at in stands.items()}})
        else:
            say(f"warm at {cut_text(stands)}; Ctrl-C ends it")
        return _serve(listener, timeline)


def _serve(listener: socket.socket, timeline: Timeline) -> int:
    """Follow the logs, and run verbs one after the other, until a signal comes."""
    ended: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        ended.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    listener.settimeout(LOOK_S)
    while not ended:
        with suppress(TimeoutError):
            stream, _ = listener.accept()
            with stream:
                _answer(stream, timeline)
        timeline.follow()
    return Exit.INTERRUPTED if signal.SIGINT in ended else Exit.OK


def _answer(stream: socket.socket, timeline: Timeline) -> None:
    """Run the verb that somebody asks for; nobody may have asked, or have gone meanwhile."""
    stream.settimeout(ANSWER_S)
    with suppress(OSError):
        asked = receive(stream)
        if asked:
            stream.settimeout(None)
            timeline.follow()
            stream.sendall(_run(timeline, codec.loads(asked)))


def _run(timeline: Timeline, asked: dict[str, Any]) -> bytes:
    """Run a verb here, as if it were run where it was asked for."""
    from huntgraph.cli.run import run

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), chdir(asked["folder"]), lending(timeline):
        status = run(asked["words"], here=True)
    answer = {"out": out.getvalue(), "err": err.getvalue(), "status": int(status)}
    return codec.dumps(answer).encode()


@contextmanager
def _listening(place: Path) -> Iterator[socket.socket]:
    """Listen there. Raises ActorError HG1771 when somebody does already."""
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.connect(str(place))
        what, fix = "another huntgraph follow runs in this folder", "use that one, or stop it"
        raise ActorError(what, where=place, fix=fix, code="HG1771")
    place.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        place.chmod(0o600)
        listener.listen()
        try:
            yield listener
        finally:
            place.unlink(missing_ok=True)
