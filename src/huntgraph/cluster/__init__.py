"""The cluster: starting, watching and stopping actors, and the certificates they trust."""

from huntgraph.cluster.actor import Actor, ActorOptions, Prices, Ready, Stopped
from huntgraph.cluster.authority import Authority, Leaf
from huntgraph.cluster.control import Answers, Control, Standings, Status, control_move, refuse
from huntgraph.cluster.hunts import holders, publish_everywhere, steer_everywhere
from huntgraph.cluster.layout import Layout
from huntgraph.cluster.parts import find_parts, part_options
from huntgraph.cluster.pulse import HEARTBEAT, Pulse
from huntgraph.cluster.snapshots import SnapshotMade, make_snapshot
from huntgraph.cluster.supervisor import Backoff, Event, Supervisor
from huntgraph.home import home

__all__ = [
    "HEARTBEAT",
    "Actor",
    "ActorOptions",
    "Answers",
    "Authority",
    "Backoff",
    "Control",
    "Event",
    "Layout",
    "Leaf",
    "Prices",
    "Pulse",
    "Ready",
    "SnapshotMade",
    "Standings",
    "Status",
    "Stopped",
    "Supervisor",
    "control_move",
    "find_parts",
    "holders",
    "home",
    "make_snapshot",
    "part_options",
    "publish_everywhere",
    "refuse",
    "steer_everywhere",
]
