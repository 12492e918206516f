"""What of a state changes together or not at all, when some cells keep the words that they have.

An undo, and an undo made again in a fork, leave cells alone that are not as it expects them. But
where a player is stands in several cells, of all partitions that it was in; what it has found and
scored is of the hunt that it is in; the stages of a hunt mean nothing without the hunt that they
are of; and the weight of a warm edge holds what the traffic rule adds for its heat.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import GATE_EDGES, GATES, STAGES
from huntgraph.timeline.cells import INDEX, Changes, Mask, Names, tag
from huntgraph.timeline.tables import EDGE, GATE, GATE_EDGE, HUNT, PLAYER, SINGLE, STAGE

__all__ = ["is_seat", "kept_whole", "sets_rule"]


def is_seat(names: Names) -> Mask:
    """Which cells tell where a player is: words 2 (node) and 4 (present, away) of it."""
    word = names & np.uint64(7)
    seat: Mask = (tag(names) == PLAYER) & ((word == 2) | (word == 4))
    return seat


def kept_whole(
    changes: Mapping[int, Changes],
    kept: Mapping[int, Mask],
    ids: Mapping[int, Names],
    other_rule: Collection[int],
) -> dict[int, Mask]:
    """Keep, beside the cells that are kept, all that belongs to them.

    `changes` are those of each partition, `kept` the cells of them that are not to be changed, and
    `ids` the ids of the players whose cells they are: shape (n,) each. `other_rule`: partitions
    where another traffic rule holds than the one that the new words of edges are of.
    """
    moved = _ids_of(ids, {n: kept[n] & is_seat(each.names) for n, each in changes.items()})
    rejoined = _ids_of(ids, {n: _rejoins(each) for n, each in changes.items()})
    held = _ids_of(ids, {n: kept[n] & _is_deed(each.names) for n, each in changes.items()})
    whole = np.intersect1d(rejoined, np.union1d(moved, held))
    found = {}
    for number, each in changes.items():
        hunts = _hunts(each.names)
        mask = kept[number] | (is_seat(each.names) & np.isin(ids[number], np.union1d(moved, whole)))
        mask |= _is_deed(each.names) & np.isin(ids[number], whole)
        if number in other_rule:
            mask |= _is_ruled(each)
        others = np.intersect1d(hunts[mask], hunts[_reshapes(each)])
        found[number] = mask | np.isin(hunts, others)
    return found


def _ids_of(ids: Mapping[int, Names], some: Mapping[int, Mask]) -> Names:
    """The players of some cells of all partitions, each once."""
    return np.unique(np.concatenate([np.zeros(0, np.uint64), *(ids[n][some[n]] for n in some)]))


def _is_deed(names: Names) -> Mask:
    """Which cells tell what a player did in its hunt: progress, score, and the hunt's edition."""
    deed: Mask = (tag(names) == PLAYER) & np.isin(names & np.uint64(7), (1, 3, 6))
    return deed


def _rejoins(changes: Changes) -> Mask:
    """Which cells bring a player into another hunt, or another edition of it."""
    word = changes.names & np.uint64(7)
    hunts: Mask = (changes.old ^ changes.new) >> np.uint64(8) & np.uint64(0xFF) != 0
    rejoins: Mask = (tag(changes.names) == PLAYER) & ((word == 6) | ((word == 4) & hunts))
    return rejoins


def sets_rule(changes: Changes) -> bool:
    """Tell whether the traffic rule is among the changes; the range of costs alone is none."""
    rules = np.isin(changes.names & INDEX, (6, 7))
    return bool(((tag(changes.names) == SINGLE) & rules).any())


def _is_ruled(changes: Changes) -> Mask:
    """The traffic rule, and edges that are to be warm."""
    tags, heat = tag(changes.names), changes.new >> np.uint64(16) & np.uint64(0xFF)
    ruled: Mask = (tags == SINGLE) | ((tags == EDGE) & (heat > 0))
    return ruled


def _hunts(names: Names) -> NDArray[np.int64]:
    """The slot of the hunt that each cell is of; -1 for those of none."""
    cells = np.zeros(256, np.int64)
    cells[[HUNT, STAGE, GATE, GATE_EDGE]] = 16, 16 * STAGES, 4 * GATES, GATE_EDGES
    size = cells[tag(names)]
    return np.where(size > 0, (names & INDEX).astype(np.int64) // np.maximum(size, 1), -1)


def _reshapes(changes: Changes) -> Mask:
    """Which cells change what others of their hunt are of: its stages, its gates, its edition."""
    tags, index = tag(changes.names), changes.names & np.uint64(15)
    hunt = (tags == HUNT) & ((index == 6) | ((index == 1) & _but_state(changes)))
    shapes: Mask = hunt | ((tags == STAGE) & (index == 0)) | ((tags == GATE) & (index % 4 == 0))
    return shapes


def _but_state(changes: Changes) -> Mask:
    """Which words differ above the eight bits that, in a hunt, tell whether it runs."""
    differs: Mask = (changes.old ^ changes.new) >> np.uint64(8) != 0
    return differs
