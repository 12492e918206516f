"""`World`: nodes with positions, directed edges with a base cost."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from huntgraph.errors import WorldLookupError
from huntgraph.world import build, file
from huntgraph.world.arrays import I32, I64, U16, U32, WorldArrays, degrees_of
from huntgraph.world.check import check_structure, tails
from huntgraph.world.part import check_part


class Csr(NamedTuple):
    """The real edges as compressed rows, in the order ``scipy.sparse.csr_array`` takes them."""

    cost: NDArray[np.float64]
    """Shape ``(real edges,)``."""
    head: I32
    """Shape ``(real edges,)``."""
    first: I32
    """Shape ``(nodes + 1,)``."""


class World(WorldArrays):
    """Nodes with positions and directed edges with a base cost; never changes once made.

    >>> world = World.from_edges(tail=[0, 1], head=[1, 2], cost=[5, 7])
    >>> world.edge(0, 1), world.edge(1, 0)
    (0, None)

    Costs are whole numbers in the unit of the source (``meta`` says which); positions are whole
    numbers too. All arrays are read-only, and those of an opened file are mapped, not loaded.
    """

    @classmethod
    def open(
        cls, path: str | Path, *, verify: Literal["header", "contents", "structure"] = "contents"
    ) -> Self:
        """Map the world file at ``path`` into memory.

        ``verify="contents"`` checks the CRC-32C of every byte (about 10 GB/s); ``"header"`` only
        that of the header, for a file checked before; ``"structure"`` also every rule of the
        rows, for a file somebody else's program wrote. A part of a world has its owners, twins
        and halo checked too, unless only the header is.

        Raises:
            WorldFileError: it cannot be read, or is no world file of this version.
            WorldTruncatedError: its length is not the one its header promises.
            WorldChecksumError: its bytes are not those that were written.
        """
        found = file.read(Path(path), contents=verify != "header")
        if verify == "structure":
            check_structure(found, path)
        if verify != "header":
            check_part(found, path)
        return cls(**vars(found))

    @classmethod
    def from_edges(
        cls,
        tail: ArrayLike,
        head: ArrayLike,
        cost: ArrayLike,
        *,
        nodes: int | None = None,
        positions: ArrayLike | None = None,
        names: ArrayLike | None = None,
        grid: tuple[int, int] | None = None,
        order: Literal["auto", "near", "given"] = "auto",
        meta: Mapping[str, Any] | None = None,
    ) -> Self:
        """Build a world from a list of directed edges.

        Edges from a node to itself are dropped, of repeated pairs the cheapest is kept, absent
        slots are added where a way back is missing, and the rows are sorted.

        Args:
            tail: whole numbers of shape ``(edges,)``: the node each edge leads from.
            head: the same: the node each edge leads to.
            cost: the same: 1..60,000.
            nodes: number of nodes; without it the greatest node mentioned plus one.
            positions: whole numbers of shape ``(nodes, 2)`` or ``(nodes, 3)``: x, y and z.
            names: unique whole numbers of shape ``(nodes,)``: the ids of the source.
            grid: width and height when each node has its own cell there.
            order: ``"given"`` keeps the numbers of the nodes; ``"near"`` renumbers them, so that
                near nodes are near in memory: by tiles of their positions, and in these row by
                row on grids, by their edges elsewhere. ``"auto"`` is ``"near"`` when there are
                positions or names. Look nodes up by `node_at` or `node_named`.
            meta: JSON-ready facts to keep with the world.

        Raises:
            UsageError: the arrays do not fit one another.
            WorldLimitError: too many nodes, more than 64 edges at a node, or a cost outside.
        """
        found = build.build(
            tail,
            head,
            cost,
            nodes=nodes,
            positions=positions,
            names=names,
            grid=grid,
            order=order,
            meta=meta,
        )
        return cls(**vars(found))

    def save(self, path: str | Path) -> None:
        """Write a world file, whole or not at all. Raises WorldError when it cannot."""
        file.write(self, Path(path))

    def check(self) -> None:
        """Check every rule of the structure. Raises WorldFileError naming the one broken."""
        check_structure(self)
        check_part(self)

    @property
    def partition(self) -> int:
        """The number of the partition this world is; 0 for a whole world."""
        return self.part.partition if self.part else 0

    @property
    def parts(self) -> int:
        """How many partitions the whole world has; 1 for a whole world."""
        return self.part.parts if self.part else 1

    @property
    def own_nodes(self) -> int:
        """Nodes that belong to this partition: ids below are own ones, the others its halo."""
        return self.part.own_nodes if self.part else self.nodes

    @property
    def owner(self) -> U16 | None:
        """Shape ``(nodes,)``: the partition that owns each node; ``None`` for a whole world."""
        return self.part.owner if self.part else None

    @property
    def twin(self) -> U32 | None:
        """Shape ``(nodes,)``: each node's id in its owner's world; ``None`` for a whole world."""
        return self.part.twin if self.part else None

    @property
    def global_ids(self) -> U32 | None:
        """Shape ``(nodes,)``: each node's id in the whole world; ``None`` for a whole world."""
        return self.part.global_ids if self.part else None

    @property
    def cost_max(self) -> int:
        """The greatest cost of an edge; 0 when there is none."""
        return int(np.max(self.cost, initial=0))

    def row(self, node: int) -> tuple[U32, U16]:
        """Give the heads and costs of all slots of ``node``, absent ones (cost 0) included."""
        start, stop = self._span(node)
        return self.head[start:stop], self.cost[start:stop]

    def slot(self, tail: int, head: int) -> int | None:
        """Give the id of the slot ``tail -> head``, absent or not; ``None`` without one."""
        start, stop = self._span(tail)
        at = start + int(np.searchsorted(self.head[start:stop], head))
        return at if at < stop and int(self.head[at]) == head else None

    def edge(self, tail: int, head: int) -> int | None:
        """Give the id of the edge ``tail -> head``; ``None`` when it cannot be walked."""
        at = self.slot(tail, head)
        return at if at is not None and self.cost[at] > 0 else None

    def find_edges(self, tail: ArrayLike, head: ArrayLike) -> I64:
        """Look up many edges at once: ids of shape ``(pairs,)``, -1 for each that is not there."""
        ends = np.asarray(head, dtype=np.int64)
        nodes = np.asarray(tail, dtype=np.int64)
        if len(nodes) and (nodes.min() < 0 or nodes.max() >= self.nodes):
            raise WorldLookupError(f"nodes are 0..{self.nodes - 1:,}")
        low = self.first[nodes].astype(np.int64)
        stop = self.first[nodes + 1].astype(np.int64)
        high = stop.copy()
        # A binary search in all rows at once; 64 slots a row need seven halvings.
        for _ in range(7):
            open_rows = low < high
            middle = (low + high) // 2
            less = open_rows & (self._head_at(middle) < ends)
            low = np.where(less, middle + 1, low)
            high = np.where(open_rows & ~less, middle, high)
        found = (low < stop) & (self._head_at(low) == ends)
        found &= self._cost_at(low) > 0
        return np.where(found, low, -1)

    def node_at(self, x: int, y: int) -> int:
        """Give the node at a position; on a grid at once, elsewhere by a scan.

        Raises WorldLookupError when there is no node there, or more than one.
        """
        if self.is_grid:
            inside = 0 <= x < self.width and 0 <= y < self.height
            node = int(self.node_grid[y, x]) if inside else -1
        else:
            here = np.flatnonzero((self.x == x) & (self.y == y))
            node = int(here[0]) if len(here) == 1 else -1
        if node < 0:
            what = f"there is no single node at ({x}, {y})"
            raise WorldLookupError(what, fix="choose a walkable position of the world")
        return node

    def node_named(self, name: int) -> int:
        """Give the node with this name (its id in the source). Raises WorldLookupError."""
        if self.name is None:
            raise WorldLookupError("the nodes of this world have no names", fix="use node_at")
        order, names = self._named
        at = int(np.searchsorted(names, np.uint64(name))) if 0 <= name < 2**64 else len(names)
        if at == len(names) or int(names[at]) != name:
            raise WorldLookupError(f"there is no node named {name}", fix="check the source's ids")
        return int(order[at])

    @cached_property
    def node_grid(self) -> I32:
        """Shape ``(height, width)``: the node of each cell, -1 where there is none."""
        if not self.is_grid:
            raise WorldLookupError("this world is not a grid", fix="use node_named, or x and y")
        cells = np.full((self.height, self.width), -1, dtype=np.int32)
        cells[self.y, self.x] = np.arange(self.nodes, dtype=np.int32)
        cells.flags.writeable = False
        return cells

    def tails(self) -> U32:
        """Give the node each edge leads from, shape ``(edges,)``; 4 bytes an edge, made anew."""
        return tails(self)

    def csr(self) -> Csr:
        """Give the real edges for SciPy: ``csr_array(world.csr(), shape=(nodes, nodes))``."""
        real = self.cost > 0
        before = np.zeros(self.edges + 1, dtype=np.int32)
        np.cumsum(real, out=before[1:])
        head = self.head[real].astype(np.int32)
        return Csr(self.cost[real].astype(np.float64), head, before[self.first])

    def info(self) -> dict[str, Any]:
        """Give what is worth knowing about the world, JSON-ready."""
        real = int(np.count_nonzero(self.cost))
        degrees = degrees_of(self.first)
        costs = self.cost[self.cost > 0]
        size = sum(
            len(each) if isinstance(each, bytes) else each.nbytes
            for each in self.sections().values()
        )
        return {
            "title": self.meta.get("title", ""),
            "world_id": f"{self.world_id:016x}",
            "nodes": self.nodes,
            "edges": real,
            "slots": self.edges,
            "absent": self.edges - real,
            "cost_min": int(costs.min()) if real else 0,
            "cost_max": self.cost_max,
            "degree_max": int(degrees.max()),
            "degree_mean": round(self.edges / self.nodes, 3),
            "grid": [self.width, self.height] if self.is_grid else None,
            "bounds": [[int(each.min()), int(each.max())] for each in (self.x, self.y, self.z)],
            "named": self.name is not None,
            "bytes": size,
            "meta": dict(self.meta),
            **self._part_info(),
        }

    def _part_info(self) -> dict[str, Any]:
        if self.part is None:
            return {}
        own = self.part.own_nodes
        halo_slots = self.head[: int(self.first[own])] >= own
        return {
            **self.part.facts(),
            "own_nodes": own,
            "halo_nodes": self.nodes - own,
            "crossing_edges": int(np.count_nonzero(self.cost[: len(halo_slots)][halo_slots])),
        }

    def __repr__(self) -> str:
        title = str(self.meta.get("title", "")) or "untitled"
        return (
            f"<World {title!r}: {self.nodes:,} nodes, {self.edges:,} slots, {self.world_id:016x}>"
        )

    def _span(self, node: int) -> tuple[int, int]:
        if not 0 <= node < self.nodes:
            raise WorldLookupError(f"there is no node {node}; nodes are 0..{self.nodes - 1:,}")
        return int(self.first[node]), int(self.first[node + 1])

    def _head_at(self, at: I64) -> NDArray[Any]:
        return self.head.take(at, mode="clip") if self.edges else np.full(len(at), -1)

    def _cost_at(self, at: I64) -> NDArray[Any]:
        return self.cost.take(at, mode="clip") if self.edges else np.zeros(len(at))

    @cached_property
    def _named(self) -> tuple[NDArray[np.intp], NDArray[np.uint64]]:
        assert self.name is not None
        order = np.argsort(self.name, kind="stable")
        return order, self.name[order]
