"""A hunt is in all partitions or in none, and an order says where it was done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.cluster import Answers, control_move, publish_everywhere, steer_everywhere
from huntgraph.cluster.hunts import Send, holders
from huntgraph.engine import Engine, ticks
from huntgraph.errors import ActorError, RefusedError
from huntgraph.hunt import Hunt
from huntgraph.schema import RECEIPT, Code, Kind
from huntgraph.world import Parts, World, split

PARTS = 3


@pytest.fixture(scope="module")
def parts(world: World) -> Parts:
    """The world in parts."""
    return split(world, PARTS)


def sends(engines: list[Engine]) -> dict[int, Send]:
    """The engines as an actor's control socket reaches them."""

    def of(engine: Engine) -> Callable[[NDArray[np.void]], Awaitable[Answers]]:
        async def send(records: NDArray[np.void]) -> Answers:
            return Answers(engine.apply(records), np.zeros(0, RECEIPT))

        return send

    return {number: of(engine) for number, engine in enumerate(engines)}


def opens(engine: Engine) -> bool:
    """Whether slot 0 is open after a while, seen by whether it can be paused."""
    engine.apply(ticks(engine.tick + 1, 40))
    return int(engine.apply(control_move(Kind.HUNT_PAUSE, 0))["code"][0]) == Code.OK


def test_it_is_published_in_all(parts: Parts, hunt: Hunt) -> None:
    engines = [Engine(part) for part in parts]
    rows = hunt.compile_parts(parts, 0)
    told = asyncio.run(publish_everywhere(sends(engines), rows))
    assert list(told) == [0, 1, 2]
    assert asyncio.run(holders(sends(engines), rows)) == [0, 1, 2]
    assert [opens(engine) for engine in engines] == [True] * PARTS


def test_what_one_refuses_at_last_is_closed_in_the_others(parts: Parts, hunt: Hunt) -> None:
    engines = [Engine(part) for part in parts]
    rows = hunt.compile_parts(parts, 0)
    rows[1]["count"][-1] += 1
    with pytest.raises(RefusedError, match="closed again") as refused:
        asyncio.run(publish_everywhere(sends(engines), rows))
    assert (refused.value.refusal, refused.value.where) == (Code.BAD_RULE, "slot 0, partition 1")
    assert [opens(engine) for engine in engines] == [False] * PARTS
    rows[1]["count"][-1] -= 1
    asyncio.run(publish_everywhere(sends(engines), rows))


def test_one_that_does_not_answer_keeps_it_from_all(parts: Parts, hunt: Hunt) -> None:
    engines = [Engine(part) for part in parts]
    given = sends(engines)

    async def gone(records: NDArray[np.void]) -> Answers:
        raise ActorError("no answer within 30 s", where="actor-02", code="HG1451")

    with pytest.raises(ActorError, match="not published anywhere"):
        asyncio.run(publish_everywhere({**given, 2: gone}, hunt.compile_parts(parts, 0)))
    assert [opens(engine) for engine in engines] == [False] * PARTS


def test_an_order_says_where_it_was_done(parts: Parts, hunt: Hunt) -> None:
    engines = [Engine(part) for part in parts]
    asyncio.run(publish_everywhere(sends(engines), hunt.compile_parts(parts, 0)))
    engines[1].apply(control_move(Kind.HUNT_CLOSE, 0))
    for engine in engines:
        engine.apply(ticks(1, 40))
    with pytest.raises(RefusedError, match="done in partitions 0, 2") as refused:
        asyncio.run(steer_everywhere(sends(engines), control_move(Kind.HUNT_PAUSE, 0)))
    assert refused.value.where == "slot 0, partition 1"
