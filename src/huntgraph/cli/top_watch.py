"""Looking at several sources again and again: the rows of ``top``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from huntgraph.cli.top_rows import Row, row_of, total
from huntgraph.cli.top_source import Look, Source
from huntgraph.errors import ActorError

__all__ = ["Watch"]


class Watch:
    """The rows of all sources, each from the last two looks at it."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = sources
        self._looks: list[list[Look]] = [[] for _ in sources]
        self._rows: list[Row] = []

    def look(self) -> None:
        """Look at all. Raises the first ActorError when nothing is there or ever was."""
        failures: list[ActorError] = []
        rows: list[Row] = []
        for index, source in enumerate(self._sources):
            before = self._looks[index]
            try:
                looks = source.look()
            except ActorError as error:
                failures.append(error)
                looks = [replace(look, reading=None) for look in before]
            rows += self._rows_of(source, before, looks)
            self._looks[index] = looks
        if not rows:
            raise failures[0]
        self._rows = rows

    def _rows_of(self, source: Source, before: list[Look], looks: list[Look]) -> Iterator[Row]:
        earlier = {look.partition: look for look in before}
        for look in looks:
            first = earlier.get(look.partition, look)
            alone = len(self._sources) == 1
            name = str(look.partition) if alone else f"{source.name}/{look.partition}"
            reading = None if first is look else first.reading
            yield row_of(name, reading, look.reading, look.time_s - first.time_s)

    def to_dict(self) -> dict[str, Any]:
        """Give the rows and their total, JSON-ready."""
        partitions = [{"partition": row.name} | row.to_dict() for row in self._rows]
        return {"partitions": partitions, "total": total(self._rows).to_dict()}

    def cells(self) -> list[list[str]]:
        """Give the cells of the rows and, below more than one, of their total."""
        rows = self._rows if len(self._rows) == 1 else [*self._rows, total(self._rows)]
        return [row.cells() for row in rows]
