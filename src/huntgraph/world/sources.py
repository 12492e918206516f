"""`import_world`: any known kind of file, told by its suffix."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huntgraph.errors import UsageError, did_you_mean
from huntgraph.world.csv_edges import import_csv
from huntgraph.world.dimacs import import_dimacs
from huntgraph.world.gppc import import_gppc
from huntgraph.world.ldbc import import_ldbc
from huntgraph.world.movingai import import_movingai
from huntgraph.world.parquet import import_parquet
from huntgraph.world.world import World

FORMATS: dict[str, Callable[..., World]] = {
    "csv": import_csv,
    "dimacs": import_dimacs,
    "gppc": import_gppc,
    "ldbc": import_ldbc,
    "movingai": import_movingai,
    "parquet": import_parquet,
}
"""The importers by the names of their formats."""

SUFFIXES = {
    ".csv": "csv",
    ".gr": "dimacs",
    ".scen": "gppc",
    ".patch": "gppc",
    ".v": "ldbc",
    ".e": "ldbc",
    ".map": "movingai",
    ".parquet": "parquet",
}
"""The format of a file, by its suffix."""


def import_world(
    path: str | Path,
    format: str | None = None,  # noqa: A002
    **options: Any,
) -> World:
    """Import a world from a file; ``format`` overrides what its suffix says.

    ``options`` are those of the format's importer, such as ``straight=`` or ``divide=``.

    Raises UsageError (unknown format or option), SourceError (a wrong file) or WorldLimitError.
    """
    file = Path(path)
    name = format or SUFFIXES.get(file.suffix.lower())
    if name is None:
        what = f'the suffix "{file.suffix}" tells no format'
        hint = did_you_mean(file.suffix.lower(), SUFFIXES)
        fix = f"name the format: --format, in Python format=; {hint}"
        raise UsageError(what, where=file, fix=fix)
    if name not in FORMATS:
        raise UsageError(f'the format "{name}" is not known', fix=did_you_mean(name, FORMATS))
    importer = FORMATS[name]
    known = list(inspect.signature(importer).parameters)[1:]
    for option in options:
        if option not in known:
            what = f'the format "{name}" has no option "{option}"'
            raise UsageError(what, fix=did_you_mean(option, known))
    return importer(file, **options)
