"""Every code of the players' and hunts' tables, once, over the wire; then the log proves the state.

Codes that this page does not provoke: BAD_TICK and HASH_MISMATCH belong to records that nobody
but the actor may send; BUSY, LOG_FULL, LOG_FAILED and DRAINING are in test_disk and test_stops;
those of frames are in the contract tests.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huntgraph.cluster.actor import Actor
from huntgraph.schema import COST_MAX, MOVE, NONE, Code, Flag, Form, Kind, Rule
from huntgraph.world import World
from tests.contract.independent import IndependentClient
from tests.fault.follower import prove
from tests.servers import Records, ground, linked, move, rows, rule, serving, until, within

Steps = list[tuple[Records, Code]]
PLAYERS = 6
PLACES = [100, 200, 300, 400, 500, 600]
FAR_TICKS = 1_000_000
ONE, TWO, THREE, MATE = 11, 12, 13, 14


def stage(index: int, form: Form, who: Rule, node: int, **fields: int) -> Records:
    return rule(Kind.HUNT_STAGE, index=index, form=form, rule=who, from_=node, **fields)


def first_hunt() -> Records:
    """Slot 0, two teams: treasures of each kind, one locked, one outside its window; hints."""
    body = [
        stage(0, Form.TREASURE, Rule.EXCLUSIVE, PLACES[0], points=5),
        stage(1, Form.TREASURE, Rule.TEAM, PLACES[1]),
        stage(2, Form.TREASURE, Rule.PLAYER, PLACES[2]),
        stage(3, Form.TREASURE, Rule.PLAYER, PLACES[3]),
        stage(4, Form.TREASURE, Rule.PLAYER, PLACES[4], opens=FAR_TICKS),
        rule(Kind.HUNT_NEED, index=3, mask=0b10000),
        rule(Kind.HUNT_HINT, index=0, cost=1),
        rule(Kind.HUNT_HINT, index=0, delay=FAR_TICKS),
    ]
    return published(0, body, teams=2)


def published(slot: int, body: list[Records], **begin: int) -> Records:
    """The rows of a hunt, from begin to publish."""
    found = np.concatenate(
        [rule(Kind.HUNT_BEGIN, **begin), *body, rule(Kind.HUNT_PUBLISH, count=len(body))]
    )
    found["hunt"] = slot
    return found


def walled_node(world: World) -> tuple[int, int, int]:
    """A node, one of its neighbours, and a node that is none."""
    for node in range(world.nodes):
        heads, costs = world.row(node)
        if len(heads) and costs.all():
            far = next(n for n in range(world.nodes) if n != node and n not in heads)
            return node, int(heads[0]), far
    raise AssertionError("a world without edges")


def player_steps(world: World) -> Steps:
    """Moves of players in order, and what each must be answered."""
    node, near, far = walled_node(world)
    beyond, claim = world.nodes, {"arg": NONE}
    return [
        (move(Kind.GO, ONE, 1, from_=0, to=1), Code.UNKNOWN_PLAYER),
        (move(Kind.ENTER, ONE, 2, to=0), Code.SEQ_GAP),
        (move(Kind.ENTER, ONE, 1, to=0, hunt=7), Code.UNKNOWN_HUNT),
        (move(Kind.ENTER, ONE, 1, to=0, hunt=9), Code.UNKNOWN_HUNT),
        (move(Kind.ENTER, ONE, 1, to=beyond), Code.UNKNOWN_NODE),
        (move(Kind.ENTER, ONE, 1, to=0, hunt=0, arg=2), Code.BAD_TEAM),
        (move(Kind.ENTER, ONE, 1, to=0, hunt=1), Code.HUNT_NOT_OPEN),
        (move(Kind.ENTER, ONE, 1, to=node), Code.OK),
        (move(Kind.CLAIM, ONE, 2, **claim), Code.UNKNOWN_HUNT),
        (move(Kind.ENTER, ONE, 3, to=node, hunt=0), Code.OK),
        (move(Kind.GO, ONE, 4, from_=far, to=node), Code.WRONG_NODE),
        (move(Kind.GO, ONE, 5, from_=node, to=far), Code.NO_EDGE),
        (move(Kind.GO, ONE, 6, from_=node, to=beyond), Code.UNKNOWN_NODE),
        (move(Kind.EDGE_CLOSE, from_=node, to=near), Code.OK),
        (move(Kind.GO, ONE, 7, from_=node, to=near), Code.EDGE_CLOSED),
        (move(Kind.EDGE_OPEN, from_=node, to=near), Code.OK),
        (move(Kind.GO, ONE, 9, from_=node, to=near), Code.SEQ_GAP),
        (move(Kind.GO, ONE, 3, from_=node, to=near), Code.DUPLICATE),
        (move(Kind.GO, ONE, 7, from_=node, to=near), Code.EDGE_CLOSED),
        (move(Kind.GO, ONE, 8, from_=node, to=near), Code.OK),
        (move(Kind.CLAIM, ONE, 9, **claim), Code.NOTHING_HERE),
        (move(Kind.HINT, ONE, 10), Code.OK),
        (move(Kind.HINT, ONE, 11), Code.HINT_EARLY),
        (move(Kind.LEAVE, ONE, 12), Code.OK),
        (move(Kind.CLAIM, ONE, 13, **claim), Code.NOT_PRESENT),
    ]


def edge_steps(world: World) -> Steps:
    """Changes of edges, in a partition with room for one more."""
    node, near, far = walled_node(world)
    joined = {node, far, *world.row(far)[0].tolist()}
    apart = next(other for other in range(world.nodes) if other not in joined)
    return [
        (move(Kind.EDGE_PRICE, from_=node, to=near, arg=0), Code.BAD_COST),
        (move(Kind.EDGE_PRICE, from_=node, to=near, arg=COST_MAX + 1), Code.BAD_COST),
        (move(Kind.EDGE_PRICE, from_=node, to=far, arg=5), Code.NO_EDGE),
        (move(Kind.EDGE_CLOSE, from_=world.nodes, to=0), Code.UNKNOWN_NODE),
        (move(Kind.EDGE_ADD, from_=node, to=node, arg=5), Code.BAD_EDGE),
        (move(Kind.EDGE_ADD, from_=node, to=near, arg=5), Code.EDGE_EXISTS),
        (move(Kind.EDGE_ADD, from_=node, to=far, arg=0), Code.BAD_COST),
        (move(Kind.EDGE_ADD, from_=node, to=far, arg=5), Code.OK),
        (move(Kind.EDGE_REMOVE, from_=far, to=node), Code.NO_EDGE),
        (move(Kind.EDGE_ADD, from_=far, to=node, arg=5), Code.OK),
        (move(Kind.EDGE_REMOVE, from_=node, to=near), Code.OK),
        (move(Kind.EDGE_REMOVE, from_=node, to=near), Code.NO_EDGE),
        (move(Kind.EDGE_ADD, from_=far, to=apart, arg=5), Code.EDGES_FULL),
    ]


def claim_steps() -> Steps:
    """Claims, each treasure's rule once; then the table of players is full."""
    found: Steps = []
    for player, team in ((TWO, 0), (THREE, 1), (MATE, 0)):
        found.append((move(Kind.ENTER, player, 1, to=PLACES[0], hunt=0, arg=team), Code.OK))
    codes = {
        TWO: [Code.OK, Code.OK, Code.OK, Code.LOCKED, Code.NOT_IN_WINDOW],
        THREE: [Code.TAKEN, Code.OK, Code.OK, Code.LOCKED, Code.NOT_IN_WINDOW],
        MATE: [Code.TAKEN, Code.TEAM_WON, Code.OK, Code.LOCKED, Code.NOT_IN_WINDOW],
    }
    for player, team in ((TWO, 0), (THREE, 1), (MATE, 0)):
        for n, code in enumerate(codes[player]):
            enter = move(Kind.ENTER, player, 2 + 2 * n, to=PLACES[n], hunt=0, arg=team)
            found += [(enter, Code.OK), (move(Kind.CLAIM, player, 3 + 2 * n, arg=n), code)]
    found += [
        (move(Kind.ENTER, TWO, 12, to=PLACES[2], hunt=0, arg=0), Code.OK),
        (move(Kind.CLAIM, TWO, 13, arg=NONE), Code.ALREADY_WON),
        (move(Kind.ENTER, TWO, 14, to=PLACES[2], hunt=0, arg=1), Code.BAD_TEAM),
        (move(Kind.ENTER, 15, 1, to=0), Code.OK),
        (move(Kind.ENTER, 16, 1, to=0), Code.OK),
        (move(Kind.ENTER, 17, 1, to=0), Code.PLAYERS_FULL),
        (move(Kind.HINT, 15, 2), Code.UNKNOWN_HUNT),
        (move(Kind.ENTER, 15, 3, to=0, hunt=2), Code.OK),
        (move(Kind.HINT, 15, 4), Code.NO_HINT),
    ]
    return found


def control_steps(world: World) -> Steps:
    """Rows and orders over the control socket."""
    begin = rule(Kind.HUNT_BEGIN, hunt=4, teams=2)
    bad_gate = {"index": 0, "from": 0, "to": world.nodes}
    return [
        (move(Kind.EDGE_CLOSE, from_=0, to=world.nodes), Code.UNKNOWN_NODE),
        (rule(Kind.HUNT_BEGIN, hunt=0), Code.HUNT_IN_USE),
        (rule(Kind.HUNT_BEGIN, hunt=8), Code.UNKNOWN_HUNT),
        (rule(Kind.HUNT_STAGE, hunt=0, form=1, rule=1), Code.NOT_LOADING),
        (rule(Kind.HUNT_PUBLISH, hunt=3), Code.NOT_LOADING),
        (rule(Kind.HUNT_BEGIN, hunt=4, teams=65), Code.BAD_RULE),
        (begin, Code.OK),
        (rule(Kind.HUNT_STAGE, hunt=4, index=1, form=1, rule=1), Code.BAD_RULE),
        (rule(Kind.HUNT_STAGE, hunt=4, form=3, rule=1), Code.BAD_RULE),
        (rule(Kind.HUNT_STAGE, hunt=4, form=1, rule=1, from_=world.nodes), Code.UNKNOWN_NODE),
        (rule(Kind.HUNT_NEED, hunt=4, index=0, mask=1), Code.BAD_RULE),
        (rule(Kind.HUNT_GATE, hunt=4, index=0), Code.OK),
        (rule(Kind.HUNT_GATE_EDGE, hunt=4, **bad_gate), Code.UNKNOWN_NODE),
        (rule(Kind.HUNT_GATE_EDGE, hunt=4, index=0, from_=0, to=0), Code.NO_EDGE),
        (rule(Kind.HUNT_TRAFFIC, hunt=4, stock=255, index=1), Code.BAD_RULE),
        (rule(Kind.HUNT_PUBLISH, hunt=4, count=9), Code.BAD_RULE),
        (move(Kind.HUNT_PAUSE, hunt=4), Code.HUNT_NOT_OPEN),
        (move(Kind.HUNT_RESUME, hunt=0), Code.HUNT_NOT_OPEN),
        (move(Kind.HUNT_CLOSE, hunt=5), Code.HUNT_NOT_OPEN),
        (unknown_kind(8), Code.BAD_KIND),
        (unknown_kind(200), Code.BAD_KIND),
    ]


def unknown_kind(kind: int) -> Records:
    """A record of a kind that the table does not have."""
    record = move(Kind.ENTER)
    record["kind"] = kind
    return record


def judge(steps: Steps, updates: Records) -> None:
    """Each step has its code; without a position unless the rules say that the move is taken."""
    names = [Code(int(code)).name for code in updates["code"]]
    assert names == [code.name for _, code in steps]
    for (record, code), update in zip(steps, updates, strict=True):
        if code in (Code.SEQ_GAP, Code.UNKNOWN_PLAYER, Code.PLAYERS_FULL):
            assert update["position"] == 0
        elif code == Code.DUPLICATE:
            assert update["flags"] & Flag.DUPLICATE
        elif code == Code.OK:
            assert update["position"] > 0
        if record.dtype == MOVE:
            assert update["player"] == record["player"][0]


async def play(actor: Actor, client: IndependentClient, world: World) -> None:
    """All steps, and the paused hunt."""
    both = [first_hunt(), published(1, [], opens=FAR_TICKS), published(2, [])]
    last = (await actor.control(np.concatenate(both))).updates["position"][-1]
    assert last > 0
    counters = actor.counters()
    await until(lambda: counters.value("durable") > last)
    for steps in (player_steps(world), edge_steps(world), claim_steps()):
        updates, _ = await client.moves(rows(*(record for record, _ in steps)))
        judge(steps, updates)
    steps = control_steps(world)
    answers: Any = [(await actor.control(record)).updates for record, _ in steps]
    judge(steps, np.concatenate(answers))
    await actor.pause(2)
    ticks = counters.value("tick")
    await until(lambda: counters.value("tick") > ticks)
    late = [(move(Kind.CLAIM, 15, 5), Code.HUNT_PAUSED), (move(Kind.HINT, 15, 6), Code.HUNT_PAUSED)]
    updates, _ = await client.moves(rows(*(record for record, _ in late)))
    judge(late, updates)


@pytest.mark.fault
def test_each_refusal_has_its_code_and_the_log_gives_the_same_state(short_path: Path) -> None:
    async def test() -> None:
        directory = short_path / "run"
        async with serving(directory, players=PLAYERS, added_edges=1) as actor:
            async with linked(actor) as client:
                await play(actor, client, ground().world)
            stopped = await actor.stop()
        assert stopped is not None
        prove(ground(), directory, stopped.state_hash, PLAYERS)

    within(test)
