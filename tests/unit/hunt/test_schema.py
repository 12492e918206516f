"""The published JSON Schema is current, describes every key, and agrees with the examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from huntgraph.hunt import (
    SCHEMA_FILE,
    HuntInvalidError,
    check,
    generate_hunt,
    load,
    loads,
    schema,
    schema_text,
)
from huntgraph.hunt.source import read_source
from tests.unit.hunt.grounds import grid

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "hunts").glob("*.yaml"))
NAMES = {
    "object": dict, "array": list, "string": str, "integer": int, "boolean": bool,
    "null": type(None),
}  # fmt: skip
MADE = schema()
SILENT = {"description", "default", "$schema", "$defs", "title"}


def _errors(value: Any, rule: dict[str, Any], path: str = "$") -> Iterator[str]:
    """A validator of the keywords the schema uses; any other keyword fails the test."""
    for keyword, wanted in rule.items():
        if keyword not in SILENT:
            yield from (f"{path}: {each}" for each in _broken(keyword, wanted, value, rule, path))


def _broken(keyword: str, wanted: Any, value: Any, rule: dict[str, Any], path: str) -> list[str]:
    match keyword:
        case "$ref":
            target: Any = MADE
            for step in wanted.removeprefix("#/").split("/"):
                target = target[step]
            return list(_errors(value, target, path))
        case "type":
            names = wanted if isinstance(wanted, list) else [wanted]
            fits = any(isinstance(value, NAMES[name]) for name in names)
            if isinstance(value, bool) and "boolean" not in names:
                fits = False
            return [] if fits else [f"not {names}"]
        case "oneOf" | "anyOf":
            hits = sum(not list(_errors(value, each, path)) for each in wanted)
            return [] if hits == 1 or (hits and keyword == "anyOf") else [f"{hits} of {keyword}"]
        case "enum":
            return [] if value in wanted else [f"{value!r} not in {wanted}"]
        case "pattern":
            return [] if not isinstance(value, str) or re.search(wanted, value) else [wanted]
        case "required":
            return [f"{name} missing" for name in wanted if name not in _dict(value, wanted)]
        case "properties":
            inside = _dict(value)
            return [
                each
                for name in inside.keys() & wanted.keys()
                for each in _errors(inside[name], wanted[name], f"{path}.{name}")
            ]
        case "additionalProperties":
            inside = _dict(value)
            more = inside.keys() - rule.get("properties", {}).keys()
            if wanted is False:
                return [f"unknown {name}" for name in sorted(more)]
            return [each for name in more for each in _errors(inside[name], wanted, path)]
        case "items":
            items = value if isinstance(value, list) else []
            return [each for item in items for each in _errors(item, wanted, path)]
    return _bound(keyword, wanted, value)


def _dict(value: Any, keys: Iterable[str] = ()) -> dict[str, Any]:
    """A mapping to look into; for what is none, one that breaks no rule about mappings."""
    return value if isinstance(value, dict) else dict.fromkeys(keys)


def _bound(keyword: str, wanted: Any, value: Any) -> list[str]:
    size: Any = len(value) if isinstance(value, (str, list)) else None
    number: Any = value if isinstance(value, int) else None
    low, high = {
        "minimum": (number, wanted), "maximum": (wanted, number),
        "exclusiveMaximum": (wanted - 1, number) if isinstance(wanted, int) else (None, None),
        "minItems": (size, wanted), "maxItems": (wanted, size),
        "minLength": (size, wanted), "maxLength": (wanted, size),
    }[keyword]  # fmt: skip
    return [] if low is None or high is None or low >= high else [f"{keyword} {wanted}"]


def test_the_published_schema_is_current() -> None:
    assert SCHEMA_FILE.read_text() == schema_text(), "run: python -m huntgraph.hunt"
    json.loads(schema_text())


def test_every_key_has_a_description() -> None:
    made = schema()
    for part in [made, *made["$defs"].values()]:
        for name, rule in part.get("properties", {}).items():
            assert rule.get("description"), name


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_fit_the_schema_and_are_clean(path: Path) -> None:
    assert list(_errors(read_source(path.read_bytes(), path).values, MADE)) == []
    assert check(load(path)) == []
    assert check(load(path), grid(32, 32, diagonal=True)) == []
    reference = re.match(r"# yaml-language-server: \$schema=(.+)\n", path.read_text())
    assert reference
    assert (path.parent / reference[1]).resolve() == SCHEMA_FILE


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 2


def test_generated_hunts_fit_the_schema() -> None:
    text = generate_hunt(grid(20, 20), seed=4).to_yaml()
    assert list(_errors(read_source(text, "t").values, MADE)) == []


@pytest.mark.parametrize(
    "change",
    [
        ("hunt: first", "hunt: First Hunt"),
        ("points: 10\n", "points: -1\n"),
        ("at: {x: 2, y: 3}", "at: {x: 2}"),
        ("at: {x: 2, y: 3}", "at: here"),
        ("needs: old-well", "needs: {some: [old-well]}"),
        ("after: 30s", "after: 30"),
        ("after: 30s", "afer: 30s"),
        ("text: Go to the old well.", "text: [a]"),
        ("  - clue: old-well\n", "  - id: old-well\n"),
    ],
)
def test_schema_and_reader_refuse_the_same(change: tuple[str, str]) -> None:
    text = next(path for path in EXAMPLES if path.name == "first.yaml").read_text()
    assert change[0] in text
    wrong = text.replace(*change)
    assert list(_errors(read_source(wrong, "t").values, MADE)) != []
    with pytest.raises(HuntInvalidError) as caught:
        loads(wrong)
    assert {each.code for each in caught.value.findings} == {"HG1202"}
