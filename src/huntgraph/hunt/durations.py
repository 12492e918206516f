"""Durations and moments as authors write them, and ticks as the engine counts them."""

from __future__ import annotations

import re
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pydantic_core import PydanticCustomError

__all__ = [
    "DURATION_PATTERN",
    "TICKS_MAX",
    "TICK_MS",
    "format_ticks",
    "parse_moment",
    "parse_ticks",
]

TICK_MS: Final = 50
"""Milliseconds of one tick."""
TICKS_MAX: Final = 2**32 - 2
"""Longest duration: 2**32 - 1 means "none" in the records."""

UNITS_MS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
DURATION_PATTERN: Final = (
    r"^(?=[0-9])([0-9]+(\.[0-9]+)?d)?( ?[0-9]+(\.[0-9]+)?h)?( ?[0-9]+(\.[0-9]+)?m)?"
    r"( ?[0-9]+(\.[0-9]+)?s)?( ?[0-9]+ms)?$"
)
"""Days, hours, minutes, seconds, milliseconds in this order: ``1h30m``, ``90s``, ``1.5h``."""
_WHOLE: Final = re.compile(DURATION_PATTERN)
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[dhms])")


def parse_ticks(value: object) -> int:
    """Turn a duration such as ``"10m"`` or ``"1h 30m"`` into ticks of 50 ms; 0 needs no unit.

    Raises PydanticCustomError (a ValueError) for anything else, and for durations that are not
    whole ticks: rounding them quietly would move a window's edge.
    """
    if type(value) is int and value == 0:
        return 0
    if not isinstance(value, str) or not _WHOLE.fullmatch(value):
        unit = ", such as 10s or 10m" if isinstance(value, (int, float)) else ""
        raise _wrong(
            f"{value!r} is not a duration",
            f"write a number with a unit (d, h, m, s, ms){unit or ': 10m, 90s, 1h30m'}",
        )
    length_ms = sum(
        (Fraction(number) * UNITS_MS[unit] for number, unit in _PART.findall(value)), Fraction(0)
    )
    ticks, rest = divmod(length_ms, TICK_MS)
    if rest:
        below = int(ticks) * TICK_MS
        raise _wrong(
            f"{value} is not a whole number of ticks of {TICK_MS} ms",
            f"use {below}ms or {below + TICK_MS}ms",
        )
    if ticks > TICKS_MAX:
        raise _wrong(f"{value} is too long", f"use at most {format_ticks(TICKS_MAX)}")
    return int(ticks)


def format_ticks(ticks: int) -> str:
    """Write ticks as the shortest exact duration, such as ``"1h30m"``; 0 is ``"0s"``."""
    rest_ms = ticks * TICK_MS
    text = ""
    for unit, unit_ms in UNITS_MS.items():
        count, rest_ms = divmod(rest_ms, unit_ms)
        if count:
            text += f"{count}{unit}"
    return text or "0s"


def parse_moment(value: object) -> int | datetime:
    """Turn an opening into ticks after publishing, or into a point in time with an offset.

    Raises PydanticCustomError for anything else, and for a time without an offset: a hunt that
    opens at another hour than its author meant is found out too late.
    """
    if not isinstance(value, str) or "-" not in value:
        return parse_ticks(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise _wrong(
            f"{value!r} is neither a duration nor a time",
            "write a delay such as 5m, or a time such as 2027-05-01T14:00:00+02:00",
        ) from None
    if moment.tzinfo is None:
        raise _wrong(
            f"{value} does not say in which time zone", f"add the offset, such as {value}+00:00"
        )
    return moment


def _wrong(what: str, fix: str) -> PydanticCustomError:
    # Imported for a mistake alone: the verbs of history parse durations too, and start without it.
    from pydantic_core import PydanticCustomError

    # Braces in a template would be read as fields, so both texts travel in the context.
    return PydanticCustomError("hunt", "{what}", {"what": what, "fix": fix})
