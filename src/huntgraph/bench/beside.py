"""Tables of what other libraries and programs did in the same runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["beside_tables"]


@dataclass(frozen=True)
class Beside:
    """One table: a row for each of some names with the figures that have its prefix."""

    title: str
    bench: str
    prefixes: Mapping[str, str]
    columns: Mapping[str, str]
    """Headings, and what follows the prefix."""


_LIBRARIES = {
    "huntgraph": "huntgraph",
    "scipy": "SciPy",
    "igraph": "igraph",
    "rustworkx": "rustworkx",
    "networkit": "NetworKit",
    "networkit_dynamic": "NetworKit, dynamic",
    "cch": "RoutingKit CCH",
}
_MAPS = {"grid": "generated grid", "den520d": "den520d", "berlin": "Berlin", "bremen": "Bremen"}

_TABLES = (
    Beside(
        "Graph libraries",
        "rivals",
        {
            f"{of_map}_{of_library}_": f"{place}: {library}"
            for of_map, place in _MAPS.items()
            for of_library, library in _LIBRARIES.items()
        },
        {
            "bytes an edge": "rss_bytes_per_edge",
            "one to all, ms": "one_to_all_ms",
            "a pair, ms": "pair_ms",
            "100 changes, 1,000 distances, ms": "change_and_exact_ms",
            "100 changes, a pair, ms": "change_and_pair_ms",
        },
    ),
    Beside(
        "Buses",
        "ring",
        {
            "": "huntgraph's ring",
            "rtrb_": "rtrb",
            "disruptor_": "disruptor",
            "iceoryx2_": "iceoryx2",
            "zenoh_peer_": "Zenoh, peers",
            "nats_core_": "NATS core",
        },
        {
            "publish p99, ns": "publish_p99_ns",
            "delivery p99, calm, ns": "delivery_calm_p99_ns",
            "delivery p99, us": "delivery_p99_us",
            "GB/s": "gb_per_s",
            "messages/s": "messages_per_s",
        },
    ),
    Beside(
        "QUIC",
        "quic_rivals",
        {
            "": "huntgraph: applied, logged, answered",
            "quinn_": "quinn on tokio, echo",
            "aioquic_echo_": "aioquic, echo",
            "qh3_echo_": "qh3, echo",
        },
        {"p50, us": "p50_us", "p99, us": "p99_us", "records/s": "records_per_s"},
    ),
    Beside(
        "Durable logs",
        "jetstream",
        {
            "": "huntgraph, 800 frames/s due",
            "jetstream_due_": "JetStream, 800 messages/s due",
            "jetstream_one_": "JetStream, one at a time",
            "jetstream_pipelined_": "JetStream, 64 in flight",
            "fsync_": "write and fdatasync",
        },
        {"p50, ms": "p50_ms", "p99, ms": "p99_ms", "a second": "per_s"},
    ),
)


def beside_tables(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Give Markdown tables of the figures of others beside ours, from results by name.

    A dash stands where a figure does not exist or was not found in its time. Tables without a
    result are left out.
    """
    found = [_lines(table, results[table.bench]) for table in _TABLES if table.bench in results]
    return "\n".join("\n".join(lines) + "\n" for lines in found)


def _lines(table: Beside, result: Mapping[str, Any]) -> Iterable[str]:
    yield f"**{table.title}** (`huntgraph bench {table.bench} --json`)"
    yield ""
    yield f"| | {' | '.join(table.columns)} |"
    yield "|---" * (len(table.columns) + 1) + "|"
    figures = result["figures"]
    for prefix, name in table.prefixes.items():
        found = [figures.get(prefix + suffix) for suffix in table.columns.values()]
        if any(value is not None for value in found):
            yield f"| {name} | {' | '.join(_shown(value) for value in found)} |"


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
