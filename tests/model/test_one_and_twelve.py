"""A world in one engine and the same world in twelve parts: the same walk gives the same world."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.hunt import generate_hunt
from huntgraph.schema import Code, Kind
from huntgraph.world import generate, split
from tests.model.checker import engine_class
from tests.model.land import Land, Stroll, Undivided
from tests.model.worlds import record_of

pytestmark = pytest.mark.skipif(engine_class() is None, reason="the extension is not built")

PARTS = 12
STEPS = 2500


def edges(land: Land) -> dict[tuple[int, int], tuple[int, bool]]:
    """Weight and closing of every real edge by its ends in the whole world, from the engines."""
    found = {}
    for number, pair in enumerate(land.pairs):
        tail, head = (land.parts.global_ids(number, each) for each in pair.engine.edges())
        owned = pair.engine.edges()[0] < land.parts[number].own_nodes
        weight, closed = np.asarray(pair.engine.weights()), np.asarray(pair.engine.closed())
        for at in np.flatnonzero(owned & (weight > 0)).tolist():
            ends = int(tail[at]), int(head[at])
            assert ends not in found, "an edge in two partitions"
            found[ends] = int(weight[at]), bool(closed[at])
    return found


def players(land: Land) -> dict[int, tuple[Any, ...]]:
    """Place in the whole world, number, score, progress and target of every player."""
    found: dict[int, tuple[Any, ...]] = {}
    for number, pair in enumerate(land.pairs):
        for each in pair.model.players:
            if each.away == 0:
                assert each.id not in found, "a player in two partitions"
                node = int(land.parts.global_ids(number, each.node))
                found[each.id] = node, each.seq, each.score, each.progress, each.target
    return found


def stages(land: Land) -> list[tuple[int, int, int]]:
    """Wins, team bits and last winner of each stage, from the partition that it is in."""
    hunts = [pair.model.hunts[0] for pair in land.pairs]
    return [
        (stage.wins, stage.team_bits, stage.winner)
        for copies in zip(*(hunt.stages for hunt in hunts), strict=True)
        for stage in copies
        if stage.owner == 0
    ]


def still(rows: NDArray[np.void]) -> NDArray[np.void]:
    """A hunt's rows without decay, which goes round by numbers of edges, and opening alike."""
    rows = rows.copy()
    rows["delay"][rows["kind"] == Kind.HUNT_TRAFFIC] = 0
    rows["opens"][0] = 20
    return rows


def differences(one: Land, twelve: Land) -> list[str]:
    """What of the whole world the parts, put together, do not agree with."""
    found = []
    for what in (edges, players, stages):
        if what(one) != what(twelve):
            found.append(what.__name__)
    return found


def walk(rng: Random) -> tuple[Land, Land, Stroll]:
    """The same deeds on a world as a whole and on its parts; parcels arrive before the next."""
    world = generate(edges=4000, seed=rng.randrange(1000))
    hunt = generate_hunt(world, seed=rng.randrange(1000), clues=6, treasures=6, teams=1)
    parts = split(world, PARTS)
    one, twelve = (Land(each, judged=False) for each in (Undivided(world), parts))
    whole = hunt.compile(world, 0)
    assert one.publish([still(whole)]) == []
    assert twelve.publish([still(rows) for rows in hunt.compile_parts(parts, 0)]) == []
    stroll = Stroll(rng, world, whole["from"][whole["kind"] == Kind.HUNT_STAGE].tolist(), 12)
    for land in (one, twelve):
        land.tick(21)
    for number in range(STEPS):
        deed = stroll.next()
        answer = one.do(deed)
        stroll.learn(deed, answer.code)
        assert twelve.do(deed).code == answer.code, deed
        twelve.carry()
        if number % 40 == 0:
            for land in (one, twelve):
                land.tick()
    return one, twelve, stroll


@pytest.mark.parametrize("seed", range(3))
def test_twelve_parts_are_the_world_they_were_cut_from(seed: int) -> None:
    one, twelve, _ = walk(Random(seed))
    assert differences(one, twelve) == []
    crossings = sum(pair.model.border.peers[p].sent for pair in twelve.pairs for p in range(PARTS))
    won = sum(wins for wins, _, _ in stages(one))
    heated = {weight for weight, _ in edges(one).values()}
    assert (crossings > 200, won > 12, len(heated) > 20) == (True, True, True)
    for pair in (*one.pairs, *twelve.pairs):
        pair.compare_state()


def test_what_happens_in_the_parts_alone_is_found_out() -> None:
    one, twelve, stroll = walk(Random(0))
    ((tail, head), (weight, _)) = next(iter(edges(twelve).items()))
    partition = int(twelve.parts.locate(tail)[0])
    ends = twelve.parts.local_ids(partition, [tail, head]).tolist()
    price = record_of(Kind.EDGE_PRICE, tail=ends[0], head=ends[1], arg=weight + 1)
    twelve.pairs[partition].apply([price])
    assert differences(one, twelve) == ["edges"]
    while (deed := stroll.next()).kind != Kind.GO or twelve.do(deed).code != Code.OK:
        pass
    assert differences(one, twelve) == ["edges", "players"]
