"""Guidance of an engine in turmoil is never wrong for the epoch it names, or for now."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from huntgraph.engine import Engine, Records
from huntgraph.schema import Event, Flag
from huntgraph.world import World, generate
from tests.sim.churn import Churn
from tests.sim.judge import EXACT, Judge

SLICES = (200, 600, 2_000, 2_000, 20_000)
"""Operations of guidance work between two batches, drawn at random: too few to keep up."""


class Trial:
    """One engine, its churn and its judge; `answering` may be built from another world."""

    def __init__(
        self, world: World, seed: int, *, players: int, fields: int, lies: World | None = None
    ) -> None:
        print(f"seed {seed}")
        self.rng = np.random.default_rng(seed + 1)
        self.engine = Engine(world, players=players, fields=fields)
        self.liar = None if lies is None else Engine(lies, players=players, fields=fields)
        self.churn, self.judge = Churn(world, seed, players), Judge(world)
        self.slices: tuple[int, ...] = SLICES
        self.answers: list[tuple[Records, Records, int]] = []
        self.happened: Counter[int] = Counter()
        self.lag = 0

    def apply(self, records: Records) -> None:
        """Apply one batch and have its answers judged."""
        position = self.engine.position
        updates, events = self.engine.apply(records), self.engine.events()
        if self.liar is not None:
            updates = self.liar.apply(records)
        self.answers.append((updates, events, position))
        self.judge.follow(updates, events, position)
        self.churn.learn(updates, events)
        self.happened.update(events["kind"].tolist())
        certified = updates[updates["flags"] & EXACT == Flag.CERTIFIED]
        if len(certified):
            self.lag = max(self.lag, int((certified["tick"] - certified["epoch"]).max()))

    def run(self, batches: int, movers: int) -> None:
        """Play `batches` batches with a tick every third one."""
        self.apply(self.churn.opening())
        for number in range(batches):
            for engine in filter(None, (self.engine, self.liar)):
                engine.work(int(self.rng.choice(self.slices)))
            self.apply(self.churn.batch(movers, with_tick=number % 3 == 2))
        assert self.judge.agrees_with(self.engine.weights(), self.engine.closed())
        assert self.engine.state_hash() == self.engine.state_hash(anew=True)


def test_a_hundred_thousand_answers_under_churn(seed: int) -> None:
    trial = Trial(generate(edges=9_000, seed=3), seed, players=3_000, fields=32)
    trial.run(batches=450, movers=700)
    seen = trial.judge.seen
    print(dict(seen), f"lag {trial.lag}")
    assert not trial.judge.wrong, f"seed {seed}: {trial.judge.wrong[:3]}"
    assert trial.judge.judged >= 100_000, seen
    assert min(seen[name] for name in ("now", "late", "arrived", "no path", "added")) > 0, seen
    # A whole world has no border, and nothing is corrected here.
    assert {kind.name for kind in Event if not trial.happened[kind]} == {
        "CORRECTED",
        "HANDED",
        "NOTED",
    }
    assert trial.lag > 3, "the fields were never behind: the test is too easy"


def test_little_churn_is_answered_by_repaired_fields(seed: int) -> None:
    """So few edges change in a tick that fields are repaired, not built anew."""
    trial = Trial(generate(edges=9_000, seed=3), seed, players=400, fields=32)
    trial.slices = (2_000, 20_000, 200_000)
    trial.run(batches=900, movers=30)
    assert not trial.judge.wrong, f"seed {seed}: {trial.judge.wrong[:3]}"
    assert trial.judge.judged > 15_000, trial.judge.seen


@pytest.mark.parametrize("fields", [1, 5])
def test_more_targets_than_fields_under_churn(seed: int, fields: int) -> None:
    trial = Trial(generate(edges=2_000, seed=4), seed, players=400, fields=fields)
    trial.run(batches=120, movers=200)
    assert not trial.judge.wrong, f"seed {seed}: {trial.judge.wrong[:3]}"
    assert trial.judge.judged > 1_000, trial.judge.seen


@pytest.mark.soak
@pytest.mark.parametrize("edges", [40_000, 200_000])
def test_millions_of_answers_under_churn(seed: int, edges: int) -> None:
    trial = Trial(generate(edges=edges, seed=5), seed, players=20_000, fields=32)
    trial.slices = tuple(each * edges // 9_000 for each in SLICES)
    trial.run(batches=600, movers=2_000)
    assert not trial.judge.wrong, f"seed {seed}: {trial.judge.wrong[:3]}"
    # Nearly half of all ask before their target has a field.
    assert trial.judge.judged >= 500_000, trial.judge.seen


def trial_to_spoil() -> Trial:
    trial = Trial(generate(edges=4_000, seed=6), 61, players=600, fields=32)
    trial.run(batches=90, movers=300)
    assert not trial.judge.wrong
    return trial


def test_the_judge_catches_a_swapped_step_in_3333_answers() -> None:
    """Of every 3,333 guided answers one gets another neighbour, as a wrong slot would give it."""
    trial = trial_to_spoil()
    again, spoiled, guided = Judge(generate(edges=4_000, seed=6)), 0, 0
    for updates, events, position in trial.answers:
        planted = updates.copy()
        for at in np.flatnonzero(updates["flags"] & Flag.GUIDED):
            guided += 1
            if guided % 3_333 == 0:
                planted["next"][at] = planted["next"][at] ^ 1
                spoiled += 1
        again.follow(planted, events, position)
    assert spoiled >= 3
    assert len(again.wrong) == spoiled


@pytest.mark.parametrize(
    "flags", [Flag.GUIDED, Flag.ARRIVED, Flag.PENDING, EXACT], ids=lambda flags: flags.name
)
def test_the_judge_catches_a_flag_that_is_missing(flags: Flag) -> None:
    """Of every ten answers that have it one has not."""
    trial = trial_to_spoil()
    again, spoiled, seen = Judge(generate(edges=4_000, seed=6)), 0, 0
    for updates, events, position in trial.answers:
        planted = updates.copy()
        for at in np.flatnonzero(updates["flags"] & flags):
            seen += 1
            if seen % 10 == 0:
                planted["flags"][at] &= ~flags & 0xFF
                spoiled += 1
        found = len(again.wrong)
        again.follow(planted, events, position)
        caught = {each.row for each in again.wrong[found:]}
        assert caught == set(np.flatnonzero(planted["flags"] != updates["flags"]).tolist())
    assert spoiled > 0


@pytest.mark.parametrize("step", [-1, 1])
def test_the_judge_catches_an_epoch_that_is_not_the_answers(step: int) -> None:
    trial = trial_to_spoil()
    again, changed = Judge(generate(edges=4_000, seed=6)), 0
    for updates, events, position in trial.answers:
        planted = updates.copy()
        late = np.flatnonzero(
            (updates["flags"] & EXACT == Flag.CERTIFIED) & (updates["epoch"] + 1 < updates["tick"])
        )
        planted["epoch"][late] += np.uint32(step & 0xFFFF_FFFF)
        for at in late:
            told = (int(updates["epoch"][at]), int(updates["target"][at]))
            named = (told[0] + step, told[1])
            right, other = trial.judge.solve(*told), trial.judge.solve(*named)
            node = updates["node"][at]
            changed += any(one[node] != two[node] for one, two in zip(right, other, strict=True))
        again.follow(planted, events, position)
    assert changed > 100, "too few answers differ between two epochs"
    assert len(again.wrong) == changed


def test_the_judge_catches_fields_with_one_swapped_edge_in_3333() -> None:
    """The engine that answers has two neighbouring edges' costs swapped, once in 3,333 edges."""
    world = generate(edges=9_000, seed=3)
    cost = world.cost.copy()
    pairs = np.flatnonzero((cost[:-1] > 0) & (cost[1:] > cost[:-1] + 5))
    pairs = pairs[:: max(1, len(pairs) * 3_333 // len(cost))]
    assert 1 <= len(pairs) <= len(cost) // 3_333 + 1
    cost[pairs], cost[pairs + 1] = cost[pairs + 1], cost[pairs]
    lies = World(**{**vars(world), "cost": cost})
    trial = Trial(world, 62, players=1_000, fields=32, lies=lies)
    trial.run(batches=60, movers=500)
    assert trial.judge.wrong
