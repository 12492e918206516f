"""Hunts: the format, its checks, and the records that publish one.

::

    hunt = load("night.yaml")
    for finding in check(hunt, world):
        print(finding)
    rows = hunt.compile(world, slot=0)
    rows_by_partition = hunt.compile_parts(parts, slot=0)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from huntgraph.hunt.checking import check, check_file
    from huntgraph.hunt.finding import Finding, HuntInvalidError
    from huntgraph.hunt.generate import generate_hunt
    from huntgraph.hunt.hunt import Award, Hunt, load, loads
    from huntgraph.hunt.jsonschema import SCHEMA_FILE, schema, schema_text
    from huntgraph.hunt.parts import AnyParts, compile_parts, crowding, rows_of_parts
    from huntgraph.hunt.places import AnyWorld
    from huntgraph.hunt.rows import compile_rows, wait_ticks

# Imported when first used: the format's models cost more than all else that a verb of history,
# which asks this package for nothing but durations, needs to start.
_HOMES: Final[dict[str, tuple[str, ...]]] = {
    "checking": ("check", "check_file"),
    "finding": ("Finding", "HuntInvalidError"),
    "generate": ("generate_hunt",),
    "hunt": ("Award", "Hunt", "load", "loads"),
    "jsonschema": ("SCHEMA_FILE", "schema", "schema_text"),
    "parts": ("AnyParts", "compile_parts", "crowding", "rows_of_parts"),
    "places": ("AnyWorld",),
    "rows": ("compile_rows", "wait_ticks"),
}

__all__ = [
    "SCHEMA_FILE",
    "AnyParts",
    "AnyWorld",
    "Award",
    "Finding",
    "Hunt",
    "HuntInvalidError",
    "check",
    "check_file",
    "compile_parts",
    "compile_rows",
    "crowding",
    "generate_hunt",
    "load",
    "loads",
    "rows_of_parts",
    "schema",
    "schema_text",
    "wait_ticks",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            found = getattr(importlib.import_module(f"{__name__}.{module}"), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
