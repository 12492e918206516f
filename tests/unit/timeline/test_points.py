"""Points by name."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from huntgraph.errors import ForkError
from huntgraph.schema import Kind
from huntgraph.timeline.points import cut_text, find_point, since_ms
from huntgraph.timeline.timeline import Timeline
from tests.unit.timeline.recorder import START_MS, with_a_cheater


@pytest.fixture
def timeline(tmp_path: Path) -> Timeline:
    return with_a_cheater().timeline(tmp_path)


def tick_position(time_ms: int) -> int:
    """Position of the last tick at or before a time."""
    found = 0
    for position, move in enumerate(with_a_cheater().moves(), 1):
        if move["kind"] == Kind.TICK and move["time_ms"] <= time_ms:
            found = position
    return found


def test_the_head_is_the_end_of_the_log(timeline: Timeline) -> None:
    assert timeline.head() == timeline.point("head") == {0: len(with_a_cheater().rows)}


def test_before_and_after_an_event(timeline: Timeline) -> None:
    assert timeline.point("before 0/31") == timeline.point("before:0/31") == {0: 30}
    assert timeline.point("after 0/31") == {0: 31}
    assert timeline.point("0:31") == {0: 31}


def test_a_time_is_the_last_tick_up_to_it(timeline: Timeline) -> None:
    moment = datetime.fromtimestamp((START_MS + 1234) / 1000, UTC).isoformat()
    wanted = {0: tick_position(START_MS + 1234)}
    assert timeline.point(f"@{START_MS + 1234}") == timeline.point(moment) == wanted
    assert timeline.point("@5") == {0: 0}


def test_so_long_before_the_head(timeline: Timeline) -> None:
    last = with_a_cheater().time_ms
    assert timeline.point("head~1s") == {0: tick_position(last - 1000)}
    assert since_ms(timeline.history, "1s") == last - 1000
    assert timeline.point("head~10d") == {0: 0}


def test_tags_are_kept(timeline: Timeline) -> None:
    timeline.tag("start", "before 0/31", note="all is well")
    again = with_a_cheater().timeline(timeline.history.folder)
    assert again.point("start") == {0: 30}
    with pytest.raises(ForkError, match="there already"):
        again.tag("start")
    again.untag("start")
    assert again.tags() == {}
    with pytest.raises(ForkError) as caught:
        again.untag("start")
    assert caught.value.code == "HG1703"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("yesterday", "HG1710"),
        ("before 0/999999", "HG1711"),
        ("before 7/1", "HG1711"),
        ("head~soon", "HG1713"),
        ("2026-99-99", "HG1714"),
        ("0:999999", "HG1715"),
    ],
)
def test_what_names_no_point_is_refused(timeline: Timeline, text: str, code: str) -> None:
    with pytest.raises(ForkError) as caught:
        find_point(timeline.history, text)
    assert caught.value.code == code
    assert caught.value.fix


@pytest.mark.parametrize("name", ["", "head", "A", "../x", "x" * 65])
def test_bad_names_are_refused(timeline: Timeline, name: str) -> None:
    with pytest.raises(ForkError) as caught:
        timeline.tag(name)
    assert caught.value.code == "HG1701"


def test_a_cut_is_written_as_it_is_read(timeline: Timeline) -> None:
    assert find_point(timeline.history, cut_text({0: 12})) == {0: 12}
