"""The state of a partition as plain objects (rules, section 1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.model.answer import Happening
from huntgraph.model.outbox import Border
from huntgraph.schema import DEGREE, HUNTS, NONE, Code, Event, Rule, State

U32 = NDArray[np.uint32]

NO_HUNT: Final = 255
NO_STAGE: Final = 255
U32_MAX: Final = 0xFFFF_FFFF


class Refused(Exception):  # noqa: N818  (a refusal is an answer, not an error)
    """A record is refused with `code`; raised before anything is changed."""

    def __init__(self, code: Code) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass
class Player:
    """One player; `hunt` and `target` are 255 for none, `progress` has a bit for each stage."""

    id: int
    seq: int = 0
    node: int = 0
    team: int = 0
    hunt: int = NO_HUNT
    edition: int = 0
    progress: int = 0
    score: int = 0
    target: int = NO_STAGE
    since: int = 0
    hints: int = 0
    present: bool = False
    away: int = 0
    last_code: int = 0
    last_position: int = 0

    def forget_hunt(self) -> None:
        """All that belongs to the hunt the player is leaving, but team and score."""
        self.hunt, self.edition, self.progress = NO_HUNT, 0, 0
        self.target, self.hints, self.since = NO_STAGE, 0, 0

    def join(self, hunt: int, edition: int, team: int) -> None:
        """The player is in this hunt from now on, at its beginning."""
        self.forget_hunt()
        self.hunt, self.edition, self.team, self.score = hunt, edition, team, 0

    def add_score(self, points: int) -> None:
        """Adds points modulo 2^32, two's complement."""
        self.score = (self.score + points + 2**31) % 2**32 - 2**31


@dataclass
class Stage:
    """A clue or treasure; times in ticks of hunt time, `hints` are pairs (delay, cost)."""

    form: int
    rule: int
    node: int
    opens: int
    closes: int
    stock: int
    points: int
    needs: list[int] = field(default_factory=list)
    hints: list[tuple[int, int]] = field(default_factory=list)
    wins: int = 0
    team_bits: int = 0
    winner: int = 0
    position: int = 0
    owner: int = 0

    def in_window(self, elapsed_ticks: int) -> bool:
        """Whether the stage can be found or won at this hunt time."""
        return self.opens <= elapsed_ticks and (self.closes == 0 or elapsed_ticks < self.closes)

    def used_up(self) -> bool:
        """Whether its stock is gone."""
        return self.stock > 0 and self.wins >= self.stock

    def taken(self) -> bool:
        """Whether nobody can win it any more."""
        return (self.rule == Rule.EXCLUSIVE and self.wins > 0) or self.used_up()

    def team_won(self, team: int) -> bool:
        """Whether this team had its one win."""
        return self.rule == Rule.TEAM and bool(self.team_bits >> team & 1)

    def unlocked(self, progress: int) -> bool:
        """Whether one of its needs is met; true without needs."""
        return not self.needs or any(need & ~progress == 0 for need in self.needs)

    def win(self, player: Player, number: int, position: int) -> None:
        """Books a find or a win."""
        player.progress |= 1 << number
        player.add_score(self.points)
        self.wins = min(U32_MAX, self.wins + 1)
        self.team_bits |= 1 << player.team
        self.winner, self.position = player.id, position


@dataclass
class Gate:
    """A set of edges, `edges[first:first + count]` of its hunt, closed and opened together."""

    starts_shut: bool
    opens: int
    closes: int
    mask: int
    first: int
    count: int = 0
    shut: bool = False


@dataclass
class Traffic:
    """How heat rises, falls and weighs; all 0 means: never."""

    rise: int = 0
    shift: int = 0
    decay_shift: int = 0
    period_ticks: int = 0
    cost: int = 0

    def term(self, heat: int) -> int:
        """The share of a weight that this heat makes."""
        return (heat >> self.shift) * self.cost


@dataclass
class Hunt:
    """One hunt slot; `teams` 0 means no teams, `closes` 0 never, times in ticks."""

    hunt_id: int = 0
    state: int = State.EMPTY
    edition: int = 0
    teams: int = 0
    partitions: int = 0
    elapsed_ticks: int = 0
    closes: int = 0
    wait: int = 0
    rows: int = 0
    pending: int = 0
    extend_by: int = 0
    traffic: Traffic | None = None
    stages: list[Stage] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    edges: list[int] = field(default_factory=list)


class Partition:
    """All state of one partition; edge arrays have one item for each slot in use, by edge id.

    ``capacity_added`` is how many slots can be added to the world's, ``prices_max`` how many
    different costs edges can have at a time, None for any.
    """

    def __init__(
        self,
        first: U32,
        head: U32,
        cost: NDArray[np.uint16],
        capacity_added: int = 2048,
        border: Border | None = None,
    ) -> None:
        self.first, self.head = first, head
        self.border = border or Border()
        self.capacity_added = capacity_added
        self.prices_max: int | None = None
        self.players_max = 1024
        self.added_of: dict[int, list[int]] = {}
        rows = first[1:].astype(np.int64) - first[:-1]
        self.tail = np.repeat(np.arange(len(rows), dtype=np.uint32), rows)
        self.cost = cost.astype(np.int64)
        self.heat = np.zeros(len(head), np.int64)
        self.closed = cost == 0
        real = cost[cost > 0]
        self.cost_min, self.cost_max = (int(real.min()), int(real.max())) if len(real) else (0, 0)
        self.traffic = Traffic()
        self.players: list[Player] = []
        self.slot_of: dict[int, int] = {}
        self.hunts = [Hunt() for _ in range(HUNTS)]
        self.tick = self.position = self.serial = self.correction = 0
        self.traffic_set = False
        self.players_before = self.slots_before = 0
        self.chain = bytes(32)
        self.events: list[Happening] = []

    @property
    def nodes(self) -> int:
        """Nodes of the world."""
        return len(self.first) - 1

    @property
    def world_slots(self) -> int:
        """Slots of the world: added ones have edge ids from here on."""
        return int(self.first[-1])

    def row(self, node: int) -> list[int]:
        """The edge ids of a node's slots in the order of its row, absent ones too."""
        own = range(int(self.first[node]), int(self.first[node + 1]))
        return [*own, *self.added_of.get(node, [])]

    @property
    def own_nodes(self) -> int:
        """Nodes that belong to this partition; those from there on are its halo."""
        return self.nodes - len(self.border.owner)

    def halo_node(self, owner: int, twin: int) -> int:
        """The copy of another partition's node, NONE when the halo has none."""
        for at, place in enumerate(zip(self.border.owner, self.border.twin, strict=True)):
            if place == (owner, twin):
                return self.own_nodes + at
        return NONE

    def note(self, kind: Event, **fields: int) -> None:
        """Records an event at the current position and tick."""
        self.events.append(Happening(kind, self.position, self.tick, **fields))

    def find_edge(self, tail: int, head: int) -> int:
        """The slot of a real edge between two nodes in range; refused with NO_EDGE."""
        edge = self.find_slot(tail, head)
        if edge is None or self.cost[edge] == 0:
            raise Refused(Code.NO_EDGE)
        return edge

    def find_slot(self, tail: int, head: int) -> int | None:
        """The slot between two nodes in range, absent or not; None when there is none."""
        return next((edge for edge in self.row(tail) if self.head[edge] == head), None)

    def find_edge_checked(self, tail: int, head: int) -> int:
        """`find_edge` for any numbers; refused with UNKNOWN_NODE out of range."""
        if tail >= self.nodes or head >= self.nodes:
            raise Refused(Code.UNKNOWN_NODE)
        return self.find_edge(tail, head)

    def weight(self, edge: int) -> int:
        """The weight of a slot: base cost and heat term, 0 for an absent one (rules, section 1)."""
        cost, heat = int(self.cost[edge]), int(self.heat[edge])
        return (cost + self.traffic.term(heat)) % 2**16 if cost else 0

    def weights(self) -> NDArray[np.uint16]:
        """Weights of all slots, shape (E,); closed edges keep theirs, absent ones have 0."""
        terms = (self.heat >> self.traffic.shift) * self.traffic.cost
        return np.where(self.cost > 0, (self.cost + terms) % 2**16, 0).astype(np.uint16)

    def set_edge(self, edge: int, **parts: int) -> None:
        """Gives a slot another `cost`, `heat`, `closed`; told when weight or closed bit moved."""
        before = self.weight(edge), bool(self.closed[edge])
        for name, part in parts.items():
            getattr(self, name)[edge] = part
        if (self.weight(edge), bool(self.closed[edge])) != before:
            self.tell_edge(edge)

    def tell_edge(self, edge: int) -> None:
        """Records what an edge is now."""
        ends = {"tail": int(self.tail[edge]), "head": int(self.head[edge])}
        now = {"value": self.weight(edge), "flags": int(self.closed[edge])}
        self.note(Event.DELTA, edge=edge, **ends, **now)

    def set_traffic(self, rule: Traffic) -> None:
        """Puts a traffic rule in force: the weights of warm edges follow (rules, section 4)."""
        before, self.traffic = self.weights(), rule
        for edge in (self.weights() != before).nonzero()[0].tolist():
            self.tell_edge(edge)

    def has_room(self, *costs: int) -> bool:
        """Whether edges can have these costs too."""
        before = {0, *self.cost.tolist()}
        after = before | set(costs)
        return self.prices_max is None or after == before or len(after) <= 1 + self.prices_max

    def slots_fit(self, tail: int, head: int) -> bool:
        """Whether there is room for slots both ways."""
        left = self.capacity_added - (len(self.head) - self.world_slots)
        return left >= 2 and all(len(self.row(node)) < DEGREE for node in (tail, head))

    def add_slots(self, tail: int, head: int) -> int:
        """Absent slots both ways, the first leads to `head`; refused with EDGES_FULL."""
        edge = len(self.head)
        if not self.slots_fit(tail, head):
            raise Refused(Code.EDGES_FULL)
        self.tail = np.append(self.tail, np.array([tail, head], np.uint32))
        self.head = np.append(self.head, np.array([head, tail], np.uint32))
        self.cost, self.heat = np.append(self.cost, [0, 0]), np.append(self.heat, [0, 0])
        self.closed = np.append(self.closed, [True, True])
        self.added_of.setdefault(tail, []).append(edge)
        self.added_of.setdefault(head, []).append(edge + 1)
        return edge

    def drop_slots(self) -> None:
        """Takes back the last `add_slots`."""
        for edge in (len(self.head) - 1, len(self.head) - 2):
            self.added_of[int(self.tail[edge])].remove(edge)
        for name in ("tail", "head", "cost", "heat", "closed"):
            setattr(self, name, getattr(self, name)[:-2])
