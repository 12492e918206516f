"""Replaying a fork over all its partitions, with their borders and a policy for claims."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import move
from huntgraph.errors import ReplayError
from huntgraph.schema import ARRIVAL, MOVE, Code, Event, Flag, Kind
from huntgraph.timeline.borders import Originals, Sent, Way
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.kinds import CORRECTION_KINDS, among
from huntgraph.timeline.replica import Replica
from huntgraph.timeline.script import Script, struck
from huntgraph.timeline.seen import seen_of

__all__ = ["CLAIMS", "Claims", "Outcomes", "RefusedGrant", "Replay", "Win", "follow_original"]

Claims = Literal["recompute", "keep", "void"]
"""What becomes of claims: the next rightful one wins, wins are kept, or lost ones stay unwon."""
CLAIMS: Final[tuple[Claims, ...]] = ("recompute", "keep", "void")
PASSED_OVER: Final = (Kind.HASH, *CORRECTION_KINDS)
"""Recorded hashes are those of the original; a commit is made again (`huntgraph.timeline.reach`),
and a correction that was undone changed nothing."""
GIVEN: Final = (Code.OK, Code.ALREADY_WON)
"""Answers to a GRANT behind which the player has the treasure."""
PARCELS: Final = (Kind.ARRIVE, Kind.NOTICE)


@dataclass(frozen=True)
class Win:
    """A treasure won: where, which, by whom, and for which team."""

    partition: int
    position: int
    hunt: int
    stage: int
    player: int
    team: int


@dataclass(frozen=True)
class RefusedGrant:
    """A GRANT that a fork refused: a win that was to be kept, or one that an edit put there."""

    partition: int
    position: int
    hunt: int
    stage: int
    player: int
    code: str
    """Why: the name of a code."""


@dataclass
class Outcomes:
    """Of one partition: what was seen of each record's answer, and the wins of its claims."""

    seen: NDArray[np.uint64]
    """By record; see `huntgraph.timeline.seen`."""
    wins: dict[int, Win] = field(default_factory=dict)
    """By position."""
    refused: list[RefusedGrant] = field(default_factory=list)
    """Of a fork: treasures that it could not give."""

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Give outcomes of scripts that follow one another."""
        if len(parts) == 1:
            return parts[0]
        wins: dict[int, Win] = {}
        for part in parts:
            wins |= part.wins
        refused = [grant for part in parts for grant in part.refused]
        return cls(np.concatenate([part.seen for part in parts]), wins, refused)


def follow_original(
    replicas: Mapping[int, Replica],
    scripts: Mapping[int, Script],
    originals: Originals,
    torn: Collection[int] = (),
) -> dict[int, Outcomes]:
    """Let the bases follow the log as it is.

    Gives what each record came to, and tells `originals` what is under way now. Raises ReplayError
    HG1521 at the first record that does not behave as it did; not for partitions that are `torn`:
    behind lost records it cannot.
    """
    found = {}
    for number, replica in replicas.items():
        script = scripts[number]
        seen, events = replica.follow(script.rows, script.positions, torn=number in torn)
        found[number] = Outcomes(seen, {w.position: w for w in _won(number, events)})
        for other in replicas:
            if other != number:
                originals.set_outbox((number, other), replica.base_parcels(other))
    return found


class Replay:
    """One run of a fork: its scripts on the branches of replicas that stand at its point."""

    def __init__(
        self,
        replicas: Mapping[int, Replica],
        scripts: Mapping[int, Script],
        originals: Originals,
        was: Mapping[int, Outcomes],
        head: Cut,
        claims: Claims,
    ) -> None:
        self._replicas, self._claims = replicas, claims
        self._taken: dict[tuple[Way, int], int] = {}
        ways = [(p, q) for p in replicas for q in replicas if p != q]
        self._sent = {way: Sent(replicas[way[0]].branch_peer(way[1])[1]) for way in ways}
        self._marks: dict[int, int] = {}
        self._collected: dict[Way, int] = {}
        self._begin(scripts, originals, was, head)

    def _begin(
        self,
        scripts: Mapping[int, Script],
        originals: Originals,
        was: Mapping[int, Outcomes],
        head: Cut,
    ) -> None:
        self._scripts, self._originals, self._was = scripts, originals, was
        self._head = head
        self._next = dict.fromkeys(scripts, 0)
        self._stops = {number: _stops(script, self._claims) for number, script in scripts.items()}
        self.outcomes = {
            number: Outcomes(np.zeros(len(script), np.uint64)) for number, script in scripts.items()
        }

    def go_on(
        self,
        scripts: Mapping[int, Script],
        originals: Originals,
        was: Mapping[int, Outcomes],
        head: Cut,
    ) -> None:
        """Take the scripts behind those that were run, up to a later head, to be run next.

        What was delivered at the former head is taken back: it has its place in the log now.
        """
        for number, replica in self._replicas.items():
            replica.back_to(self._marks[number])
        for way, sent in self._sent.items():
            sent.forget(self._collected[way])
        self._begin(scripts, originals, was, head)

    def run(self) -> dict[int, Outcomes]:
        """Replay to the head; gives what each record of the scripts came to."""
        while any(self._next[number] < len(self._scripts[number]) for number in self._scripts):
            went_on = [self._advance(number) for number in self._scripts]
            if not any(went_on):
                what = "the logs wait for one another: they are not of one history"
                raise ReplayError(what, fix="run huntgraph verify", code="HG1522")
        self._marks = {number: replica.mark() for number, replica in self._replicas.items()}
        self._collected = {way: len(sent.rows) for way, sent in self._sent.items()}
        self._finish()
        for number, replica in self._replicas.items():
            won = _won(number, replica.events())
            self.outcomes[number].wins |= {w.position: w for w in won}
        return self.outcomes

    def _advance(self, number: int) -> bool:
        """Replay a partition as far as it goes; tells whether it went on."""
        script, begin = self._scripts[number], self._next[number]
        stops = self._stops[number]
        while self._next[number] < len(script):
            at = self._next[number]
            stop = int(stops[np.searchsorted(stops, at)]) if stops[-1] >= at else len(script)
            self._apply(number, at, stop)
            self._next[number] = stop
            if stop < len(script):
                if not self._ready(number, stop):
                    break
                self._stop(number, stop)
                self._next[number] = stop + 1
        return self._next[number] > begin

    def _done(self, number: int) -> int:
        """The last position that a partition is through with, inserted records and all."""
        script, at = self._scripts[number], self._next[number]
        return int(script.positions[at]) - 1 if at < len(script) else self._head[number]

    def _apply(self, number: int, begin: int, end: int) -> None:
        script, seen = self._scripts[number], self.outcomes[number].seen
        passed_over = begin + np.flatnonzero(among(script.kinds[begin:end], PASSED_OVER))
        for first, last in pairwise([begin - 1, *passed_over.tolist(), end]):
            some = slice(first + 1, last)
            if first + 1 < last:
                rows, positions = script.rows[some], script.positions[some]
                seen[some] = self._replicas[number].see(rows, positions)

    def _ready(self, number: int, at: int) -> bool:
        """Whether what a border's record depends on has been replayed."""
        row = self._scripts[number].rows[at]
        if row[0] in PARCELS:
            parcel = row.view(ARRIVAL)[0]
            return self._done(int(parcel["from"])) >= int(parcel["cause"])
        if row[0] == Kind.HANDED_ON:
            ack = row.view(MOVE)[0]
            peer = int(ack["arg"])
            return self._done(peer) >= self._originals.taken_where((number, peer), int(ack["a"]))
        return True

    def _stop(self, number: int, at: int) -> None:
        script = self._scripts[number]
        row, position = script.rows[at], int(script.positions[at])
        if row[0] in PARCELS:
            self._take(number, row.view(ARRIVAL)[0], position)
        elif row[0] == Kind.HANDED_ON:
            ack = row.view(MOVE)[0]
            way, parcel = (number, int(ack["arg"])), int(ack["a"])
            self._acknowledge(way, self._taken.get((way, parcel), parcel), position)
        elif row[0] == Kind.GRANT:
            self.outcomes[number].seen[at] = self._grant(number, row, position)
        else:
            self._claim(number, at, row, position)

    def _collect(self, way: Way) -> Sent:
        sent = self._sent[way]
        sent.collect(self._replicas[way[0]].branch_parcels(way[1]))
        return sent

    def _take(self, number: int, parcel: np.void, position: int) -> None:
        """Give the fork's own parcels where the original took one."""
        way, cause = (int(parcel["from"]), number), int(parcel["cause"])
        sent = self._collect(way)
        upto = sent.upto(cause) - self._originals.behind(way, int(parcel["number"]), cause)
        self._deliver(way, upto, position)
        if parcel["kind"] == Kind.ARRIVE:
            self._hold_place(number, int(parcel["player"]), position)
        self._taken[way, int(parcel["number"])] = self._replicas[number].branch_peer(way[0])[2]

    def _deliver(self, way: Way, upto: int, position: int) -> int:
        """Give parcels up to a number to their receiver; tells how many there were."""
        replica = self._replicas[way[1]]
        rows = self._sent[way].between(replica.branch_peer(way[0])[2], upto)
        if rows:
            updates = replica.replay(np.stack(rows), np.full(len(rows), position, np.uint64))
            if (updates["code"] != Code.OK).any():
                code = Code(int(updates["code"][updates["code"] != 0][0])).name
                what = f"a player of the fork cannot be taken over at {way[1]}/{position}: {code}"
                raise ReplayError(
                    what, fix="fork with fewer edits, or a later point", code="HG1523"
                )
        return len(rows)

    def _hold_place(self, number: int, player: int, position: int) -> None:
        """Who arrived in the original has a slot in the fork too, so that slots do not shift."""
        if self._replicas[number].branch_player(player) is None:
            place = move(Kind.STRIKE, player=player, seq=1).view(np.uint8).reshape(-1, 64)
            self._replicas[number].replay(place, np.array([position], np.uint64))

    def _acknowledge(self, way: Way, upto: int, position: int) -> None:
        """Let a partition know what another one holds, when that is news."""
        self._collect(way)
        replica = self._replicas[way[0]]
        if upto > replica.branch_peer(way[1])[1]:
            ack = move(Kind.HANDED_ON, arg=way[1], a=upto).view(np.uint8).reshape(-1, 64)
            replica.replay(ack, np.array([position], np.uint64))

    def _claim(self, number: int, at: int, row: NDArray[np.uint8], position: int) -> None:
        """A claim under keep or void: it wins what it won in the original, and nothing else."""
        replica, where = self._replicas[number], np.array([position], np.uint64)
        update = replica.replay(row[None], where, undoable=True)
        was = self._was[number].wins.get(position)
        won = bool(update["flags"][0] & Flag.RECEIPT)
        same = was is not None and won and int(update["found"][0]) == was.stage
        if won and not same:
            replica.undo_last()
            update = replica.replay(struck(row)[None], where)
        self.outcomes[number].seen[at] = seen_of(update)[0]
        if was is not None and not same and self._claims == "keep":
            what = {"player": was.player, "hunt": was.hunt, "arg": was.stage, "from_": was.team}
            self._grant(number, move(Kind.GRANT, **what).view(np.uint8).reshape(-1), position)

    def _grant(self, number: int, row: NDArray[np.uint8], position: int) -> np.uint64:
        """Give a player a treasure, or note that it cannot be; gives what is seen of the answer."""
        update = self._replicas[number].replay(row[None], np.array([position], np.uint64))
        code, grant = Code(int(update["code"][0])), row.view(MOVE)[0]
        if code not in GIVEN:
            hunt, stage, player = (int(grant[name]) for name in ("hunt", "arg", "player"))
            refused = RefusedGrant(number, position, hunt, stage, player, code.name)
            self.outcomes[number].refused.append(refused)
        seen: np.uint64 = seen_of(update)[0]
        return seen

    def _finish(self) -> None:
        """At the head: what the original had delivered by then is delivered, and acknowledged."""
        while sum(self._deliver_last(way) for way in self._sent):
            pass  # whoever arrives may find a clue, which others are told of
        for way, sent in self._sent.items():
            self._collect(way)
            taken = self._replicas[way[1]].branch_peer(way[0])[2]
            cause = self._originals.first_unacknowledged(way)
            upto = taken if cause is None else min(taken, sent.upto(cause - 1))
            self._acknowledge(way, upto, self._head[way[0]])
        for number, replica in self._replicas.items():
            replica.seek(self._head[number])

    def _deliver_last(self, way: Way) -> int:
        sent, head = self._collect(way), self._head[way[1]]
        cause = self._originals.first_under_way(way, head)
        return self._deliver(way, sent.last if cause is None else sent.upto(cause - 1), head)


def _stops(script: Script, claims: Claims) -> NDArray[np.intp]:
    """Where records are not simply applied one after the other; a last one beyond all."""
    stops = among(script.kinds, (*PARCELS, Kind.HANDED_ON))
    stops |= (script.kinds == Kind.GRANT) & script.edited
    if claims != "recompute":
        # A claim that an edit put there is no claim of the original.
        stops |= (script.kinds == Kind.CLAIM) & ~script.edited
    return np.append(np.flatnonzero(stops), -1) if not stops.any() else np.flatnonzero(stops)


def _won(number: int, events: NDArray[np.void]) -> list[Win]:
    """Treasures won, by events of a partition."""
    claimed = events[events["kind"] == Event.CLAIMED]
    names = ("position", "hunt", "value", "player", "flags")
    columns = [claimed[name].tolist() for name in names]
    return [Win(number, *row) for row in zip(*columns, strict=True)]
