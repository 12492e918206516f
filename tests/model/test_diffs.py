"""Diffs of random forks against whole states, element by element; and what a commit would set."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from huntgraph.engine import Engine
from huntgraph.schema import Code, Form
from huntgraph.timeline import progress, tables
from huntgraph.timeline.cells import bare_hash
from huntgraph.timeline.diff import Diff, make_diff
from huntgraph.timeline.edge_diff import HOW
from huntgraph.timeline.edits import Drop
from huntgraph.timeline.fence import fence, settle
from huntgraph.timeline.fork import Fork, Run
from huntgraph.timeline.lookup import Query
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.replica import Replica
from huntgraph.timeline.slots import changes_to_adopt, differences, ends
from tests.model.histories import history_of, played
from tests.model.test_forks import choose, point_of

SEEDS = (*range(4), 1002, 3099)
"""In 1002 a treasure of the hunt is a clue in the fork; in 3099 it is gone there."""
seeds = pytest.mark.seeds(*SEEDS)


def run_of(seed: int) -> Run:
    rng = Random(seed)
    history = history_of(played(seed, quiet=True), Path("nowhere"))
    point = point_of(history, rng)
    dropped = tuple(sorted(choose(history, point, rng)))
    edits = (Drop(Query(events=dropped)),) if dropped else ()
    return Fork(history, Recipe("f", point, edits)).replay()


def cell_pairs(replica: Replica) -> dict[int, tuple[int, int]]:
    """Every cell of either state that differs: name -> base, branch. Plain dictionaries."""
    sides = [engine.cells() for engine in (replica._base, replica._branch) if engine is not None]
    base, fork = (dict(zip(n.tolist(), w.tolist(), strict=True)) for n, w in sides)
    names = base.keys() | fork.keys()
    pairs = {name: (base.get(name, 0), fork.get(name, 0)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def judge(run: Run, diff: Diff) -> None:
    """Compare a diff with the states themselves."""
    for number, replica in run.replicas.items():
        differing = cell_pairs(replica)
        wanted = {n & ((1 << 56) - 1) for n in differing if n >> 56 == tables.EDGE}
        mine = diff.edges[diff.edges["partition"] == number]
        slots = np.array(sorted(wanted), np.uint64)
        tail, head = ends(replica, differences(replica), slots)
        between = {int(e): (t, h) for e, t, h in zip(slots, tail, head, strict=True)}
        found = set()
        for row in mine:
            edge = int(row["edge"])
            one, other = differing[tables.name_of(tables.EDGE, edge)]
            assert (one & 0xFFFF, other & 0xFFFF) == (row["was_weight"], row["now_weight"])
            assert (one >> 16 & 255, other >> 16 & 255) == (row["was_heat"], row["now_heat"])
            assert (bool(one >> 24), bool(other >> 24)) == (row["was_closed"], row["now_closed"])
            assert between[edge] == (row["from"], row["to"])
            assert HOW[row["how"]] == how(one, other)
            found.add(edge)
        absent = {e for e in wanted if not any(w & 0xFFFF for w in differing[1 << 56 | e])}
        assert found == wanted - absent
    judge_players(run, diff)
    judge_claims(run, diff)


def how(one: int, other: int) -> str:
    weights, closed = (one & 0xFFFF, other & 0xFFFF), (one >> 24 & 1, other >> 24 & 1)
    if not weights[0]:
        return "added"
    if not weights[1]:
        return "removed"
    if closed[0] != closed[1]:
        return "closed" if closed[1] else "opened"
    return "reweighted" if weights[0] != weights[1] else "heat"


def whereabouts(run: Run, *, branch: bool) -> dict[int, Any]:
    """Each player's row where it is: present first, then at home, then the newest."""
    found: dict[int, Any] = {}
    for number, replica in run.replicas.items():
        for row in tables.players_of(replica.players(branch=branch)):
            key = (int(row["away"]) == 0, int(row["present"]), int(row["seq"]))
            known = found.get(int(row["id"]))
            # Of equal ones that of the last partition, as in a standing.
            if known is None or key >= known[0]:
                found[int(row["id"])] = (key, number, row)
    return found


def judge_players(run: Run, diff: Diff) -> None:
    was, now = (whereabouts(run, branch=branch) for branch in (False, True))
    listed = {change.player: change for change in diff.players}
    names = ("node", "present", "hunt", "team", "progress", "score", "target", "hints")
    for player in was.keys() | now.keys():
        one, other = was.get(player), now.get(player)
        same = one is not None and other is not None and one[1] == other[1]
        same = same and all(one[2][name] == other[2][name] for name in names)  # type: ignore[index]
        change = listed.get(player)
        if not same:
            assert change is not None
        for side, row in ((change and change.was, one), (change and change.now, other)):
            if side and row is not None:
                assert (side["partition"], side["score"]) == (row[1], row[2]["score"])
                better = [o for o in (was if row is one else now).values() if leads(o[2], row[2])]
                assert side["rank"] in (None, 1 + len(better))


def leads(other: Any, row: Any) -> bool:
    return bool(other["hunt"] == row["hunt"] and other["score"] > row["score"])


def judge_claims(run: Run, diff: Diff) -> None:
    found = {(c.partition, c.hunt, c.hunt_id, c.stage): c for c in diff.claims}
    for number, replica in run.replicas.items():
        was, now = (treasures(replica, branch=branch) for branch in (False, True))
        for stage in was.keys() | now.keys():
            same = was.get(stage, (0, 0)) == now.get(stage, (0, 0))
            assert ((number, *stage) in found) != same
    judge_progress(run, diff)


def judge_progress(run: Run, diff: Diff) -> None:
    """Each find or win that only one side has is told, but of the same claim on both no reward."""
    for branch in (False, True):
        # Of a hunt that is gone on that side the other one tells.
        forms = forms_of(run, branch=not branch) | forms_of(run, branch=branch)
        for effect in (each for each in diff.rewards if (each.do == "grant") == branch):
            stage = effect.hunt, effect.hunt_id, effect.stage
            assert Form.TREASURE in forms.get(stage, GONE)
        for find in (each for each in diff.clues if each.gained == branch):
            assert Form.CLUE in forms.get((find.hunt, find.hunt_id, find.stage), GONE)
    gained = {(e.player, e.hunt, e.hunt_id, e.stage, e.do == "grant") for e in diff.rewards}
    gained |= {(c.player, c.hunt, c.hunt_id, c.stage, c.gained) for c in diff.clues}
    sides = [whereabouts(run, branch=branch) for branch in (False, True)]
    wanted = set()
    for player in sides[0].keys() | sides[1].keys():
        one, other = (
            bits(run, side.get(player), branch=branch)
            for branch, side in zip((False, True), sides, strict=True)
        )
        wanted |= {(player, *stage, stage in other) for stage in one ^ other}
    assert gained <= wanted
    claims = [
        {(w.player, w.hunt, w.stage, w.position) for o in side.values() for w in o.wins.values()}
        for side in (run.was, run.now)
    ]
    both = {claim[:3] for claim in claims[0] & claims[1]}
    assert all((player, hunt, stage) in both for player, hunt, _, stage, _ in wanted - gained)


GONE = {Form.CLUE, Form.TREASURE}
"""What a stage may have been of a hunt that neither state has any more."""
Stage = tuple[int, int, int]
"""Slot and id of a hunt, and the stage."""


def forms_of(run: Run, *, branch: bool) -> dict[Stage, set[int]]:
    """What each stage is, in any partition."""
    found: dict[Stage, set[int]] = {}
    for replica in run.replicas.values():
        ids = hunts_in(replica, branch=branch)
        for row in tables.stages_of(*replica.hunt_cells(branch=branch)):
            slot = int(row["hunt"])
            stage = (slot, ids[slot][0], int(row["stage"]))
            found.setdefault(stage, set()).add(int(row["form"]))
    return found


def hunts_in(replica: Replica, *, branch: bool) -> dict[int, tuple[int, int]]:
    """Id and edition of the hunts of a partition, by slot."""
    cells = replica.hunt_cells(branch=branch)
    words = dict(zip(*(column.tolist() for column in cells), strict=True))
    first = tables.name_of(tables.HUNT, 0)
    return {
        slot: (words[first + 16 * slot], words[first + 16 * slot + 1] >> 32) for slot in range(8)
    }


def treasures(replica: Replica, *, branch: bool) -> dict[Stage, tuple[int, int]]:
    """Winner and wins of a partition's own treasures."""
    ids = {slot: name for slot, (name, _) in hunts_in(replica, branch=branch).items()}
    return {
        (slot := int(row["hunt"]), ids[slot], int(row["stage"])): (
            int(row["winner"]),
            int(row["wins"]),
        )
        for row in tables.stages_of(*replica.hunt_cells(branch=branch))
        if row["form"] == Form.TREASURE and not row["owner"]
    }


def bits(run: Run, found: Any, *, branch: bool) -> set[Stage]:
    """What a player found or won in its hunt: that of its slot in its edition, on either side."""
    if found is None or found[2]["hunt"] == 255:
        return set()
    _, number, row = found
    slot, progress, hunt_id = int(row["hunt"]), int(row["progress"]), 0
    own, other = (hunts_in(run.replicas[number], branch=b)[slot] for b in (branch, not branch))
    if own[1] == row["edition"]:
        hunt_id = own[0]
    elif other[1] == row["edition"] and other[0] != own[0]:
        hunt_id = other[0]
    return {(slot, hunt_id, stage) for stage in range(64) if progress >> stage & 1}


@seeds
def test_a_diff_is_what_the_states_differ_in(seed: int) -> None:
    run = run_of(seed)
    judge(run, make_diff(run))


def test_a_diff_that_forgets_an_edge_or_a_player_is_caught() -> None:
    for seed in SEEDS:
        run = run_of(seed)
        diff = make_diff(run)
        if not len(diff.edges) or not diff.players:
            continue
        edges, diff.edges = diff.edges, diff.edges[:-1]
        with pytest.raises(AssertionError):
            judge(run, diff)
        diff.edges = edges.copy()
        diff.edges["now_heat"][0] ^= 1
        with pytest.raises(AssertionError):
            judge(run, diff)
        diff.edges = edges
        moved = [c for c in diff.players if (c.was or {}).get("node") != (c.now or {}).get("node")]
        if moved:
            diff.players.remove(moved[0])
            with pytest.raises(AssertionError):
                judge(run, diff)
            return
    pytest.fail("no fork changed an edge and a player")


def test_taking_all_hunts_of_a_slot_for_one_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the hunts of a slot are told apart by their editions alone."""

    def alike(hunts: Any) -> dict[int, tuple[int, int]]:
        return {slot: (0, edition) for slot, (_, edition) in tables.held_in(hunts).items()}

    monkeypatch.setattr(progress, "held_in", alike)
    with pytest.raises(AssertionError):
        judge_all()


def judge_all() -> None:
    for seed in SEEDS:
        test_a_diff_is_what_the_states_differ_in(seed)


@seeds
def test_what_a_commit_changes_makes_the_base_the_fork(seed: int) -> None:
    """All but clock, place, receipts, borders, and what belongs to a game server."""
    run = run_of(seed)
    for replica in run.replicas.values():
        engine = Engine.restore(replica._base.save())
        changes = changes_to_adopt(replica)
        before = bare_hash(engine.state_hash(), engine.position)
        rows = [fence(9, engine.state_hash()), changes.rows(9)]
        rows.append(settle(9, changes.hash_after(before)))
        updates = engine.apply(np.concatenate(rows))
        assert (updates["code"] == Code.OK).all()
        assert_alike(engine, replica)


def assert_alike(engine: Engine, replica: Replica) -> None:
    """A state is that of a branch, as far as a commit can make it so."""
    assert replica._branch is not None
    both = (engine, replica._branch)
    rows = [{int(r["id"]): r for r in tables.players_of(side.players())} for side in both]
    for player in rows[1]:
        for name in ("progress", "node", "score", "since", "team", "hunt", "target", "present"):
            assert rows[0][player][name] == rows[1][player][name]
    cells = [side.cells() for side in both]
    own = [dict(zip(n.tolist(), w.tolist(), strict=True)) for n, w in cells]
    kept = (tables.EDGE, tables.HUNT, tables.STAGE, tables.GATE, tables.ADDED)
    for name, word in own[1].items():
        if name >> 56 in kept:
            assert own[0][name] == word
