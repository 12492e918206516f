"""A slot that another hunt holds in the fork: what a diff tells of the two."""

from __future__ import annotations

from pathlib import Path

from huntgraph.engine import move
from huntgraph.hunt import loads
from huntgraph.schema import Kind
from huntgraph.timeline.diff_text import diff_lines
from huntgraph.timeline.timeline import Timeline
from tests.unit.timeline.recorder import CHEST, HONEST, HUNT, LATE, WELL, Recorder


def reused(tmp_path: Path) -> Timeline:
    """The hunt is closed, and another one takes its slot; one player wins in both, one in that."""
    recorder = Recorder()
    well, chest = recorder.node(20, 25), recorder.node(45, 45)
    for node in (well, chest):
        recorder.enter(HONEST, node)
    recorder.claim(HONEST)
    recorder.apply(move(Kind.HUNT_CLOSE, hunt=0))
    recorder.tick()
    second = HUNT.replace("lighthouse", "mill")
    recorder.apply(loads(second).compile(recorder.world, 0))
    recorder.tick()
    for player in (HONEST, LATE):
        recorder.enter(player, well)
    recorder.enter(LATE, chest)
    recorder.claim(LATE)
    return recorder.timeline(tmp_path)


def test_progress_in_a_slot_that_another_hunt_has_in_the_fork_is_split(tmp_path: Path) -> None:
    first, second = (loads(text).hunt_id for text in (HUNT, HUNT.replace("lighthouse", "mill")))
    diff = reused(tmp_path).fork(at="0:6").drop(kind=Kind.HUNT_CLOSE).diff()
    clues = {(c.player, c.hunt_id, c.stage, c.gained) for c in diff.clues}
    assert clues == {
        *((player, second, WELL, False) for player in (HONEST, LATE)),
        *((player, first, WELL, True) for player in (HONEST, LATE)),
    }
    # The first player's claim won on both sides; the other's won in the second hunt alone.
    assert [(e.do, e.player, e.hunt_id, e.stage) for e in diff.rewards] == [
        ("revoke", LATE, second, CHEST)
    ]
    told = {(c.hunt_id, c.was_winner, c.now_winner) for c in diff.claims}
    assert told == {(second, LATE, 0), (first, 0, HONEST)}
    lines = [line.text for line in diff_lines(diff)]
    assert any(f"clue 0 of hunt 0 (id {second:016x}): player 8" in line for line in lines)
    assert any("player 7: " in line and "another hunt in slot 0" in line for line in lines)
