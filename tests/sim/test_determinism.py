"""The same records give the same state and the same answers, however they are served."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from huntgraph.engine import Engine, Records, move, ticks
from huntgraph.schema import NONE, RECEIPT, Code, Flag, Kind
from huntgraph.world import World, generate
from tests.sim.churn import Churn

PLAYERS, FIELDS = 500, 32
GUIDANCE = Flag.GUIDED | Flag.EXACT_NOW | Flag.CERTIFIED | Flag.NO_PATH | Flag.PENDING
"""What depends on when guidance was worked on, and so is no part of a replay."""


class Told(NamedTuple):
    """All that an engine said and holds."""

    updates: Records
    events: Records
    receipts: Records
    saved: bytes
    state_hash: int
    asked: Records
    """Every player's answer once guidance has come to rest."""


def without_guidance(updates: Records) -> Records:
    rest = updates.copy()
    rest["flags"] &= ~np.uint8(GUIDANCE)
    rest["next"], rest["distance"], rest["epoch"] = NONE, NONE, 0
    return rest


def history(world: World, seed: int, batches: int = 240) -> Records:
    """Records of a partition in turmoil, with the state hash after every tick among them."""
    print(f"seed {seed}")
    engine, churn = Engine(world, players=PLAYERS, fields=FIELDS), Churn(world, seed, PLAYERS)
    records = churn.opening()
    told = [records]
    for number in range(batches):
        churn.learn(engine.apply(records), engine.events())
        engine.work(2_000)
        records = churn.batch(120, with_tick=number % 3 == 2)
        told += [move(Kind.HASH, a=engine.state_hash()), records]
        engine.apply(told[-2])
    return np.concatenate(told)


def at_rest(engine: Engine) -> Records:
    """Finish guidance at a tick edge, then send everybody's last move once more."""
    for _ in range(2):
        engine.apply(ticks(engine.tick + 1))
        engine.work()
    states = [engine.player(player) for player in range(1, PLAYERS + 1)]
    again = [move(Kind.GO, player=each.id, seq=each.seq) for each in states if each is not None]
    return engine.apply(np.concatenate(again))


def serve(world: World, records: Records, seed: int, *, most: int, work: int, saves: int) -> Told:
    """Apply the records in batches of up to `most`, with work between and `saves` restarts."""
    rng = np.random.default_rng(seed)
    engine = Engine(world, players=PLAYERS, fields=FIELDS)
    stops = set(rng.integers(0, len(records), saves).tolist())
    updates, events, receipts = [], [], [np.zeros(0, RECEIPT)]
    at = 0
    while at < len(records):
        end = min(at + int(rng.integers(1, most + 1)), len(records))
        updates.append(engine.apply(records[at:end]))
        events.append(engine.events())
        receipts.append(engine.receipts())
        if stops & set(range(at, end)):
            engine = Engine.restore(engine.save(), world_id=world.world_id)
        if work:
            engine.work(int(rng.integers(work)))
        at = end
    answers = np.concatenate(updates)
    assert engine.state_hash() == engine.state_hash(anew=True)
    saved, state_hash = engine.save(), engine.state_hash()
    asked = at_rest(engine)
    return Told(answers, np.concatenate(events), np.concatenate(receipts), saved, state_hash, asked)


WAYS = [
    pytest.param({"most": 1, "work": 0, "saves": 0}, id="one by one, no guidance"),
    pytest.param({"most": 1, "work": 40, "saves": 0}, id="one by one, guidance between"),
    pytest.param({"most": 700, "work": 3_000, "saves": 0}, id="random batches, guidance"),
    pytest.param({"most": 700, "work": 3_000, "saves": 25}, id="restarts"),
    pytest.param({"most": 5, "work": 0, "saves": 200}, id="many restarts, no guidance"),
    pytest.param({"most": 1 << 30, "work": 0, "saves": 0}, id="all at once"),
]


@pytest.mark.parametrize("way", WAYS)
def test_the_same_records_give_the_same_state_and_answers(seed: int, way: dict[str, int]) -> None:
    world = generate(edges=3_000, seed=8)
    records = history(world, seed)
    first = serve(world, records, seed, most=100, work=1_000, saves=0)
    hashes = records["kind"] == Kind.HASH
    assert (first.updates["code"][hashes] == Code.OK).all(), "a recorded hash was not met"
    assert len(first.receipts) > 0
    other = serve(world, records, seed + 1, **way)
    assert other.state_hash == first.state_hash
    assert np.array_equal(without_guidance(other.updates), without_guidance(first.updates))
    assert np.array_equal(other.events, first.events)
    assert np.array_equal(other.receipts, first.receipts)
    assert other.saved == first.saved
    # Guidance itself is canonical: at rest it does not tell how it was reached.
    differ = np.flatnonzero(other.asked != first.asked)
    assert not len(differ), (other.asked[differ[0]], first.asked[differ[0]])
    assert (first.asked["flags"] & (Flag.EXACT_NOW | Flag.CERTIFIED)).any()


def test_two_moves_in_the_wrong_order_are_noticed() -> None:
    """The comparison can fail: once in the whole history two neighbouring moves change places."""
    world = generate(edges=3_000, seed=8)
    records = history(world, 17)
    told = serve(world, records, 1, most=100, work=0, saves=0)
    walked = (records["kind"] == Kind.GO) & (told.updates["code"] == Code.OK)
    walked &= told.updates["flags"] & Flag.DUPLICATE == 0
    pairs = np.flatnonzero(walked[:-1] & walked[1:])
    at = int(pairs[len(pairs) // 2])
    swapped = records.copy()
    swapped[[at, at + 1]] = records[[at + 1, at]]
    other = serve(world, swapped, 1, most=100, work=0, saves=0)
    missed = np.flatnonzero(other.updates["code"] == Code.HASH_MISMATCH)
    following = np.flatnonzero(records["kind"] == Kind.HASH)
    assert missed[0] == following[following > at][0], "the very next recorded hash tells"
    assert not np.array_equal(without_guidance(other.updates), without_guidance(told.updates))
