"""Sections 7 to 9 of the rules: receipts, state hash, guidance; against code of others."""

from __future__ import annotations

import hashlib
import struct
from random import Random

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from huntgraph.model.hashing import mix
from huntgraph.schema import NONE, RECEIPT, UNREACHABLE, Kind, Rule
from tests.model.scene import (
    Scene,
    as_array,
    clue,
    gate,
    gate_edge,
    hint_row,
    mixed,
    need,
    traffic,
    treasure,
)
from tests.model.strategies import next_records
from tests.model.worlds import grid_world


def test_receipts_are_a_chain() -> None:
    scene = Scene()
    scene.open(treasure(0, 0, Rule.PLAYER), treasure(1, 0), hunt=2)
    chain = bytes(32)
    for serial, player in enumerate((3, 2**64 - 1, 3), start=1):
        scene.enter(player, 0, hunt=2)
        scene.tick()
        won = scene.claim(player)
        place = player, won.position, serial
        proof = struct.pack("<BBHIQQQ", 66, won.found, 2, scene.model.tick, *place)
        chain = hashlib.sha256(chain + proof).digest()
        assert won.receipt == proof + chain
        row = np.frombuffer(proof + chain, RECEIPT)[0]
        assert (row["kind"], row["serial"], row["player"]) == (Kind.RECEIPT, serial, player)
    assert (scene.model.chain, scene.model.serial) == (chain, 3)


def test_mix_is_a_128_bit_product() -> None:
    rng = Random(8)
    ends = [0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03]
    pairs = [(a, b) for a in ends for b in ends]
    pairs += [(rng.getrandbits(64), rng.getrandbits(64)) for _ in range(2000)]
    got = mix(as_array(*(a for a, _ in pairs)), as_array(*(b for _, b in pairs)))
    assert got.tolist() == [mixed(a, b) for a, b in pairs]


def test_the_hash_of_an_empty_partition_by_hand() -> None:
    model = Scene().model
    cells = [(1, e, int(cost) | (cost == 0) << 24) for e, cost in enumerate(model.cost.tolist())]
    cells += [(3, h * 16 + w, 0) for h in range(8) for w in range(9)]
    cells += [(7, w, 0) for w in range(9)] + [(7, 9, 5 | 20 << 32)]
    assert model.state_hash() == sum(mixed(t << 56 | i, word) for t, i, word in cells) % 2**64


def test_the_hash_of_a_full_slot_by_hand() -> None:
    scene = Scene()
    empty = scene.model.state_hash()
    rows = [clue(0, 1, opens=2, closes=9, stock=3, points=4), need(0, 3), hint_row(0, 6, 7)]
    rows += [gate(0, True, 0, opens=5, closes=8), gate_edge(0, 3, 4), traffic(2, 3, 4, 5, 6)]
    scene.load(*rows, hunt=1, hunt_id=99, teams=2, opens=11, closes=12)
    edge = scene.edge(3, 4)
    words = [99, 2 | 1 << 8 | 1 << 16 | 2 << 24 | 1 << 32, 12 << 32, 11 | 6 << 32, 0, 0, 1]
    words += [1 | 2 << 8 | 3 << 16 | 4 << 24 | 5 << 32, 6]
    cells = [(3, 16 + w, word) for w, word in enumerate(words)]
    words = [1 | 3 << 8 | 1 << 16 | 1 << 24 | 1 << 32, 2 | 9 << 32, 3 | 4 << 32]
    words += [0b1000, 0, 0, 0, 6 | 7 << 32, 0, 0, 0, 0, 0, 0, 0]
    cells += [(4, 64 * 16 + w, word) for w, word in enumerate(words)]
    cells += [(5, 32 * 4 + w, word) for w, word in enumerate([1 | 1 << 16, 5 | 8 << 32, 1])]
    cells += [(6, 512, edge), (7, 1, 8)]
    gone = [(3, 16 + w, 0) for w in range(9)] + [(7, 1, 0)]
    change = sum(mixed(t << 56 | i, word) for t, i, word in cells)
    change -= sum(mixed(t << 56 | i, word) for t, i, word in gone)
    assert (scene.model.state_hash() - empty) % 2**64 == change % 2**64


def test_the_hash_of_a_player_by_hand() -> None:
    scene = Scene()
    scene.open(clue(0, 0, points=2**32 - 3), treasure(1, 3), hint_row(1, 0, 0), teams=3)
    scene.tick(4)
    scene.enter(1)
    before = scene.model.state_hash()
    scene.enter(2**63 + 1, 0, hunt=0, team=2)
    scene.do(2**63 + 1, Kind.HINT)
    scene.go(2**63 + 1, 2)
    position = scene.model.position
    words = [2**63 + 1, 1, 3, (2**32 - 3) | 4 << 32, 2 | 1 << 16 | 1 << 24 | 1 << 32 | 14 << 40]
    cells = [(2, 8 + w, word) for w, word in enumerate([*words, position, 1])]
    cells += [(7, 1, position), (4, 11, 1), (4, 12, 4), (4, 13, 2**63 + 1), (4, 14, position - 2)]
    gone = [(7, 1, position - 3), (4, 11, 0), (4, 12, 0), (4, 13, 0), (4, 14, 0)]
    change = sum(mixed(t << 56 | i, word) for t, i, word in cells)
    change -= sum(mixed(t << 56 | i, word) for t, i, word in gone)
    assert (scene.model.state_hash() - before) % 2**64 == change % 2**64


@pytest.mark.parametrize("seed", range(5))
def test_distances_are_scipys(seed: int) -> None:
    rng = Random(seed)
    scene = Scene(grid_world(rng, 9, 7, greatest=4), model_only=True)
    for _ in range(200):
        for record in next_records(rng, scene.model):
            scene.model.apply(record)
    model, routing = scene.model, scene.model.routing()
    walkable = routing != 65535
    rows = model.tail[walkable].astype(np.int64), model.head[walkable].astype(np.int64)
    graph = csr_array((routing[walkable].astype(float), rows), shape=(model.nodes,) * 2)
    for target in rng.sample(range(model.nodes), 9):
        expected = dijkstra(graph.T, indices=target)
        expected = np.where(np.isinf(expected), UNREACHABLE, expected).astype(np.int64)
        assert model.distances(target).tolist() == expected.tolist()


def test_guidance_takes_the_lowest_slot_and_only_open_edges() -> None:
    scene = Scene()
    scene.open(treasure(0, 3))
    scene.send(Kind.EDGE_PRICE, tail=0, head=3, arg=17)
    scene.enter(1, 0, hunt=0)
    assert scene.model.guidance(scene.player(1)) == (1, 17)
    before = scene.model.routing()
    scene.send(Kind.EDGE_CLOSE, tail=1, head=2)
    assert scene.model.guidance(scene.player(1)) == (3, 17)
    assert scene.model.guidance(scene.player(1), before) == (1, 17)
    scene.enter(1, 4, hunt=0)
    assert scene.model.guidance(scene.player(1)) == (NONE, UNREACHABLE)
    scene.enter(1, 3, hunt=0)
    assert scene.model.guidance(scene.player(1)) == (NONE, 0)
    scene.leave(1)
    assert scene.model.guidance(scene.player(1)) is None
