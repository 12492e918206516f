"""Seconds of history forked, edited, replayed, compared and adopted while players go on."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from huntgraph.bench.crew import Crew, open_crew
from huntgraph.bench.distribution import percentiles, quantile
from huntgraph.bench.forks import LONG, Forks, Place, Timing, floor_ms, now_ms, resident_bytes
from huntgraph.bench.result import Found
from huntgraph.bench.scene import Options
from huntgraph.priority import behind_all_others

__all__ = ["timeline"]

FOLLOW_S: Final = 0.2
FORKS: Final = 10
COMMITS: Final = 3
LEAKS: Final = 40
BESIDE: Final = 8
"""How often as long as the history players are watched beside forks."""
CHEATERS: Final = 1e-4
"""Share of players whose moves are struck: about one in a partition."""
MANY: Final = 0.2
"""The same for the diff of many edges."""
MANY_TIMES: Final = 3.5
"""How many times the history that is of."""


@dataclass
class Seen:
    """What was measured."""

    alone_ns: list[list[int]] = field(default_factory=list)
    """Rounds while nothing was forked, and while it was, second by second."""
    beside_ns: list[list[int]] = field(default_factory=list)
    forks: list[Timing] = field(default_factory=list)
    """While players stand still, and `live_commits` while they go on."""
    many: list[Timing] = field(default_factory=list)
    long: list[Timing] = field(default_factory=list)
    """Of a history that is LONG times as long."""
    commits: list[Timing] = field(default_factory=list)
    live_forks: list[Timing] = field(default_factory=list)
    live_commits: list[Timing] = field(default_factory=list)
    resident: list[int] = field(default_factory=list)
    agree: bool = False
    one_core: list[Timing] = field(default_factory=list)
    any_diff_ms: float = 0.0
    verbs_ms: float = 0.0
    floor: tuple[float, float] = (0.0, 0.0)
    allocations: int = 0


def timeline(options: Options, folder: Path) -> Found:
    """Measure forks of the last `seconds` seconds while players wander in all partitions."""
    crews, seen = asyncio.run(_measure(options, folder))
    windows = seen.alone_ns, seen.beside_ns
    alone, beside = (np.concatenate(of).astype(np.uint64) for of in windows)
    alone_p99, beside_p99 = (_usual_p99_ms(of) for of in windows)
    figures = {
        **_forks_figures(seen),
        **_commit_figures(seen),
        "history_s": options.seconds,
        "long_history_s": LONG * options.seconds,
        "floor_memcpy_ms": round(seen.floor[0], 2),
        "floor_memcmp_ms": round(seen.floor[1], 2),
        "live_p99_ms": round(alone_p99, 2),
        "live_p99_beside_forks_ms": round(beside_p99, 2),
        "live_p99_ratio": round(beside_p99 / max(alone_p99, 1e-3), 3),
        "live_all_p99_ratio": round(quantile(beside, 0.99) / max(quantile(alone, 0.99), 1.0), 3),
        "allocations": seen.allocations,
        "rss_slope_bytes_per_run": round(float(np.polyfit(*_line(seen.resident), 1)[0])),
        "hashes_agree": int(seen.agree),
        "edges": sum(len(crew.world.head) for crew in crews),
        "partitions": options.partitions,
    }
    sums = np.array([sum(run.phase_ms.values()) for run in seen.forks])
    return Found(
        figures=figures,
        samples=len(seen.forks) + len(seen.commits),
        distribution={
            "fork_replay_diff_ms": percentiles(sums),
            "round_alone_ms": percentiles(alone, 1e6),
            "round_beside_forks_ms": percentiles(beside, 1e6),
        },
        floor={"memcpy_ms": seen.floor[0], "memcmp_ms": seen.floor[1]},
        offered=f"open loop, {options.rate:,} moves/s over {options.partitions} partitions",
        idle_policy=options.idle_policy,
    )


def _forks_figures(seen: Seen) -> dict[str, float]:
    """The quickest of each phase; and the diff of many edges."""
    names = seen.forks[0].phase_ms
    quickest = {name: min(run.phase_ms[name] for run in seen.forks) for name in names}
    rate, core_rate = (
        max(run.records / run.phase_ms["replay"] for run in runs)
        for runs in (seen.forks, seen.one_core)
    )
    many = min(seen.many, key=lambda run: run.phase_ms["diff"])
    longest = min(seen.long, key=lambda run: sum(run.phase_ms.values()))
    return {
        **{f"{name}_ms": round(ms, 2) for name, ms in quickest.items()},
        "replay_moves_per_s": round(rate * 1e3),
        "core_replay_moves_per_s": round(core_rate * 1e3),
        "any_diff_ms": round(seen.any_diff_ms, 2),
        "many_changed_edges": many.changed_edges,
        "many_diff_ms": round(many.phase_ms["diff"], 2),
        **{f"long_{name}_ms": round(ms, 2) for name, ms in longest.phase_ms.items()},
        "long_total_ms": round(sum(longest.phase_ms.values()), 2),
        "long_records": longest.records,
        "verbs_ms": round(seen.verbs_ms, 2),
        "resident_mib": seen.resident[-1] >> 20,
    }


def _commit_figures(seen: Seen) -> dict[str, float]:
    best = min(seen.commits, key=lambda run: sum(run.phase_ms.values()))
    live = [sum(run.phase_ms.values()) for run in seen.live_commits]
    stops = [run.stopped_ms for run in seen.live_commits]
    return {
        "commit_ms": round(best.phase_ms["commit"], 2),
        "total_ms": round(sum(best.phase_ms.values()), 2),
        "records": best.records,
        "changed_edges": best.changed_edges,
        "live_total_ms": round(float(np.median(live)), 2),
        "fence_ms": round(float(np.median(stops)), 2),
        "fence_worst_ms": round(max(stops), 2),
        "fence_told_ms": round(float(np.median([run.fence_ms for run in seen.live_commits])), 2),
        "still_fence_ms": round(best.stopped_ms, 2),
        "committed_cells_least": min(
            run.committed_cells for run in [*seen.commits, *seen.live_commits]
        ),
    }


def _usual_p99_ms(windows: list[list[int]]) -> float:
    """The median of the p99 of each second: one of the machine's hiccups does not decide it."""
    seconds = [quantile(np.array(window, np.uint64), 0.99, 1e6) for window in windows]
    return float(np.median(seconds))


def _line(seen: list[int]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The second half of what was seen: by then all memory there will be has been taken."""
    later = np.array(seen[len(seen) // 2 :], np.float64)
    return np.arange(len(later)), later


async def _measure(options: Options, folder: Path) -> tuple[list[Crew], Seen]:
    seen = Seen()
    async with AsyncExitStack() as stack:
        crews = [
            await stack.enter_async_context(open_crew(options, folder, number, options.partitions))
            for number in range(options.partitions)
        ]
        spawn = multiprocessing.get_context("spawn")
        pool = stack.enter_context(ProcessPoolExecutor(1, mp_context=spawn))
        other = Other(pool)
        places = [_place(crew, folder) for crew in crews]
        await other.ask(_open, places, folder, options.players, options.seconds, options.rate)
        before = _allocations(crews)
        async with _walking(crews, options):
            await other.follow(1.1 * LONG * options.seconds)
        await _alone(other, seen)
        await _commit_alone(other, crews, options, seen)
        async with _walking(crews, options):
            await _beside(other, crews, options, seen)
        seen.allocations = _allocations(crews) - before
        for crew in crews:
            await crew.link.drain()
    return crews, seen


@asynccontextmanager
async def _walking(crews: list[Crew], options: Options) -> AsyncIterator[None]:
    """Let players wander meanwhile."""
    rate = options.rate / len(crews)
    walks = [asyncio.create_task(crew.walk(rate, 1e18)) for crew in crews]
    try:
        yield
    finally:
        for walk in walks:
            walk.cancel()
        await asyncio.gather(*walks, return_exceptions=True)


async def _alone(other: Other, seen: Seen) -> None:
    """Fork the last seconds while players stand still."""
    head_ms = now_ms()
    seen.forks = [await other.ask(_fork, CHEATERS, head_ms) for _ in range(FORKS)]
    seen.many = [await other.ask(_fork, MANY, head_ms, MANY_TIMES) for _ in range(FORKS)]
    seen.any_diff_ms = await other.ask(_compare_all)
    seen.one_core = [await other.ask(_fork_on_one_core, CHEATERS, head_ms) for _ in range(FORKS)]
    seen.long = [await other.ask(_fork, CHEATERS, head_ms, LONG) for _ in range(3)]
    seen.agree = await other.ask(_agree, head_ms)
    seen.verbs_ms = await other.ask(_by_verbs, CHEATERS, head_ms)
    seen.resident = [await other.ask(_fork_and_weigh, CHEATERS, head_ms) for _ in range(LEAKS)]
    seen.floor = await other.ask(_floor)
    seen.commits = [await other.ask(_commit, CHEATERS, head_ms)]


async def _commit_alone(other: Other, crews: list[Crew], options: Options, seen: Seen) -> None:
    """Commit some more while players stand still, each time of moves behind the last correction."""
    while len(seen.commits) < COMMITS:
        async with _walking(crews, options):
            await other.follow(1.2 * options.seconds)
        seen.commits.append(await other.ask(_commit, CHEATERS, now_ms()))


async def _beside(other: Other, crews: list[Crew], options: Options, seen: Seen) -> None:
    """Fork while they go on. A fork begins behind the last correction."""
    await other.follow(1.2 * options.seconds)
    loop = asyncio.get_running_loop()
    until = loop.time() + BESIDE * options.seconds
    while loop.time() < until:
        # In turns: the longer players walk, the more guidance there is to be worked on.
        seen.alone_ns.append(await _late_ns(crews, other))
        seen.beside_ns.append(await _late_ns(crews, other, seen.live_forks))
    for _ in range(COMMITS):
        seen.live_commits.append(await other.ask(_commit, CHEATERS))
        await other.follow(1.2 * options.seconds)


async def _late_ns(crews: list[Crew], other: Other, forks: list[Timing] | None = None) -> list[int]:
    """How long rounds of moves took within a second, and a fork's time if there is to be one."""
    for crew in crews:
        crew.forget()
    if forks is not None:
        forks.append(await other.ask(_fork, CHEATERS))
    await other.follow(1.0)
    return [ns for crew in crews for ns in crew.late_ns]


def _place(crew: Crew, folder: Path) -> Place:
    world = folder / f"world-{crew.number}.hgw"
    return Place(crew.number, crew.supervisor.options.directory, world)


def _allocations(crews: list[Crew]) -> int:
    return sum(int(crew.supervisor.actor.counters().value("allocations")) for crew in crews)


class Other:
    """The process that forks."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    async def ask(self, do: Callable[..., Any], *arguments: Any) -> Any:
        """Let it do something; gives what came of it."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, do, *arguments)

    async def follow(self, seconds: float) -> None:
        """Let it follow the logs for a while, and nothing else."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            await self.ask(_follow)
            await asyncio.sleep(FOLLOW_S)


_forks: list[Forks] = []
"""In the other process: what it works on."""


def _open(places: list[Place], folder: Path, players: int, history_s: float, rate: float) -> None:
    # Whoever plays comes first.
    behind_all_others()
    _forks.append(Forks(places, folder, players=players, history_s=history_s, rate=rate))


def _follow() -> int:
    return _forks[0].follow()


def _fork(share: float, head_ms: int | None = None, times: float = 1) -> Timing:
    return _forks[0].fork(share, head_ms, times=times)


def _fork_on_one_core(share: float, head_ms: int) -> Timing:
    return _forks[0].fork(share, head_ms, threads=1)


def _compare_all() -> float:
    return _forks[0].compare_all()


def _fork_and_weigh(share: float, head_ms: int) -> int:
    _forks[0].fork(share, head_ms)
    return resident_bytes()


def _agree(head_ms: int) -> bool:
    return _forks[0].is_the_head(head_ms)


def _by_verbs(share: float, head_ms: int) -> float:
    return _forks[0].by_verbs(share, head_ms)


def _commit(share: float, head_ms: int | None = None) -> Timing:
    return _forks[0].fork_and_commit(share, head_ms)


def _floor() -> tuple[float, float]:
    heads = [warm.head for warm in _forks[0].warm]
    return floor_ms(max(head.state_bytes for head in heads), len(heads))
