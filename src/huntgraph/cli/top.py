"""``huntgraph top``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter, validators

from huntgraph.cli.exits import Exit
from huntgraph.cli.output import Json, make_table, print_json, table
from huntgraph.cli.signals import Signals, run_async

if TYPE_CHECKING:
    from huntgraph.cli.top_source import Source
    from huntgraph.cli.top_watch import Watch

__all__ = ["top"]

EVERY_S: Final = 1.0
COLUMNS: Final = (
    "partition",
    "state",
    "moves/s",
    "applied p50",
    "applied p99",
    "durable p50",
    "durable p99",
    "epoch age p99",
    "round age p99",
    "players",
    "refused/s",
    "ring gaps",
    "allocations",
    "resident MiB",
    "log GiB",
)
Positive = Parameter(validator=validators.Number(gt=0))


def top(
    *folders: Path,
    gateway: Annotated[list[str] | None, Parameter(negative="")] = None,
    every_s: Annotated[float, Positive] = EVERY_S,
    once: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
) -> int:
    """Watch partitions.

    Args:
        folders: folders of huntgraph serve, or of actors [your state folder, huntgraph/serve].
        gateway: URL of a gateway to ask instead; may be given more than once.
        every_s: seconds between two looks; rates and quantiles are those of the time between.
        once: look twice, print what was in between, and end.
        json: print each sample as one JSON line.
    """
    from huntgraph.cli.top_source import Folder, GatewayAt
    from huntgraph.cluster import home

    chosen = list(folders) or ([] if gateway else [home("state") / "serve"])
    sources: list[Source] = [Folder(folder) for folder in chosen]
    sources += [GatewayAt(url) for url in gateway or []]
    return run_async(lambda signals: _watch(signals, sources, every_s, once, json))


async def _watch(
    signals: Signals, sources: Sequence[Source], every_s: float, once: bool, json: bool
) -> int:
    from huntgraph.cli.top_watch import Watch

    watch = Watch(sources)
    await asyncio.to_thread(watch.look)
    with ExitStack() as stack:
        show = _shown(stack, live=sys.stdout.isatty() and not once, json=json)
        while not await _stopped(signals, every_s):
            await asyncio.to_thread(watch.look)
            show(watch)
            if once:
                break
    return Exit.OK


def _shown(stack: ExitStack, *, live: bool, json: bool) -> Callable[[Watch], None]:
    """Give what shows a sample: a JSON line, a table that is drawn anew, or table after table."""
    if json:
        return lambda watch: print_json("top", watch.to_dict())
    if not live:
        return lambda watch: table("", COLUMNS, watch.cells())

    from rich.live import Live

    screen = stack.enter_context(Live(auto_refresh=False, transient=False))
    return lambda watch: screen.update(make_table("", COLUMNS, watch.cells()), refresh=True)


async def _stopped(signals: Signals, within_s: float) -> bool:
    try:
        async with asyncio.timeout(within_s):
            await signals.stop.wait()
    except TimeoutError:
        return False
    return True
