"""A small world, its actor, and players who walk it: what the tests of the client share."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from huntgraph._core import LogReader
from huntgraph.client import Identity
from huntgraph.client.connect import Connecting, connect
from huntgraph.cluster import Actor, ActorOptions, Authority, Leaf
from huntgraph.schema import MOVE, RULE, Form, Kind, Rule
from huntgraph.world import World, generate

NO_HUNT = 0xFFFF


class Scene:
    """A folder with a world, an authority and an actor's directory."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.world: World = generate(edges=20_000, seed=seed)
        self.world_file = folder / "world.hgw"
        self.world.save(self.world_file)
        self.authority = Authority.create_or_open(folder / "pki")
        self._actors: list[Actor] = []

    def run(self, play: Coroutine[Any, Any, None]) -> None:
        """Run a test to its end; no actor outlives it, however it ends."""

        async def whole() -> None:
            try:
                await play
            finally:
                for actor in self._actors:
                    await actor.kill()

        asyncio.run(whole())

    async def start(
        self,
        listen: str = "127.0.0.1:0",
        players: int = 2_000,
        idle: Literal["block", "yield", "spin"] = "block",
        program: Path | None = None,
    ) -> Actor:
        options = ActorOptions(
            directory=self.folder / "actor",
            world=self.world_file,
            identity=self.authority.server_identity(),
            listen=listen,
            players=players,
            segment_mib=16,
            idle=idle,
        )
        actor = await Actor.start(options, program=program)
        self._actors.append(actor)
        return actor

    def connect(self, actor: Actor, name: str = "game-server", **options: Any) -> Connecting:
        leaf = self.authority.client_identity(name)
        return connect(actor.ready.url, identity=identity_of(leaf), **options)

    def log(self) -> NDArray[np.void]:
        """All records of the log: dtype MOVE."""
        reader = LogReader(self.folder / "actor" / "log", world_id=self.world.world_id)
        parts = []
        while len(part := reader.read()[1]):
            parts.append(part)
        return np.concatenate(parts).reshape(-1).view(MOVE)


def identity_of(leaf: Leaf) -> Identity:
    return Identity(leaf.certificate, leaf.key, leaf.authority)


class Walk:
    """Players on random ways; every move is known before it is sent."""

    def __init__(self, world: World, players: range, rng: random.Random, hunt: int = NO_HUNT):
        self.world, self.rng, self.hunt = world, rng, hunt
        self.players = list(players)
        self.nodes = {player: rng.randrange(world.nodes) for player in players}
        self.seqs = dict.fromkeys(players, 0)
        self.echo = 0
        self.sent: dict[int, list[tuple[int, int, int]]] = {player: [] for player in players}

    def _move(self, player: int, kind: Kind, **fields: int) -> NDArray[np.void]:
        self.seqs[player] += 1
        self.echo += 1
        move = np.zeros(1, dtype=MOVE)
        move["hunt"] = NO_HUNT
        move["kind"], move["player"], move["seq"] = kind, player, self.seqs[player]
        move["echo"] = self.echo
        for name, value in fields.items():
            move[name.rstrip("_")] = value
        self.sent[player].append((self.seqs[player], int(kind), int(move["to"][0])))
        return move

    def enter(self) -> NDArray[np.void]:
        return np.concatenate(
            [self._move(p, Kind.ENTER, to=self.nodes[p], hunt=self.hunt) for p in self.players]
        )

    def step(self) -> NDArray[np.void]:
        """One GO for each player."""
        moves = []
        for player in self.players:
            here = self.nodes[player]
            heads, costs = self.world.row(here)
            there = int(self.rng.choice(heads[costs > 0].tolist()))
            moves.append(self._move(player, Kind.GO, from_=here, to=there))
            self.nodes[player] = there
        return np.concatenate(moves)

    def claim(self) -> NDArray[np.void]:
        return np.concatenate([self._move(p, Kind.CLAIM, arg=0xFFFFFFFF) for p in self.players])


def treasure(node: int) -> NDArray[np.void]:
    """Rows of a hunt in slot 0: one treasure at ``node`` that each player can win once."""
    rows = np.zeros(3, dtype=RULE)
    rows["kind"] = [Kind.HUNT_BEGIN, Kind.HUNT_STAGE, Kind.HUNT_PUBLISH]
    rows[0]["hunt_id"] = 1
    rows[1]["form"], rows[1]["rule"] = Form.TREASURE, Rule.PLAYER
    rows[1]["from"], rows[1]["points"] = node, 5
    rows[2]["count"] = 1
    return rows
