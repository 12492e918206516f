"""``huntgraph bots``."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, validators

from huntgraph.cli.exits import Exit
from huntgraph.cli.output import Count, Json, facts, print_json, say
from huntgraph.cli.signals import Signals, run_async
from huntgraph.errors import RefusedError, UsageError
from huntgraph.schema import CODE_TEXT, HUNTS, NONE, TEAMS

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
    teams: Annotated[int, Parameter(validator=validators.Number(gte=1, lte=TEAMS))] = 1,
    start: Annotated[
        list[int] | None, Parameter(validator=validators.Number(gte=0, lt=NONE))
    ] = None,
    first_player: Annotated[int | None, Positive] = None,
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
        start: a node to start at, of the whole world; may be given more than once [random nodes].
        first_player: id of the first bot; one never used before [from the clock].
        seed: seed of the random starts.
        json: print the outcome as JSON.
    """
    from huntgraph.bots import parties

    target = _target(folder, url, (certificate, key, authority))
    # A player's numbers go on for its whole life, so every run needs players of its own.
    first = first_player if first_player is not None else int(time.time() * 1000) << 20
    groups = []
    for partition, nodes in _starts(target, start, players, seed).items():
        some = {"first_player": first, "hunt": slot, "teams": teams}
        party = parties(len(nodes), links, starts=nodes, **some)
        groups += [(partition, walkers) for walkers in party]
        first += len(nodes)
    return run_async(lambda signals: _play(signals, target, groups, rate, seconds, json))


@dataclass(frozen=True, slots=True)
class _Target:
    """Addresses and world files by partition; without files where only an address was named.

    `parts` is the folder of the parts, None for a whole world.
    """

    urls: dict[int, str]
    worlds: dict[int, Path]
    identity: Leaf
    parts: Path | None = None


async def _play(
    signals: Signals,
    target: _Target,
    groups: list[tuple[int, Walkers]],
    rate: float,
    seconds: float,
    json: bool,
) -> int:
    from huntgraph.bots import Tally, play, play_over_borders

    tally = Tally()
    asyncio.get_running_loop().call_later(seconds, signals.stop.set)
    walkers = [group for _, group in groups]
    talk = asyncio.create_task(_talk(tally, walkers))
    began = time.perf_counter()
    try:
        pace: dict[str, Any] = {"rate": rate, "stop": signals.stop}
        if len(target.urls) > 1:
            await play_over_borders(target.urls, target.identity, groups, tally, **pace)
        else:
            (url,) = target.urls.values()
            await play(url, target.identity, walkers, tally, **pace)
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
    if tally.moves and sum(tally.refused.values()) == tally.moves:
        number = max(tally.refused, key=tally.refused.__getitem__)
        what, fix = CODE_TEXT[number]
        where = ", ".join(target.urls.values())
        raise RefusedError(number, f"no move was taken: {what}", where=where, fix=fix)
    return Exit.OK


async def _talk(tally: Tally, groups: list[Walkers]) -> None:
    before = 0
    while True:
        await asyncio.sleep(EVERY_S)
        if not tally.moves:
            say("waiting for the first answer")
            continue
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
) -> _Target:
    from huntgraph.cluster import Layout, Leaf, home

    certificate, key, authority = files
    if url is not None:
        if certificate is None or key is None or authority is None:
            fix = "add --certificate, --key and --authority"
            raise UsageError("--url needs an identity", fix=fix)
        return _Target({0: url}, {}, Leaf(certificate, key, authority))
    served = Layout((folder or home("state") / "serve").absolute()).facts()
    paths = {name: Path(path) for name, path in served["identity"].items()}
    each = {int(part["partition"]): part for part in served["partitions"]}
    urls = {number: str(part["url"]) for number, part in each.items()}
    worlds = {number: Path(part["world"]) for number, part in each.items()}
    world = Path(served["world"])
    return _Target(urls, worlds, Leaf(**paths), world if world.is_dir() else None)


def _starts(
    target: _Target, start: list[int] | None, players: int, seed: int
) -> dict[int, list[int]]:
    """Give the node that each player starts at, by the partition that owns it."""
    from huntgraph.world import Parts

    if start is None:
        return _random_starts(target.worlds, players, seed)
    nodes = [start[player % len(start)] for player in range(players)]
    if target.parts is None:
        return {0: nodes}
    partition, local = Parts.open(target.parts, verify="header").locate(nodes)
    return {number: local[partition == number].tolist() for number in set(partition.tolist())}


def _random_starts(worlds: dict[int, Path], players: int, seed: int) -> dict[int, list[int]]:
    import random

    from huntgraph.world import World

    if not worlds:
        raise UsageError("without --dir nobody knows the world's nodes", fix="add --start NODE")
    chance = random.Random(seed)
    starts = {}
    for number, (partition, file) in enumerate(worlds.items()):
        own_nodes = World.open(file, verify="header").own_nodes
        count = len(range(number, players, len(worlds)))
        if count:
            starts[partition] = [chance.randrange(own_nodes) for _ in range(count)]
    return starts
