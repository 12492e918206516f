"""What stands in for lost records: numbers and ticks; and what nothing can stand in for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from huntgraph.engine import Engine, move, ticks
from huntgraph.errors import LogDamagedError
from huntgraph.schema import ARRIVAL, MOVE, Kind
from huntgraph.timeline.fence import fence, settle
from huntgraph.timeline.index import PartitionIndex
from huntgraph.timeline.log import LogRecords
from huntgraph.timeline.lost import stand_ins
from huntgraph.world import generate


def arrival(player: int, seq: int, number: int) -> Any:
    row = np.zeros(1, ARRIVAL)
    row["kind"], row["player"], row["seq"] = Kind.ARRIVE, player, seq
    row["from"], row["number"], row["cause"] = 3, number, 10
    return row


def log_of(*records: Any) -> LogRecords:
    """A log; None is a lost record."""
    rows = [np.zeros(64, np.uint8) if r is None else r.view(np.uint8).ravel() for r in records]
    return LogRecords(1, np.stack(rows))


def go(player: int, seq: int) -> Any:
    return move(Kind.GO, player=player, seq=seq)


def stood_in(*records: Any) -> dict[int, tuple[int, ...]]:
    """Kind, player, number and argument of what stands in, by position."""
    log, part = log_of(*records), PartitionIndex()
    part.follow(log)
    moves = {at: row.view(MOVE)[0] for at, row in stand_ins(0, [log], part.lost).items()}
    names = ("kind", "player", "seq", "arg")
    return {at: tuple(int(row[name]) for name in names) for at, row in moves.items()}


def test_numbers_and_ticks_tell_what_is_missing() -> None:
    found = stood_in(
        go(7, 1), move(Kind.TICK, arg=1), None, None, None, go(7, 3), move(Kind.TICK, arg=3), None,
        go(7, 5), go(8, 2),
    )  # fmt: skip
    assert found == {
        3: (Kind.STRIKE, 7, 2, 0),
        4: (Kind.STRIKE, 8, 1, 0),
        5: (Kind.TICK, 0, 0, 2),
        8: (Kind.STRIKE, 7, 4, 0),
    }


def test_behind_a_dropped_beginning_a_state_tells_what_came_before() -> None:
    known = Engine(generate(20_000, seed=7), players=8)
    for record in (move(Kind.ENTER, player=7, seq=1), ticks(1), ticks(2)):
        known.apply(record)
    behind = log_of(
        *(go(7, 2), None, None, None, go(7, 4), go(8, 2), move(Kind.TICK, arg=4), go(7, 5))
    )
    log = LogRecords(known.position + 1, behind.rows)
    first = log.first + 1
    found = stand_ins(0, [log], [(first, first + 2)], known)
    assert [(at, int(row[0])) for at, row in sorted(found.items())] == [
        (first, Kind.STRIKE),
        (first + 1, Kind.STRIKE),
        (first + 2, Kind.TICK),
    ]
    struck = [found[first + n].view(MOVE)[0] for n in range(2)]
    assert [(int(each["player"]), int(each["seq"])) for each in struck] == [(7, 3), (8, 1)]


def test_what_nobody_misses_has_no_stand_in() -> None:
    assert stood_in(go(7, 1), None, None, go(7, 2), None) == {}


def test_a_player_who_comes_back_over_a_border_has_any_number() -> None:
    assert stood_in(go(7, 1), None, arrival(7, 30, 1), go(7, 31)) == {}


@pytest.mark.parametrize(
    ("records", "what"),
    [
        ((arrival(7, 1, 1), None, arrival(8, 1, 3)), "parcel 2 from partition 3"),
        ((fence(9, 5), None, settle(9, 5)), "a part of a correction"),
        ((go(7, 1), None, settle(9, 5)), "a part of a correction"),
        ((go(7, 1), None, go(7, 4)), "2 records would have been there"),
    ],
)
def test_what_cannot_be_left_out_is_told(records: tuple[Any, ...], what: str) -> None:
    with pytest.raises(LogDamagedError, match=what) as caught:
        stood_in(*records)
    assert caught.value.code == "HG1512"
