"""`Timeline`: the recorded history of a data folder, with everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import ForkError
from huntgraph.timeline.audit import Entry
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.fork import Fork
from huntgraph.timeline.history import History
from huntgraph.timeline.lookup import Query, lookup
from huntgraph.timeline.points import find_point
from huntgraph.timeline.recipe import ForkStore, Recipe, lost_of, now_ms
from huntgraph.timeline.tags import read_tags, remove_tag, set_tag

__all__ = ["Timeline", "open_timeline"]


class Timeline:
    """History of all partitions of a folder, of running actors or stopped ones.

    >>> timeline = open_timeline("hunt")
    >>> with timeline.fork(before="3/918223") as fork:
    ...     run = fork.drop(player=7).replay()
    ...     diff = fork.diff()
    """

    def __init__(self, history: History, without: Iterable[str] = ()) -> None:
        self.history, self._without = history, tuple(without)
        self.store = ForkStore(history.folder)
        history.pass_over(lost_of(self._without))

    @classmethod
    def open(
        cls,
        folder: str | Path,
        world: str | Path | None = None,
        without: Iterable[str] = (),
        *,
        warm: int = 0,
    ) -> Self:
        """Open a folder; see `open_timeline`."""
        timeline = cls(History.open(folder, world), without)
        if warm:
            timeline.history.keep_warm(warm)
        return timeline

    def follow(self) -> Cut:
        """Bring warm partitions to the end of what the logs hold; see `History.follow`."""
        return self.history.follow()

    def head(self) -> Cut:
        """Give the position of each partition that the logs hold, consistent over all."""
        return self.history.head()

    def point(self, text: str) -> Cut:
        """Give the consistent cut that a text names (`huntgraph.timeline.points`)."""
        return find_point(self.history, text)

    def lookup(self, limit: int | None = None, **query: Any) -> NDArray[np.void]:
        """Give recorded events in the order of time, dtype FOUND; `query` as `Query` has it."""
        return lookup(self.history, Query(**query), limit)

    def tags(self) -> dict[str, Cut]:
        """Give all tags."""
        return read_tags(self.history.folder)

    def tag(self, name: str, at: str = "head", *, note: str = "") -> Cut:
        """Name a point. Raises ForkError when the name is taken."""
        cut = self.point(at)
        set_tag(self.history.folder, name, cut, note)
        return cut

    def untag(self, name: str) -> None:
        """Forget a tag."""
        remove_tag(self.history.folder, name)

    def fork(
        self,
        *,
        before: str | None = None,
        at: str | None = None,
        name: str | None = None,
        without: Iterable[str] = (),
        **kept: Any,
    ) -> Fork:
        """Give a fork from before an event (PARTITION/POSITION), or from a point.

        `without` names what is left out: earlier commits, and records that cannot be read. With a
        `name` the fork is kept in the folder, for `kept` (``ttl_s``, ``budget_mib``) of `Recipe`;
        without one it lives as long as this object.
        """
        if (before is None) == (at is None):
            what = "a fork begins before an event or at a point"
            raise ForkError(what, fix="give one of before= and at=", code="HG1717")
        out = tuple(dict.fromkeys((*self._without, *without)))
        self.history.pass_over(lost_of(out))
        text = f"before {before}" if before is not None else str(at)
        recipe = Recipe(name or "", self.point(text), without=out, made_ms=now_ms(), **kept)
        return Fork(self.history, recipe if name is None else self.store.create(recipe))

    def forks(self) -> list[str]:
        """Give the names of the forks that are kept."""
        return self.store.names()

    def kept_fork(self, name: str) -> Fork:
        """Give a fork that is kept. Raises ForkError HG1750 when there is none."""
        recipe = self.store.get(name)
        self.history.pass_over(recipe.lost)
        return Fork(self.history, recipe)

    def keep(self, fork: Fork) -> None:
        """Write a kept fork's edits and policy."""
        self.store.save(fork.recipe)

    def commit(
        self, fork: Fork, *, reason: str, expect: str | None = None, who: str | None = None
    ) -> Entry:
        """Adopt a fork, and forget it: its edits stand in the audit trail. See `Fork.commit`."""
        entry = fork.commit(reason=reason, expect=expect, who=who)
        if fork.recipe.name:
            self.store.drop(fork.recipe.name)
        return entry


def open_timeline(
    folder: str | Path,
    world: str | Path | None = None,
    without: Iterable[str] = (),
    *,
    warm: int = 0,
) -> Timeline:
    """Open the history of a folder of `huntgraph serve`, or of one actor's own directory.

    `world` is the world's file or the folder of its parts; a folder of `huntgraph serve` knows
    it. Actors may run: what they have logged is read. `without` names records that cannot be read
    and are passed over, as PARTITION/POSITION. With `warm` all partitions are kept at the heads of
    their logs, so that forks of their last so many records take milliseconds; call
    `Timeline.follow` now and then. Raises UsageError, WorldError, LogError.
    """
    return Timeline.open(folder, world, without, warm=warm)
