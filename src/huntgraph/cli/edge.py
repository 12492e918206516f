"""``huntgraph edge add|remove|close|open|price``."""

from __future__ import annotations

from collections.abc import Callable
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
    record = control_move(kind, from_=tail, to=head, arg=cost)
    answers = order(layout_of(folder), record, f"edge {tail} -> {head}")
    last = answers.updates[-1]
    found = {"from": tail, "to": head, "position": int(last["position"]), "tick": int(last["tick"])}
    if json:
        print_json("edge-order", {"done": done, **found})
    else:
        print(f"edge {tail} -> {head} {done} at position {found['position']:,}")
    return 0
