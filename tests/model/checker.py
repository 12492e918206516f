"""Drives the engine and the model with the same records and compares all they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from huntgraph.model import Answer, Border, Happening, Model
from huntgraph.model.routes import next_node
from huntgraph.schema import EVENT, NONE, PRICES, UNREACHABLE, UPDATE, Event, Flag, Kind
from tests.model.worlds import Record, World

COMPARED: Final = ("kind", "code", "seq", "player", "position", "node", "target", "tick", "echo")
COMPARED_HUNT: Final = ("score", "stage", "found", "hint", "moved_to")
SAID: Final[dict[int, str]] = {
    Event.ENTERED: "head value flags",
    Event.WENT: "tail head edge",
    Event.LEFT: "tail",
    Event.FOUND: "hunt head value",
    Event.CLAIMED: "hunt head value flags a",
    Event.HINTED: "hunt value",
    Event.HANDED: "head value a",
    Event.NOTED: "hunt value a",
    Event.DELTA: "tail head edge value flags",
    Event.GATE: "hunt edge value",
    Event.HUNT: "hunt value",
    Event.TICKED: "value a",
    Event.CORRECTED: "a",
    Event.REFUSED: "value",
}
"""The fields of an event that its kind gives a meaning, besides position, tick and player."""
OURS: Final = Flag.DUPLICATE | Flag.RECEIPT
TOLD: Final = Flag.GUIDED | Flag.NO_PATH | Flag.ARRIVED | Flag.PENDING
EXACT: Final = Flag.EXACT_NOW | Flag.CERTIFIED
ALL_WORK: Final = 10**9


class MismatchError(AssertionError):
    """Engine and model disagree."""


def engine_class() -> Any:
    """`huntgraph._core.Engine`, or None where it is not built."""
    try:
        return getattr(import_module("huntgraph._core"), "Engine", None)
    except ImportError:
        return None


def same(what: str, engine: object, model: object) -> None:
    """Raises MismatchError when the two differ."""
    if engine != model:
        raise MismatchError(f"{what}: the engine says {engine}, the model {model}")


def happening(row: np.void) -> Happening:
    """An EVENT record as the model's event."""
    names = ("kind", "position", "tick", "player", "hunt", "from", "to", "edge", "value", "flags")
    return Happening(*(int(row[name]) for name in (*names, "a")))


class Pair:
    """An engine and a model over the same world; `model_cost` plants a fault in the model.

    ``any_prices``: whether edges may have any cost at any time, where a world has few.
    """

    def __init__(
        self,
        world: World,
        *,
        players: int = 32,
        fields: int = 8,
        added_edges: int = 1024,
        model_cost: NDArray[np.uint16] | None = None,
        border: Border | None = None,
        any_prices: bool | None = None,
    ) -> None:
        given = border or Border()
        if any_prices is None:
            # Half of all worlds are told in the compact form, if they can be.
            any_prices = bool(crc32(world.head.tobytes() + world.cost.tobytes()) % 2)
        self.engine = engine_class()(
            *world,
            players=players,
            fields=fields,
            partition=given.partition,
            halo_owner=np.array(given.owner, np.uint16),
            halo_twin=np.array(given.twin, np.uint32),
            parcels=given.capacity,
            added_edges=added_edges,
            any_prices=any_prices,
        )
        cost = world.cost if model_cost is None else model_cost
        self.model = Model(world.first, world.head, cost, players, 2 * added_edges, border)
        self.model.prices_max = PRICES if self.engine.compact else None
        self.epochs = {0: self.model.routing()}
        self.away: dict[tuple[bytes, int], NDArray[np.int64]] = {}
        self.seen: Counter[str] = Counter()
        self.updates: list[np.void] = []
        self.compare_answers = self.compare_events = True

    def apply(
        self, records: Sequence[Record], engine_records: Sequence[Record] | None = None
    ) -> list[Answer]:
        """Applies records as one batch and one by one, and compares answers and events.

        `engine_records`, if given, is what the engine gets instead: a planted fault.
        """
        sent = b"".join(records if engine_records is None else engine_records)
        batch = np.frombuffer(sent, np.uint8).reshape(-1, 64)
        rows = iter(np.ascontiguousarray(self.engine.apply(batch)))
        self.updates.clear()
        answers, events = [], []
        for record in records:
            answer = self.model.apply(record)
            if answer.kind == Kind.TICK and answer.code == 0:
                self.epochs[self.model.tick] = self.model.routing()
            self._compare_answer(next(rows, None), answer, rows)
            answers.append(answer)
            events += answer.events
        same("rows left over", next(rows, None), None)
        self._compare_events(events)
        return answers

    def _compare_answer(self, raw: Any, answer: Answer, rows: Any) -> None:
        """One update, its receipt and its guidance."""
        if raw is None:
            raise MismatchError(f"the engine has no row for {answer}")
        row = raw.view(UPDATE)[0]
        self.updates.append(row)
        for name in COMPARED + COMPARED_HUNT if self.compare_answers else ():
            same(f"update.{name} of {answer}", int(row[name]), int(getattr(answer, name)))
        same(f"update.flags of {answer}", int(row["flags"]) & OURS, int(answer.flags))
        if answer.moved_to:
            same("update.next", int(row["next"]), answer.next)
        if answer.receipt is not None:
            proof = next(rows, None)
            same("receipt", None if proof is None else proof.tobytes(), answer.receipt)
        self.seen[f"kind {answer.kind}, code {answer.code}"] += 1
        if self.compare_answers:
            self._check_guidance(row, answer)

    def _compare_events(self, expected: list[Happening]) -> None:
        """All events since the last call, in order."""
        raw = np.ascontiguousarray(self.engine.events())
        got = [happening(row) for row in raw.reshape(-1).view(EVENT)]
        if not self.compare_events:
            return
        for number, (one, other) in enumerate(zip(got, expected, strict=False)):
            for name in ("kind", "position", "tick", "player", *SAID[other.kind].split()):
                what = f"event {number} {name}, {one} for {other}"
                same(what, int(getattr(one, name)), int(getattr(other, name)))
            self.seen[Event(other.kind).name] += 1
        extra = got[len(expected) :] or expected[len(got) :]
        same(f"count of events ({extra[:1]})", len(got), len(expected))

    def distances(self, weights: NDArray[np.uint16], target: int) -> NDArray[np.int64]:
        """The model's distances, remembered."""
        key = weights.tobytes(), target
        if key not in self.away:
            if len(self.away) > 4096:
                self.away.clear()
            self.away[key] = self.model.distances(target, weights)
        return self.away[key]

    def _check_guidance(self, row: np.void, answer: Answer) -> None:
        """Distance and next against Dijkstra on the weights the update names."""
        flags, target = Flag(int(row["flags"])), answer.target
        if target == NONE:
            same("guidance without a target", flags & ~OURS, Flag(0))
            return
        self.seen["targets"] += 1
        self.seen["pending"] += Flag.PENDING in flags
        self._check_flags(row, flags, answer)
        if not flags & EXACT:
            return
        self.seen["both"] += Flag.EXACT_NOW in flags and Flag.CERTIFIED in flags
        self.seen["no path"] += Flag.NO_PATH in flags
        if Flag.EXACT_NOW in flags:
            self.seen["exact now"] += 1
            weights = self.model.routing()
        else:
            self.seen["certified"] += 1
            if int(row["epoch"]) not in self.epochs:
                raise MismatchError(f"epoch {row['epoch']} at tick {self.model.tick}: {row}")
            weights = self.epochs[int(row["epoch"])]
            self.seen["late"] += int(row["epoch"]) < self.model.tick
        away = self.distances(weights, target)
        same(f"distance of {row}", int(row["distance"]), int(away[answer.node]))
        lost = away[answer.node] == UNREACHABLE
        same(f"no path in {row}", Flag.NO_PATH in flags, bool(lost))
        if answer.node != target and not lost:
            step = next_node(self.model, answer.node, away, weights)
            same(f"next of {row}", int(row["next"]), step)

    def _check_flags(self, row: np.void, flags: Flag, answer: Answer) -> None:
        """A target's answer is one of four things, and in a whole world exact unless pending."""
        told = flags & TOLD
        same(f"kinds of answer in {row}", int(told).bit_count(), 1)
        same(f"arrived in {row}", told == Flag.ARRIVED, answer.node == answer.target)
        if told == Flag.PENDING or self.model.own_nodes == self.model.nodes:
            same(f"exactness of {row}", bool(flags & EXACT), told != Flag.PENDING)

    def compare_state(self) -> None:
        """State hashes, kept and from scratch, and all edges."""
        expected = self.model.state_hash()
        same("state hash from scratch", int(self.engine.rehash()), expected)
        same("state hash kept", int(self.engine.state_hash()), expected)
        tails, heads = self.engine.edges()
        same("tails", tails.tolist(), self.model.tail.tolist())
        same("heads", heads.tolist(), self.model.head.tolist())
        differ = np.flatnonzero(np.asarray(self.engine.weights()) != self.model.weights())
        same("edges whose weights differ", differ.tolist(), [])
        differ = np.flatnonzero(np.asarray(self.engine.closed()) != self.model.closed)
        same("edges that are closed in one only", differ.tolist(), [])
        same("position", int(self.engine.position), self.model.position)
        same("tick", int(self.engine.tick), self.model.tick)
        for number, peer in enumerate(self.model.border.peers):
            counts = peer.sent, peer.acked, peer.taken
            same(f"parcels of partition {number}", self.engine.peer(number), counts)
            if peer.sent > peer.acked:
                waiting = [row.tobytes() for row in self.engine.parcels(number)]
                same(f"outbox for {number}", waiting, self.model.border.parcels(number))

    def work(self, operations: int = ALL_WORK) -> None:
        """Lets the engine repair its fields."""
        left = self.engine.work(operations)
        if operations == ALL_WORK:
            self.seen["idle"] += left == 0

    def resize(self, players: int, added_edges: int) -> bool:
        """Goes on with an engine that has other room; tells whether all that is in use fits.

        The model's own tables just get another limit.
        """
        model = self.model
        added = len(model.head) - model.world_slots
        fits = len(model.players) <= players and added <= 2 * added_edges
        restore, saved = type(self.engine).restore, self.engine.save()
        try:
            engine = restore(saved, players=players, added_edges=added_edges)
        except ValueError:
            same("carried over", False, fits)
            return False
        same("carried over", True, fits)
        self.engine = engine
        model.players_max, model.capacity_added = players, 2 * added_edges
        self.compare_state()
        return True

    def restart(self) -> None:
        """Saves the engine and goes on with one restored from that."""
        saved = self.engine.save()
        self.engine = type(self.engine).restore(saved)
        self.compare_state()
        same("saved again", self.engine.save() == saved, True)
