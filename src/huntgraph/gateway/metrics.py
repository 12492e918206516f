"""The page at ``/metrics``: an actor's counters in the Prometheus text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.bus import Counters, Histogram
from huntgraph.gateway.view import PartitionView

__all__ = ["CONTENT_TYPE", "metrics_text"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
GAUGES: Final = frozenset(
    (
        "heartbeat_ms",
        "tick",
        "epoch",
        "players",
        "present",
        "connections",
        "arena_blocks_in_use",
        "arena_blocks_peak",
        "log_room",
        "log_failed",
        "draining",
    )
)
LEFT_OUT: Final = frozenset({"state_hash"})
"""A sample is a float64, which cannot hold a hash."""
FIRST_OCTAVE, LAST_OCTAVE, STEPS = 10, 35, 4
"""Buckets shown: four an octave from 2**10 ns to 2**35 ns (1 us to 34 s); the file has 32."""

Family = dict[str, list[str]]


def metrics_text(views: Iterable[PartitionView]) -> str:
    """Write the page; a partition whose actor is away has ``huntgraph_up`` 0 and nothing else."""
    families: Family = {}
    kinds: dict[str, str] = {"huntgraph_up": "gauge"}
    for view in views:
        label = f'partition="{view.partition}"'
        counters = view.counters()
        beating = counters is not None and not view.pulse.hangs
        families.setdefault("huntgraph_up", []).append(f"huntgraph_up{{{label}}} {int(beating)}")
        if counters is not None:
            _plain(counters, label, families, kinds)
            _histograms(counters, label, families, kinds)
    lines: list[str] = []
    for name, samples in families.items():
        lines += [f"# TYPE {name} {kinds[name]}", *samples]
    return "\n".join(lines) + "\n"


def _plain(counters: Counters, label: str, families: Family, kinds: dict[str, str]) -> None:
    for name, value in counters.values().items():
        if name in LEFT_OUT:
            continue
        if name.startswith("answers_"):
            family, labels = "huntgraph_answers_total", f'{label},code="{name[8:]}"'
        elif name in GAUGES:
            family, labels = f"huntgraph_{name}", label
        else:
            family, labels = f"huntgraph_{name}_total", label
        kinds[family] = "gauge" if name in GAUGES else "counter"
        families.setdefault(family, []).append(f"{family}{{{labels}}} {value}")


def _histograms(counters: Counters, label: str, families: Family, kinds: dict[str, str]) -> None:
    for name in counters.histogram_names:
        family = f"huntgraph_{name.removesuffix('_ns')}_seconds"
        kinds[family] = "histogram"
        samples = families.setdefault(family, [])
        samples += _histogram(family, label, counters.histogram(name))


def _histogram(family: str, label: str, histogram: Histogram) -> Iterator[str]:
    edges = shown_edges_ns()
    for edge, below in zip(edges.tolist(), histogram.cumulative(edges).tolist(), strict=True):
        # Times are whole nanoseconds: "less than edge" is "at most edge less one".
        yield f'{family}_bucket{{{label},le="{(edge - 1) / 1e9:.9g}"}} {below}'
    yield f'{family}_bucket{{{label},le="+Inf"}} {histogram.count}'
    yield f"{family}_sum{{{label}}} {histogram.sum_ns / 1e9:.9g}"
    yield f"{family}_count{{{label}}} {histogram.count}"


def shown_edges_ns() -> NDArray[np.int64]:
    """Give the ends of the buckets that are shown, in nanoseconds; each is an edge of the file."""
    octaves = np.arange(FIRST_OCTAVE, LAST_OCTAVE, dtype=np.int64)
    steps = np.arange(STEPS, dtype=np.int64)
    return np.asarray((np.int64(1) << octaves[:, None]) * (STEPS + steps) // STEPS).reshape(-1)
