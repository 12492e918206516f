"""aioquic: an echo over QUIC, both ends in one event loop."""

from __future__ import annotations

from pathlib import Path

from aioquic.asyncio.client import connect
from aioquic.asyncio.server import serve
from aioquic.quic.configuration import QuicConfiguration

from huntgraph.bench.rivals.echo import Stack, measure_echo


def measure(folder: Path) -> dict[str, float]:
    """Write round trips of one record to ``pingpong.u64``, and give records a second."""
    return measure_echo(Stack(QuicConfiguration, connect, serve), folder)
