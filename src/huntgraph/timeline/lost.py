"""Records that cannot be read: where they are named to be passed over, what stands in for them.

A block's checksum covers all its records, so a bad one loses them all: they are as if they had
never been logged. But players' numbers and ticks are dense, and what follows would be refused for
the gap. Both tell by themselves what is missing: a STRIKE takes each number, a TICK each tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.engine import Engine, move
from huntgraph.errors import LogDamagedError
from huntgraph.schema import ARRIVAL, MOVE, PEERS, Kind
from huntgraph.timeline.kinds import CORRECTION_KINDS, PLAYER_KINDS
from huntgraph.timeline.log import LogRecords
from huntgraph.timeline.tables import players_of

__all__ = ["Range", "stand_ins"]

Range = tuple[int, int]
"""First and last position of records that are lost together."""
Row = NDArray[np.uint8]

DENSE: Final = np.dtype(
    [("position", "u8"), ("of", "u8"), ("number", "u8"), ("begins", "?"), ("time_ms", "u8")]
)
"""A record with a number: whose, and whether numbers may begin anew there."""


def stand_ins(
    partition: int,
    log: Iterable[LogRecords],
    lost: Sequence[Range],
    known: Engine | None = None,
) -> dict[int, NDArray[np.uint8]]:
    """Give records by position that stand in for lost ones, as far as others tell of them.

    `log` is all of the partition's log, or all behind the state `known`. Where several are lost
    together, which of their positions each had is not known: they get the first ones. Raises
    LogDamagedError HG1512 when something was lost that cannot be left out: what came over a
    border, or a part of a correction.
    """
    moves, ticks, parcels = _dense(log, lost, partition, known)
    found: dict[int, list[Row]] = {first: [] for first, _ in lost}
    for at, of, number, _ in _missing(parcels, lost):
        what = f"parcel {number} from partition {of} was among them"
        raise _vital(partition, at, what)
    for at, of, number, _ in _missing(moves, lost):
        found[at[0]].append(_row(move(Kind.STRIKE, player=of, seq=number)))
    for at, _, number, time_ms in _missing(ticks, lost):
        found[at[0]].append(_row(move(Kind.TICK, arg=number, time_ms=time_ms)))
    for (first, last), rows in zip(lost, found.values(), strict=True):
        if len(rows) > last - first + 1:
            what = f"{len(rows)} records would have been there"
            raise _vital(partition, (first, last), what)
    return {first + at: row for first, rows in found.items() for at, row in enumerate(rows)}


def _dense(
    log: Iterable[LogRecords], lost: Sequence[Range], partition: int, known: Engine | None
) -> tuple[NDArray[np.void], ...]:
    """Tables (dtype DENSE) of moves, ticks and parcels, in the order of the log."""
    tables = ([], [], []) if known is None else _last_numbers(known)
    for records in log:
        moves, parcels = records.moves, records.rows.view(ARRIVAL).reshape(-1)
        _check_corrections(records, lost, partition)
        ordered, arrived = records.of(*PLAYER_KINDS), records.of(Kind.ARRIVE)
        some = ordered | arrived
        seq = np.where(arrived, parcels["seq"], moves["seq"])
        tables[0].append(_table(records, some, moves["player"], seq, arrived))
        ticks = records.of(Kind.TICK)
        table = _table(records, ticks, np.zeros_like(moves["player"]), moves["arg"])
        table["time_ms"] = moves["time_ms"][ticks]
        tables[1].append(table)
        over = records.of(Kind.ARRIVE, Kind.NOTICE)
        tables[2].append(_table(records, over, parcels["from"], parcels["number"]))
    return tuple(np.concatenate([np.zeros(0, DENSE), *table]) for table in tables)


def _last_numbers(known: Engine) -> tuple[list[NDArray[np.void]], ...]:
    """The numbers that a state has got to: of each player, of ticks, of parcels by sender."""
    players = players_of(known.players())
    taken = [known.peer(sender)[2] for sender in range(PEERS)]
    tables = [np.zeros(size, DENSE) for size in (len(players), 1, PEERS)]
    tables[0]["of"], tables[0]["number"] = players["id"], players["seq"]
    tables[1]["number"] = known.tick
    tables[2]["of"], tables[2]["number"] = np.arange(PEERS), taken
    for table in tables:
        table["position"], table["begins"] = known.position, True
    return tuple([table] for table in tables)


def _table(
    records: LogRecords,
    some: NDArray[np.bool_],
    of: NDArray[np.unsignedinteger],
    number: NDArray[np.unsignedinteger],
    begins: NDArray[np.bool_] | None = None,
) -> NDArray[np.void]:
    table = np.zeros(int(some.sum()), DENSE)
    table["position"], table["of"] = records.positions[some], of[some]
    table["number"] = number[some]
    if begins is not None:
        table["begins"] = begins[some]
    return table


def _missing(
    table: NDArray[np.void], lost: Sequence[Range]
) -> Iterator[tuple[Range, int, int, int]]:
    """Numbers that nobody has: where they were lost, whose they are, each number, the time."""
    order = np.lexsort((table["position"], table["of"]))
    last_of, last, since, time_ms = -1, 0, 0, 0
    for position, of, number, begins, time in table[order].tolist():
        if of != last_of:
            last_of, last, since, time_ms = of, 0, 0, 0
        here = next((each for each in lost if since < each[0] <= position), None)
        if here is not None and not begins:
            for missing in range(last + 1, number):
                yield here, of, missing, time_ms
        last, since, time_ms = number, position, time


def _check_corrections(records: LogRecords, lost: Sequence[Range], partition: int) -> None:
    some = records.of(*CORRECTION_KINDS)
    kinds = dict(zip(records.positions[some].tolist(), records.rows[some, 0].tolist(), strict=True))
    for first, last in lost:
        begun = kinds.get(first - 1, Kind.SETTLE) != Kind.SETTLE
        if begun or kinds.get(last + 1) in (Kind.CORRECT, Kind.SETTLE):
            raise _vital(partition, (first, last), "a part of a correction was among them")


def _row(record: NDArray[np.void]) -> Row:
    return record.view(np.uint8).reshape(MOVE.itemsize)


def _vital(partition: int, lost: Range, what: str) -> LogDamagedError:
    first, last = lost
    place = f"{partition}/{first} to {partition}/{last}"
    fix = f"fork from behind {partition}/{last}; a snapshot behind it is needed"
    return LogDamagedError(
        f"the lost records cannot be left out: {what}", where=place, fix=fix, code="HG1512"
    )
