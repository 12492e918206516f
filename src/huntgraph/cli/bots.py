"""``huntgraph bots``."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, validators

from huntgraph.cli.exits import Exit
from huntgraph.cli.output import Count, Json, facts, print_json, say
from huntgraph.cli.signals import Signals, run_async
from huntgraph.errors import UsageError
from huntgraph.schema import HUNTS

if TYPE_CHECKING:
    from huntgraph.bots import Tally, Walkers
    from huntgraph.cluster import Leaf

__all__ = ["bots", "tally_facts"]

EVERY_S = 1.0
Positive = Parameter(validator=validators.Number(gt=0))


def bots(
    *,
    folder: Annotated[Path | None, Parameter(name="--dir")] = None,
    url: str | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    authority: Path | None = None,
    players: Annotated[Count, Positive] = 200,
    links: Annotated[int, Positive] = 2,
    rate: Annotated[float, Positive] = 20.0,
    seconds: Annotated[float, Positive] = 20.0,
    slot: Annotated[int, Parameter(validator=validators.Number(gte=0, lt=HUNTS))] = 0,
    teams: int = 1,
    start: list[int] | None = None,
    first_player: int | None = None,
    seed: int = 1,
    json: Json = False,
) -> int:
    """Let bots play.

    Args:
        folder: the folder of huntgraph serve, which tells address, identity and world.
        url: an address instead, huntgraph://HOST:PORT, with the three files below and --start.
        certificate: PEM file of the game server's certificate.
        key: PEM file of its key.
        authority: PEM file of the authority's certificate.
        players: how many bots.
        links: over how many connections.
        rate: moves a second of each bot.
        seconds: how long; they end sooner when nothing is left to win.
        slot: the slot of the hunt they play.
        teams: teams they are shared out to.
        start: a node to start at; may be given more than once [random nodes of the world].
        first_player: id of the first bot; one never used before [from the clock].
        seed: seed of the random starts.
        json: print the outcome as JSON.
    """
    from huntgraph.bots import parties

    found, world = _target(folder, url, (certificate, key, authority))
    nodes = start or _random_nodes(world, players, seed)
    # A player's numbers go on for its whole life, so every run needs players of its own.
    first = first_player if first_player is not None else int(time.time() * 1000) << 20
    groups = parties(players, links, first_player=first, starts=nodes, hunt=slot, teams=teams)
    return run_async(lambda signals: _play(signals, found, groups, rate, seconds, json))


async def _play(
    signals: Signals,
    target: tuple[str, Leaf],
    groups: list[Walkers],
    rate: float,
    seconds: float,
    json: bool,
) -> int:
    from huntgraph.bots import Tally, play

    tally = Tally()
    asyncio.get_running_loop().call_later(seconds, signals.stop.set)
    talk = asyncio.create_task(_talk(tally, groups))
    began = time.perf_counter()
    try:
        await play(*target, groups, tally, rate=rate, stop=signals.stop)
    finally:
        talk.cancel()
    body = tally_facts(tally, time.perf_counter() - began)
    if json:
        print_json("bots", body)
    else:
        flat = {name: value for name, value in body.items() if not isinstance(value, dict)}
        facts("", flat.items())
        for name, count in body["refused"].items():
            say(f"refused {count:,} times: {name}")
    return Exit.OK


async def _talk(tally: Tally, groups: list[Walkers]) -> None:
    before = 0
    while True:
        await asyncio.sleep(EVERY_S)
        present = sum(int(group.present.sum()) for group in groups)
        p50, p99 = tally.quantiles_ms("applied")
        say(
            f"{tally.moves - before:>8,} moves/s  {present:,} present  {tally.claims:,} claims  "
            f"applied p50 {p50:.2f} ms p99 {p99:.2f} ms"
        )
        before = tally.moves


def tally_facts(tally: Tally, elapsed_s: float) -> dict[str, Any]:
    """Give what came of driving bots, JSON-ready."""
    from huntgraph.schema import Code

    applied, durable = tally.quantiles_ms("applied"), tally.quantiles_ms("durable")
    return {
        "moves": tally.moves,
        "frames": tally.frames,
        "moves_per_s": round(tally.moves / elapsed_s, 1) if elapsed_s > 0 else 0.0,
        "claims": tally.claims,
        "guided_share": round(tally.guided / max(tally.moves, 1), 4),
        "certified_share": round(tally.certified / max(tally.moves, 1), 4),
        "applied_p50_ms": round(applied[0], 3),
        "applied_p99_ms": round(applied[1], 3),
        "durable_p50_ms": round(durable[0], 3),
        "durable_p99_ms": round(durable[1], 3),
        "refused": {Code(code).name.lower(): count for code, count in tally.refused.items()},
    }


def _target(
    folder: Path | None, url: str | None, files: tuple[Path | None, Path | None, Path | None]
) -> tuple[tuple[str, Leaf], Path | None]:
    from huntgraph.cluster import Layout, Leaf, home

    certificate, key, authority = files
    if url is not None:
        if certificate is None or key is None or authority is None:
            fix = "add --certificate, --key and --authority"
            raise UsageError("--url needs an identity", fix=fix)
        return (url, Leaf(certificate, key, authority)), None
    served = Layout((folder or home("state") / "serve").absolute()).facts()
    paths = {name: Path(path) for name, path in served["identity"].items()}
    return (str(served["url"]), Leaf(**paths)), Path(served["world"])


def _random_nodes(world: Path | None, count: int, seed: int) -> list[int]:
    import random

    from huntgraph.world import World

    if world is None:
        raise UsageError("without --dir nobody knows the world's nodes", fix="add --start NODE")
    nodes = World.open(world, verify="header").nodes
    chance = random.Random(seed)
    return [chance.randrange(nodes) for _ in range(count)]
