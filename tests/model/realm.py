"""A world in parts, each an engine and a model, and a carrier that delays, repeats and crashes."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import numpy as np

from huntgraph.model import Border, Model
from huntgraph.schema import ARRIVAL, RULE, Kind
from tests.handover import Records, log_of
from tests.model import strategies
from tests.model.checker import Pair
from tests.model.worlds import World, grid_world, record_of
from tests.partitions import Part, Rows, split


class Shore:
    """One partition with its log; what lies behind `durable` is lost in a crash."""

    def __init__(self, part: Part, players: int, capacity: int) -> None:
        self.part, self.players, self.capacity = part, players, capacity
        self.log: list[bytes] = []
        self.durable = 0
        self.arrivals: list[tuple[int, int, int]] = []
        """Position, origin and number of each parcel taken."""
        self.pair = self._pair()

    def _pair(self) -> Pair:
        part, halo = self.part, slice(self.part.own_nodes, None)
        border = Border(part.partition, part.owner[halo], part.twin[halo], self.capacity)
        return Pair(World(*part.rows), players=self.players, border=border)

    def blank(self) -> bytes:
        """The partition's state before its first record, as the engine saves it."""
        return bytes(self._pair().engine.save())

    @property
    def model(self) -> Model:
        return self.pair.model

    def apply(self, records: list[bytes]) -> list[int]:
        """Applies and logs records; gives their codes."""
        answers = self.pair.apply(records)
        for record, answer in zip(records, answers, strict=True):
            if answer.position and not answer.flags & 32:
                self.log.append(record)
                if answer.kind in (Kind.ARRIVE, Kind.NOTICE):
                    row = np.frombuffer(record, ARRIVAL)[0]
                    self.arrivals.append((answer.position, int(row["from"]), int(row["number"])))
        assert len(self.log) == self.model.position
        return [answer.code for answer in answers]

    def held_from(self, origin: int, hasty: bool) -> int:
        """Number of the last parcel from a partition that no crash can take away."""
        last = len(self.log) if hasty else self.durable
        return max([n for at, p, n in self.arrivals if p == origin and at <= last], default=0)

    def crash(self) -> None:
        """Starts anew with what was durable."""
        seen = self.pair.seen
        self.log = self.log[: self.durable]
        self.arrivals = [taken for taken in self.arrivals if taken[0] <= self.durable]
        replayed, self.log = self.log, []
        self.pair = self._pair()
        arrivals, self.arrivals = self.arrivals, []
        if replayed:
            self.apply(replayed)
        assert self.arrivals == arrivals
        self.pair.seen = seen + self.pair.seen
        self.pair.compare_state()


class Realm:
    """Two or three shores. `hasty` plants a fault: acknowledgements do not wait for durability."""

    def __init__(self, rng: Random, parts: int, capacity: int, *, hasty: bool = False) -> None:
        whole = grid_world(rng, 3 * parts, 4)
        column = np.arange(len(whole.first) - 1) % (3 * parts)
        cut = split(Rows(*whole), column // 3)
        self.rng, self.hasty = rng, hasty
        self.shores = [Shore(part, rng.choice([4, 32]), capacity) for part in cut]

    def step(self) -> None:
        """Something happens somewhere."""
        deeds = [self.play, self.carry, self.sync, self.acknowledge, self.crash, self.publish]
        self.rng.choices(deeds, [60, 14, 8, 8, 1, 1])[0](self.rng.choice(self.shores))

    def play(self, shore: Shore) -> None:
        """Moves of a partition's players, and all else that may come to it; nobody enters twice."""
        records = strategies.next_records(self.rng, shore.model)
        fit = [record for record in records if self._at_home(shore, record)]
        if len(fit) == len(records) > 0:
            shore.apply(records)

    def _at_home(self, shore: Shore, record: bytes) -> bool:
        if record[0] in (Kind.STRIKE, Kind.FENCE, Kind.CORRECT, Kind.SETTLE):
            # Done to one partition alone, these would make players of nothing, or lose them.
            return False
        player = int.from_bytes(record[8:16], "little")
        home = player % len(self.shores) == shore.part.partition
        return record[0] != Kind.ENTER or home or shore.model.player(player) is not None

    def publish(self, shore: Shore) -> None:
        """The same hunt everywhere, open at once, where its rows fit."""
        gates = (Kind.HUNT_GATE, Kind.HUNT_GATE_EDGE)
        records = strategies.load_hunt(self.rng, shore.model)
        records = [record for record in records if record[0] not in gates]
        slot = int.from_bytes(records[0][2:4], "little") if records else 0
        rows = [record_of(Kind.HUNT_PUBLISH, hunt=slot, count=len(records) - 1)]
        owners = [self.rng.choice(self.shores) for _ in records]
        for each in self.shores:
            shared = zip(records, owners, strict=True)
            each.apply([*(self._row(raw, owner, each) for raw, owner in shared), *rows])
            each.apply([record_of(Kind.TICK, arg=each.model.tick + 1 + n) for n in range(4)])

    def _row(self, raw: bytes, owner: Shore, shore: Shore) -> bytes:
        """A hunt's row as one partition gets it: each stage is in one of them."""
        row = np.frombuffer(raw, RULE).copy()
        if row["kind"] == Kind.HUNT_BEGIN:
            row["mask"] = (1 << len(self.shores)) - 1
        elif row["kind"] == Kind.HUNT_STAGE:
            row["from"] %= owner.part.own_nodes
            row["owner"] = 0 if owner is shore else 1 + owner.part.partition
        return row.tobytes()

    def carry(self, shore: Shore) -> None:
        """Some durable parcels reach one neighbour: from the oldest on, repeated or with a gap."""
        for other in self.shores:
            parcels = shore.model.border.parcels(other.part.partition)
            ripe = [raw for raw in parcels if self._cause(raw) <= shore.durable]
            skipped = self.rng.choice([0, 0, 0, 0, 1])
            some = ripe[skipped : skipped + self.rng.randint(1, 6)]
            if some:
                other.apply(some)
                if self.rng.random() < 0.2:
                    other.apply(some[:2])

    def _cause(self, raw: bytes) -> int:
        return int(np.frombuffer(raw, ARRIVAL)["cause"][0])

    def sync(self, shore: Shore) -> None:
        """More of the log is on disk."""
        shore.durable = self.rng.randint(shore.durable, len(shore.log))

    def acknowledge(self, shore: Shore) -> None:
        """The partition tells the others what it holds; now and then with numbers out of order."""
        for other in self.shores:
            held = shore.held_from(other.part.partition, self.hasty)
            peer = other.model.border.peers[shore.part.partition]
            early, late = self.rng.randint(0, held), peer.sent + 1
            number = self.rng.choice([held, held, held, early, late])
            if number <= peer.acked and self.rng.random() < 0.7:
                continue
            record = record_of(Kind.HANDED_ON, arg=shore.part.partition, a=number)
            other.apply([record])

    def crash(self, shore: Shore) -> None:
        """One partition dies and comes back."""
        shore.crash()

    def settle(self) -> None:
        """All is carried, durable and acknowledged."""
        for _ in range(3):
            for shore in self.shores:
                shore.durable = len(shore.log)
            for shore, other in ((a, b) for a in self.shores for b in self.shores if a is not b):
                parcels = shore.model.border.parcels(other.part.partition)
                if parcels:
                    other.apply(parcels)

    def logs(self) -> list[Records]:
        """The log of each partition."""
        return [log_of(shore.log) for shore in self.shores]

    def places(self) -> Counter[int]:
        """In how many places each player is that any partition knows: there, or under way."""
        found: Counter[int] = Counter()
        for shore in self.shores:
            found.update({player.id: player.away == 0 for player in shore.model.players})
            for other in self.shores:
                taken = other.model.border.peers[shore.part.partition].taken
                parcels = shore.model.border.parcels(other.part.partition)
                for raw in parcels:
                    row = np.frombuffer(raw, ARRIVAL)[0]
                    under_way = row["kind"] == Kind.ARRIVE and int(row["number"]) > taken
                    found[int(row["player"])] += under_way
        return found

    def seen(self) -> Counter[str]:
        """What all pairs met."""
        return sum((shore.pair.seen for shore in self.shores), Counter[Any]())
