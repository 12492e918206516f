"""Edits: what a fork changes in the recorded inputs. An overlay over the logs, never a rewrite.

An edit is kept in a fork's recipe as it was asked for, and turned into changes of single records
each time (`huntgraph.timeline.script`).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import ForkError, did_you_mean
from huntgraph.schema import MOVE, NONE, RULE, Kind
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.history import History
from huntgraph.timeline.kinds import EDGE_KINDS, HUNT_KINDS, PLAYER_KINDS, ROW_KINDS, among
from huntgraph.timeline.lookup import Query, lookup
from huntgraph.timeline.points import Event, check_event, parse_event

__all__ = [
    "EDITABLE",
    "Drop",
    "Edit",
    "Insert",
    "Replace",
    "Retime",
    "Rules",
    "check_edit",
    "check_input",
    "check_insertion",
    "check_move",
    "check_replacement",
    "describe",
    "read_edit",
    "record_of",
    "too_early",
    "write_edit",
]

EDITABLE: Final = (*PLAYER_KINDS, Kind.GRANT, *EDGE_KINDS, *HUNT_KINDS)
"""Kinds that are inputs. All others are the clock's, or follow from other records."""
INSERTABLE: Final = (*EDGE_KINDS, *HUNT_KINDS, Kind.GRANT)
"""Kinds that can be added: players' records are numbered."""
FIELDS: Final = ("hunt", "from", "to", "arg")
"""Fields of a move that an edit may set beside its kind and, for other records, none."""


@dataclass(frozen=True)
class Drop:
    """Take out all records that a query finds behind the fork's point."""

    query: Query

    def events(self, history: History) -> list[Event]:
        """Give the records that fit now, as (partition, position); named ones whatever they are."""
        if self.is_of_events():
            return list(self.query.events)
        found = lookup(history, self.query)
        return [(int(row["partition"]), int(row["position"])) for row in found]

    def is_of_events(self) -> bool:
        """Whether it names its records, and asks nothing else of them."""
        events, kinds = self.query.events, self.query.kinds
        return bool(events) and self.query == Query(events=events, kinds=kinds)

    def is_plain(self) -> bool:
        """Whether records fit by what they hold, whatever came of them."""
        query = self.query
        outcome = query.teams or query.area or query.claims or query.refused or query.events
        return not outcome

    def fits(
        self,
        history: History,
        partition: int,
        moves: NDArray[np.void],
        positions: NDArray[np.uint64],
    ) -> NDArray[np.bool_]:
        """Tell which of a partition's records fit, shape (n,); only if it is plain."""
        query, part = self.query, history.indexed.of[partition]
        fit = among(moves["kind"], query.kinds)
        if query.partitions and partition not in query.partitions:
            fit[:] = False
        if query.players:
            players = np.array(query.players, np.uint64)
            theirs = among(moves["kind"], (*PLAYER_KINDS, Kind.GRANT))
            fit &= theirs & np.isin(moves["player"], players)
        if query.servers:
            server = np.where(among(moves["kind"], ROW_KINDS), 0, moves["server"])
            fit &= np.isin(server, query.servers)
        fit &= part.time_at(positions)[0] >= query.since_ms
        if query.until_ms is not None:
            fit &= positions <= part.position_at(query.until_ms)
        return fit


@dataclass(frozen=True)
class Replace:
    """Put another deed in place of a record; a player's keeps player and number."""

    event: Event
    record: bytes


@dataclass(frozen=True)
class Insert:
    """Add a record behind another one: an edge's, a hunt's, or a GRANT."""

    after: Event
    record: bytes


@dataclass(frozen=True)
class Retime:
    """Move a record behind another one of the same partition."""

    event: Event
    after: Event


@dataclass(frozen=True)
class Rules:
    """Load other rows of a hunt in place of those that were loaded into its slot.

    `rows` holds for each partition what it gets, records of dtype RULE from HUNT_BEGIN to
    HUNT_PUBLISH.
    """

    slot: int
    rows: Mapping[int, bytes]


Edit = Drop | Replace | Insert | Retime | Rules


def check_edit(history: History, point: Cut, edit: Edit) -> None:
    """Check what can be known of an edit before the fork is replayed: the records that it names.

    Raises ForkError HG1711 for one that is not there, HG1731 for one before the fork's point,
    HG1730 for one that is no input, HG1732 for what would break a player's numbering.
    """
    for event in _events(edit):
        check_event(history, event)
        if event[1] <= point[event[0]]:
            raise too_early(event)
    match edit:
        case Drop(query):
            for event in query.events if edit.is_of_events() else ():
                check_input(event, _record_at(history, event))
        case Replace(event, record):
            check_replacement(event, _record_at(history, event), record)
        case Insert(after, record):
            check_insertion(after, record)
        case Retime(event, after):
            check_input(event, _record_at(history, event))
            check_move(event, after)


def check_input(event: Event, row: NDArray[np.uint8]) -> int:
    """Give the kind of a record, which must be an input. Raises ForkError HG1730."""
    kind = int(row[0])
    if kind in EDITABLE:
        return kind
    if not kind:
        what, fix = "the record is lost", "edit those behind it"
    else:
        what = f"a {Kind(kind).name} is no input: it follows from other records, or is the clock's"
        fix = "edit the records it follows from"
    raise ForkError(what, where=_text(event), fix=fix, code="HG1730")


def check_replacement(event: Event, row: NDArray[np.uint8], record: bytes) -> int:
    """Give the kind of a record that another one replaces. Raises ForkError HG1730, HG1732."""
    kind = check_input(event, row)
    if (kind in PLAYER_KINDS) != (record[0] in PLAYER_KINDS):
        what = "a player's record can only become another one of the same player"
        fix = "drop it, and insert the other one behind it"
        raise ForkError(what, where=_text(event), fix=fix, code="HG1732")
    return kind


def check_insertion(after: Event, record: bytes) -> None:
    """Check that a record may be added behind another one. Raises ForkError HG1732."""
    if record[0] not in INSERTABLE:
        name = Kind(record[0]).name
        what = f"a {name} cannot be inserted: a player's records are numbered densely"
        fix = "replace one of the player's records, or grant a treasure with kind GRANT"
        raise ForkError(what, where=_text(after), fix=fix, code="HG1732")


def check_move(event: Event, after: Event) -> None:
    """Check that a record is moved within its partition. Raises ForkError HG1732."""
    if event[0] != after[0]:
        what, fix = "a record stays in its partition", "name an event of the same one"
        raise ForkError(what, where=_text(event), fix=fix, code="HG1732")


def too_early(event: Event) -> ForkError:
    """Give the error for an event that a fork has behind it already."""
    fix = f"fork from before it: --before {_text(event)}"
    return ForkError(
        "the fork begins behind this event", where=_text(event), fix=fix, code="HG1731"
    )


def _record_at(history: History, event: Event) -> NDArray[np.uint8]:
    """The record of an event, shape (64,)."""
    (records,) = history.sources[event[0]].records(event[1], event[1])
    row: NDArray[np.uint8] = records.rows[0]
    return row


def _events(edit: Edit) -> tuple[Event, ...]:
    """The events that an edit names."""
    match edit:
        case Drop(query):
            return query.events
        case Replace(event) | Insert(event):
            return (event,)
        case Retime(event, after):
            return event, after
        case Rules():
            return ()


def record_of(fields: Mapping[str, Any]) -> bytes:
    """Make a move from `kind` and its fields by name. Raises ForkError HG1720."""
    given = {name.rstrip("_"): value for name, value in fields.items()}
    record = np.zeros((), MOVE)
    record["hunt"], record["arg"] = 0xFFFF, 0
    kind = str(given.pop("kind", "")).upper()
    if kind not in Kind.__members__:
        fix = did_you_mean(kind, Kind.__members__)
        raise ForkError(f'"{kind}" is no kind of record', fix=fix, code="HG1720")
    record["kind"] = Kind[kind]
    if kind == "CLAIM" and "arg" not in given:
        record["arg"] = NONE
    for name, value in given.items():
        if name not in (*FIELDS, "player"):
            what = f'"{name}" cannot be set in a record'
            raise ForkError(what, fix=did_you_mean(name, (*FIELDS, "player")), code="HG1721")
        record[name] = int(value)
    return record.tobytes()


def write_edit(edit: Edit) -> dict[str, Any]:
    """Give an edit as JSON-ready values."""
    match edit:
        case Drop(query):
            kinds = [Kind(kind).name for kind in query.kinds]
            return {"drop": asdict(query) | {"kinds": kinds}}
        case Replace(event, record):
            return {"replace": _text(event), "record": record.hex()}
        case Insert(after, record):
            return {"insert": record.hex(), "after": _text(after)}
        case Retime(event, after):
            return {"retime": _text(event), "after": _text(after)}
        case Rules(slot, rows):
            packed = {str(n): base64.b64encode(raw).decode() for n, raw in rows.items()}
            return {"rules": slot, "rows": packed}


def read_edit(body: Mapping[str, Any]) -> Edit:
    """Read what `write_edit` gave. Raises ForkError HG1722."""
    try:
        if "drop" in body:
            return Drop(_query(body["drop"]))
        if "replace" in body:
            return Replace(parse_event(body["replace"]), bytes.fromhex(body["record"]))
        if "insert" in body:
            return Insert(parse_event(body["after"]), bytes.fromhex(body["insert"]))
        if "retime" in body:
            return Retime(parse_event(body["retime"]), parse_event(body["after"]))
        rows = {int(n): base64.b64decode(text) for n, text in body["rows"].items()}
        return Rules(int(body["rules"]), rows)
    except (KeyError, TypeError, ValueError) as error:
        what = f"an edit of the fork's recipe cannot be read: {error}"
        raise ForkError(what, fix="drop the fork and make it again", code="HG1722") from error


def describe(edit: Edit) -> str:
    """Say in one line what an edit does."""
    match edit:
        case Drop(query):
            asked = {
                "player": ", ".join(map(str, query.players)),
                "team": ", ".join(map(str, query.teams)),
                "server": ", ".join(map(str, query.servers)),
                "area": "" if query.area is None else str(query.area),
                "events": ", ".join(map(_text, query.events)),
                "since": f"@{query.since_ms}" if query.since_ms else "",
                "until": f"@{query.until_ms}" if query.until_ms is not None else "",
                "kind": "" if query.kinds == EDITABLE else _kinds(query),
            }
            return "drop " + (" ".join(f"{k} {v}" for k, v in asked.items() if v) or "all")
        case Replace(event, record):
            return f"replace {_text(event)} by {Kind(record[0]).name}"
        case Insert(after, record):
            return f"insert {Kind(record[0]).name} after {_text(after)}"
        case Retime(event, after):
            return f"move {_text(event)} behind {_text(after)}"
        case Rules(slot, rows):
            count = sum(len(raw) for raw in rows.values()) // RULE.itemsize
            return f"other rules for the hunt in slot {slot}: {count} rows"


def _query(body: Mapping[str, Any]) -> Query:
    kinds = tuple(Kind[name] for name in body["kinds"])
    area = None if body["area"] is None else tuple(body["area"])
    events = tuple((int(p), int(x)) for p, x in body["events"])
    lists = ("players", "teams", "servers", "partitions")
    values: dict[str, Any] = {name: tuple(body[name]) for name in lists}
    values |= {name: body[name] for name in ("since_ms", "until_ms", "claims", "refused")}
    return Query(kinds=kinds, area=area, events=events, **values)


def _kinds(query: Query) -> str:
    return ", ".join(Kind(kind).name for kind in query.kinds)


def _text(event: Event) -> str:
    return f"{event[0]}/{event[1]}"
