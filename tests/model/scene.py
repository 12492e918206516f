"""A partition with short words for what players, game masters and the clock do to it.

Where the engine is built, it gets every record too and must agree: a case written by hand for the
rules is a case for both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from huntgraph.model import Answer, Hunt, Model, Player
from huntgraph.schema import NONE, Event, Form, Kind, Rule
from tests.model.checker import Pair, engine_class
from tests.model.worlds import NO_HUNT, Record, World, next_move, record_of, tick_of, world_of

SMALL = world_of(
    6,
    [
        *((0, 1, 5), (1, 0, 5), (1, 2, 7), (2, 1, 7), (2, 3, 5), (3, 2, 5)),
        *((0, 3, 20), (3, 0, 20), (3, 4, 9)),
    ],
)
"""A square 0-1-2-3 with 3 -> 4 one way (4 -> 3 is an absent slot); node 5 stands alone."""


class Scene:
    """One partition; `model_only` is for tests that reach into the model's state."""

    def __init__(
        self,
        world: World = SMALL,
        players: int = 8,
        added_edges: int = 8,
        model_only: bool = False,
    ) -> None:
        alone = model_only or engine_class() is None
        self.pair = None if alone else Pair(world, players=players, added_edges=added_edges)
        alike = Model(*world, players, 2 * added_edges)
        self.model = alike if self.pair is None else self.pair.model

    def apply(self, record: Record) -> Answer:
        """Applies one record, and compares where there is an engine."""
        if self.pair is None:
            return self.model.apply(record)
        (answer,) = self.pair.apply([record])
        self.pair.compare_state()
        return answer

    def send(self, kind: int, **fields: int) -> Answer:
        """Applies one record."""
        return self.apply(record_of(kind, **fields))

    def do(self, player: int, kind: int, **fields: int) -> Answer:
        """Applies the player's next record."""
        return self.apply(next_move(self.model, player, kind, **fields))

    def enter(self, player: int, node: int = 0, hunt: int = NO_HUNT, team: int = 0) -> Answer:
        return self.do(player, Kind.ENTER, head=node, hunt=hunt, arg=team)

    def go(self, player: int, head: int) -> Answer:
        return self.do(player, Kind.GO, tail=self.player(player).node, head=head)

    def walk(self, player: int, *nodes: int) -> list[Answer]:
        return [self.go(player, node) for node in nodes]

    def claim(self, player: int, stage: int = NONE) -> Answer:
        return self.do(player, Kind.CLAIM, arg=stage)

    def hint(self, player: int) -> Answer:
        return self.do(player, Kind.HINT)

    def leave(self, player: int) -> Answer:
        return self.do(player, Kind.LEAVE)

    def tick(self, count: int = 1) -> Answer:
        """Applies ticks and gives the last one's answer."""
        for _ in range(count):
            answer = self.apply(tick_of(self.model))
            assert answer.code == 0
        return answer

    def row(self, kind: int, hunt: int = 0, **fields: int) -> Answer:
        return self.send(kind, hunt=hunt, **fields)

    def load(self, *rows: dict[str, int], hunt: int = 0, **begin: int) -> None:
        """Loads and publishes a hunt; it opens at the next tick."""
        assert self.row(Kind.HUNT_BEGIN, hunt, **{"hunt_id": 77, **begin}).code == 0
        for row in rows:
            assert self.row(hunt=hunt, **row).code == 0, row
        assert self.row(Kind.HUNT_PUBLISH, hunt, count=len(rows)).code == 0

    def open(self, *rows: dict[str, int], hunt: int = 0, **begin: int) -> None:
        """Loads a hunt and opens it."""
        self.load(*rows, hunt=hunt, **begin)
        self.tick()

    def player(self, number: int) -> Player:
        player = self.model.player(number)
        assert player is not None
        return player

    def hunt(self, slot: int = 0) -> Hunt:
        return self.model.hunts[slot]

    def edge(self, tail: int, head: int) -> int:
        return self.model.find_edge(tail, head)

    def weight(self, tail: int, head: int) -> int:
        return int(self.model.weights()[self.edge(tail, head)])

    def closed(self, tail: int, head: int) -> bool:
        return bool(self.model.closed[self.edge(tail, head)])

    def heat(self, tail: int, head: int) -> int:
        return int(self.model.heat[self.edge(tail, head)])

    def state(self) -> tuple[Any, ...]:
        """What a record refused without a position must leave as it was."""
        return self.model.position, self.model.tick, self.model.state_hash()


def clue(index: int, node: int, **fields: int) -> dict[str, int]:
    """The row of a clue that each player can find once."""
    return stage(index, node, form=Form.CLUE, **fields)


def treasure(index: int, node: int, rule: int = Rule.EXCLUSIVE, **fields: int) -> dict[str, int]:
    """The row of a treasure."""
    return stage(index, node, form=Form.TREASURE, rule=rule, **fields)


def stage(index: int, node: int, **fields: int) -> dict[str, int]:
    fixed = {"kind": Kind.HUNT_STAGE, "index": index, "tail": node, "rule": Rule.PLAYER}
    return {**fixed, "points": 10, **fields}


def need(index: int, *stages: int) -> dict[str, int]:
    """All of these stages: one alternative."""
    return {"kind": Kind.HUNT_NEED, "index": index, "mask": sum(1 << s for s in stages)}


def hint_row(index: int, delay_ticks: int, cost: int) -> dict[str, int]:
    return {"kind": Kind.HUNT_HINT, "index": index, "delay": delay_ticks, "cost": cost}


def gate(index: int, shut: bool = False, *stages: int, **fields: int) -> dict[str, int]:
    """A gate that these stages flip."""
    mask = sum(1 << s for s in stages)
    return {"kind": Kind.HUNT_GATE, "index": index, "flags": int(shut), "mask": mask, **fields}


def gate_edge(index: int, tail: int, head: int) -> dict[str, int]:
    return {"kind": Kind.HUNT_GATE_EDGE, "index": index, "tail": tail, "head": head}


def traffic(rise: int, shift: int, decay: int, period_ticks: int, cost: int) -> dict[str, int]:
    fields = {"stock": rise, "points": shift, "index": decay, "delay": period_ticks, "cost": cost}
    return {"kind": Kind.HUNT_TRAFFIC, **fields}


def kinds(answer: Answer) -> list[str]:
    """The names of an answer's events, in order."""
    return [Event(event.kind).name for event in answer.events]


def mixed(a: int, b: int) -> int:
    """The mix of the state hash on Python's own big integers."""
    product = (a ^ 0x9E3779B97F4A7C15) * (b ^ 0xD1B54A32D192ED03)
    return (product & (2**64 - 1)) ^ product >> 64


def as_array(*values: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.array(values, np.uint64)
