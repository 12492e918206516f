"""Was guidance right? A sample of answers against SciPy's Dijkstra on the weights of their epochs.

The weights come from replaying the actor's log; nothing of the actor's own fields is used. SciPy is
imported when it is needed: it belongs to the extra ``bench``.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Engine, Records
from huntgraph.schema import UNREACHABLE, Flag, Kind
from huntgraph.timeline import Log
from huntgraph.world import World

__all__ = ["Verdict", "distances", "exact_for_epoch", "judge"]


class Verdict(NamedTuple):
    """How many answers were judged, and how many of them were wrong."""

    judged: int
    wrong: int


def exact_for_epoch(updates: Records) -> NDArray[np.bool_]:
    """Tell which updates claim to be exact for the epoch they name, shape (n,)."""
    wanted = Flag.CERTIFIED | Flag.EXACT_NOW | Flag.DUPLICATE
    return np.asarray(updates["flags"] & wanted == Flag.CERTIFIED)


def distances(world: World, weight: NDArray[np.int64], target: int) -> NDArray[np.int64]:
    """Give every node's distance to ``target``, shape (nodes,); ``weight`` 0 is no edge."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    real = weight > 0
    ends = world.head[real], world.tails()[real]
    graph = csr_array((weight[real].astype(float), ends), shape=(world.nodes, world.nodes))
    found = dijkstra(graph, directed=True, indices=target)
    return np.where(np.isinf(found), UNREACHABLE, found).astype(np.int64)


def judge(
    directory: Path,
    world: World,
    answers: Records,
    *,
    players: int,
    partition: int = 0,
    epochs: int = 8,
) -> Verdict:
    """Judge the answers that name one of up to ``epochs`` epochs, spread over all that are named.

    ``answers`` have dtype UPDATE and must be durable. One that does not stand in the log at its
    position (its actor was killed before that was on disk) is not judged.
    """
    answers = np.unique(answers[exact_for_epoch(answers) & (answers["position"] > 0)])
    named = np.unique(answers["epoch"])
    some = np.linspace(0, len(named) - 1, min(epochs, len(named))).astype(int)
    chosen = answers[np.isin(answers["epoch"], named[some])]
    chosen = chosen[np.argsort(chosen["position"], kind="stable")]
    stands = np.zeros(len(chosen), np.bool_)
    right = np.zeros(len(chosen), np.bool_)
    engine = Engine(world, players=players, fields=1)
    for part in Log(directory, world_id=world.world_id, partition=partition).records():
        moves, first = part.moves, part.first
        inside = np.arange(*np.searchsorted(chosen["position"], [first, first + len(moves)]))
        there = moves[chosen["position"][inside].astype(np.int64) - first]
        mine = chosen[inside]
        stands[inside] = (there["player"] == mine["player"]) & (there["seq"] == mine["seq"])
        ticks = np.flatnonzero(part.of(Kind.TICK) & np.isin(moves["arg"], named[some]))
        at = 0
        for tick in ticks.tolist():
            engine.apply(part.rows[at : tick + 1])
            at = tick + 1
            asked = np.flatnonzero(chosen["epoch"] == moves["arg"][tick])
            right[asked] = _right(engine, world, chosen[asked])
        engine.apply(part.rows[at:])
        engine.events()
    return Verdict(int(stands.sum()), int((stands & ~right).sum()))


def _right(engine: Engine, world: World, answers: Records) -> NDArray[np.bool_]:
    """Judge answers by the weights as they stand."""
    weight = np.where(engine.closed(), 0, engine.weights()).astype(np.int64)
    right = np.zeros(len(answers), np.bool_)
    for target in np.unique(answers["target"]).tolist():
        rows = np.flatnonzero(answers["target"] == target)
        away = distances(world, weight, target)
        for row in rows.tolist():
            node, step = int(answers["node"][row]), int(answers["next"][row])
            right[row] = away[node] == answers["distance"][row]
            if right[row] and node != target and away[node] != UNREACHABLE:
                edge = world.slot(node, step)
                right[row] = edge is not None and away[node] == weight[edge] + away[step]
    return right
