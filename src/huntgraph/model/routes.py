"""Least distances to a target by a plain Dijkstra on the reversed graph (rules, section 9)."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from huntgraph.model.state import Partition
from huntgraph.schema import NONE, UNREACHABLE

Weights = NDArray[np.uint16]
Distances = NDArray[np.int64]

SHUT = 65535
"""The routing weight of a closed edge; greater than any real one."""


def routing_weights(state: Partition) -> Weights:
    """Weights of all slots, shape (E,), with SHUT where an edge cannot be walked."""
    return np.where(state.closed, SHUT, state.weights()).astype(np.uint16)


def _for_now(state: Partition, weights: Weights) -> Weights:
    """Weights of an earlier time for all slots in use now: those added since were no edges."""
    return np.pad(weights, (0, len(state.head) - len(weights)), constant_values=SHUT)


def distances(state: Partition, target: int, weights: Weights) -> Distances:
    """Least sum of routing weights from each node to `target`, shape (nodes,); else UNREACHABLE.

    The weights may be those of an earlier time, when fewer slots were in use.
    """
    weights = _for_now(state, weights)
    into: list[list[tuple[int, int]]] = [[] for _ in range(state.nodes)]
    rows = zip(state.tail.tolist(), state.head.tolist(), weights.tolist(), strict=True)
    for tail, head, weight in rows:
        if weight != SHUT:
            into[head].append((tail, weight))
    found = [UNREACHABLE] * state.nodes
    queue = [(0, target)]
    while queue:
        distance, node = heappop(queue)
        if distance >= found[node]:
            continue
        found[node] = distance
        for tail, weight in into[node]:
            if distance + weight < found[tail]:
                heappush(queue, (distance + weight, tail))
    return np.array(found, np.int64)


def next_node(state: Partition, node: int, away: Distances, weights: Weights) -> int:
    """The head of the first slot of `node`'s row on a least way, else NONE."""
    weights = _for_now(state, weights)
    if away[node] in (0, UNREACHABLE):
        return NONE
    for edge in state.row(node):
        head, weight = int(state.head[edge]), int(weights[edge])
        if weight != SHUT and away[head] != UNREACHABLE and away[head] + weight == away[node]:
            return head
    raise AssertionError(f"node {node} has a distance but no way: the model is wrong")
