"""The plan of a commit on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huntgraph.errors import CommitError
from huntgraph.timeline.cells import Changes
from huntgraph.timeline.plan import ROOM, PartPlan, Plan, PlanFile, plan_file

ID = 7


def plan_of(cells: int) -> Plan:
    names = np.arange(cells, dtype=np.uint64) | np.uint64(1 << 56)
    changes = Changes.between(names, names * 0 + 1, names * 0 + 2, players=0, slots=cells)
    return Plan(ID, {3: PartPlan(11, 12, 13, 14, changes), 5: PartPlan(1, 2, 3, 4, changes)})


@pytest.mark.parametrize("cells", [0, 1, 500, ROOM])
def test_what_was_written_is_read_whatever_room_there_was(tmp_path: Path, cells: int) -> None:
    plan = plan_of(cells)
    with PlanFile.make(tmp_path, ID) as file:
        file.write(plan)
    found = Plan.read(tmp_path, ID)
    assert found.to_bytes() == plan.to_bytes()
    assert plan_file(tmp_path, ID).stat().st_size == max(ROOM, len(plan.to_bytes()))


def test_a_file_without_a_plan_is_gone_at_the_end(tmp_path: Path) -> None:
    with PlanFile.make(tmp_path, ID):
        assert plan_file(tmp_path, ID).exists()
    assert not plan_file(tmp_path, ID).exists()


@pytest.mark.parametrize("damage", ["cut off", "behind it", "empty"])
def test_a_damaged_plan_is_told(tmp_path: Path, damage: str) -> None:
    with PlanFile.make(tmp_path, ID) as file:
        file.write(plan_of(100))
    path, size = plan_file(tmp_path, ID), len(plan_of(100).to_bytes())
    content = path.read_bytes()
    damaged = {
        "cut off": content[: size - 1],
        "behind it": content[: size + 9] + b"\1" + content[size + 10 :],
        "empty": bytes(ROOM),
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(CommitError) as raised:
        Plan.read(tmp_path, ID)
    assert raised.value.code == "HG1613"
