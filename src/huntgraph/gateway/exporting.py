"""Sending all numbers to an OpenTelemetry collector, from a thread of the gateway's process.

Everything is set by the standard environment variables of OpenTelemetry. It sends over OTLP with
http/protobuf when ``OTEL_EXPORTER_OTLP_ENDPOINT`` or ``OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`` is
set or ``OTEL_METRICS_EXPORTER`` is ``otlp``, and never with ``OTEL_SDK_DISABLED=true`` or another
exporter. ``OTEL_SERVICE_NAME`` and ``OTEL_RESOURCE_ATTRIBUTES`` say who sends. The actor has no
part in it: what is sent is read from its counters file.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from huntgraph.gateway.view import PartitionView
from huntgraph.versions import __version__

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.resources import Resource

__all__ = ["exporting", "is_wanted"]

INTERVAL: Final = "OTEL_METRIC_EXPORT_INTERVAL"
INTERVAL_MS: Final = 60_000
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
FAREWELL_S: Final = 3.0
"""How long the last export may keep the end of the process waiting."""

Tell = Callable[[str], None]


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for an export over OTLP."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporters = environment.get("OTEL_METRICS_EXPORTER", "").strip()
    if exporters:
        return "otlp" in (name.strip() for name in exporters.split(","))
    return any(environment.get(name) for name in ENDPOINTS)


@asynccontextmanager
async def exporting(views: Sequence[PartitionView], tell: Tell) -> AsyncIterator[bool]:
    """Export while the block runs, if the environment asks for it; gives whether it does.

    What keeps it from exporting is told and never stops the caller: a hunt is not ended for its
    telemetry. Leaving exports once more and waits for that for 3 s at most.
    """
    export = _export(views, os.environ, tell) if is_wanted(os.environ) else None
    if export is None:
        yield False
        return
    export.start()
    try:
        yield True
    finally:
        await asyncio.to_thread(export.stop, FAREWELL_S)


def _export(
    views: Sequence[PartitionView], environment: Mapping[str, str], tell: Tell
) -> Export | None:
    protocol = next((environment[name] for name in PROTOCOLS if environment.get(name)), "")
    if protocol not in ("", "http/protobuf"):
        tell(f"nothing is exported: OTLP over {protocol} is not built, set it to http/protobuf")
        return None
    try:
        return Export(views, _interval_s(environment, tell))
    except ImportError:
        tell('nothing is exported: install "huntgraph[otel]", or set OTEL_SDK_DISABLED=true')
        return None


def _interval_s(environment: Mapping[str, str], tell: Tell) -> float:
    text = environment.get(INTERVAL, "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text) > 0):
        tell(f"{INTERVAL} is {text!r}: give milliseconds; exporting every {INTERVAL_MS}")
        text = ""
    return int(text or INTERVAL_MS) / 1000


class Export(threading.Thread):
    """Exports now and then until it is stopped, and once more then.

    A thread that no exit waits for: a collector that does not answer must not hold up a drain.
    """

    def __init__(self, views: Sequence[PartitionView], every_s: float) -> None:
        super().__init__(name="huntgraph-export", daemon=True)
        self._views = list(views)
        self._every_s = every_s
        self._stopping = threading.Event()
        self._exporter, self._resource = _exporter()

    def run(self) -> None:
        """Do it; failures are logged by the exporter, and the next batch has all they had."""
        from huntgraph.gateway.otlp import metrics_data

        stopped = False
        while not stopped:
            stopped = self._stopping.wait(self._every_s)
            self._exporter.export(metrics_data(self._views, self._resource, time.time_ns()))

    def stop(self, timeout_s: float) -> None:
        """End it after one last export."""
        self._stopping.set()
        self.join(timeout_s)
        self._exporter.shutdown()


def _exporter() -> tuple[OTLPMetricExporter, Resource]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    own = {
        "service.name": "huntgraph",
        "service.version": __version__,
        "service.instance.id": str(uuid.uuid4()),
    }
    # What the environment says wins over what is said here.
    resource = Resource.create(own).merge(OTELResourceDetector().detect())
    return OTLPMetricExporter(), resource
