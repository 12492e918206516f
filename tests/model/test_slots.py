"""Commits of forks whose slots are not the live ones: edges go by ends, players by ids."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from huntgraph.engine import Engine
from huntgraph.schema import Code, Kind
from huntgraph.timeline import slots, tables
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.edits import Drop, Edit, Insert
from huntgraph.timeline.fork import Fork, Run
from huntgraph.timeline.lookup import Query
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.replica import Replica
from huntgraph.timeline.slots import correction_rows
from tests.model.commits import Story, begun, some_point
from tests.model.realm import Shore
from tests.model.worlds import NO_HUNT, record_of

SEEDS = range(4)
Ends = tuple[int, int]


def free_pairs(shore: Shore) -> list[Ends]:
    """Own nodes between which there are no slots, and room for them."""
    model = shore.model
    pairs = combinations(range(model.own_nodes), 2)
    return [ends for ends in pairs if model.find_slot(*ends) is None and model.slots_fit(*ends)]


def add(ends: Ends) -> bytes:
    return record_of(Kind.EDGE_ADD, tail=ends[0], head=ends[1], arg=3)


def forked(seed: int, folder: Path) -> tuple[Story, Cut, tuple[Edit, ...]]:
    """A story in which edges are added at the end, and a fork that adds others at the beginning."""
    story, rng = begun(seed, folder, 500), Random(seed)
    point = some_point(story.history, rng)
    edits: list[Edit] = []
    for shore in story.realm.shores:
        early, late, both, *_ = free_pairs(shore)
        assert shore.apply([add(late), add(both)]) == [Code.OK, Code.OK]
        shore.durable = len(shore.log)
        after = (shore.part.partition, point[shore.part.partition] + 1)
        edits += [Insert(after, add(ends)) for ends in (early, both[::-1])]
    return story, point, tuple(edits)


def engines(replica: Replica) -> tuple[Engine, Engine]:
    assert replica._branch is not None
    return replica._base, replica._branch


def edges_of(engine: Engine) -> dict[Ends, int]:
    """The word of every edge, by its ends."""
    tail, head = (column.tolist() for column in engine.edges())
    names, words = engine.cells()
    mine = tables.tag_of(names) == tables.EDGE
    ids = tables.index_of(names[mine]).tolist()
    found = zip(ids, words[mine].tolist(), strict=True)
    return {(tail[edge], head[edge]): word for edge, word in found if word & 0xFFFF}


def gates_of(engine: Engine) -> list[Ends]:
    """The ends of gates' edges, in their order."""
    tail, head = (column.tolist() for column in engine.edges())
    names, words = engine.cells(edges=False)
    mine = tables.tag_of(names) == tables.GATE_EDGE
    order = np.argsort(names[mine])
    return [(tail[edge], head[edge]) for edge in words[mine][order].tolist()]


def players_of(engine: Engine) -> dict[int, tuple[Any, ...]]:
    """Players by id."""
    table = tables.players_of(engine.players())
    names = ("progress", "node", "score", "since", "team", "hunt", "target", "present", "away")
    return {int(row["id"]): tuple(int(row[name]) for name in names) for row in table}


def committed(replica: Replica) -> Engine:
    """A partition's head behind the commit of its fork."""
    engine = Engine.restore(replica._base.save())
    updates = engine.apply(correction_rows(replica, 9))
    assert (updates["code"] == Code.OK).all()
    assert engine.state_hash() == engine.state_hash(anew=True)
    return engine


def judge(run: Run) -> None:
    for replica in run.replicas.values():
        engine, (_, branch) = committed(replica), engines(replica)
        assert edges_of(engine) == edges_of(branch)
        assert gates_of(engine) == gates_of(branch)
        known, wanted = players_of(engine), players_of(branch)
        assert {player: known[player] for player in wanted} == wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_edges_added_before_live_ones_are_committed(seed: int, tmp_path: Path) -> None:
    story, point, edits = forked(seed, tmp_path)
    run = Fork(story.history, Recipe("f", point, edits)).replay()
    judge(run)
    before = {shore.part.partition: len(shore.model.head) for shore in story.realm.shores}
    story.commit(point, edits)
    for shore in story.realm.shores:
        number = shore.part.partition
        assert len(shore.model.head) == before[number] + 2, "one edge more, behind the live ones"
    story.go_on(100)
    again = Fork(story.history, Recipe("f", point)).replay()
    assert again.hashes() == again.head_hashes()


def test_a_gate_keeps_its_edges_whatever_their_numbers_are(tmp_path: Path) -> None:
    story = begun(1, tmp_path, 0)
    shore = story.realm.shores[0]
    early, late, *_ = free_pairs(shore)
    rows = [
        record_of(Kind.TICK, arg=1),
        add(late),
        record_of(Kind.HUNT_BEGIN),
        record_of(Kind.HUNT_GATE, flags=1),
        record_of(Kind.HUNT_GATE_EDGE, tail=late[0], head=late[1]),
        record_of(Kind.HUNT_PUBLISH, count=2),
    ]
    assert set(shore.apply(rows)) == {Code.OK}
    edits = (Insert((0, 1), add(early)),)
    run = Fork(story.history, Recipe("f", dict.fromkeys(story.history.head(), 0), edits)).replay()
    judge(run)
    assert gates_of(committed(run.replicas[0])) == [late]


def test_players_who_came_in_another_order_are_committed(tmp_path: Path) -> None:
    """A border is open in the fork that was closed: one player more goes over it, before others."""
    story = begun(1, tmp_path, 0)
    here = story.realm.shores[0]
    part, own = here.part, here.part.own_nodes
    edge = int(np.flatnonzero((part.head >= own) & (part.cost > 0) & (here.model.tail < own))[0])
    tail, head = int(here.model.tail[edge]), int(part.head[edge])
    there = story.realm.shores[int(part.owner[head])]
    go = {"tail": tail, "head": head, "seq": 2}
    codes = here.apply(
        [
            record_of(Kind.ENTER, player=1, seq=1, head=tail, hunt=NO_HUNT),
            record_of(Kind.ENTER, player=2, seq=1, head=tail, hunt=NO_HUNT),
            record_of(Kind.EDGE_CLOSE, tail=tail, head=head),
            record_of(Kind.GO, player=1, **go),
            record_of(Kind.EDGE_OPEN, tail=tail, head=head),
            record_of(Kind.GO, player=2, **go),
        ]
    )
    assert codes == [0, 0, 0, Code.EDGE_CLOSED, 0, 0]
    story.go_on(0)
    there.apply([record_of(Kind.ENTER, player=3, seq=1, hunt=NO_HUNT)])
    start = dict.fromkeys(story.history.head(), 0)
    edits = (Drop(Query(events=((part.partition, 3),))),)
    run = Fork(story.history, Recipe("f", start, edits)).replay()
    order = [list(players_of(e)) for e in engines(run.replicas[there.part.partition])]
    assert order == [[2, 3], [1, 2, 3]]
    judge(run)
    story.realm.settle()
    story.commit(start, edits)
    story.go_on(100)
    again = Fork(story.history, Recipe("f", start)).replay()
    assert again.hashes() == again.head_hashes()


def test_cells_under_the_numbers_of_the_branch_are_caught(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Planted: slots are not looked up."""
    story, point, edits = forked(2, tmp_path)
    run = Fork(story.history, Recipe("f", point, edits)).replay()
    monkeypatch.setattr(slots, "differences", lambda replica: replica.changes())
    with pytest.raises(AssertionError):
        judge(run)
