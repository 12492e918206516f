"""A cheater taken out of a hunt: the diff, the new winner, the plan, and what edits may not do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from huntgraph.errors import ForkError
from huntgraph.hunt import loads
from huntgraph.schema import RULE, Form, Kind
from huntgraph.timeline.cells import bare_hash
from huntgraph.timeline.diff import Diff
from huntgraph.timeline.diff_text import diff_lines
from huntgraph.timeline.edits import read_edit, write_edit
from huntgraph.timeline.fence import fence, settle
from huntgraph.timeline.fork import Fork
from huntgraph.timeline.points import parse_event
from huntgraph.timeline.preview import preview
from huntgraph.timeline.recipe import COUNT_MAX, Recipe
from huntgraph.timeline.tables import stages_of
from huntgraph.timeline.timeline import Timeline
from tests.unit.timeline.recorder import (
    CHEATER,
    CHEST,
    HONEST,
    HUNT,
    LATE,
    Recorder,
    cheated,
    position_of,
    with_a_cheater,
)


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    return with_a_cheater().timeline(tmp_path)


def first_of(player: int) -> str:
    return f"0/{position_of(with_a_cheater(), Kind.ENTER, player, 0)}"


def claim_of(player: int) -> str:
    return f"0/{position_of(with_a_cheater(), Kind.CLAIM, player)}"


def taken_out(timeline: Timeline, claims: Any = "recompute") -> Fork:
    fork = timeline.fork(before=first_of(CHEATER)).drop(player=CHEATER)
    fork.replay(claims)
    return fork


def test_a_kept_win_is_for_the_team_that_won_it(tmp_path: Path) -> None:
    """The winner has gone over to another hunt, and another team, since."""
    recorder = Recorder()
    recorder.enter(HONEST, recorder.node(20, 25), team=1)
    recorder.enter(HONEST, recorder.node(45, 45), team=1)
    recorder.claim(HONEST)
    recorder.apply(loads(HUNT).compile(recorder.world, 1))
    recorder.tick()
    recorder.do(HONEST, Kind.ENTER, hunt=1, to=0, arg=0)
    fork = recorder.timeline(tmp_path).fork(at="0:0")
    for which in (0, 1):
        event = f"0/{position_of(recorder, Kind.ENTER, HONEST, which)}"
        fork.replace(event, kind="ENTER", hunt=0xFFFF, to=0)
    replica = fork.replay("keep").replicas[0]
    stages = stages_of(*replica.hunt_cells(branch=True))
    (chest,) = stages[(stages["hunt"] == 0) & (stages["stage"] == CHEST)]
    assert (chest["wins"], chest["winner"], chest["team_bits"]) == (1, HONEST, 0b10)


def test_without_the_cheater_the_next_rightful_claim_wins(timeline: Timeline) -> None:
    diff = taken_out(timeline).diff()
    (claim,) = diff.claims
    assert (claim.was_winner, claim.now_winner, claim.label) == (CHEATER, HONEST, "direct")
    effects = {(effect.do, effect.player, effect.stage) for effect in diff.rewards}
    assert effects == {("revoke", CHEATER, CHEST), ("grant", HONEST, CHEST)}
    players = {change.player: change for change in diff.players}
    labels = {player: change.label for player, change in players.items()}
    assert labels == {CHEATER: "direct", HONEST: "counterfactual", LATE: "derived"}
    was, now = players[HONEST].was or {}, players[HONEST].now or {}
    assert (was["score"], now["score"], now["rank"]) == (10, 110, 1)


def test_effects_have_the_same_ids_in_every_replay(timeline: Timeline) -> None:
    plans = [taken_out(timeline).diff().plan() for _ in range(2)]
    assert plans[0] == plans[1]
    won, late = (position_of(with_a_cheater(), Kind.CLAIM, who) for who in (CHEATER, HONEST))
    ids = {step["id"] for step in plans[0] if step["do"] != "notify"}
    assert ids == {f"revoke-0-{won}-0-1-{CHEATER}", f"grant-0-{late}-0-1-{HONEST}"}
    assert {step["player"] for step in plans[0] if step["do"] == "notify"} == {
        CHEATER,
        HONEST,
        LATE,
    }


@pytest.mark.parametrize("claims", ["keep", "void"])
def test_under_keep_and_void_nobody_wins_what_they_did_not(timeline: Timeline, claims: Any) -> None:
    diff = taken_out(timeline, claims).diff()
    (claim,) = diff.claims
    assert (claim.was_winner, claim.now_winner, claim.now_wins) == (CHEATER, 0, 0)
    assert [effect.do for effect in diff.rewards] == ["revoke"]


@pytest.mark.parametrize(("claims", "winner"), [("recompute", 0), ("void", 0), ("keep", CHEATER)])
def test_a_win_that_is_lost_is_kept_only_by_keep(
    timeline: Timeline, claims: Any, winner: int
) -> None:
    """The clue that the chest needs is taken from the winner, not the claim."""
    found_clue = first_of(CHEATER)
    fork = timeline.fork(before=found_clue)
    fork.replace(found_clue, kind="ENTER", hunt=0, to=0, arg=1)
    late = f"0/{position_of(with_a_cheater(), Kind.CLAIM, HONEST)}"
    fork.drop(event=late).replay(claims)
    claims_changed = fork.diff().claims
    assert [claim.now_winner for claim in claims_changed] == ([] if winner else [0])


@pytest.mark.parametrize("claims", ["keep", "recompute"])
def test_a_grant_that_the_fork_refuses_is_told(timeline: Timeline, claims: Any) -> None:
    """Without the hunt nobody can keep a win of it, or be given one."""
    chest = {"hunt": 0, "arg": CHEST}
    fork = timeline.fork(at="0:0").drop(kind=Kind.HUNT_PUBLISH)
    fork.insert(first_of(CHEATER), kind="GRANT", player=LATE, **chest)
    fork.replay(claims)
    diff = fork.diff()
    won, asked = (int(text.rpartition("/")[2]) for text in (claim_of(CHEATER), first_of(CHEATER)))
    told = [(g.position, g.player, g.hunt, g.stage, g.code) for g in diff.refused_grants]
    kept = [(won, CHEATER, 0, CHEST, "UNKNOWN_HUNT")] if claims == "keep" else []
    assert told == [(asked, LATE, 0, CHEST, "UNKNOWN_HUNT"), *kept]
    assert diff.counts()["refused_grants"] == len(told)
    assert diff.to_dict()["refused_grants"][0]["player"] == LATE
    lines = [f"{line.sign} {line.text}".rstrip() for line in diff_lines(diff)]
    assert f"  grants   {len(told)} refused" in lines
    assert f"- treasure 1 of hunt 0 to player {LATE} at 0/{asked}: UNKNOWN_HUNT" in lines


def test_a_refused_grant_is_told_when_nothing_else_is_different(timeline: Timeline) -> None:
    fork = timeline.fork(at="0:6").insert("0/8", kind="GRANT", player=LATE, hunt=5, arg=CHEST)
    lines = [line.text for line in diff_lines(fork.diff())]
    assert lines[:2] == ["nothing is different", "grants   1 refused"]
    assert lines[-1] == f"treasure 1 of hunt 5 to player {LATE} at 0/8: UNKNOWN_HUNT"


def test_a_dropped_event_alone(timeline: Timeline) -> None:
    event = f"0/{position_of(with_a_cheater(), Kind.CLAIM, CHEATER)}"
    run = timeline.fork(before=event).drop(event=event).replay()
    assert run.scripts[0].kinds[0] == Kind.STRIKE
    assert [win.player for win in run.now[0].wins.values()] == [HONEST]


def test_a_record_moved_behind_another_changes_who_was_first(timeline: Timeline) -> None:
    late, won = (position_of(with_a_cheater(), Kind.CLAIM, who) for who in (HONEST, CHEATER))
    fork = timeline.fork(before=f"0/{won}").retime(f"0/{won}", f"0/{late}")
    assert [win.player for win in fork.replay().now[0].wins.values()] == [HONEST]


def test_other_rules_for_a_hunt(timeline: Timeline) -> None:
    recorder = with_a_cheater()
    rows = recorder.log[recorder.log[:, 0] == Kind.HUNT_BEGIN]
    assert len(rows) == 1
    everything = recorder.log[:6].copy()
    everything[3][6] = 3  # the chest: each player once
    diff = timeline.fork(at="0:0").rules(0, {0: everything.tobytes()}).diff()
    (claim,) = diff.claims
    assert (claim.was_wins, claim.now_wins, claim.label) == (1, 2, "direct")


def test_a_treasure_that_is_a_clue_in_the_fork_is_taken_from_its_winner(
    timeline: Timeline,
) -> None:
    everything = with_a_cheater().log[:6].copy()
    everything.view(RULE)["form"][3] = Form.CLUE
    diff = timeline.fork(at="0:0").rules(0, {0: everything.tobytes()}).diff()
    (claim,) = diff.claims
    assert (claim.was_winner, claim.now_winner, claim.now_wins) == (CHEATER, 0, 0)
    assert [(e.do, e.player, e.stage) for e in diff.rewards] == [("revoke", CHEATER, CHEST)]
    found = {(find.player, find.stage, find.gained) for find in diff.clues}
    assert found == {(CHEATER, CHEST, True), (HONEST, CHEST, True)}


def test_leaving_the_block_discards_and_a_kept_fork_stays(timeline: Timeline) -> None:
    with timeline.fork(at="head"):
        pass
    assert timeline.forks() == []
    with timeline.fork(before=first_of(CHEATER), name="fix") as fork:
        fork.drop(player=CHEATER)
        timeline.keep(fork)
    again = Timeline(timeline.history).kept_fork("fix")
    assert again.recipe == fork.recipe
    assert again.replay().hashes() == taken_out(timeline).run.hashes()
    timeline.store.drop("fix")
    assert timeline.forks() == []


def test_a_fork_is_forgotten_when_its_time_is_over_and_there_are_not_too_many(
    timeline: Timeline,
) -> None:
    timeline.fork(at="head", name="old", ttl_s=0)
    assert timeline.forks() == []
    for number in range(COUNT_MAX):
        timeline.fork(at="head", name=f"f{number}")
    with pytest.raises(ForkError) as caught:
        timeline.fork(at="head", name="one-more")
    assert caught.value.code == "HG1752"
    with pytest.raises(ForkError) as caught:
        timeline.fork(at="head", name="f1")
    assert caught.value.code == "HG1751"


def test_a_fork_that_would_take_too_much_memory_is_refused(timeline: Timeline) -> None:
    fork = timeline.fork(at="head", name="big", budget_mib=0)
    with pytest.raises(ForkError) as caught:
        fork.replay()
    assert caught.value.code == "HG1753"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda f: f.drop(), "HG1723"),
        (lambda f: f.drop(event="0/7"), "HG1730"),
        (lambda f: f.drop(event="0/999"), "HG1711"),
        (lambda f: f.drop(event="3/1"), "HG1711"),
        (lambda f: f.insert("0/8", kind="GO", to=3), "HG1732"),
        (lambda f: f.insert("0/8", kind="FLY"), "HG1720"),
        (lambda f: f.insert("0/8", kind="EDGE_CLOSE", weight=3), "HG1721"),
        (lambda f: f.replace("0/8", kind="EDGE_CLOSE"), "HG1732"),
        (lambda f: f.retime("0/31", "0/8"), ""),
        (lambda f: f.retime("0/32", "0/200"), "HG1711"),
        (lambda f: f.rules(3, {0: b""}), "HG1733"),
    ],
)
def test_edits_that_are_not_possible_say_why(timeline: Timeline, change: Any, code: str) -> None:
    fork = timeline.fork(at="0:6")
    if not code:
        change(fork).replay()
        return
    with pytest.raises(ForkError) as caught:
        change(fork).replay()
    assert caught.value.code == code
    assert caught.value.fix


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.drop(event="0/6"),
        lambda f: f.drop(event=("0/8", "0/5")),
        lambda f: f.replace("0/6", kind="GO", to=3),
        lambda f: f.insert("0/6", kind="EDGE_CLOSE"),
        lambda f: f.retime("0/6", "0/8"),
        lambda f: f.retime("0/8", "0/6"),
    ],
)
def test_an_event_before_the_point_is_refused_at_the_edit(timeline: Timeline, change: Any) -> None:
    fork = timeline.fork(at="0:6")
    with pytest.raises(ForkError, match="begins behind this event") as caught:
        change(fork)
    assert caught.value.code == "HG1731"
    assert "--before 0/" in caught.value.fix
    assert not fork.edits


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda f: f.drop(event="0/7"), "HG1730"),
        (lambda f: f.retime("0/7", "0/8"), "HG1730"),
        (lambda f: f.replace("0/7", kind="GO"), "HG1730"),
        (lambda f: f.replace("0/8", kind="EDGE_CLOSE"), "HG1732"),
        (lambda f: f.insert("0/8", kind="GO", to=3), "HG1732"),
    ],
)
def test_what_a_record_cannot_be_is_refused_at_the_edit(
    timeline: Timeline, change: Any, code: str
) -> None:
    fork = timeline.fork(at="0:6")
    with pytest.raises(ForkError) as caught:
        change(fork)
    assert (caught.value.code, len(fork.edits)) == (code, 0)


def test_a_replay_that_ends_before_an_edit_is_refused(timeline: Timeline) -> None:
    event = first_of(CHEATER)
    fork = timeline.fork(at="0:6").drop(event=event)
    with pytest.raises(ForkError, match="ends before this event") as caught:
        fork.replay(to={0: parse_event(event)[1] - 1})
    assert caught.value.code == "HG1731"


def test_players_records_cannot_change_places(timeline: Timeline) -> None:
    first, last = (position_of(with_a_cheater(), Kind.GO, HONEST, at) for at in (0, -1))
    with pytest.raises(ForkError, match="two records of one player"):
        timeline.fork(at="0:6").retime(f"0/{first}", f"0/{last}").replay()


def test_edits_are_read_as_they_were_written(timeline: Timeline) -> None:
    fork = timeline.fork(at="0:6").drop(player=CHEATER, since="1s", area=(1, 2, 3, 4))
    fork.drop(kind=Kind.EDGE_CLOSE).replace("0/8", kind="GO", from_=1, to=2)
    fork.insert("0/9", kind="GRANT", player=5, hunt=0, arg=1).retime("0/8", "0/9")
    fork.rules(0, {0: bytes(64)})
    for edit in fork.edits:
        assert read_edit(json.loads(json.dumps(write_edit(edit)))) == edit
    assert Recipe.from_dict(json.loads(json.dumps(fork.recipe.to_dict()))) == fork.recipe


def test_a_diff_reads_well(timeline: Timeline) -> None:
    diff = taken_out(timeline).diff()
    lines = [f"{line.sign} {line.text}".rstrip() for line in diff_lines(diff)]
    assert f"~ treasure 1 of hunt 0: winner {CHEATER} -> {HONEST}  [direct]" in lines
    assert any(
        line.startswith(f"- revoke treasure 1 of hunt 0 from player {CHEATER}") for line in lines
    )
    assert lines[0].startswith("  edges")
    counted = list(diff_lines(diff, stat=True))
    assert all(line.sign == " " for line in counted)
    body = json.loads(json.dumps(diff.to_dict()))
    assert body["counts"]["rewards"] == {"grant": 1, "revoke": 1}


def test_nothing_changed_is_said_so(timeline: Timeline) -> None:
    diff: Diff = timeline.fork(at="0:6").diff()
    assert diff.empty
    assert [line.text for line in diff_lines(diff)] == ["nothing is different"]
    assert diff.base_hash == diff.fork_hash


def test_a_preview_is_the_hunt_as_it_would_be(timeline: Timeline) -> None:
    body = preview(taken_out(timeline).run)
    assert body["leaderboard"][0]["id"] == HONEST
    assert body["partitions"][0]["hunts"][0]["state"] == "OPEN"
    json.dumps(body)


def test_a_correction_behind_the_point_is_told(tmp_path: Path) -> None:
    recorder = Recorder()
    before = bare_hash(recorder.engine.state_hash(), recorder.engine.position)
    recorder.apply(fence(9, recorder.engine.state_hash()))
    recorder.apply(settle(9, before))
    run = Fork(recorder.history(tmp_path), Recipe("f", {0: 6})).replay()
    assert run.hashes() == run.head_hashes(), "a fence that was let go changes nothing"
    before = bare_hash(recorder.engine.state_hash(), recorder.engine.position)
    name, word = recorder.an_edge()
    recorder.apply(fence(10, recorder.engine.state_hash()))
    row = fence(10, 0)
    row["kind"], row["count"], row["name_1"], row["word_1"] = Kind.CORRECT, 1, name, word
    recorder.apply(row)
    run = Fork(recorder.history(tmp_path), Recipe("f", {0: 6})).replay()
    assert run.head == {0: recorder.engine.position - 2}, "one under way is not looked at"
    after = bare_hash(recorder.engine.state_hash(), recorder.engine.position, 10)
    assert after != before
    recorder.apply(settle(10, after))
    with pytest.raises(ForkError) as caught:
        Fork(recorder.history(tmp_path), Recipe("f", {0: 6})).replay()
    assert caught.value.code == "HG1734"


def test_a_second_cheater_is_taken_out_from_before_the_first_commit(tmp_path: Path) -> None:
    recorder, before = cheated(), first_of(CHEATER)
    first = recorder.commit(recorder.timeline(tmp_path).fork(before=before).drop(player=CHEATER))
    recorder.tick(3)
    timeline = recorder.timeline(tmp_path)
    assert timeline.fork(before=before).diff().empty
    fork = timeline.fork(at="0:0").drop(player=HONEST)
    (claim,) = fork.diff().claims
    assert (claim.was_winner, claim.now_winner) == (HONEST, 0)
    late = position_of(recorder, Kind.CLAIM, HONEST)
    (effect,) = fork.diff().rewards
    assert effect.id == f"revoke-0-{late}-0-{CHEST}-{HONEST}", "the win that the first commit made"
    second = recorder.commit(fork)
    recorder.tick(3)
    timeline = recorder.timeline(tmp_path)
    assert timeline.fork(at="0:0").diff().empty
    # The first one is taken back, out of order: the cheater has the chest again.
    (claim,) = timeline.fork(at="head", without=(first,)).diff().claims
    assert (claim.was_winner, claim.now_winner) == (0, CHEATER)
    (claim,) = timeline.fork(at="head", without=(second,)).diff().claims
    assert (claim.was_winner, claim.now_winner) == (0, HONEST)
