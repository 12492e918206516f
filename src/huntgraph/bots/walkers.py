"""`Walkers`: what each of many players does next, decided from the update it got last.

A walker enters, goes along ``next``, claims when it has arrived at its target, and leaves when it
has had no target for some rounds. Where it gets no guidance for a while (its field is being built,
a gate is shut) it asks again with a claim, which costs nothing and is answered with fresh guidance.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from huntgraph.schema import MOVE, NONE, Code, Flag, Kind

__all__ = ["Walkers"]

NO_HUNT: Final = 65535
NO_STAGE: Final = 255
WAIT_ROUNDS: Final = 5
"""Rounds a walker without guidance waits before it asks again."""
SKIP: Final = 0
NO_SUCH_STAGE: Final = 254
"""A claim of this stage wins nothing anywhere: it only asks."""


class Walkers:
    """Players ``players`` (ids, shape ``(n,)``) of one hunt, who walk as they are guided.

    ``starts`` and ``teams`` have shape ``(n,)`` or are one number for all. ``patience`` is how
    many answers in a row without a target make a walker leave for good.
    """

    def __init__(
        self,
        players: ArrayLike,
        *,
        starts: ArrayLike,
        hunt: int = 0,
        teams: ArrayLike = 0,
        patience: int = 20,
    ) -> None:
        self.players: NDArray[np.uint64] = np.asarray(players, dtype=np.uint64)
        count = len(self.players)
        self.hunt = hunt
        self.patience = patience
        self.starts = np.broadcast_to(np.asarray(starts, dtype=np.uint32), count).copy()
        self.teams = np.broadcast_to(np.asarray(teams, dtype=np.uint32), count).copy()
        self.seq = np.zeros(count, dtype=np.uint32)
        self.node = self.starts.copy()
        self.next_node = np.full(count, NONE, dtype=np.uint32)
        self.score = np.zeros(count, dtype=np.int32)
        self.present = np.zeros(count, dtype=np.bool_)
        self.done = np.zeros(count, dtype=np.bool_)
        self._kind = np.full(count, Kind.ENTER, dtype=np.uint8)
        self._wait = np.zeros(count, dtype=np.int32)
        self._idle = np.zeros(count, dtype=np.int32)
        self._arrived = np.zeros(count, dtype=np.bool_)
        self._claimed_here = np.zeros(count, dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.players)

    @property
    def all_done(self) -> bool:
        """Whether every walker has left for good."""
        return bool(self.done.all())

    def leave(self) -> None:
        """Have everyone who is present leave with the next round."""
        self._kind[self.present] = Kind.LEAVE
        self._kind[~self.present] = SKIP
        self._wait[:] = 0
        self._idle[:] = self.patience
        self.done[~self.present] = True

    def moves(self) -> NDArray[np.void]:
        """Give the next move of each walker that has one: dtype MOVE, ``echo`` is its index."""
        self._wait -= 1
        due = np.flatnonzero((self._kind != SKIP) & (self._wait <= 0) & ~self.done)
        moves = np.zeros(len(due), dtype=MOVE)
        kind = self._kind[due]
        moves["kind"], moves["hunt"] = kind, NO_HUNT
        moves["seq"], moves["player"] = self.seq[due] + 1, self.players[due]
        moves["echo"] = due
        enters, goes = kind == Kind.ENTER, kind == Kind.GO
        moves["hunt"][enters] = self.hunt
        moves["arg"][enters] = self.teams[due[enters]]
        moves["to"][enters] = self.node[due[enters]]
        moves["from"][goes] = self.node[due[goes]]
        moves["to"][goes] = self.next_node[due[goes]]
        claims = kind == Kind.CLAIM
        moves["arg"][claims] = np.where(self._arrived[due[claims]], NONE, NO_SUCH_STAGE)
        return moves

    def take(self, updates: NDArray[np.void]) -> None:
        """Learn from updates (dtype UPDATE) to moves of `moves`, in any order."""
        at = updates["echo"].astype(np.intp)
        kind, code, flags = updates["kind"], updates["code"], updates["flags"]
        # Only an answer that was taken tells where the player stands.
        taken = updates["position"] > 0
        self.seq[at] = np.where(updates["seq"] > 0, updates["seq"], self.seq[at])
        crossed = updates["moved_to"] != 0
        node = np.where(crossed, updates["next"], updates["node"])
        self.node[at[taken]] = node[taken]
        self.score[at[taken]] = updates["score"][taken]
        self.present[at[taken & (kind == Kind.ENTER) & (code == Code.OK)]] = True
        gone = taken & (kind == Kind.LEAVE)
        self.present[at[gone]] = False
        self.done[at[gone]] = True
        self._choose(at, updates, taken & ~gone, kind, flags)
        self._retry(at[~taken], kind[~taken], code[~taken])

    def _choose(
        self,
        at: NDArray[np.intp],
        updates: NDArray[np.void],
        taken: NDArray[np.bool_],
        kind: NDArray[Any],
        flags: NDArray[Any],
    ) -> None:
        stage = updates["stage"]
        arrived = (flags & Flag.ARRIVED) != 0
        moved = updates["moved_to"] != 0
        guided = ((flags & Flag.GUIDED) != 0) & (updates["next"] != NONE) & ~arrived
        # Who has just walked over a border has no target before it asks on the other side.
        aimless = (stage == NO_STAGE) & ~moved
        self._idle[at] = np.where(aimless, self._idle[at] + 1, 0)
        leaves = aimless & (self._idle[at] >= self.patience)
        # A clue under the player's feet is found by arriving: who claimed in vain enters anew.
        again = arrived & ~aimless & (kind == Kind.CLAIM) & self._claimed_here[at]
        choice = np.full(len(at), Kind.CLAIM, dtype=np.uint8)
        choice[guided] = Kind.GO
        # Who came over a border before the hunt was open there is out of it, and enters it anew.
        outside = aimless & (kind == Kind.CLAIM) & (updates["code"] == Code.UNKNOWN_HUNT)
        choice[again | outside] = Kind.ENTER
        choice[leaves] = Kind.LEAVE
        wait = np.where(guided | arrived | leaves | moved, 0, WAIT_ROUNDS)
        self._claimed_here[at] = arrived & (kind == Kind.CLAIM)
        chosen = at[taken]
        self._arrived[chosen] = arrived[taken]
        self._kind[chosen] = choice[taken]
        self._wait[chosen] = wait[taken]
        self.next_node[chosen] = updates["next"][taken]

    def _retry(self, at: NDArray[np.intp], kind: NDArray[Any], code: NDArray[Any]) -> None:
        """Wait with what was not taken; give up where waiting will not help."""
        self._wait[at] = WAIT_ROUNDS
        lost = np.isin(code, _HOPELESS)
        self._kind[at[lost]] = SKIP
        self.done[at[lost]] = True


_HOPELESS: Final = np.array(
    [Code.PLAYERS_FULL, Code.BAD_TEAM, Code.UNKNOWN_NODE, Code.UNKNOWN_PLAYER, Code.BAD_KIND],
    dtype=np.uint16,
)
