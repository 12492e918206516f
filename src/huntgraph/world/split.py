"""Splitting a world into partitions: own nodes first, then the halo of their neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import UsageError
from huntgraph.world import order as ordering
from huntgraph.world.arrays import U16, U32
from huntgraph.world.assign import assign_owners
from huntgraph.world.build import assemble, make_rows
from huntgraph.world.cuthill_mckee import slots_of
from huntgraph.world.part import Part
from huntgraph.world.parts import Parts
from huntgraph.world.world import World


def split(
    world: World,
    parts: int = 12,
    *,
    seed: int = 1,
    progress: Callable[[float, str], None] | None = None,
) -> Parts:
    """Split a whole world into partitions of nearly the same size with few crossing edges.

    Each part is a world of its own that an actor can serve: the nodes it owns, near ones near in
    memory, and a halo of all foreign nodes that share a slot with them. An edge belongs to the
    part that owns its tail. The same world, ``parts``, ``seed`` and version of METIS give the same
    parts, byte for byte.

    Args:
        world: a whole world, not a part of one.
        parts: 1 to the number of nodes, 65,536 at most.
        seed: 0 to 2**31 - 1, for METIS.
        progress: called now and then with the share done and a text.

    Raises:
        UsageError: an argument is out of range, or the world is a part.
        ExtraMissingError: pymetis is not installed.
    """
    if world.part is not None:
        raise UsageError("this world is a part already", fix="split the whole world")
    tell = progress or (lambda _share, _text: None)
    tell(0.0, "sharing out the nodes")
    owner = assign_owners(world, parts, seed)
    tell(0.6, "ordering the nodes")
    own = _ordered(world, owner, parts)
    numbers = np.empty(world.nodes, dtype=np.uint32)
    for nodes in own:
        numbers[nodes] = np.arange(len(nodes), dtype=np.uint32)
    cutter = _Cutter(world, owner, numbers, parts)
    found = []
    for partition, nodes in enumerate(own):
        tell(0.7 + 0.3 * partition / parts, f"cutting part {partition} of {parts}")
        found.append(cutter.cut(partition, nodes))
    return Parts(found)


def _ordered(world: World, owner: U16, parts: int) -> list[U32]:
    """Give each part's own nodes in the order they get there."""
    by_owner = np.argsort(owner, kind="stable").astype(np.uint32)
    ends = np.cumsum(np.bincount(owner, minlength=parts))[:-1]
    return [nodes[_near(world, nodes)] for nodes in np.split(by_owner, ends)]


def _near(world: World, nodes: U32) -> U32:
    """Give the order of some nodes, by what there is of the world among them."""
    x, y = world.x[nodes].astype(np.int64), world.y[nodes].astype(np.int64)
    if world.is_grid:
        return ordering.by_cells(x, y)
    slots, length = slots_of(world.first, nodes)
    at = np.searchsorted(nodes, world.head[slots]).clip(max=len(nodes) - 1)
    inside = nodes[at] == world.head[slots]
    first = np.zeros(len(nodes) + 1, dtype=np.uint32)
    rows = np.repeat(np.arange(len(nodes)), length)[inside]
    np.cumsum(np.bincount(rows, minlength=len(nodes)), out=first[1:])
    return ordering.by_edges(first, at[inside].astype(np.uint32), x, y)


class _Cutter:
    """Cuts one part after the other out of a world whose nodes are shared out and numbered."""

    def __init__(self, world: World, owner: U16, numbers: U32, parts: int) -> None:
        self.world = world
        self.owner = owner
        self.numbers = numbers
        self.parts = parts
        # Whole node -> node of the part being cut, for its halo; valid only where just written.
        self.halo_numbers = np.empty(world.nodes, dtype=np.uint32)

    def cut(self, partition: int, own: U32) -> World:
        """Give the world of one partition."""
        slots, length = slots_of(self.world.first, own)
        heads = self.world.head[slots]
        foreign = self.owner[heads] != partition
        halo = np.unique(heads[foreign])
        halo = halo[np.lexsort((self.numbers[halo], self.owner[halo]))]
        self.halo_numbers[halo] = np.arange(len(own), len(own) + len(halo), dtype=np.uint32)
        local = np.where(foreign, self.halo_numbers[heads], self.numbers[heads])
        tail = np.repeat(np.arange(len(own), dtype=np.uint32), length)
        nodes = np.concatenate([own, halo])
        # Absent slots go in with their cost of 0, and those of the halo's rows are added.
        rows = make_rows(tail, local, self.world.cost[slots], len(nodes))
        whole = self.world
        part = Part(
            partition,
            self.parts,
            len(own),
            _sealed(self.owner[nodes]),
            _sealed(self.numbers[nodes]),
            _sealed(nodes),
            whole.world_id,
            str(whole.meta.get("title", "")),
            whole.nodes,
        )
        place = np.stack([whole.x[nodes], whole.y[nodes], whole.z[nodes]], axis=1)
        name = None if whole.name is None else whole.name[nodes]
        grid = (whole.width, whole.height) if whole.is_grid else None
        title = f"{part.whole_title or 'untitled'}, part {partition} of {self.parts}"
        meta = {**whole.meta, "title": title, "part": part.facts()}
        return World(**{**vars(assemble(rows, place, name, grid, meta)), "part": part})


def _sealed(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
