"""A client of the protocol written from docs/reference/protocol.md alone, on aioquic.

Nothing of huntgraph but the record layouts is used: aioquic is another QUIC implementation, and
this file another reading of the protocol.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent, StreamDataReceived
from numpy.typing import NDArray

from huntgraph import schema

HEADER = struct.Struct("<IHHQ")
Records = NDArray[np.void]


class IndependentClient(QuicConnectionProtocol):
    """Frames over the first bidirectional stream of a connection."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.stream = 0
        self.received = bytearray()
        self.frames: asyncio.Queue[tuple[int, int, int, bytes]] = asyncio.Queue()
        self.closed: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self.next_record = 1

    def quic_event_received(self, event: QuicEvent) -> None:
        """Collect bytes; cut whole frames off them."""
        if isinstance(event, StreamDataReceived):
            self.received += event.data
            while len(self.received) >= HEADER.size:
                length, kind, count, first = HEADER.unpack_from(self.received)
                if len(self.received) < HEADER.size + length:
                    break
                body = bytes(self.received[HEADER.size : HEADER.size + length])
                del self.received[: HEADER.size + length]
                self.frames.put_nowait((kind, count, first, body))
        elif isinstance(event, ConnectionTerminated) and not self.closed.done():
            self.closed.set_result((event.error_code, event.reason_phrase))

    def send_raw(self, data: bytes) -> None:
        """Any bytes, well formed or not."""
        self._quic.send_stream_data(self.stream, data)
        self.transmit()

    def send_frame(self, kind: int, count: int, first: int, body: bytes) -> None:
        """One frame."""
        self.send_raw(HEADER.pack(len(body), kind, count, first) + body)

    async def frame(self, kind: int) -> tuple[int, int, bytes]:
        """Count, first and body of the next frame of this kind; others are passed over."""
        while True:
            got, count, first, body = await asyncio.wait_for(self.frames.get(), 60)
            if got == kind:
                return count, first, body

    async def hello(self, *, version: int = 1, partition: int = 0, world_id: int = 0) -> Records:
        """Open the conversation; the welcome record."""
        hello = np.zeros(1, schema.HELLO)
        hello["version"], hello["partition"], hello["world_id"] = version, partition, world_id
        self.stream = self._quic.get_next_available_stream_id()
        self.send_frame(schema.Frame.HELLO, 1, 0, hello.tobytes())
        _, _, body = await self.frame(schema.Frame.WELCOME)
        return np.frombuffer(body, schema.WELCOME)

    async def moves(self, moves: Records) -> tuple[Records, Records]:
        """Send moves; their updates and the receipts among them."""
        first = self.next_record
        self.next_record += len(moves)
        self.send_frame(schema.Frame.MOVES, len(moves), first, moves.tobytes())
        count, answered, body = await self.frame(schema.Frame.UPDATES)
        assert answered == first
        assert len(body) == 64 * count
        rows = np.frombuffer(body, np.uint8).reshape(-1, 64)
        is_receipt = rows[:, 0] == schema.Kind.RECEIPT
        updates = rows[~is_receipt].copy().view(schema.UPDATE).ravel()
        return updates, rows[is_receipt].copy().view(schema.RECEIPT).ravel()


@asynccontextmanager
async def independent_client(
    port: int,
    *,
    certificate: Path | None,
    key: Path | None,
    authority: Path,
    protocol: str = "huntgraph/1",
) -> AsyncIterator[IndependentClient]:
    """Connect to a loopback port with aioquic."""
    configuration = QuicConfiguration(is_client=True, alpn_protocols=[protocol])
    configuration.verify_mode = ssl.CERT_REQUIRED
    configuration.server_name = "localhost"
    configuration.load_verify_locations(cafile=str(authority))
    if certificate is not None:
        configuration.load_cert_chain(str(certificate), str(key))
    async with connect(
        "127.0.0.1", port, configuration=configuration, create_protocol=IndependentClient
    ) as client:
        assert isinstance(client, IndependentClient)
        yield client
