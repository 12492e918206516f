"""What a hunt compiles into, and that the model and the engine take it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.errors import UsageError
from huntgraph.hunt import HuntInvalidError, generate_hunt, load, wait_ticks
from huntgraph.model import Model
from huntgraph.schema import RULE, Code, Form, Kind, Rule, State
from huntgraph.world import World
from tests.unit.hunt.grounds import grid, hunt_of

EXAMPLES = Path(__file__).parents[3] / "examples" / "hunts"
TEXT = """
    hunt: rows
    duration: 1h
    opens: 10s
    teams: [red, blue, green]
    traffic: {rise: 7, bucket: 16, bucket_cost: 3, decay_share: 1/4, decay_every: 5s}
    stages:
      - clue: a
        at: {x: 1, y: 1}
        points: 5
        hints: [{after: 1m, cost: 2, text: x}, {after: 2m, cost: 3, text: y}]
      - clue: b
        at: 3
        window: {from: 1m, to: 30m}
      - treasure: c
        at: {name: 109}
        needs: {any: [b, {all: [a, b]}, a]}
        who: team
        points: 70
        reward: {id: coin}
      - treasure: d
        at: 4
        needs: [a, c]
        stock: 9
    gates:
      - gate: g
        edges: [[1, 2]]
        both_ways: [[{x: 0, y: 0}, 5]]
        shut_at_start: true
        flips_when: [a, c]
        opens_at: 20m
"""


def _row(kind: Kind, **fields: int) -> tuple[Any, ...]:
    row = np.zeros((), dtype=RULE)
    row["kind"], row["hunt"] = kind, 2
    for name, value in fields.items():
        row[name.rstrip("_")] = value
    return tuple(row.item())


def test_rows_say_what_the_file_says() -> None:
    hunt = hunt_of(TEXT)
    rows = hunt.compile(grid(5, 5), 2)
    clue, treasure = Form.CLUE, Form.TREASURE
    hint = Kind.HUNT_HINT
    assert rows.dtype == RULE
    assert [tuple(row.item()) for row in rows] == [
        _row(Kind.HUNT_BEGIN, teams=3, opens=200, closes=72_000, hunt_id=hunt.hunt_id),
        _row(Kind.HUNT_STAGE, index=0, form=clue, rule=Rule.PLAYER, from_=6, points=5),
        _row(hint, index=0, delay=1_200, cost=2),
        _row(hint, index=0, delay=2_400, cost=3),
        _row(
            Kind.HUNT_STAGE, index=1, form=clue, rule=Rule.PLAYER, from_=3, opens=1_200,
            closes=36_000,
        ),
        _row(Kind.HUNT_STAGE, index=2, form=treasure, rule=Rule.TEAM, from_=9, points=70),
        _row(Kind.HUNT_NEED, index=2, mask=0b01),
        _row(Kind.HUNT_NEED, index=2, mask=0b10),
        _row(Kind.HUNT_STAGE, index=3, form=treasure, rule=Rule.PLAYER, from_=4, stock=9),
        _row(Kind.HUNT_NEED, index=3, mask=0b101),
        _row(Kind.HUNT_GATE, index=0, flags=1, opens=24_000, mask=0b101),
        _row(Kind.HUNT_GATE_EDGE, index=0, from_=1, to=2),
        _row(Kind.HUNT_GATE_EDGE, index=0, from_=0, to=5),
        _row(Kind.HUNT_GATE_EDGE, index=0, from_=5, to=0),
        _row(Kind.HUNT_TRAFFIC, index=2, stock=7, points=4, delay=100, cost=3),
        _row(Kind.HUNT_PUBLISH, count=14),
    ]  # fmt: skip


def _publish_in_model(world: World, rows: NDArray[np.void]) -> Model:
    model = Model(world.first, world.head, world.cost)
    codes = [model.apply(row).code for row in rows]
    assert codes == [Code.OK] * len(rows)
    return model


@pytest.mark.parametrize("name", ["first.yaml", "harbour-night.yaml"])
def test_the_model_takes_the_examples(name: str) -> None:
    world = grid(32, 32, diagonal=True)
    hunt = load(EXAMPLES / name)
    model = _publish_in_model(world, hunt.compile(world, 5))
    assert model.hunts[5].state == State.READY
    assert model.hunts[5].hunt_id == hunt.hunt_id


@pytest.mark.parametrize("name", ["first.yaml", "harbour-night.yaml"])
def test_the_engine_takes_the_examples(name: str) -> None:
    world = grid(32, 32, diagonal=True)
    _publish_in_engine(world, load(EXAMPLES / name).compile(world, 7))


@pytest.mark.parametrize("seed", range(5))
def test_the_engine_takes_generated_hunts(seed: int) -> None:
    world = grid(24, 24)
    _publish_in_engine(world, generate_hunt(world, seed=seed).compile(world, seed))


def _publish_in_engine(world: World, rows: NDArray[np.void]) -> None:
    engine_class = getattr(importlib.import_module("huntgraph._core"), "Engine", None)
    if engine_class is None:
        pytest.skip("huntgraph._core was built without Engine: build it with 'make build'")
    engine = engine_class(world.first, world.head, world.cost, players=8)
    updates = engine.apply(rows.view(np.uint8).reshape(-1, 64))
    codes = np.ascontiguousarray(updates[:, 2:4]).view("<u2").ravel()
    assert codes.tolist() == [Code.OK] * len(rows)


def test_hunts_that_cannot_be_published_are_refused_with_all_errors() -> None:
    text = TEXT.replace("needs: [a, c]", "needs: [a, q]").replace("at: 3", "at: 99")
    with pytest.raises(HuntInvalidError) as caught:
        hunt_of(text).compile(grid(5, 5), 0)
    assert {each.code for each in caught.value.findings} == {"HG1211", "HG1250"}


def test_a_slot_outside_is_refused() -> None:
    for slot in (-1, 8):
        with pytest.raises(UsageError, match="hunt slot"):
            hunt_of(TEXT).compile(grid(5, 5), slot)


def test_a_time_becomes_ticks_when_the_hunt_is_published() -> None:
    hunt = hunt_of(TEXT.replace("10s", "2027-05-01T14:00:00+02:00"))
    opens_ms = 1_809_172_800_000
    assert wait_ticks(hunt, opens_ms - 1_000) == 20
    assert wait_ticks(hunt, opens_ms - 1_001) == 21  # never early
    assert wait_ticks(hunt, opens_ms + 5) == 0
    assert hunt.compile(grid(5, 5), 0, now_ms=opens_ms - 60_000)[0]["opens"] == 1_200
    with pytest.raises(HuntInvalidError, match="six years"):
        wait_ticks(hunt, 0)


def test_the_id_stands_for_the_meaning_not_the_spelling() -> None:
    hunt = hunt_of(TEXT)
    same = hunt_of(
        TEXT.replace("1m, cost: 2", "60s,  cost: 2").replace(
            "needs: [a, c]", "needs: {all: [a, c]}"
        )
    )
    assert same.hunt_id == hunt.hunt_id
    assert hunt_of(TEXT.replace("text: x", "text: {en: x}")).hunt_id == hunt.hunt_id
    assert hunt_of(TEXT.replace("points: 70", "points: 71")).hunt_id != hunt.hunt_id
    assert hunt_of(TEXT.replace("text: x", "text: z")).hunt_id != hunt.hunt_id
