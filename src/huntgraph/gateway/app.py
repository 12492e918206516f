"""The gateway's HTTP application.

``/livez``     200 as long as nothing is broken that waiting cannot mend; ``/healthz`` is the same
``/readyz``    200 when more load may come, 503 with the reasons when not
``/metrics``   the actors' numbers for Prometheus: `huntgraph.gateway.metrics`
``/counters``  the same numbers whole, as JSON: what ``huntgraph top`` reads
``/version``   versions of the package, the wire and the formats
``/events``    WebSocket of events and deltas: `huntgraph.gateway.events`
=============  =================================================================================
=======
===============  ===============================================================================
``/livez``       200 as long as nothing is broken that waiting cannot mend; ``/healthz`` is the same
``/readyz``      200 when more load may come, 503 with the reasons when not
``/metrics``     the actors' numbers for Prometheus: `huntgraph.gateway.metrics`
``/counters``    the same numbers whole, as JSON: what ``huntgraph top`` reads
``/version``     versions of the package, the wire and the formats
``/partitions``  where each partition's actor listens
``/events``      WebSocket of events and deltas: `huntgraph.gateway.events`
===============  ===============================================================================

None of them touches an actor's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute

from huntgraph.gateway.events import events_socket
from huntgraph.gateway.metrics import OPENMETRICS, PROMETHEUS, metrics_text
from huntgraph.gateway.view import PartitionView
from huntgraph.versions import versions

__all__ = ["create_app"]

LOOK_EVERY_S: Final = 1.0


def create_app(views: Sequence[PartitionView], *, look_every_s: float = LOOK_EVERY_S) -> Starlette:
    """Make the application for one or more partitions; any ASGI server can run it."""
    if not views:
        raise ValueError("a gateway needs at least one partition")

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async def keep_looking() -> None:
            while True:
                await asyncio.sleep(look_every_s)
                for view in views:
                    view.look()

        for view in views:
            view.look()
        task = asyncio.create_task(keep_looking())
        try:
            yield
        finally:
            task.cancel()

    routes = [
        Route("/", _index),
        Route("/livez", _livez),
        Route("/healthz", _livez),
        Route("/readyz", _readyz),
        Route("/metrics", _metrics),
        Route("/counters", _counters),
        Route("/version", _version),
        Route("/partitions", _partitions),
        WebSocketRoute("/events", events_socket),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.views = list(views)
    app.state.streams = 0
    return app


async def _index(request: Request) -> Response:
    paths = ["/livez", "/readyz", "/metrics", "/counters", "/version", "/partitions", "/events"]
    return JSONResponse({"name": "huntgraph", "paths": paths})


async def _livez(request: Request) -> Response:
    broken = {view.partition: view.broken() for view in request.app.state.views}
    reasons = [f"partition {number}: {why}" for number, each in broken.items() for why in each]
    return _verdict(not reasons, {"alive": not reasons, "reasons": reasons})


async def _readyz(request: Request) -> Response:
    partitions = [view.to_dict() for view in request.app.state.views]
    ready = not any(facts["reasons"] for facts in partitions)
    return _verdict(ready, {"ready": ready, "partitions": partitions})


def _verdict(good: bool, body: dict[str, Any]) -> Response:
    return JSONResponse(body, status_code=200 if good else 503)


async def _partitions(request: Request) -> Response:
    return JSONResponse({"partitions": [view.address() for view in request.app.state.views]})


async def _metrics(request: Request) -> Response:
    openmetrics = OPENMETRICS.partition(";")[0] in request.headers.get("accept", "")
    text = metrics_text(request.app.state.views, openmetrics=openmetrics)
    return Response(text, media_type=OPENMETRICS if openmetrics else PROMETHEUS)


async def _counters(request: Request) -> Response:
    readings = [(view.partition, view.read()) for view in request.app.state.views]
    partitions = [
        {"partition": number, "reading": reading.to_dict() if reading else None}
        for number, reading in readings
    ]
    return JSONResponse({"schema": "huntgraph.counters/1", "partitions": partitions})


async def _version(request: Request) -> Response:
    return JSONResponse(versions())
