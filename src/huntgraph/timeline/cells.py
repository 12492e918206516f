"""Cells of a partition that change together: as rows for an actor, as their share of the hash.

Names and words are those of docs/reference/rules.md, section 8; what may be set is its section 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph import _core
from huntgraph._core import mix
from huntgraph.schema import CORRECTION
from huntgraph.timeline.tables import SINGLE

__all__ = ["Changes", "bare_hash", "tag"]

Names = NDArray[np.uint64]
Mask = NDArray[np.bool_]

TAG: Final = np.uint64(56)
INDEX: Final = np.uint64((1 << 56) - 1)
POSITION: Final = SINGLE << 56 | 1
CORRECTION_CELL: Final = SINGLE << 56 | 10
ABSENT: Final = np.uint64(1 << 24)
"""The word of a slot that is no edge."""
NOBODY: Final = np.uint64(255 << 8 | 255 << 16)
"""Word 4 of a player in no hunt, not present."""


def bare_hash(state_hash: int, position: int, correction: int = 0) -> int:
    """Give the state hash without the cells of position and correction."""
    bare = state_hash - mix(POSITION, position)
    return (bare - mix(CORRECTION_CELL, correction) if correction else bare) % 2**64


def tag(names: Names) -> NDArray[np.int64]:
    """The tags of names."""
    return (names >> TAG).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Changes:
    """Cells with their words before and after, shape (n,) each, names unique.

    ``had`` and ``has`` tell whether the state has such a cell before and after.
    """

    names: Names
    old: Names
    new: Names
    had: Mask
    has: Mask

    @classmethod
    def between(cls, names: Names, old: Names, new: Names, *, players: int, slots: int) -> Changes:
        """Take all cells in which two states differ, and leave out what no correction may set.

        Cells that only one of the states has are given too, with any word for the other.
        ``players`` and ``slots`` are the player slots and edge ids in use before. Bits that are the
        game servers' (a player's seq, last_code, last_position) stay as they are before; but who is
        new here, or was away and is so no more, keeps the seq given: that of the live player.
        """
        return cls(*_core.settable_cells(names, old, new, players, slots))

    def __len__(self) -> int:
        return len(self.names)

    def only(self, some: Mask) -> Changes:
        """Some of the changes, by a mask of shape (n,)."""
        return Changes(
            self.names[some], self.old[some], self.new[some], self.had[some], self.has[some]
        )

    def joined(self, others: Changes) -> Changes:
        """These changes and those of other cells."""
        pairs = [(getattr(self, name), getattr(others, name)) for name in self.__slots__]
        return Changes(*(np.concatenate(pair) for pair in pairs))

    def inverse(self) -> Changes:
        """The way back."""
        return Changes(self.names, self.new, self.old, self.has, self.had)

    def hash_after(self, before: int) -> int:
        """Give the bare hash after these changes to a state of bare hash ``before``."""
        columns = self.names, self.old, self.new, self.had, self.has
        return _core.hash_after_changes(*columns, before)

    def rows(self, correction: int) -> NDArray[np.void]:
        """Give the CORRECT records, dtype CORRECTION, in an order that an actor can take.

        Cells that others depend on come first: the traffic rule, added slots, counts. What this
        state no longer has is emptied and taken away at the end, the newest first.
        """
        columns = self.names, self.new, self.had, self.has
        return _core.correction_rows(*columns, correction).view(CORRECTION).reshape(-1)
