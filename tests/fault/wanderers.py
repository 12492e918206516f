"""Players who walk over borders all the time, sent over the package's own links."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from huntgraph.client import Links
from huntgraph.schema import Code, Kind
from tests.partitions import Part
from tests.servers import move

FIRST_PLAYER = 1000
WALKS = 10
CLUES = 24


@dataclass
class Wanderer:
    """One player: where it is and the number of its last move."""

    player: int
    partition: int
    node: int
    seq: int = 0


class Wanderers:
    """Walks all players, a step a round; notes which moves are promised to be durable."""

    def __init__(self, parts: Sequence[Part], rng: random.Random, players: int) -> None:
        self.parts, self.rng = parts, rng
        self.codes: Counter[int] = Counter()
        self.crossings = 0
        self.rounds = 0
        self.promised: dict[int, int] = {}
        """Number of each player's last move that is on disk."""
        self.players = [self._fresh(n) for n in range(players)]

    def _fresh(self, number: int) -> Wanderer:
        part = self.parts[number % len(self.parts)]
        shore = np.flatnonzero([self._border(part, node) for node in range(part.own_nodes)])
        return Wanderer(FIRST_PLAYER + number, part.partition, int(self.rng.choice(shore.tolist())))

    def clues(self) -> list[tuple[int, int]]:
        """Some places, (partition, node), that many players come to."""
        return [(player.partition, player.node) for player in self.players[:CLUES]]

    def _border(self, part: Part, node: int) -> bool:
        row = slice(int(part.first[node]), int(part.first[node + 1]))
        return bool(((part.head[row] >= part.own_nodes) & (part.cost[row] > 0)).any())

    async def walk(self, links: Links, over: asyncio.Event) -> None:
        """Walk all players until it is over, and one more round: several walks, each some."""
        walks = [self.players[n::WALKS] for n in range(WALKS)]
        async with asyncio.TaskGroup() as group:
            for players in walks:
                group.create_task(self._walk(players, links, over))

    async def _walk(self, players: list[Wanderer], links: Links, over: asyncio.Event) -> None:
        while not over.is_set():
            await self._round(players, links)
        await self._round(players, links)

    async def _round(self, players: list[Wanderer], links: Links) -> None:
        """One move of each player, and what its answer tells."""
        sent = [self._next(links, player) for player in players]
        updates = await links.send(np.concatenate(sent))
        for player, update in zip(players, updates, strict=True):
            self._take(player, update)
            self.promised[player.player] = links.durable_seq(player.player)
        self.rounds += 1

    def _next(self, links: Links, player: Wanderer) -> np.ndarray:
        if player.seq == 0:
            links.place(player.player, player.partition)
            return move(Kind.ENTER, player.player, 1, to=player.node, hunt=0)
        part = self.parts[player.partition]
        row = slice(int(part.first[player.node]), int(part.first[player.node + 1]))
        heads = part.head[row][part.cost[row] > 0]
        abroad = heads[heads >= part.own_nodes]
        choice = abroad if len(abroad) and self.rng.random() < 0.6 else heads
        to = int(self.rng.choice(choice.tolist()))
        return move(Kind.GO, player.player, player.seq + 1, from_=player.node, to=to)

    def _take(self, player: Wanderer, update: np.void) -> None:
        code = int(update["code"])
        self.codes[code] += 1
        if not update["position"]:
            if code == Code.SEQ_GAP:
                player.seq = int(update["seq"])
            return
        player.seq, player.node = int(update["seq"]), int(update["node"])
        if update["moved_to"]:
            self.crossings += 1
            player.partition, player.node = int(update["moved_to"]) - 1, int(update["next"])

    def refused(self) -> dict[str, int]:
        """Counts of refusals by code."""
        return {Code(code).name: count for code, count in self.codes.items() if code}
