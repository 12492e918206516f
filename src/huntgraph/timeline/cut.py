"""Consistent cuts over partitions: nobody has taken what its sender has not yet sent.

A cut is one log position a partition. A parcel is sent at its cause and taken where the other
partition logged it; an acknowledgement is sent where the parcel was taken and received where
HANDED_ON was logged (rules, section 11). A cut is consistent when no message in it was received
before it was sent: the definition of Chandy and Lamport (1985), read off the logs afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.timeline.index import Index, PartitionIndex

__all__ = ["MESSAGE", "Cut", "Messages", "is_consistent"]

Cut = dict[int, int]
"""Log position by partition: the last one in the cut, 0 for none."""

MESSAGE: Final = np.dtype([("to", "u2"), ("at", "u8"), ("from", "u2"), ("sent", "u8")])
"""A message: received by partition `to` at position `at`, sent by `from` at position `sent`."""
NEVER: Final = np.iinfo(np.uint64).max


class Messages:
    """All messages between the partitions of an index, shape (n,), dtype MESSAGE.

    With `behind`, a consistent cut, those alone that were received behind it: no others matter to
    a cut that holds it.
    """

    def __init__(self, index: Index, behind: Mapping[int, int] | None = None) -> None:
        known = behind or {}
        parts = [(number, part, known.get(number, 0)) for number, part in index.of.items()]
        tables = [_parcels(number, _later(part.taken, known)) for number, part, known in parts]
        tables += [_acks(number, _later(part.acks, known), index) for number, part, known in parts]
        self.rows: NDArray[np.void] = np.concatenate([np.zeros(0, MESSAGE), *tables])

    def shrink(self, cut: Mapping[int, int]) -> Cut:
        """Give the greatest consistent cut that is nowhere beyond `cut`."""
        found = dict(cut)
        while len(bad := self._early(found)):
            # What the receiver did from its first early message on is not in the cut.
            for number in np.unique(bad["to"]).tolist():
                found[number] = int(bad["at"][bad["to"] == number].min()) - 1
        return found

    def past(self, cut: Mapping[int, int]) -> Cut:
        """Give the least consistent cut that holds all of `cut`."""
        found = dict(cut)
        while len(bad := self._early(found)):
            for number in np.unique(bad["from"]).tolist():
                found[number] = int(bad["sent"][bad["from"] == number].max())
        return found

    def _early(self, cut: Cut) -> NDArray[np.void]:
        """Messages in the cut whose sending is not."""
        size = max(cut, default=0) + 1
        upto = np.zeros(size, np.uint64)
        for number, position in cut.items():
            upto[number] = max(position, 0)
        rows = self.rows
        early = (rows["at"] <= upto[rows["to"]]) & (rows["sent"] > upto[rows["from"]])
        found: NDArray[np.void] = rows[early]
        return found


def is_consistent(cut: Mapping[int, int], messages: Messages) -> bool:
    """Tell whether no message in the cut was received before it was sent."""
    return messages.shrink(cut) == dict(cut)


def _later(received: NDArray[np.void], position: int) -> NDArray[np.void]:
    """What was received behind a position; all are in the order of the log."""
    return received[np.searchsorted(received["position"], position, side="right") :]


def _parcels(number: int, taken: NDArray[np.void]) -> NDArray[np.void]:
    table = np.zeros(len(taken), MESSAGE)
    table["to"], table["at"] = number, taken["position"]
    table["from"], table["sent"] = taken["from"], taken["cause"]
    return table


def _acks(number: int, acks: NDArray[np.void], index: Index) -> NDArray[np.void]:
    table = np.zeros(len(acks), MESSAGE)
    table["to"], table["at"], table["from"] = number, acks["position"], acks["to"]
    for peer in np.unique(acks["to"]).tolist():
        mine = acks["to"] == peer
        table["sent"][mine] = _when_taken(index.of[peer], number, acks["number"][mine])
    return table


def _when_taken(
    peer: PartitionIndex, origin: int, numbers: NDArray[np.uint64]
) -> NDArray[np.uint64]:
    """Where a partition took parcels: 0 when before its log begins, NEVER when not yet."""
    known, positions = peer.taken_at(origin)
    at = np.searchsorted(known, numbers)
    padded = np.append(positions, np.uint64(NEVER))
    before = numbers < (known[0] if len(known) else NEVER)
    return np.where(before & (peer.first > 1), 0, padded[at]).astype(np.uint64)
