"""`/metrics` by the parsers of Prometheus, and `/counters`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from huntgraph.bus import Reading
from huntgraph.gateway import Gateway, PartitionView, catalogue
from huntgraph.gateway.catalogue import ANSWERS, METRICS, UP
from huntgraph.gateway.metrics import OPENMETRICS, PROMETHEUS, shown_edges_s
from tests.unit.bus.test_counters import write_counters

Parse = Callable[[str], Iterable[Metric]]
ROOT = Path(__file__).resolve().parents[3]
ENDINGS = ("", "_total", "_bucket")
TIMES_NS = [0, 900, 5_000, 70_000, 250_000_000]
LABELS = {"partition": "3", "world_id": "00000000000000ff"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Counters with every number of the catalogue, each of its own value."""
    plain = [metric.entry for metric in METRICS if metric.kind != "histogram"]
    numbers = {name: number for number, name in enumerate(plain, 1) if name[:5] != "ring_"}
    numbers |= {"ring_events": 99, "world_id": 255, "partition": 3, "state_hash": 2**64 - 1}
    numbers |= {"answers_ok": 30, "answers_busy": 1}
    times = {metric.entry: TIMES_NS for metric in METRICS if metric.kind == "histogram"}
    write_counters(tmp_path / "counters", numbers, times)
    return tmp_path


def get(views: list[PartitionView], path: str, accept: str = "*/*") -> httpx.Response:
    async def run() -> httpx.Response:
        async with Gateway(views) as gateway, httpx.AsyncClient(trust_env=False) as client:
            return await client.get(gateway.url + path, headers={"accept": accept})

    return asyncio.run(run())


def parsed(text: str, parse: Parse = openmetrics) -> dict[str, Metric]:
    return {family.name: family for family in parse(text)}


def sample(families: dict[str, Metric], family: str, name: str = "", **labels: str) -> float:
    (value,) = (
        each.value
        for each in families[family].samples
        if each.name == (name or family) and each.labels == labels
    )
    return float(value)


@pytest.mark.parametrize("asked", ["application/openmetrics-text; version=1.0.0", "*/*"])
def test_the_page_is_valid_and_whole(folder: Path, asked: str) -> None:
    answer = get([PartitionView(folder, partition=3)], "/metrics", asked)
    is_open = asked != "*/*"
    assert answer.headers["content-type"] == (OPENMETRICS if is_open else PROMETHEUS)
    families = parsed(answer.text, openmetrics if is_open else prometheus)
    assert set(families) == {metric.family for metric in (UP, *METRICS, ANSWERS)}
    for metric in (UP, *METRICS, ANSWERS):
        family = families[metric.family]
        assert (family.type, family.documentation) == (metric.kind, metric.about)
        assert family.unit == (metric.prometheus_unit if is_open else "")
    assert sample(families, "huntgraph_up", partition="3") == 1
    answers = families["huntgraph_answers"].samples
    assert {each.labels["code"]: each.value for each in answers} == {"ok": 30, "busy": 1}
    written = "huntgraph_log_written_bytes"
    assert sample(families, written, f"{written}_total", **LABELS) > 0
    assert not any("hash" in name for name in families)


def test_histograms_have_buckets_in_seconds(folder: Path) -> None:
    text = get([PartitionView(folder, partition=3)], "/metrics", OPENMETRICS).text
    families = parsed(text)
    name = "huntgraph_frame_duration_seconds"
    samples = families[name].samples
    buckets = [each.value for each in samples if each.name == f"{name}_bucket"]
    assert buckets == sorted(buckets)
    assert len(buckets) == len(shown_edges_s()) + 1 == 102

    def up_to(edge: str) -> float:
        return sample(families, name, f"{name}_bucket", **LABELS, le=edge)

    # The upper edge belongs to its bucket: 250 ms is one.
    assert [up_to(repr(2.0**-20)), up_to("0.25"), up_to("32.0"), up_to("+Inf")] == [2, 5, 5, 5]
    assert sample(families, name, f"{name}_count", **LABELS) == 5
    assert sample(families, name, f"{name}_sum", **LABELS) == pytest.approx(sum(TIMES_NS) / 1e9)


def test_many_partitions_share_their_families(folder: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    views = [PartitionView(folder, partition=3), PartitionView(away, partition=4)]
    text = get(views, "/metrics", OPENMETRICS).text
    families = parsed(text)
    up = {each.labels["partition"]: each.value for each in families["huntgraph_up"].samples}
    assert up == {"3": 1, "4": 0}
    assert [each.labels["partition"] for each in families["huntgraph_moves"].samples] == ["3"]


def listed(page: str) -> list[str]:
    """The rows of the page's table of metrics."""
    return re.findall(r"^\| `huntgraph\..*$", page, re.MULTILINE)


def row(metric: catalogue.Metric) -> str:
    entry = {UP: "", ANSWERS: "answers_*"}.get(metric, metric.entry)
    total = "_total" if metric.kind == "counter" else ""
    entry = f"`{entry}`" if entry else ""
    cells = f"`{metric.name}` | {metric.kind} | {metric.unit} | `{metric.family}{total}`"
    return f"| {cells} | {entry} | {metric.about} |"


def test_the_page_of_metrics_lists_them_all() -> None:
    page = (ROOT / "docs" / "howto" / "watch-it-run.md").read_text()
    assert listed(page) == [row(metric) for metric in (UP, *METRICS, ANSWERS)]
    used = set(re.findall(r"\bhuntgraph_[a-z_]+", page))
    known = {metric.family + ending for metric in (UP, *METRICS, ANSWERS) for ending in ENDINGS}
    assert used <= known


def test_counters_are_given_whole(folder: Path) -> None:
    view = PartitionView(folder, partition=3)
    body = get([view, PartitionView(folder / "none", partition=4)], "/counters").json()
    assert body["schema"] == "huntgraph.counters/1"
    here, away = body["partitions"]
    assert away == {"partition": 4, "reading": None}
    reading = view.read()
    assert reading is not None
    assert Reading.from_dict(here["reading"]).to_dict() == reading.to_dict()
    assert reading.values["ring_gaps"] == 0
