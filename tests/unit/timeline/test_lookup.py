"""What is looked up is what a plain pass over the recorded answers finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from huntgraph.schema import MOVE, Code, Kind
from huntgraph.timeline.kinds import ALL_KINDS, PLAYER_KINDS
from huntgraph.timeline.lookup import Query, lookup, plain
from tests.unit.timeline.recorder import CHEATER, HONEST, LATE, START_MS, Recorder, with_a_cheater

TEAM = {HONEST: 0, LATE: 1, CHEATER: 1}
Fits = Callable[[np.void, np.void, int], bool]


def at_chest(recorder: Recorder, move: np.void, update: np.void) -> bool:
    chest = recorder.node(45, 45)
    went = move["kind"] == Kind.GO and chest in (move["from"], move["to"])
    return bool(update["node"] == chest or went)


def ordered(move: np.void) -> bool:
    return int(move["kind"]) in PLAYER_KINDS


CASES: list[tuple[Query, Fits]] = [
    (Query(), lambda move, update, time: int(move["kind"]) in ALL_KINDS),
    (Query(players=(HONEST,)), lambda m, u, t: ordered(m) and m["player"] == HONEST),
    (Query(servers=(2,)), lambda m, u, t: ordered(m) and m["server"] == 2),
    (Query(teams=(1,)), lambda m, u, t: ordered(m) and TEAM[int(m["player"])] == 1),
    (Query(kinds=(Kind.TICK,)), lambda m, u, t: m["kind"] == Kind.TICK),
    (Query(claims=True), lambda m, u, t: m["kind"] == Kind.CLAIM and u["code"] == 0),
    (Query(refused=True), lambda m, u, t: u["code"] != 0),
    (Query(area=(45, 45, 45, 45)), lambda m, u, t: ordered(m) and at_chest(with_a_cheater(), m, u)),
    (
        Query(since_ms=START_MS + 1000, until_ms=START_MS + 2000),
        lambda m, u, t: int(m["kind"]) in ALL_KINDS and START_MS + 1000 <= t <= START_MS + 2000,
    ),
    (
        Query(players=(HONEST,), kinds=(Kind.CLAIM,), refused=True),
        lambda m, u, t: m["kind"] == Kind.CLAIM and u["code"] == Code.TAKEN,
    ),
]


@pytest.mark.parametrize(("query", "fits"), CASES)
def test_what_fits_is_found(query: Query, fits: Fits) -> None:
    recorder = with_a_cheater()
    wanted, time_ms = [], 0
    for position, (row, update) in enumerate(zip(recorder.rows, recorder.updates, strict=True), 1):
        move = row.view(MOVE)[0]
        time_ms = int(move["time_ms"]) if move["kind"] == Kind.TICK else time_ms
        if fits(move, update, time_ms):
            wanted.append(position)
    if query.until_ms is not None:
        # A time names the last tick at or before it: what came after that tick is left out.
        moves = recorder.moves()
        in_time = (moves["kind"] == Kind.TICK) & (moves["time_ms"] <= query.until_ms)
        wanted = [at for at in wanted if at <= int(np.flatnonzero(in_time)[-1]) + 1]
    found = lookup(recorder.history(), query)
    assert found["position"].tolist() == wanted
    assert wanted


def test_a_limit_gives_the_earliest() -> None:
    everything = lookup(with_a_cheater().history(), Query())
    assert (lookup(with_a_cheater().history(), Query(), 3) == everything[:3]).all()


def test_a_row_says_what_came_of_it() -> None:
    (row,) = lookup(with_a_cheater().history(), Query(claims=True))
    body: dict[str, Any] = plain(row)
    assert (body["kind"], body["code"], body["player"]) == ("CLAIM", "OK", CHEATER)
    assert (body["stage"], body["score"], body["hunt"], body["team"]) == (1, 110, None, 1)
    assert body["event"] == f"0/{body['position']}"
