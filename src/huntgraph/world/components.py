"""The largest connected part of a grid, found by runs of cells and label hooking.

The labels follow Shiloach and Vishkin, "An O(log n) parallel connectivity algorithm" (Journal of
Algorithms 3, 1982): every round hooks each root to a smaller neighbouring one and then shortens
all paths, here as whole-array operations.
"""

from __future__ import annotations

import numpy as np

from huntgraph.world.arrays import I32, Bools


def largest_component(mask: Bools) -> Bools:
    """Keep the largest part of ``mask``, shape ``(height, width)``, joined by straight steps.

    With diagonal steps that cut no corner the parts are the same. Of parts of equal size the one
    met first, row by row, is kept.
    """
    run = _number_runs(mask)
    lengths = np.bincount(run[mask])
    if not len(lengths):
        return mask.copy()
    upper, lower = _touching_runs(mask, run)
    root = join(len(lengths), upper, lower)
    sizes = np.bincount(root, weights=lengths)
    keep: Bools = root == int(sizes.argmax())
    kept: Bools = mask & keep[run]
    return kept


def join(count: int, a: I32, b: I32) -> I32:
    """Label ``count`` items joined by the pairs ``a[i]``, ``b[i]``: the least item of each part."""
    parent = np.arange(count, dtype=np.int32)
    while True:
        left, right = parent[a], parent[b]
        apart = left != right
        if not apart.any():
            return parent
        a, b, left, right = a[apart], b[apart], left[apart], right[apart]
        # Only roots are hooked, and only to smaller ones, so no cycle can arise.
        parent[np.maximum(left, right)] = np.minimum(left, right)
        while True:
            above = parent[parent]
            if np.array_equal(above, parent):
                break
            parent = above


def _number_runs(mask: Bools) -> I32:
    starts = mask.copy()
    starts[:, 1:] &= ~mask[:, :-1]
    run = np.cumsum(starts.reshape(-1), dtype=np.int32).reshape(mask.shape)
    run -= 1
    # Cells before the first run have no number; any will do, for they are masked out.
    return np.maximum(run, 0, out=run)


def _touching_runs(mask: Bools, run: I32) -> tuple[I32, I32]:
    both = mask[:-1] & mask[1:]
    fresh = both.copy()
    # Two runs touch in one stretch of columns; its first column stands for all of it.
    fresh[:, 1:] &= ~both[:, :-1]
    return run[:-1][fresh], run[1:][fresh]
