"""Cuts over random histories: consistent, and the greatest or the least that are."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from huntgraph.schema import ARRIVAL, MOVE, Kind
from huntgraph.timeline.cut import Cut, Messages
from huntgraph.timeline.history import History
from huntgraph.timeline.points import at_event
from tests.model.histories import history_of, played

seeds = pytest.mark.seeds(*range(3))


def history(seed: int) -> History:
    return history_of(played(seed, quiet=seed % 2 == 0), Path("nowhere"))


def broken(history: History, cut: Cut) -> list[str]:
    """What was received in a cut and not sent in it, read record by record."""
    logs = {
        number: [row for records in source.records(1) for row in records.rows]
        for number, source in history.sources.items()
    }
    taken: dict[tuple[int, int, int], int] = {}
    for number, rows in logs.items():
        for at, row in enumerate(rows, 1):
            if row[0] in (Kind.ARRIVE, Kind.NOTICE):
                parcel = row.view(ARRIVAL)[0]
                taken[number, int(parcel["from"]), int(parcel["number"])] = at
    found = []
    for number, rows in logs.items():
        for at, row in enumerate(rows[: cut[number]], 1):
            if row[0] in (Kind.ARRIVE, Kind.NOTICE):
                parcel = row.view(ARRIVAL)[0]
                if int(parcel["cause"]) > cut[int(parcel["from"])]:
                    found.append(f"{number}/{at} was taken before it was sent")
            elif row[0] == Kind.HANDED_ON:
                ack = row.view(MOVE)[0]
                if taken[int(ack["arg"]), number, int(ack["a"])] > cut[int(ack["arg"])]:
                    found.append(f"{number}/{at} was acknowledged before it was taken")
    return found


def wild(history: History, rng: Random) -> Cut:
    return {number: rng.randint(0, end) for number, end in history.index().ends().items()}


@seeds
def test_a_shrunk_cut_is_consistent_and_none_between_is(seed: int) -> None:
    recorded, rng = history(seed), Random(seed)
    messages = recorded.messages()
    for _ in range(20):
        asked = wild(recorded, rng)
        cut = messages.shrink(asked)
        assert broken(recorded, cut) == []
        assert all(cut[number] <= asked[number] for number in cut)
        for number in cut:
            if cut[number] < asked[number]:
                # One more record of one partition alone would break it: it is the greatest.
                assert broken(recorded, {**cut, number: cut[number] + 1})


@seeds
def test_the_past_of_an_event_is_the_least_cut_that_holds_it(seed: int) -> None:
    recorded, rng = history(seed), Random(seed)
    messages = recorded.messages()
    for _ in range(20):
        number, end = rng.choice(list(recorded.index().ends().items()))
        start = dict.fromkeys(recorded.sources, 0) | {number: rng.randint(1, end)}
        past = messages.past(start)
        assert broken(recorded, past) == []
        assert past[number] == start[number]
        for other in past:
            if other != number and past[other]:
                assert broken(recorded, {**past, other: past[other] - 1})


@seeds
def test_before_an_event_stands_right_before_it_in_its_partition(seed: int) -> None:
    recorded, rng = history(seed), Random(seed)
    for _ in range(20):
        number, end = rng.choice(list(recorded.index().ends().items()))
        position = rng.randint(1, end)
        cut = at_event(recorded, (number, position), included=False)
        assert cut[number] == position - 1
        assert broken(recorded, cut) == []


def test_a_cut_that_was_not_shrunk_is_caught() -> None:
    recorded = history(2)
    found = [broken(recorded, wild(recorded, Random(seed))) for seed in range(30)]
    assert any(found)


def test_forgetting_acknowledgements_is_caught() -> None:
    """The twin of the checker: cuts that look at parcels alone lose players under way."""
    recorded = history(2)
    messages = recorded.messages()
    acks = sum(len(part.acks) for part in recorded.index().of.values())
    parcels = Messages.__new__(Messages)
    parcels.rows = messages.rows[: len(messages.rows) - acks]
    rng = Random(1)
    assert any(broken(recorded, parcels.shrink(wild(recorded, rng))) for _ in range(200))
    assert np.isin(parcels.rows["to"], list(recorded.sources)).all()
