"""A grid whose cells come and go while hunts run, as edges removed and added; against SciPy.

The engine gets nothing but edge records. What it answers is compared with distances on a graph
that is made anew from the cells after each patch, and never from the engine.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from huntgraph.engine import Records, move
from huntgraph.schema import NONE, UNREACHABLE, Code, Kind
from huntgraph.world import World
from huntgraph.world.grid import ALL_STEPS, DIAGONAL, STRAIGHT, grid_edges
from tests import listed
from tests.contract.guide import Guide

WIDTH, HEIGHT = 23, 17
CELLS = WIDTH * HEIGHT
PATCHES = 24
GOALS = 4

Pairs = NDArray[np.int64]
"""Edges as tail * CELLS + head, ascending."""


class Step(NamedTuple):
    """What one patch led to."""

    removed: int
    added: int
    lost: int
    """Cells without a way to their goal, over all goals."""
    wrong: int
    """Answers that SciPy does not give."""


def pairs_of(cells: NDArray[np.bool_]) -> Pairs:
    """The steps between passable cells; corners are not cut."""
    parts = [tail.astype(np.int64) * CELLS + head for _, tail, head in grid_edges(cells, ALL_STEPS)]
    return np.sort(np.concatenate(parts))


def ends_of(pairs: Pairs) -> tuple[Pairs, Pairs, Pairs]:
    """Tails, heads and costs."""
    tail, head = np.divmod(pairs, CELLS)
    straight = (tail % WIDTH == head % WIDTH) | (tail // WIDTH == head // WIDTH)
    return tail, head, np.where(straight, STRAIGHT, DIAGONAL)


class Grid:
    """Cells that change, and an engine that is told of it by edge records alone."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.cells = rng.random((HEIGHT, WIDTH)) < 0.6
        tail, head, cost = ends_of(pairs_of(self.cells))
        world = World.from_edges(tail, head, cost, nodes=CELLS)
        self.slots = len(world.head)
        self.guide = Guide(world, added_edges=4 * CELLS)

    def patch(self, leave_out: int = 0) -> Step:
        """Overwrite a rectangle of cells and ask; so many of the records are left out."""
        before = pairs_of(self.cells)
        width, height = self.rng.integers(3, 9, 2)
        x, y = self.rng.integers(0, WIDTH - width), self.rng.integers(0, HEIGHT - height)
        fresh = self.rng.random((height, width)) < self.rng.choice([0.3, 0.7, 1.0])
        self.cells[y : y + height, x : x + width] = fresh
        after = pairs_of(self.cells)
        gone, new = np.setdiff1d(before, after), np.setdiff1d(after, before)
        records = np.concatenate([records_of(gone, False), records_of(new, True)])
        self.rng.shuffle(records)
        self.guide.apply(records[leave_out:])
        return self.ask(after, len(gone), len(new))

    def ask(self, pairs: Pairs, removed: int, added: int) -> Step:
        """Ask from every cell for some goals, and compare with SciPy."""
        tail, head, cost = ends_of(pairs)
        back = csr_array((cost.astype(np.float64), (head, tail)), shape=(CELLS, CELLS))
        goals = self.rng.choice(CELLS, GOALS, replace=False).tolist()
        lost = wrong = 0
        for goal, _, updates in self.guide.ask_all(goals, [np.arange(CELLS)] * GOALS):
            found = listed.distances(back, goal)
            away = np.where(np.isinf(found), UNREACHABLE, found).astype(np.int64)
            lost += int((away == UNREACHABLE).sum())
            wrong += int((updates["distance"] != away).sum())
            wrong += wrong_steps(updates, away, pairs)
        return Step(removed, added, lost, wrong)


def records_of(pairs: Pairs, add: bool) -> Records:
    """Records that add or remove these edges, shape (n,), dtype MOVE."""
    tail, head, cost = ends_of(pairs)
    kind = Kind.EDGE_ADD if add else Kind.EDGE_REMOVE
    return move(kind, from_=tail, to=head, arg=cost)


def wrong_steps(updates: Records, away: Pairs, pairs: Pairs) -> int:
    """How many are told a step that is no edge, or does not lie on a shortest way."""
    node = np.arange(CELLS)
    on_way = (away != UNREACHABLE) & (away != 0)
    step = updates["next"].astype(np.int64)
    astray = int((step[away == UNREACHABLE] != NONE).sum())
    told = node[on_way] * CELLS + step[on_way]
    there = np.isin(told, pairs)
    _, _, cost = ends_of(told)
    beyond = away[np.minimum(step[on_way], CELLS - 1)]
    return astray + int((~there | (beyond + cost != away[on_way])).sum())


def test_every_patch_of_a_running_grid_is_answered_as_scipy_does(seed: int) -> None:
    print(f"seed {seed}")
    grid = Grid(np.random.default_rng(seed))
    steps = [grid.patch() for _ in range(PATCHES)]
    assert [step.wrong for step in steps] == [0] * PATCHES
    assert sum(step.removed for step in steps) > 500
    assert sum(step.added for step in steps) > 500
    assert sum(step.lost for step in steps) > 0
    engine = grid.guide.engine
    tails, heads = engine.edges()
    assert len(tails) == len(heads) == len(engine.weights()) > grid.slots + 100
    real = engine.weights() > 0
    pairs = tails[real].astype(np.int64) * CELLS + heads[real]
    assert np.array_equal(np.sort(pairs), pairs_of(grid.cells))
    assert engine.state_hash() == engine.state_hash(anew=True)


@pytest.mark.parametrize("planted", [1, 2, 3, 5])
def test_records_left_out_of_a_patch_are_noticed(planted: int) -> None:
    """The comparison can fail. Some of the patches of other seeds lie where nobody passes."""
    grid = Grid(np.random.default_rng(planted))
    assert grid.patch(leave_out=20).wrong > 0


def test_more_edges_than_there_is_room_for_are_refused_one_by_one() -> None:
    world = World.from_edges([0], [1], [5], nodes=20)
    guide = Guide(world, added_edges=3)
    records = move(Kind.EDGE_ADD, from_=2, to=np.arange(3, 9), arg=4)
    codes = guide.engine.apply(records)["code"].tolist()
    assert codes == [Code.OK] * 3 + [Code.EDGES_FULL] * 3
    with pytest.raises(AssertionError, match="refused"):
        guide.apply(records)
