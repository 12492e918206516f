"""Guidance of the engine while traffic, closures and prices move the weights under it."""

from __future__ import annotations

import os
from random import Random

import pytest

from huntgraph.schema import NONE, Flag, Form, Kind, Rule
from tests.model.checker import ALL_WORK, Pair, engine_class
from tests.model.strategies import change_edge
from tests.model.worlds import Record, grid_world, next_move, record_of, tick_of

pytestmark = pytest.mark.skipif(engine_class() is None, reason="huntgraph._core has no Engine yet")

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
PLAYERS = range(1, 25)


def opening(rng: Random, nodes: int, stages: int) -> list[Record]:
    """A hunt of treasures that every player can win once, with heavy traffic; and its opening."""
    rows = [record_of(Kind.HUNT_BEGIN, hunt=0, hunt_id=1)]
    for index in range(stages):
        stage = {"form": Form.TREASURE, "rule": Rule.PLAYER, "tail": rng.randrange(nodes)}
        rows.append(record_of(Kind.HUNT_STAGE, hunt=0, index=index, points=1, **stage))
    heat = {"stock": 30, "points": 4, "index": 2, "delay": 5, "cost": 3}
    rows.append(record_of(Kind.HUNT_TRAFFIC, hunt=0, **heat))
    rows.append(record_of(Kind.HUNT_PUBLISH, hunt=0, count=stages + 1))
    return [*rows, record_of(Kind.TICK, arg=1)]


def follow(rng: Random, pair: Pair, advice: dict[int, int]) -> list[Record]:
    """Each player's next step: claim on arrival, go where it was told, or anywhere."""
    model, records = pair.model, []
    for number in PLAYERS:
        player = model.player(number)
        if player is None or rng.random() < 0.01:
            head = rng.randrange(model.nodes)
            records.append(next_move(model, number, Kind.ENTER, hunt=0, head=head))
            continue
        row = model.row(player.node)
        ways = [int(model.head[edge]) for edge in row if not model.closed[edge]]
        told = advice.get(number, NONE)
        if told == player.node:
            records.append(next_move(model, number, Kind.CLAIM, arg=NONE))
        elif ways:
            head = told if told in ways and rng.random() < 0.9 else rng.choice(ways)
            records.append(next_move(model, number, Kind.GO, tail=player.node, head=head))
    return records


def play(seed: int, rounds: int, fields: int, slices: list[int]) -> Pair:
    """Players follow the engine's own advice; every answer on the way is checked."""
    print(f"seed {seed}")
    rng = Random(seed)
    pair = Pair(grid_world(rng, 18, 14, greatest=6), players=64, fields=fields)
    pair.apply(opening(rng, pair.model.nodes, stages=9))
    advice: dict[int, int] = {}
    for number in range(rounds):
        pair.apply(follow(rng, pair, advice))
        for row in pair.updates:
            flags = int(row["flags"])
            there = int(row["next"]) if flags & Flag.GUIDED else NONE
            there = int(row["node"]) if flags & Flag.ARRIVED else there
            advice[int(row["player"])] = there
        pair.apply([record for _ in range(3) for record in change_edge(rng, pair.model)])
        pair.work(rng.choice(slices))
        if number % 3 == 2:
            pair.apply([tick_of(pair.model)])
            pair.work(rng.choice(slices))
    pair.compare_state()
    return pair


@pytest.mark.parametrize("seed", range(40, 60) if SOAK else range(40, 42))
def test_every_answer_is_exact_for_its_epoch_or_for_now(seed: int) -> None:
    """Work comes in slices too small to keep up, so that answers are exact for older epochs."""
    pair = play(seed, rounds=90, fields=16, slices=[1, 10, 60, 300])
    assert pair.seen["late"] > 0, f"seed {seed}: no answer was for an older epoch: {pair.seen}"
    assert pair.seen["exact now"] > 0, f"seed {seed}: {pair.seen}"
    assert pair.seen["CLAIMED"] > 0, f"seed {seed}: nobody was led to a treasure: {pair.seen}"


@pytest.mark.parametrize("fields", [1, 3])
def test_more_targets_than_fields_are_never_answered_wrongly(fields: int) -> None:
    pair = play(77, rounds=60, fields=fields, slices=[50, ALL_WORK])
    assert pair.seen["exact now"] + pair.seen["certified"] > 0, pair.seen


def test_with_time_enough_every_answer_is_guided() -> None:
    pair = play(78, rounds=60, fields=16, slices=[ALL_WORK])
    guided = pair.seen["exact now"] + pair.seen["certified"]
    assert guided > 0.9 * pair.seen["targets"], pair.seen
    assert pair.seen["idle"] > 0, "the engine never came to rest"
