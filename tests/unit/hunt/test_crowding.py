"""A hunt over partitions with more stages than can have ways over borders is warned of."""

from __future__ import annotations

import numpy as np

from huntgraph.hunt import crowding
from huntgraph.schema import ROUNDS, RULE, Kind


def test_a_stage_too_many_is_told() -> None:
    rows = np.zeros(ROUNDS + 3, RULE)
    rows["kind"] = Kind.HUNT_STAGE
    rows["kind"][[0, -1]] = Kind.HUNT_BEGIN, Kind.HUNT_PUBLISH
    told = crowding(rows)
    assert told is not None
    assert told.startswith("HG1270: 17 stages")
    assert crowding(rows[1:-2]) is None
