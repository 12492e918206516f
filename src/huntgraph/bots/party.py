"""`play`: parties of bots, each over a link of its own, as game servers would bring players."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from huntgraph.bots.drive import Tally, drive
from huntgraph.bots.walkers import Walkers

if TYPE_CHECKING:
    from huntgraph.client import Links

__all__ = ["Credentials", "parties", "play", "play_over_borders"]


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

    await _all(one(number, group) for number, group in enumerate(groups))


async def play_over_borders(
    urls: Mapping[int, str],
    credentials: Credentials,
    groups: Sequence[tuple[int, Walkers]],
    tally: Tally,
    *,
    rate: float | None,
    stop: asyncio.Event,
) -> None:
    """Drive parties over links to all partitions of a world; ``urls`` are by partition.

    Each party comes with the partition it starts in. Otherwise as `play`.
    """
    from huntgraph.client import Identity, connect_all

    identity = Identity(credentials.certificate, credentials.key, credentials.authority)

    async def one(number: int, partition: int, walkers: Walkers) -> None:
        wait_s = 0.0 if rate is None else number / len(groups) / rate
        async with connect_all(urls, identity=identity) as links:
            for player in walkers.players.tolist():
                links.place(player, partition)
            world = _World(links)
            await drive(world, walkers, tally, rate=rate, stop=stop, first_wait_s=wait_s)
        tally.take_receipts(world)

    await _all(one(number, *group) for number, group in enumerate(groups))


class _World:
    """All partitions as one link: a position means that of the last answer in each."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self.send = links.send
        self.receipts = links.receipts

    async def durable(self, position: int) -> None:
        await self._links.durable()


async def _all(parties: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all parties; when one fails, the others end with it."""
    tasks = [asyncio.create_task(party) for party in parties]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
