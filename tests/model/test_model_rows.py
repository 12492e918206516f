"""Section 6 of the rules: loading a hunt row by row."""

from __future__ import annotations

import pytest

from huntgraph.schema import GATE_EDGES, Code, Kind, State
from tests.model.scene import (
    Scene,
    clue,
    gate,
    gate_edge,
    hint_row,
    need,
    stage,
    traffic,
)


def test_a_slot_in_use_cannot_begin() -> None:
    scene = Scene()
    assert scene.row(Kind.HUNT_BEGIN, teams=65).code == Code.BAD_RULE
    assert scene.row(Kind.HUNT_BEGIN, hunt=8).code == Code.UNKNOWN_HUNT
    assert scene.row(Kind.HUNT_BEGIN, teams=64).code == Code.OK
    scene.row(**clue(0, 0))
    assert scene.row(Kind.HUNT_BEGIN).code == Code.OK
    assert (scene.hunt().stages, scene.hunt().rows, scene.hunt().teams) == ([], 0, 0)
    scene.row(Kind.HUNT_PUBLISH)
    assert scene.row(Kind.HUNT_BEGIN).code == Code.HUNT_IN_USE
    for order in (None, Kind.HUNT_PAUSE):
        if order:
            scene.row(order)
        scene.tick()
        assert scene.row(Kind.HUNT_BEGIN, teams=65).code == Code.HUNT_IN_USE


@pytest.mark.parametrize("kind", range(Kind.HUNT_STAGE, Kind.HUNT_PUBLISH + 1))
def test_rows_need_a_loading_slot(kind: int) -> None:
    scene = Scene()
    assert scene.row(kind, hunt=8).code == Code.UNKNOWN_HUNT
    before = scene.state()
    assert scene.row(kind).code == Code.NOT_LOADING
    scene.load(hunt=1)
    assert scene.row(kind, hunt=1).code == Code.NOT_LOADING
    assert scene.model.position == before[0] + 2


BAD_ROWS = {
    "stage number": (clue(1, 0), Code.BAD_RULE),
    "form 0": (stage(0, 0, form=0), Code.BAD_RULE),
    "form 3": (stage(0, 0, form=3), Code.BAD_RULE),
    "rule 0": (clue(0, 0, rule=0), Code.BAD_RULE),
    "rule 4": (clue(0, 0, rule=4), Code.BAD_RULE),
    "node": (clue(0, 6), Code.UNKNOWN_NODE),
    "window": (clue(0, 0, opens=5, closes=5), Code.BAD_RULE),
    "node before window": (clue(0, 6, opens=5, closes=5), Code.UNKNOWN_NODE),
    "need of no stage": (need(0, 1), Code.BAD_RULE),
    "hint of no stage": (hint_row(0, 0, 0), Code.BAD_RULE),
    "gate number": (gate(1), Code.BAD_RULE),
    "edge of no gate": (gate_edge(0, 0, 1), Code.BAD_RULE),
    "edge of gate -1": (gate_edge(255, 0, 1), Code.BAD_RULE),
    "rise": (traffic(255, 0, 1, 0, 0), Code.BAD_RULE),
    "shift": (traffic(1, 8, 1, 0, 0), Code.BAD_RULE),
    "decay shift 0": (traffic(1, 0, 0, 0, 0), Code.BAD_RULE),
    "decay shift 8": (traffic(1, 0, 8, 0, 0), Code.BAD_RULE),
    "period": (traffic(1, 0, 1, 65_536, 0), Code.BAD_RULE),
    "cost": (traffic(1, 0, 1, 0, 258), Code.BAD_RULE),
    "cost that would wrap": (traffic(1, 0, 1, 0, 2**31 + 1), Code.BAD_RULE),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_rows_are_refused_and_change_nothing(name: str) -> None:
    row, code = BAD_ROWS[name]
    scene = Scene()
    scene.row(Kind.HUNT_BEGIN)
    before = scene.state()
    assert scene.row(**row).code == code
    assert scene.state() == before


def test_more_than_fits_is_refused() -> None:
    scene = Scene()
    scene.row(Kind.HUNT_BEGIN)
    assert [scene.row(**clue(n, 0)).code for n in range(64)] == [Code.OK] * 64
    assert scene.row(**clue(64, 0)).code == Code.BAD_RULE
    assert [scene.row(**need(63, 1)).code for _ in range(5)] == [0, 0, 0, 0, Code.BAD_RULE]
    assert scene.row(**need(0)).code == Code.BAD_RULE
    hints = [scene.row(**hint_row(5, 1, 1)).code for _ in range(5)]
    assert hints == [0, 0, 0, 0, Code.BAD_RULE]
    assert [scene.row(**gate(n)).code for n in range(32)] == [Code.OK] * 32
    assert scene.row(**gate(32)).code == Code.BAD_RULE
    edges = [scene.row(**gate_edge(31, 0, 1)).code for _ in range(GATE_EDGES + 1)]
    assert edges == [Code.OK] * GATE_EDGES + [Code.BAD_RULE]
    assert scene.hunt().rows == 64 + 4 + 4 + 32 + GATE_EDGES
    assert scene.row(Kind.HUNT_PUBLISH, count=scene.hunt().rows).code == Code.OK


def test_gate_edges_belong_to_the_newest_gate_and_must_be_real() -> None:
    scene = Scene()
    scene.row(Kind.HUNT_BEGIN)
    scene.row(**gate(0))
    assert scene.row(**gate_edge(0, 0, 1)).code == Code.OK
    scene.row(**gate(1, True))
    assert scene.row(**gate_edge(0, 0, 1)).code == Code.BAD_RULE
    assert scene.row(**gate_edge(1, 0, 6)).code == Code.UNKNOWN_NODE
    assert scene.row(**gate_edge(1, 0, 2)).code == Code.NO_EDGE
    assert scene.row(**gate_edge(1, 4, 3)).code == Code.NO_EDGE
    assert scene.row(**gate_edge(1, 3, 4)).code == Code.OK
    first, second = scene.hunt().gates
    assert (first.first, first.count, second.first, second.count) == (0, 1, 1, 1)


def test_publishing_counts_the_rows() -> None:
    scene = Scene()
    scene.row(Kind.HUNT_BEGIN)
    scene.row(**clue(0, 0))
    scene.row(**clue(5, 0))
    scene.row(**hint_row(0, 0, 0))
    for count in (1, 3, 0):
        assert scene.row(Kind.HUNT_PUBLISH, count=count).code == Code.BAD_RULE
    assert scene.row(Kind.HUNT_PUBLISH, count=2).code == Code.OK
    assert (scene.hunt().rows, scene.hunt().state) == (2, State.READY)
