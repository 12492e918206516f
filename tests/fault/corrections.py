"""A coast whose edges, players and stages are changed by commits that die; and who judges it."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from huntgraph.cluster.control import Status, refuse
from huntgraph.model import Model
from huntgraph.model.hashing import small_cells
from huntgraph.schema import Kind
from huntgraph.timeline.audit import Audit, Entry
from huntgraph.timeline.cells import Names
from huntgraph.timeline.commit import Order, Report, commit
from huntgraph.timeline.recover import Recovered, recover
from huntgraph.timeline.undo import Live
from tests.coast import Coast
from tests.fault.coordinator import Cells, catch_up
from tests.fault.follower import Follower
from tests.model.corrections import cells_of
from tests.servers import move, until

EDGES = 200
"""Edges that a commit changes in each partition."""
PLAYERS = 20
"""Players who stand still there, whose scores it changes."""
FIRST_PLAYER = 100_000
EDGE, PLAYER, STAGE = (tag << 56 for tag in (1, 2, 4))


class TornError(AssertionError):
    """Partitions differ in whether a commit was made, or one is still fenced."""


class Scene:
    """The oracle beside each actor, and the cells whose words go back and forth."""

    def __init__(self, coast: Coast, data: Path, rng: random.Random) -> None:
        self.coast, self.data, self.rng = coast, data, rng
        self.followers = [coast.follow(part) for part in coast.parts]
        self.words = {part.partition: self._costs(part.cost) for part in coast.parts}
        """By partition, the word of each cell that commits change, by name."""
        self.planned: Cells = {}
        self.entries = 0
        self.fences_ms: list[float] = []

    def _costs(self, cost: np.ndarray) -> dict[int, int]:
        real = np.flatnonzero(cost).tolist()
        return {EDGE | edge: int(cost[edge]) for edge in self.rng.sample(real, EDGES)}

    async def settle_in(self) -> None:
        """Players come who stand still: their scores are changed, and what stages are worth."""
        for number, follower in enumerate(self.followers):
            ids = [FIRST_PLAYER + PLAYERS * number + each for each in range(PLAYERS)]
            moves = np.concatenate([move(Kind.ENTER, player, 1, to=0) for player in ids])
            entered = refuse(await self.coast.actors[number].control(moves))
            await self.follow(follower, int(entered.updates["position"][-1]))
            model = follower.model
            names = [PLAYER | model.slot_of[player] * 8 + 3 for player in ids]
            names += [STAGE | stage * 16 + 2 for stage in range(len(model.hunts[0].stages))]
            self.words[number] |= words_of(model, names)

    @property
    def sockets(self) -> dict[int, Path]:
        return {each.partition: each.directory / "control.sock" for each in self.coast.options}

    def plan(self) -> Cells:
        """Other words for all the cells; no cost above the greatest that is there."""
        self.planned = {}
        for part in self.coast.parts:
            most, rows = int(part.cost.max()), []
            for name, word in self.words[part.partition].items():
                fit = {EDGE: (1, 2, most), PLAYER: range(5), STAGE: (1 << 32, 2 << 32, 3 << 32)}
                other = self.rng.choice([new for new in fit[name >> 56 << 56] if new != word])
                rows.append((name, word, other))
            self.planned[part.partition] = rows
        return self.planned

    async def die_at(self, step: str, *, hasty: bool = False) -> None:
        """Run a commit as a process that dies at a step."""
        order = {
            "data": str(self.data), "sockets": {n: str(p) for n, p in self.sockets.items()},
            "changes": self.plan(), "die": step, "hasty": hasty,
        }  # fmt: skip
        program = sys.executable, "-m", "tests.fault.coordinator", json.dumps(order)
        process = await asyncio.create_subprocess_exec(*program)
        assert await process.wait() == -9, f"the coordinator did not come to {step}"

    async def commit(self) -> Entry:
        """Run a commit in this process."""
        report = Report()
        cells = catch_up(self.plan())
        order = Order("test", "other costs")
        entry = await commit(self.data, self.sockets, cells, order, report=report)
        self.fences_ms.append(report.fence_ms)
        return entry

    async def recover(self) -> list[Recovered]:
        return await recover(self.data, self.sockets)

    async def judge(self) -> bool:
        """Raises TornError unless all partitions are as before the last plan, or all as planned
        and the trail says so; tells which. From then on that is how they are.
        """
        entries = Audit(self.data).entries()
        decided = len(entries) > self.entries
        for number, follower in enumerate(self.followers):
            status = await self.coast.actors[number].status()
            if status.fenced or status.held:
                raise TornError(f"partition {number} was left fenced")
            await self.follow(follower, status.position)
            expected = {name: new if decided else old for name, old, new in self.planned[number]}
            found = words_of(follower.model, expected)
            wrong = [name for name, word in expected.items() if found[name] != word]
            if wrong:
                told = "was decided" if decided else "was not decided"
                raise TornError(f"{told}, yet partition {number} has {len(wrong)} cells otherwise")
            self.words[number] |= expected
        self.entries = len(entries)
        return decided

    async def follow(self, follower: Follower, position: int) -> None:
        """Have the oracle read the log up to a position."""
        await until(partial(_has_read, follower, position))

    async def read(self, number: int, status: Status, names: Names) -> Live:
        """Read cells from the oracle, which stands where the actor does."""
        follower = self.followers[number]
        await self.follow(follower, status.position)
        assert follower.model.position == status.position
        cells = cells_of(follower.model)
        words = np.array([cells.get(name, 0) for name in names.tolist()], np.uint64)
        exists = np.array([name in cells for name in names.tolist()])
        return Live(follower.model.state_hash(), words, exists)


def words_of(model: Model, names: Iterable[int]) -> dict[int, int]:
    """The words of some cells; edges here have no heat and are open."""
    small = {tag << 56 | index: word for tag, index, word in small_cells(model)}
    edges = {name: model.weight(name & ~EDGE) for name in names if name >> 56 == 1}
    return {name: edges[name] if name in edges else small[name] for name in names}


def _has_read(follower: Follower, position: int) -> bool:
    follower.catch_up()
    return follower.model.position >= position
