"""`Parts`: the partitions of one world, together."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from huntgraph.errors import UsageError, WorldError, WorldFileError, WorldLookupError
from huntgraph.world import file
from huntgraph.world.arrays import U16, U32
from huntgraph.world.part import Part
from huntgraph.world.parts_check import check_parts
from huntgraph.world.world import World

INDEX = "parts.json"
SCHEMA = "huntgraph.parts/1"
_FIX = "split the whole world again with huntgraph world split"


class Parts(Sequence[World]):
    """All partitions of one world, by their number; see `split`, which makes them.

    >>> parts = split(world, 2)
    >>> partition, local = parts.locate([7])
    >>> parts.global_ids(partition, local).tolist()
    [7]
    """

    def __init__(self, worlds: Sequence[World]) -> None:
        facts = [world.part for world in worlds]
        self._facts = [part for part in facts if part is not None]
        if not worlds or len(self._facts) != len(worlds):
            raise UsageError("these are no parts of a world", fix="give what split() returned")
        wanted = [(at, len(worlds), self._facts[0].whole_id) for at in range(len(worlds))]
        found = [(part.partition, part.parts, part.whole_id) for part in self._facts]
        if found != wanted:
            what = "these parts are not all the parts of one world, in order"
            raise UsageError(what, fix="give part 0 to the last, all of one split")
        self._worlds = list(worlds)

    @overload
    def __getitem__(self, at: int) -> World: ...
    @overload
    def __getitem__(self, at: slice) -> list[World]: ...
    def __getitem__(self, at: int | slice) -> World | list[World]:
        return self._worlds[at]

    def __len__(self) -> int:
        return len(self._worlds)

    def __iter__(self) -> Iterator[World]:
        return iter(self._worlds)

    @property
    def whole_id(self) -> int:
        """World id of the whole world."""
        return self._facts[0].whole_id

    @property
    def nodes(self) -> int:
        """Nodes of the whole world."""
        return self._facts[0].whole_nodes

    def locate(self, nodes: ArrayLike) -> tuple[U16, U32]:
        """Translate nodes of the whole world: the partition that owns each, and its id there.

        ``nodes`` are whole numbers of any shape; both answers have that shape. Raises
        WorldLookupError when there is no such node.
        """
        wanted = np.asarray(nodes, dtype=np.int64)
        if wanted.size and not 0 <= wanted.min() <= wanted.max() < self.nodes:
            what = f"nodes of the whole world are 0..{self.nodes - 1:,}"
            raise WorldLookupError(what, fix="name a node of the whole world")
        owner, local = self._places
        return owner[wanted], local[wanted]

    def global_ids(self, partition: ArrayLike, local: ArrayLike) -> U32:
        """Translate back: the id in the whole world of nodes of partitions, their halo included.

        Both arguments are whole numbers, of shapes that broadcast. Raises WorldLookupError.
        """
        part, node = np.broadcast_arrays(np.asarray(partition), np.asarray(local))
        if part.size and not 0 <= part.min() <= part.max() < len(self):
            raise WorldLookupError(f"partitions are 0..{len(self) - 1}")
        sizes = np.array([world.nodes for world in self])
        if (wrong := (node < 0) | (node >= sizes[part])).any():
            at = int(part[wrong].flat[0])
            raise WorldLookupError(f"nodes of partition {at} are 0..{sizes[at] - 1:,}")
        found: U32 = np.empty(part.shape, dtype=np.uint32)
        for at, facts in enumerate(self._facts):
            here = part == at
            found[here] = facts.global_ids[node[here]]
        return found

    def local_ids(self, partition: int, nodes: ArrayLike) -> NDArray[np.int64]:
        """Give the ids that nodes of the whole world have in one partition, its halo included.

        The shape is that of ``nodes``; -1 for a node that the partition does not know. Raises
        WorldLookupError when there is no such node.
        """
        owner, twin = (np.asarray(each, dtype=np.int64) for each in self.locate(nodes))
        part = self._facts[partition]
        halo = part.owner[part.own_nodes :].astype(np.int64) << 32 | part.twin[part.own_nodes :]
        wanted = owner << 32 | twin
        at = np.searchsorted(halo, wanted)
        known = np.append(halo, -1)[at] == wanted
        foreign = np.where(known, part.own_nodes + at, -1)
        return np.where(owner == partition, twin, foreign)

    def node_at(self, x: int, y: int) -> int:
        """Give the node of the whole world at a position. Raises WorldLookupError as `World`."""
        found = [
            int(part.global_ids[node])
            for world, part in zip(self, self._facts, strict=True)
            for node in np.flatnonzero(
                (world.x[: part.own_nodes] == x) & (world.y[: part.own_nodes] == y)
            )
        ]
        if len(found) != 1:
            what = f"there is no single node at ({x}, {y})"
            raise WorldLookupError(what, fix="choose a walkable position of the world")
        return found[0]

    def node_named(self, name: int) -> int:
        """Give the node of the whole world with this name. Raises WorldLookupError."""
        for world, part in zip(self, self._facts, strict=True):
            with contextlib.suppress(WorldLookupError):
                return int(part.global_ids[world.node_named(name)])
        raise WorldLookupError(f"there is no node named {name}", fix="check the source's ids")

    def edge(self, tail: int, head: int) -> int | None:
        """Give the id of an edge between nodes of the whole world; None when nobody can walk it.

        The id is that in the partition that owns the tail. Raises WorldLookupError.
        """
        partition, local = (int(each) for each in self.locate(tail))
        other = int(self.local_ids(partition, head))
        return self[partition].edge(local, other) if other >= 0 else None

    @property
    def cost_max(self) -> int:
        """The greatest cost of an edge of the whole world; 0 when it has none."""
        return max(int(np.max(world.cost, initial=0)) for world in self)

    def check(self, whole: World | None = None) -> None:
        """Check that the parts fit one another and, when it is given, the whole world.

        Every node must have one owner, every twin lead to the same node, every border be known on
        both sides; and every edge of the whole world stand in exactly one part, at its cost.

        Raises WorldFileError naming the part and the first rule broken.
        """
        check_parts(self._worlds, self._facts, whole)

    def info(self) -> dict[str, Any]:
        """Give what is worth knowing about the parts and each of them, JSON-ready."""
        rows = [_row(world, part) for world, part in zip(self, self._facts, strict=True)]
        edges = sum(row["edges"] for row in rows)
        crossing = sum(row["crossing_edges"] for row in rows)
        largest = max(part.own_nodes for part in self._facts)
        return {
            "world_id": f"{self.whole_id:016x}",
            "title": self._facts[0].whole_title,
            "parts": len(self),
            "nodes": self.nodes,
            "edges": edges,
            "crossing_edges": crossing,
            "crossing_share": round(crossing / edges, 9) if edges else 0.0,
            "balance": round(largest * len(self) / self.nodes, 6),
            "partitions": rows,
        }

    def save(self, folder: str | Path) -> None:
        """Write every part and, last, ``parts.json``. Raises WorldError when that fails."""
        into = Path(folder)
        text = json.dumps({"schema": SCHEMA, **self.info()}, indent=1, ensure_ascii=False)
        try:
            into.mkdir(parents=True, exist_ok=True)
            for at, world in enumerate(self):
                world.save(into / file_name(at))
            with file.replacing(into / INDEX) as index:
                index.write(text.encode() + b"\n")
        except OSError as error:
            what = f"the parts could not be written: {error.strerror or error}"
            fix = "check that the folder may be written to and has room"
            raise WorldError(what, where=into, fix=fix) from error

    @classmethod
    def open(
        cls, folder: str | Path, *, verify: Literal["header", "contents", "structure"] = "contents"
    ) -> Self:
        """Map all parts that ``parts.json`` in ``folder`` lists; each is checked by itself.

        ``verify`` says how far, as for `World.open`.

        Raises WorldFileError when the index or a part cannot be read, or they do not belong
        together.
        """
        index = Path(folder) / INDEX
        try:
            listed = json.loads(index.read_bytes())
            rows = [(str(row["file"]), str(row["world_id"])) for row in listed["partitions"]]
            worlds = [World.open(index.parent / Path(name).name, verify=verify) for name, _ in rows]
            found = cls(worlds)
        except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
            what = f"it is no index of the parts of a world: {error}"
            raise WorldFileError(what, where=index, fix=_FIX) from error
        for world, (name, world_id) in zip(worlds, rows, strict=True):
            if f"{world.world_id:016x}" != world_id or found.whole_id != int(
                listed["world_id"], 16
            ):
                what = "this part is not the one that parts.json lists"
                raise WorldFileError(what, where=index.parent / name, fix=_FIX)
        return found

    def __repr__(self) -> str:
        return f"<Parts of {self.whole_id:016x}: {len(self)} partitions, {self.nodes:,} nodes>"

    @cached_property
    def _places(self) -> tuple[U16, NDArray[np.uint32]]:
        owner = np.empty(self.nodes, dtype=np.uint16)
        local = np.empty(self.nodes, dtype=np.uint32)
        for part in self._facts:
            own = part.global_ids[: part.own_nodes]
            owner[own] = part.partition
            local[own] = np.arange(part.own_nodes, dtype=np.uint32)
        return owner, local


def file_name(partition: int) -> str:
    """Give the name of a part's file in the folder of its split."""
    return f"part-{partition:02d}.hgw"


def _row(world: World, part: Part) -> dict[str, Any]:
    own_slots = int(world.first[part.own_nodes])
    real = world.cost[:own_slots] > 0
    crossing = real & (world.head[:own_slots] >= part.own_nodes)
    return {
        "partition": part.partition,
        "file": file_name(part.partition),
        "world_id": f"{world.world_id:016x}",
        "nodes": part.own_nodes,
        "halo": world.nodes - part.own_nodes,
        "edges": int(np.count_nonzero(real)),
        "crossing_edges": int(np.count_nonzero(crossing)),
    }
