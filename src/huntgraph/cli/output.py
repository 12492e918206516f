"""What a verb prints: data on standard output, talk and progress on standard error."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter

from huntgraph.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.table import Table

__all__ = [
    "Count",
    "Json",
    "Progress",
    "counted",
    "duration",
    "facts",
    "make_table",
    "print_json",
    "progress",
    "say",
    "table",
]

AFTER_S: Final = 1.0
"""A bar appears when something takes longer than this, on a terminal only."""

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON on stdout.")]


def _count(_: Any, tokens: Sequence[Any]) -> int:
    text = str(getattr(tokens[0], "value", tokens[0])).replace("_", "").replace(",", "")
    factor = {"k": 1000, "m": 1_000_000}.get(text[-1:].lower(), 1)
    digits = text[:-1] if factor > 1 else text
    try:
        value = float(digits) * factor
    except ValueError as error:
        fix = "write a number such as 5000, 100k or 4M"
        raise UsageError(f'"{text}" is no count', fix=fix) from error
    if value != int(value) or value < 0:
        raise UsageError(f'"{text}" is no whole count', fix="write a number such as 100k or 4M")
    return int(value)


Count = Annotated[int, Parameter(converter=_count)]
"""A whole number that may be written 100k or 4M."""


def print_json(schema: str, body: dict[str, Any]) -> None:
    """Print one object on one line; ``schema`` names its shape, which does not change."""
    print(json.dumps({"schema": f"huntgraph.{schema}/1", **body}), flush=True)


def say(text: str = "") -> None:
    """Say something to the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def facts(title: str, rows: Iterable[tuple[str, object]]) -> None:
    """Print names and values as a table on standard output."""
    table(title, ("what", "value"), ((name, _text(value)) for name, value in rows), head=False)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, head: bool = True
) -> None:
    """Print a table on standard output."""
    from rich.console import Console

    console = Console()
    # A pipe has no width: lines are not to be broken there.
    width = None if console.is_terminal else 200
    Console(width=width).print(make_table(title, columns, rows, head=head))


def make_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, head: bool = True
) -> Table:
    """Make a table for something that draws it itself."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    shown = Table(title=title or None, title_justify="left", box=SIMPLE, show_header=head)
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        # Text: what comes from files is never read as markup.
        shown.add_row(*(Text(cell) for cell in row))
    return shown


def counted(number: int, name: str) -> str:
    """Give a number of things: ``1 event``, ``2 events``."""
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def duration(time_ns: float) -> str:
    """Give a time as people read it."""
    if time_ns < 1_000_000:
        return f"{time_ns / 1000:.0f} us"
    return f"{time_ns / 1_000_000:.1f} ms"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}"
    return str(value)


class Progress:
    """A bar that appears after a second, on a terminal; call it with the share done and a text."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._share: float | None = None
        self._bar: Bar | None = None
        self._lock = threading.Lock()
        self._over = False
        self._timer = threading.Timer(AFTER_S, self._show)
        self._timer.daemon = True
        if sys.stderr.isatty():
            self._timer.start()

    def __call__(self, share: float, text: str = "") -> None:
        """Tell how much is done, 0 to 1."""
        with self._lock:
            self._share = share
            if self._bar is not None:
                title = f"{self._title}: {text}" if text else self._title
                self._bar.update(self._bar.task_ids[0], completed=share, total=1, description=title)

    def at(self, text: str) -> None:
        """Tell where it is, when nobody knows how much there is."""
        with self._lock:
            if self._bar is not None:
                self._bar.update(self._bar.task_ids[0], description=f"{self._title}: {text}")

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        with self._lock:
            if self._over:
                return
            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            total = None if self._share is None else 1
            task = self._bar.add_task(self._title, total=total)
            self._bar.update(task, completed=self._share or 0)

    def close(self) -> None:
        """Remove the bar."""
        self._timer.cancel()
        with self._lock:
            self._over = True
            if self._bar is not None:
                self._bar.stop()


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Show a bar while something runs that may take over a second."""
    shown = Progress(title)
    try:
        yield shown
    finally:
        shown.close()
