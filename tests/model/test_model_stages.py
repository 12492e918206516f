"""Sections 3 and 5 of the rules: claims, clues, needs, targets."""

from __future__ import annotations

from huntgraph.schema import NONE, Code, Flag, Rule
from tests.model.scene import (
    Scene,
    clue,
    hint_row,
    kinds,
    need,
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
