"""Asks a real engine for distances: a one-treasure hunt at the goal, a player at each start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from huntgraph.engine import Engine, Records, move, ticks
from huntgraph.schema import HUNTS, NONE, RULE, Code, Flag, Form, Kind, Rule
from huntgraph.world import World

EXACT = Flag.EXACT_NOW | Flag.CERTIFIED
ROUNDS = 16
"""Rounds after which a field has doubled to any size."""


def treasure(hunt: int, node: int) -> NDArray[np.void]:
    """Rows that publish a hunt of one treasure, which every player may win. Shape (3,), RULE."""
    rows = np.zeros(3, RULE)
    rows["kind"] = Kind.HUNT_BEGIN, Kind.HUNT_STAGE, Kind.HUNT_PUBLISH
    rows["hunt"], rows["hunt_id"][0], rows["count"][2] = hunt, hunt + 1, 1
    rows["form"][1], rows["rule"][1], rows["from"][1] = Form.TREASURE, Rule.PLAYER, node
    return rows


class Guide:
    """An engine over a world that does nothing but answer; HUNTS goals at a time."""

    def __init__(self, world: World, added_edges: int = 0) -> None:
        self.engine = Engine(world, players=HUNTS, fields=HUNTS, added_edges=added_edges)
        self._seq = [0] * HUNTS
        self._open = 0

    def apply(self, records: NDArray[Any]) -> Records:
        """Apply records that must all be done."""
        updates = self.engine.apply(records)
        bad = updates[updates["code"] != Code.OK]
        assert not len(bad), f"{len(bad)} of {len(updates)} records refused, first {bad[0]}"
        return updates

    def tick(self) -> None:
        """Let 50 ms of logged time pass."""
        self.apply(ticks(self.engine.tick + 1))

    def ask(self, goals: Sequence[int], starts: Sequence[ArrayLike]) -> list[Records]:
        """Give the updates of a player at each of `starts[i]` that is guided to `goals[i]`.

        Every answer is exact for the weights as they are now, or the call fails.
        """
        if self._open:
            self.apply(move(Kind.HUNT_CLOSE, hunt=np.arange(self._open)))
            self.tick()
        self._open = len(goals)
        for hunt, goal in enumerate(goals):
            self.apply(treasure(hunt, goal))
        self.tick()
        for hunt, nodes in enumerate(starts):
            self._enter(hunt, np.ravel(nodes)[:1])
        self.engine.work()
        return [self._exact(self._guided(hunt, nodes)) for hunt, nodes in enumerate(starts)]

    def _guided(self, hunt: int, nodes: ArrayLike) -> Records:
        """Ask until nothing is pending: a field grows as far as it is asked from."""
        for _ in range(ROUNDS):
            updates = self._enter(hunt, nodes)
            if not (updates["flags"] & Flag.PENDING).any():
                return updates
            self.engine.work()
        raise AssertionError(f"still pending after {ROUNDS} rounds")

    def ask_all(
        self, goals: Sequence[int], starts: Sequence[ArrayLike]
    ) -> Iterator[tuple[int, ArrayLike, Records]]:
        """Ask about any number of goals; give each with its starts and updates."""
        for at in range(0, len(goals), HUNTS):
            part = slice(at, at + HUNTS)
            answers = self.ask(goals[part], starts[part])
            yield from zip(goals[part], starts[part], answers, strict=True)

    def _enter(self, hunt: int, nodes: ArrayLike) -> Records:
        places = np.ravel(nodes)
        seq = self._seq[hunt] + 1 + np.arange(len(places))
        self._seq[hunt] += len(places)
        records = move(Kind.ENTER, player=hunt + 1, seq=seq, hunt=hunt, to=places)
        return self.apply(records)

    def _exact(self, updates: Records) -> Records:
        flags = updates["flags"]
        assert (flags & EXACT != 0).all(), updates[flags & EXACT == 0][:3]
        assert (updates["epoch"] == self.engine.tick).all()
        lost = flags & Flag.NO_PATH != 0
        assert (lost == (updates["distance"] == NONE)).all()
        self.engine.events()
        return updates
