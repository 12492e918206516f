"""How verbs reach running actors: the folder of ``huntgraph serve`` and its control sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from huntgraph.errors import UsageError

if TYPE_CHECKING:
    from huntgraph.cluster import Answers, Control, Layout
    from huntgraph.cluster.hunts import Send

__all__ = [
    "Dir",
    "directories",
    "everywhere",
    "layout_in_use",
    "layout_of",
    "order",
    "order_everywhere",
]

T = TypeVar("T")

Dir = Annotated[Path | None, Parameter(name="--dir", help="the folder of huntgraph serve.")]


def layout_of(folder: Path | None) -> Layout:
    """Give what lies where in the folder of ``huntgraph serve``, by default the user's."""
    from huntgraph.cluster import Layout, home

    return Layout((folder or home("state") / "serve").absolute())


def layout_in_use(folder: Path | None) -> Layout:
    """Give the layout of a folder that something was served from, as far as it is there at all.

    Raises UsageError when there is no such folder: a mistyped one must not look like an empty one.
    """
    layout = layout_of(folder)
    if not layout.folder.is_dir():
        what, fix = "there is no such folder", "name the folder of huntgraph serve with --dir"
        raise UsageError(what, where=layout.folder, fix=fix)
    return layout


def order(directory: Path, records: NDArray[np.void], where: object) -> Answers:
    """Send records (dtype MOVE or RULE) to the actor of a folder, all of which must be done.

    Raises ActorError when nobody answers, RefusedError with ``where`` for the first refusal.
    """
    from huntgraph.cluster import Control, refuse

    async def work() -> Answers:
        async with await Control.open(directory / "control.sock") as control:
            return refuse(await control.send(records), where)

    return asyncio.run(work())


def directories(layout: Layout) -> dict[int, Path]:
    """Give the folders of all actors that are served from a folder, by partition.

    Raises ActorError when nothing is served there.
    """
    parts = layout.facts()["partitions"]
    return {int(part["partition"]): Path(part["directory"]) for part in parts}


async def everywhere(layout: Layout, work: Callable[[Mapping[int, Control]], Awaitable[T]]) -> T:
    """Do some work over the control sockets of all partitions that are served from a folder.

    Raises ActorError when nothing is served there or one of them does not answer, and what the
    work raises.
    """
    from huntgraph.cluster import Control

    async with AsyncExitStack() as stack:
        controls = {}
        for partition, directory in directories(layout).items():
            opening = await Control.open(directory / "control.sock")
            controls[partition] = await stack.enter_async_context(opening)
        return await work(controls)


def order_everywhere(
    layout: Layout, work: Callable[[Mapping[int, Send]], Awaitable[dict[int, Answers]]]
) -> dict[int, Answers]:
    """Send orders to all partitions that are served from a folder.

    Raises ActorError when nothing is served there or one of them does not answer, and what the
    work raises.
    """

    async def ordered(controls: Mapping[int, Control]) -> dict[int, Answers]:
        return await work({partition: each.send for partition, each in controls.items()})

    return asyncio.run(everywhere(layout, ordered))
