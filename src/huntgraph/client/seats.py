"""`Seats`: the sequence numbers of players, so that a game server need not keep them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import Flag, Kind

__all__ = ["Seats"]


class Seats:
    """Numbers moves player by player, dense from 1.

    ``number`` fills ``seq`` in place before sending; ``learn`` takes the answers. A move that is
    refused without a position has not used its number up, so send no further move of that player
    before its answer has come, or only moves that cannot be refused so.
    """

    def __init__(self, last: Mapping[int, int] | None = None) -> None:
        """Begin with the last number taken of each player that has entered before."""
        self._last = dict(last or {})

    def __getitem__(self, player: int) -> int:
        """Give the last number given to a player; 0 for one who never entered."""
        return self._last.get(player, 0)

    def __len__(self) -> int:
        return len(self._last)

    def __repr__(self) -> str:
        return f"<Seats of {len(self):,} players>"

    def number(self, moves: NDArray[Any]) -> NDArray[Any]:
        """Fill ``seq`` of moves (dtype MOVE, shape (n,)) in their order; gives the same array.

        Changes of edges belong to no player and keep theirs.
        """
        last = self._last
        numbers = []
        for player, kind, seq in zip(
            moves["player"].tolist(), moves["kind"].tolist(), moves["seq"].tolist(), strict=True
        ):
            if kind > Kind.HINT:
                numbers.append(seq)
                continue
            last[player] = last.get(player, 0) + 1
            numbers.append(last[player])
        moves["seq"] = np.array(numbers, dtype=np.uint32)
        return moves

    def learn(self, updates: NDArray[np.void]) -> None:
        """Take back the numbers of moves that were refused without a position."""
        unused = (updates["position"] == 0) & (updates["kind"] <= Kind.HINT)
        unused &= (updates["flags"] & Flag.DUPLICATE) == 0
        for update in updates[unused]:
            self._last[int(update["player"])] = int(update["seq"])
