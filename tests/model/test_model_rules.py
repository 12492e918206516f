"""Sections 1 to 3 of the rules: records, positions, players' moves, edges."""

from __future__ import annotations

import pytest

from huntgraph.schema import COST_MAX, NONE, WEIGHT_MAX, Code, Event, Flag, Kind
from tests.model.scene import SMALL, Scene, clue, hint_row, kinds, traffic, treasure
from tests.model.worlds import world_of


def test_the_start_has_base_costs_no_heat_and_open_edges() -> None:
    scene = Scene()
    assert scene.weight(0, 1) == 5
    assert not scene.model.heat.any()
    assert scene.model.closed.tolist() == (SMALL.cost == 0).tolist()
    assert (scene.model.cost_min, scene.model.cost_max) == (5, 20)


def test_an_absent_slot_counts_as_no_edge() -> None:
    scene = Scene()
    scene.enter(1, 4)
    assert scene.go(1, 3).code == Code.NO_EDGE
    for kind in (Kind.EDGE_OPEN, Kind.EDGE_CLOSE, Kind.EDGE_PRICE):
        assert scene.send(kind, tail=4, head=3, arg=5).code == Code.NO_EDGE


def test_a_world_without_edges_has_no_costs() -> None:
    model = Scene(world_of(2, [])).model
    assert (model.cost_min, model.cost_max) == (0, 0)
    assert isinstance(model.state_hash(), int)


@pytest.mark.parametrize("kind", [Kind.GO, Kind.LEAVE, Kind.CLAIM, Kind.HINT])
def test_unknown_players_must_enter_first(kind: int) -> None:
    scene = Scene()
    before = scene.state()
    answer = scene.send(kind, player=9, seq=1, echo=4)
    assert (answer.code, answer.position, answer.player) == (Code.UNKNOWN_PLAYER, 0, 9)
    assert (answer.node, answer.target, answer.stage, answer.found) == (NONE, NONE, 255, 255)
    assert (answer.seq, answer.score, answer.echo, answer.flags) == (0, 0, 4, 0)
    assert scene.state() == before
    assert answer.events == []


@pytest.mark.parametrize("seq", [0, 2, 3, 2**32 - 1])
def test_a_first_enter_has_number_one(seq: int) -> None:
    scene = Scene()
    answer = scene.send(Kind.ENTER, player=9, seq=seq, hunt=65535, head=99)
    assert (answer.code, answer.seq, answer.position) == (Code.SEQ_GAP, 0, 0)


def test_a_first_enter_that_is_refused_leaves_no_player() -> None:
    scene = Scene(players=1)
    scene.enter(1)
    assert scene.send(Kind.ENTER, player=9, seq=1, hunt=65535, head=6).code == Code.UNKNOWN_NODE
    assert scene.send(Kind.ENTER, player=9, seq=1, hunt=65535, arg=1).code == Code.BAD_TEAM
    assert scene.send(Kind.ENTER, player=9, seq=1, hunt=65535).code == Code.PLAYERS_FULL
    assert scene.model.player(9) is None
    assert scene.model.position == 1


def test_slots_are_numbered_by_first_entry_and_never_freed() -> None:
    scene = Scene(players=2)
    scene.enter(5)
    scene.enter(3)
    scene.leave(5)
    assert [player.id for player in scene.model.players] == [5, 3]
    assert scene.enter(4).code == Code.PLAYERS_FULL
    assert scene.enter(5).code == Code.OK


@pytest.mark.parametrize("player", [0, 2**64 - 1])
def test_any_id_is_a_players_id(player: int) -> None:
    scene = Scene()
    assert scene.enter(player).player == player
    assert scene.go(player, 1).position == 2


def test_a_repeated_last_move_is_answered_again_and_not_applied() -> None:
    scene = Scene()
    scene.enter(1)
    first = scene.go(1, 1)
    scene.enter(2)
    before = scene.state()
    again = scene.send(Kind.GO, player=1, seq=2, tail=0, head=1, echo=8)
    assert (again.code, again.position, again.flags) == (first.code, 2, Flag.DUPLICATE)
    assert (again.seq, again.node, again.echo) == (2, 1, 8)
    assert scene.state() == before


def test_a_repeated_refusal_is_answered_with_its_code() -> None:
    scene = Scene()
    scene.enter(1)
    assert scene.go(1, 2).code == Code.NO_EDGE
    again = scene.send(Kind.GO, player=1, seq=2, tail=0, head=2)
    assert (again.code, again.position) == (Code.NO_EDGE, 2)


def test_a_repeated_claim_gives_no_second_receipt() -> None:
    scene = Scene()
    scene.open(treasure(0, 0))
    scene.enter(1, 0, hunt=0)
    assert scene.claim(1).receipt is not None
    again = scene.send(Kind.CLAIM, player=1, seq=2, arg=NONE)
    assert (again.receipt, again.found, again.flags) == (None, 255, Flag.DUPLICATE)
    assert scene.model.serial == 1


def test_an_older_move_is_a_duplicate_without_position() -> None:
    scene = Scene()
    scene.enter(1)
    scene.walk(1, 1, 2)
    for seq in (0, 1, 2):
        old = scene.send(Kind.LEAVE, player=1, seq=seq)
        assert (old.code, old.position) == (Code.DUPLICATE, 0)
        assert (old.flags, old.seq, old.node) == (Flag.DUPLICATE, 3, 2)


def test_a_gap_names_the_last_number_taken() -> None:
    scene = Scene()
    scene.enter(1)
    before = scene.state()
    gap = scene.send(Kind.GO, player=1, seq=3, tail=0, head=1)
    assert (gap.code, gap.seq, gap.position, gap.node) == (Code.SEQ_GAP, 1, 0, 0)
    assert scene.state() == before


def test_a_refused_but_taken_move_keeps_position_and_number() -> None:
    scene = Scene()
    scene.enter(1)
    refused = scene.go(1, 2)
    assert (refused.code, refused.position, refused.seq) == (Code.NO_EDGE, 2, 2)
    assert kinds(refused) == ["REFUSED"]
    assert refused.events[0].value == Code.NO_EDGE
    assert scene.go(1, 1).position == 3


def test_go_checks_in_order() -> None:
    scene = Scene()
    scene.enter(1)
    scene.send(Kind.EDGE_CLOSE, tail=0, head=1)

    def go(tail: int, head: int) -> Code:
        return Code(scene.do(1, Kind.GO, tail=tail, head=head).code)

    assert go(6, 0) == go(1, 6) == go(NONE, NONE) == Code.UNKNOWN_NODE
    assert go(1, 5) == Code.WRONG_NODE
    assert go(0, 2) == go(0, 0) == Code.NO_EDGE
    assert go(0, 1) == Code.EDGE_CLOSED
    scene.send(Kind.EDGE_OPEN, tail=0, head=1)
    assert go(0, 1) == Code.OK
    assert scene.player(1).node == 1


def test_who_has_left_must_enter_again() -> None:
    scene = Scene()
    scene.enter(1, 3)
    left = scene.leave(1)
    assert (left.code, left.node, kinds(left)) == (Code.OK, 3, ["LEFT"])
    assert left.events[0].tail == 3
    for kind in (Kind.GO, Kind.LEAVE, Kind.CLAIM, Kind.HINT):
        assert scene.do(1, kind, tail=3, head=2).code == Code.NOT_PRESENT
    assert scene.enter(1, 2).code == Code.OK
    assert scene.player(1).present


def test_enter_checks_the_hunt_first() -> None:
    scene = Scene()
    assert scene.enter(1, 99, hunt=0).code == Code.UNKNOWN_HUNT
    assert scene.enter(1, 99, hunt=8).code == Code.UNKNOWN_HUNT
    scene.row(Kind.HUNT_BEGIN, teams=2)
    assert scene.enter(1, 99, hunt=0).code == Code.UNKNOWN_HUNT
    scene.row(Kind.HUNT_PUBLISH)
    assert scene.enter(1, 99, hunt=0).code == Code.HUNT_NOT_OPEN
    scene.tick()
    assert scene.enter(1, 99, hunt=0, team=2).code == Code.UNKNOWN_NODE
    assert scene.enter(1, 5, hunt=0, team=2).code == Code.BAD_TEAM
    assert scene.enter(1, 5, hunt=0, team=1).code == Code.OK
    scene.row(Kind.HUNT_CLOSE)
    scene.tick()
    assert scene.enter(1, 5, hunt=0).code == Code.HUNT_NOT_OPEN


def test_a_team_is_for_the_whole_hunt() -> None:
    scene = Scene()
    scene.open(teams=3)
    scene.enter(1, hunt=0, team=1)
    scene.leave(1)
    refused = scene.enter(1, hunt=0, team=2)
    assert (refused.code, refused.position) == (Code.BAD_TEAM, scene.model.position)
    assert scene.enter(1, hunt=0, team=1).code == Code.OK
    assert scene.enter(1).code == Code.OK
    assert scene.enter(1, hunt=0, team=2).code == Code.OK


def test_without_teams_the_only_team_is_zero() -> None:
    scene = Scene()
    scene.open()
    assert scene.enter(1, hunt=0, team=1).code == Code.BAD_TEAM
    assert scene.enter(1, hunt=0, team=0).code == Code.OK
    assert scene.enter(1, team=1).code == Code.BAD_TEAM


def test_entering_the_same_hunt_keeps_all_and_another_starts_anew() -> None:
    scene = Scene()
    scene.open(clue(0, 0), treasure(1, 3))
    scene.open(treasure(0, 2), hunt=1)
    scene.enter(1, 0, hunt=0)
    assert (scene.player(1).score, scene.player(1).progress) == (10, 1)
    again = scene.enter(1, 2, hunt=0)
    assert (again.score, again.stage, again.target, again.node) == (10, 1, 3, 2)
    other = scene.enter(1, 2, hunt=1)
    assert (other.score, other.stage, other.target) == (0, 0, 2)
    assert (scene.player(1).progress, scene.player(1).hunt) == (0, 1)
    none = scene.enter(1, 2)
    assert (none.stage, none.target, scene.player(1).edition) == (255, NONE, 0)


def test_edge_records_check_and_take_positions() -> None:
    scene = Scene()
    assert scene.send(Kind.EDGE_CLOSE, tail=6, head=0).code == Code.UNKNOWN_NODE
    assert scene.send(Kind.EDGE_CLOSE, tail=0, head=6).code == Code.UNKNOWN_NODE
    assert scene.send(Kind.EDGE_CLOSE, tail=0, head=2).code == Code.NO_EDGE
    assert scene.model.position == 0
    shut = scene.send(Kind.EDGE_CLOSE, tail=0, head=1, echo=3, player=4)
    assert (shut.position, shut.echo, shut.player, shut.seq) == (1, 3, 0, 0)
    delta = shut.events[0]
    assert (delta.kind, delta.tail, delta.head, delta.value) == (Event.DELTA, 0, 1, 5)
    assert (delta.flags, delta.edge, len(shut.events)) == (1, scene.edge(0, 1), 1)
    again = scene.send(Kind.EDGE_CLOSE, tail=0, head=1)
    assert (again.code, again.position, again.events) == (Code.OK, 2, [])
    assert not scene.closed(1, 0)
    assert scene.send(Kind.EDGE_OPEN, tail=0, head=1).events[0].flags == 0


def test_prices_have_bounds_and_widen_them() -> None:
    scene = Scene()
    for cost in (0, COST_MAX + 1, NONE):
        assert scene.send(Kind.EDGE_PRICE, tail=0, head=1, arg=cost).code == Code.BAD_COST
    assert scene.model.position == 0
    priced = scene.send(Kind.EDGE_PRICE, tail=0, head=1, arg=COST_MAX)
    assert (priced.code, priced.events[0].value) == (Code.OK, COST_MAX)
    scene.send(Kind.EDGE_PRICE, tail=0, head=1, arg=1)
    assert (scene.model.cost_min, scene.model.cost_max, scene.weight(0, 1)) == (1, COST_MAX, 1)


def test_a_price_leaves_room_for_the_greatest_heat() -> None:
    scene = Scene()
    scene.open(traffic(1, 0, 1, 0, 200))
    room = WEIGHT_MAX - 254 * 200
    assert scene.send(Kind.EDGE_PRICE, tail=0, head=1, arg=room + 1).code == Code.BAD_COST
    assert scene.send(Kind.EDGE_PRICE, tail=0, head=1, arg=room).code == Code.OK


def test_a_price_keeps_heat_and_closure() -> None:
    scene = Scene()
    scene.open(traffic(4, 1, 1, 0, 3))
    scene.enter(1)
    scene.go(1, 1)
    scene.send(Kind.EDGE_CLOSE, tail=0, head=1)
    priced = scene.send(Kind.EDGE_PRICE, tail=0, head=1, arg=100)
    assert (priced.events[0].value, priced.events[0].flags) == (106, 1)
    assert (scene.heat(0, 1), scene.closed(0, 1)) == (4, True)


def test_ticks_come_one_by_one() -> None:
    scene = Scene()
    for wrong in (0, 2):
        refused = scene.send(Kind.TICK, arg=wrong)
        assert (refused.code, refused.position, refused.tick) == (Code.BAD_TICK, 0, 0)
    scene.enter(1)
    scene.enter(2)
    scene.leave(2)
    done = scene.send(Kind.TICK, arg=1, time_ms=5)
    assert (done.code, done.position, done.tick) == (Code.OK, 4, 1)
    assert kinds(done) == ["TICKED"]
    ticked = done.events[0]
    assert (ticked.value, ticked.a, ticked.tick) == (1, scene.model.state_hash(), 1)


def test_a_hash_is_compared_and_logged_either_way() -> None:
    scene = Scene()
    scene.enter(1)
    right = scene.model.state_hash()
    assert scene.send(Kind.HASH, a=right).code == Code.OK
    assert scene.model.state_hash() != right
    wrong = scene.send(Kind.HASH, a=right)
    assert (wrong.code, wrong.position) == (Code.HASH_MISMATCH, 3)
    assert (kinds(wrong), wrong.events[0].value) == (["REFUSED"], Code.HASH_MISMATCH)


@pytest.mark.parametrize("kind", [0, 8, 15, 21, 31, 44, 63, Kind.RECEIPT, 67, 83, 255])
def test_other_kinds_are_refused(kind: int) -> None:
    scene = Scene()
    answer = scene.send(kind, player=1, seq=1, echo=6)
    assert (answer.code, answer.position, answer.kind) == (Code.BAD_KIND, 0, kind)
    assert (answer.node, answer.stage, answer.player, answer.echo) == (NONE, 255, 0, 6)


def test_hints_cost_points_and_wait_for_their_delay() -> None:
    scene = Scene()
    scene.open(treasure(0, 3), hint_row(0, 0, 4), hint_row(0, 3, 2))
    assert scene.enter(1).stage == 255
    assert scene.hint(1).code == Code.UNKNOWN_HUNT
    scene.tick(5)
    scene.enter(1, hunt=0)
    assert scene.player(1).since == 5
    first = scene.hint(1)
    assert (first.code, first.hint, first.score) == (Code.OK, 1, -4)
    assert (kinds(first), first.events[0].value) == (["HINTED"], 0)
    scene.tick(2)
    early = scene.hint(1)
    assert (early.code, early.hint, early.score) == (Code.HINT_EARLY, 0, -4)
    scene.tick()
    assert (scene.hint(1).hint, scene.player(1).score) == (2, -6)
    assert scene.hint(1).code == Code.NO_HINT


def test_a_hint_delay_never_wraps() -> None:
    scene = Scene()
    scene.open(treasure(0, 3), hint_row(0, NONE, 4))
    scene.tick(3)
    scene.enter(1, hunt=0)
    assert scene.hint(1).code == Code.HINT_EARLY


def test_hints_and_claims_need_a_running_hunt() -> None:
    scene = Scene()
    scene.open(treasure(0, 0), hint_row(0, 0, 1))
    scene.enter(1)
    assert scene.claim(1).code == Code.UNKNOWN_HUNT
    scene.enter(1, hunt=0)
    scene.row(Kind.HUNT_PAUSE)
    assert scene.hint(1).code == Code.OK
    scene.tick()
    assert scene.claim(1).code == scene.hint(1).code == Code.HUNT_PAUSED
    scene.row(Kind.HUNT_CLOSE)
    scene.tick()
    assert scene.claim(1).code == scene.hint(1).code == Code.HUNT_NOT_OPEN


def test_scores_are_kept_modulo_two_to_the_32() -> None:
    scene = Scene()
    scene.open(clue(0, 0, points=2**31 - 1), clue(1, 0, points=2))
    assert scene.enter(1, hunt=0).score == -(2**31) + 1
