"""qh3: an echo over QUIC, both ends in one event loop."""

from __future__ import annotations

from pathlib import Path

from qh3.asyncio.client import connect
from qh3.asyncio.server import serve
from qh3.quic.configuration import QuicConfiguration

from huntgraph.bench.rivals.echo import Stack, measure_echo


def measure(folder: Path) -> dict[str, float]:
    """Write round trips of one record to ``pingpong.u64``, and give records a second."""
    return measure_echo(Stack(QuicConfiguration, connect, serve), folder)
