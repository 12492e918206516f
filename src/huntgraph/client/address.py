"""Where an actor is, and who asks: `Identity` and the reading of URLs."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from os import PathLike
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from huntgraph.errors import LinkError, UsageError, did_you_mean

__all__ = ["Address", "Identity", "read_url", "resolve"]

SCHEME: Final = "huntgraph"


@dataclass(frozen=True, slots=True)
class Identity:
    """PEM files: the own certificate chain and key, and the authority that signs both sides."""

    certificate: str | PathLike[str]
    key: str | PathLike[str]
    authority: str | PathLike[str]


class Address(NamedTuple):
    """Host (a name or an IP address) and UDP port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def read_url(url: str) -> Address:
    """Read ``huntgraph://HOST:PORT``; the scheme may be left out.

    Raises UsageError when it is none.
    """
    text = url if "://" in url else f"{SCHEME}://{url}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong(url, str(error)) from error
    if parts.scheme != SCHEME:
        raise _wrong(url, f'"{parts.scheme}" is no scheme', did_you_mean(parts.scheme, [SCHEME]))
    if not host or not port:
        raise _wrong(url, "host and port must be given")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise _wrong(url, "there is more than a host and a port")
    return Address(host, port)


def _wrong(url: str, what: str, fix: str = "") -> UsageError:
    advice = fix or f"write it as {SCHEME}://HOST:PORT"
    return UsageError(f"not the URL of an actor: {what}", where=url, fix=advice)


async def resolve(address: Address) -> str:
    """Give the numeric form of an address, as ``IP:PORT``.

    Raises LinkError: HG1300 when the name is not known.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise LinkError(
            f"the host is not known: {error.strerror or error}",
            where=address,
            fix="check the name, or give an IP address",
        ) from error
    host = str(found[0][4][0])
    return str(Address(host, address.port))
