"""Undo: a new commit that gives the cells of an older one their old words back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from huntgraph.cluster.control import Status
from huntgraph.errors import AuditError
from huntgraph.timeline.audit import Audit, Entry
from huntgraph.timeline.cells import ABSENT, NOBODY, Changes, Mask, Names, tag
from huntgraph.timeline.commit import Head, Order, commit
from huntgraph.timeline.plan import Plan
from huntgraph.timeline.tables import EDGE, HUNT, PLAYER

__all__ = ["Conflict", "Live", "Read", "undo"]


class Live(NamedTuple):
    """What some cells of a partition hold now: words, and whether there is such a cell."""

    state_hash: int
    words: Names
    exists: Mask


Read = Callable[[int, Status, Names], Awaitable[Live]]
"""Reads cells of a partition at the position that its status names."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A cell that has changed since the commit: it keeps the word that it has now."""

    partition: int
    name: int
    committed: int
    live: int


async def undo(
    data: str | Path,
    sockets: Mapping[int, Path],
    name: str,
    read: Read,
    order: Order,
    *,
    force: bool = False,
) -> tuple[Entry, list[Conflict]]:
    """Undo the commit of this id in all partitions or in none; gives the new entry.

    Cells that have changed since keep their words and are told, unless ``force``: then they too get
    the words from before the commit. What the commit made stays, but empty: a player who is in no
    hunt and not present, an added edge that is none. Raises AuditError HG1622 when there is no such
    commit, and what `commit` raises.
    """
    folder = Path(data)
    entry = Audit(folder).find(name)
    if entry is None:
        fix = "list the commits with 'huntgraph audit'"
        raise AuditError(f"no commit {name}", where=folder, fix=fix, code="HG1622")
    plan = Plan.read(folder, int(name, 16))
    conflicts: list[Conflict] = []

    async def catch_up(statuses: Mapping[int, Status]) -> Mapping[int, Head]:
        heads = {}
        for number, status in statuses.items():
            changes = plan.parts[number].changes
            live = await read(number, status, changes.names)
            back, kept = _back(changes, live, force)
            conflicts.extend(_told(number, changes, live, kept))
            heads[number] = Head(status.position, live.state_hash, back)
        return heads

    entry = await commit(folder, sockets, catch_up, replace(order, kind="undo", of=name))
    return entry, conflicts


def _told(number: int, changes: Changes, live: Live, kept: Mask) -> list[Conflict]:
    columns = changes.names[kept], changes.new[kept], live.words[kept]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Conflict(number, *row) for row in rows]


def _back(changes: Changes, live: Live, force: bool) -> tuple[Changes, Mask]:
    """The way back from what is there now, and the cells that stay as they are."""
    names = changes.names
    tags = tag(names)
    differ = (live.exists != changes.has) | (live.exists & (live.words != changes.new))
    # What a game server knows of its player is not the commit's.
    own = _own_bits(names)
    same_but_own = live.exists & changes.has & ((live.words | own) == (changes.new | own))
    kept = differ & ~same_but_own & ~np.bool_(force)
    counted = changes.had != changes.has
    counts = kept & (tags == HUNT)
    if counts.any():
        # A hunt whose counts changed since has other stages now: none of them is touched.
        kept |= counted & np.isin(tags, (4, 5, 6))
    stays = np.isin(tags, (EDGE, PLAYER, 10)) & ~changes.had
    old = np.where(stays, _empty(names, live.words), changes.old)
    old = (live.words & own) | (old & ~own)
    has = changes.had | stays
    use = ~kept & ((old != live.words) | (has != live.exists))
    back = names[use], live.words[use], old[use]
    return Changes(*back, live.exists[use], has[use]), kept


def _own_bits(names: Names) -> Names:
    """Bits of players that belong to their game servers."""
    players, word = tag(names) == PLAYER, names & np.uint64(7)
    own = np.zeros(len(names), np.uint64)
    own[players & (word == 2)] = np.uint64(0xFFFF_FFFF)
    own[players & (word == 4)] = np.uint64(0xFFFF << 40)
    own[players & (word == 5)] = np.uint64(2**64 - 1)
    return own


def _empty(names: Names, words: Names) -> Names:
    """The words of what was made by the commit and cannot be taken away any more."""
    tags, word = tag(names), names & np.uint64(7)
    empty = np.zeros(len(names), np.uint64)
    empty[tags == EDGE] = ABSENT
    same = (tags == 10) | ((tags == PLAYER) & (word == 0))
    empty[same] = words[same]
    empty[(tags == PLAYER) & (word == 4)] = NOBODY
    return empty
