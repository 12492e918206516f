"""A world in parts, an engine for each; bearings are carried here, answers judged on the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from huntgraph import _core
from huntgraph.engine import move, ticks
from huntgraph.schema import BEARING, NONE, UNREACHABLE, UPDATE, Code, Flag, Form, Kind, Rule
from tests.partitions import Part, Place, Rows, split
from tests.servers import rule

Records = NDArray[np.void]
Meddler = Callable[[int, int, Records], Records]
"""Sees what goes from one partition to another, and gives what arrives."""
NOW = -1
"""In place of a tick: the weights as they stand."""
CARRIES = 10_000
"""Rounds of carrying after which bearings should have come to rest."""


class WrongWayError(AssertionError):
    """An answer that the weights of the epoch it names do not bear out."""


def publish(number: int, targets: Iterable[Place], parts: int) -> Records:
    """Rows of one hunt a target for one partition: a treasure that every player can win."""
    rows = []
    for hunt, (owner, node) in enumerate(targets):
        place = {"from_": node, "owner": 0 if owner == number else 1 + owner}
        treasure = {"hunt": hunt, "form": Form.TREASURE, "rule": Rule.PLAYER, **place}
        rows.append(rule(Kind.HUNT_BEGIN, hunt=hunt, hunt_id=7 + hunt, mask=(1 << parts) - 1))
        rows.append(rule(Kind.HUNT_STAGE, **treasure))
        rows.append(rule(Kind.HUNT_PUBLISH, hunt=hunt, count=1))
    return np.concatenate(rows)


def solve(
    tail: ArrayLike, head: ArrayLike, weights: ArrayLike, nodes: int, target: int
) -> NDArray[np.int64]:
    """Distance of every node to the target over edges of weight > 0. Shape (nodes,)."""
    tail, head, weights = np.asarray(tail), np.asarray(head), np.asarray(weights)
    open_ = weights > 0
    backward = csr_array((weights[open_], (head[open_], tail[open_])), shape=(nodes, nodes))
    away = dijkstra(backward, indices=target)
    return np.where(np.isinf(away), UNREACHABLE, away).astype(np.int64)


class Chart:
    """Engines of all parts, in step: each tick is passed in all of them before bearings go on.

    `meddler` plants a fault on the way between them.
    """

    def __init__(
        self,
        rows: Rows,
        owner: NDArray[np.integer],
        meddler: Meddler = lambda _from, _to, records: records,
    ) -> None:
        self.rows, self.parts, self.meddler = rows, split(rows, owner), meddler
        self.engines = [self._engine(part) for part in self.parts]
        self.nodes = len(rows.first) - 1
        self.tail = np.repeat(np.arange(self.nodes), rows.first[1:] - rows.first[:-1])
        self.own = [np.flatnonzero(owner[self.tail] == part.partition) for part in self.parts]
        """Edges of the whole that are each part's: its own tails keep their order in it."""
        self.seen: Counter[str] = Counter()
        self.tick = 0
        self.epochs: dict[int, NDArray[np.int64]] = {0: self.weights()}
        self.targets: list[Place] = []
        self._seq: Counter[tuple[int, int]] = Counter()
        for one in self.parts:
            for other in self.parts:
                self.engines[one.partition].link(other.partition, True)

    def _engine(self, part: Part) -> Any:
        halo = slice(part.own_nodes, None)
        return _core.Engine(
            *part.rows,
            partition=part.partition,
            fields=32,
            halo_owner=part.owner[halo],
            halo_twin=part.twin[halo],
        )

    def weights(self) -> NDArray[np.int64]:
        """Routing weight now of every edge of the whole, 0 where closed or absent."""
        found = np.zeros(len(self.rows.head), np.int64)
        keys = self.tail.astype(np.int64) * self.nodes + self.rows.head
        for part, engine in zip(self.parts, self.engines, strict=True):
            tails, heads = engine.edges()
            mine = tails < part.own_nodes
            whole = part.whole.astype(np.int64)
            key = whole[tails[mine]] * self.nodes + whole[heads[mine]]
            found[np.searchsorted(keys, key)] = np.where(engine.closed(), 0, engine.weights())[mine]
        return found

    def apply(self, number: int, records: Records) -> Records:
        """Apply records in one part; shape (n,), dtype UPDATE."""
        return np.ascontiguousarray(self.engines[number].apply(records)).reshape(-1).view(UPDATE)

    def change(self, edge: int, kind: Kind, cost: int = 0) -> None:
        """Change an edge of the whole in the part that it belongs to."""
        part = next(part for part in self.parts if edge in self.own[part.partition])
        local = {int(whole): node for node, whole in enumerate(part.whole)}
        ends = {"from": local[int(self.tail[edge])], "to": local[int(self.rows.head[edge])]}
        assert (self.apply(part.partition, move(kind, arg=cost, **ends))["code"] == Code.OK).all()

    def pass_tick(self, carries: int = CARRIES) -> None:
        """Pass a tick everywhere, then carry bearings and let all work until all rest.

        With few carries rounds last over several ticks.
        """
        self.tick += 1
        for part in self.parts:
            self.apply(part.partition, ticks(self.tick))
        self.epochs[self.tick] = self.weights()
        for _ in range(carries):
            used = sum(engine.work(1 << 31) for engine in self.engines)
            if not self._carry() and not used:
                return
        assert carries < CARRIES, "bearings never come to rest"

    def _carry(self) -> int:
        carried = 0
        for one in self.parts:
            for other in self.parts:
                if one is not other:
                    records = self.engines[one.partition].bearings(other.partition)
                    carried += len(records)
                    told = np.ascontiguousarray(records).reshape(-1).view(BEARING)
                    told = self.meddler(one.partition, other.partition, told)
                    self.engines[other.partition].take_bearings(told)
        return carried

    def hunt(self, targets: list[Place]) -> None:
        """Publish one hunt a target, and let a player of each part hunt each of them."""
        self.targets = targets
        for part in self.parts:
            self.apply(part.partition, publish(part.partition, targets, len(self.parts)))
        self.pass_tick()
        for part in self.parts:
            for hunt in range(len(targets)):
                self.ask(part.partition, hunt, [0])

    def ask(self, partition: int, hunt: int, nodes: ArrayLike) -> Records:
        """What a player of a part who hunts a target is told at nodes. Shape (n,), dtype UPDATE."""
        who, places = 1 + partition * 16 + hunt, np.asarray(nodes)
        seq = self._seq[(partition, hunt)] + 1 + np.arange(len(places))
        self._seq[(partition, hunt)] += len(places)
        moves = move(Kind.ENTER, player=who, seq=seq, hunt=hunt, to=places)
        return self.apply(partition, moves)

    def settle(self, ticks: int = 12, carries: int = CARRIES) -> None:
        """Pass ticks enough for rounds of the weights as they are now, as far as anybody is.

        Somebody asks from everywhere at each tick.
        """
        for _ in range(ticks):
            for part in self.parts:
                for hunt in range(len(self.targets)):
                    self.ask(part.partition, hunt, np.arange(part.own_nodes))
            self.pass_tick(carries)

    def judge(self, *, at_home: bool = False) -> None:
        """Ask everywhere for every target, and judge each answer that claims to be exact.

        Those of the target's own part are asked for `at_home` alone, as it has another way to them.
        Raises WrongWayError for the first wrong one.
        """
        solved: dict[tuple[int, int], NDArray[np.int64]] = {}
        self.epochs.pop(NOW, None)
        for part in self.parts:
            for hunt, (owner, node) in enumerate(self.targets):
                if (owner == part.partition) != at_home:
                    continue
                goal = int(self.parts[owner].whole[node])
                answers = self.ask(part.partition, hunt, np.arange(part.own_nodes))
                for answer in answers:
                    epoch = self._claimed(answer)
                    if epoch is None:
                        continue
                    if (epoch, goal) not in solved:
                        weights = self.epochs[epoch]
                        ends = self.tail, self.rows.head
                        solved[(epoch, goal)] = solve(*ends, weights, self.nodes, goal)
                    self._judge(part, answer, self.epochs[epoch], solved[(epoch, goal)])

    def _claimed(self, answer: np.void) -> int | None:
        """The tick whose weights an answer claims to be exact for, if any.

        Nothing changes while all are asked: what is exact now is so for this tick, as it stands.
        """
        if answer["flags"] & Flag.EXACT_NOW:
            self.seen["exact now"] += 1
            self.epochs[NOW] = self.weights() if NOW not in self.epochs else self.epochs[NOW]
            return NOW
        if answer["flags"] & Flag.CERTIFIED:
            return int(answer["epoch"])
        self.seen["uncertified"] += 1
        return None

    def _judge(
        self, part: Part, answer: np.void, weights: NDArray[np.int64], away: NDArray[np.int64]
    ) -> None:
        """One answer against the distances on the weights of its epoch."""
        node = int(part.whole[answer["node"]])
        self.seen["judged"] += 1
        if answer["flags"] & Flag.ARRIVED:
            self.seen["arrived"] += 1
            if away[node] != 0 or answer["distance"] != 0:
                raise WrongWayError(f"the target is {away[node]} away: {answer}")
            return
        self.seen["current"] += int(answer["epoch"]) == self.tick
        if int(answer["distance"]) != away[node]:
            raise WrongWayError(f"{away[node]} from node {node}, not as {answer} says")
        if away[node] == UNREACHABLE:
            self.seen["no path"] += 1
            if int(answer["next"]) != NONE or not answer["flags"] & Flag.NO_PATH:
                raise WrongWayError(f"there is no way from node {node}: {answer}")
            return
        row = np.arange(self.rows.first[node], self.rows.first[node + 1])
        on_way = row[(weights[row] > 0) & (away[self.rows.head[row]] + weights[row] == away[node])]
        # Of several, the lowest slot of the part's row, where own nodes stand before the halo.
        local = {int(whole): number for number, whole in enumerate(part.whole)}
        first = min(local[int(head)] for head in self.rows.head[on_way])
        self.seen["over the border"] += first >= part.own_nodes
        if int(answer["next"]) != first:
            raise WrongWayError(f"next is {first} from node {node}: {answer}")
