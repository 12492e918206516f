"""A loop that spins has a core to itself, where devices interrupt least."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from huntgraph import cores
from huntgraph.cluster import Actor, ActorOptions
from huntgraph.cores import interruptions, kept_free, loop_cores

TABLE = """\
           CPU0       CPU1       CPU3
 24:          1          0          7   IO-APIC   5-edge      ACPI:Ged
 36:         20    2983674          5   PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0
LOC:    2219608    2419638          9   Local timer interrupts
ERR:          0
"""


def test_interruptions_are_those_of_devices() -> None:
    assert interruptions(TABLE) == {0: 21, 1: 2_983_674, 3: 12}
    assert interruptions("") == {}


def test_loops_get_the_cores_with_the_fewest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cores, "TABLE", tmp_path / "interrupts")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 3, 4})
    assert loop_cores(2) == [0, 1], "no table: in the order of their numbers"
    (tmp_path / "interrupts").write_text(TABLE)
    assert [loop_cores(count) for count in range(5)] == [[], [4], [4, 3], [4, 3, 0], []]


def are_apart(pid: int, core: int) -> bool:
    """Whether a core is the first thread's of a process, and no other's."""
    threads = {int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()}
    others = set().union(*(os.sched_getaffinity(each) for each in threads - {pid}))
    return os.sched_getaffinity(pid) == {core} and len(threads) > 1 and core not in others


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core for all")
def test_the_loop_of_an_actor_is_alone_on_its_core(options: ActorOptions) -> None:
    async def start(kept: list[int]) -> bool:
        with kept_free(kept):
            async with await Actor.start(replace(options, idle="spin", core=core)) as actor:
                return are_apart(actor.pid, core)

    (core,) = loop_cores(1)
    before = os.sched_getaffinity(0)
    assert asyncio.run(start([core]))
    assert os.sched_getaffinity(0) == before
    assert not asyncio.run(start([])), "planted: the log's thread may come to that core"
