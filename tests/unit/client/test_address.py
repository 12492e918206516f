"""URLs of actors, and what `connect` refuses before anything is sent."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from huntgraph.client import Identity, connect
from huntgraph.client.address import Address, read_url
from huntgraph.errors import LinkError, LinkTimeoutError, UsageError

NOWHERE = Identity("none.pem", "none.key", "none-authority.pem")


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("huntgraph://127.0.0.1:4433", "127.0.0.1", 4433),
        ("huntgraph://actor-3.example/", "", 0),
        ("localhost:1", "localhost", 1),
        ("huntgraph://[::1]:7/", "::1", 7),
        ("http://localhost:4433", "", 0),
        ("huntgraph://localhost:99999", "", 0),
        ("huntgraph://localhost:1/world", "", 0),
        ("", "", 0),
    ],
)
def test_a_url_names_a_host_and_a_port_and_nothing_else(url: str, host: str, port: int) -> None:
    if host:
        assert read_url(url) == Address(host, port)
        return
    with pytest.raises(UsageError) as caught:
        read_url(url)
    assert caught.value.where == url
    assert caught.value.fix


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError, match="partition is 65536"):
        connect("localhost:1", identity=NOWHERE, partition=65_536)
    with pytest.raises(UsageError, match="capacity is 0"):
        connect("localhost:1", identity=NOWHERE, capacity=0)


def test_missing_files_are_named() -> None:
    async def scene() -> None:
        await connect("127.0.0.1:1", identity=NOWHERE)

    with pytest.raises(LinkError) as caught:
        asyncio.run(scene())
    assert caught.value.code == "HG1301"
    assert caught.value.where.endswith(".pem")


def test_nobody_there_is_told_in_time(identity: Identity) -> None:
    async def scene() -> None:
        await connect("127.0.0.1:9", identity=identity, timeout_ms=300)

    began = time.monotonic()
    with pytest.raises(LinkTimeoutError) as caught:
        asyncio.run(scene())
    assert time.monotonic() - began < 5
    assert caught.value.where == "127.0.0.1:9"


def test_an_unknown_host_is_told(identity: Identity) -> None:
    async def scene() -> None:
        await connect("no-such-host.invalid:9", identity=identity)

    with pytest.raises(LinkError, match="host is not known"):
        asyncio.run(scene())


def test_files_that_are_no_certificates_are_named(tmp_path: Path, identity: Identity) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("nothing")

    async def scene() -> None:
        broken = Identity(wrong, identity.key, identity.authority)
        await connect("127.0.0.1:9", identity=broken)

    with pytest.raises(LinkError) as caught:
        asyncio.run(scene())
    assert (caught.value.code, caught.value.where) == ("HG1301", str(wrong))
