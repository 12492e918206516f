"""An order of nodes by their edges: near in the graph is near in memory."""

from __future__ import annotations

import numpy as np

from huntgraph.world.arrays import I32, I64, U32, Bools, degrees_of
from huntgraph.world.components import join


def slots_of(first: U32, nodes: U32) -> tuple[I64, I64]:
    """Give the slots of many rows, one row after the other, and the length of each row."""
    begin = first[nodes].astype(np.int64)
    length = first[nodes + np.uint32(1)].astype(np.int64) - begin
    before = np.cumsum(length) - length
    return np.repeat(begin - before, length) + np.arange(int(length.sum())), length


def reverse_cuthill_mckee(first: U32, head: U32, block: I64) -> U32:
    """Give the nodes of symmetric rows, each block in reverse Cuthill-McKee order: place -> node.

    Every connected part of a block is walked breadth first from a node of least degree, neighbours
    of one node by degree, one level of all parts at a time; then the order is turned round. E.
    Cuthill and J. McKee, "Reducing the bandwidth of sparse symmetric matrices" (ACM 1969);
    A. George, 1971.

    Args:
        first: where each row begins in ``head``, shape ``(nodes + 1,)``.
        head: the node each slot leads to.
        block: a number for each node, shape ``(nodes,)``: blocks come in order of it, and edges
            between them are not walked.
    """
    degrees = degrees_of(first)
    part = _parts(head, block, degrees)
    starts = np.lexsort((degrees, part)).astype(np.uint32)
    level = starts[np.unique(part[starts], return_index=True)[1]]
    seen: Bools = np.zeros(len(degrees), dtype=np.bool_)
    levels: list[U32] = []
    while len(level):
        seen[level] = True
        levels.append(level)
        level = _next_level(first, head, level, part, degrees, seen)
    order: U32 = np.concatenate([*levels, level])[::-1]
    turned: U32 = order[np.lexsort((part[order], block[order]))]
    return turned


def _parts(head: U32, block: I64, degrees: I64) -> I32:
    """Give the connected part of a block that each node is of, by its least node."""
    tail = np.repeat(np.arange(len(degrees), dtype=np.int32), degrees)
    heads = head.astype(np.int32)
    within = block[tail] == block[heads]
    return join(len(degrees), tail[within], heads[within])


def _next_level(first: U32, head: U32, level: U32, part: I32, degrees: I64, seen: Bools) -> U32:
    slots, length = slots_of(first, level)
    parent = np.repeat(np.arange(len(level)), length)
    heads = head[slots]
    fresh: Bools = ~seen[heads] & (part[heads] == part[level[parent]])
    heads, parent = heads[fresh], parent[fresh]
    heads = heads[np.lexsort((heads, degrees[heads], parent))]
    # A node belongs to the first of its parents.
    _, places = np.unique(heads, return_index=True)
    found: U32 = heads[np.sort(places)]
    return found
