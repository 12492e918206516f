"""A world in parts, each an engine and a model, on which players walk by nodes of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from huntgraph.model import Answer, Border
from huntgraph.schema import Code, Kind
from huntgraph.world import Parts
from huntgraph.world import World as AnyWorld
from tests.model.checker import Pair
from tests.model.worlds import Record, World, record_of


class Undivided:
    """A whole world in the place of its parts."""

    def __init__(self, world: AnyWorld) -> None:
        self._world = world

    def __len__(self) -> int:
        return 1

    def __getitem__(self, partition: int) -> AnyWorld:
        return self._world

    def locate(self, nodes: ArrayLike) -> tuple[NDArray[np.uint16], NDArray[np.uint32]]:
        return np.zeros(np.shape(nodes), np.uint16), np.asarray(nodes, np.uint32)

    def local_ids(self, partition: int, nodes: ArrayLike) -> NDArray[np.int64]:
        return np.asarray(nodes, np.int64)

    def global_ids(self, partition: int, local: ArrayLike) -> NDArray[np.uint32]:
        return np.asarray(local, np.uint32)


class Deed(NamedTuple):
    """What a player does, at nodes of the whole world; ``stage`` is that of a claim."""

    kind: Kind
    player: int
    tail: int = 0
    head: int = 0
    stage: int = 0


class Land:
    """All partitions of a world; parcels go on when `carry` is called.

    With ``judged=False`` only states are kept in step: answers are not compared with the model's.
    """

    def __init__(self, parts: Parts | Undivided, *, players: int = 32, judged: bool = True) -> None:
        self.parts = parts
        self.pairs = [self._pair(number, players) for number in range(len(parts))]
        for pair in self.pairs:
            pair.compare_answers = pair.compare_events = judged
        self.at: dict[int, int] = {}
        self.seq: dict[int, int] = {}

    def _pair(self, number: int, players: int) -> Pair:
        world = self.parts[number]
        rows = World(world.first, world.head, world.cost)
        if world.owner is None or world.twin is None:
            return Pair(rows, players=players)
        halo = slice(world.own_nodes, None)
        border = Border(number, world.owner[halo], world.twin[halo], 4096)
        return Pair(rows, players=players, border=border)

    def publish(self, rows: Sequence[NDArray[np.void]]) -> list[int]:
        """Publish a hunt's rows by partition; all codes that were not 0."""
        answers = [
            answer
            for pair, each in zip(self.pairs, rows, strict=True)
            for answer in pair.apply([row.tobytes() for row in each])
        ]
        return [answer.code for answer in answers if answer.code]

    def tick(self, count: int = 1) -> None:
        """Ticks of all partitions."""
        for _ in range(count):
            for pair in self.pairs:
                pair.apply([record_of(Kind.TICK, arg=pair.model.tick + 1)])
                pair.work()

    def do(self, deed: Deed) -> Answer:
        """A player does something where it is; who goes over a border is there after `carry`."""
        if deed.kind == Kind.ENTER:
            partition, local = (int(each) for each in self.parts.locate(deed.head))
            self.at[deed.player] = partition
            return self._do(deed.player, deed.kind, head=local, hunt=0)
        if deed.kind == Kind.CLAIM:
            return self._do(deed.player, deed.kind, arg=deed.stage)
        ends = self.parts.local_ids(self.at[deed.player], [deed.tail, deed.head]).tolist()
        answer = self._do(deed.player, deed.kind, tail=ends[0], head=ends[1])
        if answer.moved_to:
            self.at[deed.player] = answer.moved_to - 1
        return answer

    def _do(self, player: int, kind: int, **fields: int) -> Answer:
        self.seq[player] = self.seq.get(player, 0) + 1
        record = record_of(kind, player=player, seq=self.seq[player], **fields)
        (answer,) = self.pairs[self.at[player]].apply([record])
        return answer

    def carry(self) -> None:
        """Bring all parcels to where they go, and what they cause there, until none is left."""
        while moved := list(self._parcels()):
            for origin, target, parcels in moved:
                self.pairs[target].apply(parcels)
                number = self.pairs[origin].model.border.peers[target].sent
                self.pairs[origin].apply([record_of(Kind.HANDED_ON, arg=target, a=number)])

    def _parcels(self) -> Iterator[tuple[int, int, list[Record]]]:
        for origin, pair in enumerate(self.pairs):
            for target in range(len(self.pairs)):
                if parcels := pair.model.border.parcels(target):
                    yield origin, target, parcels


class Stroll:
    """Players who walk a whole world at random, now and then towards a stage, and claim."""

    def __init__(self, rng: Random, world: AnyWorld, stages: Sequence[int], players: int) -> None:
        self.rng, self.world, self.stages = rng, world, stages
        self.steps = [_steps_to(world, node) for node in stages]
        self.at: dict[int, int] = {}
        self.goal = {player: rng.randrange(len(stages)) for player in range(1, players + 1)}

    def next(self) -> Deed:
        """What some player does next."""
        player = self.rng.choice(list(self.goal))
        if player not in self.at:
            return Deed(Kind.ENTER, player, head=self.rng.randrange(self.world.nodes))
        tail, goal = self.at[player], self.goal[player]
        if tail == self.stages[goal] and self.rng.random() < 0.7:
            self.goal[player] = self.rng.randrange(len(self.stages))
            return Deed(Kind.CLAIM, player, stage=goal)
        heads, costs = self.world.row(tail)
        head = int(self.steps[goal][tail])
        if head < 0 or self.rng.random() < 0.2:
            head = self.rng.choice(heads[costs > 0].tolist())
        return Deed(Kind.GO, player, tail, head)

    def learn(self, deed: Deed, code: int) -> None:
        """Where the player is, from the code it was answered with."""
        if deed.kind in (Kind.ENTER, Kind.GO) and code == Code.OK:
            self.at[deed.player] = deed.head


def _steps_to(world: AnyWorld, goal: int) -> NDArray[np.int64]:
    """The next node on a way of fewest edges to a goal; -1 where there is none."""
    tails = world.tails()
    step = np.full(world.nodes, -1, np.int64)
    seen = np.zeros(world.nodes, np.bool_)
    frontier = np.array([goal])
    while len(frontier):
        seen[frontier] = True
        towards = np.isin(world.head, frontier) & ~seen[tails] & (world.cost > 0)
        step[tails[towards]] = world.head[towards]
        frontier = np.unique(tails[towards])
    return step
