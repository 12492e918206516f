"""`connect`: from a URL to a link."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from os import fspath
from types import TracebackType
from typing import Final

from huntgraph._core import Client
from huntgraph.client.address import Address, Identity, read_url, resolve
from huntgraph.client.link import Link
from huntgraph.errors import LinkTimeoutError, UsageError

__all__ = ["Connecting", "connect"]

CAPACITY: Final = 65_536
CAPACITY_MAX: Final = 1 << 24


def connect(
    url: str,
    *,
    identity: Identity,
    partition: int = 0,
    world_id: int = 0,
    server_name: str | None = None,
    capacity: int = CAPACITY,
    client_id: int = 0,
    give_up_ms: int = 0,
    timeout_ms: int = 10_000,
    drain_ms: int = 10_000,
) -> Connecting:
    """Connect a game server to the actor of a partition.

    Use ``async with connect(...) as link``: entering waits for the actor's WELCOME, leaving drains
    the link (an exception closes it at once). Or ``link = await connect(...)``, and end it with
    ``await link.drain()`` or ``link.close()``.

    Args:
        url: ``huntgraph://HOST:PORT``.
        identity: the PEM files of this game server.
        partition: the partition wanted.
        world_id: the world expected; 0 takes any.
        server_name: the name in the actor's certificate, when it is not the URL's host.
        capacity: moves kept until they are durable; when full, sending waits. 192 bytes each.
        client_id: names this game server in the actor's records; 0 chooses at random.
        give_up_ms: time without a connection after which the link fails; 0 tries for ever.
        timeout_ms: time for the first WELCOME.
        drain_ms: time for draining when the ``async with`` is left.

    Raises UsageError for a malformed URL or number. Entering raises LinkError: HG1301 for files
    that cannot be used, HG1302 when a side does not accept the other's certificate, HG1303 when
    the actor refuses (wrong partition, world, version); LinkTimeoutError when nobody answers.
    """
    _check_range("partition", partition, 0, 0xFFFF)
    _check_range("world_id", world_id, 0, (1 << 64) - 1)
    _check_range("client_id", client_id, 0, (1 << 64) - 1)
    _check_range("capacity", capacity, 1, CAPACITY_MAX)
    _check_range("give_up_ms", give_up_ms, 0, 1 << 32)
    address = read_url(url)

    def start(numeric: str) -> Client:
        return Client(
            numeric,
            server_name or address.host,
            fspath(identity.certificate),
            fspath(identity.key),
            fspath(identity.authority),
            partition=partition,
            world_id=world_id,
            capacity=capacity,
            client_id=client_id,
            give_up_ms=give_up_ms,
        )

    return Connecting(address, start, capacity, timeout_ms / 1000, drain_ms / 1000)


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UsageError(f"{name} is {value}", fix=f"use {least} to {most}")


class Connecting:
    """A link to be: enter it with ``async with``, or await it."""

    def __init__(
        self,
        address: Address,
        start: Callable[[str], Client],
        capacity: int,
        timeout_s: float,
        drain_s: float,
    ) -> None:
        self._address = address
        self._start = start
        self._capacity = capacity
        self._timeout_s = timeout_s
        self._drain_s = drain_s
        self._link: Link | None = None

    def __await__(self) -> Generator[object, None, Link]:
        return self._open().__await__()

    async def __aenter__(self) -> Link:
        self._link = await self._open()
        return self._link

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        link = self._link
        if link is None:
            return
        try:
            if kind is None and not link.closed:
                async with asyncio.timeout(self._drain_s):
                    await link.drain()
        except TimeoutError as late:
            raise self._late("not all moves became durable", link, self._drain_s) from late
        finally:
            link.close()

    async def _open(self) -> Link:
        link = Link(self._start(await resolve(self._address)), self._capacity, str(self._address))
        try:
            async with asyncio.timeout(self._timeout_s):
                await link.ready()
        except TimeoutError as late:
            failure = self._late("the actor did not answer", link, self._timeout_s)
            link.close()
            raise failure from late
        except BaseException:
            link.close()
            raise
        return link

    def _late(self, what: str, link: Link, limit_s: float) -> LinkTimeoutError:
        reason = link.last_reason()
        return LinkTimeoutError(
            f"{what} within {limit_s:g} s" + (f": {reason}" if reason else ""),
            where=self._address,
            fix="see that the actor runs and that its UDP port can be reached",
        )
