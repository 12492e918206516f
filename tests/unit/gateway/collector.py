"""A collector of OTLP over HTTP on loopback: it keeps what it is sent, parsed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric


class Collector(HTTPServer):
    """Its ``requests`` grow; `wait` waits for more of them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.paths: list[str] = []
        self.requests: list[ExportMetricsServiceRequest] = []
        self._grown = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, path: str, body: bytes) -> None:
        with self._grown:
            self.paths.append(path)
            self.requests.append(ExportMetricsServiceRequest.FromString(body))
            self._grown.notify_all()

    def wait(self, count: int, timeout_s: float = 30.0) -> list[ExportMetricsServiceRequest]:
        with self._grown:
            assert self._grown.wait_for(lambda: len(self.requests) >= count, timeout_s)
            return list(self.requests)


class Answer(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        assert self.headers["Content-Type"] == "application/x-protobuf"
        self.server.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
        body = ExportMetricsServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def collecting() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield collector
        finally:
            collector.shutdown()
            thread.join()


def metrics_of(request: ExportMetricsServiceRequest) -> dict[str, Metric]:
    """The metrics of a request's one resource and scope, by name."""
    (resource,) = request.resource_metrics
    (scope,) = resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def plain(attributes: Any) -> dict[str, str | int]:
    """Attributes as a dictionary."""
    pairs: list[KeyValue] = list(attributes)
    return {
        pair.key: pair.value.int_value
        if pair.value.HasField("int_value")
        else pair.value.string_value
        for pair in pairs
    }
