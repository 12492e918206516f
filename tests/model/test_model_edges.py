"""Sections 1, 2 and 8 of the rules: edges removed from and added to a running partition."""

from __future__ import annotations

import pytest

from huntgraph.schema import COST_MAX, DEGREE, NONE, WEIGHT_MAX, Code, Event, Kind
from tests.model.scene import (
    SMALL,
    Scene,
    gate,
    gate_edge,
    kinds,
    mixed,
    traffic,
    treasure,
)
from tests.model.worlds import world_of

SLOTS = len(SMALL.head)


def add(scene: Scene, tail: int, head: int, cost: int = 4) -> Code:
    """Adds an edge; gives the code."""
    return Code(scene.send(Kind.EDGE_ADD, tail=tail, head=head, arg=cost).code)


def remove(scene: Scene, tail: int, head: int) -> Code:
    """Removes an edge; gives the code."""
    return Code(scene.send(Kind.EDGE_REMOVE, tail=tail, head=head).code)


def test_a_removed_edge_is_none_and_a_delta_says_so() -> None:
    scene = Scene()
    edge = scene.edge(0, 1)
    gone = scene.send(Kind.EDGE_REMOVE, tail=0, head=1, echo=3)
    assert (gone.code, gone.position, gone.echo, kinds(gone)) == (Code.OK, 1, 3, ["DELTA"])
    delta = gone.events[0]
    assert (delta.edge, delta.tail, delta.head, delta.value, delta.flags) == (edge, 0, 1, 0, 1)
    for kind in (Kind.EDGE_CLOSE, Kind.EDGE_OPEN, Kind.EDGE_PRICE, Kind.EDGE_REMOVE):
        refused = scene.send(kind, tail=0, head=1, arg=5)
        assert (refused.code, refused.position) == (Code.NO_EDGE, 0)
    scene.enter(1)
    assert scene.go(1, 1).code == Code.NO_EDGE
    assert not scene.closed(1, 0), "the way back is another edge"


def test_remove_checks_like_every_edge_record() -> None:
    scene = Scene()
    before = scene.state()
    assert remove(scene, 6, 0) == remove(scene, 0, NONE) == Code.UNKNOWN_NODE
    assert remove(scene, 0, 2) == remove(scene, 0, 0) == remove(scene, 4, 3) == Code.NO_EDGE
    assert scene.state() == before


def test_add_checks_in_order() -> None:
    scene = Scene(added_edges=0)
    before = scene.state()
    assert add(scene, 6, 6, 0) == add(scene, 0, NONE, 0) == Code.UNKNOWN_NODE
    assert add(scene, 0, 0, 0) == Code.BAD_EDGE
    assert add(scene, 0, 1, 0) == add(scene, 0, 5, COST_MAX + 1) == Code.BAD_COST
    assert add(scene, 0, 1) == Code.EDGE_EXISTS
    assert add(scene, 0, 5) == Code.EDGES_FULL
    assert scene.state() == before
    scene.send(Kind.EDGE_CLOSE, tail=0, head=1)
    assert add(scene, 0, 1) == Code.EDGE_EXISTS, "a closed edge is there"


def test_a_cost_leaves_room_for_the_greatest_heat() -> None:
    scene = Scene()
    scene.open(traffic(1, 0, 1, 0, 200))
    room = WEIGHT_MAX - 254 * 200
    assert add(scene, 0, 5, room + 1) == Code.BAD_COST
    assert add(scene, 0, 5, room) == Code.OK
    assert scene.model.cost_max == room


def test_an_absent_slot_becomes_real_and_takes_no_room() -> None:
    scene = Scene(added_edges=0)
    edge = scene.model.find_slot(4, 3)
    there = scene.send(Kind.EDGE_ADD, tail=4, head=3, arg=2)
    delta = there.events[0]
    assert (there.code, there.position, kinds(there)) == (Code.OK, 1, ["DELTA"])
    assert (delta.edge, delta.tail, delta.head, delta.value, delta.flags) == (edge, 4, 3, 2, 0)
    assert (len(scene.model.head), scene.model.cost_min) == (SLOTS, 2)
    scene.enter(1, 4)
    assert scene.go(1, 3).code == Code.OK


def test_a_new_edge_takes_the_next_two_ids_and_has_no_way_back() -> None:
    scene = Scene()
    there = scene.send(Kind.EDGE_ADD, tail=2, head=5, arg=COST_MAX)
    assert (there.code, kinds(there)) == (Code.OK, ["DELTA"])
    assert (there.events[0].edge, there.events[0].value) == (SLOTS, COST_MAX)
    assert (scene.edge(2, 5), scene.model.find_slot(5, 2)) == (SLOTS, SLOTS + 1)
    assert (scene.model.cost_min, scene.model.cost_max) == (5, COST_MAX)
    assert add(scene, 2, 5) == Code.EDGE_EXISTS
    assert remove(scene, 5, 2) == Code.NO_EDGE
    scene.enter(1, 2)
    assert [answer.code for answer in scene.walk(1, 5, 2)] == [Code.OK, Code.NO_EDGE]
    back = scene.send(Kind.EDGE_ADD, tail=5, head=2, arg=1)
    assert (back.events[0].edge, len(scene.model.head)) == (SLOTS + 1, SLOTS + 2)
    assert scene.go(1, 2).code == Code.OK
    assert add(scene, 4, 5) == Code.OK
    assert (scene.edge(4, 5), scene.model.find_slot(5, 4)) == (SLOTS + 2, SLOTS + 3)


def test_the_partition_has_room_for_so_many_and_removing_frees_none() -> None:
    scene = Scene(added_edges=2)
    assert [add(scene, 5, node) for node in (0, 1, 2)] == [Code.OK, Code.OK, Code.EDGES_FULL]
    before = scene.state()
    assert add(scene, 5, 3) == Code.EDGES_FULL
    assert scene.state() == before
    assert remove(scene, 5, 0) == Code.OK
    assert add(scene, 5, 3) == Code.EDGES_FULL
    assert add(scene, 0, 5) == add(scene, 5, 0) == Code.OK, "its two slots are still there"


@pytest.mark.parametrize("full_at_tail", [True, False])
def test_a_row_holds_so_many_slots_absent_ones_too(full_at_tail: bool) -> None:
    hub = 0
    spokes = range(1, DEGREE)
    scene = Scene(world_of(DEGREE + 2, [(node, hub, 3) for node in spokes]))

    def join(node: int) -> Code:
        ends = (hub, node) if full_at_tail else (node, hub)
        return add(scene, *ends)

    assert len(scene.model.row(hub)) == DEGREE - 1
    assert [join(DEGREE), join(DEGREE + 1)] == [Code.OK, Code.EDGES_FULL]
    assert remove(scene, 1, hub) == Code.OK
    assert join(DEGREE + 1) == Code.EDGES_FULL
    assert add(scene, hub, 1) == Code.OK, "an absent slot needs no room"
    assert add(scene, DEGREE, DEGREE + 1) == Code.OK


def test_a_world_without_edges_gets_its_first() -> None:
    scene = Scene(world_of(3, []))
    assert add(scene, 0, 2, 9) == Code.OK
    assert (scene.model.cost_min, scene.model.cost_max) == (9, 9)
    assert add(scene, 2, 0, 11) == Code.OK
    assert (scene.model.cost_min, scene.model.cost_max) == (9, 11)
    scene.open(treasure(0, 2))
    scene.enter(1, hunt=0)
    assert scene.model.guidance(scene.player(1)) == (2, 9)


def test_an_edge_added_again_is_cold_and_open() -> None:
    scene = Scene()
    scene.open(traffic(8, 0, 1, 0, 2))
    scene.enter(1)
    scene.go(1, 1)
    scene.send(Kind.EDGE_CLOSE, tail=0, head=1)
    assert (scene.heat(0, 1), scene.weight(0, 1)) == (8, 5 + 16)
    edge = scene.edge(0, 1)
    assert remove(scene, 0, 1) == Code.OK
    assert (scene.model.heat[edge], scene.model.weight(edge), scene.model.closed[edge]) == (0, 0, 1)
    assert add(scene, 0, 1, 7) == Code.OK
    assert scene.edge(0, 1) == edge
    assert (scene.heat(0, 1), scene.weight(0, 1), scene.closed(0, 1)) == (0, 7, False)


def test_added_edges_are_heated_and_decay_with_all_slots() -> None:
    scene = Scene()
    scene.open(traffic(8, 0, 7, 4, 1))
    scene.enter(1, 2)
    add(scene, 2, 5, 3)
    assert kinds(scene.go(1, 5)) == ["WENT", "DELTA"]
    assert scene.weight(2, 5) == 3 + 8
    edges = len(scene.model.head)
    assert (edges, scene.edge(2, 5)) == (12, 10)
    # Of 12 slots in 4 ticks the last share is 9 to 11, at ticks k = 3 modulo 4.
    cooled = [kinds(scene.tick()) for _ in range(2)]
    assert cooled == [["TICKED"], ["DELTA", "TICKED"]]
    assert (scene.model.tick, scene.heat(2, 5)) == (3, 7)


def test_a_gate_leaves_a_removed_edge_alone_and_has_it_again_when_added() -> None:
    scene = Scene()
    scene.open(gate(0, True, opens=2, closes=4), gate_edge(0, 0, 1), gate_edge(0, 2, 3))
    assert scene.closed(0, 1)
    assert remove(scene, 0, 1) == Code.OK
    scene.tick()
    assert kinds(scene.tick()) == ["GATE", "DELTA", "TICKED"]
    assert scene.model.find_slot(0, 1) is not None
    assert add(scene, 0, 1) == Code.OK
    scene.tick()
    assert kinds(scene.tick()) == ["GATE", "DELTA", "DELTA", "TICKED"]
    assert scene.closed(0, 1)
    assert remove(scene, 0, 1) == add(scene, 0, 1) == Code.OK
    assert (scene.hunt().gates[0].shut, scene.closed(0, 1)) == (True, False)


def test_a_gate_may_hold_an_added_edge() -> None:
    scene = Scene()
    add(scene, 2, 5)
    scene.open(gate(0, True), gate_edge(0, 2, 5))
    assert scene.hunt().edges == [SLOTS]
    assert scene.closed(2, 5)
    assert scene.row(Kind.HUNT_BEGIN, hunt=1).code == Code.OK
    assert scene.row(hunt=1, **gate(0)).code == Code.OK
    assert scene.row(hunt=1, **gate_edge(0, 5, 2)).code == Code.NO_EDGE


def test_guidance_prefers_the_worlds_slots_and_then_the_older() -> None:
    scene = Scene()
    scene.open(treasure(0, 3))
    scene.enter(1, 0, hunt=0)
    before = scene.model.routing()
    assert scene.model.guidance(scene.player(1)) == (1, 17)
    for node in (5, 4, 2):
        add(scene, 0, node, 10)
    for node in (5, 4):
        add(scene, node, 3, 7)
    scene.send(Kind.EDGE_PRICE, tail=2, head=3, arg=7)
    # By 1 it is 19 now, by each of 5, 4 and 2 it is 17: 5 was added first.
    assert scene.model.guidance(scene.player(1)) == (5, 17)
    scene.send(Kind.EDGE_PRICE, tail=0, head=3, arg=17)
    assert scene.model.guidance(scene.player(1)) == (3, 17)
    assert scene.model.guidance(scene.player(1), before) == (1, 17)
    remove(scene, 0, 3)
    remove(scene, 0, 5)
    assert scene.model.guidance(scene.player(1)) == (4, 17)


def test_the_hash_of_added_slots_by_hand() -> None:
    scene = Scene()
    empty = scene.model.state_hash()
    add(scene, 2, 5, 300)
    cells = [(1, SLOTS, 300), (1, SLOTS + 1, 1 << 24), (7, 1, 1), (7, 9, 5 | 300 << 32)]
    cells += [(10, SLOTS, 2 | 5 << 32), (10, SLOTS + 1, 5 | 2 << 32)]
    gone = [(7, 1, 0), (7, 9, 5 | 20 << 32)]
    change = sum(mixed(t << 56 | i, word) for t, i, word in cells)
    change -= sum(mixed(t << 56 | i, word) for t, i, word in gone)
    assert (scene.model.state_hash() - empty) % 2**64 == change % 2**64


def test_where_an_added_edge_leads_is_hashed() -> None:
    """Same ids, weights, heat and closings: only the cells of tag 8 tell the two apart."""
    one, other = Scene(), Scene()
    add(one, 2, 5)
    add(other, 5, 2)
    assert one.model.weights().tolist() == other.model.weights().tolist()
    assert one.model.closed.tolist() == other.model.closed.tolist()
    assert one.model.state_hash() != other.model.state_hash()


def test_what_was_added_and_removed_survives_a_restart() -> None:
    scene = Scene()
    add(scene, 2, 5)
    add(scene, 5, 4)
    remove(scene, 2, 5)
    if scene.pair is not None:
        scene.pair.restart()
    assert add(scene, 2, 5) == Code.OK
    assert (scene.edge(2, 5), scene.edge(5, 4)) == (SLOTS, SLOTS + 2)
    assert add(scene, 0, 4) == Code.OK
    assert scene.edge(0, 4) == SLOTS + 4


def test_an_edge_is_added_between_two_ticks_and_only_later_epochs_have_it() -> None:
    scene = Scene()
    scene.open(treasure(0, 5))
    scene.enter(1, 0, hunt=0)
    assert scene.model.guidance(scene.player(1)) == (NONE, 2**32 - 1)
    before = scene.model.routing()
    added = scene.send(Kind.EDGE_ADD, tail=3, head=5, arg=1)
    assert [Event(event.kind) for event in added.events] == [Event.DELTA]
    assert scene.model.guidance(scene.player(1)) == (1, 18)
    assert scene.model.guidance(scene.player(1), before) == (NONE, 2**32 - 1)
