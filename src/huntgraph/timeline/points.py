"""Points in history by name: a tag, a wall time, before an event, so long before the head.

========================= =====================================================================
text                      point
========================= =====================================================================
``head``                  all that the logs hold, as far as it is consistent
``head~5s``               so long before the last tick
``before 3/918223``       without the event at position 918223 of partition 3
``after 3/918223``        with it
``2026-11-25T14:00:00Z``  that moment; without an offset it is UTC
``@1764079200000``        the same in milliseconds since 1970
``0:120,1:98``            these positions, which must be consistent
any other word            the tag of that name
========================= =====================================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import numpy as np

from huntgraph.errors import ForkError, did_you_mean
from huntgraph.hunt.durations import TICK_MS, parse_ticks
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.history import History
from huntgraph.timeline.tags import read_tags

__all__ = [
    "Event",
    "at_event",
    "at_time",
    "check_event",
    "cut_text",
    "duration_ms",
    "find_point",
    "moment_ms",
    "parse_event",
    "since_ms",
]

Event = tuple[int, int]
"""A partition and a position in its log."""

_EVENT: Final = re.compile(r"(\d+)/(\d+)")
_NEAR: Final = re.compile(r"(before|after)[ :](\d+/\d+)")
_CUT: Final = re.compile(r"\d+:\d+(,\d+:\d+)*")
_FIX: Final = (
    'write head, head~5s, "before 3/918223", a time such as 2026-11-25T14:00:00Z, or a tag'
)


def find_point(history: History, text: str) -> Cut:
    """Give the cut that a text names.

    Raises ForkError HG1710 when it names none, LogDroppedError when history begins behind it.
    """
    cut = _named(history, text)
    history.check_kept(cut)
    return cut


def _named(history: History, text: str) -> Cut:
    head = history.head()
    if text == "head":
        return head
    if text.startswith("head~"):
        return at_time(history, _last_ms(history) - duration_ms(text[5:]))
    if near := _NEAR.fullmatch(text):
        return at_event(history, parse_event(near[2]), included=near[1] == "after")
    if _CUT.fullmatch(text):
        return _checked(history, text, head)
    if text[:1] == "@" or text[:4].isdigit():
        return at_time(history, moment_ms(text))
    tags = read_tags(history.folder)
    if text in tags:
        return tags[text]
    fix = did_you_mean(text, tags) if tags else _FIX
    raise ForkError(f'"{text}" names no point', where=history.folder, fix=fix, code="HG1710")


def at_time(history: History, time_ms: int) -> Cut:
    """Give the greatest consistent cut up to the last tick at or before a time, everywhere."""
    index = history.index()
    return history.messages().shrink(
        {number: part.position_at(time_ms) for number, part in index.of.items()}
    )


def at_event(history: History, event: Event, *, included: bool) -> Cut:
    """Give a consistent cut that ends with an event, or right before it.

    The other partitions stand at the last tick up to the event's time, and further on where the
    event had seen more of them. Raises ForkError HG1711 when there is no such event.
    """
    check_event(history, event)
    partition, position = event
    index, messages = history.index(), history.messages()
    last = position if included else position - 1
    time_ms = int(index.of[partition].time_at(np.array([position], np.uint64))[0][0])
    wanted = {number: other.position_at(time_ms) for number, other in index.of.items()}
    near = messages.shrink(wanted | {partition: last})
    past = messages.past(dict.fromkeys(index.of, 0) | {partition: last})
    return {number: max(near[number], past[number]) for number in near}


def check_event(history: History, event: Event) -> None:
    """Check that an event is in the logs. Raises ForkError HG1711."""
    index, (partition, position) = history.index(), event
    part = index.of.get(partition)
    if part is not None and 0 < position < part.first:
        raise history.dropped(partition, position)
    if part is None or not part.first <= position <= part.end:
        what = f"there is no event {partition}/{position}"
        ends = ", ".join(f"{n}/{p.first} to {n}/{p.end}" for n, p in index.of.items())
        raise ForkError(what, where=history.folder, fix=f"there are {ends}", code="HG1711")


def parse_event(text: str) -> Event:
    """Read PARTITION/POSITION; a position alone is partition 0's. Raises ForkError HG1712."""
    found = _EVENT.fullmatch(text if "/" in text else f"0/{text}")
    if found is None:
        what = f'"{text}" is no event'
        raise ForkError(what, fix="write PARTITION/POSITION, such as 3/918223", code="HG1712")
    return int(found[1]), int(found[2])


def duration_ms(text: str) -> int:
    """Read a duration such as 10m or 90s. Raises ForkError HG1713."""
    try:
        return parse_ticks(text) * TICK_MS
    except ValueError as error:
        fix = "write 5s, 10m, 1h30m: whole ticks of 50 ms"
        raise ForkError(f'"{text}" is no duration', fix=fix, code="HG1713") from error


def moment_ms(text: str) -> int:
    """Read a wall time as milliseconds since 1970. Raises ForkError HG1714."""
    try:
        if text.startswith("@"):
            return int(text[1:])
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        fix = "write 2026-11-25T14:00:00Z, or @ and milliseconds since 1970"
        raise ForkError(f'"{text}" is no time', fix=fix, code="HG1714") from error
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(zoned.timestamp() * 1000)


def since_ms(history: History, text: str) -> int:
    """Read a time, or a duration that counts back from the last tick."""
    if text[:1] == "@" or "-" in text:
        return moment_ms(text)
    return _last_ms(history) - duration_ms(text)


def cut_text(cut: Mapping[int, int]) -> str:
    """Write a cut as `find_point` reads it."""
    return ",".join(f"{number}:{position}" for number, position in sorted(cut.items()))


def _checked(history: History, text: str, head: Cut) -> Cut:
    cut = {int(n): int(p) for n, p in (each.split(":") for each in text.split(","))}
    if cut.keys() != head.keys() or any(cut[number] > head[number] for number in cut):
        what = f"{text} is not one position for each partition up to the head"
        raise ForkError(what, fix=f"the head is {cut_text(head)}", code="HG1715")
    consistent = history.messages().shrink(cut)
    if consistent != cut:
        what = f"{text} is not consistent: something was taken that had not been sent"
        raise ForkError(what, fix=f"{cut_text(consistent)} is", code="HG1716")
    return cut


def _last_ms(history: History) -> int:
    """The time of the last tick in any log."""
    ticks = [part.ticks["time_ms"] for part in history.index().of.values()]
    return max((int(times[-1]) for times in ticks if len(times)), default=0)
