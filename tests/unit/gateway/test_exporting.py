"""What a collector gets from a real actor over OTLP, and what the environment decides."""

from __future__ import annotations

import asyncio
import math
import os
import random
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    ExponentialHistogramDataPoint,
)

from huntgraph.bus import Histogram
from huntgraph.bus.histogram import BUCKETS
from huntgraph.cli.exits import Exit
from huntgraph.cluster import Actor
from huntgraph.gateway import PartitionView, exporting
from huntgraph.gateway.catalogue import ANSWERS, METRICS, UP
from huntgraph.gateway.exporting import is_wanted
from huntgraph.gateway.otlp import exponential
from tests.contract.runner import Runner
from tests.servers import until
from tests.sim.client_scene import Scene, Walk
from tests.unit.bus.test_counters import ERROR_MAX, bucket_of, write_counters
from tests.unit.gateway.collector import Collector, collecting, metrics_of, plain

PLAYERS = 50
FRAMES = 40


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "200")
        yield collector


def fail(text: str) -> None:
    raise AssertionError(text)


async def more(collector: Collector) -> int:
    """Wait for a batch that was read after now; gives how many there are."""
    return len(await asyncio.to_thread(collector.wait, len(collector.requests) + 2))


def number(collector: Collector, name: str) -> tuple[int, int]:
    """Start time and value of a metric with one point, in the newest batch."""
    (point,) = metrics_of(collector.requests[-1])[name].sum.data_points
    return point.start_time_unix_nano, point.as_int


def test_a_collector_gets_what_a_real_actor_counts(
    short_path: Path, rng: random.Random, seed: int, collector: Collector
) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        actor = await scene.start()
        view = PartitionView(short_path / "actor", partition=0)
        async with scene.connect(actor) as link:
            walk = Walk(scene.world, range(1, PLAYERS + 1), rng)
            await link.send(walk.enter())
            for _ in range(FRAMES):
                await link.send(walk.step())
            tick = actor.counters().value("tick")
            await until(lambda: actor.counters().value("tick") >= tick + 2)
            # What is compared stands still meanwhile.
            os.kill(actor.pid, signal.SIGSTOP)
            async with exporting([view], fail) as exports:
                assert exports
                await more(collector)
            compare(collector, actor, scene)
            os.kill(actor.pid, signal.SIGCONT)

    scene.run(play())
    assert set(collector.paths) == {"/v1/metrics"}


def compare(collector: Collector, actor: Actor, scene: Scene) -> None:
    metrics = metrics_of(collector.requests[-1])
    assert set(metrics) == {each.name for each in (UP, *METRICS, ANSWERS)}
    reading = actor.counters().read()
    where = {"partition": 0, "world_id": f"{scene.world.world_id:016x}"}
    started_ns = reading.started_ms * 1_000_000
    moves = metrics["huntgraph.moves"].sum
    assert moves.is_monotonic
    assert moves.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE
    (point,) = moves.data_points
    assert plain(point.attributes) == where
    assert (point.start_time_unix_nano, point.as_int) == (started_ns, PLAYERS * (1 + FRAMES))
    assert point.time_unix_nano > started_ns
    by_code = {plain(p.attributes)["code"]: p for p in metrics["huntgraph.answers"].sum.data_points}
    assert by_code["ok"].as_int == PLAYERS * (1 + FRAMES)
    assert by_code["busy"].as_int == 0
    (resident,) = metrics["huntgraph.actor.memory.resident"].gauge.data_points
    assert (1 << 20) < resident.as_int == reading.values["resident_bytes"]
    assert metrics["huntgraph.actor.memory.resident"].unit == "By"
    assert metrics["huntgraph.frame.duration"].unit == "s"
    for metric in METRICS:
        if metric.kind == "histogram":
            (times,) = metrics[metric.name].exponential_histogram.data_points
            assert plain(times.attributes) == where
            assert times.start_time_unix_nano == started_ns
    (frames,) = metrics["huntgraph.frame.duration"].exponential_histogram.data_points
    same_counts(frames, reading.histograms["frame_ns"])


def same_counts(point: ExponentialHistogramDataPoint, histogram: Histogram) -> None:
    """Every bucket of the one has the count of the other's bucket with the same edges."""
    assert point.scale == 5
    assert point.count == histogram.count == point.zero_count + sum(point.positive.bucket_counts)
    assert point.sum == pytest.approx(histogram.sum_ns / 1e9)
    assert point.max == pytest.approx(histogram.max_ns / 1e9)
    assert not point.HasField("min")
    assert point.zero_count == histogram.buckets[0]
    counts = np.zeros(BUCKETS, dtype=np.int64)
    counts[0] = point.zero_count
    for at, count in enumerate(point.positive.bucket_counts):
        counts[bucket_of(middle_ns(point, at))] = count
    assert counts.tolist() == histogram.buckets.tolist()


def middle_ns(point: ExponentialHistogramDataPoint, at: int) -> int:
    """What the data model makes of a bucket: the middle of 2**(i/32) s and 2**((i+1)/32) s."""
    index = point.positive.offset + at
    return round(math.exp2((index + 0.5) / math.exp2(point.scale)) * 1e9)


def worst_error(times_ns: Sequence[int], point: ExponentialHistogramDataPoint) -> float:
    """How far the point's buckets are from the times that were counted, rank by rank."""
    ranked = [0.0] * point.zero_count
    for at, count in enumerate(point.positive.bucket_counts):
        ranked += [math.exp2((point.positive.offset + at + 0.5) / 32) * 1e9] * count
    pairs = zip(sorted(times_ns), ranked, strict=True)
    return max(abs(found / exact - 1) for exact, found in pairs if exact)


def test_an_export_keeps_the_error_of_the_histogram(rng: random.Random) -> None:
    times = [0, 0, *(int(rng.lognormvariate(11, 3)) + 1 for _ in range(5000))]
    buckets = np.zeros(BUCKETS, dtype=np.int64)
    for each in times:
        buckets[bucket_of(each)] += 1
    sent = exponential(Histogram(sum(times), max(times), buckets), {}, 1, 2)
    point = ExponentialHistogramDataPoint(scale=sent.scale, zero_count=sent.zero_count)
    point.positive.offset = sent.positive.offset
    point.positive.bucket_counts.extend(sent.positive.bucket_counts)
    assert worst_error(times, point) <= ERROR_MAX
    point.positive.offset += 1
    assert worst_error(times, point) > ERROR_MAX


def test_nothing_counted_is_an_empty_histogram() -> None:
    sent = exponential(Histogram(0, 0, np.zeros(BUCKETS, dtype=np.int64)), {}, 1, 2)
    assert (sent.count, sent.sum, list(sent.positive.bucket_counts)) == (0, 0, [])


def test_a_restarted_actor_is_a_new_start_time(
    short_path: Path, seed: int, collector: Collector
) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        actor = await scene.start()
        async with exporting([PartitionView(short_path / "actor")], fail):
            await more(collector)
            first = number(collector, "huntgraph.log.commits")
            await actor.stop()
            actor = await scene.start()
            await more(collector)
            second = number(collector, "huntgraph.log.commits")
            gaps = number(collector, "huntgraph.ring.gaps")
        assert first[0] < second[0] == actor.counters().started_ms * 1_000_000
        assert gaps[0] < first[0] + 60 * 10**9, "the gateway's own numbers start with it"
        assert gaps[0] != second[0]

    scene.run(play())


def test_serve_exports_when_the_environment_says_so(short_path: Path, collector: Collector) -> None:
    run = Runner(short_path)
    assert run("world make town.hgw --edges 20k").returncode == Exit.OK
    with run.start("serve town.hgw --json") as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        collector.wait(len(collector.requests) + 2)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == Exit.OK
    assert "exported" not in said
    metrics = metrics_of(collector.requests[-1])
    (tick,) = metrics["huntgraph.tick.number"].gauge.data_points
    assert tick.as_int > 0


def test_names_of_the_service_come_from_the_environment(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_counters(tmp_path / "counters", {"moves": 3, "world_id": 255}, {"frame_ns": [7]})

    async def resource() -> dict[str, str | int]:
        async with exporting([PartitionView(tmp_path, partition=4)], fail):
            await more(collector)
        return plain(collector.requests[-1].resource_metrics[0].resource.attributes)

    assert asyncio.run(resource())["service.name"] == "huntgraph"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "night")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "host.name=one,service.version=9")
    named = asyncio.run(resource())
    assert (named["service.name"], named["host.name"]) == ("night", "one")
    assert named["service.version"] == "9"
    assert number(collector, "huntgraph.moves")[1] == 3


def test_the_end_is_exported_and_no_dead_collector_holds_it_up(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_counters(tmp_path / "counters", {"moves": 3}, {})
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "3600000")

    async def once() -> None:
        async with asyncio.timeout(10), exporting([PartitionView(tmp_path)], fail):
            write_counters(tmp_path / "counters", {"moves": 4}, {})

    asyncio.run(once())
    assert [number(collector, "huntgraph.moves")[1]] * len(collector.requests) == [4]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    asyncio.run(once())


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://127.0.0.1:4318/v1/metrics"}, True),
        ({"OTEL_METRICS_EXPORTER": "otlp"}, True),
        ({"OTEL_METRICS_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, False),
        ({"OTEL_SDK_DISABLED": "True", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}, False),
    ],
)
def test_the_environment_decides(variables: dict[str, str], wanted: bool) -> None:
    assert is_wanted(variables) is wanted


@pytest.mark.parametrize(
    ("name", "value", "said", "exports"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf", False),
        ("OTEL_METRIC_EXPORT_INTERVAL", "soon", "milliseconds", True),
    ],
)
def test_what_cannot_be_followed_is_told_and_ends_nothing(
    tmp_path: Path,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    said: str,
    exports: bool,
) -> None:
    monkeypatch.setenv(name, value)
    told: list[str] = []

    async def work() -> None:
        async with exporting([PartitionView(tmp_path)], told.append) as does:
            assert does is exports

    asyncio.run(work())
    assert said in " ".join(told)
    # Without an actor only `huntgraph.up` is known, and that it is 0.
    for request in collector.requests:
        (up,) = metrics_of(request)["huntgraph.up"].gauge.data_points
        assert up.as_int == 0
    assert bool(collector.requests) is exports


def test_without_the_extra_it_is_said_what_to_install(
    tmp_path: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http", None)
    monkeypatch.delitem(
        sys.modules, "opentelemetry.exporter.otlp.proto.http.metric_exporter", raising=False
    )
    told: list[str] = []

    async def work() -> None:
        async with exporting([PartitionView(tmp_path)], told.append) as does:
            assert not does

    asyncio.run(work())
    assert "huntgraph[otel]" in told[0]
