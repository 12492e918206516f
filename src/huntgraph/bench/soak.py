"""A long load on one partition whose actor is killed twice: nothing lost, nothing done twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from huntgraph.bench.crew import Crew, ages_ns, open_crew
from huntgraph.bench.distribution import percentiles, quantile
from huntgraph.bench.ledger import compare
from huntgraph.bench.oracle import Verdict
from huntgraph.bench.result import Found
from huntgraph.bench.scene import Options
from huntgraph.timeline import Log

__all__ = ["Memory", "soak"]

KILLS: Final = (0.2, 0.4)
"""When the actor is killed, as shares of the time; memory is watched in the last life."""
SETTLED: Final = 0.5
LOOKS: Final = 100
EPOCHS: Final = 12


@dataclass
class Memory:
    """Resident memory as it was seen: seconds, bytes."""

    seen: list[tuple[float, int]] = field(default_factory=list)

    def slope_kib_per_min(self) -> float:
        """Give the slope of the straight line nearest to what was seen (least squares)."""
        seconds, sizes = np.array(self.seen, np.float64).T
        return float(np.polyfit(seconds / 60.0, sizes / 1024.0, 1)[0])


def soak(options: Options, folder: Path) -> Found:
    """Load an actor for the whole time, kill it twice, and judge its log by what was promised."""
    crew, memory, verdict = asyncio.run(_measure(options, folder))
    log = Log(crew.supervisor.options.directory, world_id=crew.world.world_id)
    account = compare(crew.wanderers.last["seq"], (part.moves for part in log.records()))
    late, ages = np.array(crew.late_ns, np.uint64), ages_ns(crew.ages)
    figures: dict[str, float] = {
        "minutes": round(options.seconds / 60.0, 3),
        "moves": account.moves,
        "moves_per_s": round(account.moves / options.seconds),
        "kills": len(KILLS),
        "restarts": crew.supervisor.restarts,
        "lost": account.lost,
        "twice": account.twice,
        "unsent": account.unsent,
        "judged": verdict.judged,
        "wrong": verdict.wrong,
        "refused": crew.refused,
        "rss_slope_kib_per_min": round(memory.slope_kib_per_min(), 1),
        "rss_mib": round(memory.seen[-1][1] / 2**20, 2),
        "round_p50_ms": quantile(late, 0.5, 1e6),
        "round_p99_ms": quantile(late, 0.99, 1e6),
    }
    return Found(
        figures=figures,
        samples=account.moves,
        distribution={"round_ms": percentiles(late, 1e6), "epoch_age_ms": percentiles(ages, 1e6)},
        offered=f"open loop, {options.rate:,} moves/s; kill -9 at "
        + " and ".join(f"{share:.0%}" for share in KILLS),
        idle_policy=options.idle_policy,
    )


async def _measure(options: Options, folder: Path) -> tuple[Crew, Memory, Verdict]:
    memory = Memory()
    async with open_crew(options, folder, 0, 1) as crew:
        loop = asyncio.get_running_loop()
        first_s = loop.time()
        walk = asyncio.create_task(crew.walk(options.rate, first_s + options.seconds))
        for share in KILLS:
            await asyncio.sleep(first_s + share * options.seconds - loop.time())
            await crew.kill()
        for look in range(LOOKS):
            share = SETTLED + (1.0 - SETTLED) * look / LOOKS
            await asyncio.sleep(first_s + share * options.seconds - loop.time())
            memory.seen.append((loop.time() - first_s, crew.rss_bytes()))
        await walk
        await crew.link.drain()
    return crew, memory, await asyncio.to_thread(crew.judge, epochs=EPOCHS)
