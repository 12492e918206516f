"""Percentiles of samples, whole and by windows."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Samples", "percentiles", "quantile", "windows"]

Samples = NDArray[np.uint64]
"""Times in nanoseconds, shape (n,), in the order they were taken."""

SHARES: Final = {
    "min": 0.0, "p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95,
    "p99": 0.99, "p999": 0.999, "p9999": 0.9999, "max": 1.0,
}  # fmt: skip


def quantile(samples: Samples, share: float, unit_ns: float = 1e3) -> float:
    """Give the time that a ``share`` of the samples does not exceed, in units of ``unit_ns``.

    A sample is given, never a value between two; 0.0 without samples.
    """
    if not len(samples):
        return 0.0
    rank = max(int(np.ceil(share * len(samples))), 1) - 1
    return round(float(np.partition(samples, rank)[rank]) / unit_ns, 4)


def percentiles(samples: Samples, unit_ns: float = 1e3) -> dict[str, Any]:
    """Give count, mean and percentiles from min to max, in units of ``unit_ns`` (microseconds)."""
    mean = float(samples.mean()) / unit_ns if len(samples) else 0.0
    found: dict[str, Any] = {"count": len(samples), "mean": round(mean, 4)}
    return found | {name: quantile(samples, share, unit_ns) for name, share in SHARES.items()}


def windows(samples: Samples, length: int) -> list[Samples]:
    """Cut samples into windows of ``length``; a shorter rest is left out unless it is all."""
    whole = [samples[at : at + length] for at in range(0, len(samples) - length + 1, length)]
    return whole or [samples]
