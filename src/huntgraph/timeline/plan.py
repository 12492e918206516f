"""The plan of a commit on disk: what a recovery needs to finish it or to undo it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from huntgraph.errors import CommitError
from huntgraph.fsync import write_synced
from huntgraph.timeline.cells import Changes

__all__ = ["PartPlan", "Plan", "plan_file"]

FOLDER: Final = "corrections"
FIELDS: Final = ("names", "old", "new", "had", "has")


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


@dataclass(frozen=True, slots=True)
class Plan:
    """A correction of all partitions, by number of the partition."""

    correction: int
    parts: Mapping[int, PartPlan]

    def write(self, data: Path) -> None:
        """Write the plan; it is on disk when this returns."""
        file = io.BytesIO()
        facts = {
            str(number): [part.position, part.state_hash, part.before, part.after]
            for number, part in self.parts.items()
        }
        arrays = {
            f"{number}.{name}": getattr(part.changes, name)
            for number, part in self.parts.items()
            for name in FIELDS
        }
        np.savez(file, facts=np.array(json.dumps(facts)), **arrays)
        write_synced(plan_file(data, self.correction), file.getvalue())

    @classmethod
    def read(cls, data: Path, correction: int) -> Plan:
        """Read a plan. Raises CommitError HG1613 when there is none that can be read."""
        path = plan_file(data, correction)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                facts = json.loads(str(arrays["facts"]))
                parts = {
                    int(number): _part(facts[number], _changes(arrays, number)) for number in facts
                }
        except (OSError, ValueError, KeyError) as error:
            what = f"the plan of correction {correction:016x} cannot be read: {error}"
            fix = "restore the folder corrections/ from a copy"
            raise CommitError(what, where=path, fix=fix, code="HG1613") from error
        return cls(correction, parts)


def _part(facts: list[int], changes: Changes) -> PartPlan:
    position, state_hash, before, after = facts
    return PartPlan(position, state_hash, before, after, changes)


def _changes(arrays: Any, number: str) -> Changes:
    return Changes(*(arrays[f"{number}.{name}"] for name in FIELDS))


def plan_file(data: Path, correction: int) -> Path:
    """Give the file of a correction's plan in the folder ``data``."""
    return data / FOLDER / f"{correction:016x}.npz"
