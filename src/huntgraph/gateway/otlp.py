"""A partition's numbers as the metrics that OpenTelemetry's SDK exports.

Counters become monotonic cumulative sums that start with the actor, so that a restart is a new
start time; gauges stay gauges. Histograms become exponential histograms (opentelemetry.io, metrics
data model) bucket by bucket: the file's bucket ``b`` is the index ``b - 958`` of scale 5, and
bucket 0 is the count of zeros. Needs the extra ``otel``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, cast

import numpy as np
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Buckets,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import (
    Metric as SdkMetric,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from huntgraph.bus import Histogram, Reading
from huntgraph.bus.histogram import BUCKETS, SCALE, STEPS_BEYOND_SECOND
from huntgraph.gateway.catalogue import ANSWERS, GATEWAY_ENTRIES, METRICS, UP, Metric, samples
from huntgraph.gateway.view import PartitionView
from huntgraph.versions import __version__

__all__ = ["INDEX_OF_BUCKET_0", "metrics_data"]

INDEX_OF_BUCKET_0: Final = STEPS_BEYOND_SECOND - BUCKETS
"""The index of bucket ``b`` from 1 on is this plus ``b``: the edges of index ``i`` are
2**(i / 32) s and 2**((i + 1) / 32) s, the upper one belongs to it."""

Attributes = dict[str, str | int]
Point = NumberDataPoint | ExponentialHistogramDataPoint
Points = dict[Metric, list[Point]]


def metrics_data(views: Iterable[PartitionView], resource: Resource, now_ns: int) -> MetricsData:
    """Read all partitions and give one batch for an exporter; ``now_ns`` is the Unix time."""
    points: Points = {UP: []}
    for view in views:
        partition: Attributes = {"partition": view.partition}
        points[UP].append(NumberDataPoint(partition, 0, now_ns, int(view.up)))
        reading = view.read()
        if reading is not None:
            world: Attributes = {"world_id": f"{reading.values.get('world_id', 0):016x}"}
            for metric, point in _points(view, reading, partition | world, now_ns):
                points.setdefault(metric, []).append(point)
    metrics = [
        SdkMetric(metric.name, metric.about, metric.unit, _data(metric, points[metric]))
        for metric in (UP, *METRICS, ANSWERS)
        if metric in points
    ]
    scope = ScopeMetrics(InstrumentationScope("huntgraph", __version__), metrics, "")
    return MetricsData([ResourceMetrics(resource, [scope], resource.schema_url)])


def _points(
    view: PartitionView, reading: Reading, attributes: Attributes, now_ns: int
) -> Iterator[tuple[Metric, Point]]:
    started_ns = reading.started_ms * 1_000_000
    for metric, own, value in samples(reading.values):
        since_ns = started_ns
        if metric.entry in GATEWAY_ENTRIES:
            since_ns = view.started_ms * 1_000_000
        yield metric, NumberDataPoint({**attributes, **own}, since_ns, now_ns, value)
    for metric in METRICS:
        histogram = reading.histograms.get(metric.entry)
        if histogram is not None:
            yield metric, exponential(histogram, attributes, started_ns, now_ns)


def exponential(
    histogram: Histogram, attributes: Mapping[str, str | int], started_ns: int, now_ns: int
) -> ExponentialHistogramDataPoint:
    """Give a histogram in seconds; of its buckets those from the first to the last in use."""
    zeros, counts = int(histogram.buckets[0]), histogram.buckets[1:]
    used = np.flatnonzero(counts)
    first, last = (int(used[0]), int(used[-1])) if len(used) else (0, -1)
    return ExponentialHistogramDataPoint(
        attributes=dict(attributes),
        start_time_unix_nano=started_ns,
        time_unix_nano=now_ns,
        count=histogram.count,
        sum=histogram.sum_ns / 1e9,
        scale=SCALE,
        zero_count=zeros,
        positive=Buckets(INDEX_OF_BUCKET_0 + 1 + first, counts[first : last + 1].tolist()),
        negative=Buckets(0, []),
        flags=0,
        # The least time is not kept; the wire's field is optional.
        min=cast(float, None),
        max=histogram.max_ns / 1e9,
    )


def _data(metric: Metric, points: list[Point]) -> Sum | Gauge | ExponentialHistogram:
    cumulative = AggregationTemporality.CUMULATIVE
    if metric.kind == "histogram":
        times = cast(list[ExponentialHistogramDataPoint], points)
        return ExponentialHistogram(times, cumulative)
    numbers = cast(list[NumberDataPoint], points)
    if metric.kind == "counter":
        return Sum(numbers, cumulative, is_monotonic=True)
    return Gauge(numbers)
