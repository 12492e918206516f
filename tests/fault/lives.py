"""A recorded life of a real actor, whole, and with its beginning dropped.

Moves that fill several segments, and three snapshots. Logged time is what counts, so the kept time
is chosen from the ticks of the snapshots, and nothing waits for hours.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huntgraph.cluster.actor import Actor
from huntgraph.cluster.control import refuse
from huntgraph.cluster.supervisor import Supervisor
from huntgraph.schema import MOVE, Kind
from huntgraph.timeline.export import map_blocks
from huntgraph.timeline.timeline import Timeline, open_timeline
from tests.servers import ground, until

WALKERS = 500
SEGMENT_RECORDS = (16 << 20) // 64
SHARES = 16
"""The log is kept a sixteenth longer than asked for."""


class Walk:
    """Players who go to a neighbour and back, over and over."""

    def __init__(self) -> None:
        world = ground().world
        self.at = np.arange(WALKERS, dtype=np.uint32)
        self.other = world.head[world.first[self.at]]
        self.seq = 0

    def enter(self) -> NDArray[np.void]:
        """All enter."""
        return self._records(Kind.ENTER, to=self.at)

    def steps(self, count: int) -> NDArray[np.void]:
        """So many moves at least, a step of everybody at a time."""
        parts = []
        for _ in range(-(-count // WALKERS)):
            parts.append(self._records(Kind.GO, to=self.other, **{"from": self.at}))
            self.at, self.other = self.other, self.at
        return np.concatenate(parts)

    def _records(self, kind: Kind, **fields: NDArray[np.uint32]) -> NDArray[np.void]:
        self.seq += 1
        records = np.zeros(WALKERS, MOVE)
        records["kind"], records["seq"], records["hunt"] = kind, self.seq, 65535
        records["player"] = np.arange(1, WALKERS + 1)
        for name, values in fields.items():
            records[name] = values
        return records


@dataclass(frozen=True)
class Life:
    """A recorded life: its folder, and position and tick of each snapshot."""

    folder: Path
    snapshots: list[tuple[int, int]]
    end: int
    state_hash: int

    @property
    def begin(self) -> int:
        """Where history is to begin once what lies before the kept time is dropped."""
        return self.snapshots[1][0]

    @property
    def keep_ticks(self) -> int:
        """The kept time: from the second snapshot to the third."""
        return self.snapshots[2][1] - self.snapshots[1][1]

    def oldest(self, position: int) -> int:
        """Give the segment that the log begins with once it is dropped up to a position."""
        firsts = {int(head["segment"]): int(head["first"]) for head, _ in self._blocks()}
        return max(segment for segment, first in firsts.items() if first <= position + 1)

    def _blocks(self) -> list[tuple[np.void, NDArray[np.void]]]:
        return list(map_blocks(self.folder))[::-1]

    def copy(self, place: Path) -> Path:
        """Give a folder of one's own to go on in."""
        return Path(shutil.copytree(self.folder, place / "kept"))


def opened(folder: Path) -> Timeline:
    return open_timeline(folder, ground().world_file)


def keeping(folder: Path, ticks: int | None, **changes: int) -> Supervisor:
    """A supervisor that makes snapshots when it is told to."""
    options = ground().options(folder, **({"tick_ms": 5} | changes))
    return Supervisor(options, snapshot_every_s=0, keep_log_ticks=ticks)


async def ticked(actor: Actor, tick: int) -> None:
    """Wait until a tick is on disk: then a snapshot has it."""
    counters = actor.counters()
    await until(lambda: counters.value("tick") > tick)
    position = counters.value("position")
    await until(lambda: counters.value("durable") >= position)


async def live() -> Life:
    """Some 1.2 million moves in six segments, whole."""
    folder = Path(tempfile.mkdtemp(prefix="hg-"))
    walk, made = Walk(), []
    async with keeping(folder, None) as supervisor:
        actor = supervisor.actor
        refuse(await actor.control(walk.enter()))
        for segments in (2.2, 1.2, 1.4):
            refuse(await actor.control(walk.steps(int(segments * SEGMENT_RECORDS))))
            await ticked(actor, int((await actor.status()).tick) + 40)
            at = (await supervisor.snapshot()).facts
            made.append((int(at["position"]), int(at["tick"])))
        stopped = await supervisor.stop()
    assert stopped is not None
    return Life(folder, made, stopped.durable, stopped.state_hash)


async def drop(life: Life, folder: Path, **changes: int) -> None:
    """Go on with a kept time until a snapshot lets the log's beginning go, and it is gone."""
    async with keeping(folder, life.keep_ticks, **changes) as supervisor:
        wanted = life.snapshots[2][1] + life.keep_ticks // SHARES
        await ticked(supervisor.actor, wanted)
        made = await supervisor.snapshot()
        assert made.drop_through == life.begin
        await until(lambda: segments(folder)[0] == life.oldest(life.begin))
        counters = supervisor.actor.counters()
        _, first = opened(folder).history.sources[0].begin()
        await until(lambda: counters.value("log_first") == first)
        await until(lambda: counters.value("log_disk_bytes") == len(segments(folder)) << 24)


def segments(folder: Path) -> list[int]:
    """Numbers of the log's segments."""
    return sorted(int(path.stem[8:]) for path in (folder / "log").glob("segment-*.log"))
