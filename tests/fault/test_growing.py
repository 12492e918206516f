"""A hunt that grows where the beginning of its log was dropped, shrinks again, dies meanwhile."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from huntgraph.cli.run import run
from huntgraph.cluster.actor import Actor
from huntgraph.cluster.control import refuse
from huntgraph.engine import move
from huntgraph.errors import ActorError, CommitError
from huntgraph.schema import Code, Kind
from huntgraph.timeline.adopt import adopt
from huntgraph.timeline.lookup import Query, lookup
from huntgraph.timeline.snapshot import Room, find_snapshots, open_snapshot
from huntgraph.timeline.timeline import open_timeline
from huntgraph.timeline.verify_all import verify_all
from tests.fault.lives import WALKERS, Life, drop, keeping, opened
from tests.servers import PLAYERS, ground, steady, within

MORE = 2 * PLAYERS
CAME = PLAYERS + 100
"""Players once it has grown."""
STILL = {"tick_ms": 10_000}
"""Ticks are so far apart that none comes: the state is that of the start."""
KILLS = 12
BOOT_S = 0.08


def newcomers() -> NDArray[np.void]:
    """Enough of them to come that not all find a place before it grows."""
    ids = np.arange(WALKERS + 1, CAME + 1)
    return move(Kind.ENTER, player=ids, seq=1, to=ids % ground().world.nodes)


def shortcuts(count: int) -> NDArray[np.void]:
    """Edges that the world has not."""
    tails = np.arange(count)
    return move(Kind.EDGE_ADD, from_=tails, to=tails + ground().world.nodes // 2, arg=9)


def files(folder: Path) -> dict[str, bytes]:
    """All that is on disk of log and snapshots."""
    found = [*(folder / "log").iterdir(), *(folder / "snapshots").iterdir()]
    return {path.name: path.read_bytes() for path in found}


async def standing(folder: Path, **changes: int) -> tuple[int, int]:
    """Position and state hash of an actor just started."""
    async with await Actor.start(ground().options(folder, **STILL, **changes)) as actor:
        return await steady(actor)


async def durable(actor: Actor) -> tuple[int, int]:
    """Position and state hash, once all is on disk: asked, as the counters wait for a tick."""
    async with asyncio.timeout(60):
        while (status := await actor.status()).durable < status.position:
            await asyncio.sleep(0.005)
    return status.position, status.state_hash


async def grow(folder: Path, life: Life) -> tuple[int, int]:
    """Grow, and have players come and edges added beyond what there was room for before."""
    async with keeping(folder, life.keep_ticks, **STILL) as supervisor:
        codes = (await supervisor.actor.control(newcomers())).updates["code"]
        assert (codes[: PLAYERS - WALKERS] == Code.OK).all()
        assert (codes[PLAYERS - WALKERS :] == Code.PLAYERS_FULL).all()
        stopped = await supervisor.stop()
    assert stopped is not None
    before = stopped.durable, stopped.state_hash
    more = {"players": MORE, "added_edges": 1200}
    async with keeping(folder, life.keep_ticks, **STILL, **more) as supervisor:
        assert await steady(supervisor.actor) == before
        assert supervisor.actor.ready.replayed < before[0] - life.begin
        refuse(await supervisor.actor.control(newcomers()))
        refuse(await supervisor.actor.control(shortcuts(1100)))
        after = await durable(supervisor.actor)
        await supervisor.actor.kill()
    assert await standing(folder, players=MORE, added_edges=1200) == after
    return after


@pytest.fixture(scope="module")
def grown(life: Life, dropped: Path) -> Iterator[tuple[Path, tuple[int, int]]]:
    """The folder of a life whose beginning was dropped and that grew then, and where it stands.

    All its snapshots are of before.
    """
    place = Path(tempfile.mkdtemp(prefix="hg-"))
    folder = Path(shutil.copytree(dropped, place / "kept"))
    yield folder, within(lambda: grow(folder, life))
    shutil.rmtree(place)


Grown = tuple[Path, tuple[int, int]]


def own(grown: Grown, place: Path) -> Path:
    """A copy of one's own to go on in."""
    return Path(shutil.copytree(grown[0], place / "own"))


def room(folder: Path) -> Room:
    """What the newest snapshot has, and has room for."""
    found = find_snapshots(folder)
    return Room.of(open_snapshot(found[max(found)]).image.tobytes())


async def make_newer(folder: Path) -> tuple[int, int]:
    """Have a snapshot made of all there is; where it stands when it is stopped."""
    async with keeping(folder, None, players=MORE, added_edges=1200, **STILL) as supervisor:
        at = await durable(supervisor.actor)
        assert (await supervisor.snapshot()).position == at[0]
        stopped = await supervisor.stop()
    assert stopped is not None
    return stopped.durable, stopped.state_hash


def check_history(folder: Path, begin: int, end: tuple[int, int]) -> None:
    """All that is asked of a history works from before it grew to its end."""
    timeline = opened(folder)
    found = verify_all(timeline.history)
    assert found.sound, found.to_dict()
    assert found.partitions[0].begin == begin
    assert timeline.history.engine_at(0, end[0]).state_hash() == end[1]
    for point in (begin, end[0] - 1_250):
        run = timeline.fork(at=f"0:{point}").replay(to={0: end[0]})
        assert run.hashes() == run.head_hashes() == {0: end[1]}
        other = timeline.fork(at=f"0:{point}").drop(player=CAME).replay(to={0: end[0]})
        assert other.hashes() != run.head_hashes()
    events = lookup(timeline.history, Query(players=(CAME,)))
    assert events["kind"].tolist() == [Kind.ENTER]


def test_history_reaches_over_the_growth(life: Life, grown: Grown, short_path: Path) -> None:
    folder, end = own(grown, short_path), grown[1]
    assert room(folder).players_max == PLAYERS
    check_history(folder, life.begin, end)
    within(lambda: make_newer(folder))
    assert room(folder) == Room(CAME, MORE, 1100, 1200)
    check_history(folder, life.begin, end)
    place = ["--dir", str(folder), "--world", str(ground().world_file)]
    assert run(["verify", *place]) == run(["verify", "--from-snapshot", *place]) == 0


@pytest.mark.parametrize("newer", [False, True], ids=["log", "snapshot"])
def test_it_shrinks_to_what_is_in_use_and_no_further(
    grown: Grown, short_path: Path, newer: bool
) -> None:
    folder, state = own(grown, short_path), grown[1]
    if newer:
        state = within(lambda: make_newer(folder))
    before = files(folder)
    for players, edges, least in [(CAME - 1, 1100, CAME), (PLAYERS, 1100, CAME), (CAME, 9, 1100)]:
        start = partial(standing, folder, players=players, added_edges=edges)
        with pytest.raises(ActorError, match=rf"too small \({least} is the least") as caught:
            within(start)
        assert caught.value.code == "HG3018"
        # Who finds out at the log has opened it, which its next opening tells.
        assert not newer or files(folder) == before
    assert within(lambda: standing(folder, players=CAME, added_edges=1100)) == state

    async def full() -> None:
        async with await Actor.start(
            ground().options(folder, players=CAME, added_edges=1100, **STILL)
        ) as actor:
            one_more = move(Kind.ENTER, player=CAME + 1, seq=1)
            assert (await actor.control(one_more)).updates["code"] == Code.PLAYERS_FULL
            refused = await actor.control(move(Kind.EDGE_ADD, from_=3, to=4_000, arg=1))
            assert refused.updates["code"] == Code.EDGES_FULL

    within(full)


def test_what_a_correction_made_must_fit_as_well(
    life: Life, dropped: Path, short_path: Path
) -> None:
    folder = Path(shutil.copytree(dropped, short_path / "kept"))
    record = shortcuts(1)[0]
    ends = {"from_": int(record["from"]), "to": int(record["to"])}

    async def correct(added_edges: int) -> None:
        options = ground().options(folder, added_edges=added_edges, **STILL)
        async with await Actor.start(options):
            fork = opened(folder).fork(at=f"0:{life.end - 5_000}")
            fork.insert(f"0/{life.end - 4_000}", kind="EDGE_ADD", arg=9, **ends)
            await adopt(fork, reason="a shortcut", who="a tester")

    # A fork has room of its own; the actor has not.
    with pytest.raises(CommitError) as refused:
        within(lambda: correct(0))
    assert refused.value.code == "HG1612"
    within(lambda: correct(1))
    with pytest.raises(ActorError, match=r"--added-edges is too small \(1 is .* for the log"):
        within(lambda: standing(folder, added_edges=0))
    within(lambda: standing(folder, added_edges=1))


def test_a_death_while_it_grows_does_no_harm(grown: Grown, short_path: Path, seed: int) -> None:
    folder, rng = own(grown, short_path), random.Random(seed)
    snapshots = {name: data for name, data in files(folder).items() if name.endswith(".snap")}
    killed = 0

    async def die(limit_s: float) -> int:
        try:
            options = ground().options(folder, players=4 * PLAYERS, added_edges=2_000, **STILL)
            actor = await Actor.start(options, timeout_s=limit_s)
        except ActorError as error:
            if error.code != "HG1411":
                raise
            return 1
        await actor.kill()
        return 0

    for _ in range(KILLS):
        killed += within(lambda: die(rng.uniform(0, BOOT_S)))
    print(f"{killed} of {KILLS} killed before they were ready")
    assert snapshots.items() <= files(folder).items()
    assert within(lambda: standing(folder, players=4 * PLAYERS, added_edges=2_000)) == grown[1]


def test_the_beginning_is_dropped_up_to_a_snapshot_of_before(life: Life, short_path: Path) -> None:
    folder = life.copy(short_path)
    within(lambda: drop(life, folder, players=MORE))
    assert opened(folder).history.engine_at(0, life.end).state_hash() == life.state_hash
    assert verify_all(opened(folder).history).sound


def test_who_follows_goes_on_while_it_grows(life: Life, dropped: Path, short_path: Path) -> None:
    folder = Path(shutil.copytree(dropped, short_path / "kept"))
    following = open_timeline(folder, ground().world_file, warm=20_000)
    end = within(lambda: grow(folder, life))
    assert following.follow() == {0: end[0]}
    run = following.fork(at=f"0:{end[0] - 1_500}").drop(player=CAME).replay(to={0: end[0]})
    cold = opened(folder).fork(at=f"0:{end[0] - 1_500}").drop(player=CAME).replay(to={0: end[0]})
    assert run.hashes() == cold.hashes() != run.head_hashes()
    assert run.head_hashes() == {0: end[1]}
