"""How old guidance is, and whether it is right, in all partitions at once on this machine."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import numpy as np

from huntgraph.bench.crew import TICK_MS, Crew, ages_ns, open_crew
from huntgraph.bench.distribution import percentiles, quantile
from huntgraph.bench.oracle import Verdict
from huntgraph.bench.result import Found
from huntgraph.bench.scene import Options

__all__ = ["guidance"]

WARM_UP: Final = 0.25
"""Share of the time that is walked before it counts, so that every field was built."""
EPOCHS: Final = 4
"""Epochs of a partition that are judged."""


def guidance(options: Options, folder: Path) -> Found:
    """Measure the epoch ages of all answers while players wander in all partitions."""
    crews, verdicts = asyncio.run(_measure(options, folder))
    ages = np.concatenate([ages_ns(crew.ages) for crew in crews])
    late = np.concatenate([np.array(crew.late_ns, np.uint64) for crew in crews])
    moves = sum(crew.moves for crew in crews)
    figures: dict[str, float] = {
        "epoch_age_p50_ms": quantile(ages, 0.5, 1e6),
        "epoch_age_p99_ms": quantile(ages, 0.99, 1e6),
        "answers": len(ages),
        "exact_now": sum(crew.exact_now for crew in crews),
        "unguided": sum(crew.unguided for crew in crews),
        "judged": sum(verdict.judged for verdict in verdicts),
        "wrong": sum(verdict.wrong for verdict in verdicts),
        "moves_per_s": round(moves / options.seconds),
        "refused": sum(crew.refused for crew in crews),
        "round_p50_ms": quantile(late, 0.5, 1e6),
        "round_p99_ms": quantile(late, 0.99, 1e6),
        "partitions": options.partitions,
        "targets": options.targets * options.partitions,
        "reach_cells": options.reach,
        "edges": sum(len(crew.world.head) for crew in crews),
        "players": options.players * options.partitions,
    }
    return Found(
        figures=figures,
        samples=len(ages),
        distribution={"epoch_age_ms": percentiles(ages, 1e6), "round_ms": percentiles(late, 1e6)},
        floor={"tick_ms": TICK_MS},
        offered=f"open loop, {options.rate:,} moves/s over {options.partitions} partitions",
        idle_policy=options.idle_policy,
    )


async def _measure(options: Options, folder: Path) -> tuple[list[Crew], list[Verdict]]:
    async with AsyncExitStack() as stack:
        crews = [
            await stack.enter_async_context(open_crew(options, folder, number, options.partitions))
            for number in range(options.partitions)
        ]
        await _walk(crews, options, WARM_UP * options.seconds)
        for crew in crews:
            crew.forget()
        await _walk(crews, options, options.seconds)
        for crew in crews:
            await crew.link.drain()
    return crews, [crew.judge(epochs=EPOCHS) for crew in crews]


async def _walk(crews: list[Crew], options: Options, seconds: float) -> None:
    until_s = asyncio.get_running_loop().time() + seconds
    rate = options.rate / len(crews)
    await asyncio.gather(*(crew.walk(rate, until_s) for crew in crews))
