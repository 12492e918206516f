"""A disk that fills up under load, and gets space again: run by test_disk in a private mount.

Run as ``python -m tests.fault.full_disk FOLDER SEED`` where mounting is allowed; prints one JSON
object with what happened and ends with 0, or with an exception.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path

from huntgraph.schema import Code
from tests.fault.follower import prove
from tests.fault.ledger import check
from tests.fault.load import Load
from tests.fault.scenery import goals, publish
from tests.servers import dial, ground, hang_up, serving, until

SMALL = "24m"
"""Room for one segment of 16 MiB and not for the next."""
LARGE = "96m"


def mount(folder: Path, size: str, *, again: bool = False) -> None:
    """A file system in memory of this size."""
    options = f"{'remount,' if again else ''}size={size}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)


async def fill(folder: Path, seed: int) -> dict[str, int]:
    """Load until moves are refused for lack of space, then give space, then prove all of it."""
    world = ground().world
    load = Load(world, random.Random(seed), goals(world))
    mount(folder, SMALL)
    async with serving(folder / "run") as actor:
        await publish(actor, world)
        client = await dial(actor, ground().client)
        walking = asyncio.create_task(load.run(client))
        await until(lambda: walking.done() or load.codes.get(Code.LOG_FULL, 0) > 300, 60)
        counters, refused = actor.counters(), load.codes.get(Code.LOG_FULL, 0)
        assert not walking.done() and refused
        assert counters.value("log_failed") == 0
        answered = load.answered
        mount(folder, LARGE, again=True)
        await until(lambda: walking.done() or load.answered > answered + 1000, 20)
        assert not walking.done()
        # All that was applied before becomes durable as ever.
        applied = counters.value("position")
        await until(lambda: load.durable >= applied, 20)
        walking.cancel()
        hang_up(client)
        stopped = await actor.stop()
    assert stopped is not None
    follower = prove(ground(), folder / "run", stopped.state_hash)
    findings = check(load.ledger, follower.all_records())
    assert not findings, findings[0]
    return {"refused": refused, "answered": load.answered, "position": stopped.position}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(fill(Path(sys.argv[1]), int(sys.argv[2])))))
