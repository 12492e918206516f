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
        self._listener: socket.socket | None = None
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

    def bind(self) -> socket.socket:
        """Take the address, so that what is started before the gateway is not started in vain.

        `start` does it where nobody did; `stop` gives it back. Raises ActorError HG1480.
        """
        if self._listener is not None:
            return self._listener
        if not 0 <= self._port <= PORT_MAX:  # the system would take the rest of a division
            raise UsageError(f"{self._port} is no port", fix=f"choose 0 to {PORT_MAX}")
        with self._refusals_told():
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            family, kind, protocol, _, address = found[0]
            self._listener = socket.socket(family, kind, protocol)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind(address)
        return self._listener

    async def start(self) -> str:
        """Listen and serve; gives the URL. Raises ActorError HG1480 when it cannot listen."""
        listener = self.bind()
        with self._refusals_told():
            listener.listen()
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

    @contextlib.contextmanager
    def _refusals_told(self) -> Iterator[None]:
        """Raise what the system refuses as ActorError HG1480, and give the address back."""
        try:
            yield
        except OSError as error:
            self._close_listener()
            raise ActorError(
                f"the gateway cannot listen: {error.strerror or error}",
                where=f"{self._host}:{self._port}",
                fix=_FREE if error.errno == errno.EADDRINUSE else _OWN,
                code="HG1480",
            ) from error

    def _close_listener(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.close()

    async def stop(self) -> None:
        """Close all connections and end; a client that does not leave is cut off after 3 s."""
        server, task = self._server, self._task
        self._server = self._task = None
        if server is not None and task is not None:
            server.should_exit = True
            await task
        self._close_listener()
