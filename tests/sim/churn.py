"""A partition in turmoil: thousands walk, traffic moves weights, edges and hunts come and go."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Records, move, ticks
from huntgraph.schema import (
    HUNTS,
    MOVE,
    NONE,
    RULE,
    UPDATE,
    Code,
    Event,
    Flag,
    Form,
    Kind,
    Rule,
    State,
)
from huntgraph.world import World

STAGES: Final = 4
Ends = tuple[int, int]
"""Tail and head of an edge."""
TRAFFIC: Final = {"stock": 9, "points": 3, "index": 2, "delay": 6, "cost": 3}
"""Heat a move adds, bucket shift, decay shift, ticks of a decay round, weight a bucket adds."""


class Churn:
    """Makes the records of one batch after another from a seed and from the updates so far.

    `batch` gives records (shape (n,), dtype MOVE; rows of hunts lie in them as raw bytes);
    `learn` takes the updates and events they led to.
    """

    def __init__(self, world: World, seed: int, players: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.first, self.head = world.first.astype(np.int64), world.head.astype(np.int64)
        self.tail, self.nodes = world.tails().astype(np.int64), world.nodes
        self.real = np.flatnonzero(world.cost)
        self.players = players
        self.last: Records = np.zeros(players, UPDATE)
        self.last["target"], self.last["node"] = NONE, NONE
        self.tick = 0
        self.state = np.zeros(HUNTS, np.int64)
        self.shut: list[Ends] = []
        self.added: list[Ends] = []
        """Edges that were added, or removed and may be added again."""

    def opening(self) -> Records:
        """Publish all hunts, open them, and let everybody in. Shape (n,), dtype MOVE."""
        hunts = [self.hunt(slot) for slot in range(HUNTS)]
        everybody = np.arange(self.players)
        return np.concatenate([*hunts, self._tick(), self._enter(everybody)])

    def batch(self, movers: int, *, with_tick: bool = False) -> Records:
        """Give one step of `movers` players among changes of edges. Shape (n,), dtype MOVE."""
        who = self.rng.choice(self.players, movers, replace=False)
        steps = np.concatenate([self._walk(who), self._edges(8), self._siege()])
        self.rng.shuffle(steps)
        parts = [steps]
        closed = np.flatnonzero(self.state == State.CLOSED)
        parts += [self.hunt(int(slot)) for slot in closed]
        if self.rng.random() < 0.02:
            kinds = [Kind.HUNT_PAUSE, Kind.HUNT_RESUME, Kind.HUNT_EXTEND, Kind.HUNT_CLOSE]
            order = move(Kind.HUNT_PAUSE, hunt=int(self.rng.integers(HUNTS)), arg=20)
            order["kind"] = self.rng.choice(kinds)
            parts.append(order)
        paused = np.flatnonzero(self.state == State.PAUSED)
        if len(paused):
            parts.append(move(Kind.HUNT_RESUME, hunt=paused))
        if with_tick:
            parts.append(self._tick())
        return np.concatenate(parts)

    def learn(self, updates: Records, events: Records) -> None:
        """Take in what became of a batch."""
        mine = updates[updates["player"] > 0]
        self.last[mine["player"].astype(np.int64) - 1] = mine
        for event in events[events["kind"] == Event.HUNT]:
            self.state[event["hunt"]] = event["value"]

    def hunt(self, slot: int) -> Records:
        """Publish a hunt of a chain of clues and a treasure, with gates and traffic."""
        rng = self.rng
        rows: list[dict[str, Any]] = [{"kind": Kind.HUNT_BEGIN, "closes": rng.integers(30, 90)}]
        for index in range(STAGES):
            last = index == STAGES - 1
            form = Form.TREASURE if last or rng.random() < 0.3 else Form.CLUE
            stage = {"form": form, "rule": Rule.PLAYER, "from": rng.integers(self.nodes)}
            rows.append({"kind": Kind.HUNT_STAGE, "index": index, "points": 5, **stage})
            rows.append({"kind": Kind.HUNT_HINT, "index": index, "delay": 2, "cost": 1})
            if index and rng.random() < 0.7:
                rows.append({"kind": Kind.HUNT_NEED, "index": index, "mask": 1 << (index - 1)})
        for gate in range(3):
            times = {"opens": rng.integers(2, 20), "closes": rng.integers(20, 40)}
            flips = {"mask": int(rng.integers(1, 1 << STAGES)), "flags": rng.integers(2)}
            kind = {"kind": Kind.HUNT_GATE, "index": gate}
            rows.append({**kind, **(times if gate == 0 else flips)})
            for edge in rng.choice(self.real, 12, replace=False):
                ends = {"from": self.tail[edge], "to": self.head[edge]}
                rows.append({"kind": Kind.HUNT_GATE_EDGE, "index": gate, **ends})
        traffic = {**TRAFFIC, "cost": rng.integers(1, 5)}
        rows.append({"kind": Kind.HUNT_TRAFFIC, **traffic})
        rows.append({"kind": Kind.HUNT_PUBLISH, "count": len(rows) - 1})
        records = np.zeros(len(rows), RULE)
        records["hunt"] = slot
        for record, row in zip(records, rows, strict=True):
            for name, value in row.items():
                record[name] = value
        return records.view(MOVE)

    def _tick(self) -> Records:
        self.tick += 1
        return ticks(self.tick, time_ms=1_800_000_000_000 + 50 * self.tick)

    def _walk(self, who: NDArray[np.int64]) -> Records:
        """One record a player: claim on arrival, go as told, or anywhere; some err."""
        last, rng = self.last[who], self.rng
        node = last["node"].astype(np.int64)
        idle = (last["target"] == NONE) | (rng.random(len(who)) < 0.01)
        arrived = last["flags"] & Flag.ARRIVED != 0
        told = (last["flags"] & Flag.GUIDED != 0) & (last["code"] == Code.OK)
        told &= rng.random(len(who)) < 0.9
        inside = np.where(node == NONE, 0, node)
        row = self.first[inside]
        degree = self.first[inside + 1] - row
        anywhere = self.head[row + rng.integers(0, 1 << 30, len(who)) % np.maximum(degree, 1)]
        records = move(Kind.GO, **{"from": inside, "player": who + 1, "seq": last["seq"] + 1})
        records["to"] = np.where(told, last["next"], anywhere)
        records["kind"][arrived] = Kind.CLAIM
        records["arg"][arrived] = NONE
        chance = rng.random(len(who))
        records["kind"][chance < 0.005] = Kind.LEAVE
        records["kind"][chance > 0.99] = Kind.HINT
        records[idle] = self._enter(who[idle])
        # A few are sent again, and a few skip a number: answered, but not taken.
        records["seq"] += rng.choice(np.array([0, 0xFFFF_FFFF, 1], np.uint32), len(who), p=ERRORS)
        return records

    def _enter(self, who: NDArray[np.int64]) -> Records:
        places = self.rng.integers(0, self.nodes, len(who))
        hunts = self.rng.integers(0, HUNTS, len(who))
        seq = self.last["seq"][who] + 1
        return move(Kind.ENTER, player=who + 1, seq=seq, hunt=hunts, to=places)

    def _edges(self, count: int) -> Records:
        """Close, open, price, add and remove edges; cheaper than any before, too."""
        records = move(Kind.EDGE_PRICE, arg=self.rng.integers(1, 70, count))
        for record in records:
            ends, chance = self._ends(int(self.rng.choice(self.real))), self.rng.random()
            if chance < 0.3:
                record["kind"] = Kind.EDGE_CLOSE
                self.shut.append(ends)
            elif chance < 0.55 and self.shut:
                record["kind"] = Kind.EDGE_OPEN
                ends = self.shut.pop(int(self.rng.integers(len(self.shut))))
            elif chance < 0.65:
                record["kind"], ends = self._build(ends)
            record["from"], record["to"] = ends
        return records

    def _build(self, ends: Ends) -> tuple[Kind, Ends]:
        """Add an edge where there may be none, or remove one that may be added again."""
        if self.rng.random() < 0.4:
            if self.added and self.rng.random() < 0.7:
                ends = self.added[int(self.rng.integers(len(self.added)))]
            self.added.append(ends)
            return Kind.EDGE_REMOVE, ends
        if self.added and self.rng.random() < 0.5:
            return Kind.EDGE_ADD, self.added[int(self.rng.integers(len(self.added)))]
        # Two steps on, so that added edges lie on shortest ways as often as others.
        row = self.first[ends[1] : ends[1] + 2]
        onward = int(self.rng.choice(self.head[row[0] : row[1]]))
        ends = ends[0], onward
        self.added.append(ends)
        return Kind.EDGE_ADD, ends

    def _ends(self, edge: int) -> Ends:
        return int(self.tail[edge]), int(self.head[edge])

    def _siege(self) -> Records:
        """Now and then close all edges that lead to somebody's target: there is no way then."""
        target = int(self.rng.choice(self.last["target"]))
        if target == NONE or self.rng.random() < 0.9:
            return np.zeros(0, MOVE)
        into = [self._ends(edge) for edge in self.real[self.head[self.real] == target].tolist()]
        into += [ends for ends in self.added if ends[1] == target]
        if not into:
            return np.zeros(0, MOVE)
        self.shut += into
        return move(Kind.EDGE_CLOSE, from_=[tail for tail, _ in into], to=target)


ERRORS: Final = (0.98, 0.01, 0.01)
