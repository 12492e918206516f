"""`Links`: the links to all partitions of a world, over which players walk from one to another."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.client.address import Identity
from huntgraph.client.connect import connect
from huntgraph.client.link import Link
from huntgraph.errors import UsageError
from huntgraph.schema import MOVE, RECEIPT, UPDATE, Code

__all__ = ["Links", "connect_all"]

Records = NDArray[np.void]
PAUSES_S: Final = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
"""Before each try of what was refused because its player is on its way."""


@asynccontextmanager
async def connect_all(
    urls: Mapping[int, str], *, identity: Identity, patience_s: float = 10.0, **options: Any
) -> AsyncIterator[Links]:
    """Connect to the actors of all partitions: ``urls`` by partition; options as of `connect`.

    Leaving drains all links. Raises what `connect` raises.
    """
    async with AsyncExitStack() as stack:
        links = {}
        for partition, url in urls.items():
            opening = connect(url, identity=identity, partition=partition, **options)
            links[partition] = await stack.enter_async_context(opening)
        yield Links(links, patience_s=patience_s)


class Links:
    """Sends each player's moves to the partition that the player is in.

    A player's numbers (``seq``) go on over the border. When an update's ``moved_to`` is not 0, the
    player stands at node ``next`` of partition ``moved_to - 1``, and node numbers of its next moves
    are those of that partition.

    Moves are kept until they are durable: when a partition lost some in a crash together with the
    player's arrival, they are sent again before the player's next move.

    Args:
        links: open links by partition.
        patience_s: how long a move waits for its player to arrive; then its refusal is the answer.
    """

    def __init__(self, links: Mapping[int, Link], *, patience_s: float = 10.0) -> None:
        if not links:
            raise UsageError("no links", fix="give one link a partition")
        self.links = dict(links)
        self._patience_s = patience_s
        self._at: dict[int, int] = {}
        self._kept: dict[int, deque[tuple[int, bytes]]] = {}
        self._durable_seq: dict[int, int] = {}
        self._answered: dict[int, deque[tuple[int, int, int]]] = {p: deque() for p in links}

    def place(self, player: int, partition: int) -> None:
        """Tell where a player enters; without this it is the first partition."""
        self._at[player] = partition

    def partition_of(self, player: int) -> int:
        """Give the partition that a player is in or on its way to."""
        return self._at.get(player, next(iter(self.links)))

    def durable_seq(self, player: int) -> int:
        """Give the number of a player's last move that is known to be on disk, 0 for none."""
        self._forget_durable()
        return self._durable_seq.get(player, 0)

    def receipts(self) -> Records:
        """Take the receipts that have come over all links: dtype RECEIPT, shape (n,)."""
        found = [link.receipts() for link in self.links.values()]
        return np.concatenate(found) if found else np.empty(0, RECEIPT)

    async def durable(self) -> None:
        """Wait until every move answered up to now is on disk."""
        waits = [
            self.links[partition].durable(max(position for position, _, _ in answered))
            for partition, answered in self._answered.items()
            if answered
        ]
        await asyncio.gather(*waits)
        self._forget_durable()

    async def send(self, moves: Records) -> Records:
        """Send moves (dtype MOVE) and wait for their answers: dtype UPDATE, same length and order.

        One call at a time for each player. Raises LinkError when a link has ended.
        """
        self._forget_durable()
        for move in moves:
            self._keep(move)
        updates = np.zeros(len(moves), UPDATE)
        waiting = list(range(len(moves)))
        gaps: dict[int, list[bytes]] = {}
        tries = 0
        give_up_s = asyncio.get_running_loop().time() + self._patience_s
        while waiting:
            again = await self._round(moves, waiting, gaps, updates)
            if not again or asyncio.get_running_loop().time() >= give_up_s:
                break
            await asyncio.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
            waiting, tries = again, tries + 1
        return updates

    async def _round(
        self,
        moves: Records,
        waiting: list[int],
        gaps: dict[int, list[bytes]],
        updates: Records,
    ) -> list[int]:
        """Send what waits to where its players are; give what has to be sent again."""
        frames: dict[int, list[bytes]] = {}
        places: dict[int, list[int]] = {}
        for at in waiting:
            partition = self.partition_of(int(moves["player"][at]))
            lost = gaps.pop(at, [])
            frames.setdefault(partition, []).extend([*lost, moves[at].tobytes()])
            places.setdefault(partition, []).extend([-1] * len(lost) + [at])
        answers = await asyncio.gather(
            *(
                self.links[partition].send(np.frombuffer(b"".join(rows), MOVE))
                for partition, rows in frames.items()
            )
        )
        again = []
        for partition, each in zip(frames, answers, strict=True):
            for at, update in zip(places[partition], each, strict=True):
                if at >= 0 and not self._settle(partition, moves[at], update, gaps, at):
                    again.append(at)
                if at >= 0:
                    updates[at] = update
        return sorted(again)

    def _settle(
        self,
        partition: int,
        move: np.void,
        update: np.void,
        gaps: dict[int, list[bytes]],
        at: int,
    ) -> bool:
        """Learn from an answer; False when the move has to be sent again."""
        player, seq, code = int(move["player"]), int(move["seq"]), int(update["code"])
        moved_to = int(update["moved_to"]) - 1
        if code == Code.MOVED:
            # A partition that the player has left and is coming back to still says so.
            self._at[player] = moved_to if moved_to in self.links else partition
            return moved_to not in self.links
        if code == Code.UNKNOWN_PLAYER:
            return player not in self._at
        if code == Code.SEQ_GAP:
            taken = int(update["seq"])
            kept = self._kept.get(player, ())
            lost = [record for number, record in kept if taken < number < seq]
            gaps[at] = lost
            return taken == 0 or len(lost) < seq - 1 - taken
        if update["position"]:
            self._answered[partition].append((int(update["position"]), player, seq))
        self._at[player] = moved_to if moved_to in self.links else partition
        return True

    def _keep(self, move: np.void) -> None:
        kept = self._kept.setdefault(int(move["player"]), deque())
        seq = int(move["seq"])
        while kept and kept[-1][0] >= seq:
            kept.pop()
        kept.append((seq, move.tobytes()))

    def _forget_durable(self) -> None:
        for partition, answered in self._answered.items():
            link = self.links[partition]
            # Lost in a crash, and refused when sent again: the player's arrival was lost too.
            lost = {int(each.update["player"]) for each in link.revisions()}
            if lost:
                fit = [entry for entry in answered if entry[1] not in lost]
                self._answered[partition] = answered = deque(fit)
            durable = link.durable_position
            while answered and answered[0][0] <= durable:
                _, player, seq = answered.popleft()
                self._durable_seq[player] = max(seq, self._durable_seq.get(player, 0))
                kept = self._kept.get(player)
                while kept and kept[0][0] <= seq:
                    kept.popleft()
