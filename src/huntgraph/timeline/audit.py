"""The audit trail: what was committed, by whom, why, and what became of its effects.

``audit.jsonl`` is append-only: one JSON object a line, each with the SHA-256 of the line before it.
A line that is whole and on disk is the decision of a commit; one that a death cut off never was.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final, Literal

from huntgraph.errors import AuditError
from huntgraph.fsync import sync_folder

__all__ = ["DECIDED", "Audit", "Effect", "Entry", "PartHashes"]

FILE: Final = "audit.jsonl"
START: Final = "0" * 64
"""What the first line has as the hash of the one before it."""
DECIDED: Final = ("commit", "undo")
"""Kinds of entries that changed the hunt."""
State = Literal["outstanding", "acknowledged"]


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that happened outside the engine and has to be given or taken back there."""

    id: str
    what: str
    state: State = "outstanding"


@dataclass(frozen=True, slots=True)
class PartHashes:
    """Bare hashes (rules, section 8) of one partition before and after, and where it was fenced."""

    partition: int
    position: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the trail. ``kind`` is commit, undo or acknowledge.

    ``id`` names the correction in 16 hex digits; ``of`` the one that an undo or an acknowledgement
    is about. ``at_ms`` is milliseconds since 1970. ``point``, ``edits`` and ``policy`` are the
    fork's, as whoever commits it describes them; ``recipe`` is what it is made of, from which the
    commit is made again in forks that reach across it (`huntgraph.timeline.reach`).
    """

    id: str
    kind: str
    at_ms: int
    who: str
    why: str
    point: str = ""
    edits: tuple[str, ...] = ()
    policy: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    of: str = ""
    parts: tuple[PartHashes, ...] = ()
    diff_hash: str = ""
    cells: int = 0
    effects: tuple[Effect, ...] = ()
    previous: str = field(default=START)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, JSON-ready."""
        return asdict(self)

    def line(self) -> bytes:
        """The entry as it stands in the file, without the line's end."""
        return json.dumps(self.to_dict(), separators=(",", ":"), sort_keys=True).encode()

    @classmethod
    def from_line(cls, line: bytes) -> Entry:
        """Read a line. Raises ValueError, TypeError or KeyError when it is none."""
        found = json.loads(line)
        found["edits"] = tuple(found["edits"])
        found["parts"] = tuple(PartHashes(**part) for part in found["parts"])
        found["effects"] = tuple(Effect(**effect) for effect in found["effects"])
        return cls(**found)


class Audit:
    """The trail of the folder ``data``, which need not be there yet."""

    def __init__(self, data: str | Path) -> None:
        self.path = Path(data) / FILE
        self._last: tuple[bytes | None, int] | None = None
        """The last line, and where it ends, once all up to it was verified."""

    def entries(self) -> list[Entry]:
        """Read and verify all entries. Raises AuditError at the first that breaks the chain."""
        self._last = None
        found = list(self._read())
        self._last = found[-1][1] if found else (None, 0)
        return [entry for entry, _ in found]

    def find(self, name: str) -> Entry | None:
        """Give the commit or undo of this id, None when it was not decided."""
        return _find(self.entries(), name)

    def undoable(self, name: str) -> Entry:
        """Give the commit or undo of this id, which holds.

        Raises AuditError HG1622 when there is none, HG1623 when it is undone already.
        """
        entries = self.entries()
        if (entry := _find(entries, name)) is None:
            raise self._unknown(name)
        undone: dict[str, str] = {}
        for each in reversed(entries):  # an undo that is undone itself does not hold
            if each.kind == "undo" and each.id not in undone:
                undone[each.of] = each.id
        if name in undone:
            what = f"the commit {name} is undone already, by {undone[name]}"
            fix = f"to have it again, undo that one: huntgraph undo {undone[name]}"
            raise AuditError(what, where=self.path, fix=fix, code="HG1623")
        return entry

    def effects(self, name: str) -> list[Effect]:
        """The effects of a commit with what is known of them now."""
        entry = self.find(name)
        if entry is None:
            raise self._unknown(name)
        later = [each for each in self.entries() if each.kind == "acknowledge" and each.of == name]
        done = {effect.id for each in later for effect in each.effects}
        return [
            Effect(each.id, each.what, "acknowledged" if each.id in done else each.state)
            for each in entry.effects
        ]

    def append(self, entry: Entry) -> Entry:
        """Append an entry, linked to the last one, and return once it is on disk.

        What a death cut off is overwritten. Raises AuditError when the trail is damaged.
        """
        new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked() as file:
            # A trail only grows: where it ends as it did, it was verified before.
            if self._last is None or os.fstat(file.fileno()).st_size != self._last[1]:
                self.entries()
            line, end = self._last or (None, 0)
            previous = START if line is None else sha256(line).hexdigest()
            linked = Entry(**{**_fields(entry), "previous": previous})
            file.truncate(end)
            file.seek(end)
            written = linked.line()
            file.write(written + b"\n")
            file.flush()
            os.fsync(file.fileno())
            self._last = written, end + len(written) + 1
        if new:
            sync_folder(self.path.parent)
        return linked

    def acknowledge(self, name: str, effects: Sequence[str], *, who: str, at_ms: int) -> Entry:
        """Note that effects of a commit have been carried out. Raises AuditError for others."""
        known = {effect.id: effect for effect in self.effects(name)}
        for each in effects:
            if each not in known:
                fix = f"known are: {', '.join(sorted(known)) or 'none'}"
                raise AuditError(f"the commit has no effect {each}", where=self.path, fix=fix)
        done = tuple(Effect(each, known[each].what, "acknowledged") for each in effects)
        entry = Entry(name, "acknowledge", at_ms, who, "carried out", of=name, effects=done)
        return self.append(entry)

    def sync(self) -> None:
        """Put on disk what the file holds: before anything is done for what it says."""
        if self.path.exists():
            with self.path.open("rb") as file:
                os.fsync(file.fileno())
            sync_folder(self.path.parent)

    def _read(self) -> Iterator[tuple[Entry, tuple[bytes, int]]]:
        """Entries with their lines and where these end; a torn last line counts for nothing."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return
        previous, end = START, 0
        for number, line in enumerate(text.split(b"\n")[:-1], start=1):
            try:
                entry = Entry.from_line(line)
            except (ValueError, TypeError, KeyError) as error:
                raise self._damaged(number, "is no entry") from error
            if entry.previous != previous:
                raise self._damaged(number, "does not follow from the line before")
            previous, end = sha256(line).hexdigest(), end + len(line) + 1
            yield entry, (line, end)

    @contextmanager
    def _locked(self) -> Iterator[IO[bytes]]:
        """The file for one writer at a time."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    def _damaged(self, number: int, what: str) -> AuditError:
        fix = "restore the file from a copy; nothing is committed or undone until then"
        return AuditError(f"line {number} {what}", where=self.path, fix=fix, code="HG1621")

    def _unknown(self, name: str) -> AuditError:
        fix = "list the commits with 'huntgraph audit'"
        return AuditError(f"no commit {name}", where=self.path, fix=fix, code="HG1622")


def _find(entries: Iterable[Entry], name: str) -> Entry | None:
    """The commit or undo of this id."""
    return next((each for each in entries if each.kind in DECIDED and each.id == name), None)


def _fields(entry: Entry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
