"""Verbs that replay forks, run by the process of ``huntgraph follow`` where there is one.

That process has the history of a folder warm. A verb sends it its words and prints what comes back:
the same code answers, with the same answers, only sooner. This side imports nothing heavy, so that
a verb takes little longer than Python's own start.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from huntgraph.errors import ForkError
from huntgraph.home import home

__all__ = ["SOCKET", "ask", "receive"]

SOCKET: Final = "follow.sock"
"""In the folder of ``huntgraph serve``; only its owner can open it."""
WARM_VERBS: Final = (
    ("fork", "replay"),
    ("fork", "diff"),
    ("fork", "preview"),
    ("fork", "commit"),
    ("rollback",),
)
COLD: Final = ("--world", "--help", "-h")
"""Options of verbs that are not the follower's business."""


def ask(words: Sequence[str]) -> int | None:
    """Let the follower of the folder that a verb names run it; gives its exit status.

    None: the verb is none of its, or nobody follows there. Raises ForkError HG1770 when the
    follower ends before it has answered.
    """
    if not any(tuple(words[: len(verb)]) == verb for verb in WARM_VERBS):
        return None
    if any(word.partition("=")[0] in COLD for word in words):
        return None
    place = _folder(words) / SOCKET
    with socket.socket(socket.AF_UNIX) as stream:
        try:
            stream.connect(str(place))
        except OSError:
            return None
        request = {"words": list(words), "folder": str(Path.cwd())}
        try:
            stream.sendall(json.dumps(request).encode())
            stream.shutdown(socket.SHUT_WR)
            answer = json.loads(receive(stream))
        except (OSError, ValueError) as error:
            what = "huntgraph follow ended before it had answered"
            fix = "a commit may have been made or not: look at huntgraph audit, then try again"
            raise ForkError(what, where=place, fix=fix, code="HG1770") from error
    sys.stdout.write(answer["out"])
    sys.stderr.write(answer["err"])
    return int(answer["status"])


def receive(stream: socket.socket) -> bytes:
    """Give all that comes until the other end has no more to say."""
    parts = []
    while part := stream.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


def _folder(words: Sequence[str]) -> Path:
    for at, word in enumerate(words):
        name, given, value = word.partition("=")
        if name == "--dir":
            return Path(value if given else "".join(words[at + 1 : at + 2])).absolute()
    return home("state") / "serve"
