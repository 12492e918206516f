"""What a death in the middle of a commit left: finished or undone, by the audit trail alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from huntgraph.bus import Counters
from huntgraph.cluster.control import Control, refuse
from huntgraph.errors import HuntError
from huntgraph.timeline.audit import Audit
from huntgraph.timeline.cells import bare_hash
from huntgraph.timeline.fence import (
    correction_under_way,
    settle,
    settled_somehow,
    sole_writer,
    undo_rows,
)
from huntgraph.timeline.plan import Plan, plan_file

__all__ = ["Recovered", "recover", "recovering"]

LOOK_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done in one partition. ``error`` tells why nothing could be."""

    partition: int
    correction: int
    outcome: Literal["finished", "undone", "failed"]
    error: str = ""


async def recover(data: str | Path, sockets: Mapping[int, Path]) -> list[Recovered]:
    """Settle every correction that is still under way; gives what was done, nothing when nothing.

    A correction with a line in the audit trail is finished, any other is undone. Partitions out of
    reach are left for the next call. Raises CommitError HG1615 while a commit is at work, and
    AuditError when the trail is damaged.
    """
    folder = Path(data)
    done = []
    with sole_writer(folder):
        audit = Audit(folder)
        # What is done for a line must not be lost with it.
        audit.sync()
        decided = {entry.id for entry in audit.entries() if entry.kind != "acknowledge"}
        for number, path in sorted(sockets.items()):
            try:
                async with await Control.open(path) as control:
                    correction = await correction_under_way(control)
                    if correction:
                        done.append(await _end(folder, decided, control, number, correction))
            except HuntError as error:
                done.append(Recovered(number, 0, "failed", str(error)))
    return done


async def _end(
    folder: Path, decided: set[str], control: Control, number: int, correction: int
) -> Recovered:
    """End one partition's correction."""
    if f"{correction:016x}" in decided:
        part = Plan.read(folder, correction).parts[number]
        await settled_somehow(control, correction, part)
        return Recovered(number, correction, "finished")
    if plan_file(folder, correction).exists():
        part = Plan.read(folder, correction).parts[number]
        await undo_rows(control, correction, part)
    else:
        # Cells are set only once their plan is on disk: this partition was fenced and no more.
        status = await control.status()
        expected = bare_hash(status.state_hash, status.position, correction)
        refuse(await control.send(settle(correction, expected)))
    return Recovered(number, correction, "undone")


@asynccontextmanager
async def recovering(
    data: str | Path, directories: Mapping[int, Path], tell: Callable[[str], None]
) -> AsyncIterator[None]:
    """Recover at once, and as long as the block lasts whenever a coordinator has died.

    ``directories`` are those of the actors by partition; ``tell`` gets a line for what was done.
    """
    task = asyncio.create_task(_keep_recovered(Path(data), directories, tell))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _keep_recovered(
    data: Path, directories: Mapping[int, Path], tell: Callable[[str], None]
) -> None:
    sockets = {number: path / "control.sock" for number, path in directories.items()}
    told = ""
    while True:
        if any(_is_corrected(path) for path in directories.values()):
            try:
                for each in await recover(data, sockets):
                    tell(f"correction of partition {each.partition}: {each.outcome} {each.error}")
            except HuntError as error:
                # A commit at work ends its own corrections.
                if error.code != "HG1615" and str(error) != told:
                    tell(told := str(error))
        await asyncio.sleep(LOOK_EVERY_S)


def _is_corrected(directory: Path) -> bool:
    """Whether a correction is under way, by the counters; not while there are none."""
    try:
        return Counters(directory / "counters").value("correction") != 0
    except (HuntError, OSError, KeyError):
        return False
