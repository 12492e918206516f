"""Sections 4 and 6 of the rules: heat, its decay, traffic rules."""

from __future__ import annotations

from huntgraph.schema import COST_MAX, Kind, State
from tests.model.scene import Scene, kinds, traffic


def test_heat_rises_with_moves_and_weighs_in_buckets() -> None:
    scene = Scene()
    scene.open(traffic(3, 2, 1, 0, 10))
    scene.enter(1)
    assert kinds(scene.go(1, 1)) == ["WENT"]
    assert (scene.heat(0, 1), scene.weight(0, 1)) == (3, 5)
    scene.go(1, 0)
    second = scene.go(1, 1)
    assert (scene.heat(0, 1), scene.weight(0, 1), kinds(second)) == (6, 15, ["WENT", "DELTA"])
    went, delta = second.events
    assert (went.tail, went.head, went.edge, went.player) == (0, 1, scene.edge(0, 1), 1)
    assert (delta.value, delta.flags, delta.player) == (15, 0, 0)
    assert scene.weight(1, 0) == 5


def test_heat_stops_at_its_greatest() -> None:
    scene = Scene()
    scene.open(traffic(200, 0, 1, 0, 1))
    scene.enter(1)
    scene.walk(1, 1, 0, 1, 0)
    assert (scene.heat(0, 1), scene.weight(0, 1)) == (254, 259)
    assert kinds(scene.go(1, 1)) == ["WENT"]


def test_heat_decays_by_a_share_and_at_least_one() -> None:
    scene = Scene()
    scene.open(traffic(9, 0, 2, 1, 1))
    scene.enter(1)
    scene.go(1, 1)
    scene.send(Kind.EDGE_CLOSE, tail=0, head=1)
    seen = []
    for _ in range(7):
        scene.tick()
        seen.append(scene.heat(0, 1))
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    last = scene.tick()
    assert (scene.heat(0, 1), scene.weight(0, 1), kinds(last)) == (0, 5, ["DELTA", "TICKED"])
    assert last.events[0].flags == 1


def test_a_decay_round_takes_its_period_over_all_slots() -> None:
    scene = Scene(model_only=True)
    scene.open(traffic(8, 0, 7, 4, 1))
    edges = len(scene.model.head)
    assert edges == 10
    scene.model.heat[:] = 100
    decayed = []
    for _ in range(4):
        before = scene.model.heat.copy()
        scene.tick()
        decayed.append((before != scene.model.heat).nonzero()[0].tolist())
    # Ticks 2, 3, 4, 5: k = 2, 3, 0, 1 of floor(k * 10 / 4).
    assert decayed == [[5, 6], [7, 8, 9], [0, 1], [2, 3, 4]]


def test_a_new_traffic_rule_reweighs_every_edge() -> None:
    scene = Scene()
    scene.open(traffic(8, 1, 1, 0, 3))
    scene.enter(1)
    scene.walk(1, 1, 2)
    assert scene.weight(1, 2) == 7 + 4 * 3
    scene.load(traffic(1, 2, 1, 0, 10), hunt=1)
    opened = scene.tick()
    assert kinds(opened) == ["HUNT", "DELTA", "DELTA", "TICKED"]
    assert [event.value for event in opened.events[1:3]] == [5 + 20, 7 + 20]
    scene.open(hunt=2)
    assert scene.model.traffic.cost == 10


def test_a_traffic_rule_too_dear_at_its_opening_is_left_aside() -> None:
    scene = Scene()
    scene.load(traffic(8, 0, 1, 0, 200), opens=1)
    scene.send(Kind.EDGE_PRICE, tail=0, head=1, arg=COST_MAX)
    scene.tick(2)
    assert scene.hunt().state == State.OPEN
    assert scene.model.traffic.cost == 0
