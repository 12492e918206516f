"""Checks of ids, needs and limits."""

from __future__ import annotations

from collections.abc import Iterator

from huntgraph.errors import did_you_mean
from huntgraph.hunt.finding import Finding, Path
from huntgraph.hunt.hunt import Hunt
from huntgraph.hunt.needs import TooManyAlternativesError, alternatives, named
from huntgraph.hunt.page import Treasure
from huntgraph.hunt.places import gate_pairs
from huntgraph.schema import GATE_EDGES, GATES, HINTS, NEEDS, STAGES, TEAMS

__all__ = ["id_findings", "stage_masks", "stuck_cycles"]


def id_findings(hunt: Hunt) -> Iterator[Finding]:
    """Find ids used twice or unknown, circles in needs, too many of anything, rules at odds."""
    yield from _limits(hunt)
    yield from _duplicates(hunt)
    yield from _unknown(hunt)
    yield from _needs(hunt)
    yield from _treasures(hunt)


def stage_masks(hunt: Hunt, index: int) -> list[int]:
    """Give the alternatives of a stage's needs; none where they are wrong (that is found apart)."""
    try:
        return alternatives(hunt.stages[index].needs, hunt.numbers)
    except (KeyError, TooManyAlternativesError):
        return []


def stuck_cycles(hunt: Hunt) -> list[list[int]]:
    """Give the circles of stages of which each waits for the next and none can ever be found.

    A circle with a way around it, such as ``any: [b, c]`` with a free ``c``, is none.
    """
    masks = [stage_masks(hunt, index) for index in range(len(hunt.stages))]
    free = 0
    while True:
        more = sum(
            1 << index
            for index, needs in enumerate(masks)
            if not needs or any(mask & free == mask for mask in needs)
        )
        if more == free:
            break
        free = more
    cycles: list[list[int]] = []
    seen: set[int] = set()
    for start in range(len(masks)):
        trail: list[int] = []
        index = start
        while not free >> index & 1 and index not in seen and index not in trail:
            trail.append(index)
            waits = next(iter(_bits(masks[index][0] & ~free)))
            index = waits
        if index in trail:
            cycles.append(trail[trail.index(index) :])
        seen.update(trail)
    return cycles


def _bits(mask: int) -> Iterator[int]:
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1


def _limits(hunt: Hunt) -> Iterator[Finding]:
    page = hunt.page

    def beyond(path: Path, count: int, limit: int, what: str) -> Iterator[Finding]:
        if count > limit:
            text, fix = f"{count} {what}, but at most {limit} fit", f"remove {count - limit}"
            yield hunt.source.finding("HG1214", path, text, fix)

    yield from beyond(("stages",), len(page.stages), STAGES, "stages")
    yield from beyond(("gates",), len(page.gates), GATES, "gates")
    yield from beyond(("teams",), len(page.teams), TEAMS, "teams")
    edges = sum(len(list(gate_pairs(gate))) for gate in page.gates)
    yield from beyond(("gates",), edges, GATE_EDGES, "edges of gates (both_ways counts twice)")
    for index, stage in enumerate(page.stages):
        yield from beyond(("stages", index, "hints"), len(stage.hints), HINTS, "hints")
    if not page.stages:
        fix = "add a list 'stages:' with clues and treasures"
        yield hunt.source.finding("HG1215", ("stages",), "the hunt has no stages", fix)
    elif not any(isinstance(stage, Treasure) for stage in page.stages):
        what, fix = "the hunt has no treasure", "add a stage 'treasure: some-id'"
        yield hunt.source.finding("HG1218", ("stages",), what, fix, severity="warning")


def _duplicates(hunt: Hunt) -> Iterator[Finding]:
    spots: list[tuple[str, Path]] = [
        (stage.id, ("stages", index, "treasure" if isinstance(stage, Treasure) else "clue"))
        for index, stage in enumerate(hunt.stages)
    ]
    spots += [(gate.id, ("gates", index, "gate")) for index, gate in enumerate(hunt.gates)]
    yield from _twice(hunt, spots, "id")
    teams: list[tuple[str, Path]] = [
        (team, ("teams", index)) for index, team in enumerate(hunt.page.teams)
    ]
    yield from _twice(hunt, teams, "team")


def _twice(hunt: Hunt, spots: list[tuple[str, Path]], kind: str) -> Iterator[Finding]:
    first: dict[str, Path] = {}
    for name, path in spots:
        if name in first:
            line = hunt.source.mark(first[name])[0]
            what = f'{kind} "{name}" is used twice, first in line {line}'
            yield hunt.source.finding("HG1210", path, what, "give one of them another name")
        first.setdefault(name, path)


def _unknown(hunt: Hunt) -> Iterator[Finding]:
    gates = {gate.id for gate in hunt.gates}

    def look(name: str, path: Path) -> Iterator[Finding]:
        if name in hunt.numbers:
            return
        if name in gates:
            fix = "name the clues that flip the gate instead"
            yield hunt.source.finding("HG1211", path, f'"{name}" is a gate, not a stage', fix)
        else:
            fix = did_you_mean(name, hunt.numbers)
            yield hunt.source.finding("HG1211", path, f'there is no stage "{name}"', fix)

    for index, stage in enumerate(hunt.stages):
        if stage.needs is not None:
            for inside, name in named(stage.needs):
                yield from look(name, ("stages", index, "needs", *inside))
    for index, gate in enumerate(hunt.gates):
        for number, name in enumerate(gate.flips_when):
            yield from look(name, ("gates", index, "flips_when", number))


def _needs(hunt: Hunt) -> Iterator[Finding]:
    for cycle in stuck_cycles(hunt):
        names = [hunt.stages[index].id for index in cycle]
        if len(names) == 1:
            what = f'"{names[0]}" needs itself'
        else:
            what = "needs go in a circle: " + " needs ".join([*names, names[0]])
        fix = "let one of them need something else, or nothing"
        yield hunt.source.finding("HG1212", ("stages", cycle[0], "needs"), what, fix)
    for index, stage in enumerate(hunt.stages):
        path = ("stages", index, "needs")
        try:
            count = len(alternatives(stage.needs, hunt.numbers))
        except KeyError:
            continue
        except TooManyAlternativesError:
            count = -1
        if not 0 <= count <= NEEDS:
            number = str(count) if count > 0 else "far too many"
            what = f'the needs of "{stage.id}" come to {number} alternatives, at most {NEEDS} fit'
            fix = "put a clue in between that stands for part of them"
            yield hunt.source.finding("HG1213", path, what, fix)
        else:
            yield from _winner_only(hunt, index)


def _winner_only(hunt: Hunt, index: int) -> Iterator[Finding]:
    limited = {
        number: stage.id
        for number, stage in enumerate(hunt.stages)
        if isinstance(stage, Treasure) and (stage.who != "player" or stage.stock)
    }
    masks = stage_masks(hunt, index)
    hard = [[number for number in _bits(mask) if number in limited] for mask in masks]
    if masks and all(hard):
        what = f'only who wins "{limited[hard[0][0]]}" can ever open "{hunt.stages[index].id}"'
        fix = "let it need a clue, or a treasure for each player without stock, if all should go on"
        path = ("stages", index, "needs")
        yield hunt.source.finding("HG1217", path, what, fix, severity="warning")


def _treasures(hunt: Hunt) -> Iterator[Finding]:
    for index, stage in enumerate(hunt.stages):
        if not isinstance(stage, Treasure):
            continue
        if stage.who == "exclusive" and stage.stock:
            what = f'"{stage.id}" is exclusive, so a stock of {stage.stock} means nothing'
            fix = "remove stock, or use 'who: player' to let several win it"
            yield hunt.source.finding("HG1240", ("stages", index, "stock"), what, fix)
        if stage.who == "team" and not hunt.page.teams:
            what = f'"{stage.id}" is won by teams, but the hunt has none'
            fix = "add 'teams: [red, blue]', or use 'who: player'"
            yield hunt.source.finding("HG1241", ("stages", index, "who"), what, fix)
