"""What of a log is still needed when its beginning is dropped: kept forks, back to their start."""

from __future__ import annotations

from pathlib import Path

from huntgraph.errors import HuntError
from huntgraph.timeline.audit import Audit
from huntgraph.timeline.recipe import ForkStore, Recipe

__all__ = ["needed_from"]


def needed_from(folder: Path, partition: int) -> int | None:
    """Give the position whose state the kept forks of a folder need, and all behind it.

    A fork needs its point and, where it reaches across earlier commits, theirs. None when there is
    no fork, 0 when what they need cannot be read: then all of it may be.
    """
    try:
        store = ForkStore(folder)
        points = [store.get(name).point.get(partition, 0) for name in store.names()]
        if not points:
            return None
        least = min(points)
        for entry in reversed(Audit(folder).entries()):
            held = {part.partition: part.position for part in entry.parts}
            if entry.recipe and held.get(partition, -1) >= least:
                recipe = Recipe.from_dict(dict(entry.recipe))
                least = min(least, recipe.point.get(partition, 0))
    except HuntError:
        return 0
    return least
