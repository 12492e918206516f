"""A partition under a load that does not wait: its actor, a link to it, and players who wander."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.bench.oracle import Verdict, exact_for_epoch, judge
from huntgraph.bench.scene import Options, hunt_rows, traffic_rows
from huntgraph.bench.wanderers import Wanderers, near
from huntgraph.client import Identity, Link, connect
from huntgraph.cluster import ActorOptions, Authority, Supervisor, refuse
from huntgraph.engine import Records
from huntgraph.schema import UPDATE, Flag
from huntgraph.world import World, generate

__all__ = ["AGES", "TICK_MS", "Crew", "ages_ns", "open_crew"]

ROUND_S: Final = 0.05
TICK_MS: Final = 50
AGES: Final = 1 << 12
"""Ticks of epoch age that are told apart."""
KEPT: Final = 40
"""One answer in so many is kept for the oracle."""


@dataclass
class Crew:
    """One partition, and what its players were answered."""

    number: int
    world: World
    supervisor: Supervisor
    link: Link
    wanderers: Wanderers
    options: Options
    refused: int = 0
    moves: int = 0
    late_ns: list[int] = field(default_factory=list)
    """From when a round was due to its last answer."""
    ages: np.ndarray[tuple[int], np.dtype[np.int64]] = field(
        default_factory=lambda: np.zeros(AGES, np.int64)
    )
    """Answers by epoch age in ticks."""
    exact_now: int = 0
    unguided: int = 0
    deaf: bool = False
    """While an actor is dead, answers of before may still come: they are not judged."""
    kept: list[Records] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def walk(self, rate: float, until_s: float) -> None:
        """Send rounds at their times, whatever became of the ones before, until the loop's time."""
        players = self.wanderers.count
        groups = max(1, round(players / (rate * ROUND_S)))
        period_s = players / rate
        parts = np.array_split(np.arange(players), groups)
        first_s = asyncio.get_running_loop().time()
        starts = [first_s + period_s * group / groups for group in range(groups)]
        tasks = [self._group(*one, period_s, until_s) for one in zip(parts, starts, strict=True)]
        await asyncio.gather(*tasks)

    async def _group(
        self, who: np.ndarray[tuple[int], np.dtype[np.intp]], due_s: float, period_s: float,
        until_s: float,
    ) -> None:  # fmt: skip
        loop = asyncio.get_running_loop()
        while due_s < until_s:
            if due_s > loop.time():
                await asyncio.sleep(due_s - loop.time())
            updates = await self.link.send(self.wanderers.moves(who))
            self.late_ns.append(int((loop.time() - due_s) * 1e9))
            self.take(updates)
            due_s += period_s

    def take(self, updates: Records) -> None:
        """Count the answers to a round."""
        self.moves += len(updates)
        self.refused += self.wanderers.take(updates)
        flags = updates["flags"]
        now = flags & Flag.EXACT_NOW != 0
        told = exact_for_epoch(updates)
        self.exact_now += int(now.sum())
        self.unguided += int(np.count_nonzero(~now & ~told))
        age = updates["tick"][told].astype(np.int64) - updates["epoch"][told]
        self.ages += np.bincount(np.minimum(age, AGES - 1), minlength=AGES)
        if not self.deaf:
            self.kept.append(updates[told][::KEPT].copy())
        self.news.set()

    def forget(self) -> None:
        """Begin to count anew."""
        self.moves = self.refused = self.exact_now = self.unguided = 0
        self.ages[:] = 0
        self.late_ns.clear()
        self.kept.clear()

    async def kill(self) -> None:
        """Kill the actor with signal 9, and wait until its successor has answered a round."""
        durable = self.link.durable_position
        self.deaf = True
        # What was not on disk may never have happened.
        self.kept = [part[part["position"] <= durable] for part in self.kept]
        life = int(self.link.welcome["epoch"])
        await self.supervisor.actor.kill()
        while int(self.link.welcome["epoch"]) == life:
            self.news.clear()
            await self.news.wait()
        self.deaf = False

    def judge(self, *, epochs: int) -> Verdict:
        """Judge the kept answers; the link must have been drained."""
        answers = np.concatenate([np.empty(0, UPDATE), *self.kept])
        directory = self.supervisor.options.directory
        number, players = self.number, self.wanderers.count
        return judge(
            directory, self.world, answers, players=players, partition=number, epochs=epochs
        )

    def rss_bytes(self) -> int:
        """Give the resident memory of the actor's process."""
        text = Path("/proc", str(self.supervisor.actor.pid), "statm").read_text()
        return int(text.split()[1]) * 4096


def ages_ns(counts: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Give the age of every answer that is counted by age in ticks, in no order, nanoseconds."""
    return np.repeat(np.arange(len(counts)) * TICK_MS * 1_000_000, counts).astype(np.uint64)


@asynccontextmanager
async def open_crew(
    options: Options, folder: Path, number: int, partitions: int
) -> AsyncIterator[Crew]:
    """Make a world, start its actor under a supervisor, publish hunts and let everyone in."""
    world = await asyncio.to_thread(generate, options.edges // partitions, number + 1)
    world_file = folder / f"world-{number}.hgw"
    world.save(world_file)
    authority = Authority.create_or_open(folder / "certificates")
    actor = ActorOptions(
        directory=folder / f"actor-{number}",
        world=world_file,
        identity=authority.server_identity(),
        partition=number,
        players=options.players,
        idle=options.idle_policy,
    )
    client = authority.client_identity()
    identity = Identity(client.certificate, client.key, client.authority)
    async with Supervisor(actor, snapshot_every_s=0) as supervisor:
        targets = await publish(supervisor, world, options)
        url = supervisor.actor.ready.url
        async with connect(url, identity=identity, partition=number, drain_ms=60_000) as link:
            starts = {
                slot: near(world, target, options.reach) for slot, target in enumerate(targets)
            }
            wanderers = Wanderers(world, options.players, starts, number)
            crew = Crew(number, world, supervisor, link, wanderers, options)
            wanderers.take(await link.send(wanderers.moves(np.arange(options.players))))
            yield crew


async def publish(supervisor: Supervisor, world: World, options: Options) -> list[int]:
    """Publish a hunt for each target and a traffic rule, wait until they are open; the targets."""
    nodes = [
        (2 * slot + 1) * world.nodes // (2 * options.targets) for slot in range(options.targets)
    ]
    rows = [hunt_rows(slot, node) for slot, node in enumerate(nodes)]
    actor = supervisor.actor
    refuse(await actor.control(np.concatenate([*rows, traffic_rows(options.targets)])), "the hunts")
    opens = (await actor.status()).tick + 2
    while (await actor.status()).tick < opens:
        await asyncio.sleep(TICK_MS / 1e3)
    return nodes
