"""A hunt over several partitions: each stage is decided in one, and the others are told."""

from __future__ import annotations

import numpy as np
import pytest

from huntgraph.model import Answer
from huntgraph.schema import NONE, NOTICE, Code, Kind, Rule
from tests.model.checker import engine_class
from tests.model.scene import clue, gate, gate_edge, kinds, treasure
from tests.model.test_borders import Shore
from tests.model.worlds import record_of

pytestmark = pytest.mark.skipif(engine_class() is None, reason="the extension is not built")

EVERYWHERE = 0b1100100
"""Partitions 2 (the tests' own), 5 and 6."""


def told(shore: Shore, partition: int) -> list[np.void]:
    """The notices that wait for a partition."""
    parcels = shore.model.border.parcels(partition)
    rows = [np.frombuffer(raw, NOTICE)[0] for raw in parcels]
    return [row for row in rows if row["kind"] == Kind.NOTICE]


def notice(shore: Shore, number: int, **fields: int) -> Answer:
    """Partition 5 tells of stage 0, which is there."""
    given = {"number": number, "hunt_id": 77, "wins": 1, "team_bits": 1, "winner": 9, "cause": 50}
    return shore.apply(record_of(Kind.NOTICE, **{"tail": 5, **given, **fields}))


def test_a_first_win_is_told_to_all_who_hold_the_hunt() -> None:
    shore = Shore(capacity=4)
    shore.open(treasure(0, 0, Rule.PLAYER), mask=EVERYWHERE, teams=2)
    shore.enter(1, 0, hunt=0)
    answer = shore.claim(1)
    assert kinds(answer) == ["CLAIMED"]
    for partition in (5, 6):
        (row,) = told(shore, partition)
        assert (row["from"], row["number"], row["cause"]) == (2, 1, answer.position)
        assert (row["hunt"], row["hunt_id"], row["stage"], row["winner"]) == (0, 77, 0, 1)
        assert (row["wins"], row["team_bits"]) == (1, 1)
    assert told(shore, 2) == []
    shore.enter(2, 0, hunt=0)
    assert shore.claim(2).code == Code.OK
    assert len(told(shore, 5)) == 1, "a second win of the same team is no news"
    shore.enter(3, 0, hunt=0, team=1)
    assert shore.claim(3).code == Code.OK
    assert [int(row["team_bits"]) for row in told(shore, 5)] == [1, 3]


def test_the_last_of_a_stock_is_told() -> None:
    shore = Shore(capacity=8)
    shore.open(clue(0, 0, stock=3), mask=EVERYWHERE)
    for player in (1, 2, 3):
        shore.enter(player, 0, hunt=0)
    assert [int(row["wins"]) for row in told(shore, 6)] == [1, 3]


def test_nothing_is_won_without_room_to_tell() -> None:
    shore = Shore(capacity=2)
    shore.open(treasure(0, 0), clue(1, 1), mask=EVERYWHERE)
    shore.enter(1, 0, hunt=0)
    shore.enter(2, 0)
    shore.walk(2, 1, 2)
    refused = shore.claim(1)
    assert (refused.code, kinds(refused)) == (Code.BORDER_FULL, ["REFUSED"])
    assert kinds(shore.go(1, 1)) == ["WENT"], "the clue is not found either"
    assert shore.handed_on(5, 1).code == Code.OK
    assert kinds(shore.walk(1, 0, 1)[1]) == ["WENT", "FOUND"]


def test_what_is_told_ends_an_exclusive_stage() -> None:
    shore = Shore()
    shore.open(
        treasure(0, 40, owner=6), treasure(1, 0), gate(0, True, 0), gate_edge(0, 0, 1),
        mask=EVERYWHERE,
    )  # fmt: skip
    shore.enter(1, 1, hunt=0)
    assert shore.player(1).target == 0
    answer = notice(shore, 1)
    assert (answer.code, answer.echo, kinds(answer)) == (0, 2, ["NOTED", "GATE", "DELTA"])
    stage = shore.hunt().stages[0]
    assert (stage.wins, stage.team_bits, stage.winner, stage.position) == (1, 1, 9, 50)
    assert not shore.closed(0, 1)
    shore.go(1, 0)
    assert shore.player(1).target == 1
    assert kinds(notice(shore, 2, wins=2)) == ["NOTED"]
    assert notice(shore, 2).code == Code.DUPLICATE
    assert notice(shore, 4).code == Code.SEQ_GAP


@pytest.mark.parametrize(
    "other", [{"hunt": 1}, {"hunt": 8}, {"hunt_id": 78}, {"stage": 1}, {"stage": 2}, {"tail": 6}]
)
def test_what_does_not_concern_a_stage_is_taken_and_forgotten(other: dict[str, int]) -> None:
    shore = Shore()
    shore.open(treasure(0, 40, owner=6), treasure(1, 0), mask=EVERYWHERE)
    answer = notice(shore, 1, **other)
    assert (answer.code, answer.position > 0, kinds(answer)) == (0, True, [])
    assert [stage.wins for stage in shore.hunt().stages] == [0, 0]


def test_a_stage_elsewhere_is_guided_to_where_its_copy_is_known() -> None:
    shore = Shore()
    shore.open(treasure(0, 40, owner=6), treasure(1, 41, owner=6), mask=EVERYWHERE)
    assert [stage.node for stage in shore.hunt().stages] == [2, NONE]
    assert (shore.enter(1, 0, hunt=0).stage, shore.player(1).target) == (0, 0)
    assert shore.claim(1).code == Code.NOTHING_HERE
    notice(shore, 1)
    answer = shore.go(1, 1)
    assert (answer.stage, answer.target) == (1, NONE)


@pytest.mark.parametrize(
    ("owner", "node", "code"),
    [(65, 0, Code.BAD_RULE), (3, 0, Code.BAD_RULE), (0, 2, Code.UNKNOWN_NODE)],
)
def test_stages_have_a_place(owner: int, node: int, code: Code) -> None:
    shore = Shore()
    shore.row(Kind.HUNT_BEGIN, hunt_id=77)
    assert shore.row(hunt=0, **treasure(0, node, owner=owner)).code == code
