"""``huntgraph edge add|remove|close|open|price``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from cyclopts import Parameter, validators

from huntgraph.cli.orders import Dir, directories, layout_of, order
from huntgraph.cli.output import Json, print_json
from huntgraph.errors import RefusedError
from huntgraph.schema import COST_MAX, NODES, PEERS, Code, Kind

if TYPE_CHECKING:
    from huntgraph.cluster import Layout

__all__ = ["add", "close", "open_", "price", "remove"]

_NODE = validators.Number(gte=0, lt=NODES * PEERS)
From = Annotated[int, Parameter(name="FROM", validator=_NODE)]
To = Annotated[int, Parameter(validator=_NODE)]
Cost = Annotated[int, Parameter(name="--cost", validator=validators.Number(gte=1, lte=COST_MAX))]


def _verb(done: str, kind: Kind) -> Callable[..., int]:
    def change(from_: From, to: To, /, *, folder: Dir = None, json: Json = False) -> int:
        """Change an edge.

        Args:
            from_: the node it leads from.
            to: the node it leads to.
            folder: the folder of huntgraph serve.
            json: print the outcome as JSON.
        """
        return _change(done, kind, (from_, to), folder, json)

    return change


def _verb_with_cost(done: str, kind: Kind) -> Callable[..., int]:
    def change(
        from_: From, to: To, /, *, cost: Cost, folder: Dir = None, json: Json = False
    ) -> int:
        """Change an edge and its cost.

        Args:
            from_: the node it leads from.
            to: the node it leads to.
            cost: its base cost from now on.
            folder: the folder of huntgraph serve.
            json: print the outcome as JSON.
        """
        return _change(done, kind, (from_, to), folder, json, cost)

    return change


add = _verb_with_cost("added", Kind.EDGE_ADD)
remove = _verb("removed", Kind.EDGE_REMOVE)
close = _verb("closed", Kind.EDGE_CLOSE)
open_ = _verb("opened", Kind.EDGE_OPEN)
price = _verb_with_cost("priced", Kind.EDGE_PRICE)


def _change(
    done: str, kind: Kind, ends: tuple[int, int], folder: Path | None, json: bool, cost: int = 0
) -> int:
    from huntgraph.cluster import control_move

    tail, head = ends
    layout = layout_of(folder)
    place = _place(layout, tail, head)
    record = control_move(kind, from_=place.tail, to=place.head, arg=cost)
    try:
        answers = order(place.directory, record, f"edge {tail} -> {head}")
    except RefusedError as error:
        if error.refusal == Code.NO_EDGE:
            error.fix = f"huntgraph edge add {tail} {head} --cost COST makes one"
        raise
    last = answers.updates[-1]
    found = {"from": tail, "to": head, "partition": place.partition}
    found |= {"position": int(last["position"]), "tick": int(last["tick"])}
    if json:
        print_json("edge-order", {"done": done, **found})
    else:
        where = f" in partition {place.partition}" if place.several else ""
        print(f"edge {tail} -> {head} {done}{where} at position {found['position']:,}")
    return 0


class _Place(NamedTuple):
    """The partition that an edge belongs to, and its ends there."""

    partition: int
    directory: Path
    tail: int
    head: int
    several: bool


def _place(layout: Layout, tail: int, head: int) -> _Place:
    """Find an edge's partition: the one that owns its tail.

    Nodes are those of the whole world. Raises WorldLookupError for a node that is not in it or an
    edge that would lead over no border.
    """
    from huntgraph.errors import WorldLookupError
    from huntgraph.world import Parts

    folders, world = directories(layout), Path(layout.facts()["world"])
    if not world.is_dir():
        ((partition, directory),) = folders.items()
        return _Place(partition, directory, tail, head, several=False)
    parts = Parts.open(world, verify="header")
    partition, local = (int(each) for each in parts.locate(tail))
    other = int(parts.local_ids(partition, head))
    if other < 0:
        what = f"partition {partition} of node {tail:,} has no border with node {head:,}"
        fix = "name nodes of one partition, or a node beside the border that is in its halo"
        raise WorldLookupError(what, where=world, fix=fix)
    return _Place(partition, folders[partition], local, other, several=True)
