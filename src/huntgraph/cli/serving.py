"""An actor under its supervisor and a gateway beside it: what ``serve`` and ``demo`` share."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from huntgraph.cli.output import progress, say
from huntgraph.cluster import (
    Actor,
    ActorOptions,
    Authority,
    Event,
    Layout,
    Leaf,
    Prices,
    Supervisor,
    holders,
    part_options,
    publish_everywhere,
)
from huntgraph.cores import kept_free, loop_cores
from huntgraph.errors import ActorError, RefusedError
from huntgraph.gateway import Gateway, PartitionView, exporting
from huntgraph.hunt import crowding, load
from huntgraph.schema import Code
from huntgraph.timeline.needed import needed_from
from huntgraph.timeline.recover import recovering
from huntgraph.world import Parts, World, generate

__all__ = [
    "Served",
    "Settings",
    "cached_parts",
    "cached_world",
    "claimed",
    "hunt_rows",
    "publish",
    "serving",
    "tell_event",
]


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen about serving."""

    players: int = 12_500
    fields: int = 8
    guidance_mib: int = 0
    added_edges: int = 1024
    prices: Prices = "auto"
    idle: Literal["block", "yield", "spin"] = "block"
    listen: str = "127.0.0.1:0"
    http_host: str = "127.0.0.1"
    http_port: int = 0
    snapshot_every_s: float = 60.0
    keep_log_ticks: int | None = None
    guidance_percent: int = 50


@dataclass(frozen=True, slots=True)
class Served:
    """Running actors, one a partition, and their gateway."""

    layout: Layout
    world_file: Path
    supervisors: tuple[Supervisor, ...]
    gateway: Gateway
    identity: Leaf

    @property
    def supervisor(self) -> Supervisor:
        """The supervisor of partition 0."""
        return self.supervisors[0]

    @property
    def actor(self) -> Actor:
        """The actor of partition 0 that runs now."""
        return self.supervisor.actor

    def facts(self) -> dict[str, object]:
        """Give what other commands and people need to connect, JSON-ready."""
        leaf = self.identity
        names = ("certificate", "key", "authority")
        return {
            "pid": os.getpid(),
            "url": self.actor.ready.url,
            "http": self.gateway.url,
            "world": str(self.world_file.absolute()),
            "directory": str(self.layout.folder),
            "identity": {name: str(getattr(leaf, name).absolute()) for name in names},
            "partitions": [
                {
                    "partition": each.options.partition,
                    "url": each.actor.ready.url,
                    "world": str(each.options.world.absolute()),
                    "directory": str(each.options.directory),
                }
                for each in self.supervisors
            ],
        }


@contextmanager
def claimed(layout: Layout) -> Iterator[None]:
    """Keep a folder for this process. Raises ActorError HG1490 when another one has it."""
    layout.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(layout.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ActorError(
                "another huntgraph runs in this folder",
                where=layout.folder,
                fix="stop it, or choose another folder with --dir",
                code="HG1490",
            ) from error
        yield
    finally:
        os.close(handle)


def cached_world(file: Path, edges: int, seed: int) -> World:
    """Open the world at ``file``, or make it there when there is none."""
    if file.exists():
        return World.open(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    with progress(f"Making a world of {edges:,} edges") as tell:
        world = generate(edges, seed, progress=tell)
    world.save(file)
    return World.open(file, verify="header")


def _options(
    layout: Layout,
    world_file: Path,
    settings: Settings,
    identity: Leaf,
    parts: Mapping[int, Path],
) -> list[ActorOptions]:
    """How the actors are started: that of a whole world, or one a part."""
    options = ActorOptions(
        directory=layout.actor,
        world=world_file,
        identity=identity,
        listen=settings.listen,
        players=settings.players,
        fields=settings.fields,
        guidance_mib=settings.guidance_mib,
        added_edges=settings.added_edges,
        prices=settings.prices,
        idle=settings.idle,
        guidance_percent=settings.guidance_percent,
    )
    actors = [options]
    if parts:
        actors = part_options(parts, {number: layout.part(number) for number in parts}, options)
    cores = loop_cores(len(actors)) if settings.idle == "spin" else []
    return [replace(each, core=core) for each, core in zip_longest(actors, cores)]


def _supervisor(
    layout: Layout,
    settings: Settings,
    actor: ActorOptions,
    on_event: Callable[[Event], None] | None,
) -> Supervisor:
    """The supervisor of an actor, which drops nothing of its log that a kept fork needs."""
    return Supervisor(
        actor,
        snapshot_every_s=settings.snapshot_every_s,
        keep_log_ticks=settings.keep_log_ticks,
        needed=partial(needed_from, layout.folder, actor.partition),
        on_event=on_event,
    )


def cached_parts(folder: Path, file: Path, edges: int, seed: int, partitions: int) -> None:
    """See that a world's parts stand in ``folder``: made and split when they do not."""
    from huntgraph.world.assign import load_metis
    from huntgraph.world.split import split

    if (folder / "parts.json").exists():
        return
    load_metis()  # before the world is made, which may take minutes
    world = cached_world(file, edges, seed)
    with progress(f"Splitting it into {partitions} parts") as tell:
        split(world, partitions, progress=tell).save(folder)


def hunt_rows(hunt: Path, world: Path, slot: int, layout: Layout) -> list[NDArray[np.void]]:
    """Read a hunt and give the records that publish it, one array a partition.

    ``world`` is a world's file, or the folder of its parts; the hunt's name is remembered in the
    layout. Raises HuntFileError, WorldError.
    """
    found = load(hunt)
    if world.is_dir():
        rows = found.compile_parts(Parts.open(world, verify="header"), slot)
        crowded = crowding(rows[0]) if len(rows) > 1 else None
        if crowded:
            say(f"warning: {crowded}")
    else:
        rows = [found.compile(World.open(world, verify="header"), slot)]
    layout.note_hunt(found.hunt_id, found.id)
    return rows


async def publish(served: Served, rows: Sequence[NDArray[np.void]]) -> None:
    """Publish a hunt in all partitions; one that runs there since an earlier start goes on."""
    sends = {each.options.partition: each.actor.control for each in served.supervisors}
    try:
        await publish_everywhere(sends, rows)
    except RefusedError as error:
        if error.refusal != Code.HUNT_IN_USE:
            raise
        slot, held = int(rows[0]["hunt"][0]), await holders(sends, rows)
        say(f"slot {slot} holds a running hunt already: it goes on")
        if len(held) < len(sends):
            say(f"warning: it runs in partitions {held} alone; close it there and publish it anew")


@asynccontextmanager
async def serving(
    layout: Layout,
    world_file: Path,
    settings: Settings,
    *,
    parts: Mapping[int, Path] | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> AsyncIterator[Served]:
    """Run actors and a gateway; leaving stops the gateway, then drains and ends the actors.

    One actor of ``world_file``, or one for each of ``parts``; the last one started ends first.
    Raises ActorError.
    """
    authority = Authority.create_or_open(layout.certificates)
    identity = authority.server_identity()
    actors = _options(layout, world_file, settings, identity, parts or {})
    supervisors = [_supervisor(layout, settings, each, on_event) for each in actors]
    views = [
        PartitionView(each.options.directory, partition=each.options.partition, supervisor=each)
        for each in supervisors
    ]
    gateway = Gateway(views, host=settings.http_host, port=settings.http_port)
    async with AsyncExitStack() as stack:
        stack.enter_context(kept_free(each.core for each in actors))
        gateway.bind()  # a port in use is told of before the actors' start, which takes its time
        stack.push_async_callback(gateway.stop)
        for supervisor in supervisors:
            await stack.enter_async_context(supervisor)
        await stack.enter_async_context(gateway)
        await stack.enter_async_context(exporting(views, say))
        folders = {each.options.partition: each.options.directory for each in supervisors}
        await stack.enter_async_context(recovering(layout.folder, folders, say))
        client = authority.client_identity()
        served = Served(layout, world_file, tuple(supervisors), gateway, client)
        layout.write_facts(served.facts())
        try:
            yield served
        finally:
            layout.forget_facts()


def tell_event(event: Event) -> None:
    """Say what the supervisor did, on standard error."""
    say(f"{event.kind}: {event.text}")
