"""How verbs reach a running actor: the folder of ``huntgraph serve`` and its control socket."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

if TYPE_CHECKING:
    from huntgraph.cluster import Answers, Layout

__all__ = ["Dir", "layout_of", "order"]

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
