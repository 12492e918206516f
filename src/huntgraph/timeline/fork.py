"""`Fork`: a point, edits and a policy for claims, and the state that follows from them."""

from __future__ import annotations

import asyncio
from collections.abc import ItemsView, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from huntgraph.errors import ForkError, ReplayError
from huntgraph.schema import Code, Kind
from huntgraph.timeline.audit import Entry
from huntgraph.timeline.borders import Originals
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.diff import Diff, make_diff
from huntgraph.timeline.edits import (
    EDITABLE,
    Drop,
    Edit,
    Insert,
    Replace,
    Retime,
    Rules,
    check_edit,
    record_of,
)
from huntgraph.timeline.history import History, Source
from huntgraph.timeline.kinds import CORRECTION_KINDS, PLAYER_KINDS, among
from huntgraph.timeline.lookup import Query
from huntgraph.timeline.points import parse_event, since_ms
from huntgraph.timeline.reach import Crossed, Reach, find_reach
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.replay import CLAIMS, Claims, Outcomes, Replay, follow_original
from huntgraph.timeline.replica import JOURNAL, Replica
from huntgraph.timeline.script import (
    Layer,
    Script,
    Touched,
    compile_edits,
    joined,
    read_script,
)
from huntgraph.timeline.slots import changes_to_adopt, correction_rows, owners_of
from huntgraph.timeline.units import kept_whole, sets_rule
from huntgraph.timeline.warm_replica import WarmReplica

__all__ = ["Fork", "Run"]

Scripts = dict[int, Script]


@dataclass(frozen=True)
class _Part:
    """What was replayed at one time: records as they were and as they are, and their outcomes."""

    originals: dict[int, Script]
    scripts: dict[int, Script]
    was: dict[int, Outcomes]
    now: dict[int, Outcomes]


class Run:
    """A replay: the images, and what each record came to, in the original and in the fork."""

    def __init__(self, history: History, recipe: Recipe, reach: Reach, head: Cut) -> None:
        self.history, self.recipe, self.point = history, recipe, recipe.point
        self.reach, self.head = reach, reach.begin
        self.replicas = {n: self._replica(n, head[n]) for n in history.sources}
        _check_memory(self.replicas, recipe.budget_mib)
        self.touched = Touched()
        self._parts: list[_Part] = []
        self._replay: Replay | None = None
        self._torn: set[int] = set()

    @property
    def _sources(self) -> ItemsView[int, Source]:
        return self.history.sources.items()

    def _replica(self, number: int, head: int) -> Replica:
        history, position = self.history, self.head[number]
        warm = None if self.reach.crossed else history.warm.get(number)
        if warm is not None and not warm.lent and position <= warm.position <= head:
            with suppress(ValueError):  # the point lies too far back
                return WarmReplica(history.sources[number].world, warm, position)
        opened = partial(history.engine_at, number, journal=JOURNAL)
        replica = Replica(history.sources[number].world, number, opened, position)
        replica.fork_at(position)
        return replica

    def extend(self, head: Cut) -> None:
        """Replay on, to a consistent cut at or behind the last one, outside of corrections.

        Raises ForkError for edits that are not possible, ReplayError when the logs do not give
        what they recorded; the run is of no use then.
        """
        _check_order(self.head, head)
        plain = {n: read_script(s, self.head[n], head[n]) for n, s in self._sources}
        scripts = compile_edits(self.history, self._layers(head), plain, self.head)
        for commit in self.reach.crossed:
            if not _is_beyond(self.head, commit.held):
                plain, scripts = self._stretch(plain, scripts, commit.held)
                self._make_again(commit)
        self._stretch(plain, scripts, head)

    def _layers(self, head: Cut) -> list[Layer]:
        """The edits of commits that are made again, and the fork's own."""
        made = [(c.recipe, c.held) for c in self.reach.crossed if c.recipe is not None]
        earlier = [Layer(r.edits, r.point, held, Touched()) for r, held in made]
        return [*earlier, Layer(self.recipe.edits, self.point, head, self.touched)]

    def _claims(self, head: Cut) -> Claims:
        """Up to a commit that is made again its policy holds, behind the last one the fork's."""
        made = (c for c in self.reach.crossed if c.recipe and not _is_beyond(head, c.held))
        recipe = next((c.recipe for c in made), None) or self.recipe
        return recipe.claims

    def _stretch(self, plain: Scripts, scripts: Scripts, head: Cut) -> tuple[Scripts, Scripts]:
        """Replay what lies up to a cut; gives what is left of the records."""
        plain, later_plain = _cut(plain, head)
        scripts, later = _cut(scripts, head)
        crossed = Originals(self.history.indexed)
        was = self._follow(plain, crossed, head)
        self.head = head
        if self._replay is None:
            claims = self._claims(head)
            self._replay = Replay(self.replicas, scripts, crossed, was, head, claims)
        else:
            self._replay.go_on(scripts, crossed, was, head)
        now = self._replay.run()
        self._parts.append(_Part(plain, scripts, was, now))
        return later_plain, later

    def _follow(self, plain: Scripts, crossed: Originals, head: Cut) -> dict[int, Outcomes]:
        """Let the bases follow the log; behind lost records only a snapshot tells what is live."""
        begin, parts = self.head, self.history.indexed.of
        lost = [n for n in parts if any(begin[n] < at <= head[n] for at, _ in parts[n].lost)]
        self._torn.update(lost)
        was = follow_original(self.replicas, plain, crossed, self._torn)
        for number in lost:
            self.replicas[number].reopen(head[number])
        return was

    def _make_again(self, commit: Crossed) -> None:
        """Let each branch become what a commit, or an undo, makes of the hunt here."""
        changes = {n: changes_to_adopt(replica) for n, replica in self.replicas.items()}
        if commit.undone:
            for number in self.replicas:
                self._correct(commit, number, self._rows_of(commit, number))
            undone = {n: changes_to_adopt(replica) for n, replica in self.replicas.items()}
            # What the undo made of the hunt, but for what is another in the fork.
            kept = {n: np.isin(each.names, changes[n].names) for n, each in undone.items()}
            owners = {n: owners_of(self.replicas[n], each) for n, each in undone.items()}
            # An edge of the fork's own has a weight by the rule that holds there.
            ruled = [
                n
                for n, own in changes.items()
                if sets_rule(own) or (len(own) and sets_rule(undone[n]))
            ]
            kept = kept_whole(undone, kept, owners, ruled)
            changes = {n: changes[n].joined(undone[n].only(~kept[n])) for n in undone}
        for number, replica in self.replicas.items():
            rows = correction_rows(replica, int(commit.id, 16), changes[number])
            self._correct(commit, number, rows)
        self._replay = None

    def _rows_of(self, commit: Crossed, partition: int) -> NDArray[np.uint8]:
        """The records of a correction in a log, (n, 64); none where it changed nothing."""
        history, number = self.history, int(commit.id, 16)
        made = [each for each in history.indexed.of[partition].corrections if each.id == number]
        if not made:
            return np.zeros((0, 64), np.uint8)
        first, last = made[-1].fence, made[-1].settle or made[-1].fence
        script = read_script(history.sources[partition], first - 1, last)
        return script.rows[among(script.kinds, CORRECTION_KINDS)]

    def _correct(self, commit: Crossed, partition: int, rows: NDArray[np.uint8]) -> None:
        updates = self.replicas[partition].correct(rows)
        if updates["code"].any():
            code = Code(int(updates["code"][updates["code"] != 0][0])).name
            what = f"commit {commit.id} cannot be made again in partition {partition}: {code}"
            fix = f"leave it out: --without {commit.id}"
            raise ReplayError(what, fix=fix, code="HG1525")

    @property
    def originals(self) -> dict[int, Script]:
        """The records as they were logged, by partition."""
        return {n: joined([part.originals[n] for part in self._parts]) for n in self.replicas}

    @property
    def scripts(self) -> dict[int, Script]:
        """The records as they were replayed."""
        return {n: joined([part.scripts[n] for part in self._parts]) for n in self.replicas}

    @property
    def was(self) -> dict[int, Outcomes]:
        """What each record of the originals came to."""
        return {n: Outcomes.joined([part.was[n] for part in self._parts]) for n in self.replicas}

    @property
    def now(self) -> dict[int, Outcomes]:
        """What each record of the scripts came to."""
        return {n: Outcomes.joined([part.now[n] for part in self._parts]) for n in self.replicas}

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
        """Add an edit; the fork must be replayed again.

        Raises ForkError HG1711, HG1730, HG1731, HG1732: see `huntgraph.timeline.edits.check_edit`.
        """
        check_edit(self.history, self.recipe.point, edit)
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
        self._run = None
        reach, head = self._reach(to)
        run = Run(self.history, self.recipe, reach, head)
        run.extend(head)
        self._run = run
        return run

    def catch_up(self, to: Cut | None = None) -> Run:
        """Replay on to the head as it is now, or to a later cut; gives what came of it."""
        run, self._run = self.run, None
        reach, head = self._reach(to)
        if run.reach != reach:  # somebody has committed since
            return self.replay(self.recipe.claims, to=to)
        run.extend(head)
        self._run = run
        return run

    def _reach(self, to: Cut | None) -> tuple[Reach, Cut]:
        head = to or self.history.head()
        _check_order(self.recipe.point, head)
        return find_reach(self.history, self.recipe, head)

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


def _check_order(cut: Cut, later: Cut) -> None:
    if cut.keys() != later.keys() or _is_beyond(cut, later):
        what = "the fork's point lies behind the place it is to be replayed to"
        raise ForkError(what, fix="replay it to the head", code="HG1725")


def _is_beyond(cut: Cut, other: Cut) -> bool:
    return any(cut[number] > other[number] for number in cut)


def _cut(scripts: Scripts, at: Cut) -> tuple[Scripts, Scripts]:
    """Give the records of all partitions up to a cut, and those behind it."""
    parts = {number: script.cut(at[number]) for number, script in scripts.items()}
    return {n: some for n, (some, _) in parts.items()}, {n: rest for n, (_, rest) in parts.items()}


def _check_memory(replicas: Mapping[int, Replica], budget_mib: int) -> None:
    """Base and branch of all partitions must fit; a claim that may be undone takes one more."""
    wanted = sum(2 * replica.image_bytes for replica in replicas.values())
    wanted_mib = -(-wanted // (1 << 20))
    if wanted_mib > budget_mib:
        what = f"the fork's images take {wanted_mib} MiB, it may have {budget_mib}"
        raise ForkError(what, fix="make it with a greater budget (--budget-mib)", code="HG1753")


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)
