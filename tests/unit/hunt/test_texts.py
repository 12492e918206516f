from __future__ import annotations

import pytest

from huntgraph.errors import UsageError
from huntgraph.hunt import Award, Hunt
from huntgraph.hunt.texts import chain, pick
from tests.unit.hunt.grounds import hunt_of

HUNT = """
    hunt: texts
    title: {en: Hello, de: Hallo}
    languages: [en, de, fr]
    fallback: {gsw: [de], nl: [fr, de]}
    stages:
      - clue: a
        at: 0
        text: {en: one, de: eins}
        hints:
          - text: {en: first, de: erster}
          - text: {en: second}
      - treasure: b
        at: 1
        text: plain
        reward: {id: coin, amount: 3, text: {en: rich, de: reich}}
"""


@pytest.fixture
def hunt() -> Hunt:
    return hunt_of(HUNT)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "one"),
        ("de", "eins"),
        ("de-AT", "eins"),
        ("de_at", "eins"),
        ("gsw", "eins"),
        ("gsw-CH", "eins"),
        ("nl", "eins"),
        ("fr", "one"),
        ("xx", "one"),
        ("", "one"),
    ],
)
def test_a_text_falls_back_along_the_chain(hunt: Hunt, language: str, text: str) -> None:
    assert hunt.text("a", language) == text
    assert hunt.text(0, language) == text


def test_hints_rewards_title(hunt: Hunt) -> None:
    assert hunt.hint_text("a", 1, "de") == "erster"
    assert hunt.hint_text("a", 2, "de") == "second"
    assert hunt.reward("b", "de") == Award("coin", 3, "reich")
    assert hunt.reward("a") is None
    assert hunt.title("de") == "Hallo"
    assert hunt.text("b", "de") == "plain"


def test_stage_numbers_follow_the_order_written(hunt: Hunt) -> None:
    assert [hunt.stage_number(stage) for stage in ("a", "b", 1)] == [0, 1, 1]


@pytest.mark.parametrize("stage", ["aa", 2, -1])
def test_an_unknown_stage_is_refused(hunt: Hunt, stage: str | int) -> None:
    with pytest.raises(UsageError):
        hunt.text(stage)


def test_an_unknown_hint_is_refused(hunt: Hunt) -> None:
    for number in (0, 3):
        with pytest.raises(UsageError, match="has no hint"):
            hunt.hint_text("a", number)


def test_fallbacks_may_go_in_a_circle() -> None:
    assert chain("aa", ["en"], {"aa": ["bb"], "bb": ["aa"]}) == ["aa", "bb", "en"]


def test_a_blank_text_counts_as_missing() -> None:
    assert pick({"de": "  ", "en": "x"}, ["de", "en"], "en") == "x"
    assert pick({}, ["en"], "en") == ""
