"""Steps on a grid of cells: which may be taken, and the edges they give."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from huntgraph.errors import UsageError, WorldLimitError
from huntgraph.world.arrays import I32, Bools

STRAIGHT_STEPS = ((1, 0), (-1, 0), (0, 1), (0, -1))
DIAGONAL_STEPS = ((1, 1), (-1, -1), (1, -1), (-1, 1))
ALL_STEPS = STRAIGHT_STEPS + DIAGONAL_STEPS
"""The steps ``(dx, dy)``; x is the column, y the row, both from 0 at the top left."""

STRAIGHT, DIAGONAL = 13_860, 19_601
"""Costs of a straight and a diagonal step: 19,601 / 13,860 is a convergent of the square root of
two, right to 1.3e-9, and both fit 16 bits. A length is a cost divided by 13,860."""


class Window(NamedTuple):
    """The two views of a grid that a step joins: the cells it leaves and those it enters."""

    tail: tuple[slice, slice]
    head: tuple[slice, slice]


def window(dx: int, dy: int, width: int, height: int) -> Window:
    """Give the index expressions, rows first, of all cells with a neighbour at ``(dx, dy)``."""
    columns = slice(max(0, -dx), max(0, width - max(0, dx)))
    rows = slice(max(0, -dy), max(0, height - max(0, dy)))
    onto = (
        slice(rows.start + dy, max(0, rows.stop + dy)),
        slice(columns.start + dx, max(0, columns.stop + dx)),
    )
    return Window((rows, columns), onto)


def open_steps(mask: Bools, dx: int, dy: int) -> Bools:
    """Tell for each cell of a step's window whether the step may be taken.

    ``mask`` has shape ``(height, width)``, true where a cell is passable. A diagonal step needs
    both cells beside it passable too: corners are not cut.
    """
    height, width = mask.shape
    leave, enter = window(dx, dy, width, height)
    free = mask[leave] & mask[enter]
    if dx and dy:
        beside = mask[leave[0], enter[1]], mask[enter[0], leave[1]]
        free &= beside[0]
        free &= beside[1]
    return free


def grid_edges(
    mask: Bools, steps: tuple[tuple[int, int], ...]
) -> Iterator[tuple[tuple[int, int], I32, I32]]:
    """Give for each step the tails and heads of its edges, as cell numbers ``y * width + x``."""
    height, width = mask.shape
    cells = np.arange(height * width, dtype=np.int32).reshape(height, width)
    for dx, dy in steps:
        free = open_steps(mask, dx, dy)
        leave, enter = window(dx, dy, width, height)
        yield (dx, dy), cells[leave][free], cells[enter][free]


def number_cells(mask: Bools) -> I32:
    """Number the passable cells row by row: shape ``(height * width,)``, -1 where blocked."""
    flat = mask.reshape(-1)
    numbers = np.cumsum(flat, dtype=np.int32)
    numbers -= 1
    numbers[~flat] = -1
    return numbers


def cell_positions(mask: Bools) -> I32:
    """Give x and y of the passable cells, row by row: shape ``(nodes, 2)``."""
    y, x = np.nonzero(mask)
    return np.stack([x, y], axis=1).astype(np.int32)


def check_costs(straight: int, diagonal: int) -> None:
    """Refuse step costs that no world can hold. Raises UsageError."""
    for name, value in (("straight", straight), ("diagonal", diagonal)):
        if not 1 <= value <= 60_000:
            raise UsageError(f"{name}={value} is not a cost", fix="costs are 1..60,000")


def check_cells(width: int, height: int, where: object = "") -> None:
    """Refuse a grid that is too large to be numbered. Raises WorldLimitError."""
    if width * height > 2**28:
        side = math.isqrt(2**28)
        raise WorldLimitError(
            f"a grid of {width:,} x {height:,} cells is too large",
            where=where,
            fix=f"use at most {side:,} x {side:,} cells",
        )
