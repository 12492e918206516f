"""A coordinator of a commit as a process of its own, which dies where it is told to.

python -m tests.fault.coordinator ORDER, a JSON object: data, sockets {partition: path}, changes
{partition: [[name, old, new], ...]}, die (a step, or nothing), hasty (a planted fault).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from huntgraph.cluster.control import Status
from huntgraph.timeline import commit as module
from huntgraph.timeline.audit import Entry
from huntgraph.timeline.cells import Changes
from huntgraph.timeline.commit import CatchUp, Head, Order
from huntgraph.timeline.plan import Plan

Cells = dict[int, list[tuple[int, int, int]]]
STEPS = (
    "held", "quiet", "planned", "correcting 0", "correcting 1", "durable", "decided",
    "settling 0", "settling 1", "released",
)  # fmt: skip
"""Where a coordinator of two partitions can die: at `correcting 1` partition 0 has been sent its
correction and 1 has not; `durable` is the last before the decision."""


class Hasty(module._Commit):
    """A planted fault: everything goes on before it is decided."""

    async def _correct(self, plan: Plan) -> Entry:
        entry = await super()._correct(plan)
        await self._settle(plan)
        return entry


def catch_up(cells: Cells) -> CatchUp:
    """The same changes wherever the partitions stand: of cells that no move touches."""

    async def heads(statuses: Mapping[int, Status]) -> dict[int, Head]:
        given = {}
        for number, status in statuses.items():
            columns = np.array(cells.get(number, []), np.uint64).reshape(-1, 3).T
            changes = Changes.between(*columns, players=2**20, slots=2**30)
            given[number] = Head(status.position, status.state_hash, changes)
        return given

    return heads


def main(order: dict[str, Any]) -> None:
    """Commit, and die at the step named."""

    def step(name: str) -> None:
        if name == order["die"]:
            os.kill(os.getpid(), signal.SIGKILL)

    if order["hasty"]:
        module._Commit = Hasty  # type: ignore[misc]
    sockets = {int(number): Path(path) for number, path in order["sockets"].items()}
    cells = {int(number): rows for number, rows in order["changes"].items()}
    given = Order("test", "a death")
    asyncio.run(module.commit(Path(order["data"]), sockets, catch_up(cells), given, step=step))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
