"""Imports of huntgraph run one way.

::

    cli -> bench -> gateway, cluster, timeline -> client, bus, world, hunt, ... -> _core
                                                     all -> program, limits -> errors, schema

Nothing imports a part above its own; parts of one level may use each other, but not in a circle.
``model``, ``errors`` and ``schema`` use only the standard library, NumPy and one another, so that
the oracle shares no code with what it judges. Nothing in ``src`` imports tests or tools.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

LEVELS = {
    "__main__": 6,
    "cli": 6,
    "bench": 5,
    "": 5,  # huntgraph/__init__.py gathers the public names
    "gateway": 4,
    "cluster": 4,
    "timeline": 4,
    "program": 1,
    "errors": 0,
    "schema": 0,
    "model": 0,
    "_core": 0,
}
PLAIN = ("model", "errors", "schema")
MIDDLE = 3
"""The level of client, bus, world, hunt and of parts not named above."""

Imports = dict[str, dict[str, tuple[str, int]]]
"""part -> imported part -> where it was first seen (path, line)."""


def part_of(path: str) -> str:
    """Give the part of a file below src/huntgraph: ``world`` for world/grid.py."""
    inside = PurePosixPath(path).relative_to("src/huntgraph").parts
    name = inside[0].removesuffix(".py")
    return "" if name == "__init__" else name


def _modules(path: str, tree: ast.AST) -> Iterator[tuple[str, int]]:
    package = list(PurePosixPath(path).with_suffix("").parts[1:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                stem = package[: len(package) - node.level + 1]
                base = ".".join([*stem, *([base] if base else [])])
            if base == "huntgraph":
                yield from ((f"huntgraph.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield base, node.lineno


def findings(sources: Mapping[str, str]) -> list[str]:
    """Check the files of src/huntgraph, given as path -> text; gives one line a finding."""
    found: list[str] = []
    imports: Imports = {}
    parts = {part_of(path) for path in sources} | {"_core"}
    for path, text in sources.items():
        part = part_of(path)
        try:
            tree = ast.parse(text)
        except SyntaxError:
            continue  # tools/tidy.py reports it
        for module, line in _modules(path, tree):
            top, _, rest = module.partition(".")
            place = f"{path}:{line}"
            if top != "huntgraph":
                found += _outside(place, part, top)
                continue
            other = rest.split(".")[0]
            if other and other not in parts:
                other = ""  # a name re-exported by huntgraph/__init__.py
            if other != part:
                imports.setdefault(part, {}).setdefault(other, (path, line))
                found += _inside(place, part, other)
    return found + _circles(imports)


def _outside(place: str, part: str, top: str) -> list[str]:
    if top in ("tests", "tools", "sim"):
        return [f"{place}: imports {top}, which users do not have"]
    if part in PLAIN and top != "numpy" and top not in sys.stdlib_module_names:
        return [f"{place}: {part} may import only the standard library and numpy, not {top}"]
    return []


def _inside(place: str, part: str, other: str) -> list[str]:
    if part in PLAIN:
        if other in PLAIN and other != "model":
            return []
        return [f"{place}: {part} stands alone, it may not import huntgraph.{other}"]
    if LEVELS.get(other, MIDDLE) > LEVELS.get(part, MIDDLE):
        return [f"{place}: {part or 'huntgraph'} is below {other or 'huntgraph'}: wrong direction"]
    return []


def _circles(imports: Imports) -> list[str]:
    found: list[str] = []
    done: set[str] = set()

    def visit(part: str, trail: list[str]) -> None:
        if part in trail:
            circle = [*trail[trail.index(part) :], part]
            path, line = imports[circle[0]][circle[1]]
            found.append(f"{path}:{line}: imports go in a circle: {' -> '.join(circle)}")
            return
        if part in done:
            return
        for other in sorted(imports.get(part, {})):
            # huntgraph/__init__.py gathers names from all parts; loading it is no use of it.
            if other and part:
                visit(other, [*trail, part])
        done.add(part)

    for part in sorted(imports):
        visit(part, [])
    return found
