"""Cells of a partition that change together: as rows for an actor, as their share of the hash.

Names and words are those of docs/reference/rules.md, section 8; what may be set is its section 12.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import CORRECTION, GATE_EDGES, GATES, STAGES, Kind
from huntgraph.timeline.tables import (
    ADDED,
    EDGE,
    GATE,
    GATE_EDGE,
    HUNT,
    PLAYER,
    SINGLE,
    STAGE,
)

__all__ = ["Changes", "bare_hash", "hunts_of", "mix", "tag"]

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
CELLS: Final = 3
"""Cells of one row."""
ALWAYS_SETTABLE: Final = np.isin(
    np.arange(256), (EDGE, PLAYER, HUNT, STAGE, GATE, GATE_EDGE, ADDED)
)
"""By tag: small tables are read where many calls for few cells would cost a commit its time."""
RANKS: Final = 11
(
    TRAFFIC_FIRST, SLOTS, COUNTS, SHAPES, HUNTS_REST, NEWCOMERS, SEATS, PLAYERS_REST, EDGES,
    LEAVING, GONE,
) = range(RANKS)  # fmt: skip
ALONE: Final = np.isin(np.arange(RANKS), (SLOTS, COUNTS, SHAPES, NEWCOMERS, GONE))
"""By rank: cells that take a row each."""


def mix(names: Names, words: Names) -> Names:
    """Mix names and words, shape (n,): both halves of a 128-bit product (rules, section 8)."""
    half, low = np.uint64(32), np.uint64(0xFFFF_FFFF)
    a = names ^ np.uint64(0x9E3779B97F4A7C15)
    b = words ^ np.uint64(0xD1B54A32D192ED03)
    a0, a1, b0, b1 = a & low, a >> half, b & low, b >> half
    middle = a1 * b0 + (a0 * b0 >> half)
    other = a0 * b1 + (middle & low)
    mixed: Names = a * b ^ (a1 * b1 + (middle >> half) + (other >> half))
    return mixed


def bare_hash(state_hash: int, position: int, correction: int = 0) -> int:
    """Give the state hash without the cells of position and correction."""
    names = np.array([POSITION, CORRECTION_CELL][: 1 + bool(correction)], np.uint64)
    words = np.array([position, correction][: len(names)], np.uint64)
    return (state_hash - _total(mix(names, words))) % 2**64


def tag(names: Names) -> NDArray[np.int64]:
    """The tags of names."""
    return (names >> TAG).astype(np.int64)


def hunts_of(names: Names) -> NDArray[np.int64]:
    """The slot of the hunt that each cell is of; -1 for those of none."""
    cells = np.zeros(256, np.int64)
    cells[[HUNT, STAGE, GATE, GATE_EDGE]] = 16, 16 * STAGES, 4 * GATES, GATE_EDGES
    size = cells[tag(names)]
    return np.where(size > 0, (names & INDEX).astype(np.int64) // np.maximum(size, 1), -1)


def _total(mixed: Names) -> int:
    return int(mixed.sum(dtype=np.uint64))


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
        had, has = _presence(names, old, new, players, slots)
        new = _kept_bits(names, old, new, had)
        tags, index = tag(names), names & INDEX
        settable = ALWAYS_SETTABLE[tags]
        settable |= (tags == SINGLE) & ((index == 6) | (index == 7) | (index == 9))
        settable &= (old != new) | (had != has)
        words = names[settable], old[settable], new[settable]
        return cls(*words, had[settable], has[settable])

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
        new = _total(mix(self.names[self.has], self.new[self.has]))
        old = _total(mix(self.names[self.had], self.old[self.had]))
        return (before + new - old) % 2**64

    def rows(self, correction: int) -> NDArray[np.void]:
        """Give the CORRECT records, dtype CORRECTION, in an order that an actor can take.

        Cells that others depend on come first: the traffic rule, added slots, counts. What this
        state no longer has is emptied and taken away at the end, the newest first.
        """
        names, words, rank = self._steps()
        # What is taken away goes in the opposite order of its making.
        newest = np.where(rank == GONE, INDEX - (names & INDEX), names)
        order = np.lexsort((newest, rank))
        names, words, rank = names[order], words[order], rank[order]
        row, place = _layout(names, rank)
        out = np.zeros(int(row[-1]) + 1 if len(row) else 0, CORRECTION)
        out["kind"], out["id"] = Kind.CORRECT, correction
        out["count"] = np.bincount(row, minlength=len(out))
        out["gone"][row[rank == GONE]] = 1
        for number in range(CELLS):
            here = place == number
            out[f"name_{number + 1}"][row[here]] = names[here]
            out[f"word_{number + 1}"][row[here]] = words[here]
        return out

    def _steps(self) -> tuple[Names, Names, NDArray[np.int64]]:
        """Names and words to be set, and the rank of each; some gone cells take two steps."""
        rank = _ranks(self.names, self.had)
        tags, word = tag(self.names), self.names & np.uint64(7)
        keep = self.has | ((tags == HUNT) & (self.names & np.uint64(15) == 9))
        words = np.where(self.has, self.new, np.uint64(0))
        gone = ~self.has
        emptied = gone & (tags == EDGE)
        words[emptied] = ABSENT
        seats = gone & (tags == PLAYER) & (word == 4)
        words[seats] = NOBODY
        leaving = emptied | seats | (gone & (tags == PLAYER) & (word == 2))
        rank[leaving] = LEAVING
        first = keep | leaving
        # Of two slots made together, and of a player, one cell stands for all.
        last = gone & (((tags == PLAYER) & (word == 0)) | ((tags == ADDED) & self._leads(tags)))
        first &= ~((tags == ADDED) & ~self._leads(tags))
        names = np.concatenate([self.names[first], self.names[last]])
        every = np.concatenate([words[first], words[last]])
        return names, every, np.concatenate([rank[first], np.full(last.sum(), GONE)])

    def _leads(self, tags: NDArray[np.int64]) -> Mask:
        """Whether an added slot is the first of its two: pairs follow each other without gaps."""
        added = np.sort((self.names & INDEX)[tags == ADDED])
        start = int(added[0]) if len(added) else 0
        leads: Mask = ((self.names & INDEX).astype(np.int64) - start) % 2 == 0
        return leads


def _ranks(names: Names, had: Mask) -> NDArray[np.int64]:
    tags, index = tag(names), names & INDEX
    rank = np.full(len(names), HUNTS_REST, np.int64)
    rank[tags == SINGLE] = TRAFFIC_FIRST
    rank[tags == ADDED] = SLOTS
    word = index % np.uint64(16)
    rank[(tags == HUNT) & ((word == 1) | (word == 6) | (word == 7))] = COUNTS
    rank[(tags == STAGE) & (index % np.uint64(16) == 0)] = SHAPES
    players, word = tags == PLAYER, index % np.uint64(8)
    rank[players] = PLAYERS_REST
    rank[players & ((word == 2) | (word == 4))] = SEATS
    rank[players & (word == 0) & ~had] = NEWCOMERS
    rank[tags == EDGE] = EDGES
    return rank


def _layout(names: Names, rank: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The row of each cell and its place there; names in order of rank."""
    if not len(names):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    number = np.arange(len(names))
    begins = np.searchsorted(rank, np.arange(RANKS))
    # Most stand three to a row; some stand alone, and a player's seat is one row.
    group = (number - begins[rank]) // CELLS
    alone = ALONE[rank]
    group[alone] = number[alone]
    # A player who leaves, and an edge that does, have names that differ above the lowest bits.
    seats = (rank == SEATS) | (rank == LEAVING)
    group[seats] = (names[seats] >> np.uint64(3)).astype(np.int64)
    cut = np.ones(len(names), bool)
    cut[1:] = (np.diff(rank) != 0) | (np.diff(group) != 0)
    leaving = (rank == LEAVING) & (tag(names) == EDGE)
    cut |= leaving
    row = np.cumsum(cut) - 1
    place = number - np.flatnonzero(cut)[row]
    return row, place


def _presence(names: Names, old: Names, new: Names, players: int, slots: int) -> tuple[Mask, Mask]:
    """Whether the state has each cell before and after."""
    tags, index = tag(names), (names & INDEX).astype(np.int64)
    had, has = np.ones(len(names), bool), np.ones(len(names), bool)
    had &= ~((tags == PLAYER) & (index // 8 >= players))
    had &= ~(((tags == EDGE) | (tags == ADDED)) & (index >= slots))
    shared = (tags == HUNT) & (index % 16 == 9)
    had &= ~(shared & (old == 0))
    has &= ~(shared & (new == 0))
    counts = (tags == HUNT) & ((index % 16 == 1) | (index % 16 == 6))
    for at in np.flatnonzero(counts).tolist():
        hunt, word = divmod(int(index[at]), 16)
        for mask, held in ((had, int(old[at])), (has, int(new[at]))):
            for kind, size, cell, shift in (
                (STAGE, STAGES, 16, 8),
                (GATE, GATES, 4, 16),
                (GATE_EDGE, GATE_EDGES, 1, 0),
            ):
                if (kind == GATE_EDGE) == (word == 6):
                    count = held if word == 6 else held >> shift & 0xFF
                    first, end = (hunt * size + count) * cell, (hunt + 1) * size * cell
                    mask &= ~((tags == kind) & (index >= first) & (index < end))
    return had, has


def _kept_bits(names: Names, old: Names, new: Names, had: Mask) -> Names:
    """The new words, with those bits as before that belong to game servers."""
    tags, word = tag(names), (names & np.uint64(7)).astype(np.int64)
    kept = np.zeros(len(names), np.uint64)
    player = (tags == PLAYER) & had
    kept[(tags == PLAYER) & (word == 5)] = np.uint64(2**64 - 1)
    kept[(tags == PLAYER) & (word == 4)] = np.uint64(0xFFFF << 40)
    # Who comes back from another partition has the number of its last move there.
    away = player & (word == 4) & (old >> TAG != 0) & (new >> TAG == 0)
    back = away if not away.any() else np.isin(names >> np.uint64(3), names[away] >> np.uint64(3))
    kept[player & (word == 2) & ~back] = np.uint64(0xFFFF_FFFF)
    merged: Names = (old & kept) | (new & ~kept)
    # A number never falls.
    place, seq = player & (word == 2), np.uint64(0xFFFF_FFFF)
    merged[place] = (merged & ~seq | np.maximum(old & seq, merged & seq))[place]
    return merged
