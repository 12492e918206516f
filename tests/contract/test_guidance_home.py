"""Guidance to targets of the own partition, where ways lead out over a border and in again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from unittest import mock

import numpy as np
import pytest
from numpy.typing import ArrayLike

from huntgraph.schema import UNREACHABLE, Flag, Kind
from tests.chart import Chart, Records, WrongWayError
from tests.contract.test_guidance_borders import chart_of, disturb, targets_of
from tests.model.worlds import world_of
from tests.partitions import Rows

GOAL, START = 4, 0


def ladder() -> Chart:
    """Two rows of five nodes with a part each: the target's own row is slow, the other is fast."""
    edges = []
    for at in range(4):
        edges += [(at, at + 1, 30), (at + 1, at, 30), (5 + at, 6 + at, 1), (6 + at, 5 + at, 1)]
    for at in range(5):
        edges += [(at, 5 + at, 1), (5 + at, at, 1)]
    return Chart(Rows(*world_of(10, edges)), np.repeat([0, 1], 5))


def test_a_way_out_and_in_again_is_told() -> None:
    chart = ladder()
    chart.hunt([(0, GOAL)])
    chart.settle()
    chart.judge(at_home=True)
    told = chart.ask(0, 0, [START])[0]
    assert told["flags"] & (Flag.CERTIFIED | Flag.EXACT_NOW) == Flag.CERTIFIED
    assert (told["distance"], chart.parts[0].whole[told["next"]]) == (6, 5)
    assert chart.seen["uncertified"] == 0


def test_without_neighbours_only_what_no_border_can_shorten_is_certified() -> None:
    chart = ladder()
    chart.hunt([(0, GOAL)])
    chart.engines[0].link(1, False)
    chart.settle()
    chart.judge(at_home=True)
    told = chart.ask(0, 0, [START])[0]
    assert told["distance"] == 120
    assert told["flags"] & (Flag.CERTIFIED | Flag.EXACT_NOW | Flag.GUIDED) == Flag.GUIDED
    assert chart.seen["uncertified"] > 0


@pytest.mark.parametrize("run", range(4))
def test_answers_at_home_are_exact_over_all_partitions(seed: int, run: int) -> None:
    """Interlocking borders; weights rise, fall, close and open between the answers."""
    rng = Random(seed + run)
    chart = chart_of(seed + run)
    targets = targets_of(chart, rng)
    chart.hunt(targets)
    for _ in range(8):
        disturb(chart, rng, 10)
        chart.pass_tick()
        disturb(chart, rng, 10)
        chart.judge(at_home=True)
    chart.settle()
    chart.seen.clear()
    chart.judge(at_home=True)
    assert chart.seen["uncertified"] == 0, f"seed {seed}: {chart.seen}"
    assert chart.seen["over the border"] > 0, "no way led out and in again"
    assert chart.seen["exact now"] > 0


def test_a_target_that_is_cut_off_at_home_has_no_path(seed: int) -> None:
    chart, rng = chart_of(seed), Random(seed)
    (owner, node), *_ = targets = targets_of(chart, rng)
    chart.hunt(targets)
    goal = int(chart.parts[owner].whole[node])
    for edge in np.flatnonzero((chart.rows.head == goal) & (chart.rows.cost > 0)):
        chart.change(int(edge), Kind.EDGE_CLOSE)
    chart.settle(20)
    chart.judge(at_home=True)
    assert chart.seen["no path"] >= chart.parts[owner].own_nodes - 1


def test_hunters_beyond_the_first_reach_are_told_in_later_rounds(seed: int) -> None:
    """A corridor of some hundred edges over six partitions, hunted from its other end."""
    width, rng = 360, Random(seed)
    edges = [(at, at + 1, rng.randint(5, 9)) for at in range(width - 1)]
    edges += [(head, tail, cost) for tail, head, cost in edges]
    chart = Chart(Rows(*world_of(width, edges)), np.arange(width) // (width // 6))
    chart.hunt([(5, width // 6 - 1)])
    far = chart.ask(0, 0, [0])[0]
    assert far["flags"] & Flag.PENDING
    ticks = 0
    while not chart.ask(0, 0, [0])[0]["flags"] & Flag.CERTIFIED:
        chart.pass_tick()
        ticks += 1
        assert ticks < 60
    assert ticks > 3, "the first round reached everybody"
    chart.settle()
    chart.judge()
    assert chart.seen["uncertified"] == 0
    assert chart.seen["judged"] == width - width // 6


@pytest.mark.parametrize("carries", [1, 2, 5])
def test_rounds_that_last_and_overlap_end_all_the_same(seed: int, carries: int) -> None:
    """None waits for another for ever, and epochs move on between them."""
    rng, chart = Random(seed), chart_of(seed)
    targets = targets_of(chart, rng)
    chart.hunt(targets + targets_of(chart, rng))
    for _ in range(6):
        disturb(chart, rng, 20)
        chart.settle(6, carries)
    chart.settle(120, carries)
    for at_home in (False, True):
        chart.seen.clear()
        chart.judge(at_home=at_home)
        assert chart.seen["uncertified"] == 0, f"seed {seed}: {chart.seen}"
    told = chart.ask(0, 1, [0])[0]
    assert chart.tick - told["epoch"] < 60, "rounds have stopped"


@contextmanager
def taken_at_its_word() -> Iterator[None]:
    """Plant a fault: whatever a partition says of its own targets counts as certified."""
    enter = Chart.ask

    def ask(chart: Chart, partition: int, hunt: int, nodes: ArrayLike) -> Records:
        told = enter(chart, partition, hunt, nodes)
        at_home = chart.targets[hunt][0] == partition
        known = told["distance"] != UNREACHABLE
        told["flags"][known & at_home] |= np.uint8(Flag.CERTIFIED)
        return told

    with mock.patch.object(Chart, "ask", ask):
        yield


def test_the_judge_catches_ways_within_the_partition_that_are_said_to_be_exact() -> None:
    chart = ladder()
    chart.hunt([(0, GOAL)])
    chart.engines[0].link(1, False)
    chart.settle()
    with taken_at_its_word(), pytest.raises(WrongWayError):
        chart.judge(at_home=True)
