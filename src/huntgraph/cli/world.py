"""``huntgraph world make|import|split|info``."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, validators

from huntgraph.cli.output import Count, Json, facts, print_json, progress, say, table
from huntgraph.errors import UsageError
from huntgraph.schema import PEERS

if TYPE_CHECKING:
    from huntgraph.world import World

__all__ = ["import_", "info", "make", "options_of", "refuse_overwrite", "split"]

Force = Annotated[bool, Parameter(name="--force", negative="")]
Served = Parameter(validator=validators.Number(gte=1, lte=PEERS))
"""As many parts as can be served together."""
Options = Annotated[list[str] | None, Parameter(name="--option", negative="")]


def make(
    file: Path,
    /,
    *,
    edges: Count = 4_000_000,
    seed: int = 1,
    neighbours: int = 4,
    parts: Annotated[int | None, Served] = None,
    force: Force = False,
    json: Json = False,
) -> int:
    """Make a world.

    Args:
        file: the world file to write.
        edges: directed edges, at least (100 to 56M; 100k and 4M are understood).
        seed: the same seed gives the same world.
        neighbours: 4, or 8 for diagonal steps.
        parts: also split it into so many partitions, in the folder FILE-parts (without suffix).
        force: write over a file that is there.
        json: print facts about the world as JSON.
    """
    from huntgraph.world import generate

    refuse_overwrite(file, force)
    folder = file.with_name(f"{file.stem}-parts")
    if parts is not None:
        _refuse_parts(folder, force)
        _check_split(parts)
    with progress("Making the world") as tell:
        world = generate(edges, seed, neighbours=neighbours, progress=tell)
    world.save(file)
    if parts is None:
        return _show(world, file, json)
    return _split(world, parts, 1, folder, json)


def import_(
    source: Path,
    file: Path,
    /,
    *,
    source_format: Annotated[str | None, Parameter(name="--format")] = None,
    option: Options = None,
    force: Force = False,
    json: Json = False,
) -> int:
    """Import a world.

    Args:
        source: the file to read.
        file: the world file to write.
        source_format: movingai, gppc, dimacs, ldbc, csv or parquet [told from the suffix].
        option: NAME=VALUE for the format, such as straight=10; may be given more than once.
        force: write over a file that is there.
        json: print facts about the world as JSON.
    """
    from huntgraph.world import import_world

    refuse_overwrite(file, force)
    with progress("Importing"):
        world = import_world(source, source_format, **options_of(option))
    world.save(file)
    return _show(world, file, json)


def split(
    file: Path,
    /,
    *,
    out: Path,
    parts: Annotated[int, Served] = 12,
    seed: int = 1,
    force: Force = False,
    json: Json = False,
) -> int:
    """Split a world.

    Args:
        file: the world file to split.
        out: the folder to write part-00.hgw, part-01.hgw ... and parts.json to.
        parts: how many partitions.
        seed: the same seed gives the same parts.
        force: write over parts that are there.
        json: print what parts.json holds.
    """
    from huntgraph.world import World

    _refuse_parts(out, force)
    with progress("Checking"):
        world = World.open(file)
    return _split(world, parts, seed, out, json)


def _split(world: World, parts: int, seed: int, folder: Path, json: bool) -> int:
    from huntgraph.world import split as split_world

    with progress("Splitting") as tell:
        found = split_world(world, parts, seed=seed, progress=tell)
        found.save(folder)
    about = found.info()
    if json:
        print_json("parts", {"folder": str(folder), **about})
        return 0
    shown = ("partition", "nodes", "halo", "edges", "crossing_edges", "file")
    rows = [
        [f"{row[key]:,}" if key != "file" else row[key] for key in shown]
        for row in about["partitions"]
    ]
    table("", [name.replace("_", " ") for name in shown], rows)
    rest = {key: value for key, value in about.items() if key != "partitions"}
    rest["crossing_share"] = f"{about['crossing_share']:.4%}"
    facts("", {**rest, "folder": folder}.items())
    return 0


def _check_split(parts: int) -> None:
    """Find out before anything is made whether it can be split."""
    from huntgraph.world.assign import load_metis

    if parts > 1:
        load_metis()


def _refuse_parts(folder: Path, force: bool) -> None:
    from huntgraph.world.parts import INDEX

    refuse_overwrite(folder / INDEX, force)


def info(file: Path, /, *, structure: bool = False, json: Json = False) -> int:
    """Print what a world file holds.

    Args:
        file: the world file.
        structure: also check every rule of its rows.
        json: print JSON.
    """
    from huntgraph.world import World

    with progress("Checking"):
        world = World.open(file, verify="structure" if structure else "contents")
    return _show(world, file, json)


def _show(world: World, file: Path, json: bool) -> int:
    found = world.info()
    if json:
        print_json("world", {"file": str(file), **found})
        return 0
    flat = {**found, "file": file}
    facts("", ((name, value) for name, value in flat.items() if not isinstance(value, dict)))
    return 0


def refuse_overwrite(file: Path, force: bool) -> None:
    """Raise UsageError when a file is there and may not be written over."""
    if file.exists() and not force:
        fix = "choose another name, or add --force to write over it"
        raise UsageError("this file is there already", where=file, fix=fix)
    if force and file.exists():
        say(f"writing over {file}")


def options_of(words: list[str] | None) -> dict[str, Any]:
    """Read NAME=VALUE words; numbers, true and false become what they look like."""
    found: dict[str, Any] = {}
    for word in words or []:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f'"{word}" is no option', fix="write --option NAME=VALUE")
        try:
            found[name] = ast.literal_eval({"true": "True", "false": "False"}.get(value, value))
        except (ValueError, SyntaxError):
            found[name] = value
    return found
