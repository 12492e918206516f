"""`play`: parties of bots, each over a link of its own, as game servers would bring players."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from huntgraph.bots.drive import Tally, drive
from huntgraph.bots.walkers import Walkers

__all__ = ["Credentials", "parties", "play"]


class Credentials(Protocol):
    """PEM files of a game server's identity; `huntgraph.cluster.Leaf` is one."""

    @property
    def certificate(self) -> Path:
        """The certificate."""

    @property
    def key(self) -> Path:
        """Its key."""

    @property
    def authority(self) -> Path:
        """The certificate of the authority that signed the actor's."""


def parties(
    players: int,
    links: int,
    *,
    first_player: int,
    starts: ArrayLike,
    hunt: int = 0,
    teams: int = 0,
    patience: int = 20,
) -> list[Walkers]:
    """Share ``players`` walkers with dense ids from ``first_player`` out over ``links`` parties.

    ``starts`` are nodes, taken in turn; teams are given in turn as well.
    """
    nodes = np.atleast_1d(np.asarray(starts, dtype=np.uint32))
    number = np.arange(players)
    return [
        Walkers(
            mine + first_player,
            starts=nodes[mine % len(nodes)],
            teams=mine % max(teams, 1),
            hunt=hunt,
            patience=patience,
        )
        for mine in np.array_split(number, min(links, players))
    ]


async def play(
    url: str,
    credentials: Credentials,
    groups: Sequence[Walkers],
    tally: Tally,
    *,
    rate: float | None,
    stop: asyncio.Event,
    partition: int = 0,
    world_id: int = 0,
) -> None:
    """Connect one link a party and drive them all until they are done or ``stop`` is set.

    Each link is drained at the end: when this returns, all that was applied is durable. Raises
    LinkError when a link cannot be made or is lost for good.
    """
    from huntgraph.client import Identity, connect

    identity = Identity(credentials.certificate, credentials.key, credentials.authority)

    async def one(number: int, walkers: Walkers) -> None:
        wait_s = 0.0 if rate is None else number / len(groups) / rate
        async with connect(url, identity=identity, partition=partition, world_id=world_id) as link:
            await drive(link, walkers, tally, rate=rate, stop=stop, first_wait_s=wait_s)
            await link.drain()
            # Receipts come once their claims are durable: the last ones with the drain.
            tally.take_receipts(link)

    tasks = [asyncio.create_task(one(number, group)) for number, group in enumerate(groups)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
