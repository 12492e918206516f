"""The figures as measured against what is to be reached, as a Markdown table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from huntgraph.bench.beside import beside_tables
from huntgraph.errors import UsageError

__all__ = ["figures_table", "load_results", "put_tables"]

RESULTS: Final = Path("bench", "results")
FIGURES: Final = "<!-- figures -->", "<!-- end of figures -->"
BESIDE: Final = "<!-- beside -->", "<!-- end of beside -->"


@dataclass(frozen=True, slots=True)
class Row:
    """A figure to reach: ``bound`` is the least when ``more`` is better, else the most."""

    what: str
    bench: str
    key: str
    bound: float
    unit: str
    more: bool = False


ROWS: Final = (
    Row("whole move in process, batches of 100", "apply", "moves_per_s", 15e6, "/s", more=True),
    Row("the same, CPU time of a move", "apply", "cpu_ns_per_move", 65, "ns"),
    Row("one move, QUIC round trip, p50", "roundtrip", "p50_us", 15, "us"),
    Row("one move, QUIC round trip, p99", "roundtrip", "p99_us", 30, "us"),
    Row(
        "100-move frame, in the actor, p99, calm windows", "frame", "calm_service_p99_us", 42, "us"
    ),
    Row("100-move frame, in the actor, p99, all", "frame", "service_p99_us", 42, "us"),
    Row("100-move frame, due to answered, p99, all", "frame", "p99_us", 42, "us"),
    *(
        Row(f"the same, in the process, {policy}", "idle", f"{policy}_service_p99_us", 42, "us")
        for policy in ("block", "yield", "spin")
    ),
    Row("moves over QUIC, both ends on the machine", "quic", "moves_per_s", 1e6, "/s", more=True),
    Row("full handshake, mutual", "handshake", "full_ms", 0.5, "ms"),
    Row("resumed handshake", "handshake", "resumed_ms", 0.3, "ms"),
    Row("applied to durable, p50", "durable", "p50_ms", 0.3, "ms"),
    Row("applied to durable, p99", "durable", "p99_ms", 2, "ms"),
    Row(
        "applied to durable, against bare syncs as often", "durable", "ratio_to_paced_fsync", 2, "x"
    ),
    Row("the same, against bare syncs back to back", "durable", "ratio_to_fsync", 2, "x"),
    Row("resident memory of an actor", "memory", "rss_mib", 32, "MiB"),
    Row("ring: one publish, p99", "ring", "publish_p99_ns", 150, "ns"),
    Row("ring: delivery to a spinning reader, p99", "ring", "delivery_p99_ns", 250, "ns"),
    Row("ring: the same, in calm windows", "ring", "delivery_calm_p99_ns", 250, "ns"),
    Row("ring: throughput", "ring", "gb_per_s", 5, "GB/s", more=True),
    Row("age of guidance, all partitions, p99", "guidance", "epoch_age_p99_ms", 100, "ms"),
    Row("wrong answers among those judged", "guidance", "wrong", 0, ""),
    Row("age of guidance over borders, p99", "borders", "far_epoch_age_p99_ms", 100, "ms"),
    Row("wrong answers among those judged", "borders", "wrong", 0, ""),
    Row("edges changed live over QUIC, guided", "edges", "changes_per_s", 100_000, "/s", more=True),
    Row("wrong answers at the end of it", "edges", "wrong", 0, ""),
    Row("soak with two kills: moves lost", "soak", "lost", 0, ""),
    Row("soak with two kills: moves applied twice", "soak", "twice", 0, ""),
    Row("soak with two kills: wrong answers", "soak", "wrong", 0, ""),
    Row("soak: growth of resident memory", "soak", "rss_slope_kib_per_min", 0, "KiB/min"),
    Row("fork, replay, diff and commit of 10 s", "timeline", "total_ms", 60, "ms"),
    Row("fork, replay and diff of 60 s", "timeline", "long_total_ms", 200, "ms"),
    Row("the same 10 s by `Fork`, labels and claims, one core", "timeline", "verbs_ms", 200, "ms"),
    Row("replay, one core", "timeline", "core_replay_moves_per_s", 20e6, "/s", more=True),
    Row("replay, both cores", "timeline", "replay_moves_per_s", 40e6, "/s", more=True),
    Row("the diff of 160,000 changed edges", "timeline", "many_diff_ms", 2, "ms"),
    Row("the diff of any two states, 47 M edges", "timeline", "any_diff_ms", 20, "ms"),
    Row("moves wait in a commit, beside live ones", "timeline", "fence_ms", 5, "ms"),
    Row("live rounds beside forks, p99, against without", "timeline", "live_p99_ratio", 1.2, "x"),
    Row("bytes an edge of a grid's rows", "memory", "grid_bytes_per_edge", 2.5, "B"),
    Row("the same, any cost at any time", "memory", "rows_bytes_per_edge", 6, "B"),
    Row("the same, a map of roads", "memory", "roads_bytes_per_edge", 6, "B"),
    Row("heap allocations of an actor after boot", "allocations", "after_boot", 0, ""),
    Row("page faults while moves come", "allocations", "page_faults", 0, ""),
)


def load_results(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """Read the results kept in a folder (a checkout's ``bench/results``), by name.

    Raises UsageError when there are none.
    """
    place = folder if folder is not None else Path(__file__).parents[3] / RESULTS
    found = {path.stem: json.loads(path.read_text()) for path in sorted(place.glob("*.json"))}
    if not found:
        fix = "run huntgraph bench NAME --json and keep its output there"
        raise UsageError(f"there are no results in {place}", fix=fix)
    return found


def figures_table(
    results: Mapping[str, Mapping[str, Any]] | None = None, *, benches: Iterable[str] | None = None
) -> str:
    """Give the Markdown table of the figures to reach and as measured, from results by name.

    Without ``results`` those of the checkout are read. Rows without a result are left out.
    """
    found = load_results() if results is None else results
    wanted = set(found if benches is None else benches)
    lines = ["| what | command | to reach | measured | |", "|---|---|---|---|---|"]
    for row in ROWS:
        figures = found.get(row.bench, {}).get("figures", {})
        if row.bench not in wanted or row.key not in figures:
            continue
        value = float(figures[row.key]) or 0.0  # no -0
        reach = f"{'>=' if row.more else '<='} {_number(row.bound)} {row.unit}"
        lines.append(
            f"| {row.what} | `huntgraph bench {row.bench} --json` | {reach.strip()} "
            f"| {_number(value)} {row.unit}".rstrip()
            + f" | {_verdict(row, value)} |"
        )
    return "\n".join(lines) + "\n"


def put_tables(page: Path) -> None:
    """Put the tables of the checkout's results between the marks of a page.

    Raises UsageError when the page has no such marks.
    """
    text, results = page.read_text(), load_results()
    tables = {FIGURES: figures_table(results), BESIDE: beside_tables(results)}
    for (begins, ends), table in tables.items():
        before, begun, rest = text.partition(begins)
        _, ended, after = rest.partition(ends)
        if not begun or not ended:
            fix = f"write {begins} and {ends}"
            raise UsageError(f"{page} has no place for the figures", fix=fix)
        text = f"{before}{begins}\n{table}{ends}{after}"
    page.write_text(text)


def _verdict(row: Row, value: float) -> str:
    if value >= row.bound if row.more else value <= row.bound:
        return "reached"
    if row.bound == 0:
        return "not reached"
    far = row.bound / value if row.more else value / row.bound
    return f"{far:,.{1 if far < 10 else 0}f}x off"


def _number(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:.3g} M"
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
