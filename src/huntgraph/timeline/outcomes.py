"""Records with what came of them: the log replayed, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Engine
from huntgraph.timeline.history import History
from huntgraph.timeline.log import LogRecords

__all__ = ["Outcome", "outcomes"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A batch of records and the updates (dtype UPDATE) and events (dtype EVENT) they gave."""

    records: LogRecords
    updates: NDArray[np.void]
    events: NDArray[np.void]
    receipts: NDArray[np.void]


def outcomes(
    history: History, partition: int, first: int, last: int | None = None
) -> tuple[Engine, Iterator[Outcome]]:
    """Give an engine right before position `first`, and the outcomes from there to `last`.

    Without `last` to the end of the log as it is now.

    The engine stands behind the last outcome given. Updates come without guidance, which depends
    on when it was worked out. Raises LogError.
    """
    end = history.index().of[partition].end if last is None else last
    engine = history.engine_at(partition, first - 1)
    return engine, _go_on(history, partition, engine, end)


def _go_on(history: History, partition: int, engine: Engine, last: int | None) -> Iterator[Outcome]:
    for records in history.sources[partition].records(engine.position + 1, last):
        updates = engine.replay(records.rows, records.positions)
        yield Outcome(records, updates, engine.events(), engine.receipts())
