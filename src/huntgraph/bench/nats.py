"""A NATS server on a free port of the loopback, for as long as a measurement takes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from huntgraph.bench.outside import AbsentError, find_program

__all__ = ["nats_server"]

READY: Final = b"Server is ready"
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
    lines = ['listen: "127.0.0.1:-1"', f'ports_file_dir: "{folder}"']
    if sync_always:
        lines += [f'jetstream {{ store_dir: "{folder}", sync_interval: always }}']
    (folder / "server.conf").write_text("\n".join(lines) + "\n")
    server = await asyncio.create_subprocess_exec(
        program, "-c", folder / "server.conf", stderr=asyncio.subprocess.PIPE
    )
    try:
        assert server.stderr is not None
        said = b""
        while READY not in said:
            said = await server.stderr.readline()
            if not said:
                raise AbsentError("failed: nats-server ended at its start")
        (ports,) = folder.glob("*.ports")
        drain = asyncio.create_task(server.stderr.read())
        yield json.loads(ports.read_text())["nats"][0]
        drain.cancel()
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()
