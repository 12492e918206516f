"""Kinds of records by what they are about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import Kind

__all__ = [
    "ALL_KINDS",
    "BORDER_KINDS",
    "CORRECTION_KINDS",
    "EDGE_KINDS",
    "HUNT_KINDS",
    "PLAYER_KINDS",
    "ROW_KINDS",
    "among",
]

PLAYER_KINDS: Final = (Kind.ENTER, Kind.GO, Kind.LEAVE, Kind.CLAIM, Kind.HINT, Kind.STRIKE)
"""Records that take a player's number (rules, section 2)."""
EDGE_KINDS: Final = tuple(kind for kind in Kind if Kind.EDGE_CLOSE <= kind <= Kind.EDGE_ADD)
HUNT_KINDS: Final = tuple(kind for kind in Kind if Kind.HUNT_BEGIN <= kind <= Kind.HUNT_CLOSE)
ROW_KINDS: Final = tuple(kind for kind in Kind if Kind.HUNT_BEGIN <= kind <= Kind.HUNT_PUBLISH)
"""Records laid out as rows of hunts."""
BORDER_KINDS: Final = (Kind.ARRIVE, Kind.HANDED_ON, Kind.NOTICE)
CORRECTION_KINDS: Final = (Kind.FENCE, Kind.CORRECT, Kind.SETTLE)
ALL_KINDS: Final = (*PLAYER_KINDS, Kind.GRANT, *EDGE_KINDS, *HUNT_KINDS, *BORDER_KINDS)
"""Without the clock's records, TICK and HASH, which are found only when asked for."""


def among(kinds: NDArray[Any], wanted: Iterable[int]) -> NDArray[np.bool_]:
    """Tell of each kind (of records or events, below 256), whether it is one of those wanted."""
    is_wanted = np.zeros(256, np.bool_)
    is_wanted[list(wanted)] = True
    found: NDArray[np.bool_] = is_wanted[kinds]
    return found
