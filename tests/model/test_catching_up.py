"""A fork that catches up in rounds is the fork that was replayed at once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from huntgraph.timeline import adopt, fork
from huntgraph.timeline.adopt import Compared
from huntgraph.timeline.cells import Changes
from huntgraph.timeline.cut import Cut
from huntgraph.timeline.edits import Drop, Edit
from huntgraph.timeline.fork import Fork
from huntgraph.timeline.history import History
from huntgraph.timeline.kinds import PLAYER_KINDS
from huntgraph.timeline.lookup import Query
from huntgraph.timeline.recipe import Recipe
from huntgraph.timeline.replay import CLAIMS, Claims
from huntgraph.timeline.replica import Replica
from huntgraph.timeline.script import compile_edits
from huntgraph.timeline.slots import changes_to_adopt
from tests.model.histories import history_of, played

PLACE = Path("nowhere")
ROUNDS = 4
CHANGES = ("names", "old", "new", "had", "has")


def cuts(history: History, rng: Random) -> list[Cut]:
    """Consistent cuts, each behind the one before, the head at last."""
    head = history.head()
    shares = sorted(rng.random() for _ in range(ROUNDS))
    wild = [{n: int(share * end) for n, end in head.items()} for share in shares]
    found = [history.messages().shrink(cut) for cut in wild] + [head]
    return [cut for at, cut in enumerate(found) if all(_behind(cut, c) for c in found[:at])]


def _behind(cut: Cut, other: Cut) -> bool:
    return all(cut[n] >= other[n] for n in cut)


def busiest(history: History, point: Cut) -> tuple[int, ...]:
    """The two players with the most moves behind a point."""
    moves: Counter[int] = Counter()
    for number, source in history.sources.items():
        for records in source.records(point[number] + 1):
            moves.update(records.moves["player"][records.of(*PLAYER_KINDS)].tolist())
    return tuple(player for player, _ in moves.most_common(2))


def forks(seed: int, claims: Claims) -> tuple[Fork, Fork, list[Cut]]:
    """The same fork twice, and the cuts to replay one of them to."""
    rng = Random(seed)
    history = history_of(played(seed, quiet=seed % 2 == 0), PLACE)
    point, *rest = cuts(history, rng)
    query = Query(players=busiest(history, point), kinds=PLAYER_KINDS)
    edits: tuple[Edit, ...] = (Drop(query),) if seed % 3 else ()
    recipe = Recipe("f", point, edits, claims=claims)
    return Fork(history, recipe), Fork(history, recipe), rest


@pytest.mark.parametrize("claims", CLAIMS)
@pytest.mark.parametrize("seed", range(6))
def test_catching_up_ends_where_one_replay_does(seed: int, claims: Claims) -> None:
    slowly, at_once, rest = forks(seed, claims)
    assert len(rest) > 1
    slowly.replay(claims, to=rest[0])
    for cut in rest[1:]:
        slowly.catch_up(cut)
    run = at_once.replay(claims, to=rest[-1])
    assert slowly.run.hashes() == run.hashes()
    assert slowly.run.head_hashes() == run.head_hashes()
    assert slowly.diff().to_dict() == at_once.diff().to_dict()


def alike(one: Changes, other: Changes) -> bool:
    pairs = ((getattr(one, name), getattr(other, name)) for name in CHANGES)
    return all(np.array_equal(a, b) for a, b in pairs)


def compared_ahead(seed: int) -> int:
    """Catch up and compare in rounds, as before a commit; how often that was not the truth."""
    slowly, _, rest = forks(seed, "recompute")
    run, compared, wrong = slowly.replay(to=rest[0]), Compared(), 0
    for cut in rest[1:]:
        compared.stakes(run)
        run = slowly.catch_up(cut)
        for number, replica in run.replicas.items():
            ahead, now = compared.change(number, replica), changes_to_adopt(replica)
            wrong += ahead.base != replica.head_hash()
            wrong += not alike(ahead.changes, now)
    return wrong


@pytest.mark.parametrize("seed", range(6))
def test_what_is_compared_before_moves_are_held_is_what_is_committed(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compared_ahead(seed) == 0
    slowly, _, rest = forks(seed, "recompute")
    run, compared = slowly.replay(to=rest[-1]), Compared()
    compared.stakes(run)
    with monkeypatch.context() as unasked:
        unasked.setattr(adopt, "differences", None)
        compared.stakes(run)


def test_comparing_no_more_though_states_went_on_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: all states of a partition are taken for one."""
    monkeypatch.setattr(Replica, "branch_hash", lambda replica: 1)
    monkeypatch.setattr(Replica, "head_hash", lambda replica: 1)
    assert sum(compared_ahead(seed) for seed in range(6)) > 2


def test_edits_that_are_forgotten_in_later_rounds_are_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: they are laid over the first round's records only."""

    def forgetful(history: History, layers: Any, scripts: Any, begin: Any) -> Any:
        first = [layer for layer in layers if layer.point == begin]
        return compile_edits(history, first, scripts, begin)

    caught = 0
    for seed in (1, 2, 4, 5):
        slowly, at_once, rest = forks(seed, "recompute")
        at_once.replay(to=rest[-1])
        with monkeypatch.context() as planted:
            planted.setattr(fork, "compile_edits", forgetful)
            slowly.replay(to=rest[0])
            for cut in rest[1:]:
                slowly.catch_up(cut)
        caught += slowly.run.hashes() != at_once.run.hashes()
    assert caught > 2
