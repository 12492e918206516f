"""Scripts: the records that a fork replays, each at a position: the log with its edits laid over.

Positions and sequence numbers never shift. What an edit adds shares the position of the record it
follows; a player's record that is taken out becomes a STRIKE, which takes its number and does
nothing; an added edge that is taken out is removed again at once, so that edge ids stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import ForkError
from huntgraph.schema import MOVE, RULE, Kind
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.edits import (
    Drop,
    Edit,
    Insert,
    Replace,
    Retime,
    Rules,
    check_input,
    check_insertion,
    check_move,
    check_replacement,
    too_early,
)
from huntgraph.timeline.history import History, Source
from huntgraph.timeline.kinds import EDGE_KINDS, HUNT_KINDS, PLAYER_KINDS, ROW_KINDS, among
from huntgraph.timeline.points import Event

__all__ = ["Layer", "Script", "Touched", "compile_edits", "joined", "read_script", "struck"]

Rows = NDArray[np.uint8]


@dataclass
class Touched:
    """What the records of edits name: what is changed directly."""

    players: set[int] = field(default_factory=set)
    edges: set[tuple[int, int, int]] = field(default_factory=set)
    """Partition, tail and head."""
    hunts: set[int] = field(default_factory=set)

    def add(self, partition: int, record: NDArray[np.uint8]) -> None:
        """Take in a record that an edit takes out, changes or adds."""
        move = record.view(MOVE)[0]
        kind = int(move["kind"])
        if kind in HUNT_KINDS:
            self.hunts.add(int(move["hunt"]))
        elif kind in EDGE_KINDS or kind == Kind.GO:
            self.edges.add((partition, int(move["from"]), int(move["to"])))
        if kind in PLAYER_KINDS or kind == Kind.GRANT:
            self.players.add(int(move["player"]))


@dataclass
class Script:
    """Records of one partition in their order: rows (n, 64), positions (n,), `edited` (n,)."""

    partition: int
    rows: Rows
    positions: NDArray[np.uint64]
    edited: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def kinds(self) -> NDArray[np.uint8]:
        """The kind of each record."""
        return np.ascontiguousarray(self.rows[:, 0])

    @property
    def moves(self) -> NDArray[np.void]:
        """The records as moves, dtype MOVE."""
        return self.rows.view(MOVE).reshape(-1)

    def cut(self, position: int) -> tuple[Script, Script]:
        """Give the records up to a position, and those behind it."""
        at = int(np.searchsorted(self.positions, position, side="right"))
        some, rest = (
            Script(self.partition, self.rows[part], self.positions[part], self.edited[part])
            for part in (slice(at), slice(at, None))
        )
        return some, rest


@dataclass(frozen=True)
class Layer:
    """Edits of one fork, and where they hold: behind its point, up to a cut."""

    edits: Sequence[Edit]
    point: Cut
    upto: Cut
    touched: Touched
    """Takes in what the edits name."""


def read_script(source: Source, after: int, last: int) -> Script:
    """Read the log of a partition behind a position up to another, as it is."""
    batches = [records.rows for records in source.records(after + 1, last)]
    rows = np.concatenate(batches) if batches else np.zeros((0, 64), np.uint8)
    positions = np.arange(after + 1, after + 1 + len(rows), dtype=np.uint64)
    return Script(source.partition, rows, positions, np.zeros(len(rows), np.bool_))


def joined(scripts: Sequence[Script]) -> Script:
    """Give scripts that follow one another as one."""
    if len(scripts) == 1:
        return scripts[0]
    rows, positions, edited = (
        np.concatenate([getattr(script, name) for script in scripts])
        for name in ("rows", "positions", "edited")
    )
    return Script(scripts[0].partition, rows, positions, edited)


def struck(row: Rows) -> Rows:
    """Give the STRIKE that stands in for a player's record."""
    found = row.copy()
    found[0] = Kind.STRIKE
    return found


def compile_edits(
    history: History, layers: Iterable[Layer], scripts: dict[int, Script], begin: Cut
) -> dict[int, Script]:
    """Lay edits over the scripts of all partitions, layer by layer, in the order of the edits.

    `begin` is where these scripts begin; what edits name before it was seen to before.

    Raises ForkError HG1730 for a record that is no input, HG1731 for one that is not where its
    layer holds, HG1732 for what would break a player's numbering, HG1733 for a hunt not loaded.
    """
    overlays = {number: _Overlay(script, begin[number]) for number, script in scripts.items()}
    for layer in layers:
        for number, overlay in overlays.items():
            overlay.hold(layer.point[number], layer.upto[number], layer.touched)
        for edit in layer.edits:
            _lay(history, edit, scripts, overlays)
    return {number: overlay.script() for number, overlay in overlays.items()}


def _lay(
    history: History, edit: Edit, scripts: dict[int, Script], overlays: dict[int, _Overlay]
) -> None:
    match edit:
        case Drop():
            _drop(history, edit, scripts, overlays)
        case Replace(event, record):
            _of(overlays, event).replace(event[1], record)
        case Insert(after, record):
            _of(overlays, after).insert(after[1], record)
        case Retime(event, after):
            check_move(event, after)
            _of(overlays, event).retime(event[1], after[1])
        case Rules(slot, rows):
            for number, raw in rows.items():
                _of(overlays, (number, 0)).load(slot, raw)


def _drop(
    history: History, edit: Drop, scripts: dict[int, Script], overlays: dict[int, _Overlay]
) -> None:
    if not edit.is_plain():
        for event in edit.events(history):
            _of(overlays, event).drop(event[1], strict=bool(edit.query.events))
        return
    for number, script in scripts.items():
        fit = edit.fits(history, number, script.moves, script.positions)
        for position in script.positions[fit].tolist():
            overlays[number].drop(position, strict=False)


class _Overlay:
    """Differences of one script, not yet put together."""

    def __init__(self, script: Script, begin: int) -> None:
        self._script, self._begin = script, begin
        self.hold(begin, begin, Touched())
        self._rows, self._kept = script.rows, np.ones(len(script), np.bool_)
        self._edited = np.zeros(len(script), np.bool_)
        self._added: list[tuple[int, Rows]] = []

    def hold(self, point: int, upto: int, touched: Touched) -> None:
        """Let the edits to come hold for records behind a position up to another."""
        self._point, self._upto, self._touched = point, upto, touched

    def drop(self, position: int, *, strict: bool) -> None:
        if (not strict and not self._has(position)) or self._was_seen_to(position):
            return  # a query may find what lies before the fork's point
        at = self._at(position)
        row = self._rows[at].copy()
        if not row[0]:
            return  # it is lost
        kind = check_input(self._event(position), row)
        if not self._kept[at] or kind == Kind.STRIKE:
            return
        self._touched.add(self._script.partition, row)
        self._edited[at] = True
        if kind in PLAYER_KINDS:
            self._put(at, struck(row))
        elif kind == Kind.EDGE_ADD:
            undo = row.copy()
            undo[0] = Kind.EDGE_REMOVE
            self._added.append((position, undo))
        else:
            self._kept[at] = False

    def replace(self, position: int, record: bytes) -> None:
        if self._was_seen_to(position):
            return
        at = self._at(position)
        old, new = self._rows[at].view(MOVE)[0], np.frombuffer(record, np.uint8).copy()
        kind = check_replacement(self._event(position), self._rows[at], record)
        if kind in PLAYER_KINDS:
            # Numbers are dense, and the server and the echo are those of whoever sent it.
            for name in ("player", "seq", "server", "echo"):
                new.view(MOVE)[0][name] = old[name]
        for row in (self._rows[at], new):
            self._touched.add(self._script.partition, row)
        self._put(at, new)
        self._edited[at] = True

    def insert(self, position: int, record: bytes) -> None:
        if self._was_seen_to(position):
            return
        self._at(position)
        check_insertion(self._event(position), record)
        row = np.frombuffer(record, np.uint8).copy()
        self._touched.add(self._script.partition, row)
        self._added.append((position, row))

    def retime(self, position: int, after: int) -> None:
        if self._was_seen_to(position):
            return
        at, to = self._at(position), self._at(after)
        row = self._rows[at].copy()
        kind = check_input(self._event(position), row)
        if kind in PLAYER_KINDS and not self._in_order(at, to):
            what = "that would exchange two records of one player"
            raise self._failure(position, what, "move it less far", "HG1732")
        self._touched.add(self._script.partition, row)
        self._kept[at] = False
        self._added.append((after, row))

    def load(self, slot: int, raw: bytes) -> None:
        moves = self._script.moves
        rows_of_it = among(moves["kind"], ROW_KINDS)
        mine = np.flatnonzero(rows_of_it & (moves["hunt"] == slot) & self._held())
        begins = mine[moves["kind"][mine] == Kind.HUNT_BEGIN]
        if self._goes_on() and not len(mine):
            return
        if not len(begins) or self._goes_on():
            what = f"no hunt was loaded into slot {slot} behind the fork's point"
            where = f"partition {self._script.partition}"
            fix = "fork from before the hunt was published"
            raise ForkError(what, where=where, fix=fix, code="HG1733")
        self._kept[mine] = False
        self._touched.hunts.add(slot)
        new = np.frombuffer(raw, np.uint8).reshape(-1, RULE.itemsize)
        at = int(self._script.positions[begins[0]])
        self._added += [(at, row.copy()) for row in new]

    def script(self) -> Script:
        """Put all together: at each position the log's record, then what was added behind it."""
        if not self._added and self._kept.all():
            return replace(self._script, rows=self._rows, edited=self._edited)
        kept = np.flatnonzero(self._kept)
        rows = [self._rows[kept], *(row[None] for _, row in self._added)]
        added = np.array([position for position, _ in self._added], np.uint64)
        positions = np.concatenate([self._script.positions[kept], added])
        edited = np.concatenate([self._edited[kept], np.ones(len(added), np.bool_)])
        order = np.argsort(positions, kind="stable")
        everything = np.concatenate(rows)
        return Script(self._script.partition, everything[order], positions[order], edited[order])

    def _put(self, at: int, row: Rows) -> None:
        if self._rows is self._script.rows:
            self._rows = self._rows.copy()
        self._rows[at] = row

    def _in_order(self, at: int, to: int) -> bool:
        """Whether a player's record moved behind another stands between its neighbours still."""
        moves = self._script.moves
        own = np.flatnonzero(
            (moves["player"] == moves["player"][at]) & among(moves["kind"], PLAYER_KINDS)
        )
        before, behind = own[own < at], own[own > at]
        early = len(before) > 0 and to < before[-1]
        return not early and not (len(behind) > 0 and to >= behind[0])

    def _goes_on(self) -> bool:
        return self._begin > self._point

    def _was_seen_to(self, position: int) -> bool:
        return self._point < position <= self._begin

    def _held(self) -> NDArray[np.bool_]:
        """Which records of the script the edits hold for."""
        positions = self._script.positions
        held: NDArray[np.bool_] = (positions > self._point) & (positions <= self._upto)
        return held

    def _has(self, position: int) -> bool:
        end = min(self._begin + len(self._script), self._upto)
        return max(self._begin, self._point) < position <= end

    def _at(self, position: int) -> int:
        if position <= self._point:
            raise too_early(self._event(position))
        if not self._has(position):
            what = "the replay ends before this event"
            raise self._failure(position, what, "replay the fork to its head", "HG1731")
        return position - self._begin - 1

    def _event(self, position: int) -> Event:
        return self._script.partition, position

    def _failure(self, position: int, what: str, fix: str, code: str) -> ForkError:
        return ForkError(what, where=f"{self._script.partition}/{position}", fix=fix, code=code)


def _of(overlays: dict[int, _Overlay], event: Event) -> _Overlay:
    if event[0] not in overlays:
        what = f"there is no partition {event[0]}"
        raise ForkError(what, fix=f"there are {sorted(overlays)}", code="HG1731")
    return overlays[event[0]]
