"""An order of nodes for worlds without positions: near in the graph is near in memory."""

from __future__ import annotations

import numpy as np

from huntgraph.world.arrays import I64, U32, Bools, degrees_of


def slots_of(first: U32, nodes: U32) -> tuple[I64, I64]:
    """Give the slots of many rows, one row after the other, and the length of each row."""
    begin = first[nodes].astype(np.int64)
    length = first[nodes + np.uint32(1)].astype(np.int64) - begin
    before = np.cumsum(length) - length
    return np.repeat(begin - before, length) + np.arange(int(length.sum())), length


def reverse_cuthill_mckee(first: U32, head: U32) -> U32:
    """Give the nodes of symmetric rows in reverse Cuthill-McKee order: place -> node.

    Every connected part is walked breadth first from a node of least degree, neighbours of one
    node by degree, one level at a time; then the whole order is turned round. E. Cuthill and
    J. McKee, "Reducing the bandwidth of sparse symmetric matrices" (ACM 1969); A. George, 1971.
    """
    degrees = degrees_of(first)
    seen: Bools = degrees == 0
    levels: list[U32] = [np.flatnonzero(seen).astype(np.uint32)]
    for start in np.argsort(degrees, kind="stable").astype(np.uint32):
        if seen[start]:
            continue
        level = np.array([start], dtype=np.uint32)
        while len(level):
            seen[level] = True
            levels.append(level)
            level = _next_level(first, head, level, degrees, seen)
    return np.concatenate(levels)[::-1].copy()


def _next_level(first: U32, head: U32, level: U32, degrees: I64, seen: Bools) -> U32:
    slots, length = slots_of(first, level)
    parent = np.repeat(np.arange(len(level)), length)
    heads = head[slots]
    fresh = ~seen[heads]
    heads, parent = heads[fresh], parent[fresh]
    heads = heads[np.lexsort((heads, degrees[heads], parent))]
    # A node belongs to the first of its parents.
    _, places = np.unique(heads, return_index=True)
    return heads[np.sort(places)]
