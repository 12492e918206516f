"""Judges the logs of several partitions: was every player handed over once, and in order?

It reads records alone, knows nothing of worlds or states, and shares no code with what it judges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import ARRIVAL, MOVE, Kind

Records = NDArray[np.void]
PLAYER_KINDS = (Kind.ENTER, Kind.GO, Kind.LEAVE, Kind.CLAIM, Kind.HINT, Kind.STRIKE)
PARCEL_KINDS = (Kind.ARRIVE, Kind.NOTICE)
DOUBLED, GAP, ELSEWHERE = "twice", "a number is missing", "moved where the player was not"
EXCHANGED = "later in the log than what followed it"
RENUMBERED, UNCAUSED, UNHELD = "parcels out of order", "no such move", "acknowledged, not held"


class Finding(NamedTuple):
    """One broken promise, and where it shows."""

    what: str
    partition: int
    position: int
    player: int


class Step(NamedTuple):
    """A move or an arrival of a player."""

    seq: int
    arrived: bool
    partition: int
    position: int


def check(logs: Sequence[Records]) -> list[Finding]:
    """Compare whole logs (dtype MOVE, position 1 first), the log of partition p at place p."""
    found: list[Finding] = []
    steps: dict[int, list[Step]] = defaultdict(list)
    taken: dict[tuple[int, int], int] = defaultdict(int)
    for partition, log in enumerate(logs):
        for at in np.flatnonzero(np.isin(log["kind"], PLAYER_KINDS)).tolist():
            player, seq = int(log["player"][at]), int(log["seq"][at])
            steps[player].append(Step(seq, False, partition, at + 1))
        for at in np.flatnonzero(np.isin(log["kind"], PARCEL_KINDS)).tolist():
            # Number and cause stand in the same places of a notice.
            row = log[at : at + 1].view(ARRIVAL)[0]
            player, origin, number = int(row["player"]), int(row["from"]), int(row["number"])
            if row["kind"] == Kind.ARRIVE:
                steps[player].append(Step(int(row["seq"]), True, partition, at + 1))
            if number != taken[origin, partition] + 1:
                found.append(Finding(RENUMBERED, partition, at + 1, player))
            taken[origin, partition] = max(number, taken[origin, partition])
            if not _caused(logs[origin], row):
                found.append(Finding(UNCAUSED, partition, at + 1, player))
    for player, each in steps.items():
        found += _judge(player, sorted(each))
    return found + _acknowledged(logs, taken)


def _caused(log: Records, row: np.void) -> bool:
    """Whether an arrival's cause is that player's GO in the sender's log, a notice's any record."""
    at = int(row["cause"]) - 1
    if not 0 <= at < len(log):
        return False
    cause = log[at]
    if row["kind"] == Kind.NOTICE:
        return True
    same = cause["player"] == row["player"] and cause["seq"] == row["seq"]
    return bool(same and cause["kind"] == Kind.GO)


def _judge(player: int, steps: list[Step]) -> list[Finding]:
    """Steps in the order of their numbers, a move before the arrival that it caused."""
    found = []
    last, place = 0, steps[0].partition
    behind: dict[int, int] = defaultdict(int)
    for step in steps:
        where = step.partition, step.position, player
        if step.position < behind[step.partition]:
            found.append(Finding(EXCHANGED, *where))
        behind[step.partition] = max(step.position, behind[step.partition])
        if step.arrived:
            place = step.partition
            continue
        if step.seq == last:
            found.append(Finding(DOUBLED, *where))
        elif step.seq != last + 1:
            found.append(Finding(GAP, *where))
        if step.partition != place:
            found.append(Finding(ELSEWHERE, *where))
        last, place = step.seq, step.partition
    return found


def _acknowledged(logs: Sequence[Records], taken: dict[tuple[int, int], int]) -> list[Finding]:
    """Nothing is forgotten by its sender that its receiver does not hold."""
    found = []
    for partition, log in enumerate(logs):
        for at in np.flatnonzero(log["kind"] == Kind.HANDED_ON).tolist():
            if int(log["a"][at]) > taken[partition, int(log["arg"][at])]:
                found.append(Finding(UNHELD, partition, at + 1, 0))
    return found


def last_moves(logs: Sequence[Records]) -> dict[int, int]:
    """The number of each player's last move in any log."""
    last: dict[int, int] = defaultdict(int)
    for log in logs:
        theirs = log[np.isin(log["kind"], PLAYER_KINDS)]
        for player, seq in zip(theirs["player"].tolist(), theirs["seq"].tolist(), strict=True):
            last[player] = max(last[player], seq)
    return last


def log_of(records: Sequence[bytes]) -> Records:
    """Records of 64 bytes as a log."""
    return np.frombuffer(b"".join(records), MOVE)
