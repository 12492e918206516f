"""Checks of what players can reach: clues, treasures, gates, ways of no return."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from huntgraph.hunt.check_ids import stage_masks, stuck_cycles
from huntgraph.hunt.check_times import NEVER, window_end
from huntgraph.hunt.course import Course, run_course, shut_gates
from huntgraph.hunt.durations import format_ticks
from huntgraph.hunt.finding import Finding
from huntgraph.hunt.hunt import Hunt
from huntgraph.hunt.page import Clue, Treasure
from huntgraph.hunt.places import AnyWorld, Placed, place_text
from huntgraph.hunt.reach import Ways, main_part

__all__ = ["way_findings"]


def way_findings(hunt: Hunt, world: AnyWorld | None, placed: Placed | None) -> Iterator[Finding]:
    """Find stages that no player can ever find; without a world only by needs and windows."""
    if world is None or placed is None:
        yield from _never(hunt, run_course(hunt))
        return
    yield from _shared_edges(hunt, placed)
    ways = Ways(world)
    shut_gates(hunt, ways, placed)
    # Players who come in anywhere do not come in behind gates: else no gate would matter. In a part
    # where every node reaches every other, one node stands for all.
    starts = [node for node in placed.starts if node >= 0] or main_part(ways)[:1].tolist()
    course = run_course(hunt, ways, placed, starts)
    yield from _never(hunt, course)
    yield from _traps(hunt, course, ways, placed, starts)
    yield from _cut_off(hunt, course, ways, placed, starts)


def _never(hunt: Hunt, course: Course) -> Iterator[Finding]:
    circling = {index for cycle in stuck_cycles(hunt) for index in cycle}
    for index, stage in enumerate(hunt.stages):
        window = stage.window
        if course.reached[index] >= NEVER:
            yield _out_of_reach(hunt, index)
        if course.unlocked[index] >= NEVER:
            if index not in circling:
                yield _unmet(hunt, index, course)
        elif (
            course.found[index] >= NEVER
            and course.reached[index] < NEVER
            and window.begins < window_end(hunt, window)
        ):
            soonest = max(course.reached[index], course.unlocked[index], window.begins)
            what = f'"{stage.id}" is over at {format_ticks(window_end(hunt, window))}, but it '
            what += f"cannot be found before {format_ticks(soonest)}"
            fix = "let its window last longer, or what it needs begin sooner"
            yield hunt.source.finding("HG1232", ("stages", index, "window"), what, fix)


def _out_of_reach(hunt: Hunt, index: int) -> Finding:
    stage = hunt.stages[index]
    code = "HG1261" if isinstance(stage, Treasure) else "HG1260"
    kind = "treasure" if isinstance(stage, Treasure) else "clue"
    what = f'no open way ever leads to {kind} "{stage.id}" at {place_text(stage.at)}'
    fix = "move it, set 'start' to where players come in, or let a gate on the way open"
    return hunt.source.finding(code, ("stages", index, "at"), what, fix)


def _unmet(hunt: Hunt, index: int, course: Course) -> Finding:
    missing = sorted(
        {
            other.id
            for mask in stage_masks(hunt, index)
            for number, other in enumerate(hunt.stages)
            if mask >> number & 1 and course.found[number] >= NEVER
        }
    )
    names = ", ".join(f'"{name}"' for name in missing)
    what = f'the needs of "{hunt.stages[index].id}" can never be met: nobody can find {names}'
    return hunt.source.finding("HG1216", ("stages", index, "needs"), what, "mend those first")


def _shared_edges(hunt: Hunt, placed: Placed) -> Iterator[Finding]:
    owner: dict[int, int] = {}
    for index, edges in enumerate(placed.edges):
        for edge, pair in zip(edges, placed.pairs[index], strict=True):
            if edge >= 0 and edge in owner:
                other = hunt.gates[owner[edge]].id
                what = f'gate "{hunt.gates[index].id}" lists the edge {pair[0]} -> {pair[1]} '
                what += "twice" if owner[edge] == index else f'of gate "{other}"'
                fix = "give each edge one gate: the last to move decides, whatever the other says"
                path = ("gates", index, "gate")
                yield hunt.source.finding("HG1253", path, what, fix, severity="warning")
                break
            owner[edge] = index


def _traps(
    hunt: Hunt, course: Course, ways: Ways, placed: Placed, starts: Sequence[int]
) -> Iterator[Finding]:
    reachable = [i for i, found in enumerate(course.found) if found < NEVER and _on(placed, i)]
    back = ways.reach_back(starts)
    before = _always_before(hunt)
    for index in reachable:
        node = placed.stages[index]
        if back[node]:
            continue
        from_here = ways.reach([node])
        lost = [
            hunt.stages[other].id
            for other in reachable
            if other != index
            and not from_here[placed.stages[other]]
            and not before[index] >> other & 1
        ]
        if lost:
            names = ", ".join(f'"{name}"' for name in lost[:5])
            what = f'who goes to "{hunt.stages[index].id}" cannot come back, and misses {names}'
            fix = "add a way back, or let it need what would be missed"
            path = ("stages", index, "at")
            yield hunt.source.finding("HG1262", path, what, fix, severity="warning")


def _cut_off(
    hunt: Hunt, course: Course, ways: Ways, placed: Placed, starts: Sequence[int]
) -> Iterator[Finding]:
    for index, gate in enumerate(hunt.gates):
        shuts = gate.flips_when or gate.closes_at
        if gate.shut_at_start or not shuts or gate.opens_at > gate.closes_at > 0:
            continue
        edges = [edge for edge in placed.edges[index] if edge >= 0]
        kept = ways.open[edges].copy()
        ways.open[edges] = False
        seen = ways.reach(starts)
        ways.open[edges] = kept
        lost = [
            stage.id
            for number, stage in enumerate(hunt.stages)
            if course.found[number] < NEVER and _on(placed, number)
            if not seen[placed.stages[number]] and not _won_by_then(stage, gate.flips_when)
        ]
        if lost:
            names = ", ".join(f'"{name}"' for name in lost[:5])
            what = f'once gate "{gate.id}" shuts, no way leads to {names} any more'
            fix = "leave another way open, or end their windows by then"
            path = ("gates", index, "gate")
            yield hunt.source.finding("HG1263", path, what, fix, severity="warning")


def _on(placed: Placed, index: int) -> bool:
    return placed.stages[index] >= 0


def _won_by_then(stage: Clue | Treasure, names: Sequence[str]) -> bool:
    return isinstance(stage, Treasure) and stage.who == "exclusive" and stage.id in names


def _always_before(hunt: Hunt) -> list[int]:
    # What every player must have found before a stage: common to all alternatives, and so on.
    count = len(hunt.stages)
    masks = [stage_masks(hunt, index) for index in range(count)]
    before = [0] * count
    for _ in range(count):
        for index, needs in enumerate(masks):
            if needs:
                sets = [_with_all(mask, before) for mask in needs]
                before[index] = int(np.bitwise_and.reduce(np.array(sets, dtype=np.uint64)))
    return before


def _with_all(mask: int, before: Sequence[int]) -> int:
    for index, earlier in enumerate(before):
        if mask >> index & 1:
            mask |= earlier
    return mask
