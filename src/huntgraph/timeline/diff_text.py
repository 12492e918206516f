"""A diff as lines of text, counts first: ``+`` gained, ``-`` lost, ``~`` changed."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, Final, NamedTuple

from huntgraph.timeline.diff import ClaimChange, Diff, Effect, Find, PlayerChange
from huntgraph.timeline.edge_diff import HOW
from huntgraph.timeline.labels import LABELS
from huntgraph.timeline.replay import RefusedGrant

__all__ = ["Line", "diff_lines"]

SHOWN: Final = ("partition", "node", "present", "hunt", "team", "score", "rank", "target", "hints")
"""Fields of a player that are worth a word; progress shows in clues and rewards."""


class Line(NamedTuple):
    """One line: its sign (``+``, ``-``, ``~`` or a space) and its text."""

    sign: str
    text: str


def diff_lines(diff: Diff, *, stat: bool = False, most: int = 20) -> Iterator[Line]:
    """Give the lines of a diff; `stat`: counts alone; `most`: how many of each sort are listed."""
    yield from _counts(diff)
    if stat:
        return
    yield from _some("grants refused", [_refused(grant) for grant in diff.refused_grants], most)
    reused = _reused(diff)
    yield from _some("claims", [_claim(claim, reused) for claim in diff.claims], most)
    rewards = [
        Line(
            "+" if e.do == "grant" else "-",
            f"{e.do} treasure {e.stage} of {_hunt(e, reused)} "
            f"{'to' if e.do == 'grant' else 'from'} player {e.player}  [{e.label}] {e.id}",
        )
        for e in diff.rewards
    ]
    yield from _some("rewards", rewards, most)
    yield from _some("players", [_player(change) for change in diff.players], most)
    clues = [
        Line(
            "+" if c.gained else "-",
            f"clue {c.stage} of {_hunt(c, reused)}: player {c.player}  [{c.label}]",
        )
        for c in diff.clues
    ]
    yield from _some("clues", clues, most)
    yield from _some(
        "edges", [_edge(row) for row in diff.plain_edges()[: most + 1]], most, len(diff.edges)
    )


def _counts(diff: Diff) -> Iterator[Line]:
    counts = diff.counts()
    if diff.empty:
        yield Line(" ", "nothing is different")
    else:
        yield from _changes(diff, counts)
    if diff.refused_grants:
        yield Line(" ", f"grants   {counts['refused_grants']:,} refused")


def _changes(diff: Diff, counts: dict[str, Any]) -> Iterator[Line]:
    edges = ", ".join(f"{counts['edges'][how]:,} {how}" for how in HOW if counts["edges"][how])
    yield Line(" ", f"edges    {counts['edges']['all']:,}" + (f": {edges}" if edges else ""))
    names = ("score", "rank", "node", "target", "hints")
    some = ", ".join(f"{counts['players'][n]:,} {n}" for n in names if counts["players"][n])
    yield Line(" ", f"players  {counts['players']['all']:,}" + (f": {some}" if some else ""))
    yield Line(" ", f"claims   {counts['claims']:,}")
    gained, lost = counts["clues"]["gained"], counts["clues"]["lost"]
    yield Line(" ", f"clues    {gained:,} gained, {lost:,} lost")
    grant, revoke = counts["rewards"]["grant"], counts["rewards"]["revoke"]
    yield Line(" ", f"rewards  {grant:,} to grant, {revoke:,} to revoke")
    labels = ", ".join(f"{counts['labels'][label]:,} {label}" for label in LABELS)
    yield Line(" ", f"labels   {labels}")
    for area in diff.areas[:3]:
        place = f"({area['x1']}, {area['z1']}) to ({area['x2']}, {area['z2']})"
        yield Line(" ", f"area     {place}: {area['edges']:,} edges")


def _some(name: str, lines: list[Line], most: int, count: int | None = None) -> Iterator[Line]:
    if not lines:
        return
    yield Line(" ", "")
    yield Line(" ", name)
    yield from lines[:most]
    more = (len(lines) if count is None else count) - most
    if more > 0:
        yield Line(" ", f"  and {more:,} more")


def _reused(diff: Diff) -> set[int]:
    """Slots that changes of several hunts are of: one of the hunt's, another of the fork's."""
    changes: list[ClaimChange | Effect | Find] = [*diff.claims, *diff.rewards, *diff.clues]
    told = {(each.hunt, each.hunt_id) for each in changes}
    slots = [slot for slot, _ in told]
    return {slot for slot in slots if slots.count(slot) > 1}


def _hunt(change: ClaimChange | Effect | Find, reused: Container[int]) -> str:
    """The hunt of a change: by its slot, and by its id where that alone does not tell."""
    name = f"hunt {change.hunt}"
    return f"{name} (id {change.hunt_id:016x})" if change.hunt in reused else name


def _claim(claim: ClaimChange, reused: Container[int]) -> Line:
    was, now = claim.was_winner or "nobody", claim.now_winner or "nobody"
    wins = (
        "" if claim.was_wins == claim.now_wins else f", wins {claim.was_wins} -> {claim.now_wins}"
    )
    sign = "+" if not claim.was_winner else "-" if not claim.now_winner else "~"
    text = f"treasure {claim.stage} of {_hunt(claim, reused)}: winner {was} -> {now}{wins}"
    return Line(sign, f"{text}  [{claim.label}]")


def _refused(grant: RefusedGrant) -> Line:
    place = f"{grant.partition}/{grant.position}"
    text = f"treasure {grant.stage} of hunt {grant.hunt} to player {grant.player}"
    return Line("-", f"{text} at {place}: {grant.code}")


def _player(change: PlayerChange) -> Line:
    was, now = change.was or {}, change.now or {}
    differ = [
        f"{name} {_value(was.get(name))} -> {_value(now.get(name))}"
        for name in SHOWN
        if was.get(name) != now.get(name)
    ]
    if was.get("hunt") == now.get("hunt") and was.get("hunt_id") != now.get("hunt_id"):
        differ.append(f"another hunt in slot {now['hunt']}")
    sign = "+" if change.was is None else "-" if change.now is None else "~"
    return Line(sign, f"player {change.player}: {', '.join(differ)}  [{change.label}]")


def _edge(row: dict[str, Any]) -> Line:
    how, place = row["how"], f"{row['partition']}: {row['from']} -> {row['to']}"
    sign = {"added": "+", "removed": "-"}.get(how, "~")
    text = f"edge {place} {how}"
    if how == "reweighted":
        text += f" {row['was_weight']} -> {row['now_weight']}"
    elif how == "heat":
        text += f" {row['was_heat']} -> {row['now_heat']}"
    return Line(sign, f"{text}  [{row['label']}]")


def _value(value: object) -> object:
    return "none" if value is None else value
