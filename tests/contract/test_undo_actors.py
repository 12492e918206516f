"""Commits that change hunts and players of a running actor, and what their undo gives back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from huntgraph.cluster.actor import Actor
from huntgraph.cluster.control import refuse
from huntgraph.schema import Code, Form, Kind, Rule
from huntgraph.timeline.adopt import adopt
from huntgraph.timeline.edits import Rules
from huntgraph.timeline.fork import Fork
from huntgraph.timeline.history import History
from huntgraph.timeline.live import undo_commit, written
from huntgraph.timeline.plan import Plan
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.tables import players_of, stages_of
from tests.servers import ground, linked, move, rows, rule, serving, until, within

PLAYER = 5


def hunt(points: int, *nodes: int) -> Any:
    """A hunt of clues, with a gate that the first one opens when it is worth more than one."""
    fixed = {"form": Form.CLUE, "rule": Rule.PLAYER, "points": points}
    clues = [rule(Kind.HUNT_STAGE, index=n, from_=node, **fixed) for n, node in enumerate(nodes)]
    if points > 1:
        world = ground().world
        head, cost = world.head[: world.first[1]], world.cost[: world.first[1]]
        edge = {"from_": 0, "to": int(head[cost > 0][0])}
        clues += [rule(Kind.HUNT_GATE, flags=1, mask=1), rule(Kind.HUNT_GATE_EDGE, **edge)]
    begin = rule(Kind.HUNT_BEGIN, hunt_id=9)
    return rows(begin, *clues, rule(Kind.HUNT_PUBLISH, count=len(clues)))


async def played(actor: Actor) -> None:
    """The hunt runs, and a player has found its first clue."""
    loaded = refuse(await actor.control(hunt(1, 7, 9)))
    counters = actor.counters()
    await until(lambda: counters.value("tick") > int(loaded.updates["tick"][-1]) + 1)
    async with linked(actor) as client:
        updates, _ = await client.moves(move(Kind.ENTER, PLAYER, 1, to=7, hunt=0))
        assert (updates["code"][0], updates["found"][0], updates["score"][0]) == (Code.OK, 0, 1)
        last = int(updates["position"][0])
        await until(lambda: counters.value("durable") >= last)


async def state_of(actor: Actor, history: History) -> tuple[Any, Any]:
    """Stages and players of the running actor, by its log, which gives its state hash."""
    status = await actor.status()
    await written(history, {0: status.position})
    engine = history.engine_at(0, status.position)
    assert engine.state_hash() == status.state_hash
    stages = stages_of(*engine.cells(edges=False, players=False))
    return stages, players_of(engine.players())


def test_other_rules_are_committed_and_undone(short_path: Path) -> None:
    async def play() -> None:
        async with serving(short_path) as actor:
            await played(actor)
            history = History.open(short_path, ground().world_file)
            stages, players = await state_of(actor, history)
            rules = Rules(0, {0: hunt(5, 7, 9, 11).tobytes()})
            fork = Fork(history, Recipe("", {0: 0}, (rules,)))
            entry = await adopt(fork, reason="worth more", who="a tester")
            now, who = await state_of(actor, history)
            assert now["points"].tolist() == [5, 5, 5]
            assert who["score"].tolist() == [5]
            part = Plan.read(history.folder, int(entry.id, 16)).parts[0]
            assert not part.changes.had.all(), "there are stages and gates that were not there"
            undone, kept = await undo_commit(history, entry.id, reason="not so", who="a tester")
            assert (undone.of, kept) == (entry.id, [])
            back, who = await state_of(actor, history)
            assert (back == stages).all()
            assert np.array_equal(who["score"], players["score"])
            async with linked(actor) as client:
                updates, _ = await client.moves(move(Kind.ENTER, PLAYER, 2, to=9, hunt=0))
            assert (updates["found"][0], updates["score"][0]) == (1, 2)
            await actor.stop()

    within(play)


def test_a_player_taken_out_comes_back_by_an_undo(short_path: Path) -> None:
    async def play() -> None:
        async with serving(short_path) as actor:
            await played(actor)
            history = History.open(short_path, ground().world_file)
            stages, players = await state_of(actor, history)
            fork = Fork(history, Recipe("", {0: 0})).drop(player=PLAYER)
            entry = await adopt(fork, reason="a cheater", who="a tester")
            now, who = await state_of(actor, history)
            assert (now["wins"].tolist(), who["hunt"].tolist()) == ([0, 0], [255])
            async with linked(actor) as client:
                updates, _ = await client.moves(move(Kind.CLAIM, PLAYER, 2))
            assert updates["code"][0] == Code.NOT_PRESENT
            _, kept = await undo_commit(history, entry.id, reason="it was lag", who="a tester")
            back, who = await state_of(actor, history)
            assert kept == []
            assert (back == stages).all()
            names = ("score", "progress", "node", "hunt", "present", "target")
            assert (who[list(names)] == players[list(names)]).all()
            assert who["seq"].tolist() == [2], "its number is its game server's"
            async with linked(actor) as client:
                updates, _ = await client.moves(move(Kind.ENTER, PLAYER, 3, to=9, hunt=0))
            assert (updates["found"][0], updates["score"][0]) == (1, 2)
            await actor.stop()

    within(play)
