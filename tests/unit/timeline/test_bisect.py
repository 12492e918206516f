"""The first difference of two histories, and of two builds, is found where it was planted."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from huntgraph.errors import ReplayError, UsageError
from huntgraph.schema import MOVE, Kind
from huntgraph.timeline.bisect import Build, Recorded, bisect
from huntgraph.timeline.history import History, Source
from huntgraph.timeline.log import Log
from tests.model.histories import MemoryLog
from tests.servers import ground, move, serving, within
from tests.unit.timeline.recorder import CHEATER, HONEST, isle, position_of, with_a_cheater


def altered(position: int, **fields: int) -> History:
    """The cheater's history with one record that is another one."""
    rows = with_a_cheater().log.copy()
    for name, value in fields.items():
        rows[position - 1].view(MOVE)[0][name] = value
    return History({0: Source(0, isle(), MemoryLog(rows))}, Path("nowhere"))


def test_equal_histories_have_no_difference() -> None:
    side = Recorded(with_a_cheater().history(), 0)
    assert bisect(side, side) is None


@pytest.mark.parametrize("which", [0, -1])
def test_the_record_that_differs_is_found(which: int, tmp_path: Path) -> None:
    position = position_of(with_a_cheater(), Kind.ENTER, CHEATER, which)
    one, other = Recorded(with_a_cheater().history(), 0), Recorded(altered(position, to=5), 0)
    found = bisect(one, other, tmp_path / "kept")
    assert found is not None
    assert found.position == position
    assert found.kinds == ("ENTER", "ENTER")
    assert found.records[0] != found.records[1]
    assert found.first_cell().startswith("player slot 2")
    for name, side in (("one", one), ("other", other)):
        with np.load(tmp_path / "kept" / f"{name}.npz") as kept:
            assert (kept["words"] == side.cells(position)[1]).all()


def test_a_record_that_does_nothing_is_not_the_difference() -> None:
    """Of a refused claim the stage it names is nobody's business: the states stay equal."""
    position = position_of(with_a_cheater(), Kind.CLAIM, HONEST)
    sides = Recorded(with_a_cheater().history(), 0), Recorded(altered(position, echo=77), 0)
    assert bisect(*sides) is None


def test_other_worlds_differ_from_the_start() -> None:
    part = with_a_cheater().history()
    with pytest.raises(ReplayError) as caught:
        bisect(Recorded(part, 0), _Another(part, 0))
    assert caught.value.code == "HG1524"


class _Another(Recorded):
    """One whose every hash is another one."""

    def hashes(self, positions):  # type: ignore[no-untyped-def]
        return [each ^ 1 for each in super().hashes(positions)]


PLANTED = """
import runpy, sys
from huntgraph.engine import Engine
honest = Engine.apply
def apply(self, records):
    rows = records.copy()
    rows[rows[:, 0] == 3, 0] = 5  # a LEAVE is taken for a HINT
    return honest(self, rows)
Engine.apply = apply
sys.argv = sys.argv[2:]
runpy.run_module(sys.argv[0], run_name="__main__")
"""


def test_two_builds_are_told_apart_by_what_they_do(short_path: Path) -> None:
    left: list[int] = []

    async def play() -> None:
        async with serving(short_path / "run") as actor:
            await actor.control(move(Kind.ENTER, 7, 1, to=3))
            answers = await actor.control(move(Kind.LEAVE, 7, 2))
            left.append(int(answers.updates["position"][0]))
            await actor.control(move(Kind.ENTER, 7, 3, to=4))

    within(play)
    world = ground().world
    log = Log(short_path / "run", world_id=world.world_id)
    history = History({0: Source(0, world, log, short_path / "run")}, short_path)
    given = (history, 0, ground().world_file)
    assert bisect(Recorded(history, 0), Build([sys.executable], *given)) is None
    script = short_path / "planted.py"
    script.write_text(PLANTED)
    found = bisect(Recorded(history, 0), Build([sys.executable, str(script)], *given))
    assert found is not None
    assert found.position == left[0]
    assert found.records[0] == found.records[1], "one record, two outcomes"
    assert found.first_cell().startswith("player slot 0")
    with pytest.raises(UsageError, match="cannot replay"):
        bisect(Recorded(history, 0), Build(["false"], *given))
