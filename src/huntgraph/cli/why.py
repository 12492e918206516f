"""``huntgraph why``."""

from __future__ import annotations

from pathlib import Path

from huntgraph.cli.orders import Dir
from huntgraph.cli.output import Json, print_json
from huntgraph.cli.timeline import opened

__all__ = ["why"]


def why(event: str, /, *, folder: Dir = None, world: Path | None = None, json: Json = False) -> int:
    """Explain an event.

    Args:
        event: PARTITION/POSITION, as huntgraph lookup names it.
        folder: the folder of huntgraph serve, or an actor's own.
        world: the world's file or the folder of its parts, where the folder does not know it.
        json: print the explanation as JSON.
    """
    from huntgraph.timeline.points import parse_event
    from huntgraph.timeline.why import why as explain

    found = explain(opened(folder, world).history, parse_event(event))
    if json:
        print_json("why", found.to_dict())
        return 0
    who = "" if found.player is None else f" of player {found.player}"
    print(f"{event}: {found.kind}{who}: {found.outcome}")
    for reason in found.reasons:
        print(f"  {reason}")
    return 0
