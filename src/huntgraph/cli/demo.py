"""``huntgraph demo``: a real hunt on this machine, and the proof that it was right."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter, validators

from huntgraph.cli.exits import Exit
from huntgraph.cli.output import Count, Json, facts, print_json, progress, say
from huntgraph.cli.signals import Signals, run_async
from huntgraph.errors import ActorError, UsageError

if TYPE_CHECKING:
    from huntgraph.bots import Tally, Walkers
    from huntgraph.cli.demo_proof import Proof
    from huntgraph.cli.serving import Served
    from huntgraph.cluster import Layout, Stopped
    from huntgraph.hunt import Hunt
    from huntgraph.world import World

__all__ = ["demo"]

VARIABLE: Final = "DEMO_SECONDS"
SECONDS: Final = 20.0
OPEN_TIMEOUT_S: Final = 10.0
FIRST_PLAYER: Final = 1000
TEAMS: Final = 2
GUIDANCE_PERCENT: Final = 80
"""Moves are few here, and nobody wants to wait for a new target's field."""
Positive = Parameter(validator=validators.Number(gt=0))
Port = Parameter(validator=validators.Number(gte=0, lte=65_535))


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a demo was asked to do."""

    layout: Layout
    world: World
    world_file: Path
    hunt: Hunt
    seconds: float
    players: int
    links: int
    rate: float
    http_port: int
    json: bool
    began_s: float


@dataclass(frozen=True, slots=True)
class Walked:
    """How long the bots walked, and whether they ended because nothing was left to win."""

    seconds: float
    finished: bool


def demo(
    *,
    seconds: Annotated[float | None, Positive] = None,
    players: Annotated[Count, Positive] = 400,
    links: Annotated[int, Positive] = 4,
    rate: Annotated[float, Positive] = 50.0,
    edges: Count = 4_000_000,
    side: Annotated[int, Positive] = 60,
    seed: int = 1,
    folder: Annotated[Path | None, Parameter(name="--dir")] = None,
    http_port: Annotated[int, Port] = 0,
    json: Json = False,
) -> int:
    """Watch a hunt.

    Args:
        seconds: how long bots walk, at most [DEMO_SECONDS, else 20].
        players: how many bots.
        links: over how many connections.
        rate: moves a second of each bot.
        edges: size of the world, made once and kept.
        side: the hunt's places lie in a square of so many steps.
        seed: seed of world and hunt.
        folder: where world, certificates and the log of the last run are kept [your cache folder].
        http_port: port of the gateway; 0 takes a free one.
        json: print the outcome as one JSON object.
    """
    from huntgraph.cli.serving import cached_world, claimed
    from huntgraph.cluster import Layout, home

    began_s = time.monotonic()
    layout = Layout((folder or home("cache") / "demo").absolute())
    length_s = seconds if seconds is not None else _seconds_wanted()
    with claimed(layout):
        world_file = layout.folder / f"world-{edges}-{seed}.hgw"
        world = cached_world(world_file, edges, seed)
        hunt = _hunt(layout, world, seed, side)
        # A run begins with an empty log; the last run's stays until then, for huntgraph verify.
        shutil.rmtree(layout.actor, ignore_errors=True)
        plan = Plan(
            layout,
            world,
            world_file,
            hunt,
            length_s,
            players,
            links,
            rate,
            http_port,
            json,
            began_s,
        )
        return run_async(lambda signals: _demo(signals, plan))


def _seconds_wanted() -> float:
    text = os.environ.get(VARIABLE, "")
    if not text:
        return SECONDS
    try:
        seconds = float(text)
    except ValueError as error:
        raise UsageError(f'{VARIABLE} is "{text}"', fix="give seconds, such as 20") from error
    if not 0 < seconds < float("inf"):
        raise UsageError(f'{VARIABLE} is "{text}"', fix="give seconds above 0")
    return seconds


def _hunt(layout: Layout, world: World, seed: int, side: int) -> Hunt:
    from huntgraph.cli.demo_hunt import cached_hunt

    file = layout.folder / f"hunt-{world.world_id:016x}-{seed}-{side}.yaml"
    with progress("Making a hunt"):
        return cached_hunt(world, file, seed=seed, side=side)


async def _demo(signals: Signals, plan: Plan) -> int:
    from huntgraph.bots import Tally, parties
    from huntgraph.cli.demo_screen import Screen
    from huntgraph.cli.serving import Settings, serving

    settings = Settings(
        players=max(plan.players, 1024),
        http_port=plan.http_port,
        snapshot_every_s=0.0,
        guidance_percent=GUIDANCE_PERCENT,
    )
    tally = Tally()
    async with serving(plan.layout, plan.world_file, settings) as served:
        await served.actor.publish(plan.hunt, plan.world, 0)
        await _opened(served)
        starts = [int(node) for node in plan.hunt.page.start]  # type: ignore[arg-type]
        groups = parties(
            plan.players, plan.links, first_player=FIRST_PLAYER, starts=starts, teams=TEAMS
        )
        live_s = time.monotonic() - plan.began_s
        _welcome(plan, served, live_s)
        async with Screen(served, groups, tally, seconds=plan.seconds) as screen:
            walked = await _walk(signals, plan, served, groups, tally)
        if signals.interrupted:
            say("interrupted: draining")
            return Exit.INTERRUPTED
        figures = screen.figures()
        stopped = await served.supervisor.stop()
    if stopped is None:
        raise ActorError("the actor ended before it was stopped", code="HG1417")
    proof = await _prove(plan, stopped, tally)
    _summary(plan, tally, walked, proof, {"live_after_s": round(live_s, 2), **figures})
    return Exit.DIFFERENCE if proof.problems else Exit.OK


async def _opened(served: Served) -> None:
    """Wait for the tick that opens the hunt, so that nobody enters too early."""
    tick = (await served.actor.status()).tick
    async with asyncio.timeout(OPEN_TIMEOUT_S):
        while (await served.actor.status()).tick < tick + 2:
            await asyncio.sleep(0.01)


def _welcome(plan: Plan, served: Served, live_s: float) -> None:
    world = plan.world
    say("huntgraph demo (not for production)")
    say(f"  world    {world.nodes:,} nodes, {world.edges:,} edges")
    say(f"  actor    {served.actor.ready.url}, process {served.actor.pid}")
    say(f"  gateway  {served.gateway.url}")
    say(f"  bots     {plan.players:,} over {plan.links} QUIC links, mutual TLS")
    say(f"live after {live_s:.1f} s")


async def _walk(
    signals: Signals, plan: Plan, served: Served, groups: list[Walkers], tally: Tally
) -> Walked:
    """Let the bots walk until the time is over, all is won or somebody ends it."""
    from huntgraph.bots import play

    stop = asyncio.Event()
    began_s = time.monotonic()
    asyncio.get_running_loop().call_later(plan.seconds, stop.set)
    walk = asyncio.create_task(
        play(
            served.actor.ready.url,
            served.identity,
            groups,
            tally,
            rate=plan.rate,
            stop=stop,
            world_id=plan.world.world_id,
        )
    )
    ended = asyncio.create_task(signals.stop.wait())
    failed = asyncio.create_task(served.supervisor.wait())
    try:
        await asyncio.wait({walk, ended, failed}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            failed.result()
        finished = walk.done() and not stop.is_set()
        if not signals.interrupted:
            stop.set()
            await walk
        return Walked(time.monotonic() - began_s, finished)
    finally:
        for task in (walk, ended, failed):
            task.cancel()
        await asyncio.gather(walk, ended, failed, return_exceptions=True)


async def _prove(plan: Plan, stopped: Stopped, tally: Tally) -> Proof:
    from huntgraph.cli.demo_proof import prove

    say("replaying the log")
    with progress("Replaying the log") as bar:
        return await asyncio.to_thread(
            prove, plan.layout.actor, plan.world, stopped, tally.receipts, bar
        )


def _summary(
    plan: Plan, tally: Tally, walked: Walked, proof: Proof, figures: dict[str, Any]
) -> None:
    from huntgraph.cli.bots import tally_facts

    bots = tally_facts(tally, walked.seconds)
    body = {
        "sound": not proof.problems,
        "players": plan.players,
        "edges": int(plan.world.edges),
        "seconds": round(walked.seconds, 2),
        "finished": walked.finished,
        "actor": figures,
        "bots": bots,
        "proof": proof.facts,
        "problems": proof.problems,
    }
    if plan.json:
        print_json("demo", body)
        return
    rows: list[tuple[str, object]] = [("players", plan.players), ("seconds", walked.seconds)]
    rows += [("all won", walked.finished)]
    rows += [(f"bots: {name}", each) for name, each in bots.items() if name != "refused"]
    rows += [(f"refused: {name}", count) for name, count in bots["refused"].items()]
    rows += [(f"actor: {name}", each) for name, each in figures.items()]
    rows += [(f"proof: {name}", each) for name, each in proof.facts.items()]
    facts("", rows)
    for problem in proof.problems:
        print(f"DIFFERENT: {problem}")
    if not proof.problems:
        print("The replay gives the actor's state, and every receipt is in it.")
    say(f"Look closer: huntgraph verify {plan.layout.folder}")
