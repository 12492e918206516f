"""Whatever a file says, it is read or refused with findings; nothing else is ever raised."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huntgraph.hunt import HuntInvalidError, check, generate_hunt, loads
from huntgraph.hunt.source import read_source
from tests.unit.hunt.grounds import grid

WORLD = grid(9, 9)
PLAIN: Any = read_source(
    generate_hunt(WORLD, seed=1, clues=4, treasures=3, teams=2).to_yaml(), "t"
).values
WORDS = ["a", "clue-1", "vault", "all", "any", "x", "en", "de", "10m", "90s", "team", "1/8", ""]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 90),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from(WORDS),
    st.text(max_size=8),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from([*WORDS, "y", "name", "from", "to"]), inner, max_size=3),
    ),
    max_leaves=8,
)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside: Any = value.items() if isinstance(value, dict) else []
    if isinstance(value, list):
        inside = enumerate(value)
    return [path, *(each for key, part in inside for each in _paths(part, (*path, key)))]


def _try(text: str) -> None:
    try:
        hunt = loads(text)
    except HuntInvalidError as error:
        found = list(error.findings)
    else:
        found = check(hunt, WORLD)
        try:
            rows = hunt.compile(WORLD, 0)
        except HuntInvalidError as error:
            found += error.findings
        else:
            assert int(rows[-1]["count"]) == len(rows) - 2
        assert loads(hunt.to_yaml()).hunt_id == hunt.hunt_id
    lines = text.count("\n") + 1
    for each in found:
        assert 1 <= each.line <= lines
        assert each.column >= 1
        assert each.what
        assert each.code.startswith("HG12")


@given(st.sampled_from(_paths(PLAIN)[1:]), values)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_one_value_replaced_by_anything(path: tuple[str | int, ...], value: Any) -> None:
    page = copy.deepcopy(PLAIN)
    spot = page
    for step in path[:-1]:
        spot = spot[step]
    spot[path[-1]] = value
    _try(json.dumps(page, indent=1))


@given(st.one_of(st.text(max_size=60), st.binary(max_size=40)))
@settings(max_examples=300, deadline=None)
def test_any_text_and_any_bytes(data: str | bytes) -> None:
    try:
        loads(data)
    except HuntInvalidError as error:
        codes = {each.code for each in error.findings}
    else:
        codes = {"HG1201"}
    assert codes <= {"HG1201", "HG1202", "HG1203"}
    assert codes
