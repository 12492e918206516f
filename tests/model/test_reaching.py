"""Forks that reach across earlier commits, against the live hash and the plain model."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from huntgraph.engine import Engine
from huntgraph.errors import ForkError, ReplayError
from huntgraph.model import Border, Model
from huntgraph.timeline.audit import Audit, Entry
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.edits import Drop, Edit
from huntgraph.timeline.fork import Fork, Run
from huntgraph.timeline.history import History
from huntgraph.timeline.kinds import PLAYER_KINDS
from huntgraph.timeline.lookup import Query
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.replay import CLAIMS, Claims
from huntgraph.timeline.tables import EDGE, GATE, HUNT, players_of
from tests.model.commits import Story, adopted, begun, held, some_point, told
from tests.model.fork_oracle import Oracle, Side
from tests.model.test_forks import choose, edited, wins_of

SEEDS = range(3)
COSTS = 1_652_293_601
"""A seed with an undo that gives the range of costs back, and no traffic rule."""
LOST = 2_973_868_938
"""One whose undo changes nothing in a partition that loses the end of its log soon after."""
seeds = pytest.mark.seeds(*SEEDS[:2], drawn=1)
Events = Set[tuple[int, int]]
SEAT = {"node": ("node",), "team": ("team", "hunt", "target", "present", "hints", "away")}
DEEDS = {"progress": ("progress",), "score": ("score", "since"), "edition": ("edition",)}
"""Words of players by what they tell: where one is, and what one did in the hunt."""


def drop(events: Events) -> tuple[Edit, ...]:
    return (Drop(Query(events=tuple(sorted(events)))),) if events else ()


def some_events(history: History, point: Cut, rng: Random, but: Events = frozenset()) -> Events:
    """Records to drop, without which the hunt ends otherwise."""
    while True:
        events = choose(history, point, rng) - but
        run = Fork(history, Recipe("f", point, drop(events))).run
        if run.hashes() != run.head_hashes():
            return events


def committed(seed: int, folder: Path, claims: Claims = "recompute") -> tuple[Story, Events]:
    """A story with a commit in its middle, and what that dropped."""
    rng, story = Random(seed), begun(seed, folder)
    history = story.history
    point = some_point(history, rng)
    events = some_events(history, point, rng)
    story.commit(point, drop(events), claims)
    story.go_on(300)
    return story, events


def replayed(story: Story, point: Cut, *edits: Edit, **recipe: Any) -> Run:
    return Fork(story.history, Recipe("f", point, edits, **recipe)).run


@pytest.mark.parametrize("claims", CLAIMS)
@seeds
def test_a_fork_without_edits_across_a_commit_ends_as_the_live_hunt(
    seed: int, claims: Claims, tmp_path: Path
) -> None:
    story, _ = committed(seed, tmp_path, claims)
    for point in (some_point(story.history, Random(seed + 9)), held(story.commits[0])):
        run = replayed(story, point)
        assert run.hashes() == run.head_hashes()
        assert [each.id for each in run.reach.crossed] == told(*story.commits)


def test_points_and_heads_within_a_correction_are_those_before_it(tmp_path: Path) -> None:
    story, _ = committed(2, tmp_path)
    at = held(story.commits[0])
    run = replayed(story, {number: position + 1 for number, position in at.items()})
    assert (run.hashes(), len(run.reach.crossed)) == (run.head_hashes(), 1)
    within = at | {1: at[1] + 2}
    run = Fork(story.history, Recipe("f", dict.fromkeys(at, 0))).replay(to=within)
    assert (run.hashes(), run.head) == (run.head_hashes(), at)


@seeds
def test_commits_of_forks_that_reach_across_others_are_made_again_too(
    seed: int, tmp_path: Path
) -> None:
    story, _ = committed(seed, tmp_path)
    rng = Random(seed)
    point = some_point(story.history, rng)
    story.commit(point, drop(some_events(story.history, point, rng)))
    story.go_on(300)
    behind = held(story.commits[1])
    story.commit(behind, drop(some_events(story.history, behind, rng)))
    story.go_on(100)
    run = replayed(story, dict.fromkeys(behind, 0))
    assert run.hashes() == run.head_hashes()
    assert [each.id for each in run.reach.crossed] == told(*story.commits)


@seeds
def test_catching_up_over_a_commit_is_one_replay(seed: int, tmp_path: Path) -> None:
    story = begun(seed, tmp_path)
    point = some_point(story.history, Random(seed))
    recipe = Recipe("f", point, drop(some_events(story.history, point, Random(seed + 5))))
    fork = Fork(story.history, recipe)
    fork.replay()
    story.commit(point, drop(some_events(story.history, point, Random(seed))))
    story.go_on(300)
    fork.history = story.history
    run = fork.catch_up()
    assert run.hashes() == Fork(story.history, recipe).replay().hashes()


def models_at(story: Story, upto: Cut) -> dict[int, Model]:
    """Models fed the log as it is."""
    found = {}
    for shore in story.realm.shores:
        part, halo = shore.part, slice(shore.part.own_nodes, None)
        border = Border(part.partition, part.owner[halo], part.twin[halo])
        model = Model(part.first, part.head, part.cost, 1000, border=border)
        for raw in shore.log[: upto[part.partition]]:
            model.apply(raw)
        found[part.partition] = model
    return found


def oracle(
    story: Story, begin: Cut, stretches: Sequence[tuple[Cut, Events, str]], settled: Cut
) -> dict[int, int]:
    """Hashes of models fed the inputs without some events, with one commit made again between.

    Each stretch has its end, the events that are dropped in it, and its policy for claims.
    """
    models = models_at(story, begin)
    for number, (end, events, claims) in enumerate(stretches):
        sides = {}
        for shore in story.realm.shores:
            n = shore.part.partition
            mine = {at for p, at in events if p == n}
            items = [item for item in edited(shore.log, begin[n], mine, {}) if item[0] <= end[n]]
            sides[n] = Side(models[n], items, shore.log, end[n], begin[n])
            sides[n].wins = wins_of(shore.part, shore.log)
        models = Oracle(sides, claims).run()
        if number < len(stretches) - 1:
            live = models_at(story, end)
            models = {n: adopted(live[n], models[n]) for n in models}
            begin = settled
    return {n: model.state_hash() for n, model in models.items()}


def settled_at(story: Story, entry: Entry) -> Cut:
    """Behind a commit; where it changed nothing, no record tells of it."""
    return held(entry) | {
        n: each.settle or 0
        for n, part in story.history.index().of.items()
        for each in part.corrections
        if each.id == int(entry.id, 16)
    }


@pytest.mark.parametrize("claims", CLAIMS)
@seeds
def test_an_edited_fork_across_a_commit_ends_as_the_model_fed_all_edited_inputs(
    seed: int, claims: Claims, tmp_path: Path
) -> None:
    story, events = committed(seed, tmp_path, claims)
    history, rng = story.history, Random(seed + 7)
    point = some_point(history, rng)
    mine = some_events(history, point, rng, but=events)
    run = replayed(story, point, *drop(mine), claims="recompute")
    assert run.hashes() != run.head_hashes()
    stretches = [
        (held(story.commits[0]), events | mine, claims),
        (history.head(), mine, "recompute"),
    ]
    settled = settled_at(story, story.commits[0])
    assert run.hashes() == oracle(story, run.reach.begin, stretches, settled)


@seeds
def test_a_commit_left_out_is_as_though_its_edits_had_never_been(seed: int, tmp_path: Path) -> None:
    story, _ = committed(seed, tmp_path)
    at = held(story.commits[0])
    run = replayed(story, story.history.head(), without=(story.commits[0].id,))
    assert run.reach.begin == at
    nothing: Events = set()
    stretches = [(at, nothing, "recompute"), (story.history.head(), nothing, "recompute")]
    assert run.hashes() == oracle(story, at, stretches, settled_at(story, story.commits[0]))
    # Its own commit holds: who reaches across both finds the first one left out.
    story.commit(story.history.head(), without=(story.commits[0].id,))
    story.go_on(100)
    run = replayed(story, dict.fromkeys(at, 0))
    assert run.hashes() == run.head_hashes()
    assert [each.id for each in run.reach.crossed] == told(*story.commits)
    assert [each.id for each in run.reach.crossed if not each.recipe] == told(story.commits[0])


def test_what_cannot_be_made_again_says_how_to_go_on(tmp_path: Path) -> None:
    story, _ = committed(1, tmp_path)
    (commit,) = story.commits
    start = dict.fromkeys(held(commit), 0)
    story.commit(story.history.head(), without=(commit.id,))
    (trail := Audit(tmp_path)).path.unlink()
    trail.append(commit)
    made = story.commits[1]
    trail.append(replace(made, recipe={}))
    with pytest.raises(ForkError, match=f"{made.id}, whose edits are not in") as caught:
        replayed(story, start)
    assert (caught.value.code, f"--without {made.id}" in caught.value.fix) == ("HG1734", True)
    run = replayed(story, start, without=(commit.id, made.id))
    assert [each.recipe is None for each in run.reach.crossed] == [True, True]
    with pytest.raises(ForkError) as caught:
        replayed(story, start, without=("nobody",))
    assert caught.value.code == "HG1735"
    trail.path.unlink()
    with pytest.raises(ForkError, match="the audit trail does not know") as caught:
        replayed(story, start)
    assert caught.value.code == "HG1734"


def undone(seed: int, folder: Path, *, spared_on_disk: bool = True) -> tuple[Story, Entry, Entry]:
    """A story with a commit and its undo, moves between and behind."""
    story, _ = committed(seed, folder)
    story.spared_on_disk = spared_on_disk
    commit = story.commits[0]
    undo = story.undo(commit)
    story.go_on(200)
    return story, commit, undo


@pytest.mark.seeds(*SEEDS[:2], COSTS, LOST, drawn=1)
def test_a_fork_without_edits_across_an_undo_ends_as_the_live_hunt(
    seed: int, tmp_path: Path
) -> None:
    story, commit, undo = undone(seed, tmp_path)
    early = some_point(story.history, Random(seed + 9))
    both = told(commit, undo)
    for point, crossed in ((early, both), (held(commit), both), (held(undo), told(undo))):
        run = replayed(story, point)
        assert run.hashes() == run.head_hashes()
        assert [each.id for each in run.reach.crossed] == crossed
    again = story.undo(undo)
    story.go_on(100)
    run = replayed(story, early)
    assert run.hashes() == run.head_hashes()
    assert [each.id for each in run.reach.crossed] == told(commit, undo, again)
    assert [each.id for each in run.reach.crossed if each.undone] == told(undo, again)


def test_a_commit_that_does_not_wait_for_those_it_spares_is_caught(tmp_path: Path) -> None:
    story, commit, _ = undone(LOST, tmp_path, spared_on_disk=False)
    with pytest.raises(ReplayError) as caught:
        replayed(story, held(commit))
    assert caught.value.code == "HG1522"


@seeds
def test_a_commit_and_its_undo_are_left_out_together(seed: int, tmp_path: Path) -> None:
    story, commit, undo = undone(seed, tmp_path)
    run = replayed(story, held(commit), without=(commit.id,))
    assert [each.id for each in run.reach.crossed] == told(commit, undo)
    assert not any(each.recipe or each.undone for each in run.reach.crossed)


Words = dict[tuple[object, ...], object]


def words_of(engine: Engine) -> Words:
    """Words that a correction may set, by what they are of: edges by ends, players by id."""
    tail, head = (column.tolist() for column in engine.edges())
    names, words = (column.tolist() for column in engine.cells(players=False))
    found: Words = {}
    for name, word in zip(names, words, strict=True):
        kind, index = name >> 56, name & ((1 << 56) - 1)
        if kind == EDGE and word & 0xFFFF:
            found["edge", tail[index], head[index]] = word
        elif HUNT <= kind <= GATE:
            found[kind, index] = word
    for row in players_of(engine.players()):
        for group, fields in (SEAT | DEEDS).items():
            found[int(row["id"]), group] = tuple(int(row[name]) for name in fields)
    return found


def who_moved(history: History) -> set[int]:
    """Players of all logs."""
    batches = [b for source in history.sources.values() for b in source.records(1)]
    return {int(p) for b in batches for p in b.moves["player"][np.isin(b.rows[:, 0], PLAYER_KINDS)]}


Sides = dict[int, tuple[Words, Words, Words]]
"""Of each partition: the hunt and the fork before an undo, and the hunt behind it."""
Name = tuple[object, ...]


def is_own(words: Sides, number: int, name: Name) -> bool:
    """Whether the fork has another word than the one that an undo replaces in the hunt."""
    base, branch, after = (side.get(name) for side in words[number])
    return branch != base != after


def unit_of(words: Sides, number: int, name: Name) -> list[tuple[int, Name]]:
    """The words that an undo takes back together with this one or not at all."""
    player, group = name[:2]
    if group not in SEAT | DEEDS:
        return [(number, name)]
    if any(is_brought(base, after, player) for base, _, after in words.values()):
        return [(n, (player, each)) for n in words for each in SEAT | DEEDS]
    return [(n, (player, each)) for n in words for each in SEAT if group in SEAT] or [
        (number, name)
    ]


def is_brought(base: Words, after: Words, player: object) -> bool:
    """Whether an undo brings a player into another hunt, or another edition of it."""
    one, other = (side.get((player, "team"), (0, 0)) for side in (base, after))
    editions = [side.get((player, "edition")) for side in (base, after)]
    return one[1] != other[1] or editions[0] != editions[1]  # type: ignore[index]


@seeds
def test_an_undo_takes_back_in_a_fork_what_is_as_it_was_in_the_hunt(
    seed: int, tmp_path: Path
) -> None:
    story, _, undo = undone(seed, tmp_path)
    history, rng, differing = story.history, Random(seed + 7), 0
    settled = settled_at(story, undo)
    for _ in range(3):
        point = some_point(history, rng)
        players = tuple(rng.sample(sorted(who_moved(history)), 3))
        fork = Fork(history, Recipe("f", point)).drop(player=players)
        sides = []
        for cut in (held(undo), settled):
            replicas = fork.replay(to=cut).replicas
            sides.append(
                {n: (words_of(r._base), words_of(r._forked())) for n, r in replicas.items()}
            )
        words = {n: (*sides[0][n], sides[1][n][0]) for n in sides[0]}
        for number, (base, branch, after) in words.items():
            found = sides[1][number][1]
            for name in base.keys() | branch.keys() | after.keys():
                if name not in branch and name in base and name[1] in SEAT | DEEDS:
                    continue  # a player whom only the hunt knows stays there, and is nowhere
                mine = branch.get(name) != base.get(name)
                mine |= any(is_own(words, *cell) for cell in unit_of(words, number, name))
                differing += mine
                assert found.get(name) == (branch if mine else after).get(name), name
    assert differing


def test_going_on_without_an_undo_is_caught(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Planted: an undo made again takes nothing back."""
    nothing = np.zeros((0, 64), np.uint8)
    monkeypatch.setattr(Run, "_rows_of", lambda *_: nothing)
    runs = [
        replayed(story, held(commit))
        for story, commit, _ in (undone(seed, tmp_path / str(seed)) for seed in SEEDS)
    ]
    assert any(run.hashes() != run.head_hashes() for run in runs)


def is_caught(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, planted: Any) -> bool:
    """Whether some fork without edits does not end as the live hunt with a fault in `Run`."""
    for seed in SEEDS:
        story, _ = committed(seed, folder / str(seed))
        with monkeypatch.context() as patched:
            patched.setattr(Run, name, planted)
            run = replayed(story, some_point(story.history, Random(seed)))
            if run.hashes() != run.head_hashes():
                return True
    return False


def test_forgetting_the_edits_of_a_commit_is_caught(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert is_caught(tmp_path, monkeypatch, "_layers", lambda self, head: [])


def test_going_on_without_making_a_commit_again_is_caught(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The edits hold, but receipts, numbers and borders are not those of the live hunt."""

    def passed_over(self: Run, commit: object) -> None:
        self._replay = None

    assert is_caught(tmp_path, monkeypatch, "_make_again", passed_over)
