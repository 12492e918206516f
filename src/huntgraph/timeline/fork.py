"""`Fork`: a point, edits and a policy for claims, and the state that follows from them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from huntgraph.errors import ForkError
from huntgraph.schema import Kind
from huntgraph.timeline.audit import Entry
from huntgraph.timeline.borders import Originals
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.diff import Diff, make_diff
from huntgraph.timeline.edits import EDITABLE, Drop, Edit, Insert, Replace, Retime, Rules, record_of
from huntgraph.timeline.history import History
from huntgraph.timeline.lookup import PLAYER_KINDS, Query
from huntgraph.timeline.points import parse_event, since_ms
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.replay import CLAIMS, Claims, Outcomes, Replay, replay_original
from huntgraph.timeline.replica import JOURNAL, Replica
from huntgraph.timeline.script import Script, Touched, compile_edits, read_script

__all__ = ["Fork", "Run"]


class Run:
    """What a replay left: the images, and what each record came to, in the original and here."""

    def __init__(
        self,
        history: History,
        point: Cut,
        head: Cut,
        replicas: Mapping[int, Replica],
        touched: Touched,
    ) -> None:
        self.history, self.point, self.head = history, point, head
        self.replicas, self.touched = dict(replicas), touched
        self.originals: dict[int, Script] = {}
        self.scripts: dict[int, Script] = {}
        self.was: dict[int, Outcomes] = {}
        self.now: dict[int, Outcomes] = {}

    def head_hashes(self) -> dict[int, int]:
        """Give the state hash of each partition's head."""
        return {number: replica.head_hash() for number, replica in self.replicas.items()}

    def hashes(self) -> dict[int, int]:
        """Give the state hash of each partition's branch."""
        return {number: replica.branch_hash() for number, replica in self.replicas.items()}


class Fork:
    """A branch of history. Nothing of it reaches an actor before it is committed.

    Use as ``with history.fork(before="3/918223") as fork``: leaving discards it unless it was
    committed. A fork made of a stored recipe stays in the store.
    """

    def __init__(self, history: History, recipe: Recipe) -> None:
        self.history, self.recipe = history, recipe
        self._run: Run | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run = None

    @property
    def edits(self) -> Sequence[Edit]:
        """What is changed, in order."""
        return self.recipe.edits

    def edit(self, edit: Edit) -> Self:
        """Add an edit; the fork must be replayed again."""
        self.recipe = replace(self.recipe, edits=(*self.recipe.edits, edit))
        self._run = None
        return self

    def drop(
        self,
        *,
        player: int | Sequence[int] = (),
        team: int | Sequence[int] = (),
        server: int | Sequence[int] = (),
        event: str | Sequence[str] = (),
        kind: Kind | Sequence[Kind] = EDITABLE,
        area: tuple[int, int, int, int] | None = None,
        since: str | int = 0,
        until: str | int | None = None,
    ) -> Self:
        """Take records out: all that fits, behind the fork's point.

        `since` and `until` are times (``2026-11-25T14:00:00Z``, milliseconds since 1970) or
        durations before the head (``10m``). A player alone means its moves and nothing else.
        """
        events = tuple(parse_event(text) for text in _several(event))
        query = Query(
            players=_several(player),
            teams=_several(team),
            servers=_several(server),
            kinds=_several(kind),
            area=area,
            since_ms=self._ms(since),
            until_ms=None if until is None else self._ms(until),
            events=events,
        )
        named = query.players or query.teams or query.servers or events or area
        if not named and query.kinds == EDITABLE and not query.since_ms and until is None:
            what = "that would drop everything behind the fork's point"
            raise ForkError(what, fix="name a player, a server, an area, a kind ...", code="HG1723")
        if (query.players or query.teams) and query.kinds == EDITABLE:
            query = replace(query, kinds=PLAYER_KINDS)
        return self.edit(Drop(query))

    def replace(self, event: str, **fields: Any) -> Self:
        """Put another deed in a record's place: `kind`, and `from_`, `to`, `arg`, `hunt` for it."""
        return self.edit(Replace(parse_event(event), record_of(fields)))

    def insert(self, after: str, **fields: Any) -> Self:
        """Add an edge's or a hunt's record behind another one, or a ``kind="GRANT"``."""
        return self.edit(Insert(parse_event(after), record_of(fields)))

    def retime(self, event: str, after: str) -> Self:
        """Move a record behind another one."""
        return self.edit(Retime(parse_event(event), parse_event(after)))

    def rules(self, slot: int, rows: Mapping[int, bytes]) -> Self:
        """Load other rows of a hunt into a slot, for each partition its own (dtype RULE)."""
        return self.edit(Rules(slot, dict(rows)))

    def replay(self, claims: Claims = "recompute", *, to: Cut | None = None) -> Run:
        """Replay to the head, or to a consistent cut of the past; gives what came of it.

        Raises ForkError for edits that are not possible, ReplayError when the logs do not give
        what they recorded.
        """
        if claims not in CLAIMS:
            what = f'"{claims}" is no policy for claims'
            raise ForkError(what, fix=f"choose one of {', '.join(CLAIMS)}", code="HG1724")
        self.recipe = replace(self.recipe, claims=claims)
        self._run = _run(self.history, self.recipe, to or self.history.head())
        return self._run

    @property
    def run(self) -> Run:
        """The last replay; replays to the head when there was none."""
        return self._run or self.replay(self.recipe.claims)

    def diff(self) -> Diff:
        """Compare the fork with the head that it was replayed to."""
        return make_diff(self.run)

    def commit(self, *, reason: str, expect: str | None = None, who: str | None = None) -> Entry:
        """Adopt the fork in all partitions or in none; see `huntgraph.timeline.adopt.adopt`.

        Not inside a running event loop: use ``await adopt(fork, ...)`` there.
        """
        from huntgraph.timeline.adopt import adopt

        return asyncio.run(adopt(self, reason=reason, expect=expect, who=who))

    def _ms(self, when: str | int) -> int:
        return when if isinstance(when, int) else since_ms(self.history, when)


def _run(history: History, recipe: Recipe, head: Cut) -> Run:
    point = recipe.point
    if point.keys() != head.keys() or any(point[number] > head[number] for number in point):
        what = "the fork's point lies behind the place it is to be replayed to"
        raise ForkError(what, fix="replay it to the head", code="HG1725")
    sources = history.sources.items()
    plain = {number: read_script(source, point[number], head[number]) for number, source in sources}
    scripts, touched = compile_edits(history, recipe.edits, plain)
    replicas = {}
    for number, source in sources:
        opened = partial(history.engine_at, number, journal=JOURNAL)
        replicas[number] = Replica(source.world, number, opened, point[number])
        replicas[number].fork_at(point[number])
    _check_memory(replicas, recipe.budget_mib)
    run = Run(history, point, head, replicas, touched)
    run.originals, run.scripts = plain, scripts
    crossed = Originals(history.index())
    run.was = replay_original(replicas, plain, crossed)
    for number, source in sources:
        # While the base still stands at the point, a branch is a copy of it.
        replicas[number].fork_at(point[number])
        for records in source.records(point[number] + 1, head[number]):
            replicas[number].follow(records)
    play = Replay(replicas, scripts, crossed, run.was, point, head, recipe.claims)
    run.now = play.run()
    return run


def _check_memory(replicas: Mapping[int, Replica], budget_mib: int) -> None:
    """Base and branch of all partitions must fit; a claim that may be undone takes one more."""
    wanted = sum(2 * replica.image_bytes for replica in replicas.values())
    wanted_mib = -(-wanted // (1 << 20))
    if wanted_mib > budget_mib:
        what = f"the fork's images take {wanted_mib} MiB, it may have {budget_mib}"
        raise ForkError(what, fix="make it with a greater budget (--budget-mib)", code="HG1753")


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)
