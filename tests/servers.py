"""A small world, certificates and running actors, for tests that need the real program."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from numpy.typing import NDArray

from huntgraph.cluster.actor import Actor, ActorOptions
from huntgraph.cluster.authority import Authority, Leaf
from huntgraph.model import Model
from huntgraph.schema import MOVE, RULE, Kind
from huntgraph.world import World, generate
from tests.contract.independent import IndependentClient, independent_client

EDGES: Final = 20_000
PLAYERS: Final = 512
DEADLINE_S: Final = 300.0
NO_HUNT: Final = 65535
Records = NDArray[np.void]
T = TypeVar("T")


@dataclass(frozen=True)
class Ground:
    """What a test of a running actor stands on."""

    folder: Path
    world: World
    world_file: Path
    server: Leaf
    client: Leaf
    other: Leaf
    stranger: Leaf
    """Signed by another authority."""

    def options(self, directory: Path, **changes: Any) -> ActorOptions:
        """How the actor is started: small, on a free port."""
        given: dict[str, Any] = {
            "directory": directory,
            "world": self.world_file,
            "identity": self.server,
            "players": PLAYERS,
            "segment_mib": 16,
        }
        return ActorOptions(**(given | changes))

    def model(self, players: int = PLAYERS) -> Model:
        """The oracle at position 0."""
        return Model(self.world.first, self.world.head, self.world.cost, players)


@functools.cache
def ground() -> Ground:
    """The ground of this run, made once."""
    folder = Path(tempfile.mkdtemp(prefix="hg-ground-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    world = generate(EDGES, seed=11)
    world.save(folder / "small.hgw")
    authority = Authority.create_or_open(folder / "authority")
    strange = Authority.create_or_open(folder / "strange")
    return Ground(
        folder,
        world,
        folder / "small.hgw",
        authority.server_identity(),
        authority.client_identity("one"),
        authority.client_identity("two"),
        strange.client_identity("one"),
    )


@asynccontextmanager
async def serving(directory: Path, **changes: Any) -> AsyncIterator[Actor]:
    """An actor in a directory; drained and ended behind it, or killed when the test failed."""
    async with await Actor.start(ground().options(directory, **changes)) as actor:
        yield actor


@asynccontextmanager
async def linked(
    actor: Actor, leaf: Leaf | None = None, *, greet: bool = True
) -> AsyncIterator[IndependentClient]:
    """A game server's connection to an actor, greeted."""
    leaf = leaf or ground().client
    async with independent_client(
        port_of(actor),
        certificate=leaf.certificate,
        key=leaf.key,
        authority=ground().server.authority,
    ) as client:
        if greet:
            await client.hello()
        yield client
        with contextlib.suppress(ConnectionError):
            client.close()


async def dial(
    actor: Actor,
    leaf: Leaf | None,
    *,
    protocol: str = "huntgraph/1",
    wait: bool = True,
    window_bytes: int = 1 << 20,
) -> IndependentClient:
    """A connection that can be hung up without a farewell, as by a game server that died.

    With ``wait=False`` it is given back at once, to see how the handshake ends.
    """
    configuration = QuicConfiguration(is_client=True, alpn_protocols=[protocol])
    configuration.max_stream_data = window_bytes
    configuration.verify_mode = ssl.CERT_REQUIRED
    configuration.server_name = "localhost"
    configuration.load_verify_locations(cafile=str(ground().server.authority))
    if leaf is not None:
        configuration.load_cert_chain(str(leaf.certificate), str(leaf.key))
    connection = QuicConnection(configuration=configuration)
    loop = asyncio.get_running_loop()
    _, client = await loop.create_datagram_endpoint(
        lambda: IndependentClient(connection), local_addr=("127.0.0.1", 0)
    )
    client.connect(("127.0.0.1", port_of(actor)))
    if wait:
        await client.wait_connected()
    return client


def hang_up(client: IndependentClient) -> None:
    """Be gone, without a word to the other side."""
    for pending in (client._timer, client._transmit_task):
        if pending is not None:
            pending.cancel()
    if client._transport is not None:
        client._transport.abort()


def port_of(actor: Actor) -> int:
    """The UDP port an actor listens on."""
    return int(actor.ready.address.rpartition(":")[2])


def within(test: Callable[[], Coroutine[Any, Any, T]], seconds: float = DEADLINE_S) -> T:
    """Run a test's coroutine and give what it gives; one that hangs fails."""
    return asyncio.run(asyncio.wait_for(test(), seconds))


def move(kind: Kind, player: int = 0, seq: int = 0, **fields: int) -> Records:
    """One MOVE record, shape (1,); ``from_`` is the field ``from``; hunt is none by default."""
    record = np.zeros(1, MOVE)
    record["kind"], record["player"], record["seq"] = kind, player, seq
    record["hunt"] = NO_HUNT
    for name, value in fields.items():
        record[name.rstrip("_")] = value
    return record


def rule(kind: Kind, **fields: int) -> Records:
    """One RULE record of slot 0 by default, shape (1,); ``from_`` is the field ``from``."""
    record = np.zeros(1, RULE)
    record["kind"] = kind
    for name, value in fields.items():
        record[name.rstrip("_")] = value
    return record


def rows(*records: Records) -> Records:
    """Records one after the other; of both layouts, as MOVE."""
    return np.concatenate([record.view(MOVE) for record in records])


async def until(condition: Callable[[], bool], seconds: float = 60.0, step_ms: int = 5) -> None:
    """Wait for something that no event tells of (a file's contents, a counter)."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(step_ms / 1000)


async def steady(actor: Actor) -> tuple[int, int]:
    """Position and state hash; of an actor whose ticks are far apart they only move with moves."""
    status = await actor.status()
    return status.position, status.state_hash
