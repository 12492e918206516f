"""Each finding has a hunt that gives exactly that finding, at its line; a clean hunt gives none."""

from __future__ import annotations

import pytest

from huntgraph.hunt import check
from tests.unit.hunt.grounds import ONE, found, grid, hunt_of, stages

CLEAN = """
    hunt: clean
    languages: [en, de]
    duration: 1h
    teams: [red, blue]
    traffic: {rise: 4, bucket: 16, bucket_cost: 2, decay_every: 5s}
    stages:
      - clue: a
        at: {x: 1, y: 1}
        text: {en: one, de: eins}
        hints: [{after: 1m, text: {en: h, de: t}}]
      - clue: b
        at: {name: 107}
        needs: a
        window: {from: 5m, to: 50m}
        text: {en: two, de: zwei}
      - treasure: c
        at: 24
        who: team
        needs: {any: [a, [a, b]]}
        text: {en: three, de: drei}
    gates:
      - gate: g
        edges: [[23, 24], [{x: 4, y: 3}, 24]]
        shut_at_start: true
        flips_when: [b]
"""


def test_a_clean_hunt_gives_nothing() -> None:
    assert check(hunt_of(CLEAN)) == []
    assert check(hunt_of(CLEAN), grid(5, 5)) == []


STATIC = [
    pytest.param(
        stages("{clue: a, at: 0, text: x}", ONE, "{clue: a, at: 1, text: x}"),
        [("error", "HG1210", 5)],
        id="an id twice",
    ),
    pytest.param(
        stages(ONE) + "\ngates:\n  - {gate: z, edges: [[0, 1]], closes_at: 5m}",
        [("error", "HG1210", 5)],
        id="a gate with the id of a stage",
    ),
    pytest.param(
        stages(ONE, head="teams:\n  - red\n  - red"), [("error", "HG1210", 4)], id="a team twice"
    ),
    pytest.param(
        stages("{clue: well, at: 0, text: x}", "{treasure: z, at: 0, needs: wel, text: x}"),
        [("error", "HG1211", 4)],
        id="an unknown id",
    ),
    pytest.param(
        stages(ONE) + "\ngates:\n  - gate: g\n    edges: [[0, 1]]\n    flips_when: [y]",
        [("error", "HG1211", 7)],
        id="an unknown id of a gate",
    ),
    pytest.param(
        stages(
            "{clue: a, at: 0, needs: b, text: x}",
            "{clue: b, at: 0, needs: {any: [c, a]}, text: x}",
            "{clue: c, at: 0, needs: [a], text: x}",
            ONE,
        ),
        [("error", "HG1212", 3), ("error", "HG1216", 5)],
        id="a circle of needs, and who waits for it",
    ),
    pytest.param(
        stages("{treasure: z, at: 0, needs: z, text: x}"),
        [("error", "HG1212", 3)],
        id="a need of itself",
    ),
    pytest.param(
        stages(
            *(f"{{clue: c{index}, at: 0, text: x}}" for index in range(5)),
            "{treasure: z, at: 0, needs: {any: [c0, c1, c2, c3, c4]}, text: x}",
        ),
        [("error", "HG1213", 8)],
        id="five alternatives",
    ),
    pytest.param(
        stages(*(f"{{clue: c{index}, at: 0, text: x}}" for index in range(64)), ONE),
        [("error", "HG1214", 3)],
        id="65 stages",
    ),
    pytest.param(
        stages("treasure: z\n    at: 0\n    text: x\n    hints:" + "\n      - text: x" * 5),
        [("error", "HG1214", 7)],
        id="5 hints",
    ),
    pytest.param(
        stages(ONE, head=f"teams: {[f't{i}' for i in range(65)]}"),
        [("error", "HG1214", 2)],
        id="65 teams",
    ),
    pytest.param(
        stages(ONE)
        + "\ngates:"
        + "".join(f"\n  - {{gate: g{i}, edges: [[0, 1]], closes_at: 1m}}" for i in range(33)),
        [("error", "HG1214", 5)],
        id="33 gates",
    ),
    pytest.param(
        stages(ONE) + f"\ngates:\n  - {{gate: g, both_ways: {[[0, 1]] * 257}, closes_at: 1m}}",
        [("error", "HG1214", 5)],
        id="514 edges of gates",
    ),
    pytest.param(
        stages(ONE, head="traffic: {rise: 1, bucket_cost: 1, decay_every: 2h}"),
        [("error", "HG1214", 2)],
        id="too long a round",
    ),
    pytest.param("hunt: t\nstages: []", [("error", "HG1215", 2)], id="no stages"),
    pytest.param(stages("{clue: a, at: 0, text: x}"), [("warning", "HG1218", 3)], id="no treasure"),
    pytest.param(
        stages(
            "{treasure: z, at: 0, who: exclusive, text: x}", "{clue: a, at: 0, needs: z, text: x}"
        ),
        [("warning", "HG1217", 4)],
        id="only the winner goes on",
    ),
    pytest.param(stages("{treasure: z, at: 0}"), [("error", "HG1220", 3)], id="no text"),
    pytest.param(
        stages("treasure: z\n    at: 0\n    text: {de: x}", head="languages: [en, de]"),
        [("error", "HG1220", 6)],
        id="no text in the first language",
    ),
    pytest.param(
        stages(ONE, "treasure: y\n    at: 0\n    text: x\n    hints:\n      - cost: 1"),
        [("error", "HG1220", 8)],
        id="no text of a hint",
    ),
    pytest.param(
        stages("treasure: z\n    at: 0\n    text:\n      en: x", head="languages: [en, de]"),
        [("warning", "HG1221", 6)],
        id="not translated",
    ),
    pytest.param(
        stages("treasure: z\n    at: 0\n    text:\n      en: x\n      du: y"),
        [("error", "HG1222", 7)],
        id="an unknown language",
    ),
    pytest.param(
        stages(ONE, head="fallback:\n  gsw: [de]"),
        [("error", "HG1222", 3)],
        id="a fallback to nothing",
    ),
    pytest.param(
        stages("treasure: z\n    at: 0\n    text: x\n    window:\n      from: 5m\n      to: 5m"),
        [("error", "HG1230", 8)],
        id="a window without time",
    ),
    pytest.param(
        stages("treasure: z\n    at: 0\n    text: x\n    window: {from: 1h}", head="duration: 1h"),
        [("error", "HG1231", 7)],
        id="a window after the end",
    ),
    pytest.param(
        stages("treasure: z\n    at: 0\n    text: x\n    window: {to: 2h}", head="duration: 1h"),
        [("warning", "HG1231", 7)],
        id="a window beyond the end",
    ),
    pytest.param(
        stages(ONE, head="duration: 1h")
        + "\ngates:\n  - gate: g\n    edges: [[0, 1]]\n    closes_at: 1h",
        [("error", "HG1231", 8)],
        id="a gate after the end",
    ),
    pytest.param(
        stages(
            "{clue: a, at: 0, window: {from: 20m}, text: x}",
            "treasure: z\n    at: 0\n    needs: a\n    text: x\n    window: {to: 20m}",
        ),
        [("error", "HG1232", 8)],
        id="closed before its needs can open",
    ),
    pytest.param(
        stages(
            "treasure: z\n    at: 0\n    text: x\n    window: {from: 1m, to: 5m}\n    hints:"
            "\n      - text: x\n        after: 4m"
        ),
        [("error", "HG1233", 9)],
        id="a hint after the window",
    ),
    pytest.param(
        stages(
            "treasure: z\n    at: 0\n    text: x\n    hints:"
            "\n      - {text: x, after: 4m}\n      - {text: x, after: 3m}"
        ),
        [("warning", "HG1234", 8)],
        id="hints out of order",
    ),
    pytest.param(
        stages(ONE) + "\ngates:\n  - gate: g\n    edges: [[0, 1]]",
        [("warning", "HG1235", 5)],
        id="a gate that never shuts",
    ),
    pytest.param(
        stages(ONE) + "\ngates:\n  - {gate: g, edges: [[0, 1]], closes_at: 5m, opens_at: 5m}",
        [("error", "HG1235", 5)],
        id="a gate that does both at once",
    ),
    pytest.param(
        stages("treasure: z\n    at: 0\n    text: x\n    who: exclusive\n    stock: 3"),
        [("error", "HG1240", 7)],
        id="exclusive with stock",
    ),
    pytest.param(
        stages("treasure: z\n    at: 0\n    text: x\n    who: team"),
        [("error", "HG1241", 6)],
        id="per team without teams",
    ),
]


@pytest.mark.parametrize(("text", "expected"), STATIC)
def test_a_check_finds_exactly_this(text: str, expected: list[tuple[str, str, int]]) -> None:
    assert found(text) == expected


def test_a_circle_is_named_and_an_unknown_id_gets_a_suggestion() -> None:
    circle = check(
        hunt_of(
            stages("{clue: a, at: 0, needs: b, text: x}", "{clue: b, at: 0, needs: a, text: x}")
        )
    )
    assert circle[-1].what == "needs go in a circle: a needs b needs a"
    unknown = check(hunt_of(STATIC[3].values[0]))  # type: ignore[arg-type]
    assert unknown[0].fix == 'did you mean "well"?'
    assert str(unknown[0]).startswith("t.yaml:4:")
