"""``huntgraph version``."""

from __future__ import annotations

from huntgraph.cli.output import Json, print_json
from huntgraph.versions import versions

__all__ = ["version"]


def version(*, json: Json = False) -> int:
    """Print versions."""
    found = versions()
    if json:
        print_json("version", found)
    else:
        print("\n".join(f"{name} {number}" for name, number in found.items()))
    return 0
