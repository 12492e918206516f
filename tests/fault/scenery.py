"""A hunt with everything that changes state: treasures of each rule, clues, gates, traffic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from huntgraph.cluster.actor import Actor
from huntgraph.cluster.control import refuse
from huntgraph.schema import Form, Kind, Rule
from huntgraph.world import World
from tests.servers import rule, until

TREASURES = 48
Records = NDArray[np.void]


def goals(world: World) -> list[int]:
    """Nodes of the clues and treasures, spread over the world."""
    return [(n + 1) * world.nodes // (TREASURES + 2) for n in range(TREASURES + 1)]


def hunt_rows(world: World) -> Records:
    """The rows that publish the hunt into slot 0: 2 teams, 1 clue, treasures, 2 gates, traffic."""
    places = goals(world)
    who = [Rule.EXCLUSIVE, Rule.TEAM, Rule.PLAYER]
    body = [rule(Kind.HUNT_STAGE, index=0, form=Form.CLUE, rule=Rule.PLAYER, from_=places[0])]
    for n, node in enumerate(places[1:], 1):
        stage = {"form": Form.TREASURE, "rule": who[n % 3], "from_": node, "points": n}
        body.append(rule(Kind.HUNT_STAGE, index=n, **stage))
    body.append(rule(Kind.HUNT_NEED, index=5, mask=1))
    body += [rule(Kind.HUNT_HINT, index=0, delay=0, cost=n) for n in range(3)]
    for n, mask in enumerate([0b110, 0b11000]):
        body.append(rule(Kind.HUNT_GATE, index=n, flags=n, mask=mask))
        tail = places[10 + n]
        body += [
            rule(Kind.HUNT_GATE_EDGE, index=n, from_=tail, to=int(head))
            for head, cost in zip(*world.row(tail), strict=True)
            if cost
        ]
    body.append(rule(Kind.HUNT_TRAFFIC, stock=40, points=4, index=2, delay=10, cost=3))
    begin = rule(Kind.HUNT_BEGIN, teams=2, hunt_id=77)
    return np.concatenate([begin, *body, rule(Kind.HUNT_PUBLISH, count=len(body))])


async def publish(actor: Actor, world: World) -> None:
    """Publish the hunt and wait until it is open and on disk."""
    answers = refuse(await actor.control(hunt_rows(world)))
    last = int(answers.updates["position"][-1])
    counters = actor.counters()
    await until(lambda: counters.value("durable") > last)
