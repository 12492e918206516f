"""Every measurement gives its figures, from the real core and the real actor."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from huntgraph import bench
from huntgraph.errors import UsageError

ROUTE_KEYS = (
    "one_to_all_ms",
    "pair_ms",
    "change_and_exact_ms",
    "change_and_pair_ms",
    "lookup_ns",
    "rss_bytes_per_edge",
)
IDLE = ("block", "yield", "spin")
KEYS = {
    "apply": {"moves_per_s", "cpu_ns_per_move"},
    "roundtrip": {"p50_us", "p99_us", "p999_us"},
    "frame": {"p50_us", "p99_us", "p999_us", "moves_per_s", "jitter_floor_p99_us"},
    "idle": {f"{policy}_{name}_us" for policy in IDLE for name in ("p50", "service_p99")},
    "quic": {"moves_per_s"},
    "handshake": {"full_ms", "resumed_ms"},
    "durable": {"p50_ms", "p99_ms", "fsync_p50_ms", "moves_per_s"},
    "memory": {"rss_mib", "bytes_per_edge", "edges", "players"},
    "allocations": {"after_boot", "page_faults", "moves"},
    "jetstream": {"p50_ms", "p99_ms", "fsync_p50_ms"},
    "quic_rivals": {"p50_us", "p99_us", "records_per_s"},
    "edges": {"changes_per_s", "in_process_changes_per_s", "judged"},
    "ring": {"publish_p50_ns", "publish_p99_ns", "delivery_p50_ns", "delivery_p99_ns", "gb_per_s"}
    | {"delivery_calm_p99_ns", "floor_calm_p99_ns"},
    "rivals": {f"grid_huntgraph_{key}" for key in ROUTE_KEYS}
    | {f"grid_scipy_{key}" for key in ("one_to_all_ms", "pair_ms", "change_and_exact_ms")},
    "guidance": {"answers", "judged", "moves_per_s", "partitions", "edges"},
    "borders": {"far_answers", "far_exact_share", "judged", "rounds_done", "bytes_a_round"},
    "soak": {"minutes", "moves", "judged", "restarts"},
    "timeline": {"fork_ms", "replay_ms", "diff_ms", "commit_ms", "total_ms", "fence_ms"}
    | {"replay_moves_per_s", "history_s", "many_changed_edges", "live_p99_ratio", "hashes_agree"},
}
ZERO = {
    "edges": {"wrong"},
    "guidance": {"wrong", "refused"},
    "borders": {"wrong", "refused"},
    "soak": {"lost", "twice", "unsent", "wrong"},
    "timeline": {"allocations"},
}
PARTS = {"name", "figures", "machine", "load", "idle_policy", "commit", "samples", "distribution"}
MACHINE = {"cpu", "cores", "memory_gib", "kernel", "python", "rustc"}
WITH_FLOOR = {
    *("apply", "roundtrip", "frame", "handshake", "durable", "memory"),
    *("jetstream", "quic_rivals", "ring", "guidance", "borders", "timeline"),
}
NONE_AT_BEST = {"after_boot", "page_faults"}


def test_the_names_are_those_of_the_reference() -> None:
    assert set(bench.names()) == set(KEYS)


@pytest.mark.parametrize("name", KEYS)
def test_result_is_whole(name: str, short_path: Path) -> None:
    found = bench.run(name, quick=True, directory=short_path)
    assert json.loads(json.dumps(found)) == found, "a result is JSON as it stands"
    assert found.keys() >= PARTS
    assert found["name"] == name
    assert found["machine"].keys() == MACHINE
    assert found["samples"] > 0
    assert found["load"]["offered"]
    assert found["commit"]
    figures = found["figures"]
    assert figures.keys() >= KEYS[name]
    for key in KEYS[name]:
        assert math.isfinite(figures[key])
        assert figures[key] > 0 or key in NONE_AT_BEST, key
    assert all(figures[key] == 0 for key in ZERO.get(name, ())), figures
    assert all(isinstance(value, int | float) for value in figures.values())
    assert bool(found["floor"]) == (name in WITH_FLOOR)
    for part in found["distribution"].values():
        assert part["count"] > 0
        assert part["min"] <= part["p50"] <= part["p99"] <= part["p999"] <= part["max"]
    assert list(short_path.iterdir()) == [], "nothing is left behind"


def test_percentiles_of_a_result_are_its_distribution(short_path: Path) -> None:
    found = bench.run("roundtrip", quick=True, directory=short_path)
    figures, quiet = found["figures"], found["distribution"]["quiet_us"]
    assert [figures[f"{p}_us"] for p in ("p50", "p99", "p999")] == [
        quiet[p] for p in ("p50", "p99", "p999")
    ]
    # Two datagrams cannot cost less than the bare ones do.
    assert figures["p50_us"] > found["floor"]["udp_p50_us"]


def test_open_loop_keeps_its_rate(short_path: Path) -> None:
    found = bench.run("frame", quick=True, rate=10_000, seconds=0.5, directory=short_path)
    assert found["distribution"]["latency_us"]["count"] == 50
    assert found["figures"]["moves_per_s"] <= 10_100
    # From when a frame was due is never less than from when its last byte came.
    assert found["figures"]["p50_us"] >= found["figures"]["service_p50_us"]


def test_memory_counts_the_image(short_path: Path) -> None:
    found = bench.run("memory", quick=True, directory=short_path)
    figures = found["figures"]
    assert figures["rss_mib"] > found["floor"]["rows_mib"]
    assert figures["players"] == 500


def test_no_frame_of_any_size_allocates(short_path: Path) -> None:
    figures = bench.run("allocations", quick=True, directory=short_path)["figures"]
    assert figures["after_boot"] == 0
    assert 0 < figures["arena_blocks_in_use"] <= figures["arena_blocks_peak"]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("aply", {}, "there is no measurement"),
        ("apply", {"second": 1}, "there is no option"),
        ("apply", {"seconds": 0}, "seconds is out of range"),
        ("apply", {"seconds": "soon"}, "a value is no number"),
        ("quic", {"idle_policy": "nap"}, "there is no idle policy"),
        ("roundtrip", {"idle_policy": "block"}, "has no idle policy to choose"),
        ("guidance", {"partitions": 0}, "partitions is out of range"),
        ("soak", {"minutes": "long"}, "a value is no number"),
        ("durable", {"directory": "/nowhere"}, "is no folder"),
    ],
)
def test_wrong_options_are_told(name: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        bench.run(name, **options)  # type: ignore[arg-type]
    assert caught.value.code == "HG1010"
