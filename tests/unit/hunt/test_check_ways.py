"""Findings about a hunt on a world: places, gates, what can be reached; each at its line."""

from __future__ import annotations

import pytest

from huntgraph.world import World
from tests.unit.hunt.grounds import ONE, both, found, line, stages

ROW = line(both((0, 1), (1, 2), (2, 3), (3, 4)), 6)
"""0 - 1 - 2 - 3 - 4, and 5 with no edge."""
DROP = line([*both((0, 1), (1, 2), (3, 4)), (2, 3)], 5)
"""From 2 a way leads to 3 and 4, but none comes back."""
GATES = "\ngates:\n  - gate: g\n    edges: [[%d, %d]]\n    "

ON_WORLD = [
    pytest.param(ROW, stages("{treasure: z, at: 6, text: x}"), [("error", "HG1250", 3)], id="id"),
    pytest.param(
        ROW,
        stages("{treasure: z, at: {x: 2, y: 1}, text: x}"),
        [("error", "HG1250", 3)],
        id="position",
    ),
    pytest.param(
        ROW,
        stages("{treasure: z, at: {name: 2}, text: x}"),
        [("error", "HG1250", 3)],
        id="name",
    ),
    pytest.param(
        ROW, stages(ONE, head="start: [0, 9]"), [("error", "HG1250", 2)], id="a start nowhere"
    ),
    pytest.param(
        ROW,
        stages(ONE) + GATES % (0, 2) + "closes_at: 5m",
        [("error", "HG1251", 6)],
        id="a gate across no edge",
    ),
    pytest.param(
        DROP,
        stages(ONE, head="start: 0")
        + "\ngates:\n  - gate: g\n    closes_at: 5m\n    both_ways:"
        + "\n      - [1, 2]\n      - [2, 3]",
        [("error", "HG1251", 10)],
        id="both ways of a one-way edge",
    ),
    pytest.param(
        ROW,
        stages(ONE, head="traffic:\n  rise: 1\n  bucket_cost: 258"),
        [("error", "HG1252", 4)],
        id="heat too dear for a cost of 10",
    ),
    pytest.param(
        ROW,
        stages(ONE)
        + GATES % (3, 4)
        + "closes_at: 5m\n  - {gate: h, edges: [[3, 4]], closes_at: 1m}",
        [("warning", "HG1253", 8)],
        id="one edge of two gates",
    ),
    pytest.param(
        ROW,
        stages("{clue: a, at: 5, text: x}", ONE),
        [("error", "HG1260", 3)],
        id="a clue on an island",
    ),
    pytest.param(
        ROW,
        stages("{clue: a, at: 5, text: x}", "{treasure: z, at: 0, needs: a, text: x}"),
        [("error", "HG1260", 3), ("error", "HG1216", 4)],
        id="a treasure that needs a clue on an island",
    ),
    pytest.param(
        ROW,
        stages("{treasure: z, at: 0, text: x}", head="start: 5"),
        [("error", "HG1261", 4)],
        id="a treasure far from the start",
    ),
    pytest.param(
        ROW,
        stages("{treasure: z, at: 4, text: x}", head="start: 0")
        + GATES % (2, 3)
        + "shut_at_start: true",
        [("error", "HG1261", 4)],
        id="behind a gate that never opens",
    ),
    pytest.param(
        ROW,
        stages("{treasure: z, at: 4, text: x}") + GATES % (3, 4) + "shut_at_start: true",
        [("error", "HG1261", 3)],
        id="behind a gate that never opens, from anywhere",
    ),
    pytest.param(
        ROW,
        stages("{clue: a, at: 4, text: x}", ONE, head="start: 0")
        + GATES % (2, 3)
        + "shut_at_start: true\n    flips_when: [a]",
        [("error", "HG1260", 4)],
        id="behind a gate that what is behind it opens",
    ),
    pytest.param(
        ROW,
        stages("{treasure: z, at: 4, window: {to: 5m}, text: x}", head="start: 0")
        + GATES % (2, 3)
        + "shut_at_start: true\n    opens_at: 5m",
        [("error", "HG1232", 4)],
        id="over when its gate opens",
    ),
    pytest.param(
        DROP,
        stages("{clue: a, at: 3, text: x}", "{treasure: z, at: 1, text: x}", head="start: 0"),
        [("warning", "HG1262", 4)],
        id="a one-way trap",
    ),
    pytest.param(
        ROW,
        stages("{clue: a, at: 1, text: x}", "{treasure: z, at: 4, text: x}", head="start: 0")
        + GATES % (2, 3)
        + "flips_when: [a]",
        [("warning", "HG1263", 7)],
        id="cut off by a gate",
    ),
]


@pytest.mark.parametrize(("world", "text", "expected"), ON_WORLD)
def test_a_check_on_a_world_finds_exactly_this(
    world: World, text: str, expected: list[tuple[str, str, int]]
) -> None:
    assert found(text, world) == expected


FINE = [
    pytest.param(
        stages(
            "{clue: a, at: 0, needs: {any: [b, c]}, text: x}",
            "{clue: b, at: 0, needs: a, text: x}",
            "{clue: c, at: 0, text: x}",
            ONE,
        ),
        ROW,
        id="a circle with a way around it",
    ),
    pytest.param(
        stages("{clue: a, at: 1, text: x}", "{treasure: z, at: 4, text: x}", head="start: 0")
        + GATES % (2, 3)
        + "shut_at_start: true\n    flips_when: [a]",
        ROW,
        id="a gate that opens",
    ),
    pytest.param(
        stages("{clue: a, at: 1, text: x}", "{treasure: z, at: 4, text: x}", head="start: 0")
        + GATES % (1, 2)
        + "shut_at_start: true\n    flips_when: [a]\n  - gate: h\n    edges: [[2, 3]]\n"
        + "    shut_at_start: true\n    opens_at: 10m",
        ROW,
        id="two gates in a row",
    ),
    pytest.param(
        stages("{clue: a, at: 1, text: x}", "{treasure: z, at: 3, needs: a, text: x}"),
        DROP,
        id="a drop at the end of the way",
    ),
    pytest.param(
        stages(
            "treasure: z\n    at: 0\n    text: {de: x, en: y}", head="languages: [en, de-AT, de]"
        ),
        ROW,
        id="a regional language reads its parent",
    ),
]


@pytest.mark.parametrize(("text", "world"), FINE)
def test_what_is_fine_is_left_alone(text: str, world: World) -> None:
    assert found(text, world) == []


def test_a_wrong_place_is_not_also_unreachable() -> None:
    text = stages("{clue: a, at: 77, text: x}", "{treasure: z, at: 4, needs: a, text: x}")
    assert [code for _, code, _ in found(text, ROW)] == ["HG1250"]
