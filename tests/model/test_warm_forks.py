"""A fork of warm partitions is the fork that a cold history gives: cell by cell, hash for hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.engine import Engine, move
from huntgraph.errors import ReplayError
from huntgraph.schema import MOVE, Kind
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.edits import Drop, Edit
from huntgraph.timeline.fork import Fork, Run
from huntgraph.timeline.history import History, Source
from huntgraph.timeline.kinds import PLAYER_KINDS
from huntgraph.timeline.log import END, LogRecords
from huntgraph.timeline.lookup import Query
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.replay import CLAIMS, Claims
from huntgraph.timeline.slots import changes_to_adopt
from huntgraph.timeline.warm_replica import WarmReplica
from tests.model.histories import MemoryLog, history_of, played
from tests.unit.timeline.recorder import CHEATER, with_a_cheater

PLACE = Path("nowhere")
KEEP = 1 << 14
ROUNDS = 4


class GrowingLog(MemoryLog):
    """A log of which only a beginning is there yet."""

    def __init__(self, partition: int, log: MemoryLog, share: float) -> None:
        super().__init__(log.rows)
        self.partition = partition
        self.grow(share)

    def grow(self, share: float) -> None:
        """Let so much of it be there."""
        self.end = round(share * len(self.rows))

    def records(
        self, first: int = 1, *, batch: int = 65_536, upto: int = END
    ) -> Iterator[LogRecords]:
        for at in range(first - 1, min(self.end, upto), batch):
            yield LogRecords(at + 1, self.rows[at : min(at + batch, self.end)])

    def tail(self, first: int = 1) -> LogTail:
        return LogTail(self, first)


class LogTail:
    """A place in a growing log."""

    def __init__(self, log: GrowingLog, first: int) -> None:
        self._log, self._next = log, first

    def read(self, batch: int = 37, upto: int = END) -> LogRecords | None:
        if self._next > upto:
            return None
        end = min(self._next - 1 + batch, self._log.end)
        records = LogRecords(self._next, self._log.rows[self._next - 1 : end])
        self._next = end + 1
        return records if len(records.rows) else None


def growing(seed: int, share: float = 1.0) -> tuple[History, list[GrowingLog]]:
    """A history whose logs grow."""
    history = history_of(played(seed, quiet=seed % 2 == 0), PLACE)
    logs = []
    for number, source in history.sources.items():
        assert isinstance(source.log, MemoryLog)
        logs.append(GrowingLog(number, source.log, share))
    sources = {n: replace(history.sources[n], log=log) for n, log in enumerate(logs)}
    return History(sources, PLACE), logs


def grow(share: float, logs: list[GrowingLog]) -> None:
    for log in logs:
        log.grow(share)


def edits(seed: int, logs: list[GrowingLog]) -> tuple[Edit, ...]:
    """In two of three histories, two of those who moved are taken out."""
    moves = np.concatenate([log.rows for log in logs]).view(MOVE).reshape(-1)
    known = np.unique(moves["player"][np.isin(moves["kind"], PLAYER_KINDS)]).tolist()
    players = tuple(Random(seed).sample(known, 2))
    return (Drop(Query(players=players, kinds=PLAYER_KINDS)),) if seed % 3 else ()


def point_of(history: History, rng: Random) -> Cut:
    wild = {n: rng.randint(end // 2, end) for n, end in history.head().items()}
    return history.messages().shrink(wild)


def compare(warm: Fork, cold: Fork) -> None:
    """Judge two forks with the same recipe, replayed to the same head."""
    assert warm.run.head == cold.run.head
    assert warm.run.hashes() == cold.run.hashes()
    assert warm.run.head_hashes() == cold.run.head_hashes()
    assert warm.diff().to_dict() == cold.diff().to_dict()
    for number, mine in warm.run.replicas.items():
        one, other = changes_to_adopt(mine), changes_to_adopt(cold.run.replicas[number])
        for name in ("names", "old", "new", "had", "has"):
            assert np.array_equal(getattr(one, name), getattr(other, name)), (number, name)


def is_warm(run: Run) -> bool:
    return all(isinstance(replica, WarmReplica) for replica in run.replicas.values())


@pytest.mark.parametrize("claims", CLAIMS)
@pytest.mark.seeds(*range(4))
def test_a_warm_fork_is_the_cold_one(seed: int, claims: Claims) -> None:
    (history, logs), (other, _) = growing(seed), growing(seed)
    history.keep_warm(KEEP)
    rng, touched = Random(seed), set[int]()
    for _ in range(3):
        recipe = Recipe("f", point_of(history, rng), edits(seed, logs), claims=claims)
        warm, cold = Fork(history, recipe), Fork(other, recipe)
        warm.replay(claims)
        cold.replay(claims)
        assert [is_warm(fork.run) for fork in (warm, cold)] == [True, False]
        compare(warm, cold)
        touched |= cold.run.touched.players
    assert bool(touched) == bool(recipe.edits), "edits change something"


@pytest.mark.seeds(*range(3), drawn=1)
def test_it_catches_up_with_a_log_that_grows(seed: int) -> None:
    (history, logs), (other, others) = growing(seed, 0.5), growing(seed, 0.5)
    history.keep_warm(KEEP)
    rng = Random(seed)
    for share in (0.6, 0.7):
        grow(share, logs + others)
        assert history.follow() == other.head()
    recipe = Recipe("f", point_of(history, rng), edits(seed, logs))
    warm, cold = Fork(history, recipe), Fork(other, recipe)
    warm.replay()
    for share in (0.8, 0.9, 1.0):
        grow(share, logs + others)
        history.follow()  # a fork stands there: nothing moves
        warm.catch_up()
    cold.replay()
    assert is_warm(warm.run)
    compare(warm, cold)


def test_what_is_read_moves_no_head_and_one_fork_at_a_time_is_warm() -> None:
    history, logs = growing(1, 0.6)
    stands = history.keep_warm(KEEP)
    grow(1.0, logs)
    end = history.head()
    assert end != stands
    assert {n: warm.position for n, warm in history.warm.items()} == stands
    recipe = Recipe("f", stands, edits(1, logs))
    first, second = Fork(history, recipe), Fork(history, recipe)
    first.replay()
    second.replay()
    assert [is_warm(fork.run) for fork in (first, second)] == [True, False]
    compare(first, second)
    with first:
        pass
    assert is_warm(second.replay())


def test_points_beyond_the_journal_and_cuts_before_the_head_are_cold() -> None:
    (history, logs), (other, _) = growing(2), growing(2)
    head = history.keep_warm(64)
    assert all(len(warm.kept(0)[0].rows) < head[n] for n, warm in history.warm.items())
    early = history.messages().shrink({n: end // 4 for n, end in head.items()})
    late = history.messages().shrink({n: end // 2 for n, end in head.items()})
    for to in (head, late):
        warm, cold = (Fork(one, Recipe("f", early, edits(2, logs))) for one in (history, other))
        warm.replay(to=to)
        cold.replay(to=to)
        assert not is_warm(warm.run)
        compare(warm, cold)


def test_a_partition_that_ran_out_of_room_is_opened_anew() -> None:
    history, logs = growing(4, 0.4)
    history.keep_warm(KEEP)
    before = dict(history.warm)
    history._room = dict.fromkeys(before, (0, 0))
    grow(1.0, logs)
    head = history.follow()
    assert all(history.warm[n] is not warm for n, warm in before.items())
    assert {n: warm.position for n, warm in history.warm.items()} == head


def test_a_head_that_is_not_what_its_log_leads_to_is_caught() -> None:
    """Planted: the head of a warm partition closed an edge that the log does not close."""
    history, logs = growing(1, 0.5)
    stands = history.keep_warm(KEEP)
    tail = int(np.flatnonzero(np.diff(history.sources[0].world.first))[0])
    to = int(history.sources[0].world.head[history.sources[0].world.first[tail]])
    close = move(Kind.EDGE_CLOSE, from_=tail, to=to)
    history.warm[0].head.replay(close, np.array([stands[0]], np.uint64))
    grow(1.0, logs)
    with pytest.raises(ReplayError, match="differs from the log"):  # at the next HASH
        history.follow()


def test_a_branch_that_does_not_go_back_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the fork's records go on where the head is."""
    (history, logs), (other, _) = growing(1), growing(1)
    history.keep_warm(KEEP)
    recipe = Recipe("f", point_of(history, Random(1)), edits(1, logs))
    cold = Fork(other, recipe)
    cold.replay()
    fork_at = WarmReplica.fork_at
    monkeypatch.setattr(WarmReplica, "fork_at", lambda self, _: fork_at(self, self.position))
    assert Fork(history, recipe).replay().hashes() != cold.run.hashes()


def labels_of(*, warm: bool) -> dict[int, str]:
    """How the changes of players are labelled in the story of the cheater."""
    story = with_a_cheater()
    log = GrowingLog(0, MemoryLog(story.log), 1.0)
    history = History({0: Source(0, story.world, log)}, PLACE)
    if warm:
        history.keep_warm(KEEP)
    fork = Fork(history, Recipe("f", {0: 6})).drop(player=CHEATER)
    assert is_warm(fork.replay()) == warm
    return {change.player: change.label for change in fork.diff().players}


def test_answers_in_which_nothing_is_seen_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: every answer, of the original and of the fork, counts as the same."""
    labels = labels_of(warm=False)
    assert labels == labels_of(warm=True)
    see = Engine.see

    def blind(*given: Any, **options: Any) -> tuple[NDArray[np.uint64], int | None]:
        seen, strange = see(*given, **options)
        return np.zeros_like(seen), strange

    monkeypatch.setattr(Engine, "see", blind)
    assert labels != labels_of(warm=True)
