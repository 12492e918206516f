"""``huntgraph why``."""

from __future__ import annotations

from huntgraph.cli.output import Json, print_json
from huntgraph.cli.timeline import LogDir, Without, WorldFile, opened

__all__ = ["why"]


def why(
    event: str,
    /,
    *,
    without: Without = (),
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Explain an event.

    Args:
        event: PARTITION/POSITION, as huntgraph lookup names it.
        without: records that cannot be read and are passed over, PARTITION/POSITION each.
        json: print the explanation as JSON.
    """
    from huntgraph.timeline.points import parse_event
    from huntgraph.timeline.why import why as explain

    found = explain(opened(folder, world, without).history, parse_event(event))
    if json:
        print_json("why", found.to_dict())
        return 0
    who = "" if found.player is None else f" of player {found.player}"
    print(f"{event}: {found.kind}{who}: {found.outcome}")
    for reason in found.reasons:
        print(f"  {reason}")
    return 0
