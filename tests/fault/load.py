"""A game server under test: walks some hundred players over QUIC and keeps the ledger.

It behaves as docs/reference/protocol.md asks of a client: one window of frames, moves of a player
in order, and after a lost connection every move that no DURABLE covered is sent again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import NONE, RECEIPT, UPDATE, Code, Flag, Frame, Kind
from huntgraph.world import World
from tests.contract.independent import IndependentClient
from tests.fault.ledger import Ledger
from tests.servers import move

Records = NDArray[np.void]
FRAMES_IN_FLIGHT: Final = 3
EDGE_KINDS: Final = (
    *(Kind.EDGE_CLOSE, Kind.EDGE_OPEN, Kind.EDGE_PRICE),
    *(Kind.EDGE_REMOVE, Kind.EDGE_ADD),
)
NOT_TAKEN: Final = (Code.LOG_FULL, Code.LOG_FAILED, Code.BUSY, Code.DRAINING)


@dataclass
class Walker:
    """One player as its game server sees it."""

    player: int
    team: int
    node: int = 0
    inside: bool = False
    seq: int = 0
    todo: deque[tuple[int, bytes]] = field(default_factory=deque)
    """Moves to send, in order."""
    waiting: int = 0
    """Moves sent and not answered."""


@dataclass
class Load:
    """Walkers, their ledger and what the actor told; outlives connections and actors."""

    world: World
    rng: random.Random
    goals: list[int]
    """Nodes worth standing on."""
    players: int = 300
    frame_moves: int = 96
    """Moves a frame, a few more at most."""
    ledger: Ledger = field(default_factory=Ledger)
    told: dict[int, int] = field(default_factory=dict)
    """State hash by position, as welcomes told it."""
    receipts: dict[int, bytes] = field(default_factory=dict)
    codes: dict[int, int] = field(default_factory=dict)
    """Counts of answers by code."""
    answered: int = 0
    durable: int = 0

    def __post_init__(self) -> None:
        self.walkers = [Walker(1000 + n, n % 2) for n in range(self.players)]
        self._sent: deque[list[tuple[Walker | None, int, bytes]]] = deque()
        self._base = 0

    async def run(self, client: IndependentClient) -> None:
        """Say hello, send again what is open, and walk on until cancelled."""
        welcome = await client.hello()
        self._begin(welcome)
        while True:
            while len(self._sent) < FRAMES_IN_FLIGHT and (frame := self._next_frame()):
                self._send(client, frame)
            kind, _, first, body = await client.frames.get()
            if kind == Frame.UPDATES:
                self._take_updates(body)
            elif kind == Frame.DURABLE:
                self.durable = max(self.durable, first)
                self.ledger.durable(first)
            elif kind != Frame.DRAIN:
                raise AssertionError(f"a frame of kind {kind}: {body!r}")

    def cut_off(self) -> None:
        """The connection is lost."""
        self.ledger.cut_off()
        self._sent.clear()

    def _begin(self, welcome: Records) -> None:
        self._base = int(welcome["position"][0])
        self.told[self._base] = int(welcome["state_hash"][0])
        for walker in self.walkers:
            walker.waiting = 0
            if walker.seq:
                moves = self.ledger.open_moves(walker.player)
                first = walker.seq - len(moves) + 1
                walker.todo = deque(enumerate(moves, first))

    def _send(
        self, client: IndependentClient, frame: list[tuple[Walker | None, int, bytes]]
    ) -> None:
        self._sent.append(frame)
        first = client.next_record
        client.next_record += len(frame)
        body = b"".join(record for _, _, record in frame)
        client.send_frame(Frame.MOVES, len(frame), first, body)

    def _next_frame(self) -> list[tuple[Walker | None, int, bytes]]:
        frame: list[tuple[Walker | None, int, bytes]] = []
        idle = [walker for walker in self.walkers if not walker.waiting]
        self.rng.shuffle(idle)
        for walker in idle:
            if not walker.todo:
                self._plan(walker)
            for _ in range(self.rng.randint(1, len(walker.todo))):
                seq, record = walker.todo.popleft()
                walker.waiting += 1
                frame.append((walker, seq, record))
            if len(frame) >= self.frame_moves:
                break
        if frame and self.rng.random() < 0.5:
            frame.append((None, 0, self._edge_record()))
        return frame

    def _plan(self, walker: Walker) -> None:
        """One to three new moves of a player, the later ones in the hope that the first is done."""
        choice = self.rng.random()
        if not walker.inside or choice < 0.04:
            walker.node, walker.inside = self.rng.choice(self.goals), True
            self._add(walker, Kind.ENTER, to=walker.node, arg=walker.team, hunt=0)
            self._add(walker, Kind.CLAIM, arg=NONE)
        elif choice < 0.06:
            self._add(walker, Kind.HINT)
        elif choice < 0.07:
            walker.inside = False
            self._add(walker, Kind.LEAVE)
        elif choice < 0.08:
            self._add(walker, Kind.GO, from_=walker.node, to=self.rng.randrange(self.world.nodes))
        else:
            for _ in range(self.rng.randint(1, 3)):
                to = self._neighbour(walker.node)
                self._add(walker, Kind.GO, from_=walker.node, to=to)
                walker.node = to

    def _add(self, walker: Walker, kind: Kind, **fields: int) -> None:
        walker.seq += 1
        record = move(kind, walker.player, walker.seq, **fields).tobytes()
        self.ledger.send(record, walker.player, walker.seq)
        walker.todo.append((walker.seq, record))

    def _neighbour(self, node: int) -> int:
        heads, _ = self.world.row(node)
        return int(self.rng.choice(heads)) if len(heads) else node

    def _edge_record(self) -> bytes:
        node = self.rng.randrange(self.world.nodes)
        kind = self.rng.choices(EDGE_KINDS, [4, 8, 4, 1, 3])[0]
        new = kind == Kind.EDGE_ADD and self.rng.random() < 0.5
        to = self.rng.randrange(self.world.nodes) if new else self._neighbour(node)
        ends = {"from_": node, "to": to}
        return move(kind, arg=self.rng.randint(1, 99), **ends).tobytes()

    def _take_updates(self, body: bytes) -> None:
        frame = self._sent.popleft()
        rows = np.frombuffer(body, np.uint8).reshape(-1, 64)
        proof = rows[:, 0] == Kind.RECEIPT
        for row in rows[proof]:
            self.receipts[int(row.view(RECEIPT)["position"][0])] = row.tobytes()
        updates = rows[~proof].reshape(-1).view(UPDATE)
        assert len(updates) == len(frame)
        names = ("code", "flags", "position", "node")
        columns = (updates[name].tolist() for name in names)
        again: dict[int, list[tuple[int, bytes]]] = {}
        for (walker, seq, record), code, flags, position, node in zip(frame, *columns, strict=True):
            self.codes[code] = self.codes.get(code, 0) + 1
            if walker is None:
                continue
            walker.waiting -= 1
            if code in NOT_TAKEN:
                again.setdefault(walker.player, []).append((seq, record))
                continue
            assert position or flags & Flag.DUPLICATE, f"move {seq} was not taken: code {code}"
            self.answered += 1
            # A repeated move stands somewhere before the position that the welcome named.
            self.ledger.answer(max(position, self._base), position, walker.player, seq)
            if not walker.todo:
                walker.node = node
        for walker in self.walkers:
            walker.todo.extendleft(reversed(again.get(walker.player, [])))


async def halt(walking: asyncio.Task[None]) -> None:
    """End a walk; raises what it had failed of before."""
    walking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await walking
