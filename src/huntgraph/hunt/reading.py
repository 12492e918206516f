"""From values to models: every mistake of a hunt file at once, each with place and mending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from huntgraph.errors import did_you_mean
from huntgraph.hunt import page as models
from huntgraph.hunt.finding import Finding, HuntInvalidError
from huntgraph.hunt.page import Page
from huntgraph.hunt.source import Source

__all__ = ["read_page"]


def _names(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in model.model_fields.items())


# What may be written at a place, by the step of the error's path that leads there.
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "": _names(models.Page),
    "<clue>": _names(models.Clue),
    "<treasure>": _names(models.Treasure),
    "<xy>": _names(models.XY),
    "<name>": _names(models.Name),
    "<all>": ("all",),
    "<any>": ("any",),
    "window": _names(models.Window),
    "hints": _names(models.Hint),
    "reward": _names(models.Reward),
    "gates": _names(models.Gate),
    "traffic": _names(models.Traffic),
}
# The fix for an error, by its kind or by the key it stands at.
FIX_BY_KIND: Final[Mapping[str, str]] = {
    "place": "write a node number, {x: 10, y: 20} or {name: 7}",
    "need": "write an id, a list of ids, {all: [...]} or {any: [...]}",
    "stage": "start it with 'clue: some-id' or 'treasure: some-id'",
    "int_type": "write a whole number without quotes",
    "string_type": "write text; put it in quotes when it looks like a number or true/false",
    "bool_type": "write true or false",
    "list_type": "write a list: each item on a line of its own, after '- '",
    "model_type": "write keys and values, each on a line of its own: 'key: value'",
    "dict_type": "write keys and values, each on a line of its own: 'key: value'",
}
FIX_BY_KEY: Final[Mapping[str, str]] = {
    "text": "write a text, or one for each language: {en: ..., de: ...}",
    "title": "write a text, or one for each language: {en: ..., de: ...}",
    "decay_share": "use 1/2, 1/4, 1/8, 1/16, 1/32, 1/64 or 1/128",
}
ID_FIX: Final = "use lower-case letters, digits, - and _, at most 63, starting with a letter"
LANGUAGE_FIX: Final = "write a language tag such as en or de-AT"


def read_page(source: Source) -> Page:
    """Check a source's values against the format.

    Raises HuntInvalidError (codes HG1202) with every mistake, in the order of the file.
    """
    try:
        return Page.model_validate(source.values)
    except ValidationError as error:
        found = [_finding(source, dict(each)) for each in error.errors(include_url=False)]
        raise HuntInvalidError(sorted(found, key=lambda each: (each.line, each.column))) from None


def _finding(source: Source, error: Mapping[str, Any]) -> Finding:
    steps: Sequence[str | int] = error["loc"]
    kind = str(error["type"])
    last = next((str(step) for step in reversed(steps) if not _is_tag(step)), "the file")
    if kind == "extra_forbidden":
        fix = did_you_mean(last, _known(steps))
        return source.finding("HG1202", steps, f'unknown key "{last}"', fix, key=True)
    if kind == "missing":
        what, fix = f'"{last}" is missing', f"add a line '{last}: ...' here"
        return source.finding("HG1202", steps, what, fix)
    context = error.get("ctx") or {}
    if kind == "hunt":
        return source.finding("HG1202", steps, str(context["what"]), str(context["fix"]))
    what = f'"{last}": {_message(kind, error)}'
    return source.finding("HG1202", steps, what, _fix(kind, last, context))


def _message(kind: str, error: Mapping[str, Any]) -> str:
    context = error.get("ctx") or {}
    value = error["input"]
    shown = f", not {value!r}" if isinstance(value, (str, int, float, bool)) else ""
    if value is None:
        shown = ", but nothing is written"
    if kind == "string_pattern_mismatch":
        return f"{value!r} has the wrong form"
    if kind in ("too_short", "too_long"):
        bound = "at least" if kind == "too_short" else "at most"
        count = context.get("min_length", context.get("max_length"))
        return f"must have {bound} {count} items, not {context['actual_length']}"
    message = str(error["msg"]).removeprefix("Input should be ").removeprefix("Input ")
    lowered = message[:1].lower() + message[1:]
    wanted = lowered if kind in FIX_BY_KEY or lowered.startswith("not") else f"must be {lowered}"
    return f"{wanted}{shown}"[:300]


def _fix(kind: str, key: str, context: Mapping[str, Any]) -> str:
    if key in FIX_BY_KEY:
        return FIX_BY_KEY[key]
    if kind == "string_pattern_mismatch":
        return ID_FIX if "[a-z0-9][a-z0-9_-]" in str(context.get("pattern")) else LANGUAGE_FIX
    if kind in ("literal_error", "enum"):
        return f"use {context.get('expected')}"
    return FIX_BY_KIND.get(kind, "see the description of the key in the format reference")


def _is_tag(step: str | int) -> bool:
    return isinstance(step, int) or (step.startswith("<") and step.endswith(">"))


def _known(steps: Sequence[str | int]) -> tuple[str, ...]:
    for step in reversed(steps[:-1]):
        if isinstance(step, str) and step in KEYS:
            return KEYS[step]
    return KEYS[""]
