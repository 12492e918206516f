"""`Gateway`: the application on Uvicorn, inside a running asyncio loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Final, Self

import uvicorn

from huntgraph.errors import ActorError, UsageError
from huntgraph.gateway.app import create_app
from huntgraph.gateway.view import PartitionView

__all__ = ["Gateway"]

START_TIMEOUT_S: Final = 10.0
FAREWELL_S: Final = 3
PORT_MAX: Final = 65_535
_FREE: Final = "choose another port with --http-port, or 0 for a free one"
_OWN: Final = "give an address of this machine as --http-host, and a port that may be taken"


class _Server(uvicorn.Server):
    """A server that leaves signals to whoever runs the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Gateway:
    """Serves partitions over HTTP. Use as ``async with Gateway(views) as gateway``.

    Listens on the loopback interface unless told otherwise: there is no access control on what it
    serves. ``port=0`` takes a free port; `url` tells which.
    """

    def __init__(
        self, views: Sequence[PartitionView], *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._app = create_app(views)
        self._host = host
        self._port = port
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> str:
        """Listen and serve; gives the URL. Raises ActorError HG1480 when it cannot listen."""
        listener = self._listen()
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        config = uvicorn.Config(
            self._app,
            log_level="warning",
            access_log=False,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=4096,
            # Over loopback, packing costs more than it saves.
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=FAREWELL_S,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))
        async with asyncio.timeout(START_TIMEOUT_S):
            while not self._server.started:
                if self._task.done():
                    self._task.result()
                    raise ActorError("the gateway ended at its start", code="HG1481")
                await asyncio.sleep(0.005)
        self.url = f"http://{shown}:{port}"
        return self.url

    def _listen(self) -> socket.socket:
        if not 0 <= self._port <= PORT_MAX:  # the system would take the rest of a division
            raise UsageError(f"{self._port} is no port", fix=f"choose 0 to {PORT_MAX}")
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            family, kind, protocol, _, address = found[0]
            listener = socket.socket(family, kind, protocol)
            try:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
            except OSError:
                listener.close()
                raise
        except OSError as error:
            raise ActorError(
                f"the gateway cannot listen: {error.strerror or error}",
                where=f"{self._host}:{self._port}",
                fix=_FREE if error.errno == errno.EADDRINUSE else _OWN,
                code="HG1480",
            ) from error
        return listener

    async def stop(self) -> None:
        """Close all connections and end; a client that does not leave is cut off after 3 s."""
        server, task = self._server, self._task
        self._server = self._task = None
        if server is None or task is None:
            return
        server.should_exit = True
        await task
