"""Logs and states as NumPy arrays, and as Parquet files (the extra ``huntgraph[parquet]``)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Engine
from huntgraph.errors import ExtraMissingError, HuntError, LogError
from huntgraph.schema import MOVE
from huntgraph.timeline.history import Source
from huntgraph.timeline.tables import EDGE as EDGE_TAG
from huntgraph.timeline.tables import edge_parts, players_of, stages_of, tag_of

__all__ = [
    "BLOCK",
    "EDGES",
    "map_blocks",
    "read_log",
    "state_tables",
    "write_parquet",
    "write_table",
]

PAGE: Final = 4096
BLOCK: Final = np.dtype(
    [
        *(("magic", "S4"), ("version", "<u2"), ("partition", "<u2"), ("epoch", "<u8")),
        *(("first", "<u8"), ("count", "<u4"), ("crc", "<u4"), ("previous", "<u8")),
        *(("durable", "<u8"), ("time_ms", "<u8"), ("segment", "<u4"), ("page", "<u4")),
    ]
)
"""The header of a block of a log (docs/reference/log-format.md)."""
EDGES: Final = np.dtype(
    [("from", "u4"), ("to", "u4"), ("weight", "u2"), ("heat", "u1"), ("closed", "?")]
)
"""A slot by edge id; an absent one has weight 0."""


def map_blocks(directory: str | Path) -> Iterator[tuple[np.void, NDArray[np.void]]]:
    """Give each block of an actor's log: its header (dtype BLOCK) and its records (dtype MOVE).

    The arrays are the files' own memory, read-only and not copied. No checksum is looked at:
    `huntgraph.timeline.Log` does that. Raises LogError when there is no log.
    """
    segments = sorted((Path(directory) / "log").glob("segment-*.log"))
    if not segments:
        what, fix = "there is no log", "name an actor's directory"
        raise LogError(what, where=directory, fix=fix, code="HG1501")
    for path in segments:
        raw, at = np.memmap(path, np.uint8, mode="r"), PAGE
        while at + BLOCK.itemsize <= len(raw):
            header = raw[at : at + BLOCK.itemsize].view(BLOCK)[0]
            if header["magic"] != b"HGBL":
                break
            begin, count = at + BLOCK.itemsize, int(header["count"])
            if count:
                yield header, raw[begin : begin + count * MOVE.itemsize].view(MOVE)
            at += -(-(BLOCK.itemsize + count * MOVE.itemsize) // PAGE) * PAGE


def read_log(source: Source, last: int) -> NDArray[np.void]:
    """Give the records of a partition up to a position, from the first one that is there.

    Their dtype is MOVE with the position before it.

    Records of other layouts are in it too: mind `kind`. Raises LogError.
    """
    dtype = np.dtype([("position", "u8"), *((n, MOVE[n]) for n in MOVE.names or ())])
    tables = [np.zeros(0, dtype)]
    for records in source.records(source.begin()[1], last):
        table = np.zeros(len(records.rows), dtype)
        table["position"] = records.positions
        for name in MOVE.names or ():
            table[name] = records.moves[name]
        tables.append(table)
    return np.concatenate(tables)


def state_tables(engine: Engine) -> dict[str, NDArray[np.void]]:
    """Give an engine's state as read-only tables: edges (EDGES), players, stages.

    Players have dtype PLAYERS, stages STAGE_ROW of `huntgraph.timeline.tables`.
    """
    names, words = engine.cells()
    tail, head = engine.edges()
    edges = np.zeros(len(tail), EDGES)
    edges["from"], edges["to"] = tail, head
    edges["weight"], edges["heat"], edges["closed"] = edge_parts(words[tag_of(names) == EDGE_TAG])
    tables = {"edges": edges, "players": players_of(engine.players())}
    tables["stages"] = stages_of(names, words)
    for table in tables.values():
        table.flags.writeable = False
    return tables


def write_parquet(tables: Mapping[str, NDArray[np.void]], folder: Path) -> list[Path]:
    """Write each table as ``folder/NAME.parquet``, a column a field. Gives the files.

    A field that holds several values becomes as many columns. Raises ExtraMissingError without
    DuckDB.
    """
    return [write_table(table, folder / f"{name}.parquet") for name, table in tables.items()]


def write_table(table: NDArray[np.void], path: Path) -> Path:
    """Write one table (a structured array) as a Parquet file. Raises HuntError HG1031."""
    try:
        duckdb: Any = importlib.import_module("duckdb")
    except ImportError:
        what = "writing Parquet needs DuckDB, which is not installed"
        raise ExtraMissingError(what, fix='install "huntgraph[parquet]"') from None
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = dict(_columns(table))
    with duckdb.connect() as connection:
        connection.register("columns", columns)
        try:
            connection.execute("COPY (SELECT * FROM columns) TO $1 (FORMAT parquet)", [str(path)])
        except duckdb.IOException as error:
            what = "the Parquet file cannot be written"
            fix = "check that its folder may be written to and has room"
            raise HuntError(what, where=path, fix=fix, code="HG1031") from error
    return path


def _columns(table: NDArray[np.void]) -> Iterator[tuple[str, NDArray[Any]]]:
    for name in table.dtype.names or ():
        values = table[name]
        if values.ndim == 1:
            yield name, np.ascontiguousarray(values)
        else:
            for at in range(values.shape[1]):
                yield f"{name}_{at + 1}", np.ascontiguousarray(values[:, at])
