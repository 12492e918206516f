"""A live treasure-hunt engine for game servers.

::

    import huntgraph as hg

    world = hg.generate(edges=100_000, seed=7)        # a world of nodes and directed edges
    hunt = hg.generate_hunt(world, seed=7)            # or hg.load_hunt("night.yaml")
    engine = hg.Engine(world)                         # the real core, in this process
    updates = engine.apply(hunt.compile(world, 0))    # NumPy batches in, NumPy batches out

Worlds, hunts, the in-process engine, the asyncio QUIC client, log readers, the supervisor of
actors and the gateway: each name below is imported from its part when it is first used, so that
``import huntgraph`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from huntgraph.versions import __version__

if TYPE_CHECKING:
    from huntgraph.bus import Batch as Batch
    from huntgraph.bus import Counters as Counters
    from huntgraph.bus import Gap as Gap
    from huntgraph.bus import Histogram as Histogram
    from huntgraph.bus import Ring as Ring
    from huntgraph.client import Identity as Identity
    from huntgraph.client import Link as Link
    from huntgraph.client import connect as connect
    from huntgraph.cluster import Actor as Actor
    from huntgraph.cluster import ActorOptions as ActorOptions
    from huntgraph.cluster import Authority as Authority
    from huntgraph.cluster import Supervisor as Supervisor
    from huntgraph.engine import Engine as Engine
    from huntgraph.engine import move as move
    from huntgraph.engine import ticks as ticks
    from huntgraph.errors import ActorError as ActorError
    from huntgraph.errors import ExtraMissingError as ExtraMissingError
    from huntgraph.errors import ForkError as ForkError
    from huntgraph.errors import HuntError as HuntError
    from huntgraph.errors import HuntFileError as HuntFileError
    from huntgraph.errors import LinkError as LinkError
    from huntgraph.errors import LinkTimeoutError as LinkTimeoutError
    from huntgraph.errors import LogDamagedError as LogDamagedError
    from huntgraph.errors import LogError as LogError
    from huntgraph.errors import RefusedError as RefusedError
    from huntgraph.errors import ReplayError as ReplayError
    from huntgraph.errors import SourceError as SourceError
    from huntgraph.errors import UsageError as UsageError
    from huntgraph.errors import WorldChecksumError as WorldChecksumError
    from huntgraph.errors import WorldError as WorldError
    from huntgraph.errors import WorldFileError as WorldFileError
    from huntgraph.errors import WorldLimitError as WorldLimitError
    from huntgraph.errors import WorldLookupError as WorldLookupError
    from huntgraph.errors import WorldTruncatedError as WorldTruncatedError
    from huntgraph.gateway import Gateway as Gateway
    from huntgraph.gateway import PartitionView as PartitionView
    from huntgraph.hunt import Finding as Finding
    from huntgraph.hunt import Hunt as Hunt
    from huntgraph.hunt import check as check_hunt
    from huntgraph.hunt import generate_hunt as generate_hunt
    from huntgraph.hunt import load as load_hunt
    from huntgraph.hunt import loads as loads_hunt
    from huntgraph.schema import EVENT as EVENT
    from huntgraph.schema import MOVE as MOVE
    from huntgraph.schema import NONE as NONE
    from huntgraph.schema import RECEIPT as RECEIPT
    from huntgraph.schema import RULE as RULE
    from huntgraph.schema import UPDATE as UPDATE
    from huntgraph.schema import Code as Code
    from huntgraph.schema import Event as Event
    from huntgraph.schema import Flag as Flag
    from huntgraph.schema import Form as Form
    from huntgraph.schema import Kind as Kind
    from huntgraph.schema import Rule as Rule
    from huntgraph.schema import State as State
    from huntgraph.timeline import Log as Log
    from huntgraph.timeline import LogRecords as LogRecords
    from huntgraph.timeline import Timeline as Timeline
    from huntgraph.timeline import Verification as Verification
    from huntgraph.timeline import open_timeline as open_timeline
    from huntgraph.timeline.verify import verify as verify
    from huntgraph.world import World as World
    from huntgraph.world import from_networkx as from_networkx
    from huntgraph.world import import_world as import_world
    from huntgraph.world.generate import generate as generate

_HOMES: Final[dict[str, str]] = {
    "Batch": "huntgraph.bus:Batch",
    "Counters": "huntgraph.bus:Counters",
    "Gap": "huntgraph.bus:Gap",
    "Histogram": "huntgraph.bus:Histogram",
    "Ring": "huntgraph.bus:Ring",
    "Identity": "huntgraph.client:Identity",
    "Link": "huntgraph.client:Link",
    "connect": "huntgraph.client:connect",
    "Actor": "huntgraph.cluster:Actor",
    "ActorOptions": "huntgraph.cluster:ActorOptions",
    "Authority": "huntgraph.cluster:Authority",
    "Supervisor": "huntgraph.cluster:Supervisor",
    "Engine": "huntgraph.engine:Engine",
    "move": "huntgraph.engine:move",
    "ticks": "huntgraph.engine:ticks",
    "ActorError": "huntgraph.errors:ActorError",
    "ExtraMissingError": "huntgraph.errors:ExtraMissingError",
    "ForkError": "huntgraph.errors:ForkError",
    "HuntError": "huntgraph.errors:HuntError",
    "HuntFileError": "huntgraph.errors:HuntFileError",
    "LinkError": "huntgraph.errors:LinkError",
    "LinkTimeoutError": "huntgraph.errors:LinkTimeoutError",
    "LogDamagedError": "huntgraph.errors:LogDamagedError",
    "LogError": "huntgraph.errors:LogError",
    "RefusedError": "huntgraph.errors:RefusedError",
    "ReplayError": "huntgraph.errors:ReplayError",
    "SourceError": "huntgraph.errors:SourceError",
    "UsageError": "huntgraph.errors:UsageError",
    "WorldChecksumError": "huntgraph.errors:WorldChecksumError",
    "WorldError": "huntgraph.errors:WorldError",
    "WorldFileError": "huntgraph.errors:WorldFileError",
    "WorldLimitError": "huntgraph.errors:WorldLimitError",
    "WorldLookupError": "huntgraph.errors:WorldLookupError",
    "WorldTruncatedError": "huntgraph.errors:WorldTruncatedError",
    "Gateway": "huntgraph.gateway:Gateway",
    "PartitionView": "huntgraph.gateway:PartitionView",
    "Finding": "huntgraph.hunt:Finding",
    "Hunt": "huntgraph.hunt:Hunt",
    "generate_hunt": "huntgraph.hunt:generate_hunt",
    "check_hunt": "huntgraph.hunt:check",
    "load_hunt": "huntgraph.hunt:load",
    "loads_hunt": "huntgraph.hunt:loads",
    "EVENT": "huntgraph.schema:EVENT",
    "MOVE": "huntgraph.schema:MOVE",
    "NONE": "huntgraph.schema:NONE",
    "RECEIPT": "huntgraph.schema:RECEIPT",
    "RULE": "huntgraph.schema:RULE",
    "UPDATE": "huntgraph.schema:UPDATE",
    "Code": "huntgraph.schema:Code",
    "Event": "huntgraph.schema:Event",
    "Flag": "huntgraph.schema:Flag",
    "Form": "huntgraph.schema:Form",
    "Kind": "huntgraph.schema:Kind",
    "Rule": "huntgraph.schema:Rule",
    "State": "huntgraph.schema:State",
    "Log": "huntgraph.timeline:Log",
    "LogRecords": "huntgraph.timeline:LogRecords",
    "Timeline": "huntgraph.timeline:Timeline",
    "open_timeline": "huntgraph.timeline:open_timeline",
    "Verification": "huntgraph.timeline:Verification",
    "verify": "huntgraph.timeline:verify",
    "World": "huntgraph.world:World",
    "from_networkx": "huntgraph.world:from_networkx",
    "generate": "huntgraph.world:generate",
    "import_world": "huntgraph.world:import_world",
}
"""Where each public name lives."""

__all__ = [
    "EVENT",
    "MOVE",
    "NONE",
    "RECEIPT",
    "RULE",
    "UPDATE",
    "Actor",
    "ActorError",
    "ActorOptions",
    "Authority",
    "Batch",
    "Code",
    "Counters",
    "Engine",
    "Event",
    "ExtraMissingError",
    "Finding",
    "Flag",
    "ForkError",
    "Form",
    "Gap",
    "Gateway",
    "Histogram",
    "Hunt",
    "HuntError",
    "HuntFileError",
    "Identity",
    "Kind",
    "Link",
    "LinkError",
    "LinkTimeoutError",
    "Log",
    "LogDamagedError",
    "LogError",
    "LogRecords",
    "PartitionView",
    "RefusedError",
    "ReplayError",
    "Ring",
    "Rule",
    "SourceError",
    "State",
    "Supervisor",
    "Timeline",
    "UsageError",
    "Verification",
    "World",
    "WorldChecksumError",
    "WorldError",
    "WorldFileError",
    "WorldLimitError",
    "WorldLookupError",
    "WorldTruncatedError",
    "__version__",
    "check_hunt",
    "connect",
    "from_networkx",
    "generate",
    "generate_hunt",
    "import_world",
    "load_hunt",
    "loads_hunt",
    "move",
    "open_timeline",
    "ticks",
    "verify",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, real = home.partition(":")
    found = getattr(importlib.import_module(module), real)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
