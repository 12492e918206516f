"""What the verbs about history share: opening a folder, and options that many of them have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from huntgraph.cli.orders import layout_of
from huntgraph.errors import UsageError, did_you_mean
from huntgraph.schema import Kind

if TYPE_CHECKING:
    from huntgraph.timeline.fork import Run
    from huntgraph.timeline.history import History
    from huntgraph.timeline.reach import Crossed
    from huntgraph.timeline.timeline import Timeline

__all__ = [
    "Area",
    "Kinds",
    "LogDir",
    "Numbers",
    "Parquet",
    "Without",
    "WorldFile",
    "Yes",
    "area_of",
    "crossed",
    "kinds_of",
    "lending",
    "opened",
    "save",
    "tell_begins",
]

Numbers = Annotated[tuple[int, ...], Parameter(negative="", show_default=False)]
Area = Annotated[str | None, Parameter(name="--area")]
Kinds = Annotated[tuple[str, ...], Parameter(name="--kind", negative="", show_default=False)]
Parquet = Annotated[Path | None, Parameter(name="--parquet")]
Without = Annotated[tuple[str, ...], Parameter(negative="", show_default=False)]
LogDir = Annotated[
    Path | None, Parameter(name="--dir", help="the folder of huntgraph serve, or an actor's own.")
]
WorldFile = Annotated[
    Path | None,
    Parameter(
        name="--world",
        help="the world's file or the folder of its parts, where the folder does not know it.",
    ),
]
Yes = Annotated[bool, Parameter(name="--yes", negative="")]


_warm: ContextVar[Timeline | None] = ContextVar("warm", default=None)


@contextmanager
def lending(timeline: Timeline) -> Iterator[None]:
    """Let verbs that run meanwhile have a history that is open already."""
    token = _warm.set(timeline)
    try:
        yield
    finally:
        _warm.reset(token)


def opened(folder: Path | None, world: Path | None = None, without: Sequence[str] = ()) -> Timeline:
    """Open the history of a folder of huntgraph serve, by default the user's."""
    from huntgraph.timeline.timeline import open_timeline

    place, warm = layout_of(folder).folder, _warm.get()
    if warm is not None and world is None and not without and warm.history.folder == place:
        return warm
    return open_timeline(place, world, without)


def area_of(text: str | None) -> tuple[int, int, int, int] | None:
    """Read ``x1,z1,x2,z2``. Raises UsageError."""
    if text is None:
        return None
    try:
        x1, z1, x2, z2 = (int(part) for part in text.split(","))
    except ValueError as error:
        fix = "write four whole numbers: --area x1,z1,x2,z2"
        raise UsageError(f'"{text}" is no area', fix=fix) from error
    return x1, z1, x2, z2


def kinds_of(names: Sequence[str], default: tuple[Kind, ...]) -> tuple[Kind, ...]:
    """Read kinds of records, in any case. Raises UsageError."""
    found = []
    for name in names:
        key = name.upper().replace("-", "_")
        if key not in Kind.__members__:
            fix = did_you_mean(name.lower(), (kind.lower() for kind in Kind.__members__))
            raise UsageError(f'"{name}" is no kind of record', fix=fix)
        found.append(Kind[key])
    return tuple(found) or default


def save(table: NDArray[np.void], path: Path) -> None:
    """Write a table as Parquet, and say so."""
    from huntgraph.cli.output import say
    from huntgraph.timeline.export import write_table

    write_table(table, path)
    say(f"{len(table):,} rows in {path}")


def tell_begins(history: History) -> None:
    """Say where history begins in partitions whose log's beginning was dropped."""
    from huntgraph.cli.output import say

    for number, part in history.index().of.items():
        if part.begin:
            what = "what came before was dropped"
            say(f"partition {number}: history begins behind {number}/{part.begin}, {what}")


def crossed(run: Run) -> list[tuple[str, str]]:
    """Say what becomes of each earlier commit that a fork reaches across, by its id."""
    return [(each.id, _fate(run, each)) for each in run.reach.crossed]


def _fate(run: Run, crossed: Crossed) -> str:
    from huntgraph.timeline.audit import Audit

    if crossed.recipe:
        return f"made again, claims {crossed.recipe.claims}"
    undo = Audit(run.history.folder).find(crossed.id) if crossed.undone else None
    if undo is None:
        return "left out"
    return f"an undo, and holds here too; --without {undo.of} leaves out both"


def query_of(timeline: Timeline, default: tuple[Kind, ...], **given: Any) -> Any:
    """Make the query that the options of a verb ask for."""
    from huntgraph.timeline.lookup import Query
    from huntgraph.timeline.points import parse_event, since_ms

    history = timeline.history
    until = given["until"]
    return Query(
        players=given["player"],
        teams=given["team"],
        servers=given["server"],
        kinds=kinds_of(given["kind"], default),
        area=area_of(given["area"]),
        since_ms=since_ms(history, given["since"]) if given["since"] else 0,
        until_ms=since_ms(history, until) if until else None,
        events=tuple(parse_event(text) for text in given.get("event", ())),
        claims=given.get("claims", False),
        refused=given.get("refused", False),
        partitions=given.get("partition", ()),
    )
