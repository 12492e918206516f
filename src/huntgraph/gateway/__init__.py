"""The gateway: health, metrics and the stream of events of running actors, over HTTP."""

from huntgraph.gateway.app import create_app
from huntgraph.gateway.exporting import exporting
from huntgraph.gateway.server import Gateway
from huntgraph.gateway.view import PartitionView

__all__ = ["Gateway", "PartitionView", "create_app", "exporting"]
