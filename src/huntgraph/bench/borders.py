"""Guidance over borders: how much of it is told, how old it is, and what its rounds cost.

One world in parts, an actor each. Every hunt's treasure lies near a border, and its hunters all
around it, in all partitions that have nodes there; traffic moves weights under them.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.bench.borders_oracle import judge_whole
from huntgraph.bench.crew import AGES, TICK_MS, Crew, ages_ns
from huntgraph.bench.distribution import percentiles, quantile
from huntgraph.bench.result import Found
from huntgraph.bench.scene import Options, hunt_rows, traffic_rows
from huntgraph.bench.wanderers import Wanderers
from huntgraph.bus import Histogram
from huntgraph.client import Identity, connect
from huntgraph.cluster import ActorOptions, Authority, Supervisor, part_options, refuse
from huntgraph.engine import Records
from huntgraph.schema import BEARING, NONE, Flag
from huntgraph.world import Parts, World, generate

__all__ = ["Targets", "borders", "measure", "targets_near_borders"]

WARM_UP: Final = 0.5
"""Share of the time that is walked before it counts."""
INLAND: Final = 12
"""Cells from the border to a target, at most."""
SEED: Final = 1
FIELDS: Final = 32
"""Of each partition: three for each target whose rounds go on."""
COUNTED: Final = (
    "rounds_begun",
    "rounds_joined",
    "rounds_done",
    "rounds_failed_late",
    "rounds_failed_changes",
    "rounds_failed_room",
    "rounds_failed_void",
    "rounds_failed_full",
    "bearings",
    "nodes_settled",
)


@dataclass
class BorderCrew(Crew):
    """A partition beside others: answers about targets elsewhere are counted by themselves."""

    foreign: int = 0
    told: int = 0
    """Of `foreign`: those that are exact, for an epoch or for now."""
    far_ages: np.ndarray[tuple[int], np.dtype[np.int64]] = field(
        default_factory=lambda: np.zeros(AGES, np.int64)
    )

    def take(self, updates: Records) -> None:
        """Count the answers to a round of moves."""
        super().take(updates)
        assert self.world.part is not None
        hunted = updates["stage"] != 255
        target = updates["target"]
        abroad = updates[hunted & ((target == NONE) | (target >= self.world.part.own_nodes))]
        certified = abroad[abroad["flags"] & (Flag.CERTIFIED | Flag.EXACT_NOW) == Flag.CERTIFIED]
        self.foreign += len(abroad)
        self.told += int(np.count_nonzero(abroad["flags"] & (Flag.CERTIFIED | Flag.EXACT_NOW)))
        age = certified["tick"].astype(np.int64) - certified["epoch"]
        self.far_ages += np.bincount(np.minimum(age, AGES - 1), minlength=AGES)

    def forget(self) -> None:
        """Begin to count anew."""
        super().forget()
        self.foreign = self.told = 0
        self.far_ages[:] = 0


@dataclass(frozen=True)
class Targets:
    """A target for each hunt slot: nodes of the whole world, near a border."""

    parts: Parts
    goals: list[int]

    def rows(self, number: int) -> NDArray[np.void]:
        """Give the hunts as one partition has them, and a traffic rule. dtype RULE."""
        rows = []
        for slot, goal in enumerate(self.goals):
            owner, node = (int(each) for each in self.parts.locate(goal))
            hunt = hunt_rows(slot, node)
            hunt["owner"][1] = 0 if owner == number else 1 + owner
            hunt["mask"][0] = (1 << len(self.parts)) - 1
            rows.append(hunt)
        return np.concatenate([*rows, traffic_rows(len(self.goals))])

    def starts(self, number: int, reach: int) -> dict[int, NDArray[np.int64]]:
        """Give the own nodes of a partition within so many cells of each target, by slot."""
        world = self.parts[number]
        assert world.part is not None
        found = {}
        for slot, goal in enumerate(self.goals):
            owner, node = (int(each) for each in self.parts.locate(goal))
            there = self.parts[owner]
            apart = _apart(world, int(there.x[node]), int(there.y[node]))
            found[slot] = np.flatnonzero(apart[: world.part.own_nodes] <= reach)
        return found


def _apart(world: World, x: int, y: int) -> NDArray[np.int64]:
    """Give the cells from each node to a place, in the greater of both directions."""
    return np.maximum(abs(world.x.astype(np.int64) - x), abs(world.y.astype(np.int64) - y))


def targets_near_borders(parts: Parts, count: int) -> Targets:
    """Choose targets within some cells of borders, in partitions far from each other."""
    rng, goals = np.random.default_rng(SEED), []
    for slot in range(count):
        world = parts[slot * len(parts) // count]
        assert world.part is not None
        own = world.part.own_nodes
        beside = rng.integers(own, world.nodes)
        apart = _apart(world, int(world.x[beside]), int(world.y[beside]))[:own]
        near = np.flatnonzero(apart <= INLAND)
        goals.append(int(world.part.global_ids[rng.choice(near)]))
    return Targets(parts, goals)


def borders(options: Options, folder: Path) -> Found:
    """Measure guidance over the borders of one world in ``options.partitions`` parts."""
    from huntgraph.world.split import split

    parts = split(generate(options.edges, SEED), options.partitions)
    parts.save(folder / "parts")
    targets = targets_near_borders(parts, options.targets)
    crews, risen, rounds, told, asked = asyncio.run(measure(options, folder, targets))
    verdict = judge_whole(list(crews), parts, told, asked, targets.goals)
    far = ages_ns(np.sum([crew.far_ages for crew in crews], axis=0))
    home = ages_ns(np.sum([crew.ages - crew.far_ages for crew in crews], axis=0))
    foreign = sum(crew.foreign for crew in crews)
    bytes_sent = risen["bearings"] * BEARING.itemsize
    figures: dict[str, float] = {
        **_ages("far_epoch_age", far),
        **_ages("home_epoch_age", home),
        "far_answers": foreign,
        "far_exact_share": round(sum(crew.told for crew in crews) / max(foreign, 1), 4),
        "answers": sum(crew.moves for crew in crews),
        "unguided": sum(crew.unguided for crew in crews),
        "moves_per_s": round(sum(crew.moves for crew in crews) / options.seconds),
        "refused": sum(crew.refused for crew in crews),
        "judged": verdict.judged,
        "wrong": verdict.wrong,
        "round_p50_ms": round(rounds.quantile_ns(0.5) / 1e6, 3),
        "round_p99_ms": round(rounds.quantile_ns(0.99) / 1e6, 3),
        "bytes_a_round": round(bytes_sent / max(risen["rounds_begun"], 1)),
        **risen,
        "partitions": len(crews),
        "targets": options.targets,
        "reach_cells": options.reach,
        "edges": sum(len(crew.world.head) for crew in crews),
        "players": sum(crew.wanderers.count for crew in crews),
    }
    return Found(
        figures=figures,
        samples=foreign,
        distribution={"far_epoch_age_ms": percentiles(far, 1e6)},
        floor={"tick_ms": TICK_MS},
        offered=f"open loop, {options.rate:,} moves/s over {len(crews)} partitions",
        idle_policy=options.idle_policy,
    )


def _ages(name: str, ages: NDArray[np.uint64]) -> dict[str, float]:
    shares = {"p50": 0.5, "p99": 0.99}
    return {f"{name}_{at}_ms": quantile(ages, share, 1e6) for at, share in shares.items()}


async def measure(
    options: Options, folder: Path, targets: Targets
) -> tuple[list[BorderCrew], dict[str, int], Histogram, list[Records], list[int]]:
    """Let everybody walk under traffic, then ask all once more.

    Gives the crews; how far counters rose; how long rounds took; the last answers of each
    partition and its tick then, for `judge_whole`.
    """
    async with AsyncExitStack() as stack:
        crews = await _start(options, folder, targets, stack)
        await _walk(crews, options, WARM_UP * options.seconds)
        for crew in crews:
            crew.forget()
        before = [crew.supervisor.actor.counters().read() for crew in crews]
        await _walk(crews, options, options.seconds)
        after = [crew.supervisor.actor.counters().read() for crew in crews]
        told = await asyncio.gather(*(_ask(crew) for crew in crews))
        asked = [crew.supervisor.actor.counters().value("tick") for crew in crews]
        for crew in crews:
            await crew.link.drain()
    pairs = list(zip(before, after, strict=True))
    risen = {name: sum(b.values[name] - a.values[name] for a, b in pairs) for name in COUNTED}
    kept = [b.histograms["rounds_ns"] - a.histograms["rounds_ns"] for a, b in pairs]
    return crews, risen, sum(kept[1:], kept[0]), list(told), asked


async def _ask(crew: BorderCrew) -> Records:
    """Let everybody move once more; the answers are to be judged."""
    return await crew.link.send(crew.wanderers.moves(np.arange(crew.wanderers.count)))


async def _start(
    options: Options, folder: Path, targets: Targets, stack: AsyncExitStack
) -> list[BorderCrew]:
    """Start all actors as neighbours, publish the hunts, let everyone in."""
    authority = Authority.create_or_open(folder / "certificates")
    client = authority.client_identity()
    identity = Identity(client.certificate, client.key, client.authority)
    numbers = range(len(targets.parts))
    base = ActorOptions(
        directory=folder,
        world=folder,
        identity=authority.server_identity(),
        players=options.players,
        fields=FIELDS,
        idle=options.idle_policy,
    )
    files = {number: folder / "parts" / f"part-{number:02}.hgw" for number in numbers}
    folders = {number: folder / f"actor-{number:02}" for number in numbers}
    supervisors = [
        await stack.enter_async_context(Supervisor(each, snapshot_every_s=0))
        for each in part_options(files, folders, base)
    ]
    for number, supervisor in enumerate(supervisors):
        refuse(await supervisor.actor.control(targets.rows(number)), "the hunts")
    for supervisor in supervisors:
        opens = (await supervisor.actor.status()).tick + 2
        while (await supervisor.actor.status()).tick < opens:
            await asyncio.sleep(TICK_MS / 1e3)
    crews = []
    for number, supervisor in enumerate(supervisors):
        opening = connect(
            supervisor.actor.ready.url, identity=identity, partition=number, drain_ms=60_000
        )
        link = await stack.enter_async_context(opening)
        starts = targets.starts(number, options.reach)
        count = options.players if any(map(len, starts.values())) else 0
        world, first = targets.parts[number], number * options.players
        wanderers = Wanderers(world, count, starts, number, first=first)
        crews.append(BorderCrew(number, world, supervisor, link, wanderers, options))
    return crews


async def _walk(crews: list[BorderCrew], options: Options, seconds: float) -> None:
    until_s = asyncio.get_running_loop().time() + seconds
    walked = [crew for crew in crews if crew.wanderers.count]
    rate = options.rate / len(walked)
    await asyncio.gather(*(crew.walk(rate, until_s) for crew in walked))
