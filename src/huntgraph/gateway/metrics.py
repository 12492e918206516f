"""The page at ``/metrics``: every partition's numbers as OpenMetrics 1.0 or Prometheus 0.0.4.

The two differ in the type of a counter's family (``huntgraph_moves`` or ``huntgraph_moves_total``)
and in the last line; who asks for OpenMetrics gets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.bus import Histogram, Reading
from huntgraph.gateway.catalogue import ANSWERS, METRICS, UP, Metric, samples
from huntgraph.gateway.view import PartitionView

__all__ = ["OPENMETRICS", "PROMETHEUS", "metrics_text"]

PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
FIRST_OCTAVE, LAST_OCTAVE, STEPS = -20, 5, 4
"""Buckets shown: four an octave from 2**-20 s to 2**5 s (1 us to 32 s); the file has 32."""

Lines = dict[Metric, list[str]]


def metrics_text(views: Iterable[PartitionView], *, openmetrics: bool = False) -> str:
    """Write the page; a partition whose actor is away has ``huntgraph_up`` 0 and nothing else."""
    lines: Lines = {UP: []}
    for view in views:
        partition = {"partition": str(view.partition)}
        lines[UP].append(f"{UP.family}{_labels(partition)} {int(view.up)}")
        reading = view.read()
        if reading is not None:
            world = {"world_id": f"{reading.values.get('world_id', 0):016x}"}
            _add(reading, partition | world, lines)
    page: list[str] = []
    for metric in (UP, *METRICS, ANSWERS):
        if metric in lines:
            page += [*_head(metric, openmetrics), *lines[metric]]
    return "\n".join([*page, "# EOF"] if openmetrics else page) + "\n"


def _head(metric: Metric, openmetrics: bool) -> Iterator[str]:
    total = "_total" if metric.kind == "counter" and not openmetrics else ""
    name = metric.family + total
    yield f"# HELP {name} {metric.about}"
    yield f"# TYPE {name} {metric.kind}"
    if metric.prometheus_unit and openmetrics:
        yield f"# UNIT {name} {metric.prometheus_unit}"


def _add(reading: Reading, labels: Mapping[str, str], lines: Lines) -> None:
    for metric, own, value in samples(reading.values):
        total = "_total" if metric.kind == "counter" else ""
        sample = f"{metric.family}{total}{_labels({**labels, **own})} {value}"
        lines.setdefault(metric, []).append(sample)
    for metric in METRICS:
        histogram = reading.histograms.get(metric.entry)
        if histogram is not None:
            lines.setdefault(metric, []).extend(_histogram(metric.family, labels, histogram))


def _histogram(family: str, labels: Mapping[str, str], histogram: Histogram) -> Iterator[str]:
    edges = shown_edges_s()
    for edge, up_to in zip(edges.tolist(), histogram.cumulative(edges).tolist(), strict=True):
        yield f"{family}_bucket{_labels({**labels, 'le': repr(edge)})} {up_to}"
    yield f"{family}_bucket{_labels({**labels, 'le': '+Inf'})} {histogram.count}"
    yield f"{family}_sum{_labels(labels)} {histogram.sum_ns / 1e9}"
    yield f"{family}_count{_labels(labels)} {histogram.count}"


def _labels(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def shown_edges_s() -> NDArray[np.float64]:
    """Give the upper edges of the buckets that are shown; each is an edge of the file's."""
    steps = np.arange(FIRST_OCTAVE * STEPS, LAST_OCTAVE * STEPS + 1)
    return np.asarray(np.exp2(steps / STEPS), dtype=np.float64)
