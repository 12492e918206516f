"""The table of figures is made from results, and the documents hold what the results say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huntgraph.bench import figures_table, load_results, put_tables
from huntgraph.bench.beside import beside_tables
from huntgraph.bench.distribution import percentiles, quantile, windows
from huntgraph.errors import UsageError

ROOT = Path(__file__).parents[3]


def test_rows_tell_how_far_off_a_figure_is() -> None:
    results: dict[str, dict[str, Any]] = {
        "apply": {"figures": {"moves_per_s": 5_000_000, "cpu_ns_per_move": 50.0}},
        "handshake": {"figures": {"full_ms": 0.6}},
        "allocations": {"figures": {"after_boot": 0, "page_faults": 2}},
    }
    lines = figures_table(results).splitlines()
    assert lines[2].endswith("| >= 15 M /s | 5 M /s | 3.0x off |")
    assert lines[3].endswith("| <= 65 ns | 50 ns | reached |")
    assert lines[4].endswith("| <= 0.5 ms | 0.6 ms | 1.2x off |")
    assert lines[5].endswith("| <= 0 | 0 | reached |")
    assert lines[6].endswith("| <= 0 | 2 | not reached |")
    assert len(lines) == 7, "nothing is said of what was not measured"


def test_the_document_holds_the_table_of_the_kept_results() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    for table in (figures_table(), beside_tables(load_results())):
        assert table in page, "run huntgraph.bench.put_tables on the page"


def test_kept_results_are_whole_runs_of_one_machine() -> None:
    results = load_results()
    assert {name: found["name"] for name, found in results.items()} == {n: n for n in results}
    assert not any(found["quick"] for found in results.values())
    assert len({found["machine"]["cpu"] for found in results.values()}) == 1


def test_what_others_did_stands_beside_ours() -> None:
    ours, theirs = {"p50_us": 14.391, "records_per_s": 3_394_395}, {"qh3_echo_p50_us": 90.02}
    lines = beside_tables({"quic_rivals": {"figures": ours | theirs}}).splitlines()
    assert lines[0] == "**QUIC** (`huntgraph bench quic_rivals --json`)"
    assert "| huntgraph: applied, logged, answered | 14.4 | - | 3,394,395 |" in lines
    assert "| qh3, echo | 90 | - | - |" in lines
    assert not any("aioquic" in line for line in lines), "nothing is said of what was not measured"


def test_the_tables_are_put_between_their_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marks = "<!-- {0} -->\nold\n<!-- end of {0} -->\n"
    whole = f"before\n{marks.format('figures')}between\n{marks.format('beside')}after\n"
    page.write_text(whole)
    put_tables(page)
    text = page.read_text()
    assert text.startswith("before\n<!-- figures -->\n| what |")
    assert "|\n<!-- end of figures -->\nbetween\n<!-- beside -->\n**Graph libraries**" in text
    assert text.endswith("|\n<!-- end of beside -->\nafter\n")
    assert "old" not in text
    page.write_text(whole.replace("<!-- end of beside -->", ""))
    with pytest.raises(UsageError, match="no place for the figures"):
        put_tables(page)


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no results"):
        load_results(tmp_path)


def test_percentiles_are_samples() -> None:
    samples = np.arange(1000, 101_000, 1000, dtype=np.uint64)
    found = percentiles(samples)
    assert (found["min"], found["p50"], found["p99"], found["max"]) == (1.0, 50.0, 99.0, 100.0)
    assert found["mean"] == 50.5
    assert quantile(samples[:0], 0.5) == 0.0
    assert [len(part) for part in windows(samples, 30)] == [30, 30, 30]
    assert [len(part) for part in windows(samples, 300)] == [100]
