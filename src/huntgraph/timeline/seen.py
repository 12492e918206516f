"""What players saw of their answers, a word for each: so that answers of two runs can be compared.

Guidance (next node, distance) is left out: it depends on when it was worked out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from huntgraph import _core

__all__ = ["seen_of"]


def seen_of(updates: NDArray[np.void]) -> NDArray[np.uint64]:
    """Give a hash of what was seen of each update (dtype UPDATE), shape (n,).

    Seen are its code, stage, target, found, hint, score, node and moved_to. Equal for equal
    answers; of unequal ones one in 2 ** 64 pairs is.
    """
    return _core.seen_of(updates)
