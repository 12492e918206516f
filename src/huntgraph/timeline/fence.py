"""The records of a correction, and how one partition's correction ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huntgraph.cluster.control import Answers, Control, refuse
from huntgraph.errors import CommitError
from huntgraph.schema import CORRECTION, Code, Kind
from huntgraph.timeline.plan import PartPlan

__all__ = [
    "correction_under_way",
    "fence",
    "settle",
    "settled_somehow",
    "sole_writer",
    "undo_rows",
]


def fence(correction: int, state_hash: int) -> NDArray[np.void]:
    """One FENCE, dtype CORRECTION, at this state hash (0: at any)."""
    return _record(Kind.FENCE, correction, state_hash)


def settle(correction: int, expected: int) -> NDArray[np.void]:
    """One SETTLE, dtype CORRECTION, at this bare hash."""
    return _record(Kind.SETTLE, correction, expected)


def _record(kind: Kind, correction: int, word: int) -> NDArray[np.void]:
    record = np.zeros(1, CORRECTION)
    record["kind"], record["id"], record["word_1"] = kind, correction, word
    return record


def has_refused(answers: Answers) -> bool:
    """Whether an actor refused anything."""
    return bool(answers.updates["code"].any())


async def correction_under_way(control: Control) -> int:
    """Ask an actor for the id of its correction, 0 for none: a row of no correction tells it."""
    answers = await control.send(_record(Kind.CORRECT, 0, 0))
    return int(answers.updates["echo"][0])


async def undo_rows(control: Control, correction: int, part: PartPlan) -> None:
    """Bring a fenced partition back to what it was, however far its rows came, and let it go.

    Rows that take away what was never made are refused; the hash at the end tells whether all is
    as before. Raises RefusedError: HG2034 when it is not, and NOT_FENCED where no correction was
    begun.
    """
    await control.send(part.changes.inverse().rows(correction))
    refuse(await control.send(settle(correction, part.before)))


async def settled_somehow(control: Control, correction: int, part: PartPlan) -> None:
    """Let a corrected partition go; its rows are sent again if it has not the planned hash."""
    answers = await control.send(settle(correction, part.after))
    if int(answers.updates["code"][0]) == Code.NOT_FENCED:
        return  # settled before
    if has_refused(answers):
        refuse(await control.send(part.changes.rows(correction)))
        refuse(await control.send(settle(correction, part.after)))


@contextmanager
def sole_writer(data: Path) -> Iterator[None]:
    """Keep other commits and recoveries out; a death ends it. Raises CommitError HG1615."""
    data.mkdir(parents=True, exist_ok=True)
    handle = os.open(data / ".corrections.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            what, fix = "another commit or recovery is at work", "wait for it, then try again"
            raise CommitError(what, where=data, fix=fix, code="HG1615") from error
        yield
    finally:
        os.close(handle)
