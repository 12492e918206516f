"""A NATS server on a free port of the loopback, for as long as a measurement takes."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from huntgraph.bench.outside import AbsentError, find_program

__all__ = ["nats_server"]

READY: Final = b"Server is ready"
LISTENS: Final = re.compile(rb"Listening for client connections on (\S+)")
FIX: Final = "not installed: tools/setup.sh --bench, with Go at hand"


@asynccontextmanager
async def nats_server(folder: Path, *, sync_always: bool = False) -> AsyncIterator[str]:
    """Start ``nats-server`` with its files in ``folder``; gives its URL, and ends it at last.

    With ``sync_always`` JetStream syncs every message before it is acknowledged. Raises AbsentError
    when there is no server (it is looked for beside Python, and on the path).
    """
    program = find_program("nats-server", Path(sys.executable).parent)
    if program is None:
        raise AbsentError(FIX)
    folder.mkdir(parents=True)
    lines = ['listen: "127.0.0.1:-1"']
    if sync_always:
        lines += [f'jetstream {{ store_dir: "{folder}", sync_interval: always }}']
    (folder / "server.conf").write_text("\n".join(lines) + "\n")
    server = await asyncio.create_subprocess_exec(
        program, "-c", folder / "server.conf", stderr=asyncio.subprocess.PIPE
    )
    try:
        assert server.stderr is not None
        address = await _address(server.stderr)
        drain = asyncio.create_task(server.stderr.read())
        yield f"nats://{address}"
        drain.cancel()
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()


async def _address(log: asyncio.StreamReader) -> str:
    """Give where a server listens, once it is ready: its log says both, before any file does."""
    address = ""
    while said := await log.readline():
        if listens := LISTENS.search(said):
            address = listens[1].decode()
        if READY in said and address:
            return address
    raise AbsentError("failed: nats-server ended at its start")
