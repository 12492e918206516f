"""Edges that close, open and change their price while players are guided: changes a second.

The stream is like that of the dynamic track of the Grid-Based Path Planning Competition: patches,
rectangles of cells whose edges all close, or all open again, and between them prices that change.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.bench.distribution import Samples, percentiles, quantile
from huntgraph.bench.oracle import Verdict, distances, exact_for_epoch, judge
from huntgraph.bench.result import Found
from huntgraph.bench.scene import SEED, Scene
from huntgraph.bench.with_actor import with_actor
from huntgraph.client import Identity, Link, connect
from huntgraph.cluster import Actor
from huntgraph.engine import Engine, Records, move, ticks
from huntgraph.schema import MOVE, Code, Flag, Kind
from huntgraph.world import World

__all__ = ["edges", "patches"]

FRAME: Final = 100
SIDE: Final = 24
SHUT: Final = 4
"""Patches that are shut at a time."""
IN_FLIGHT: Final = 32
TICK_CHANGES: Final = 4_000
WATCHERS: Final = 64
"""Players who ask where to go, all through the stream."""
PAUSE_S: Final = 0.05
PATIENCE_S: Final = 20.0
EPOCHS: Final = 4
GROWTH_ROUNDS: Final = 16


def edges(scene: Scene) -> Found:
    """Measure changes a second over QUIC into an actor's process, and in this process."""
    world = World.open(scene.world_file)
    inside, verdict = _in_process(scene, world)
    found = asyncio.run(with_actor(scene, lambda actor: _over_quic(scene, world, actor)))
    answers, frames = np.concatenate(found.answers), np.array(found.frame_ns, np.uint64)
    players = scene.options.players
    live = judge(scene.folder / "actor", world, answers, players=players, epochs=EPOCHS)
    changes = len(frames) * FRAME
    age = answers["tick"].astype(np.int64) - answers["epoch"]
    figures: dict[str, float] = {
        "changes_per_s": round(changes / found.took_s),
        "in_process_changes_per_s": round(TICK_CHANGES * 1e9 / quantile(inside, 0.5, 1.0)),
        "in_process_tick_p50_ms": quantile(inside, 0.5, 1e6),
        "frame_p50_us": quantile(frames, 0.5),
        "frame_p99_us": quantile(frames, 0.99),
        "changes": changes,
        "refused": found.refused,
        "judged": verdict.judged + live.judged,
        "wrong": verdict.wrong + live.wrong,
        "epoch_age_max_ticks": int(age[exact_for_epoch(answers)].max(initial=0)),
    }
    return Found(
        figures=figures,
        samples=changes,
        distribution={
            "frame_us": percentiles(frames),
            "in_process_tick_ms": percentiles(inside, 1e6),
        },
        offered=f"closed loop, {IN_FLIGHT} frames of {FRAME} changes in flight, guidance on",
        idle_policy=scene.options.idle_policy,
    )


def patches(world: World, seed: int) -> Iterator[Records]:
    """Give frames of `FRAME` changes for ever: dtype MOVE; a patch is shut while four follow it."""
    rng = np.random.default_rng(seed)
    grid, tails = world.node_grid, world.tails()
    shut: deque[NDArray[np.intp]] = deque()
    rest = np.empty(0, MOVE)
    while True:
        top, left = (int(rng.integers(max(size - SIDE, 1))) for size in grid.shape)
        cells = grid[top : top + SIDE, left : left + SIDE]
        nodes = cells[cells >= 0]
        rows = [np.arange(world.first[node], world.first[node + 1]) for node in nodes.tolist()]
        patch = np.concatenate([np.empty(0, np.intp), *rows])
        patch = patch[world.cost[patch] > 0]
        shut.append(patch)
        opened = shut.popleft() if len(shut) > SHUT else patch[:0]
        priced = rng.integers(0, len(tails), len(patch))
        priced = priced[world.cost[priced] > 0]
        kinds = [(Kind.EDGE_CLOSE, patch), (Kind.EDGE_OPEN, opened), (Kind.EDGE_PRICE, priced)]
        for kind, which in kinds:
            changes = move(kind, to=world.head[which])
            changes["from"] = tails[which]
            if kind == Kind.EDGE_PRICE:
                changes["arg"] = rng.integers(1, 60, len(which))
            rest = np.concatenate([rest, changes])
        whole = len(rest) // FRAME * FRAME
        yield from np.split(rest[:whole], whole // FRAME) if whole else []
        rest = rest[whole:]


def _ask(world: World, seq: int) -> Records:
    """Let everyone who watches enter anew where it stands: answered with fresh guidance."""
    who = np.arange(WATCHERS)
    nodes = (2 * who + 1) * world.nodes // (2 * WATCHERS)
    return move(Kind.ENTER, player=who + 1, seq=seq, hunt=0, to=nodes)


@dataclass
class Streamed:
    """What became of a stream of changes over QUIC."""

    frame_ns: list[int] = field(default_factory=list)
    answers: list[Records] = field(default_factory=list)
    refused: int = 0
    took_s: float = 0.0


async def _over_quic(scene: Scene, world: World, actor: Actor) -> Streamed:
    identity = Identity(scene.client.certificate, scene.client.key, scene.client.authority)
    found, frames = Streamed(), patches(world, SEED)
    began_s = time.perf_counter()
    until_s = began_s + scene.options.seconds

    async def stream(link: Link) -> None:
        while time.perf_counter() < until_s:
            began_ns = time.perf_counter_ns()
            updates = await link.send(next(frames))
            found.frame_ns.append(time.perf_counter_ns() - began_ns)
            found.refused += int(np.count_nonzero(updates["code"] != Code.OK))

    async def ask(link: Link) -> Records:
        await asyncio.sleep(PAUSE_S)
        found.answers.append(await link.send(_ask(world, len(found.answers) + 1)))
        return found.answers[-1]

    async def watch(link: Link) -> None:
        while time.perf_counter() < until_s:
            await ask(link)

    async with connect(actor.ready.url, identity=identity) as link:
        await asyncio.gather(watch(link), *(stream(link) for _ in range(IN_FLIGHT)))
        found.took_s = time.perf_counter() - began_s
        end = (await actor.status()).tick
        patience_s = time.perf_counter() + PATIENCE_S
        # Until everyone is answered with the weights of the end.
        while (await ask(link))["epoch"].min() <= end and time.perf_counter() < patience_s:
            pass
    return found


def _ask_until_guided(engine: Engine, world: World, seq: int) -> int:
    """Ask until the field reaches everyone: it grows as far as it is asked from. The next seq."""
    for _ in range(GROWTH_ROUNDS):
        pending = engine.apply(_ask(world, seq))["flags"] & Flag.PENDING
        seq += 1
        engine.work()
        if not pending.any():
            break
    return seq


def _in_process(scene: Scene, world: World) -> tuple[Samples, Verdict]:
    """Give the time of each tick of changes, fields made exact with it, and the end's verdict."""
    engine, frames = Engine(world, players=WATCHERS, fields=1), patches(world, SEED)
    engine.apply(scene.rows)
    engine.apply(ticks(1, 2))
    asked = _ask_until_guided(engine, world, 1)
    times: list[int] = []
    until_s = time.perf_counter() + scene.options.seconds
    while time.perf_counter() < until_s or not times:
        batch = [next(frames) for _ in range(TICK_CHANGES // FRAME)]
        began_ns = time.perf_counter_ns()
        for frame in batch:
            engine.apply(frame)
        engine.apply(ticks(engine.tick + 1))
        while engine.work():
            pass
        times.append(time.perf_counter_ns() - began_ns)
        engine.events()
    answers = engine.apply(_ask(world, asked))
    weight = np.where(engine.closed(), 0, engine.weights()).astype(np.int64)
    away = distances(world, weight, int(answers["target"][0]))
    wrong = answers["distance"] != away[answers["node"]]
    wrong |= answers["epoch"] != engine.tick
    return np.array(times, np.uint64), Verdict(len(answers), int(np.count_nonzero(wrong)))
