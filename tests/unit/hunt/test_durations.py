from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huntgraph.hunt.durations import (
    DURATION_PATTERN,
    TICKS_MAX,
    format_ticks,
    parse_moment,
    parse_ticks,
)


@pytest.mark.parametrize(
    ("text", "ticks"),
    [
        ("50ms", 1),
        ("10m", 12_000),
        ("90s", 1_800),
        ("1h30m", 108_000),
        ("1h 30m", 108_000),
        ("1.5h", 108_000),
        ("0.05s", 1),
        ("2d", 3_456_000),
        ("0s", 0),
        (0, 0),
    ],
)
def test_durations_become_ticks_of_50_ms(text: object, ticks: int) -> None:
    assert parse_ticks(text) == ticks


@pytest.mark.parametrize(
    "text",
    ["", "10", 10, 1.5, True, None, "m", "10 minutes", "-5s", "5m1h", "10m ", "1e3s", "60ms"],
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError):
        parse_ticks(text)


def test_a_fraction_of_a_tick_is_refused_with_the_nearest_two() -> None:
    with pytest.raises(ValueError) as caught:
        parse_ticks("120ms")
    assert caught.value.context["fix"] == "use 100ms or 150ms"  # type: ignore[attr-defined]


@given(st.integers(0, TICKS_MAX))
def test_ticks_survive_being_written_and_read(ticks: int) -> None:
    text = format_ticks(ticks)
    assert parse_ticks(text) == ticks
    assert re.match(DURATION_PATTERN, text)


def test_more_ticks_than_a_record_holds_are_refused() -> None:
    assert parse_ticks(format_ticks(TICKS_MAX)) == TICKS_MAX
    with pytest.raises(ValueError):
        parse_ticks("10000d")


def test_an_opening_is_a_delay_or_a_time_with_an_offset() -> None:
    assert parse_moment("5m") == 6_000
    moment = parse_moment("2027-05-01T14:00:00+02:00")
    assert isinstance(moment, datetime)
    assert moment.timestamp() == 1_809_172_800
    for wrong in ("2027-05-01T14:00:00", "2027-13-01T14:00:00+02:00", "soon", "2027-05-01"):
        with pytest.raises(ValueError):
            parse_moment(wrong)
