"""Rounds that last over ticks, with all that can happen in the middle of one.

Partitions keep weights of ticks of their own then, so each answer that claims to be exact is judged
between two Dijkstras of the whole world: on the least and on the greatest weights since its epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from huntgraph.schema import UNREACHABLE, Flag, Kind
from tests.chart import Chart, Meddler, WrongWayError, solve
from tests.contract.test_guidance_borders import Deaf, OtherRound, Stale, chart_of, targets_of

TICKS = 90
"""More than the 64 after which own fields are cut back to the border."""
EXACT = Flag.CERTIFIED | Flag.EXACT_NOW


def judge_within(chart: Chart, rng: Random) -> int:
    """Ask some nodes of every partition for every target; the number of answers judged.

    Raises WrongWayError for the first that no weights since its epoch bear out.
    """
    judged = 0
    spans: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}
    for part in chart.parts:
        for hunt, (owner, node) in enumerate(chart.targets):
            asked = [rng.randrange(part.own_nodes) for _ in range(8)]
            for answer in chart.ask(part.partition, hunt, asked):
                if answer["flags"] & EXACT != Flag.CERTIFIED:
                    continue
                goal = int(chart.parts[owner].whole[node])
                key = int(answer["epoch"]), goal
                if key not in spans:
                    spans[key] = span(chart, *key)
                least, most = (int(away[part.whole[answer["node"]]]) for away in spans[key])
                judged += 1
                if not least <= int(answer["distance"]) <= most:
                    raise WrongWayError(f"between {least} and {most}, not as {answer} says")
    return judged


def span(chart: Chart, epoch: int, goal: int) -> tuple[np.ndarray, np.ndarray]:
    """Distance of every node to a goal on the least and the greatest weights since an epoch."""
    seen = np.stack([chart.epochs[tick] for tick in range(epoch, chart.tick + 1)])
    open_ = np.where(seen > 0, seen, UNREACHABLE).min(axis=0)
    least = np.where(open_ < UNREACHABLE, open_, 0)
    most = np.where((seen > 0).all(axis=0), seen.max(axis=0), 0)
    return tuple(  # type: ignore[return-value]
        solve(chart.tail, chart.rows.head, weights, chart.nodes, goal) for weights in (least, most)
    )


class Weather:
    """Changes of edges from tick to tick: prices, closures, removed edges and added ones."""

    def __init__(self, chart: Chart, rng: Random) -> None:
        self.chart, self.rng = chart, rng
        self.real = np.flatnonzero(chart.rows.cost).tolist()
        self.removed: list[int] = []

    def change(self, count: int) -> None:
        """Let so many edges change."""
        for _ in range(count):
            edge, choice = self.rng.choice(self.real), self.rng.random()
            if self.removed and choice < 0.15:
                self.chart.change(self.removed.pop(0), Kind.EDGE_ADD, self.rng.randint(1, 40))
            elif edge in self.removed:
                continue
            elif choice < 0.3:
                self.chart.change(edge, Kind.EDGE_REMOVE)
                self.removed.append(edge)
            else:
                kind = self.rng.choice([Kind.EDGE_PRICE, Kind.EDGE_CLOSE, Kind.EDGE_OPEN])
                self.chart.change(edge, kind, self.rng.choice([1, self.rng.randint(1, 40)]))


def live_through(
    chart: Chart, rng: Random, carries: int, happens: Callable[[int], None]
) -> tuple[int, int]:
    """Pass many ticks with everybody asking; answers judged, and rounds that were answered from."""
    chart.hunt(targets_of(chart, rng))
    judged, epochs = 0, set[int]()
    for tick in range(TICKS):
        happens(tick)
        chart.settle(1, carries)
        judged += judge_within(chart, rng)
        epochs.add(int(chart.ask(0, 1, [0])[0]["epoch"]))
    return judged, len(epochs)


@pytest.mark.parametrize("carries", [1, 3, 10_000])
def test_rounds_over_several_ticks_are_exact_while_edges_come_and_go(
    seed: int, carries: int
) -> None:
    """They overlap and rest on two epochs; the next one begins as the last one ends."""
    rng, chart = Random(seed), chart_of(seed)
    weather = Weather(chart, rng)
    judged, epochs = live_through(chart, rng, carries, lambda _: weather.change(12))
    assert judged > 20 * TICKS, f"seed {seed}"
    # A carry takes a record from neighbour to neighbour: a round of one a tick takes some fifteen.
    assert epochs >= {1: 3, 3: 8}.get(carries, TICKS // 2), f"seed {seed}"


@pytest.mark.parametrize("carries", [2, 10_000])
def test_a_partition_that_dies_in_the_middle_of_rounds_spoils_none(seed: int, carries: int) -> None:
    """Its neighbours lose it and find it again, over and over; then all is exact again.

    With two carries a tick few rounds end before it dies, in some worlds none.
    """
    judged = [live_and_die(seed + world, carries) for world in range(6)]
    enough = sum(judged) > 5 * TICKS if carries == 2 else min(judged) > 5 * TICKS
    assert enough, f"seed {seed}: {judged}"


def live_and_die(seed: int, carries: int) -> int:
    rng, chart = Random(seed), chart_of(seed)
    weather = Weather(chart, rng)

    def lose_and_find(tick: int) -> None:
        weather.change(6)
        if tick % 7 in (3, 5):
            for part in chart.parts:
                chart.engines[part.partition].link(1, tick % 7 == 5)
                chart.engines[1].link(part.partition, tick % 7 == 5)

    judged, _ = live_through(chart, rng, carries, lose_and_find)
    for part in chart.parts:
        chart.engines[part.partition].link(1, True)
        chart.engines[1].link(part.partition, True)
    chart.settle(150)
    chart.seen.clear()
    chart.judge()
    assert chart.seen["uncertified"] == 0, f"seed {seed}: {chart.seen}"
    return judged


def test_distances_that_rise_at_a_border_rise_everywhere(seed: int) -> None:
    """Each edge of one partition gets dearer from tick to tick, and then cheap again."""
    rng, chart = Random(seed), chart_of(seed)
    rise(chart, rng)


def rise(chart: Chart, rng: Random) -> None:
    """Let the prices of a partition between others rise and fall, and judge all the while."""
    edges = [int(edge) for edge in chart.own[1] if chart.rows.cost[edge] > 0]

    def price(tick: int) -> None:
        for edge in edges:
            chart.change(edge, Kind.EDGE_PRICE, 1 + 8 * (tick % 6))

    live_through(chart, rng, 10_000, price)


@pytest.mark.parametrize("fault", [Stale, OtherRound, Deaf])
def test_the_judge_of_rounds_that_last_catches_a_planted_fault(
    seed: int, fault: Callable[[], Meddler]
) -> None:
    chart, rng = chart_of(seed, fault()), Random(seed)
    with pytest.raises(WrongWayError):
        rise(chart, rng)


def test_where_rounds_end_the_own_field_grows_again(seed: int) -> None:
    """An own field is cut back to the border while rounds answer; without neighbours it is all."""
    rng, chart = Random(seed), chart_of(seed)
    targets = targets_of(chart, rng)
    chart.hunt(targets)
    chart.settle(70)
    for part in chart.parts:
        for other in chart.parts:
            chart.engines[part.partition].link(other.partition, False)
    chart.settle(5)
    for hunt, (owner, node) in enumerate(targets):
        part = chart.parts[owner]
        tails = np.repeat(np.arange(len(part.whole)), np.diff(part.first))
        inside = (tails < part.own_nodes) & (part.head < part.own_nodes)
        edges = tails[inside], part.head[inside], part.cost[inside]
        within = solve(*edges, len(part.whole), node)[: part.own_nodes]
        told = chart.ask(owner, hunt, np.arange(part.own_nodes))
        pending = told["flags"] & Flag.PENDING != 0
        assert pending.tolist() == (within == UNREACHABLE).tolist(), f"seed {seed}"
        assert told["distance"][~pending].tolist() == within[~pending].tolist()
