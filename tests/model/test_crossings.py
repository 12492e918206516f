"""Arrivals that nobody handed over are found, whatever they lie about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from huntgraph.schema import ARRIVAL, Kind
from huntgraph.timeline.history import History, Source
from huntgraph.timeline.verify_all import check_crossings
from tests.model.histories import MemoryLog, history_of, played


def recorded() -> History:
    return history_of(played(2, quiet=True), Path("nowhere"))


def test_honest_logs_have_no_stray_arrivals() -> None:
    assert check_crossings(recorded()) == []


@pytest.mark.parametrize("field", ["player", "cause"])
def test_an_arrival_of_somebody_else_is_found(field: str) -> None:
    history = recorded()
    number = next(n for n, part in history.index().of.items() if len(part.taken) > 1)
    rows = np.concatenate([r.rows for r in history.sources[number].records(1)])
    at = int(np.flatnonzero(rows[:, 0] == Kind.ARRIVE)[-1])
    rows[at].view(ARRIVAL)[0][field] += 1
    source = history.sources[number]
    lied = Source(number, source.world, MemoryLog(rows))
    found = check_crossings(History({**history.sources, number: lied}, Path("nowhere")))
    assert (number, at + 1) in [(n, problem.position) for n, problem in found]
