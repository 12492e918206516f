"""``huntgraph tag``."""

from __future__ import annotations

from huntgraph.cli.output import Json, print_json, table
from huntgraph.cli.timeline import LogDir, WorldFile, opened

__all__ = ["tag"]


def tag(
    name: str | None = None,
    /,
    *,
    at: str = "head",
    note: str = "",
    remove: bool = False,
    folder: LogDir = None,
    world: WorldFile = None,
    json: Json = False,
) -> int:
    """Name points.

    Args:
        name: the tag to set; without one all tags are listed.
        at: head, head~5s, "before 3/918223", "after 3/918223", or a time.
        note: a word on what it is for.
        remove: forget the tag instead.
        json: print the outcome as JSON.
    """
    from huntgraph.timeline.points import cut_text

    timeline = opened(folder, world)
    if name is not None and remove:
        timeline.untag(name)
    elif name is not None:
        timeline.tag(name, at, note=note)
    tags = timeline.tags()
    if json:
        plain = {each: {str(n): at for n, at in cut.items()} for each, cut in tags.items()}
        print_json("tags", {"tags": plain})
    else:
        table("", ("tag", "point"), ((each, cut_text(cut)) for each, cut in tags.items()))
    return 0
