"""A branch's cells under the names of its base: players by their ids, added edges by their ends.

Slots are numbered in the order of their making, and a fork may have made some that live has not, or
has made later. So before a branch is compared with its base, or becomes its, each player goes to
the slot that the base has for it, and each added edge likewise; what the base has not gets slots
behind those that it has.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.timeline.cells import ABSENT, INDEX, NOBODY, Changes, bare_hash
from huntgraph.timeline.fence import fence, settle
from huntgraph.timeline.replica import Replica
from huntgraph.timeline.tables import (
    ADDED,
    EDGE,
    GATE_EDGE,
    PLAYER,
    Differences,
    compare,
    index_of,
    name_of,
    tag_of,
)
from huntgraph.timeline.units import sets_rule

__all__ = ["changes_to_adopt", "correction_rows", "differences", "ends", "owners_of"]

Words = NDArray[np.uint64]
Cells = tuple[Words, Words]
NOWHERE: Final = (0, 0, 0, int(NOBODY), 0)
"""Words 1 to 4 and 6 of a player who never came here: at node 0, in no hunt, not present."""


def changes_to_adopt(replica: Replica, found: Differences | None = None) -> Changes:
    """Give the changes that a commit makes to a partition's head; `found` is by `differences`.

    What no correction may set stays as it is: clock, position, receipts, borders, and the game
    servers' part of a player.
    """
    players, slots = replica.base_players, replica.base_slots
    found = differences(replica) if found is None else found
    changes = Changes.between(*found, players=players, slots=slots)
    if sets_rule(changes):
        return changes.joined(replica.heated().beside(changes, stay=True))
    return changes


def correction_rows(
    replica: Replica, correction: int, changes: Changes | None = None
) -> NDArray[np.uint8]:
    """Give a whole correction that makes a base its branch, as far as a commit can: (n, 64).

    Or one that makes other changes to the base.
    """
    before = bare_hash(replica.head_hash(), replica.position)
    changes = changes_to_adopt(replica) if changes is None else changes
    end = settle(correction, changes.hash_after(before))
    rows = np.concatenate([fence(correction, 0), changes.rows(correction), end])
    return rows.view(np.uint8).reshape(-1, 64)


def owners_of(replica: Replica, changes: Changes) -> Words:
    """Give the ids of the players that changed cells of the base are of, 0 for other cells."""
    ids = replica.players(branch=False)[:, 0]
    slot = (index_of(changes.names) >> np.uint64(3)).astype(np.intp)
    known = (tag_of(changes.names) == PLAYER) & (slot < len(ids))
    return np.where(known, ids[np.where(known, slot, 0)] if len(ids) else 0, 0).astype(np.uint64)


def differences(replica: Replica) -> Differences:
    """Give all cells in which branch and base differ, by the base's names."""
    found = replica.changes()
    tags, index = tag_of(found.names), index_of(found.names)
    parts, kept = [], np.ones(len(tags), np.bool_)
    if ((tags == PLAYER) & (index % np.uint64(8) == 0)).any():
        parts.append(_players(replica))
        kept &= tags != PLAYER
    if ((tags == ADDED) & (found.old != 0)).any():
        first, edges = _edges(replica)
        parts.append(edges)
        kept &= ~(np.isin(tags, (ADDED, GATE_EDGE)) | ((tags == EDGE) & (index >= first)))
    if not parts:
        return found
    parts.append(Differences(*(column[kept] for column in found)))
    names, old, new = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(names)
    return Differences(names[order], old[order], new[order])


def ends(
    replica: Replica, found: Differences, edges: Words
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Give tail and head of edges, shape (n,), by their ids in what `differences` found."""
    slots = np.uint64(replica.base_slots)
    known = edges < slots
    tail, head = np.zeros(len(edges), np.uint32), np.zeros(len(edges), np.uint32)
    tail[known], head[known] = replica.base_ends(edges[known])
    if not known.all():
        new = (tag_of(found.names) == ADDED) & (index_of(found.names) >= slots)
        at = np.searchsorted(index_of(found.names[new]), edges[~known])
        words = found.new[new][at]
        tail[~known], head[~known] = words & np.uint64(0xFFFF_FFFF), words >> np.uint64(32)
    return tail, head


def _players(replica: Replica) -> Differences:
    """Differing words of players, in the slots of the base."""
    base, fork = (replica.players(branch=branch) for branch in (False, True))
    slots = {int(row[0]): slot for slot, row in enumerate(base)}
    newcomers = sum(int(row[0]) not in slots for row in fork)
    old = np.concatenate([base, np.zeros((newcomers, base.shape[1]), np.uint64)])
    new = old.copy()
    free = len(base)
    for row in fork:
        slot = slots.pop(int(row[0]), None)
        if slot is None:
            slot, free = free, free + 1
        new[slot] = row
    for slot in slots.values():
        new[slot, [1, 2, 3, 4, 6]] = np.array(NOWHERE, np.uint64)
    differ = old != new
    differ[len(base) :] = True  # cells that are new count when they are 0 too
    at, word = np.nonzero(differ)
    names = np.uint64(name_of(PLAYER, 0)) | (at * 8 + word).astype(np.uint64)
    return Differences(names, old[at, word], new[at, word])


def _edges(replica: Replica) -> tuple[np.uint64, Differences]:
    """The first added slot's id, and the differing cells of added slots and of gates' edges."""
    base, fork = (replica.cells(branch=branch) for branch in (False, True))
    theirs, ours = _added(base), _added(fork)
    first = np.uint64(replica.base_slots - len(theirs))
    known = {int(word): at for at, word in enumerate(theirs)}
    free, places = len(theirs), []
    for word in ours.tolist():  # of the two slots between two nodes the base has both or none
        places.append(known.get(word, free))
        free += word not in known
    place = np.array(places, np.uint64) + first
    named = _renamed(fork, first, place)
    # An edge that the branch has not is none there; its slot stays.
    missing = np.setdiff1d(np.arange(len(theirs), dtype=np.uint64) + first, place)
    edge, added = np.uint64(name_of(EDGE, 0)), np.uint64(name_of(ADDED, 0))
    names = np.concatenate([named[0], edge | missing, added | missing])
    stay = theirs[(missing - first).astype(np.intp)]
    words = np.concatenate([named[1], np.full(len(missing), ABSENT), stay])
    own = np.arange(len(theirs), dtype=np.uint64) + first
    return first, compare(_renamed(base, first, own), (names, words))


def _added(cells: Cells) -> Words:
    """Ends of the added slots, in the order of their ids."""
    names, words = cells
    mine = tag_of(names) == ADDED
    found: Words = words[mine][np.argsort(names[mine])]
    return found


def _renamed(cells: Cells, first: np.uint64, place: Words) -> Cells:
    """Cells of added slots and of gates' edges, where `place` gives each added slot another id."""

    def moved(ids: Words) -> Words:
        found: Words = ids.copy()
        late = ids >= first
        found[late] = place[(ids[late] - first).astype(np.intp)]
        return found

    names, words = cells
    tags, index = tag_of(names), index_of(names)
    slots = (tags == ADDED) | ((tags == EDGE) & (index >= first))
    gates = tags == GATE_EDGE
    return (
        np.concatenate([names[slots] & ~INDEX | moved(index[slots]), names[gates]]),
        np.concatenate([words[slots], moved(words[gates])]),
    )
