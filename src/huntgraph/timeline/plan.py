"""The plan of a commit on disk: what a recovery needs to finish it or to undo it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import CommitError
from huntgraph.fsync import sync_folder
from huntgraph.timeline.cells import Changes

__all__ = ["PartPlan", "Plan", "PlanFile", "plan_file"]

FOLDER: Final = "corrections"
ROOM: Final = 1 << 16
"""Bytes that a plan's file has on the disk before it is written; a longer plan makes it grow."""
FIELDS: Final[dict[str, type]] = {
    "names": np.uint64, "old": np.uint64, "new": np.uint64, "had": np.bool_, "has": np.bool_
}  # fmt: skip
"""Columns of changes. A file is a line of JSON (facts and count of cells by partition), then
these of one partition after the other."""


@dataclass(frozen=True, slots=True)
class PartPlan:
    """What becomes of one partition.

    ``before`` and ``after`` are bare hashes; ``state_hash`` and ``position`` those of the head that
    ``changes`` were made for.
    """

    position: int
    state_hash: int
    before: int
    after: int
    changes: Changes

    @classmethod
    def of(cls, facts: Sequence[int], changes: Changes) -> Self:
        """The plan with these `facts`. Raises ValueError when there are not four."""
        position, state_hash, before, after = facts
        return cls(position, state_hash, before, after, changes)

    def facts(self) -> tuple[int, int, int, int]:
        """All but the changes."""
        return self.position, self.state_hash, self.before, self.after


@dataclass(frozen=True, slots=True)
class Plan:
    """A correction of all partitions, by number of the partition."""

    correction: int
    parts: Mapping[int, PartPlan]

    def to_bytes(self) -> bytes:
        """The plan as it stands in its file."""
        facts = {
            str(number): [*part.facts(), len(part.changes)] for number, part in self.parts.items()
        }
        columns = [
            getattr(part.changes, name).tobytes() for part in self.parts.values() for name in FIELDS
        ]
        return b"".join([json.dumps(facts).encode(), b"\n", *columns])

    @classmethod
    def read(cls, data: Path, correction: int) -> Plan:
        """Read a plan. Raises CommitError HG1613 when there is none that can be read."""
        path = plan_file(data, correction)
        try:
            head, _, body = path.read_bytes().partition(b"\n")
            parts, at = {}, 0
            for number, (*facts, count) in json.loads(head).items():
                columns: list[NDArray[Any]] = []
                for dtype in FIELDS.values():
                    columns.append(np.frombuffer(body, dtype, count, at).copy())
                    at += count * np.dtype(dtype).itemsize
                parts[int(number)] = PartPlan.of(facts, Changes(*columns))
            if at > len(body) or body[at:].strip(b"\0"):
                raise ValueError(f"{len(body)} bytes of cells, wanted {at}")
        except (OSError, ValueError, TypeError) as error:
            what = f"the plan of correction {correction:016x} cannot be read: {error}"
            fix = "restore the folder corrections/ from a copy"
            raise CommitError(what, where=path, fix=fix, code="HG1613") from error
        return cls(correction, parts)


class PlanFile:
    """The file of a plan to come, with its name and its place on the disk before moves are held.

    While they wait nothing is left but to write it.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._written = False

    @classmethod
    @contextmanager
    def make(cls, data: Path, correction: int) -> Iterator[PlanFile]:
        """Make the file, which is gone at the end unless the plan was written."""
        path = plan_file(data, correction)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            made = cls(file)
            try:
                file.write(bytes(ROOM))
                file.flush()
                os.fsync(file.fileno())
                sync_folder(path.parent)
                file.seek(0)
                yield made
            finally:
                if not made._written:
                    path.unlink()

    def write(self, plan: Plan) -> None:
        """Write the plan, once; it is on disk when this returns."""
        self._file.write(plan.to_bytes())
        self._file.flush()
        os.fdatasync(self._file.fileno())
        self._written = True


def plan_file(data: Path, correction: int) -> Path:
    """Give the file of a correction's plan in the folder ``data``."""
    return data / FOLDER / f"{correction:016x}.plan"
