"""Mistakes of a file: all at once, each with code, line, column and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from huntgraph.errors import HuntFileError
from huntgraph.hunt import HuntInvalidError, check_file, load, loads
from huntgraph.hunt.finding import Finding


def _mistakes(text: str | bytes) -> list[Finding]:
    with pytest.raises(HuntInvalidError) as caught:
        loads(text, file="t.yaml")
    return list(caught.value.findings)


MANY = """\
hunt: Big Hunt
titel: x
languages: en
opens: tomorrow-ish
duration: 10 minutes
stages:
  - clue: a
    at: {x: 1}
    points: "10"
    window: {form: 5m}
  - treasure: b
    at: [1, 2]
    who: everyone
    needs: {all: []}
    text: 12
  - chest: c
traffic: {rise: 300, bucket: 3, bucket_cost: 1, decay_share: 12%}
gates:
  - gate: g
    shut_at_start: yes
"""


def test_every_mistake_is_told_with_its_place() -> None:
    found = {(each.line, each.column): each for each in _mistakes(MANY)}
    assert sorted(found) == [
        (1, 7), (2, 1), (3, 12), (4, 8), (5, 11), (8, 9), (9, 13), (10, 14), (12, 9), (13, 10),
        (14, 18), (15, 11), (16, 5), (17, 17), (17, 30), (17, 62), (20, 20),
    ]  # fmt: skip
    assert {each.code for each in found.values()} == {"HG1202"}
    assert all(each.what and each.fix for each in found.values())
    assert found[2, 1].fix == 'did you mean "title"?'
    assert found[10, 14].fix == 'did you mean "from"?'
    assert found[8, 9].what == '"y" is missing'
    assert found[14, 18].path == "stages[1].needs.all"
    assert found[17, 30].what == "3 is not a power of two up to 128"
    assert found[12, 9].fix == "write a node number, {x: 10, y: 20} or {name: 7}"


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("", "HG1201", 1, 1),
        ("# only a comment\n", "HG1201", 1, 1),
        ("hunt: [a\n", "HG1201", 2, 1),
        ("hunt: a\n\tstages: []\n", "HG1201", 2, 1),
        ("hunt: a\nstages: *missing\n", "HG1201", 2, 9),
        ("hunt: a\nstages: &s\n  - *s\n", "HG1201", 2, 9),
        (b"hunt: a\nx: \xff\n", "HG1201", 2, 4),
        ("a: " + "[" * 60 + "]" * 60, "HG1201", 1, 44),
        ("hunt: a\nhunt: b\n", "HG1203", 2, 1),
        ("- a\n- b\n", "HG1202", 1, 1),
        ("just text\n", "HG1202", 1, 1),
    ],
)
def test_what_is_no_hunt_file(text: str | bytes, code: str, line: int, column: int) -> None:
    first = _mistakes(text)[0]
    assert (first.code, first.line, first.column) == (code, line, column)


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 7)]
    assert "more than 100000 values" in _mistakes("\n".join(lines))[0].what


def test_aliases_work() -> None:
    hunt = loads("hunt: h\nstages:\n  - treasure: z\n    at: &p {x: 1, y: 2}\nstart: *p\n")
    assert hunt.page.start == [hunt.page.stages[0].at]


def test_the_error_says_file_and_line_and_lists_all() -> None:
    with pytest.raises(HuntFileError) as caught:
        loads("hunt: h\nstages:\n  - treasure: z\n  - clue: a\n", file="night.yaml")
    assert caught.value.code == "HG1202"
    assert caught.value.where == "night.yaml:3:5"
    assert str(caught.value).count("\n") == 1


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HuntFileError, match="cannot be read"):
        load(tmp_path / "none.yaml")


def test_check_file_gives_mistakes_as_findings(tmp_path: Path) -> None:
    path = tmp_path / "h.yaml"
    path.write_text("hunt: h\nstages: 5\n")
    assert [(each.line, each.code) for each in check_file(path)] == [(2, "HG1202")]
    path.write_text("hunt: h\nstages: []\n")
    assert [(each.line, each.code) for each in check_file(path)] == [(2, "HG1215")]
