"""A hunt in all partitions that hold it: published everywhere or nowhere, steered everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from huntgraph.cluster.control import Answers, control_move, refuse
from huntgraph.errors import HuntError, RefusedError
from huntgraph.schema import Code, Kind

__all__ = ["Send", "holders", "publish_everywhere", "steer_everywhere"]

Send = Callable[[NDArray[np.void]], Awaitable[Answers]]
"""`Control.send` or `Actor.control` of one partition."""
Told = dict[int, Answers | HuntError]


async def publish_everywhere(
    sends: Mapping[int, Send], rows: Sequence[NDArray[np.void]]
) -> dict[int, Answers]:
    """Publish a hunt in all partitions or in none; effective at the next tick of each.

    ``sends`` is by partition, as are ``rows``: those of `Hunt.compile_parts`, or of `Hunt.compile`
    alone. First every partition takes all rows but the last, which changes nothing that players
    see; only when all have, each gets its HUNT_PUBLISH. Where that fails in one, the others close
    the hunt again.

    Raises RefusedError, or ActorError where an actor does not answer, for the first partition
    that failed.
    """
    slot = int(rows[0]["hunt"][0])
    loaded = await _told(sends, {partition: rows[partition][:-1] for partition in sends})
    _raise_first(loaded, slot, "the hunt was not published anywhere")
    published = await _told(sends, {partition: rows[partition][-1:] for partition in sends})
    done = [partition for partition in sends if isinstance(published[partition], Answers)]
    if len(done) < len(sends):
        closed = {partition: sends[partition] for partition in done}
        await _told(closed, dict.fromkeys(done, control_move(Kind.HUNT_CLOSE, slot)))
    return _raise_first(published, slot, "the hunt was closed again where it had been published")


async def steer_everywhere(
    sends: Mapping[int, Send], record: NDArray[np.void]
) -> dict[int, Answers]:
    """Send one order about a hunt (dtype MOVE, shape (1,)) to all partitions, whatever they answer.

    Raises RefusedError or ActorError for the first partition that did not do it; the error says
    which did.
    """
    told = await _told(sends, dict.fromkeys(sends, record))
    done = [str(partition) for partition, each in told.items() if isinstance(each, Answers)]
    where = f"partitions {', '.join(done)}" if done else "no partition"
    return _raise_first(told, int(record["hunt"][0]), f"it was done in {where}")


async def holders(sends: Mapping[int, Send], rows: Sequence[NDArray[np.void]]) -> list[int]:
    """Give the partitions whose slot a hunt runs in already, asked with its first row."""
    told = await _told(sends, {partition: rows[partition][:1] for partition in sends})
    return [
        partition
        for partition, each in told.items()
        if isinstance(each, RefusedError) and each.refusal == Code.HUNT_IN_USE
    ]


async def _told(sends: Mapping[int, Send], records: Mapping[int, NDArray[np.void]]) -> Told:
    """Send to all at the same time: done, or what stood in the way."""

    async def one(partition: int) -> Answers | HuntError:
        try:
            return refuse(await sends[partition](records[partition]))
        except HuntError as error:
            return error

    answers = await asyncio.gather(*(one(partition) for partition in sends))
    return dict(zip(sends, answers, strict=True))


def _raise_first(told: Told, slot: int, outcome: str) -> dict[int, Answers]:
    for partition, each in told.items():
        if isinstance(each, HuntError):
            several = len(told) > 1
            each.where = each.where or f"slot {slot}" + f", partition {partition}" * several
            each.what += f"; {outcome}" * several
            raise each
    return {partition: each for partition, each in told.items() if isinstance(each, Answers)}
