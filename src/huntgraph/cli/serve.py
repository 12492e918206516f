"""``huntgraph serve``."""

from __future__ import annotations

import asyncio
import ipaddress
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from cyclopts import Parameter, validators

from huntgraph.cli.orders import layout_of
from huntgraph.cli.output import Count, Json, print_json, say
from huntgraph.cli.signals import Signals, run_async
from huntgraph.errors import UsageError
from huntgraph.schema import PEERS

if TYPE_CHECKING:
    from huntgraph.cli.serving import Served, Settings
    from huntgraph.cluster import Layout

__all__ = ["serve"]

EDGES: Final = 4_000_000
SEED: Final = 1
PORT_MAX: Final = 65_535
KEEP_LEAST: Final = 10 * 60 * 20
"""Ticks that the log is kept for at least."""


def _within(least: int, most: int | None = None) -> Parameter:
    return Parameter(validator=validators.Number(gte=least, lte=most))


def serve(
    world: Path | None = None,
    /,
    *,
    parts: Path | None = None,
    partitions: Annotated[Count, _within(1, PEERS)] = 1,
    folder: Annotated[Path | None, Parameter(name="--dir")] = None,
    edges: Count = EDGES,
    seed: int = SEED,
    hunt: Path | None = None,
    listen: str = "127.0.0.1:0",
    http_host: str = "127.0.0.1",
    http_port: Annotated[int, _within(0, PORT_MAX)] = 0,
    players: Annotated[Count, _within(1, 1 << 22)] = 12_500,
    fields: Annotated[int, _within(0, 64)] = 8,
    guidance_mib: Annotated[int, _within(0)] = 0,
    added_edges: Annotated[int, _within(0, 1 << 19)] = 1024,
    prices: Literal["auto", "any"] = "auto",
    idle: Literal["block", "yield", "spin"] = "block",
    snapshot_every_s: Annotated[float, _within(0)] = 60.0,
    keep_log: str | None = None,
    json: Json = False,
) -> int:
    """Serve a world.

    Args:
        world: the world file; without one a world is generated once and kept in --dir.
        parts: a folder with part-00.hgw, part-01.hgw ...: one actor for each.
        partitions: split the generated world into so many, one actor for each.
        folder: where log, snapshots and certificates live [your state folder, huntgraph/serve].
        edges: size of the generated world.
        seed: seed of the generated world.
        hunt: a hunt file to publish into slot 0 when no hunt is there.
        listen: UDP address for game servers; port 0 takes a free one.
        http_host: address of the gateway, which has no access control.
        http_port: port of the gateway; 0 takes a free one.
        players: players that can ever enter.
        fields: targets guided to at the same time.
        guidance_mib: memory of all guidance together, 0 = room for all of it.
        added_edges: edges that can be added to the running world.
        prices: any: edges may take any cost at any time; auto: where a world has few costs, 127
            different ones at most, for half the memory.
        idle: what the actor does when nothing comes: block, yield (quicker) or spin (own core).
        snapshot_every_s: seconds between snapshots; 0 for none.
        keep_log: how long the log is kept, 10m at least, such as 7d [all of it].
        json: print addresses and paths as one JSON line when ready.
    """
    from huntgraph.cli.serving import Settings

    layout = layout_of(folder)
    settings = Settings(
        players=players,
        fields=fields,
        guidance_mib=guidance_mib,
        added_edges=added_edges,
        prices=prices,
        idle=idle,
        listen=listen,
        http_host=http_host,
        http_port=http_port,
        snapshot_every_s=snapshot_every_s,
        keep_log_ticks=_ticks_kept(keep_log, snapshot_every_s),
    )
    made = _Made(layout.folder, edges, seed, partitions)
    return _claim(layout, parts, world, made, hunt, settings, json)


def _claim(
    layout: Layout,
    parts: Path | None,
    world: Path | None,
    made: _Made,
    hunt: Path | None,
    settings: Settings,
    json: bool,
) -> int:
    """Serve from the folder, which nobody else may at the same time."""
    from huntgraph.cli.serving import claimed

    _check_addresses(settings.listen, settings.http_host)
    with claimed(layout):
        opened = _open(parts, world, made)
        return run_async(lambda signals: _serve(signals, layout, opened, hunt, settings, json))


def _ticks_kept(text: str | None, snapshot_every_s: float) -> int | None:
    """Read --keep-log; None for all. Raises UsageError."""
    from huntgraph.hunt.durations import parse_ticks

    if text is None:
        return None
    try:
        ticks = parse_ticks(text)
    except ValueError as error:
        raise UsageError(f'--keep-log: "{text}" is no duration', fix="write 12h or 7d") from error
    if ticks < KEEP_LEAST:
        fix = "forks and commits at work need what they began with: keep 10m or more"
        raise UsageError(f"--keep-log {text} is too short", fix=fix)
    if not snapshot_every_s:
        fix = "history begins at a snapshot: leave out --snapshot-every-s 0"
        raise UsageError("--keep-log drops nothing without snapshots", fix=fix)
    return ticks


@dataclass(frozen=True, slots=True)
class _Made:
    """The world to generate where none is given, kept in `folder`."""

    folder: Path
    edges: int
    seed: int
    partitions: int

    @property
    def file(self) -> Path:
        return self.folder / f"world-{self.edges}-{self.seed}.hgw"


@dataclass(frozen=True, slots=True)
class _Opened:
    """A world's file; or the folder of its parts, and their files by number."""

    world: Path
    parts: dict[int, Path]


def _check_addresses(listen: str, http_host: str) -> None:
    """See that the address to listen at is one, and warn of a gateway that others can reach."""
    host, _, port = listen.rpartition(":")
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        fits = port.isdecimal() and int(port) <= PORT_MAX
    except ValueError:
        fits = False
    if not fits:
        fix = "write IP:PORT, such as 127.0.0.1:4433 or 0.0.0.0:0"
        raise UsageError(f'"{listen}" is no address for --listen', fix=fix)
    if http_host not in ("127.0.0.1", "::1", "localhost"):
        say(f"warning: everyone who reaches {http_host} can read the gateway")


def _open(parts: Path | None, world: Path | None, made: _Made) -> _Opened:
    """Take the world or the parts that are named, or make them, once."""
    from huntgraph.cli.serving import cached_parts, cached_world
    from huntgraph.cluster import find_parts

    _refuse_unused(parts, world, made)
    if world is not None:
        _check_world(world)
        return _Opened(world, {})
    if parts is None and made.partitions == 1:
        cached_world(made.file, made.edges, made.seed)
        return _Opened(made.file, {})
    if parts is None:
        parts = made.folder / f"{made.file.stem}-in-{made.partitions}"
        cached_parts(parts, made.file, made.edges, made.seed, made.partitions)
    return _Opened(parts.absolute(), find_parts(parts))


def _refuse_unused(parts: Path | None, world: Path | None, made: _Made) -> None:
    """Raise UsageError for options that would be passed over in silence."""
    if parts is None and world is None:
        return
    if world is not None and (parts is not None or made.partitions > 1):
        fix = "split it with 'huntgraph world split' and name the folder with --parts alone"
        raise UsageError("several partitions are not served from a whole world's file", fix=fix)
    given = {"--partitions": made.partitions > 1, "--edges": made.edges != EDGES}
    given["--seed"] = made.seed != SEED
    for option, is_given in given.items():
        if is_given:
            what = f"{option} is for a generated world, and {world or parts} is named"
            raise UsageError(what, fix="leave out one of them")


def _check_world(file: Path) -> None:
    """See that a world's file is one, before anything is started. Raises WorldError, UsageError."""
    from huntgraph.world import World

    if file.is_dir():
        fix = f"name a world's file; if these are the parts of a world: --parts {file}"
        raise UsageError("this is a folder, not a world's file", where=file, fix=fix)
    World.open(file, verify="header")


async def _serve(
    signals: Signals,
    layout: Layout,
    opened: _Opened,
    hunt: Path | None,
    settings: Settings,
    json: bool,
) -> int:
    from huntgraph.cli.serving import hunt_rows, publish, serving, tell_event

    rows = None if hunt is None else hunt_rows(hunt, opened.world, 0, layout)
    given = (layout, opened.world, settings)
    async with serving(*given, parts=opened.parts, on_event=tell_event) as served:
        if rows is not None:
            await publish(served, rows)
        _announce(served.facts(), json, has_hunt=hunt is not None)
        await _until_over(served, signals)
        say("draining")
    say("stopped")
    return 0


async def _until_over(served: Served, signals: Signals) -> None:
    """Wait for a signal. Raises ActorError when a supervisor gives up."""
    failing = [asyncio.create_task(each.wait()) for each in served.supervisors]
    stop = asyncio.create_task(signals.stop.wait())
    try:
        await asyncio.wait({*failing, stop}, return_when=asyncio.FIRST_COMPLETED)
        for failed in failing:
            if failed.done():
                failed.result()
    finally:
        for task in (*failing, stop):
            task.cancel()


def _announce(facts: dict[str, Any], json: bool, *, has_hunt: bool) -> None:
    if json:
        print_json("serve", facts)
        return
    identity, several = facts["identity"], len(facts["partitions"]) > 1
    for each in facts["partitions"]:
        print(f"game servers  {each['url']}" + (f"  partition {each['partition']}" * several))
    print(f"gateway       {facts['http']}  (/livez /readyz /metrics /version /partitions /events)")
    for name, path in identity.items():
        print(f"{name:<13} {path}")
    print(f"folder        {facts['directory']}", flush=True)
    say()
    say("Next, in another terminal:")
    folder = shlex.quote(facts["directory"])
    if not has_hunt:
        say(f"  huntgraph hunt publish HUNT.yaml --dir {folder}")
    say(f"  huntgraph bots --dir {folder}")
    say(f"  curl {facts['http']}/readyz")
    say("Ctrl-C drains and stops.")
