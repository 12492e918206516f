"""The quickest course of a hunt: when each stage can be found at the earliest, if ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from huntgraph.hunt.check_ids import stage_masks
from huntgraph.hunt.check_times import NEVER, window_end
from huntgraph.hunt.hunt import Hunt
from huntgraph.hunt.places import Placed
from huntgraph.hunt.reach import Bools, Ways

__all__ = ["Course", "run_course", "shut_gates"]


@dataclass(slots=True)
class Course:
    """Ticks of the hunt, or NEVER, per stage; walking itself is taken to need no time."""

    reached: list[int]
    """When a player can stand at the stage."""
    unlocked: list[int]
    """When its needs can be met."""
    found: list[int]
    """When it can be found or won."""
    seen: Bools | None = None
    """Nodes that can be reached in the end, when there is a world."""


def run_course(
    hunt: Hunt, ways: Ways | None = None, placed: Placed | None = None, starts: Sequence[int] = ()
) -> Course:
    """Play a hunt at its quickest: gates open when their time or their stages have come.

    A gate counts as open from the first moment it can be; when several wait, the earliest opens
    first, and the search goes on from there, until no gate is left that can open. ``ways`` holds
    the edges as the world has them; on return, as they are in the end. Stages without a node are
    taken as reached. Without a world only needs and windows count.
    """
    count = len(hunt.stages)
    masks = [stage_masks(hunt, index) for index in range(count)]
    course = Course([0] * count, [NEVER] * count, [NEVER] * count)
    if ways is None or placed is None:
        _settle(hunt, masks, course)
        return course
    shut = shut_gates(hunt, ways, placed)
    seen = course.seen = ways.reach(starts)
    course.reached = [0 if node < 0 or seen[node] else NEVER for node in placed.stages]
    while True:
        _settle(hunt, masks, course)
        opening = {index: _opens(hunt, index, course) for index in shut}
        index = min(opening, key=lambda each: (opening[each], each), default=-1)
        if index < 0 or opening[index] >= NEVER:
            return course
        shut.remove(index)
        real = [
            (edge, pair[0])
            for edge, pair in zip(placed.edges[index], placed.pairs[index], strict=True)
            if edge >= 0 and not any(edge in placed.edges[other] for other in shut)
        ]
        ways.step(seen, [edge for edge, _ in real], [tail for _, tail in real])
        for number, node in enumerate(placed.stages):
            if course.reached[number] >= NEVER and seen[node]:
                course.reached[number] = opening[index]


def shut_gates(hunt: Hunt, ways: Ways, placed: Placed) -> set[int]:
    """Shut the edges of the gates that are shut at the start; give the gates' numbers."""
    shut = {index for index, gate in enumerate(hunt.gates) if gate.shut_at_start}
    for index in shut:
        ways.open[[edge for edge in placed.edges[index] if edge >= 0]] = False
    return shut


def _opens(hunt: Hunt, index: int, course: Course) -> int:
    gate = hunt.gates[index]
    by_time = gate.opens_at or NEVER
    end = hunt.page.duration or NEVER
    names = [hunt.numbers[name] for name in gate.flips_when if name in hunt.numbers]
    by_stages = max((course.found[number] for number in names), default=NEVER)
    soonest = min(by_time, by_stages)
    return soonest if soonest < end else NEVER


def _settle(hunt: Hunt, masks: Sequence[Sequence[int]], course: Course) -> None:
    # Each round settles at least the next stage of every chain, so there are at most `count`.
    changed = True
    while changed:
        changed = False
        for index, stage in enumerate(hunt.stages):
            unlocked = min((_latest(mask, course) for mask in masks[index]), default=0)
            soonest = max(course.reached[index], unlocked, stage.window.begins)
            found = soonest if soonest < window_end(hunt, stage.window) else NEVER
            if (unlocked, found) != (course.unlocked[index], course.found[index]):
                course.unlocked[index], course.found[index] = unlocked, found
                changed = True


def _latest(mask: int, course: Course) -> int:
    return max(found for index, found in enumerate(course.found) if mask >> index & 1)
