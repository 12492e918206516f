"""Was guidance over borders right? Last answers of all partitions against the whole world.

A round rests on weights of each partition at some tick between the epoch that an answer names and
the answer itself. So each distance must lie between those of two plain Dijkstras of the whole
world: one on the least, one on the greatest weight that each edge had in that time, replayed from
the logs. Where no edge on the way changed both are the same, and the answer must be too.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from huntgraph.bench.crew import Crew
from huntgraph.bench.oracle import Verdict
from huntgraph.engine import Engine, Records
from huntgraph.schema import UNREACHABLE, Flag, Kind
from huntgraph.timeline import Log
from huntgraph.world import Parts

__all__ = ["judge_whole"]

SLACK: Final = 4
"""Ticks by which partitions may have been asked apart."""
CLOSED: Final = 65_535
"""In place of a weight: more than any."""


class Edges(NamedTuple):
    """Edges that can be walked, and their weights; nodes are those of the whole world."""

    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    weight: NDArray[np.int64]


def judge_whole(
    crews: list[Crew], parts: Parts, told: list[Records], asked: list[int], goals: list[int]
) -> Verdict:
    """Judge each partition's last answers, ``told``, that claim to be exact.

    ``asked`` is the tick of each partition when they came, ``goals`` are the targets by hunt slot,
    nodes of the whole world. The answers must be durable.
    """
    exact = [rows[rows["flags"] & (Flag.CERTIFIED | Flag.EXACT_NOW) != 0] for rows in told]
    oldest = max((int((rows["tick"] - rows["epoch"]).max(initial=0)) for rows in exact), default=0)
    spans = [range(tick - oldest - SLACK, tick + SLACK) for tick in asked]
    low, high = (_distances(edges, parts.nodes, goals) for edges in _whole(crews, parts, spans))
    judged = wrong = 0
    for slot in range(len(goals)):
        mine = [
            rows[crew.wanderers.slot[rows["echo"].astype(np.intp)] == slot]
            for crew, rows in zip(crews, exact, strict=True)
        ]
        nodes = [parts.global_ids(at, rows["node"]) for at, rows in enumerate(mine)]
        claimed = np.concatenate([rows["distance"] for rows in mine]).astype(np.int64)
        here = np.concatenate(nodes)
        least, most = low[slot, here], high[slot, here]
        judged += len(claimed)
        wrong += int(np.count_nonzero((claimed < least) | (claimed > most)))
    return Verdict(judged, wrong)


def _whole(crews: list[Crew], parts: Parts, ticks: list[range]) -> tuple[Edges, Edges]:
    """Give the whole world with the least and with the greatest weights in these ticks."""
    low, high = [], []
    for crew, world in zip(crews, parts, strict=True):
        assert world.part is not None
        tails = world.tails()
        own = tails < world.part.own_nodes
        ends = (
            world.part.global_ids[tails[own]].astype(np.int64),
            world.part.global_ids[world.head[own]].astype(np.int64),
        )
        least, greatest = _span(crew, ticks[crew.number])
        low.append(Edges(*ends, least[own]))
        high.append(Edges(*ends, greatest[own]))
    return _joined(low), _joined(high)


def _joined(edges: list[Edges]) -> Edges:
    whole = Edges(*(np.concatenate(columns) for columns in zip(*edges, strict=True)))
    can = whole.weight < UNREACHABLE
    return Edges(*(column[can] for column in whole))


def _span(crew: Crew, ticks: range) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Replay a partition's log: least and greatest weight of each slot in some of its ticks.

    UNREACHABLE where it was closed: the greatest when it ever was, the least when it always was.
    """
    engine = Engine(crew.world, players=crew.options.players, fields=1)
    directory, number = crew.supervisor.options.directory, crew.number
    log = Log(directory, world_id=crew.world.world_id, partition=number)
    seen = []
    for part in log.records():
        at = 0
        for row in np.flatnonzero(part.of(Kind.TICK)).tolist():
            # Weights rise between ticks and fall at them: those before and after tell all.
            for upto in (row, row + 1):
                engine.apply(part.rows[at:upto])
                at = upto
                if part.moves["arg"][row] in ticks:
                    seen.append(_routing(engine))
            engine.events()
        engine.apply(part.rows[at:])
        engine.events()
    if engine.tick + 1 in ticks:
        seen.append(_routing(engine))
    spans = (np.minimum.reduce(seen), np.maximum.reduce(seen))
    low, high = (np.where(span == CLOSED, UNREACHABLE, span.astype(np.int64)) for span in spans)
    return low, high


def _routing(engine: Engine) -> NDArray[np.uint16]:
    """Give the weight of each slot now, CLOSED where nobody can walk."""
    weights = engine.weights()
    return np.where(engine.closed() | (weights == 0), CLOSED, weights).astype(np.uint16)


def _distances(edges: Edges, nodes: int, goals: list[int]) -> NDArray[np.int64]:
    """Give the distance of every node to each goal, shape (goals, nodes)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    graph = csr_array((edges.weight.astype(float), (edges.head, edges.tail)), shape=(nodes, nodes))
    found = dijkstra(graph, directed=True, indices=goals)
    return np.where(np.isinf(found), UNREACHABLE, found).astype(np.int64)
