"""What game servers sent and were promised, and whether a log keeps it.

Written down while an actor is under load; judged when the actor is dead, against the log alone.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import MOVE, Kind

Records = NDArray[np.void]
PLAYER_KINDS: Final = (Kind.ENTER, Kind.GO, Kind.LEAVE, Kind.CLAIM, Kind.HINT, Kind.STRIKE)
LOST: Final = "lost"
DOUBLED: Final = "doubled"
EXCHANGED: Final = "exchanged"
ALTERED: Final = "altered"
MISPLACED: Final = "misplaced"
GAP: Final = "gap"
UNSENT: Final = "unsent"


@dataclass(frozen=True, order=True)
class Finding:
    """One broken promise; ``position`` is 0 where the log has none to name."""

    kind: str
    player: int
    seq: int
    position: int

    def __str__(self) -> str:
        where = f"player {self.player}, move {self.seq}, position {self.position}"
        return f"{self.kind}: {where}"


@dataclass
class Ledger:
    """Moves by player in order of ``seq`` (from 1), and what was promised of them."""

    sent: dict[int, list[bytes]] = field(default_factory=dict)
    """Records as they stand in the log: the field ``server`` is 0 here and not compared."""
    promised: dict[int, int] = field(default_factory=dict)
    """Last durable-acknowledged ``seq`` of a player."""
    places: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Durable-acknowledged positions and the (player, seq) that stands there."""
    applied: deque[tuple[int, int, int, int]] = field(default_factory=deque)
    """Not yet durable: covered by this position; own position or 0; player; seq."""

    def send(self, record: bytes, player: int, seq: int) -> None:
        """Note a move the first time it is sent."""
        moves = self.sent.setdefault(player, [])
        assert seq == len(moves) + 1
        moves.append(record)

    def answer(self, covered_by: int, position: int, player: int, seq: int) -> None:
        """Note an applied acknowledgement; ``position`` 0 when it is not known."""
        self.applied.append((covered_by, position, player, seq))

    def durable(self, position: int) -> None:
        """Note a durable acknowledgement: all that it covers is promised now."""
        while self.applied and self.applied[0][0] <= position:
            _, own, player, seq = self.applied.popleft()
            self.promised[player] = max(seq, self.promised.get(player, 0))
            if own:
                self.places[own] = player, seq

    def open_moves(self, player: int) -> list[bytes]:
        """The moves of a player that must be sent again after a lost connection."""
        return self.sent[player][self.promised.get(player, 0) :]

    def cut_off(self) -> None:
        """The connection is lost: what was only applied may be lost with it."""
        self.applied.clear()


def check(ledger: Ledger, records: Records, first: int = 1) -> list[Finding]:
    """Compare a ledger with all records of a log (dtype MOVE, shape (n,)) that begins at `first`.

    Every broken promise is one finding: a promised move that is not there, one that is there
    twice, moves of a player out of order, a gap in a player's numbers, a move at another position
    than promised, one with other bytes than were sent, one that nobody sent.
    """
    theirs = np.flatnonzero(np.isin(records["kind"], PLAYER_KINDS))
    found: list[Finding] = []
    last: dict[int, int] = {}
    seen: set[tuple[int, int]] = set()
    plain = records[theirs].copy()
    plain["server"] = 0
    raw = plain.tobytes()
    keys = zip(plain["player"].tolist(), plain["seq"].tolist(), theirs.tolist(), strict=True)
    for i, (player, seq, at) in enumerate(keys):
        position = first + at
        found += _judge_order(player, seq, position, last, seen)
        moves = ledger.sent.get(player, [])
        if not 1 <= seq <= len(moves):
            found.append(Finding(UNSENT, player, seq, position))
        elif moves[seq - 1] != raw[64 * i : 64 * i + 64]:
            found.append(Finding(ALTERED, player, seq, position))
    for player, promised in ledger.promised.items():
        lost = (seq for seq in range(1, promised + 1) if (player, seq) not in seen)
        found += [Finding(LOST, player, seq, 0) for seq in lost]
    return found + _judge_places(ledger, records, first)


def _judge_order(
    player: int, seq: int, position: int, last: dict[int, int], seen: set[tuple[int, int]]
) -> list[Finding]:
    before = last.get(player, 0)
    last[player] = max(before, seq)
    if (player, seq) in seen:
        return [Finding(DOUBLED, player, seq, position)]
    seen.add((player, seq))
    if seq < before:
        return [Finding(EXCHANGED, player, seq, position)]
    return [] if seq == before + 1 else [Finding(GAP, player, seq, position)]


def _judge_places(ledger: Ledger, records: Records, first: int) -> list[Finding]:
    found = []
    players, seqs = records["player"], records["seq"]
    for position, (player, seq) in ledger.places.items():
        at = position - first
        if not 0 <= at < len(records) or (int(players[at]), int(seqs[at])) != (player, seq):
            found.append(Finding(MISPLACED, player, seq, position))
    return found


def as_logged(record: bytes) -> bytes:
    """A move's bytes with the field ``server`` 0, as a ledger keeps them."""
    copy = np.frombuffer(record, MOVE).copy()
    copy["server"] = 0
    return copy.tobytes()
