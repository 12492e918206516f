"""Checks of windows, hints and gates against the clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from huntgraph.hunt.durations import format_ticks
from huntgraph.hunt.finding import Finding, Path
from huntgraph.hunt.hunt import Hunt
from huntgraph.hunt.page import Clue, Gate, Treasure, Window

__all__ = ["NEVER", "time_findings", "window_end"]

NEVER: Final = 1 << 62
"""A tick that never comes."""


def window_end(hunt: Hunt, window: Window) -> int:
    """Give the first tick of the hunt at which a window is over; NEVER when it has no end."""
    ends = NEVER if window.ends is None else window.ends
    return min(ends, hunt.page.duration or NEVER)


def time_findings(hunt: Hunt) -> Iterator[Finding]:
    """Find windows without time, times beyond the end, hints nobody can get, idle gates."""
    for index, stage in enumerate(hunt.stages):
        yield from _window(hunt, stage, ("stages", index, "window"))
        yield from _hints(hunt, stage, ("stages", index, "hints"))
    for index, gate in enumerate(hunt.gates):
        yield from _gate(hunt, gate, ("gates", index))


def _window(hunt: Hunt, stage: Clue | Treasure, path: Path) -> Iterator[Finding]:
    window, duration = stage.window, hunt.page.duration
    if window.ends is not None and window.ends <= window.begins:
        begins, ends = format_ticks(window.begins), format_ticks(window.ends)
        what = f'the window of "{stage.id}" ends at {ends}, but begins at {begins}'
        yield hunt.source.finding("HG1230", (*path, "to"), what, "let it end after its beginning")
        return
    if duration and window.begins >= duration:
        what = f'the window of "{stage.id}" begins when the hunt is over'
        fix = f"begin before {format_ticks(duration)}, or lengthen the hunt"
        yield hunt.source.finding("HG1231", (*path, "from"), what, fix)
    elif duration and window.ends is not None and window.ends > duration:
        what = f'the window of "{stage.id}" ends after the hunt ({format_ticks(duration)})'
        fix = "leave out 'to' when it should last to the end"
        yield hunt.source.finding("HG1231", (*path, "to"), what, fix, severity="warning")


def _hints(hunt: Hunt, stage: Clue | Treasure, path: Path) -> Iterator[Finding]:
    length = window_end(hunt, stage.window) - stage.window.begins
    before = 0
    for number, hint in enumerate(stage.hints):
        place = (*path, number, "after")
        if 0 < length <= hint.after:
            what = f'hint {number + 1} of "{stage.id}" comes after {format_ticks(hint.after)}, '
            what += f"but there are only {format_ticks(length)}"
            yield hunt.source.finding("HG1233", place, what, "let it come sooner")
        elif hint.after < before:
            what = f'hint {number + 1} of "{stage.id}" could come before hint {number}'
            fix = "hints are given in the order written: sort them by 'after'"
            yield hunt.source.finding("HG1234", place, what, fix, severity="warning")
        before = max(before, hint.after)


def _gate(hunt: Hunt, gate: Gate, path: Path) -> Iterator[Finding]:
    duration = hunt.page.duration
    for key, time in (("opens_at", gate.opens_at), ("closes_at", gate.closes_at)):
        if duration and time >= duration:
            what = f'{key} of gate "{gate.id}" is when the hunt is over'
            fix = f"use less than {format_ticks(duration)}"
            yield hunt.source.finding("HG1231", (*path, key), what, fix)
    if gate.opens_at and gate.opens_at == gate.closes_at:
        what = f'gate "{gate.id}" opens and shuts at the same time'
        yield hunt.source.finding("HG1235", (*path, "closes_at"), what, "remove one of the two")
    elif not gate.shut_at_start and not gate.flips_when and not gate.closes_at:
        what = f'gate "{gate.id}" never shuts'
        fix = "add shut_at_start, flips_when or closes_at"
        yield hunt.source.finding("HG1235", (*path, "gate"), what, fix, severity="warning")
