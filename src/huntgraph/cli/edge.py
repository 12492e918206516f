"""``huntgraph edge add|remove|close|open|price``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from huntgraph.cli.orders import Dir, layout_of, order
from huntgraph.cli.output import Json, print_json
from huntgraph.schema import COST_MAX, NODES, Kind

__all__ = ["add", "close", "open_", "price", "remove"]

_NODE = validators.Number(gte=0, lt=NODES)
From = Annotated[int, Parameter(name="FROM", validator=_NODE)]
To = Annotated[int, Parameter(validator=_NODE)]
Cost = Annotated[int, Parameter(name="--cost", validator=validators.Number(gte=1, lte=COST_MAX))]


def add(from_: From, to: To, /, *, cost: Cost, folder: Dir = None, json: Json = False) -> int:
    """Add an edge.

    Args:
        from_: the node it leads from.
        to: the node it leads to.
        cost: its base cost.
        folder: the folder of huntgraph serve.
        json: print the outcome as JSON.
    """
    return _change("added", Kind.EDGE_ADD, (from_, to), folder, json, cost)


def remove(from_: From, to: To, /, *, folder: Dir = None, json: Json = False) -> int:
    """Remove an edge.

    Args:
        from_: the node it leads from.
        to: the node it leads to.
        folder: the folder of huntgraph serve.
        json: print the outcome as JSON.
    """
    return _change("removed", Kind.EDGE_REMOVE, (from_, to), folder, json)


def close(from_: From, to: To, /, *, folder: Dir = None, json: Json = False) -> int:
    """Close an edge.

    Args:
        from_: the node it leads from.
        to: the node it leads to.
        folder: the folder of huntgraph serve.
        json: print the outcome as JSON.
    """
    return _change("closed", Kind.EDGE_CLOSE, (from_, to), folder, json)


def open_(from_: From, to: To, /, *, folder: Dir = None, json: Json = False) -> int:
    """Open an edge.

    Args:
        from_: the node it leads from.
        to: the node it leads to.
        folder: the folder of huntgraph serve.
        json: print the outcome as JSON.
    """
    return _change("opened", Kind.EDGE_OPEN, (from_, to), folder, json)


def price(from_: From, to: To, /, *, cost: Cost, folder: Dir = None, json: Json = False) -> int:
    """Give an edge another base cost.

    Args:
        from_: the node it leads from.
        to: the node it leads to.
        cost: its new base cost.
        folder: the folder of huntgraph serve.
        json: print the outcome as JSON.
    """
    return _change("priced", Kind.EDGE_PRICE, (from_, to), folder, json, cost)


def _change(
    done: str, kind: Kind, ends: tuple[int, int], folder: Path | None, json: bool, cost: int = 0
) -> int:
    from huntgraph.cluster import control_move

    tail, head = ends
    record = control_move(kind, from_=tail, to=head, arg=cost)
    answers = order(layout_of(folder), record, f"edge {tail} -> {head}")
    last = answers.updates[-1]
    found = {"from": tail, "to": head, "position": int(last["position"]), "tick": int(last["tick"])}
    if json:
        print_json("edge-order", {"done": done, **found})
    else:
        print(f"edge {tail} -> {head} {done} at position {found['position']:,}")
    return 0
