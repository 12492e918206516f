"""Kinds of records by what they are about."""

from __future__ import annotations

from typing import Final

from huntgraph.schema import Kind

__all__ = [
    "ALL_KINDS",
    "BORDER_KINDS",
    "CORRECTION_KINDS",
    "EDGE_KINDS",
    "HUNT_KINDS",
    "PLAYER_KINDS",
]

PLAYER_KINDS: Final = (Kind.ENTER, Kind.GO, Kind.LEAVE, Kind.CLAIM, Kind.HINT, Kind.STRIKE)
"""Records that take a player's number (rules, section 2)."""
EDGE_KINDS: Final = tuple(kind for kind in Kind if Kind.EDGE_CLOSE <= kind <= Kind.EDGE_ADD)
HUNT_KINDS: Final = tuple(kind for kind in Kind if Kind.HUNT_BEGIN <= kind <= Kind.HUNT_CLOSE)
BORDER_KINDS: Final = (Kind.ARRIVE, Kind.HANDED_ON, Kind.NOTICE)
CORRECTION_KINDS: Final = (Kind.FENCE, Kind.CORRECT, Kind.SETTLE)
ALL_KINDS: Final = (*PLAYER_KINDS, Kind.GRANT, *EDGE_KINDS, *HUNT_KINDS, *BORDER_KINDS)
"""Without the clock's records, TICK and HASH, which are found only when asked for."""
