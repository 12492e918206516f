"""Checks of the traffic rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from huntgraph.hunt.durations import format_ticks
from huntgraph.hunt.finding import Finding
from huntgraph.hunt.hunt import Hunt
from huntgraph.hunt.places import Places
from huntgraph.schema import HEAT_MAX, WEIGHT_MAX

__all__ = ["traffic_findings"]

PERIOD_MAX: Final = 65_535
"""Longest round of decay, in ticks."""


def traffic_findings(hunt: Hunt, world: Places | None) -> Iterator[Finding]:
    """Find a heat term that does not fit onto the world's dearest edge, and too long a round."""
    traffic = hunt.page.traffic
    if traffic is None:
        return
    if traffic.decay_every > PERIOD_MAX:
        what = f"decay_every is longer than {format_ticks(PERIOD_MAX)}"
        fix = "use a shorter round with a smaller decay_share"
        yield hunt.source.finding("HG1214", ("traffic", "decay_every"), what, fix)
    dearest = 1 if world is None else world.cost_max
    buckets = HEAT_MAX // traffic.bucket
    if dearest + buckets * traffic.bucket_cost > WEIGHT_MAX:
        what = (
            f"{buckets} buckets of {traffic.bucket_cost} on an edge of cost {dearest} "
            f"come to more than {WEIGHT_MAX}"
        )
        fix = f"use a bucket_cost of at most {(WEIGHT_MAX - dearest) // max(1, buckets)}"
        yield hunt.source.finding("HG1252", ("traffic", "bucket_cost"), what, fix)
