"""The plan of a commit on disk: what a recovery needs to finish it or to undo it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import CommitError
from huntgraph.fsync import write_synced
from huntgraph.timeline.cells import Changes

__all__ = ["PartPlan", "Plan", "plan_file"]

FOLDER: Final = "corrections"
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

    def write(self, data: Path) -> None:
        """Write the plan; it is on disk when this returns."""
        facts = {
            str(number): [*part.facts(), len(part.changes)] for number, part in self.parts.items()
        }
        columns = [
            getattr(part.changes, name).tobytes() for part in self.parts.values() for name in FIELDS
        ]
        content = b"".join([json.dumps(facts).encode(), b"\n", *columns])
        write_synced(plan_file(data, self.correction), content)

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
            if at != len(body):
                raise ValueError(f"{len(body)} bytes of cells, wanted {at}")
        except (OSError, ValueError, TypeError) as error:
            what = f"the plan of correction {correction:016x} cannot be read: {error}"
            fix = "restore the folder corrections/ from a copy"
            raise CommitError(what, where=path, fix=fix, code="HG1613") from error
        return cls(correction, parts)


def plan_file(data: Path, correction: int) -> Path:
    """Give the file of a correction's plan in the folder ``data``."""
    return data / FOLDER / f"{correction:016x}.plan"
