"""Ten seconds of history forked, edited, replayed, compared and adopted while players go on."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import numpy as np

from huntgraph.bench.crew import Crew, open_crew
from huntgraph.bench.distribution import percentiles, quantile
from huntgraph.bench.forks import Floor, Place, Report, run_forks
from huntgraph.bench.result import Found
from huntgraph.bench.scene import Options

__all__ = ["timeline"]

SETTLE_S: Final = 2.0
"""Before and after the forks, so that both kinds of windows are of the same load."""
RUNS: Final = 8


def timeline(options: Options, folder: Path) -> Found:
    """Measure forks of the last `seconds` seconds while players wander in all partitions."""
    crews, report = asyncio.run(_measure(options, folder))
    runs, many = report.runs, report.many
    total = [sum(run.phase_ms.values()) for run in runs]
    best = runs[int(np.argmin(total))]
    alone, beside = _late(crews, report)
    figures: dict[str, float] = {
        **{f"{name}_ms": round(ms, 3) for name, ms in best.phase_ms.items()},
        "total_ms": round(min(total), 3),
        "total_median_ms": round(float(np.median(total)), 3),
        "fence_ms": round(best.fence_ms, 3),
        "replay_moves_per_s": round(best.records / best.phase_ms["replay"] * 1e3),
        "history_s": options.seconds,
        "records": best.records,
        "changed_edges": best.changed_edges,
        "many_changed_edges": many.changed_edges,
        "many_diff_ms": round(many.phase_ms["diff"], 3),
        "floor_memcpy_ms": round(report.floor.memcpy_ms, 3),
        "floor_memcmp_ms": round(report.floor.memcmp_ms, 3),
        "live_p99_ms": quantile(alone, 0.99, 1e6),
        "live_p99_fork_ms": quantile(beside, 0.99, 1e6),
        "live_p99_ratio": round(quantile(beside, 0.99) / max(quantile(alone, 0.99), 1.0), 3),
        "rss_slope_bytes_per_run": round(report.rss_slope_bytes_per_run),
        "hashes_agree": int(report.hashes_agree),
        "edges": sum(len(crew.world.head) for crew in crews),
        "partitions": options.partitions,
    }
    return Found(
        figures=figures,
        samples=len(runs),
        distribution={"total_ms": percentiles(np.array(total), 1.0)},
        floor={"memcpy_ms": report.floor.memcpy_ms, "memcmp_ms": report.floor.memcmp_ms},
        offered=f"open loop, {options.rate:,} moves/s over {options.partitions} partitions",
        idle_policy=options.idle_policy,
    )
