"""Histograms of times as an actor counts them.

Bucket 0 counts times of 0. The others lie between neighbouring powers of 2**(1/32) of a second,
each with its upper edge, up to 1024 s: 32 an octave. These are the buckets of an OpenTelemetry
exponential histogram of scale 5 (opentelemetry.io, metrics data model, "ExponentialHistogram").
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BUCKETS", "SCALE", "Histogram", "bucket_edges_s"]

SCALE: Final = 5
"""An octave has 2**SCALE buckets."""
BUCKETS: Final = 1278
STEPS_BEYOND_SECOND: Final = 10 << SCALE
"""The last bucket ends so many steps above a second: at 1024 s."""


def bucket_edges_s() -> NDArray[np.float64]:
    """Give the upper edge of each bucket in seconds: float64, ``(BUCKETS,)``, the first is 0."""
    steps = np.arange(BUCKETS) - (BUCKETS - 1) + STEPS_BEYOND_SECOND
    edges = np.exp2(steps / (1 << SCALE))
    edges[0] = 0.0
    return np.asarray(edges, dtype=np.float64)


@dataclass(frozen=True)
class Histogram:
    """A copy of a histogram of times in nanoseconds; ``buckets`` is int64 ``(BUCKETS,)``."""

    sum_ns: int
    max_ns: int
    buckets: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Times counted."""
        return int(self.buckets.sum())

    def quantile_ns(self, quantile: float) -> float:
        """Give the time that a share ``quantile`` (0 to 1) of all times does not exceed.

        It is the geometric mean of its bucket's edges, within 1.1 %; 0 when nothing was counted.
        """
        total = self.count
        if not total:
            return 0.0
        rank = max(1, int(np.ceil(total * min(max(quantile, 0.0), 1.0))))
        bucket = int(np.searchsorted(np.cumsum(self.buckets), rank))
        middle = float(bucket_edges_s()[bucket]) * 1e9 * math.exp2(-0.5 / (1 << SCALE))
        return min(middle, float(self.max_ns)) if self.max_ns else middle

    def __sub__(self, earlier: Histogram) -> Histogram:
        """Give what was counted since ``earlier``; ``max_ns`` stays that of the whole time."""
        return Histogram(self.sum_ns - earlier.sum_ns, self.max_ns, self.buckets - earlier.buckets)

    def __add__(self, other: Histogram) -> Histogram:
        """Give what both have counted."""
        most_ns = max(self.max_ns, other.max_ns)
        return Histogram(self.sum_ns + other.sum_ns, most_ns, self.buckets + other.buckets)

    def cumulative(self, edges_s: NDArray[np.float64]) -> NDArray[np.int64]:
        """Count the times up to each of ``edges_s``, which must be edges of buckets."""
        at = np.searchsorted(bucket_edges_s(), edges_s)
        return np.asarray(np.cumsum(self.buckets)[at], dtype=np.int64)

    def to_dict(self) -> dict[str, Any]:
        """Give it JSON-ready; of the buckets those that counted something, by number."""
        used = np.flatnonzero(self.buckets).tolist()
        buckets = {str(bucket): int(self.buckets[bucket]) for bucket in used}
        return {"sum_ns": self.sum_ns, "max_ns": self.max_ns, "buckets": buckets}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Histogram:
        """Read what `to_dict` gave. Raises LookupError, TypeError or ValueError for anything else.

        A bucket that does not exist is an IndexError.
        """
        buckets = np.zeros(BUCKETS, dtype=np.int64)
        for bucket, count in body["buckets"].items():
            buckets[int(bucket)] = count
        return cls(int(body["sum_ns"]), int(body["max_ns"]), buckets)
