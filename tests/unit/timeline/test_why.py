"""What `why` says names the very events that made an outcome."""

from __future__ import annotations

import pytest

from huntgraph.engine import move
from huntgraph.errors import ForkError
from huntgraph.schema import Kind
from huntgraph.timeline.why import Explanation, why
from tests.unit.timeline.recorder import (
    CHEATER,
    CHEST,
    HONEST,
    Recorder,
    position_of,
    with_a_cheater,
)


def told(recorder: Recorder, position: int) -> Explanation:
    return why(recorder.history(), (0, position))


def texts(found: Explanation) -> str:
    return "; ".join(map(str, found.reasons))


def test_a_claim_that_won() -> None:
    recorder = with_a_cheater()
    found = told(recorder, position_of(recorder, Kind.CLAIM, CHEATER))
    assert (found.code, found.outcome, found.player) == ("OK", "treasure 1 was won", CHEATER)
    first, last = (position_of(recorder, Kind.ENTER, CHEATER, at) for at in (0, -1))
    assert f"the player had stage 0 (0/{first})" in texts(found)
    assert "nobody had won it before" in texts(found)
    assert texts(found).endswith(f"(0/{last})"), "how it came to the chest"


def test_a_claim_that_came_too_late_names_the_winner() -> None:
    recorder = with_a_cheater()
    found = told(recorder, position_of(recorder, Kind.CLAIM, HONEST))
    won = position_of(recorder, Kind.CLAIM, CHEATER)
    assert found.code == "TAKEN"
    assert f"player {CHEATER} won it before; wins so far: 1 (0/{won})" in texts(found)
    brought = position_of(recorder, Kind.GO, HONEST)
    assert texts(found).endswith(f"(0/{brought})")


def test_a_claim_without_the_clue_names_what_is_missing() -> None:
    recorder = Recorder()
    recorder.enter(5, recorder.node(45, 45))
    recorder.claim(5)
    found = told(recorder, len(recorder.rows))
    assert found.code == "LOCKED"
    assert "it needs stages 0; missing: 0" in texts(found)


def test_a_claim_at_the_wrong_place() -> None:
    recorder = Recorder()
    node = recorder.node(30, 30)
    recorder.enter(5, node)
    recorder.claim(5)
    found = told(recorder, len(recorder.rows))
    chest = recorder.node(45, 45)
    assert f"the player stood on node {node}, treasures lie on {chest}" in texts(found)


def test_a_closed_edge_names_who_closed_it() -> None:
    recorder = Recorder()
    node = recorder.node(30, 30)
    head = int(recorder.world.row(node)[0][0])
    recorder.enter(5, node)
    recorder.apply(move(Kind.EDGE_CLOSE, from_=node, to=head))
    closed = len(recorder.rows)
    recorder.do(5, Kind.GO, from_=node, to=head)
    refused = told(recorder, closed + 1)
    assert refused.code == "EDGE_CLOSED"
    assert f"the edge {node} -> {head} was closed (0/{closed})" in texts(refused)
    recorder.do(5, Kind.GO, from_=head, to=node)
    wrong = told(recorder, closed + 2)
    assert f"the player stood on node {node}, the move starts from {head}" in texts(wrong)
    assert f"EDGE_CLOSED (0/{closed + 1})" in texts(wrong)


def test_a_hint_that_came_too_early() -> None:
    recorder = Recorder()
    recorder.enter(5, recorder.node(30, 30))
    recorder.do(5, Kind.HINT)
    found = told(recorder, len(recorder.rows))
    assert found.code == "HINT_EARLY"
    assert "0 of 1 hints were taken; they come after 20 ticks" in texts(found)


def test_a_guided_step_names_target_and_way() -> None:
    recorder = with_a_cheater()
    found = told(recorder, position_of(recorder, Kind.GO, HONEST, 3))
    chest = recorder.node(45, 45)
    assert f"the target is stage {CHEST} on node {chest}" in texts(found)
    assert "stages before it: 0 had" in texts(found)
    step = recorder.moves()[position_of(recorder, Kind.GO, HONEST, 4) - 1]
    assert f"goes on to node {int(step['to'])}" in texts(found)


def test_there_is_nothing_to_say_of_no_event() -> None:
    with pytest.raises(ForkError, match="there is no event"):
        told(with_a_cheater(), 9999)
