"""A hunt that grows and shrinks: images carried over are those that were that size from the start.

Random histories, hunts, changed edges and corrections among them, go on in images of other sizes
every now and then. Each is compared with an image of its size that took all of the log, to the last
byte, and the model, whose tables get other limits, says the same from there on.
"""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from huntgraph.schema import Flag, Kind
from tests.model.checker import MismatchError, Pair, engine_class, same
from tests.model.strategies import next_records
from tests.model.worlds import Record, World, grid_world

pytestmark = pytest.mark.skipif(engine_class() is None, reason="the extension is not built")

SIZES = [(4, 1), (12, 3), (30, 0), (41, 60), (64, 1000)]
"""Players and added edges; there are 41 ids at most."""
WIDTH = 5


class Growing:
    """A history that goes on in images of other sizes."""

    def __init__(self, seed: int) -> None:
        print(f"seed {seed}")
        self.rng = Random(seed)
        self.world: World = grid_world(self.rng, WIDTH, WIDTH)
        self.players, self.added_edges = SIZES[0]
        self.pair = Pair(self.world, players=self.players, added_edges=self.added_edges)
        self.log: list[Record] = []
        self.refused = self.carried = 0

    def live(self, deeds: int) -> None:
        """Some random records; the model compares what comes of them."""
        for _ in range(deeds):
            records = next_records(self.rng, self.pair.model)
            answers = self.pair.apply(records) if records else []
            for record, answer in zip(records, answers, strict=True):
                if answer.position and not answer.flags & Flag.DUPLICATE:
                    self.log.append(record)
            self.pair.work(self.rng.choice([0, 20, 400]))
        assert len(self.log) == self.pair.model.position

    def resize(self) -> bool:
        """Another size, if all fits."""
        size = self.rng.choice(SIZES)
        if not self.pair.resize(*size):
            self.refused += 1
            return False
        self.carried += size != (self.players, self.added_edges)
        self.players, self.added_edges = size
        return True

    def from_the_start(self, players: int, added_edges: int) -> Any:
        """An engine of a size that took the log."""
        room = {"players": players, "added_edges": added_edges}
        engine = engine_class()(*self.world, any_prices=not self.pair.engine.compact, **room)
        if self.log:
            engine.apply(np.frombuffer(b"".join(self.log), np.uint8).reshape(-1, 64))
        return engine

    def compare(self) -> None:
        """Raises MismatchError when it is not what it would be from the start."""
        whole, own = self.from_the_start(self.players, self.added_edges), self.pair.engine
        if whole.position < len(self.log) and any(row[0] == Kind.CORRECT for row in self.log):
            # What a correction made and took away again needed room: a larger one takes the log.
            whole = self.from_the_start(*SIZES[-1])
            same("the state hash", own.state_hash(), whole.state_hash())
        else:
            same("the bytes of the state", own.save() == whole.save(), True)
        same("positions of the log", whole.position, len(self.log))


@pytest.mark.seeds(1, 2, 3)
def test_images_carried_over_are_those_of_their_size(seed: int) -> None:
    growing = Growing(seed)
    rounds = 0
    # Once many have come most sizes are refused: some histories go on until enough were not.
    while rounds < 30 or growing.carried < 4 or not growing.refused:
        growing.live(25)
        if growing.resize():
            growing.compare()
        rounds += 1
        assert rounds < 300, f"{growing.carried} carried over, {growing.refused} refused"
    growing.live(25)
    growing.compare()


def test_what_is_not_in_the_log_is_missed() -> None:
    growing = Growing(4)
    growing.live(400)
    growing.pair.resize(*SIZES[-1])
    growing.players, growing.added_edges = SIZES[-1]
    growing.compare()
    growing.log.pop()
    with pytest.raises(MismatchError):
        growing.compare()
