"""Sections 5 and 6 of the rules: gates, hunts, ticks."""

from __future__ import annotations

from itertools import pairwise

from huntgraph.schema import NONE, Code, Event, Flag, Kind, Rule, State
from tests.model.scene import (
    Scene,
    clue,
    gate,
    gate_edge,
    hint_row,
    kinds,
    traffic,
    treasure,
)


def test_gates_flip_when_all_their_stages_have_been_won() -> None:
    scene = Scene()
    rows = [clue(0, 1), clue(1, 2), gate(0, False, 0, 1), gate_edge(0, 0, 1), gate_edge(0, 0, 3)]
    scene.open(*rows, gate(1, True, 1), gate_edge(1, 2, 3))
    assert (scene.closed(0, 1), scene.closed(2, 3)) == (False, True)
    scene.enter(1, 1, hunt=0)
    assert not scene.closed(0, 1)
    both = scene.enter(2, 2, hunt=0)
    assert kinds(both) == ["ENTERED", "FOUND", "GATE", "DELTA", "DELTA", "GATE", "DELTA"]
    shut, opened = both.events[2], both.events[5]
    assert (shut.edge, shut.value, shut.hunt) == (0, 1, 0)
    assert (opened.edge, opened.value) == (1, 0)
    assert (scene.closed(0, 1), scene.closed(0, 3), scene.closed(2, 3)) == (True, True, False)
    assert (scene.closed(1, 0), scene.hunt().gates[0].shut) == (False, True)


def test_only_the_first_win_flips_gates() -> None:
    scene = Scene()
    rows = [treasure(0, 0, Rule.PLAYER), gate(0, True, 0, closes=1), gate_edge(0, 0, 1)]
    scene.open(*rows)
    scene.enter(1, hunt=0)
    scene.enter(2, hunt=0)
    assert kinds(scene.claim(1)) == ["CLAIMED", "GATE", "DELTA"]
    scene.tick()
    assert scene.closed(0, 1)
    assert kinds(scene.claim(2)) == ["CLAIMED"]


def test_a_second_find_leaves_gates_alone() -> None:
    scene = Scene()
    scene.open(clue(0, 0), gate(0, True, 0, closes=1), gate_edge(0, 0, 1))
    assert kinds(scene.enter(1, 0, hunt=0)) == ["ENTERED", "FOUND", "GATE", "DELTA"]
    scene.tick()
    assert kinds(scene.enter(2, 0, hunt=0)) == ["ENTERED", "FOUND"]


def test_a_gate_without_stages_or_with_unknown_ones_never_flips() -> None:
    scene = Scene()
    scene.open(clue(0, 0), gate(0, True), gate_edge(0, 0, 1), gate(1, True, 0, 7))
    scene.enter(1, 0, hunt=0)
    assert [g.shut for g in scene.hunt().gates] == [True, True]


def test_gates_open_and_shut_by_time_in_that_order() -> None:
    scene = Scene()
    rows = [gate(0, True, opens=2, closes=4), gate_edge(0, 0, 1), gate(1, opens=3, closes=3)]
    scene.open(*rows)
    seen = []
    for _ in range(4):
        answer = scene.tick()
        seen.append([(e.edge, e.value) for e in answer.events if e.kind == Event.GATE])
    # Gate 1 is open already, so "set open" does nothing before it is set shut.
    assert seen == [[], [(0, 0)], [(1, 1)], [(0, 1)]]
    assert scene.closed(0, 1)


def test_setting_a_gate_to_what_it_is_leaves_its_edges_alone() -> None:
    scene = Scene()
    scene.open(gate(0, True, closes=2), gate_edge(0, 0, 1))
    scene.send(Kind.EDGE_OPEN, tail=0, head=1)
    scene.tick(2)
    assert not scene.closed(0, 1)


def test_closing_a_hunt_opens_its_shut_gates() -> None:
    scene = Scene()
    scene.open(gate(0, True), gate_edge(0, 0, 1), gate(1), gate_edge(1, 2, 3))
    scene.send(Kind.EDGE_CLOSE, tail=2, head=3)
    scene.row(Kind.HUNT_CLOSE)
    closed = scene.tick()
    assert kinds(closed) == ["HUNT", "GATE", "DELTA", "TICKED"]
    assert (scene.closed(0, 1), scene.closed(2, 3)) == (False, True)


def test_a_hunt_waits_opens_and_closes() -> None:
    scene = Scene()
    scene.load(opens=2, closes=3)
    states = []
    for _ in range(7):
        scene.tick()
        states.append((State(scene.hunt().state).name, scene.hunt().elapsed_ticks))
    ready, runs = [("READY", 0)] * 2, [("OPEN", 0), ("OPEN", 1), ("OPEN", 2)]
    assert states == [*ready, *runs, ("CLOSED", 3), ("CLOSED", 3)]
    assert scene.hunt().edition == 1


def test_events_of_a_hunts_life() -> None:
    scene = Scene()
    begun = scene.row(Kind.HUNT_BEGIN, 3)
    assert (kinds(begun), begun.events[0].value, begun.events[0].hunt) == (["HUNT"], 1, 3)
    assert scene.row(hunt=3, **clue(0, 0)).events == []
    assert scene.row(Kind.HUNT_PUBLISH, 3, count=1).events[0].value == State.READY
    assert scene.tick().events[0].value == State.OPEN
    assert scene.row(Kind.HUNT_PAUSE, 3).events == []
    assert scene.tick().events[0].value == State.PAUSED
    scene.row(Kind.HUNT_RESUME, 3)
    assert scene.tick().events[0].value == State.OPEN
    scene.row(Kind.HUNT_CLOSE, 3)
    assert scene.tick().events[0].value == State.CLOSED


def test_hunt_time_stands_while_paused() -> None:
    scene = Scene()
    scene.open(clue(0, 1), treasure(1, 1, opens=2))
    scene.enter(1, hunt=0)
    scene.row(Kind.HUNT_PAUSE)
    assert scene.hunt().pending == 1
    scene.tick(5)
    assert (scene.hunt().elapsed_ticks, scene.hunt().pending) == (0, 0)
    walked = scene.go(1, 1)
    assert (walked.found, walked.stage, walked.code) == (255, 0, Code.OK)
    scene.row(Kind.HUNT_RESUME)
    scene.tick()
    assert (scene.hunt().elapsed_ticks, scene.hunt().state) == (0, State.OPEN)
    scene.tick()
    assert scene.hunt().elapsed_ticks == 1
    assert scene.enter(1, 1, hunt=0).found == 0


def test_orders_need_the_right_state() -> None:
    scene = Scene()
    orders = [Kind.HUNT_PAUSE, Kind.HUNT_RESUME, Kind.HUNT_EXTEND, Kind.HUNT_CLOSE]

    def allowed() -> list[Kind]:
        trials = [Scene(model_only=True) for _ in orders]
        for trial, kind in zip(trials, orders, strict=True):
            trial.model.hunts[0].state = scene.hunt().state
            assert trial.row(kind).code in (Code.OK, Code.HUNT_NOT_OPEN)
        done = [trial.model.position == 1 for trial in trials]
        return [kind for kind, good in zip(orders, done, strict=True) if good]

    assert allowed() == []
    scene.row(Kind.HUNT_BEGIN)
    assert allowed() == []
    scene.row(Kind.HUNT_PUBLISH)
    assert allowed() == [Kind.HUNT_CLOSE]
    scene.tick()
    assert allowed() == [Kind.HUNT_PAUSE, Kind.HUNT_EXTEND, Kind.HUNT_CLOSE]
    scene.row(Kind.HUNT_PAUSE)
    scene.tick()
    assert allowed() == [Kind.HUNT_RESUME, Kind.HUNT_EXTEND, Kind.HUNT_CLOSE]
    for kind in orders:
        assert scene.row(kind, hunt=8).code == Code.UNKNOWN_HUNT


def test_extending_moves_the_end_at_the_next_tick() -> None:
    scene = Scene()
    scene.open(closes=2)
    scene.tick()
    scene.row(Kind.HUNT_EXTEND, arg=3)
    assert (scene.row(Kind.HUNT_EXTEND, arg=1).code, scene.hunt().extend_by) == (Code.OK, 4)
    scene.tick()
    assert (scene.hunt().closes, scene.hunt().extend_by, scene.hunt().state) == (6, 0, State.OPEN)
    scene.row(Kind.HUNT_EXTEND, arg=NONE)
    scene.row(Kind.HUNT_EXTEND, arg=NONE)
    assert scene.hunt().extend_by == NONE
    scene.tick()
    assert scene.hunt().closes == NONE


def test_extending_a_hunt_without_end_does_nothing() -> None:
    scene = Scene()
    scene.open()
    scene.row(Kind.HUNT_EXTEND, arg=3)
    scene.tick()
    assert (scene.hunt().closes, scene.hunt().extend_by) == (0, 0)


def test_close_goes_before_pause_and_pause_before_resume() -> None:
    scene = Scene(model_only=True)
    scene.open()
    scene.row(Kind.HUNT_PAUSE)
    scene.row(Kind.HUNT_CLOSE)
    scene.tick()
    assert scene.hunt().state == State.CLOSED
    scene.open(hunt=1)
    scene.hunt(1).pending = 3
    scene.tick()
    assert (scene.hunt(1).state, scene.hunt(1).elapsed_ticks) == (State.OPEN, 0)


def test_a_ready_hunt_can_be_closed() -> None:
    scene = Scene()
    scene.load(opens=9)
    scene.row(Kind.HUNT_CLOSE)
    scene.tick()
    assert (scene.hunt().state, scene.hunt().edition) == (State.CLOSED, 1)


def test_republishing_a_closed_slot_is_a_new_edition() -> None:
    scene = Scene()
    scene.open(clue(0, 0), treasure(1, 3), hint_row(1, 0, 1), teams=2)
    scene.enter(1, 0, hunt=0, team=1)
    scene.hint(1)
    scene.row(Kind.HUNT_CLOSE)
    scene.tick()
    assert scene.hunt().edition == 1
    scene.load(clue(0, 1), treasure(1, 2))
    assert scene.hunt().edition == 2, "it is new as soon as it is published"
    stale = scene.send(Kind.HINT, player=1, seq=2)
    assert (stale.flags, stale.stage, stale.target) == (Flag.DUPLICATE, 255, NONE)
    scene.tick()
    assert scene.hunt().edition == 2
    gone = scene.go(1, 1)
    assert (gone.found, gone.stage, gone.score) == (255, 255, 9)
    player = scene.player(1)
    assert (player.hunt, player.edition, player.progress, player.team) == (255, 0, 0, 1)
    again = scene.enter(1, 1, hunt=0)
    assert (again.found, again.score, scene.player(1).edition) == (0, 10, 2)
    assert scene.player(1).team == 0


def test_the_last_traffic_row_counts_from_the_opening_on() -> None:
    scene = Scene()
    scene.load(traffic(9, 0, 1, 0, 1), traffic(2, 3, 4, 5, 6), opens=1)
    scene.tick()
    assert scene.model.traffic.rise == 0
    scene.tick()
    rule = scene.model.traffic
    found = (rule.rise, rule.shift, rule.decay_shift, rule.period_ticks, rule.cost)
    assert found == (2, 3, 4, 5, 6)


def test_positions_are_dense_over_all_kinds() -> None:
    scene = Scene()
    scene.open(clue(0, 1))
    answers = [scene.enter(1, hunt=0), scene.go(1, 1), scene.go(1, 5), scene.tick()]
    answers += [scene.send(Kind.EDGE_CLOSE, tail=0, head=1), scene.row(Kind.HUNT_PAUSE)]
    assert all(b.position == a.position + 1 for a, b in pairwise(answers))
