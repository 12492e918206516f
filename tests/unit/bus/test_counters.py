"""The counters' reader on files written by hand according to the counters format."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from huntgraph.bus import Counters, Histogram, Reading
from huntgraph.bus.histogram import BUCKETS, bucket_edges_s
from huntgraph.errors import ActorError

ERROR_MAX = 0.011


def within_edge(time_ns: int, bucket: int) -> bool:
    """Whether a time is at most 2**((bucket - 957) / 32) seconds, in whole numbers only."""
    edge, nines = bucket - 957, 10 ** (9 * 32)
    return bool(time_ns**32 << max(-edge, 0) <= nines << max(edge, 0))


def bucket_of(time_ns: int) -> int:
    """The definition of docs/reference/counters.md, to the letter."""
    low, high = 0, BUCKETS - 1
    while time_ns and high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if within_edge(time_ns, middle) else (middle, high)
    return high if time_ns else 0


def write_counters(
    path: Path, numbers: Mapping[str, int], times_ns: Mapping[str, list[int]], pid: int = 4711
) -> None:
    """Write a counters file as docs/reference/counters.md says; the old file stays for readers."""
    entries, data = b"", b""
    start = 64 + 64 * (len(numbers) + len(times_ns))
    for name, number in numbers.items():
        entries += struct.pack("<40sQQQ", name.encode(), 1, start + len(data), 1)
        data += struct.pack("<Q", number)
    for name, times in times_ns.items():
        buckets = [0] * BUCKETS
        for each in times:
            buckets[bucket_of(each)] += 1
        head = [len(times), sum(times), max(times, default=0), 0, 0, 0, 0, 0]
        entries += struct.pack("<40sQQQ", name.encode(), 2, start + len(data), 8 + BUCKETS)
        data += struct.pack(f"<{8 + BUCKETS}Q", *head, *buckets)
    size = -(-(start + len(data)) // 4096) * 4096
    header = struct.pack(
        "<8s7Q", b"HGCOUNT\0", 2, len(numbers) + len(times_ns), 64, size, pid, 1234, 0
    )
    new = path.with_suffix(".tmp")
    new.write_bytes((header + entries + data).ljust(size, b"\0"))
    new.replace(path)


def test_numbers_and_histograms_are_read(tmp_path: Path) -> None:
    path = tmp_path / "counters"
    write_counters(path, {"moves": 17, "tick": 3}, {"frame_ns": [5, 40_000, 40_000, 9_000_000]})
    counters = Counters(path)
    assert (counters.pid, counters.started_ms) == (4711, 1234)
    assert counters.values() == {"moves": 17, "tick": 3}
    assert counters.histogram_names == ["frame_ns"]
    assert "moves" in counters
    assert "none" not in counters
    histogram = counters.histogram("frame_ns")
    assert (histogram.count, histogram.sum_ns, histogram.max_ns) == (4, 9_080_005, 9_000_000)
    assert histogram.quantile_ns(0.25) == pytest.approx(5, rel=ERROR_MAX)
    assert histogram.quantile_ns(1.0) == pytest.approx(9_000_000, rel=ERROR_MAX)
    for wrong in ("frame_ns", "none"):
        with pytest.raises(KeyError):
            counters.value(wrong)
    with pytest.raises(KeyError):
        counters.histogram("moves")


def worst_error(buckets: Mapping[int, int]) -> float:
    """The greatest error of what is reported for times that lie in these buckets."""
    worst = 0.0
    for time_ns, bucket in buckets.items():
        counts = np.zeros(BUCKETS, dtype=np.int64)
        counts[bucket] = 1
        reported = Histogram(time_ns, 0, counts).quantile_ns(0.5)
        worst = max(worst, abs(reported / time_ns - 1))
    return worst


def test_what_a_bucket_reports_is_near_every_time_in_it() -> None:
    edges_ns = bucket_edges_s()[1:] * 1e9
    times = {*range(1, 500), *(int(edge) for edge in edges_ns), *(int(e) + 1 for e in edges_ns)}
    buckets = {time: bucket_of(time) for time in times if 0 < time <= 1024 * 10**9}
    assert ERROR_MAX * 0.98 < worst_error(buckets) <= ERROR_MAX
    planted = dict(buckets)
    planted[250] += 1
    assert worst_error(planted) > ERROR_MAX


def test_bucket_edges_are_those_of_the_definition() -> None:
    edges_s = bucket_edges_s()
    assert edges_s.shape == (BUCKETS,)
    assert (edges_s[0], edges_s[-1]) == (0, 1024)
    for bucket in range(1, BUCKETS - 1):
        last_ns = int(edges_s[bucket] * 1e9)
        assert within_edge(last_ns, bucket)
        assert not within_edge(last_ns + 1, bucket)
    assert bucket_of(10**9) == 957
    assert bucket_of(10**9 + 1) == 958


def test_quantiles_are_within_their_error(tmp_path: Path, rng: random.Random) -> None:
    times = [int(rng.lognormvariate(11, 2)) for _ in range(5000)]
    path = tmp_path / "counters"
    write_counters(path, {}, {"frame_ns": times})
    histogram = Counters(path).histogram("frame_ns")
    times.sort()
    for quantile in (0.01, 0.5, 0.9, 0.99, 0.999):
        exact = times[int(np.ceil(quantile * len(times))) - 1]
        assert histogram.quantile_ns(quantile) == pytest.approx(exact, rel=ERROR_MAX)


def test_a_window_is_the_difference_of_two_looks(tmp_path: Path) -> None:
    path = tmp_path / "counters"
    write_counters(path, {}, {"frame_ns": [100, 200]})
    before = Counters(path).histogram("frame_ns")
    write_counters(path, {}, {"frame_ns": [100, 200, 5000, 5000]})
    window = Counters(path).histogram("frame_ns") - before
    assert (window.count, window.sum_ns) == (2, 10_000)
    assert window.quantile_ns(0.01) == pytest.approx(5000, rel=ERROR_MAX)


def test_cumulative_counts_are_exact_at_edges() -> None:
    buckets = np.zeros(BUCKETS, dtype=np.int64)
    for each in (0, 999_999_999, 1_000_000_000, 1_000_000_001, 3_000_000_000):
        buckets[bucket_of(each)] += 1
    histogram = Histogram(0, 5000, buckets)
    assert histogram.cumulative(np.array([2.0**-20, 0.5, 1, 2, 4])).tolist() == [1, 1, 3, 4, 5]
    assert Histogram(0, 0, np.zeros(BUCKETS, dtype=np.int64)).quantile_ns(0.5) == 0


def test_a_reading_survives_json(tmp_path: Path) -> None:
    path = tmp_path / "counters"
    write_counters(path, {"moves": 17}, {"frame_ns": [5, 40_000], "tick_ns": []})
    reading = Counters(path).read()
    again = Reading.from_dict(json.loads(json.dumps(reading.to_dict())))
    assert (again.pid, again.started_ms, again.values) == (4711, 1234, {"moves": 17})
    assert again.to_dict() == reading.to_dict()
    both = again.histograms["frame_ns"] + reading.histograms["frame_ns"]
    assert (both.count, both.sum_ns, both.max_ns) == (4, 80_010, 40_000)
    with pytest.raises(IndexError):
        Histogram.from_dict({"sum_ns": 0, "max_ns": 0, "buckets": {str(BUCKETS): 1}})


def test_a_new_file_is_noticed_and_the_old_one_stays_readable(tmp_path: Path) -> None:
    path = tmp_path / "counters"
    write_counters(path, {"moves": 1}, {})
    counters = Counters(path)
    write_counters(path, {"moves": 2}, {})
    assert counters.replaced
    assert counters.value("moves") == 1
    assert Counters(path).value("moves") == 2


@pytest.mark.parametrize(("offset", "value"), [(0, 0), (8, 1), (24, 72), (32, 4095), (16, 1 << 40)])
def test_another_kind_of_file_is_refused(tmp_path: Path, offset: int, value: int) -> None:
    path = tmp_path / "counters"
    write_counters(path, {"moves": 1}, {})
    data = bytearray(path.read_bytes())
    data[offset : offset + 8] = struct.pack("<Q", value)
    path.write_bytes(data)
    with pytest.raises(ActorError) as caught:
        Counters(path)
    assert caught.value.code == "HG1464"


@pytest.mark.parametrize("offset", [64 + 40, 64 + 48, 64 + 56])
def test_an_entry_that_points_outside_is_refused(tmp_path: Path, offset: int) -> None:
    path = tmp_path / "counters"
    write_counters(path, {"moves": 1}, {})
    data = bytearray(path.read_bytes())
    data[offset : offset + 8] = struct.pack("<Q", 1 << 50)
    path.write_bytes(data)
    with pytest.raises(ActorError, match="no counters file"):
        Counters(path)


def test_no_file_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ActorError) as caught:
        Counters(tmp_path / "counters")
    assert caught.value.code == "HG1463"
