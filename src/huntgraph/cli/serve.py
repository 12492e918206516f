"""``huntgraph serve``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from huntgraph.cli.orders import layout_of
from huntgraph.cli.output import Count, Json, print_json, say
from huntgraph.cli.signals import Signals, run_async
from huntgraph.errors import UsageError

if TYPE_CHECKING:
    from huntgraph.cli.serving import Served, Settings
    from huntgraph.cluster import Layout

__all__ = ["serve"]


def serve(
    world: Path | None = None,
    /,
    *,
    parts: Path | None = None,
    partitions: Count = 1,
    folder: Annotated[Path | None, Parameter(name="--dir")] = None,
    edges: Count = 4_000_000,
    seed: int = 1,
    hunt: Path | None = None,
    listen: str = "127.0.0.1:0",
    http_host: str = "127.0.0.1",
    http_port: int = 0,
    players: Count = 12_500,
    fields: int = 8,
    guidance_mib: int = 0,
    added_edges: int = 1024,
    idle: Literal["block", "yield", "spin"] = "block",
    snapshot_every_s: float = 60.0,
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
        idle: what the actor does when nothing comes: block, yield (quicker) or spin (own core).
        snapshot_every_s: seconds between snapshots; 0 for none.
        json: print addresses and paths as one JSON line when ready.
    """
    from huntgraph.cli.serving import Settings, claimed

    layout = layout_of(folder)
    if http_host not in ("127.0.0.1", "::1", "localhost"):
        say(f"warning: everyone who reaches {http_host} can read the gateway")
    settings = Settings(
        players=players,
        fields=fields,
        guidance_mib=guidance_mib,
        added_edges=added_edges,
        idle=idle,
        listen=listen,
        http_host=http_host,
        http_port=http_port,
        snapshot_every_s=snapshot_every_s,
    )
    with claimed(layout):
        made = _Made(layout.folder, edges, seed, partitions)
        opened = _open(parts, world, made)
        return run_async(lambda signals: _serve(signals, layout, opened, hunt, settings, json))


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


def _open(parts: Path | None, world: Path | None, made: _Made) -> _Opened:
    """Take the world or the parts that are named, or make them, once."""
    from huntgraph.cli.serving import cached_parts, cached_world
    from huntgraph.cluster import find_parts

    if parts is None and made.partitions == 1:
        if world is None:
            cached_world(made.file, made.edges, made.seed)
        return _Opened(world or made.file, {})
    if world is not None:
        fix = "split it with 'huntgraph world split' and name the folder with --parts"
        raise UsageError("several partitions are not served from a whole world's file", fix=fix)
    if parts is None:
        parts = made.folder / f"{made.file.stem}-in-{made.partitions}"
        cached_parts(parts, made.file, made.edges, made.seed, made.partitions)
    return _Opened(parts.absolute(), find_parts(parts))


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
        _announce(served.facts(), json)
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


def _announce(facts: dict[str, Any], json: bool) -> None:
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
    say(f"  huntgraph hunt publish night.yaml --dir {facts['directory']}")
    say(f"  huntgraph bots --dir {facts['directory']}")
    say(f"  curl {facts['http']}/readyz")
    say("Ctrl-C drains and stops.")
