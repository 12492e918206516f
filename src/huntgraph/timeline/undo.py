"""Undo: a new commit that gives the cells of an older one their old words back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from huntgraph.cluster.control import Status
from huntgraph.timeline.audit import Audit, Entry
from huntgraph.timeline.cells import ABSENT, NOBODY, Changes, Mask, Names, tag
from huntgraph.timeline.commit import Head, Order, commit
from huntgraph.timeline.heated import Heated
from huntgraph.timeline.plan import Plan
from huntgraph.timeline.tables import EDGE, PLAYER
from huntgraph.timeline.units import is_seat, kept_whole, sets_rule

__all__ = ["Conflict", "Live", "Read", "asked", "undo", "ways_back"]

AWAY: Final = np.uint64(56)
"""Where word 4 of a player tells that it was handed over."""


class Live(NamedTuple):
    """What some cells of a partition hold now: words, and whether there is such a cell."""

    state_hash: int
    words: Names
    exists: Mask
    other_rule: bool = False
    """Another traffic rule holds than before the commit."""
    heated: Heated | None = None
    """The warm edges, when the rule is to be set back by force."""


Read = Callable[[int, Status, Names], Awaitable[Live]]
"""Reads cells of a partition at the position that its status names."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A cell that keeps the word that it has now: it, or what belongs to it, has changed since."""

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

    Cells that have changed since keep their words and are told, and with them what belongs to them
    (`huntgraph.timeline.units`), unless ``force``: then they too get the words from before the
    commit, but for players who went over a border. Where another traffic rule holds now than before
    the commit, the rule and edges that were warm keep their words; by ``force`` they too get the
    old ones, and edges that warmed since follow the rule. What the commit made stays, but empty: a
    player who is in no hunt and not present, an added edge that is none. Raises AuditError
    HG1622 when there is no such commit, HG1623 when it is undone already, and what `commit` raises.
    """
    folder = Path(data)
    Audit(folder).undoable(name)
    plan = Plan.read(folder, int(name, 16))
    conflicts: list[Conflict] = []

    async def catch_up(statuses: Mapping[int, Status]) -> Mapping[int, Head]:
        changes = {number: plan.parts[number].changes for number in statuses}
        live = {n: await read(n, status, asked(changes[n])) for n, status in statuses.items()}
        back, kept = ways_back(changes, live, force=force)
        for number in statuses:
            conflicts.extend(_told(number, changes[number], live[number], kept[number]))
        return {
            n: Head(status.position, live[n].state_hash, back[n]) for n, status in statuses.items()
        }

    entry = await commit(folder, sockets, catch_up, replace(order, kind="undo", of=name))
    return entry, conflicts


def asked(changes: Changes) -> Names:
    """Give the names of what an undo reads: the cells of a commit, and whose those of players are.

    A `Live` of them has twice as many words as there are changes.
    """
    players = tag(changes.names) == PLAYER
    owners = np.where(players, changes.names & ~np.uint64(7), changes.names)
    return np.concatenate([changes.names, owners])


def ways_back(
    changes: Mapping[int, Changes], live: Mapping[int, Live], *, force: bool = False
) -> tuple[dict[int, Changes], dict[int, Mask]]:
    """Give the way back from what is there now, and which cells stay as they are, by partition.

    `live` holds what `asked` names.
    """
    kept = {n: _conflicts(each, live[n], force) for n, each in changes.items()}
    back = {n: each.inverse() for n, each in changes.items()}
    owners = {n: live[n].words[len(each) :] for n, each in changes.items()}
    others = [n for n, each in live.items() if each.other_rule and not force]
    kept = kept_whole(back, kept, owners, others)
    return {n: _back(each, live[n], kept[n]) for n, each in changes.items()}, kept


def _told(number: int, changes: Changes, live: Live, kept: Mask) -> list[Conflict]:
    columns = changes.names[kept], changes.new[kept], live.words[: len(kept)][kept]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Conflict(number, *row) for row in rows]


def _conflicts(changes: Changes, live: Live, force: bool) -> Mask:
    """Cells that have changed since. By force only those of who went over a border stay."""
    names = changes.names
    words, exists = live.words[: len(names)], live.exists[: len(names)]
    differ = (exists != changes.has) | (exists & (words != changes.new))
    if force:
        flags = is_seat(names) & (names & np.uint64(4) != 0)
        moved: Mask = differ & flags & ((changes.old | changes.new | words) >> AWAY != 0)
        return moved
    # What a game server knows of its player is not the commit's.
    own = _own_bits(names)
    same_but_own = exists & changes.has & ((words | own) == (changes.new | own))
    kept: Mask = differ & ~same_but_own
    return kept


def _back(changes: Changes, live: Live, kept: Mask) -> Changes:
    """The way back from what is there now, but for the cells that stay as they are."""
    names, tags, own = changes.names, tag(changes.names), _own_bits(changes.names)
    words, exists = live.words[: len(names)], live.exists[: len(names)]
    stays = np.isin(tags, (EDGE, PLAYER, 10)) & ~changes.had
    old = np.where(stays, _empty(names, words), changes.old)
    old = (words & own) | (old & ~own)
    has = changes.had | stays
    way = Changes(names, words, old, exists, has)
    use = ~kept & ((old != words) | (has != exists))
    if live.heated is None or not sets_rule(way.only(use)):
        return way.only(use)
    way = way.only(use | (~kept & (tags == EDGE)))
    return way.joined(live.heated.beside(way, stay=False))


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
