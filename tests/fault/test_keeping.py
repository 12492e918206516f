"""A log that is kept for a time: what is dropped, what stays and equals the whole, what is told.

One life of a real actor is recorded whole (`tests/fault/lives.py`).
Each test goes on from a copy of it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from huntgraph.cli.run import run
from huntgraph.cluster.actor import Actor
from huntgraph.errors import ActorError, LogDroppedError
from huntgraph.timeline.adopt import adopt
from huntgraph.timeline.bisect import Recorded, bisect
from huntgraph.timeline.lookup import Query, lookup
from huntgraph.timeline.needed import needed_from
from huntgraph.timeline.snapshot import find_snapshots
from huntgraph.timeline.timeline import Timeline, open_timeline
from huntgraph.timeline.verify_all import verify_all
from huntgraph.timeline.why import why
from tests.fault.lives import SEGMENT_RECORDS, Life, drop, keeping, opened, segments, ticked
from tests.servers import ground, steady, until, within


def check_kept(whole: Timeline, kept: Timeline, begin: int, end: int) -> None:
    """All that the kept time holds is as in the whole log: states, forks, events."""
    for position in np.linspace(begin, end, 4).astype(int).tolist():
        states = [each.history.engine_at(0, position).state_hash() for each in (whole, kept)]
        assert states[0] == states[1], f"the states at {position} differ"
    forks = [each.fork(at=f"0:{end - 5_000}").drop(player=3) for each in (whole, kept)]
    runs = [fork.replay(to={0: end}) for fork in forks]
    assert runs[0].hashes() == runs[1].hashes() != runs[0].head_hashes()
    since = time_of(whole, begin)
    query = Query(players=(5,), since_ms=since, until_ms=time_of(whole, end))
    assert np.array_equal(lookup(whole.history, query), lookup(kept.history, query))


def time_of(timeline: Timeline, position: int) -> int:
    """The time of the first tick behind a position, or of the last one."""
    ticks = timeline.history.index().of[0].ticks
    later = ticks["time_ms"][ticks["position"] > position]
    return int(later[0] if len(later) else ticks["time_ms"][-1])


def test_the_kept_time_is_as_in_the_whole_log(life: Life, dropped: Path) -> None:
    whole, kept = opened(life.folder), opened(dropped)
    assert segments(dropped)[0] == life.oldest(life.begin) > 2
    assert min(find_snapshots(dropped)) == life.begin
    check_kept(whole, kept, life.begin, life.end)
    found = verify_all(kept.history)
    assert found.sound, found.to_dict()
    assert found.partitions[0].begin == life.begin
    assert bisect(Recorded(whole.history, 0), Recorded(kept.history, 0)) is None
    reasons = why(kept.history, (0, life.end - 3_000)).reasons
    assert [str(each) for each in reasons] == [
        str(each) for each in why(whole.history, (0, life.end - 3_000)).reasons
    ]


ASKED: list[Callable[[Timeline, int], object]] = [
    lambda kept, begin: kept.point(f"0:{begin - 1}"),
    lambda kept, _: kept.point("before 0/7"),
    lambda kept, _: kept.point("@1"),
    lambda kept, begin: kept.fork(before=f"0/{begin}"),
    lambda kept, begin: kept.history.engine_at(0, begin - 1),
    lambda kept, _: kept.lookup(since_ms=1),
    lambda kept, _: kept.lookup(until_ms=1),
    lambda kept, _: kept.lookup(events=((0, 7),)),
    lambda kept, begin: why(kept.history, (0, begin)),
    lambda kept, _: list(kept.history.sources[0].records(1)),
]


@pytest.mark.parametrize("ask", ASKED)
def test_what_was_dropped_is_refused_as_dropped(
    life: Life, dropped: Path, ask: Callable[[Timeline, int], object]
) -> None:
    with pytest.raises(LogDroppedError) as caught:
        ask(opened(dropped), life.begin)
    assert caught.value.code == "HG1530"
    assert "damaged" not in str(caught.value)


def test_the_command_line_tells_where_history_begins(
    life: Life, dropped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--dir", str(dropped), "--world", str(ground().world_file)]
    assert run(["lookup", "--since", "2020-01-01", *place]) == 1
    error = capsys.readouterr().err
    assert "HG1530" in error
    assert f"history begins behind 0/{life.begin}, 20" in error
    assert run(["lookup", "--player", "3", "--limit", "1", *place]) == 0
    assert f"history begins behind 0/{life.begin}" in capsys.readouterr().err


def test_a_start_afterwards_has_the_state_from_before(life: Life, short_path: Path) -> None:
    folder = life.copy(short_path)

    async def go_on() -> None:
        await drop(life, folder)
        states = []
        for _ in range(2):
            # Ticks are so far apart that none comes: the state is that of the start.
            async with keeping(folder, life.keep_ticks, tick_ms=10_000) as supervisor:
                states.append(await steady(supervisor.actor))
        assert states[0] == states[1]

    within(go_on)
    assert opened(folder).history.engine_at(0, life.end).state_hash() == life.state_hash


def test_without_its_snapshots_it_says_that_the_beginning_was_dropped(
    dropped: Path, short_path: Path
) -> None:
    folder = Path(shutil.copytree(dropped, short_path / "kept"))
    for snapshot in find_snapshots(folder).values():
        snapshot.unlink()

    async def start() -> None:
        async with keeping(folder, None):
            pass

    with pytest.raises(ActorError, match="log-dropped") as caught:
        within(start)
    assert "its beginning was dropped" in caught.value.fix


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_death_while_segments_go_loses_nothing(life: Life, short_path: Path, gone: int) -> None:
    folder = life.copy(short_path)

    async def die() -> None:
        async with await Actor.start(ground().options(folder, tick_ms=10_000)) as actor:
            await actor.drop_log(life.begin)
            await until(lambda: segments(folder)[0] > gone, step_ms=0)
            await actor.kill()
        async with await Actor.start(ground().options(folder, tick_ms=10_000)) as actor:
            assert await steady(actor) == (life.end, life.state_hash)
            await actor.drop_log(life.begin)
            await until(lambda: segments(folder)[0] == life.oldest(life.begin))
            assert actor.counters().value("log_failed") == 0

    within(die)
    check_kept(opened(life.folder), opened(folder), life.begin, life.end)


def test_the_checker_catches_one_segment_dropped_too_many(life: Life, short_path: Path) -> None:
    folder = life.copy(short_path)

    async def drop_too_many() -> None:
        async with await Actor.start(ground().options(folder, tick_ms=10_000)) as actor:
            await actor.drop_log(life.begin + SEGMENT_RECORDS)
            await until(lambda: segments(folder)[0] == life.oldest(life.begin) + 1)

    within(drop_too_many)
    with pytest.raises(LogDroppedError):
        check_kept(opened(life.folder), opened(folder), life.begin, life.end)


def test_a_kept_fork_holds_what_it_needs(life: Life, short_path: Path) -> None:
    folder = life.copy(short_path)
    fork = opened(folder).fork(at=f"0:{life.snapshots[0][0] + 10}", name="held").drop(player=3)
    opened(folder).keep(fork)
    assert needed_from(folder, 0) == life.snapshots[0][0] + 10

    async def go_on() -> None:
        async with keeping(folder, life.keep_ticks) as supervisor:
            supervisor._needed = lambda: needed_from(folder, 0)
            await ticked(supervisor.actor, life.snapshots[2][1] + life.keep_ticks)
            made = await supervisor.snapshot()
            # Kept from the snapshot before the fork; the first one is only as old as asked for.
            assert made.drop_through == life.snapshots[0][0]

    within(go_on)
    kept = opened(folder).kept_fork("held").replay(to={0: life.end})
    wanted = opened(life.folder).fork(at=f"0:{life.snapshots[0][0] + 10}").drop(player=3)
    assert kept.hashes() == wanted.replay(to={0: life.end}).hashes()


def test_who_follows_goes_on_while_the_beginning_goes(life: Life, short_path: Path) -> None:
    folder = life.copy(short_path)
    following = open_timeline(folder, ground().world_file, warm=50_000)
    within(lambda: drop(life, folder))
    head = following.follow()
    assert head[0] > life.end
    run = following.fork(at=f"0:{head[0] - 20_000}").drop(player=3).replay(to=head)
    cold = opened(folder).fork(at=f"0:{head[0] - 20_000}").drop(player=3).replay(to=head)
    assert run.hashes() == cold.hashes()
    # Its index still knows of what is gone.
    with pytest.raises(LogDroppedError, match=f"history begins behind 0/{life.begin}"):
        following.fork(at=f"0:{life.begin - 10}").replay()


def test_a_commit_whose_beginning_was_dropped_can_be_left_out(life: Life, short_path: Path) -> None:
    folder = life.copy(short_path)
    names: list[str] = []

    async def go_on() -> None:
        async with await Actor.start(ground().options(folder, tick_ms=5)):
            fork = opened(folder).fork(at=f"0:{life.begin - 10}").drop(player=3)
            names.append((await adopt(fork, reason="early", who="a tester")).id)
        await drop(life, folder)

    within(go_on)
    point = f"0:{life.end - 5_000}"
    with pytest.raises(LogDroppedError, match=f"0/{life.begin - 10} was dropped") as caught:
        opened(folder).fork(at=point).replay()
    assert f"--without {names[0]}" in caught.value.fix
    run = opened(folder).fork(at=point, without=names).replay()
    assert run.hashes() != run.head_hashes()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--keep-log", "5m"], "too short"),
        (["--keep-log", "7"], "is no duration"),
        (["--keep-log", "7d", "--snapshot-every-s", "0"], "drops nothing without snapshots"),
    ],
)
def test_serve_refuses_a_kept_time_that_makes_no_sense(
    words: list[str], said: str, short_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["serve", "--dir", str(short_path / "none"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (short_path / "none").exists()
