"""How far a fork reaches: the earlier commits that lie behind its point, and where it begins.

A commit set cells that followed from edits. In a fork that begins before it these would be other
ones, so they are not set again: the commit is made again. Its edits are joined to the fork's, and
at its place in the log the branch becomes what a commit makes of the hunt there. An undo has no
edits: it takes back, in the fork too, the cells that are still as the hunt had them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from huntgraph.errors import ForkError
from huntgraph.timeline.audit import DECIDED, Audit, Entry
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.history import History
from huntgraph.timeline.points import cut_text
from huntgraph.timeline.recipe import Recipe

__all__ = ["Crossed", "Reach", "find_reach"]


@dataclass(frozen=True)
class Crossed:
    """An earlier commit behind the point where a fork begins."""

    id: str
    held: Cut
    """Where the hunt was held for it: right before its FENCE, where it changed anything."""
    recipe: Recipe | None = None
    """What a commit is made of; None when it is left out, and for an undo."""
    undone: bool = False
    """It is an undo that is not left out."""


@dataclass(frozen=True)
class Reach:
    """Where a fork's replay begins: its point, or where the edits of a crossed commit begin."""

    begin: Cut
    crossed: tuple[Crossed, ...] = ()
    """In the order in which they were made."""


def find_reach(history: History, recipe: Recipe, head: Cut) -> tuple[Reach, Cut]:
    """Find the commits that a fork reaches across on its way to a head, by logs and audit trail.

    Gives the head too: it lies in no correction, and is before a commit or behind it everywhere.
    Raises ForkError HG1734 for a commit that cannot be made again: one without a recipe, one that
    the trail does not know; HG1735 when a commit to be left out is not there; LogDroppedError when
    history begins behind a commit's point.
    """
    history.index(head)
    begin, head = _outside(history, recipe.point), _outside(history, head)
    if not recipe.left_out and not _corrections(history, begin, head):
        return Reach(begin), head
    every = [each for each in Audit(history.folder).entries() if each.kind in DECIDED]
    _check_known(recipe.left_out, every)
    trail, head = _through(history, every, head)
    while True:
        behind = [entry for entry in trail if _is_behind(entry, begin)]
        out = _left_out(behind, recipe.left_out)
        cuts = [_held(entry) for entry in trail if entry in behind or entry.id in out]
        crossed = [_crossed(history, entry, out) for entry in behind]
        cuts += [each.recipe.point for each in crossed if each.recipe]
        earliest = {n: min([begin[n], *(cut[n] for cut in cuts)]) for n in begin}
        if earliest == begin:
            break
        begin = earliest
    _check_trail(history, begin, head, every)
    return Reach(begin, tuple(crossed)), head


def _through(history: History, trail: Sequence[Entry], head: Cut) -> tuple[list[Entry], Cut]:
    """The commits that a head is through with, and the head before one that it is half through."""
    settled = _settled(history)
    for at, entry in enumerate(trail):
        ends, held, changed = settled.get(int(entry.id, 16), {}), _held(entry), _changed(entry)
        # What was dropped with the beginning of a log is long over.
        changed = {n for n in changed if held[n] + 1 >= history.indexed.of[n].first}
        least = {n: ends.get(n, head[n] + 1) if n in changed else held[n] for n in head}
        if any(head[n] < least[n] for n in head):
            return list(trail[:at]), {n: min(head[n], held[n]) for n in head}
    return list(trail), head


def _corrections(history: History, begin: Cut, head: Cut) -> bool:
    """Whether a correction that changed something lies between two cuts."""
    return any(
        begin[number] < each.fence <= head[number] and not each.changed_nothing
        for number, part in history.indexed.of.items()
        for each in part.corrections
    )


def _outside(history: History, cut: Cut) -> Cut:
    """Go back to right before a correction that a cut lies in: nothing else happened since."""
    found = dict(cut)
    for number, part in history.indexed.of.items():
        for each in part.corrections:
            if each.fence <= cut[number] and (each.settle is None or cut[number] < each.settle):
                found[number] = each.fence - 1
    return found


def _settled(history: History) -> dict[int, dict[int, int]]:
    """Positions of the ends of corrections, by correction and partition."""
    found: dict[int, dict[int, int]] = {}
    for number, part in history.indexed.of.items():
        for each in part.corrections:
            if each.settle is not None:
                found.setdefault(each.id, {})[number] = each.settle
    return found


def _held(entry: Entry) -> Cut:
    return {part.partition: part.position for part in entry.parts}


def _changed(entry: Entry) -> set[int]:
    """Partitions that a commit changed; the others have no records of it."""
    return {part.partition for part in entry.parts if part.before != part.after}


def _is_behind(entry: Entry, point: Cut) -> bool:
    held = _held(entry)
    return any(held[number] >= point[number] for number in _changed(entry))


def _left_out(behind: Sequence[Entry], without: Iterable[str]) -> set[str]:
    """Ids that are left out: those named, also by commits that hold, and undoes of such."""
    out = set(without)
    for entry in reversed(behind):
        if entry.id in out or entry.of in out:
            out.add(entry.id)
        else:
            out.update(_without(entry))
    return out


def _without(entry: Entry) -> tuple[str, ...]:
    return Recipe.from_dict(dict(entry.recipe)).left_out if entry.recipe else ()


def _crossed(history: History, entry: Entry, out: Container[str]) -> Crossed:
    held = _held(entry)
    if entry.id in out or entry.kind == "undo":
        return Crossed(entry.id, held, undone=entry.id not in out)
    if not entry.recipe:
        what = f"the commit {entry.id}, whose edits are not in the audit trail,"
        raise _no_way(history, f"{what} lies behind the fork's point", held, entry.id)
    recipe = Recipe.from_dict(dict(entry.recipe))
    fix = f"fork from behind {cut_text(held)}, or leave the commit out: --without {entry.id}"
    history.check_kept(recipe.point, fix)
    return Crossed(entry.id, held, recipe)


def _check_trail(history: History, begin: Cut, head: Cut, trail: Iterable[Entry]) -> None:
    known = {entry.id for entry in trail}
    for number, part in history.indexed.of.items():
        for each in part.corrections:
            name, at = f"{each.id:016x}", {number: each.fence}
            between = begin[number] < each.fence <= head[number]
            if between and not each.changed_nothing and name not in known:
                what = "a correction that the audit trail does not know is behind the fork's point"
                raise _no_way(history, what, at)


def _check_known(without: Iterable[str], trail: Iterable[Entry]) -> None:
    known = {entry.id for entry in trail}
    for name in without:
        if name not in known:
            what = f"there is no commit {name} to be left out"
            raise ForkError(what, fix="list the commits with 'huntgraph audit'", code="HG1735")


def _no_way(history: History, what: str, at: Mapping[int, int], name: str = "") -> ForkError:
    fix = f"fork from behind {cut_text(at)}"
    if name:
        fix += f", or leave it out: --without {name}"
    return ForkError(what, where=history.folder, fix=fix, code="HG1734")
