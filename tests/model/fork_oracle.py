"""What a fork must come to, by the plain model: edited inputs in, state hashes out.

Written from the rules of forks (docs/reference/timeline.md) alone. It works on single records and
whole copies of models, and shares no code with the replay that it judges.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from huntgraph.model import Answer, Model
from huntgraph.schema import ARRIVAL, MOVE, Code, Flag, Kind
from tests.model.worlds import record_of

Item = tuple[int, bytes, bool]
"""Position, record, whether an edit put it there or changed it."""


@dataclass
class Side:
    """One partition: its model at the fork's point, and what is to be applied."""

    model: Model
    items: list[Item]
    log: list[bytes]
    """The whole log, position 1 first."""
    head: int
    point: int
    done: int = 0
    sent: dict[tuple[int, int], bytes] = field(default_factory=dict)
    """Every parcel ever seen in the outbox, by receiver and number."""
    held: dict[tuple[int, int], int] = field(default_factory=dict)
    """By origin and number of a parcel of the original: how many of the fork's were taken then."""
    wins: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    """Original wins by position: hunt, stage, player, and the team it was in."""
    refused: list[tuple[int, int, int, int, str]] = field(default_factory=list)
    """Treasures that could not be given: position, hunt, stage, player, and why."""


class Oracle:
    """Replays a fork record by record; `run` gives the models at the head."""

    def __init__(self, sides: dict[int, Side], claims: str) -> None:
        self.sides, self.claims = sides, claims
        for side in sides.values():
            self._note_parcels(side)

    def run(self) -> dict[int, Model]:
        while any(side.items for side in self.sides.values()):
            for number in self.sides:
                while self._step(number):
                    pass
        self._finish()
        return {number: side.model for number, side in self.sides.items()}

    def _reached(self, number: int) -> int:
        side = self.sides[number]
        return side.items[0][0] - 1 if side.items else side.head

    def _step(self, number: int) -> bool:
        side = self.sides[number]
        if not side.items:
            return False
        position, record, edited = side.items[0]
        kind = record[0]
        if kind in (Kind.ARRIVE, Kind.NOTICE):
            parcel = np.frombuffer(record, ARRIVAL)[0]
            if self._reached(int(parcel["from"])) < int(parcel["cause"]):
                return False
            side.items.pop(0)
            self._arrival(number, parcel, position)
        elif kind == Kind.HANDED_ON:
            move = np.frombuffer(record, MOVE)[0]
            peer, held = int(move["arg"]), int(move["a"])
            where = self._taken_where(peer, number, held)
            if self._reached(peer) < where:
                return False
            side.items.pop(0)
            if where > self.sides[peer].point:
                held = self.sides[peer].held[number, held]
            self._acknowledge(number, peer, held, position)
        else:
            side.items.pop(0)
            self._input(side, position, record, edited)
        self._note_parcels(side)
        return True

    def _apply(self, side: Side, position: int, record: bytes) -> Answer:
        side.model.position = position - 1
        return side.model.apply(record)

    def _input(self, side: Side, position: int, record: bytes, edited: bool) -> None:
        if record[0] == Kind.HASH:
            return
        if record[0] != Kind.CLAIM or self.claims == "recompute" or edited:
            answer = self._apply(side, position, record)
            if record[0] == Kind.GRANT and edited:
                self._note_refused(side, position, record, answer)
            return
        before = deepcopy(side.model)
        answer = self._apply(side, position, record)
        was = side.wins.get(position)
        won = bool(answer.flags & Flag.RECEIPT) and not answer.flags & Flag.DUPLICATE
        if won and (was is None or was[1] != answer.found):
            side.model = before
            self._apply(side, position, bytes([Kind.STRIKE]) + record[1:])
            won = False
        if was is not None and not won and self.claims == "keep":
            hunt, stage, player, team = was
            grant = record_of(Kind.GRANT, hunt=hunt, arg=stage, player=player, tail=team)
            self._note_refused(side, position, grant, self._apply(side, position, grant))

    def _note_refused(self, side: Side, position: int, grant: bytes, answer: Answer) -> None:
        """Who has won the treasure already misses nothing."""
        if answer.code not in (Code.OK, Code.ALREADY_WON):
            move = np.frombuffer(grant, MOVE)[0]
            hunt, stage, player = (int(move[name]) for name in ("hunt", "arg", "player"))
            side.refused.append((position, hunt, stage, player, Code(answer.code).name))

    def _arrival(self, number: int, parcel: Any, position: int) -> None:
        side, origin = self.sides[number], int(parcel["from"])
        theirs = self.sides[origin].sent
        upto = self._sent_by(origin, number, int(parcel["cause"]))
        upto -= self._siblings_behind(origin, number, parcel)
        taken = side.model.border.peers[origin].taken
        for each in range(taken + 1, upto + 1):
            answer = self._apply(side, position, theirs[number, each])
            assert answer.code == Code.OK
        player = int(parcel["player"])
        if parcel["kind"] == Kind.ARRIVE and side.model.player(player) is None:
            self._apply(side, position, record_of(Kind.STRIKE, player=player, seq=1))
        side.held[origin, int(parcel["number"])] = side.model.border.peers[origin].taken

    def _acknowledge(self, number: int, peer: int, held: int, position: int) -> None:
        side = self.sides[number]
        if held > side.model.border.peers[peer].acked:
            answer = self._apply(side, position, record_of(Kind.HANDED_ON, arg=peer, a=held))
            assert answer.code == Code.OK

    def _note_parcels(self, side: Side) -> None:
        for (partition, number), raw in side.model.border.outbox.items():
            side.sent[partition, number] = raw

    def _sent_by(self, origin: int, to: int, cause: int) -> int:
        """Number of the fork's last parcel sent at or before a position."""
        side = self.sides[origin]
        self._note_parcels(side)
        late = [
            number
            for (partition, number), raw in side.sent.items()
            if partition == to and int(np.frombuffer(raw, ARRIVAL)[0]["cause"]) > cause
        ]
        return min(late, default=side.model.border.peers[to].sent + 1) - 1

    def _parcels_taken(self, number: int, origin: int, upto: int) -> list[tuple[int, Any]]:
        """Position and record of what was taken from a partition, in the original."""
        found = []
        for at, raw in enumerate(self.sides[number].log[:upto], 1):
            if raw[0] in (Kind.ARRIVE, Kind.NOTICE):
                row = np.frombuffer(raw, ARRIVAL)[0]
                if int(row["from"]) == origin:
                    found.append((at, row))
        return found

    def _siblings_behind(self, origin: int, number: int, parcel: Any) -> int:
        """Parcels of the original with the same cause and a greater number."""
        everything = self._parcels_taken(number, origin, len(self.sides[number].log))
        return sum(
            row["cause"] == parcel["cause"] and row["number"] > parcel["number"]
            for _, row in everything
        )

    def _taken_where(self, peer: int, origin: int, parcel: int) -> int:
        everything = self._parcels_taken(peer, origin, len(self.sides[peer].log))
        return next(at for at, row in everything if int(row["number"]) == parcel)

    def _finish(self) -> None:
        """The original's borders are quiet at the head: so are the fork's."""
        moved = True
        while moved:
            moved = False
            for number, side in self.sides.items():
                for origin in self.sides:
                    theirs, taken = self.sides[origin], side.model.border.peers[origin].taken
                    self._note_parcels(theirs)
                    raw = theirs.sent.get((number, taken + 1))
                    if raw is not None:
                        assert self._apply(side, side.head, raw).code == Code.OK
                        moved = True
        for number, side in self.sides.items():
            for peer, other in self.sides.items():
                held = other.model.border.peers[number].taken
                self._acknowledge(number, peer, held, side.head)
        for side in self.sides.values():
            side.model.position = side.head
