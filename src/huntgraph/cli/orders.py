"""How verbs reach running actors: the folder of ``huntgraph serve`` and its control sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

if TYPE_CHECKING:
    from huntgraph.cluster import Answers, Layout
    from huntgraph.cluster.hunts import Send

__all__ = ["Dir", "layout_of", "order", "order_everywhere"]

Dir = Annotated[Path | None, Parameter(name="--dir")]


def layout_of(folder: Path | None) -> Layout:
    """Give what lies where in the folder of ``huntgraph serve``, by default the user's."""
    from huntgraph.cluster import Layout, home

    return Layout((folder or home("state") / "serve").absolute())


def order(layout: Layout, records: NDArray[np.void], where: object) -> Answers:
    """Send records (dtype MOVE or RULE) over the control socket, all of which must be done.

    Raises ActorError when nobody answers, RefusedError with ``where`` for the first refusal.
    """
    from huntgraph.cluster import Control, refuse

    async def work() -> Answers:
        async with await Control.open(layout.actor / "control.sock") as control:
            return refuse(await control.send(records), where)

    return asyncio.run(work())


def order_everywhere(
    layout: Layout, work: Callable[[Mapping[int, Send]], Awaitable[dict[int, Answers]]]
) -> dict[int, Answers]:
    """Do some work over the control sockets of all partitions that are served from a folder.

    Raises ActorError when nothing is served there or one of them does not answer, and what the
    work raises.
    """
    from huntgraph.cluster import Control

    async def connected() -> dict[int, Answers]:
        async with AsyncExitStack() as stack:
            sends = {}
            for part in layout.facts()["partitions"]:
                opening = await Control.open(Path(part["directory"]) / "control.sock")
                control = await stack.enter_async_context(opening)
                sends[int(part["partition"])] = control.send
            return await work(sends)

    return asyncio.run(connected())
