"""Guidance to targets in other partitions, at every node, against one Dijkstra on the whole."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pytest

from huntgraph.schema import BEARING, Bearing, Kind
from tests.chart import Chart, Meddler, Records, WrongWayError
from tests.model.worlds import grid_world
from tests.partitions import Place, Rows

PARTS, WIDTH, HEIGHT = 4, 24, 9


def chart_of(seed: int, meddler: Meddler | None = None, *, ragged: bool = True) -> Chart:
    """A grid in vertical strips; ragged ones interlock, so that shortest ways cross and return."""
    print(f"seed {seed}")
    rng = Random(seed)
    rows = Rows(*grid_world(rng, WIDTH, HEIGHT))
    node = np.arange(WIDTH * HEIGHT)
    shift = np.array([rng.randrange(-2, 3) for _ in range(HEIGHT)])[node // WIDTH]
    column = (node % WIDTH + shift * ragged).clip(0, WIDTH - 1)
    owner = column * PARTS // WIDTH
    return Chart(rows, owner) if meddler is None else Chart(rows, owner, meddler)


def targets_of(chart: Chart, rng: Random) -> list[Place]:
    """A target in each part."""
    return [(part.partition, rng.randrange(part.own_nodes)) for part in chart.parts]


def disturb(chart: Chart, rng: Random, count: int) -> None:
    """Edges rise, fall, close and open; every other one leads over a border."""
    home = np.zeros(chart.nodes, np.int64)
    for part in chart.parts:
        home[part.whole[: part.own_nodes]] = part.partition
    real = np.flatnonzero(chart.rows.cost)
    border = real[home[chart.tail[real]] != home[chart.rows.head[real]]]
    for at in range(count):
        edge = int(rng.choice(border if at % 2 else real))
        kind = rng.choice([Kind.EDGE_PRICE, Kind.EDGE_PRICE, Kind.EDGE_CLOSE, Kind.EDGE_OPEN])
        chart.change(edge, kind, rng.choice([1, rng.randint(1, 40)]))


@pytest.mark.parametrize("ragged", [False, True])
def test_every_node_is_told_the_way_over_all_borders(seed: int, ragged: bool) -> None:
    chart, rng = chart_of(seed, ragged=ragged), Random(seed)
    chart.hunt(targets_of(chart, rng))
    chart.settle()
    chart.judge()
    others = sum(chart.nodes - part.own_nodes for part in chart.parts)
    assert chart.seen["judged"] == others, f"seed {seed}: {chart.seen}"
    assert chart.seen["over the border"] > 0


@pytest.mark.parametrize("run", range(3))
def test_answers_are_exact_for_their_epoch_while_weights_move(seed: int, run: int) -> None:
    rng = Random(seed + run)
    chart = chart_of(seed + run)
    chart.hunt(targets_of(chart, rng))
    for _ in range(12):
        disturb(chart, rng, 10)
        chart.pass_tick()
        disturb(chart, rng, 10)
        chart.judge()
    chart.settle()
    chart.judge()
    assert chart.seen["judged"] > 10 * chart.seen["uncertified"], f"seed {seed}: {chart.seen}"
    current = chart.weights()
    assert all((chart.epochs[chart.tick - back] == current).all() for back in range(8))


def test_a_target_that_is_cut_off_has_no_path_at_once(seed: int) -> None:
    """Outdated distances of two partitions do not keep each other alive."""
    chart, rng = chart_of(seed), Random(seed)
    targets = targets_of(chart, rng)
    chart.hunt(targets)
    chart.settle()
    owner, node = targets[0]
    goal = int(chart.parts[owner].whole[node])
    into = np.flatnonzero((chart.rows.head == goal) & (chart.rows.cost > 0))
    for edge in into:
        chart.change(int(edge), Kind.EDGE_CLOSE)
    chart.settle()
    chart.judge()
    assert chart.seen["no path"] >= chart.nodes - chart.parts[owner].own_nodes
    for edge in into:
        chart.change(int(edge), Kind.EDGE_OPEN)
    chart.settle()
    before = chart.seen["no path"]
    chart.judge()
    assert chart.seen["no path"] - before < chart.nodes


class Stale:
    """Tells of each node the least distance that was ever told of it: none rises again."""

    def __init__(self) -> None:
        self.least: dict[tuple[int, int, int], int] = {}

    def __call__(self, sender: int, _to: int, told: Records) -> Records:
        """Replace distances of ways by outdated ones."""
        told = told.copy()
        for at in np.flatnonzero(told["kind"] == Bearing.WAYS):
            pairs = told["entries"][at].view(np.uint32).reshape(-1, 2)
            for pair in pairs[: told["count"][at]]:
                key = sender, int(told["hunt"][at]), int(pair[0])
                self.least[key] = min(self.least.get(key, int(pair[1])), int(pair[1]))
                pair[1] = self.least[key]
        return told


class OtherRound:
    """Tells of each node what was told in the round before, with this round's number."""

    def __init__(self) -> None:
        self.told: dict[tuple[int, int, int], list[tuple[int, int]]] = {}

    def __call__(self, sender: int, _to: int, told: Records) -> Records:
        """Replace distances of ways by those of another round."""
        told = told.copy()
        for at in np.flatnonzero(told["kind"] == Bearing.WAYS):
            pairs = told["entries"][at].view(np.uint32).reshape(-1, 2)
            for pair in pairs[: told["count"][at]]:
                history = self.told.setdefault((sender, int(told["hunt"][at]), int(pair[0])), [])
                number = int(told["round"][at])
                history.append((number, int(pair[1])))
                earlier = [distance for of, distance in history if of < number]
                pair[1] = earlier[-1] if earlier else pair[1]
        return told


class Deaf:
    """One partition says that it took ways which it never got."""

    def __call__(self, _sender: int, to: int, told: Records) -> Records:
        """Empty the ways to partition 1; they are acknowledged all the same."""
        told = told.copy()
        ways = (told["kind"] == Bearing.WAYS) & (to == 1)
        told["count"][ways] = 0
        return told


def wander(chart: Chart, rng: Random) -> None:
    """Many changes, judged at rest after each lot."""
    for _ in range(20):
        chart.settle()
        chart.judge()
        disturb(chart, rng, 60)


@pytest.mark.parametrize("fault", [Stale, OtherRound, Deaf])
def test_the_judge_catches_a_planted_fault(seed: int, fault: Callable[[], Meddler]) -> None:
    chart, rng = chart_of(seed, fault()), Random(seed)
    chart.hunt(targets_of(chart, rng))
    with pytest.raises(WrongWayError):
        wander(chart, rng)


def test_a_round_that_a_neighbour_misses_is_not_certified(seed: int) -> None:
    chart, rng = chart_of(seed), Random(seed)
    chart.hunt(targets_of(chart, rng))
    chart.settle()
    for engine in chart.engines:
        engine.link(1, False)
    disturb(chart, rng, 10)
    for _ in range(80):
        chart.pass_tick()
    chart.seen.clear()
    chart.judge()
    assert chart.seen["uncertified"] > 0


@pytest.mark.parametrize(
    "record",
    [
        {"kind": Bearing.ASK, "from": 9},
        {"kind": Bearing.ASK, "from": 64},
        {"kind": 0, "from": 1},
        {"kind": 5, "from": 1},
        {"kind": Bearing.ASK, "from": 1, "hunt": 8},
        {"kind": Bearing.ASK, "from": 1, "stage": 64},
        {"kind": Bearing.WAYS, "from": 1, "count": 5},
    ],
)
def test_what_no_partition_says_is_refused(record: dict[str, int]) -> None:
    chart = chart_of(1)
    row = np.zeros(1, BEARING)
    for name, value in record.items():
        row[name] = value
    with pytest.raises(ValueError, match=r"."):
        chart.engines[0].take_bearings(row)


def test_bearings_of_any_content_do_no_harm(seed: int) -> None:
    """Random records that pass the checks: rounds fail or end, later ones are exact again."""
    chart, rng = chart_of(seed), np.random.default_rng(seed)
    chart.hunt(targets_of(chart, Random(seed)))
    for _ in range(200):
        rows = rng.integers(0, 256, (1, 64), np.uint8).view(BEARING)[0]
        rows["kind"], rows["from"] = rng.integers(1, 5), rng.choice([1, 2])
        rows["round"] = rng.integers(0, chart.tick + 2)
        rows["hunt_id"] = 7 + (rows["hunt"] % 4)
        rows["hunt"], rows["stage"], rows["count"] = rows["hunt"] % 4, 0, rows["count"] % 5
        sender = int(rows["from"][0])
        engine = chart.engines[1 if sender == 2 else 0]
        engine.take_bearings(rows)
        engine.work(1 << 20)
    for _ in range(150):
        chart.pass_tick()
    chart.settle()
    chart.seen.clear()
    chart.judge()
    assert chart.seen["uncertified"] == 0, f"seed {seed}: {chart.seen}"
