"""Reader of the dynamic track of the Grid-Based Path Planning Competition.

A scenario (``.scen``, version 2) begins with a grid that is open everywhere; its commands are
queries and patches in turn, and a patch (from a ``.patch`` file) overwrites a rectangle of cells.
The world holds every step of the open grid, so that a patch is a list of edges to close and to
open: changes to a running hunt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from huntgraph.errors import SourceError, UsageError
from huntgraph.world.arrays import I32, Bools
from huntgraph.world.grid import ALL_STEPS, DIAGONAL, STRAIGHT, check_cells, open_steps, window
from huntgraph.world.movingai import Lines, Query, read_query
from huntgraph.world.octile import octile_world
from huntgraph.world.world import World


class Patch(NamedTuple):
    """Paste patch number ``patch`` with its top left cell at ``(x, y)``."""

    bucket: int
    patch: int
    x: int
    y: int


class EdgeChanges(NamedTuple):
    """What a patch changes; all of shape ``(changes,)``, each edge once, ascending by tail."""

    tail: I32
    head: I32
    open: Bools
    """True where the edge opens, false where it closes."""


Command: TypeAlias = Query | Patch


@dataclass(frozen=True)
class GppcScenario:
    """A scenario: the size of the grid, its patches, and the commands in their order.

    Iterating gives `Query` and `Patch` commands. ``world()`` is the open grid; a `GppcState`
    follows the patches and turns each into edge changes.
    """

    file: Path
    width: int
    height: int
    patches: tuple[Bools, ...]
    """Each of shape ``(height, width)`` of the patch; true where passable."""
    commands: tuple[Command, ...]

    @classmethod
    def open(cls, path: str | Path, patches: str | Path | None = None) -> GppcScenario:
        """Read a scenario; without ``patches`` the file it names is taken from beside it.

        Raises SourceError with file and line.
        """
        lines = Lines(Path(path))
        version = lines.keyed("version")
        if version != "2":
            raise lines.error(f'the scenario has version "{version[:20]}"', "version 2 is needed")
        height, width = lines.count("height", 2**16), lines.count("width", 2**16)
        check_cells(width, height, lines.file)
        cost = lines.keyed("cost").split()
        if cost != ["1", "octile"]:
            raise lines.error(f'the cost is "{" ".join(cost)[:40]}"', 'only "1 octile" is known')
        beside = lines.file.parent / Path(lines.keyed("patch")).name
        found = read_patches(patches or beside)
        if lines.take('"commands"').strip() != "commands":
            raise lines.error('"commands" is missing', "correct the header")
        commands = tuple(_commands(lines, width, height, found))
        return cls(lines.file, width, height, found, commands)

    def __iter__(self) -> Iterator[Command]:
        return iter(self.commands)

    def __len__(self) -> int:
        return len(self.commands)

    def world(self, *, straight: int = STRAIGHT, diagonal: int = DIAGONAL) -> World:
        """Build the grid as it is before the first command: every cell and step is open."""
        meta = {
            "title": self.file.stem,
            "source": f"GPPC dynamic {self.file.name}",
            "attribution": "",
        }
        mask = np.ones((self.height, self.width), dtype=np.bool_)
        return octile_world(mask, straight, diagonal, meta)


class GppcState:
    """The cells of a scenario as patches change them."""

    def __init__(self, scenario: GppcScenario, world: World) -> None:
        if (world.width, world.height) != (scenario.width, scenario.height):
            raise UsageError("the world is not this scenario's", fix="use scenario.world()")
        self.mask: Bools = np.ones((scenario.height, scenario.width), dtype=np.bool_)
        """Shape ``(height, width)``: the passable cells now."""
        self._patches = scenario.patches
        self._nodes = world.node_grid

    def apply(self, patch: Patch) -> EdgeChanges:
        """Paste a patch and give the edges of the world that close and open by it.

        A step is open while its two cells, and for a diagonal the two beside it, are passable.
        """
        cells = self._patches[patch.patch]
        height, width = cells.shape
        # A step touches only cells within one of both its ends: nothing further out changes.
        rows = slice(max(0, patch.y - 1), patch.y + height + 1)
        columns = slice(max(0, patch.x - 1), patch.x + width + 1)
        before = self.mask[rows, columns].copy()
        self.mask[patch.y : patch.y + height, patch.x : patch.x + width] = cells
        return self._differences(before, self.mask[rows, columns], self._nodes[rows, columns])

    def _differences(self, before: Bools, after: Bools, nodes: I32) -> EdgeChanges:
        tails, heads, opened = [], [], []
        height, width = before.shape
        for dx, dy in ALL_STEPS:
            free = open_steps(after, dx, dy)
            turned = open_steps(before, dx, dy) != free
            leave, enter = window(dx, dy, width, height)
            tails.append(nodes[leave][turned])
            heads.append(nodes[enter][turned])
            opened.append(free[turned])
        tail, head = np.concatenate(tails), np.concatenate(heads)
        order = np.lexsort((head, tail))
        return EdgeChanges(tail[order], head[order], np.concatenate(opened)[order])


def read_patches(path: str | Path) -> tuple[Bools, ...]:
    """Read a ``.patch`` file. Raises SourceError with file, line and column."""
    lines = Lines(Path(path))
    if lines.keyed("type") != "patch":
        raise lines.error("this is not a patch file", 'its first line is "type patch"')
    patches = []
    for number in range(lines.count("patches", 2**20)):
        if lines.keyed("patch") != str(number):
            raise lines.error(f"patch {number} should stand here", "number the patches from 0")
        height, width = lines.count("height", 2**16), lines.count("width", 2**16)
        check_cells(width, height, lines.file)
        if lines.take('"map"').strip() != "map":
            raise lines.error('"map" is missing', "correct the patch")
        patches.append(lines.cells(width, height))
    for line in lines.rest():
        raise lines.error(f'"{line[:20]}" stands after the last patch', "remove it")
    return tuple(patches)


def _commands(
    lines: Lines, width: int, height: int, patches: tuple[Bools, ...]
) -> Iterator[Command]:
    for line in lines.rest():
        kind, *fields = line.split()
        if kind == "Q" and len(fields) == 6:
            yield _query(lines, fields, width, height)
        elif kind == "P" and len(fields) == 4:
            yield _patch(lines, fields, width, height, patches)
        else:
            fix = 'write "Q bucket x y x y length" or "P bucket patch x y"'
            raise lines.error(f'"{line[:40]}" is not a command', fix)


def _query(lines: Lines, fields: list[str], width: int, height: int) -> Query:
    query = read_query(lines, fields)
    inside = (0 <= query.start_x < width, 0 <= query.goal_x < width)
    if not all((*inside, 0 <= query.start_y < height, 0 <= query.goal_y < height)):
        raise lines.error("the query lies outside the grid", f"the grid is {width} x {height}")
    return query


def _patch(
    lines: Lines, fields: list[str], width: int, height: int, patches: tuple[Bools, ...]
) -> Patch:
    try:
        patch = Patch(*(int(each) for each in fields))
    except ValueError as error:
        raise lines.error(f"a field is not a number: {error}", "correct the line") from None
    if not 0 <= patch.patch < len(patches):
        fix = f"patches are 0..{len(patches) - 1}"
        raise lines.error(f"there is no patch {patch.patch}", fix)
    high, wide = patches[patch.patch].shape
    if not (0 <= patch.x <= width - wide and 0 <= patch.y <= height - high):
        raise lines.error("the patch reaches outside the grid", f"the grid is {width} x {height}")
    return patch


def import_gppc(path: str | Path, *, straight: int = STRAIGHT, diagonal: int = DIAGONAL) -> World:
    """Read the open grid of a GPPC scenario as a world; see `GppcScenario` for its patches."""
    file = Path(path)
    if file.suffix == ".patch":
        raise SourceError("a patch file alone is not a world", file=file, fix="give the .scen file")
    return GppcScenario.open(file).world(straight=straight, diagonal=diagonal)
