"""What game servers were promised against what stands in the log, for tens of millions of moves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Records
from huntgraph.schema import Kind

__all__ = ["Account", "compare"]

PLAYER_KINDS: Final = (Kind.ENTER, Kind.GO, Kind.LEAVE, Kind.CLAIM, Kind.HINT, Kind.STRIKE)


class Account(NamedTuple):
    """Moves of players in the log, and what is wrong with them."""

    moves: int
    lost: int
    """Promised, and not there."""
    twice: int
    """There more than once, or behind a later one."""
    unsent: int
    """There, and never sent."""


def compare(promised: NDArray[np.uint32], parts: Iterable[Records]) -> Account:
    """Compare a log with what was promised: player ``i + 1`` had its moves 1 to ``promised[i]``.

    ``parts`` are the log's records in order, dtype MOVE. Memory is that of one part.
    """
    last = np.zeros(len(promised), np.int64)
    moves = lost = twice = 0
    for part in parts:
        mine = part[np.isin(part["kind"], PLAYER_KINDS)]
        if not len(mine):
            continue
        player = mine["player"].astype(np.int64) - 1
        order = np.argsort(player, kind="stable")
        player, seq = player[order], mine["seq"][order].astype(np.int64)
        begins = np.flatnonzero(np.diff(player, prepend=-1))
        # The greatest number of each player so far; the offset keeps players apart.
        offset = player << 32
        highest = np.maximum.accumulate(np.maximum(seq, last[player]) + offset) - offset
        before = np.roll(highest, 1)
        before[begins] = last[player[begins]]
        step = seq - before
        moves += len(mine)
        lost += int((step[step > 1] - 1).sum())
        twice += int(np.count_nonzero(step < 1))
        ends = np.append(begins[1:], len(player)) - 1
        last[player[ends]] = highest[ends]
    missing = promised.astype(np.int64) - last
    lost += int(missing[missing > 0].sum())
    return Account(moves, lost, twice, int(-missing[missing < 0].sum()))
