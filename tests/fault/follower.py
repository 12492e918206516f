"""The oracle beside an actor: the plain model, fed with what stands in the actor's log."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from huntgraph.model import Model
from huntgraph.schema import Code, Kind
from tests.fault.logfile import LogFile
from tests.servers import Ground

Records = NDArray[np.void]


class DivergedError(AssertionError):
    """The log's records do not give the state that was told."""


class Follower:
    """Reads a log with `LogFile` and applies it to the model, record by record.

    ``told`` are state hashes by position that the actor named; each is compared when the model
    passes its position. Every HASH record in the log is compared too.
    """

    def __init__(self, model: Model, log: LogFile) -> None:
        self.model = model
        self.log = log
        self.told: dict[int, int] = {}
        self.compared = 0
        self.receipts: dict[int, bytes] = {}
        """Receipts by the position of their claim."""
        self.parts: list[Records] = []

    @classmethod
    def of(cls, ground: Ground, directory: Path, players: int | None = None) -> Follower:
        """A follower of an actor's directory from position 1."""
        model = ground.model() if players is None else ground.model(players)
        return cls(model, LogFile(directory / "log", ground.world.world_id))

    def catch_up(self) -> Records:
        """Read and apply what is new; the new records, dtype MOVE, shape (n,)."""
        self._compare_told(self.model.position)
        new = self.log.records()
        self.parts.append(new)
        self.apply(new)
        return new

    def apply(self, records: Records) -> None:
        """Apply records of the log. Raises DivergedError."""
        for raw in records:
            before = self.model.position
            answer = self.model.apply(raw)
            position = self.model.position
            if position != before + 1:
                raise DivergedError(f"the record after position {before} takes no position")
            if raw["kind"] == Kind.HASH:
                if answer.code != Code.OK:
                    raise DivergedError(f"the hash recorded at position {position} differs")
                self.compared += 1
            if answer.receipt is not None:
                self.receipts[position] = answer.receipt
            self._compare_told(position)

    def _compare_told(self, position: int) -> None:
        if (told := self.told.pop(position, None)) is None:
            return
        if told != self.model.state_hash():
            raise DivergedError(f"the hash told for position {position} differs")
        self.compared += 1

    def forget_lost(self) -> None:
        """Drop hashes told for positions that died with the actor before they were on disk."""
        self.told.clear()

    def all_records(self) -> Records:
        """Every record read so far, dtype MOVE, shape (n,); index 0 is position 1."""
        return np.concatenate(self.parts)


def prove(ground: Ground, directory: Path, state_hash: int, players: int | None = None) -> Follower:
    """Check that a stopped actor's log gives, by the model, the state hash it told at its end."""
    follower = Follower.of(ground, directory, players)
    follower.catch_up()
    if follower.model.state_hash() != state_hash:
        raise DivergedError(f"the log gives another state at position {follower.model.position}")
    return follower
