"""What players saw of their answers, a word for each: so that answers of two runs can be compared.

Guidance (next node, distance) is left out: it depends on when it was worked out.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.schema import UPDATE

__all__ = ["SEEN", "seen_of"]

SEEN: Final = ("code", "stage", "target", "found", "hint", "score", "node", "moved_to")
"""Fields of an answer that a player is taken to have seen."""
_ODD: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
_HALF: Final = np.uint64(32)


def seen_of(updates: NDArray[np.void]) -> NDArray[np.uint64]:
    """Give a hash of what was seen of each update (dtype UPDATE), shape (n,).

    Equal for equal answers; of unequal ones one in 2 ** 64 pairs is.
    """
    words = _words(updates)
    found = np.zeros(len(words), np.uint64)
    for word in np.flatnonzero(_BITS).tolist():
        found = (found ^ (words[:, word] & _BITS[word])) * _ODD
        found ^= found >> _HALF
    return found


def _words(updates: NDArray[np.void]) -> NDArray[np.uint64]:
    """The words of updates, shape (n, 8)."""
    return np.ascontiguousarray(updates).view(np.uint64).reshape(-1, UPDATE.itemsize // 8)


def _bits() -> NDArray[np.uint64]:
    """The bits of an update's words that are those of SEEN."""
    fields = np.zeros(1, UPDATE)
    for name in SEEN:
        fields[name].view(np.uint8)[...] = 0xFF
    bits: NDArray[np.uint64] = _words(fields)[0]
    return bits


_BITS: Final = _bits()
