"""The audit trail: append-only, chained, and only whole lines count."""

from __future__ import annotations

from pathlib import Path

import pytest

from huntgraph.errors import AuditError
from huntgraph.timeline.audit import START, Audit, Effect, Entry, PartHashes

PARTS = (PartHashes(0, 9, "1" * 16, "2" * 16), PartHashes(1, 5, "3" * 16, "4" * 16))


def entry(number: int, **fields: object) -> Entry:
    given = {"kind": "commit", "at_ms": number, "who": "a master", "why": "a cheater"}
    return Entry(id=f"{number:016x}", **(given | fields))  # type: ignore[arg-type]


def trail_of(folder: Path, count: int) -> Audit:
    trail = Audit(folder)
    for number in range(1, count + 1):
        trail.append(entry(number, parts=PARTS, edits=("drop player 7",)))
    return trail


def test_entries_come_back_as_they_went_in_each_linked_to_the_last(tmp_path: Path) -> None:
    trail = Audit(tmp_path / "not there yet")
    assert trail.entries() == []
    first = trail.append(entry(1, parts=PARTS))
    second = trail.append(entry(2, of=first.id, kind="undo"))
    assert trail.entries() == [first, second]
    assert (first.previous, second.previous != START) == (START, True)
    assert trail.find(second.id) == second
    assert trail.find("f" * 16) is None


def test_a_line_that_a_death_cut_off_never_was(tmp_path: Path) -> None:
    trail = trail_of(tmp_path, 2)
    whole = trail.path.read_bytes()
    trail.append(entry(3))
    third = trail.path.read_bytes()
    for end in range(len(whole), len(third)):
        trail.path.write_bytes(third[:end])
        assert len(trail.entries()) == 2
    trail.path.write_bytes(third[:-5])
    trail.append(entry(4))
    assert [each.at_ms for each in trail.entries()] == [1, 2, 4]


@pytest.mark.parametrize("line", [0, 1, 2])
def test_a_changed_or_missing_line_is_found(tmp_path: Path, line: int) -> None:
    trail = trail_of(tmp_path, 4)
    lines = trail.path.read_bytes().splitlines(keepends=True)
    forged = [
        each.replace(b"a master", b"nobody") if at == line else each
        for at, each in enumerate(lines)
    ]
    for text in (forged, lines[:line] + lines[line + 1 :]):
        trail.path.write_bytes(b"".join(text))
        with pytest.raises(AuditError) as raised:
            trail.entries()
        assert raised.value.code == "HG1621"
        with pytest.raises(AuditError):
            trail.append(entry(9))


def test_what_is_undone_is_not_undone_again_but_its_undo_can_be(tmp_path: Path) -> None:
    trail = Audit(tmp_path)
    commit = trail.append(entry(1))
    assert trail.undoable(commit.id) == commit
    undo = trail.append(entry(2, kind="undo", of=commit.id))
    with pytest.raises(AuditError, match=f"undone already, by {undo.id}") as raised:
        trail.undoable(commit.id)
    assert raised.value.code == "HG1623"
    assert trail.undoable(undo.id) == undo
    again = trail.append(entry(3, kind="undo", of=undo.id))
    assert trail.undoable(commit.id) == commit
    assert trail.undoable(again.id) == again
    with pytest.raises(AuditError) as raised:
        trail.undoable("0" * 16)
    assert raised.value.code == "HG1622"


def test_effects_are_outstanding_until_they_are_acknowledged(tmp_path: Path) -> None:
    trail = Audit(tmp_path)
    effects = (Effect("e1", "revoke the crown of 7"), Effect("e2", "give it to 9"))
    made = trail.append(entry(1, effects=effects))
    trail.acknowledge(made.id, ["e2"], who="the shop", at_ms=5)
    assert [each.state for each in trail.effects(made.id)] == ["outstanding", "acknowledged"]
    for name, effect in ((made.id, "e3"), ("0" * 16, "e1")):
        with pytest.raises(AuditError) as raised:
            trail.acknowledge(name, [effect], who="the shop", at_ms=6)
        assert raised.value.code in ("HG1620", "HG1622")
    assert len(trail.entries()) == 2
