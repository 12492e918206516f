"""An actor under its supervisor and a gateway beside it: what ``serve`` and ``demo`` share."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huntgraph.cli.output import progress, say
from huntgraph.cluster import Actor, ActorOptions, Authority, Event, Layout, Leaf, Supervisor
from huntgraph.errors import ActorError
from huntgraph.gateway import Gateway, PartitionView, exporting
from huntgraph.world import World, generate

__all__ = ["Served", "Settings", "cached_world", "claimed", "serving", "tell_event"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be chosen about serving."""

    players: int = 12_500
    fields: int = 8
    guidance_mib: int = 0
    added_edges: int = 1024
    idle: Literal["block", "yield", "spin"] = "block"
    listen: str = "127.0.0.1:0"
    http_host: str = "127.0.0.1"
    http_port: int = 0
    snapshot_every_s: float = 60.0
    guidance_percent: int = 50


@dataclass(frozen=True, slots=True)
class Served:
    """A running actor and gateway."""

    layout: Layout
    world_file: Path
    supervisor: Supervisor
    gateway: Gateway
    identity: Leaf

    @property
    def actor(self) -> Actor:
        """The actor that runs now."""
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


@asynccontextmanager
async def serving(
    layout: Layout,
    world_file: Path,
    settings: Settings,
    *,
    on_event: Callable[[Event], None] | None = None,
) -> AsyncIterator[Served]:
    """Run an actor and a gateway; leaving drains and stops both. Raises ActorError."""
    authority = Authority.create_or_open(layout.certificates)
    options = ActorOptions(
        directory=layout.actor,
        world=world_file,
        identity=authority.server_identity(),
        listen=settings.listen,
        players=settings.players,
        fields=settings.fields,
        guidance_mib=settings.guidance_mib,
        added_edges=settings.added_edges,
        idle=settings.idle,
        guidance_percent=settings.guidance_percent,
    )
    supervisor = Supervisor(options, snapshot_every_s=settings.snapshot_every_s, on_event=on_event)
    async with supervisor:
        view = PartitionView(layout.actor, supervisor=supervisor)
        host, port = settings.http_host, settings.http_port
        async with Gateway([view], host=host, port=port) as gateway, exporting([view], say):
            client = authority.client_identity()
            served = Served(layout, world_file, supervisor, gateway, client)
            layout.write_facts(served.facts())
            try:
                yield served
            finally:
                layout.forget_facts()


def tell_event(event: Event) -> None:
    """Say what the supervisor did, on standard error."""
    say(f"{event.kind}: {event.text}")
