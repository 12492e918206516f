"""Sections 5 and 6 of the rules: stages, gates, hunts, ticks."""

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
    need,
    traffic,
    treasure,
)


def test_a_claim_wins_and_proves_it() -> None:
    scene = Scene()
    scene.open(clue(0, 5), treasure(1, 1, points=25))
    scene.enter(1, 1, hunt=0)
    won = scene.claim(1)
    assert (won.code, won.found, won.score, won.flags) == (Code.OK, 1, 25, Flag.RECEIPT)
    assert won.receipt is not None
    claimed = won.events[0]
    assert (kinds(won), claimed.head, claimed.value, claimed.a) == (["CLAIMED"], 1, 1, 1)
    stage_won = scene.hunt().stages[1]
    assert (stage_won.wins, stage_won.winner, stage_won.position) == (1, 1, won.position)
    assert (stage_won.team_bits, scene.player(1).progress) == (1, 2)


def test_claims_look_at_the_treasures_of_the_node_only() -> None:
    scene = Scene()
    scene.open(clue(0, 1, opens=9), treasure(1, 2), treasure(2, 1))
    scene.enter(1, 0, hunt=0)
    assert scene.claim(1).code == Code.NOTHING_HERE
    scene.go(1, 1)
    for stage_asked in (0, 1, 3, 64):
        assert scene.claim(1, stage_asked).code == Code.NOTHING_HERE
    assert scene.claim(1, 2).found == 2


def test_the_first_treasure_that_can_be_won_is_won() -> None:
    scene = Scene()
    scene.open(treasure(0, 1, opens=9), treasure(1, 1), treasure(2, 1))
    scene.enter(1, 1, hunt=0)
    assert [scene.claim(1).found, scene.claim(1).found] == [1, 2]
    assert scene.claim(1).code == Code.NOT_IN_WINDOW
    assert scene.claim(1, 2).code == Code.ALREADY_WON


def test_verdicts_come_in_their_order() -> None:
    scene = Scene()
    once = {"stock": 1}
    rows = [treasure(0, 0, Rule.TEAM, opens=2, closes=4, **once), need(0, 1), clue(1, 1)]
    scene.open(*rows, teams=2)
    for player in (1, 2, 3):
        scene.enter(player, 0, hunt=0, team=player // 3)
    assert scene.claim(1).code == Code.LOCKED
    for player in (1, 2, 3):
        scene.walk(player, 1, 0)
    assert scene.claim(1).code == Code.NOT_IN_WINDOW
    scene.tick(2)
    assert scene.claim(1).code == Code.OK
    assert scene.claim(2).code == Code.TEAM_WON
    assert scene.claim(3).code == Code.TAKEN
    scene.tick(2)
    assert scene.claim(3).code == Code.NOT_IN_WINDOW
    assert scene.claim(1).code == Code.ALREADY_WON


def test_exclusive_treasures_are_won_once() -> None:
    scene = Scene()
    scene.open(treasure(0, 0, stock=9))
    scene.enter(1, hunt=0)
    scene.enter(2, hunt=0)
    assert scene.claim(2).code == Code.OK
    assert scene.claim(1).code == Code.TAKEN
    assert scene.hunt().stages[0].winner == 2


def test_team_treasures_are_won_once_a_team() -> None:
    scene = Scene()
    scene.open(treasure(0, 0, Rule.TEAM), teams=2)
    for player, team in ((1, 0), (2, 0), (3, 1)):
        scene.enter(player, hunt=0, team=team)
    codes = [scene.claim(player).code for player in (1, 2, 3)]
    assert codes == [Code.OK, Code.TEAM_WON, Code.OK]
    assert scene.hunt().stages[0].team_bits == 3


def test_player_treasures_are_won_until_their_stock_is_gone() -> None:
    scene = Scene()
    scene.open(treasure(0, 0, Rule.PLAYER, stock=2))
    for player in (1, 2, 3):
        scene.enter(player, hunt=0)
    assert scene.claim(1).code == Code.OK
    assert scene.claim(1).code == Code.ALREADY_WON
    assert scene.claim(2).code == Code.OK
    assert scene.claim(3).code == Code.TAKEN
    assert (scene.hunt().stages[0].wins, scene.hunt().stages[0].winner) == (2, 2)


def test_a_need_is_all_of_a_mask_and_needs_are_alternatives() -> None:
    scene = Scene()
    scene.open(clue(0, 0), clue(1, 1), clue(2, 2), treasure(3, 3), need(3, 0, 1), need(3, 2))
    scene.enter(1, 0, hunt=0)
    scene.enter(1, 3, hunt=0)
    assert scene.claim(1).code == Code.LOCKED
    scene.enter(1, 1, hunt=0)
    scene.enter(1, 3, hunt=0)
    assert scene.claim(1).code == Code.OK
    scene.enter(2, 2, hunt=0)
    assert scene.player(2).progress == 4


def test_arriving_finds_clues_in_one_pass_in_order() -> None:
    scene = Scene()
    chain = [clue(0, 1), need(0, 2), clue(1, 1), clue(2, 1), need(2, 1)]
    scene.open(*chain)
    scene.enter(1, 0, hunt=0)
    found = scene.go(1, 1)
    assert (kinds(found), found.found, found.score) == (["WENT", "FOUND", "FOUND"], 2, 20)
    assert [event.value for event in found.events[1:]] == [1, 2]
    assert scene.player(1).progress == 0b110
    scene.walk(1, 0)
    assert (scene.go(1, 1).found, scene.player(1).progress) == (0, 0b111)
    scene.walk(1, 0)
    assert scene.go(1, 1).found == 255


def test_entering_arrives_too() -> None:
    scene = Scene()
    scene.open(clue(0, 2))
    entered = scene.enter(1, 2, hunt=0)
    assert (entered.found, kinds(entered)) == (0, ["ENTERED", "FOUND"])


def test_clues_have_windows_and_stock_but_know_no_rule() -> None:
    scene = Scene()
    scene.open(clue(0, 0, rule=Rule.EXCLUSIVE), clue(1, 0, stock=1), clue(2, 0, opens=1, closes=2))
    scene.enter(1, 0, hunt=0)
    scene.enter(2, 0, hunt=0)
    assert (scene.player(1).progress, scene.player(2).progress) == (0b011, 0b001)
    scene.tick()
    scene.enter(3, 0, hunt=0)
    scene.tick()
    scene.enter(4, 0, hunt=0)
    assert (scene.player(3).progress, scene.player(4).progress) == (0b101, 0b001)


def test_the_target_is_the_lowest_stage_still_to_be_won() -> None:
    scene = Scene()
    scene.open(clue(0, 1), treasure(1, 2), need(1, 0), treasure(2, 3, opens=5), clue(3, 4))
    entered = scene.enter(1, 0, hunt=0)
    assert (entered.stage, entered.target) == (0, 1)
    found = scene.go(1, 1)
    assert (found.stage, found.target) == (1, 2)
    scene.enter(2, 1, hunt=0)
    scene.enter(2, 2, hunt=0)
    scene.claim(2)
    scene.tick(5)
    gone = scene.go(1, 0)
    assert (gone.stage, gone.target, scene.player(1).since) == (2, 3, 5)
    left = scene.leave(1)
    assert (left.stage, left.target, scene.player(1).since) == (255, NONE, 0)


def test_the_target_skips_what_the_players_team_has() -> None:
    scene = Scene()
    scene.open(treasure(0, 0, Rule.TEAM), treasure(1, 1, Rule.PLAYER), teams=2)
    scene.enter(1, hunt=0, team=0)
    scene.claim(1)
    assert scene.enter(2, hunt=0, team=0).stage == 1
    assert scene.enter(3, hunt=0, team=1).stage == 0


def test_a_new_target_starts_its_hints_anew() -> None:
    scene = Scene()
    scene.open(clue(0, 1), hint_row(0, 0, 1), clue(1, 2), hint_row(1, 0, 1))
    scene.enter(1, hunt=0)
    assert scene.hint(1).hint == 1
    assert scene.hint(1).code == Code.NO_HINT
    scene.go(1, 1)
    assert scene.player(1).hints == 0
    assert scene.hint(1).hint == 1


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
        states.append((State(scene.hunt().state).name, scene.hunt().elapsed))
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
    assert (scene.hunt().elapsed, scene.hunt().pending) == (0, 0)
    walked = scene.go(1, 1)
    assert (walked.found, walked.stage, walked.code) == (255, 0, Code.OK)
    scene.row(Kind.HUNT_RESUME)
    scene.tick()
    assert (scene.hunt().elapsed, scene.hunt().state) == (0, State.OPEN)
    scene.tick()
    assert scene.hunt().elapsed == 1
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
    assert (scene.hunt(1).state, scene.hunt(1).elapsed) == (State.OPEN, 0)


def test_a_ready_hunt_can_be_closed() -> None:
    scene = Scene()
    scene.load(opens=9)
    scene.row(Kind.HUNT_CLOSE)
    scene.tick()
    assert (scene.hunt().state, scene.hunt().edition) == (State.CLOSED, 0)


def test_republishing_a_closed_slot_is_a_new_edition() -> None:
    scene = Scene()
    scene.open(clue(0, 0), treasure(1, 3), hint_row(1, 0, 1), teams=2)
    scene.enter(1, 0, hunt=0, team=1)
    scene.hint(1)
    scene.row(Kind.HUNT_CLOSE)
    scene.tick()
    scene.load(clue(0, 1), treasure(1, 2))
    assert scene.hunt().edition == 1
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
    assert (rule.rise, rule.shift, rule.decay_shift, rule.period, rule.cost) == (2, 3, 4, 5, 6)


def test_positions_are_dense_over_all_kinds() -> None:
    scene = Scene()
    scene.open(clue(0, 1))
    answers = [scene.enter(1, hunt=0), scene.go(1, 1), scene.go(1, 5), scene.tick()]
    answers += [scene.send(Kind.EDGE_CLOSE, tail=0, head=1), scene.row(Kind.HUNT_PAUSE)]
    assert all(b.position == a.position + 1 for a, b in pairwise(answers))
