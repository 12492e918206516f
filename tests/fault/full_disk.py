"""A disk that fills up under load, and gets space again: run by test_disk in a private mount.

Run as ``python -m tests.fault.full_disk FOLDER SEED`` where mounting is allowed; prints one JSON
object with what happened and ends with 0, or with an exception.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from pathlib import Path

from huntgraph.schema import Code
from tests.fault.follower import prove
from tests.fault.ledger import check
from tests.fault.load import Load, halt
from tests.fault.scenery import goals, publish
from tests.servers import dial, ground, hang_up, serving, until

ROOMY = "64m"
"""Room for two segments of 16 MiB and the small files, and not for a third segment."""
TIGHT_KIB = 256
"""What is left when the disk is made to fit what stands on it."""


def mount(folder: Path, size: str, *, again: bool = False) -> None:
    """A file system in memory of this size."""
    options = f"{'remount,' if again else ''}size={size}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


def tighten(folder: Path) -> None:
    """Take all free space away."""
    held = os.statvfs(folder)
    used_kib = (held.f_blocks - held.f_bfree) * held.f_frsize // 1024
    mount(folder, f"{used_kib + TIGHT_KIB}k", again=True)


async def fill(folder: Path, seed: int) -> dict[str, int]:
    """Load until moves are refused for lack of space, then give space, then prove all of it."""
    world = ground().world
    load = Load(world, random.Random(seed), goals(world), frame_moves=4)
    mount(folder, ROOMY)
    async with serving(folder / "run") as actor:
        await publish(actor, world)
        await until((folder / "run/log/segment-0000000002.log").exists)
        tighten(folder)
        client = await dial(actor, ground().client)
        walking = asyncio.create_task(load.run(client))
        await until(lambda: walking.done() or load.codes.get(Code.LOG_FULL, 0) > 300, 60)
        assert not walking.done(), walking.exception()
        assert actor.counters().value("log_failed") == 0
        told, answered = dict(load.codes), load.answered
        mount(folder, ROOMY, again=True)
        await until(lambda: walking.done() or load.answered > answered + 1000, 20)
        assert not walking.done(), walking.exception()
        applied = actor.counters().value("position")
        await until(lambda: load.durable >= applied, 20)
        await halt(walking)
        hang_up(client)
        stopped = await actor.stop()
    assert stopped is not None
    follower = prove(ground(), folder / "run", stopped.state_hash)
    findings = check(load.ledger, follower.all_records())
    assert not findings, findings[0]
    refused = told[Code.LOG_FULL]
    return {"refused": refused, "answered": load.answered, "position": stopped.position}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(fill(Path(sys.argv[1]), int(sys.argv[2])))))
