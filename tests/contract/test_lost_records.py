"""A flipped bit in the log of a real actor: it stops every reading, until it is named."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from huntgraph.cluster.actor import Actor
from huntgraph.cluster.snapshots import make_snapshot
from huntgraph.errors import ActorError, ForkError, LogDamagedError, LogError
from huntgraph.model import Model
from huntgraph.schema import MOVE, Kind
from huntgraph.timeline import lost
from huntgraph.timeline.adopt import adopt
from huntgraph.timeline.history import History
from huntgraph.timeline.kinds import PLAYER_KINDS
from huntgraph.timeline.timeline import Timeline, open_timeline
from huntgraph.timeline.verify import verify
from huntgraph.timeline.verify_all import verify_all
from tests.contract.independent import IndependentClient
from tests.fault.logfile import Block, LogFile
from tests.servers import PLAYERS, ground, linked, move, serving, until, within

WALKERS = 3


class Walk:
    """Players who go from node to node, each move in a frame of its own."""

    def __init__(self) -> None:
        self.seq = [0] * WALKERS
        self.node = [0, 1, 2]

    async def go(self, client: IndependentClient, steps: int) -> int:
        """Everybody goes so many steps, to the greatest neighbour each; gives the last position."""
        last = 0
        for _ in range(steps):
            for who in range(WALKERS):
                updates, _ = await client.moves(self._next(who))
                last = int(updates["position"][0])
        return last

    def _next(self, who: int) -> np.ndarray[tuple[int], np.dtype[np.void]]:
        self.seq[who] += 1
        place = {"player": 1 + who, "seq": self.seq[who]}
        if self.seq[who] == 1:
            return move(Kind.ENTER, to=self.node[who], **place)
        world, here = ground().world, self.node[who]
        # Ever further on: nobody comes back to where a step is missing.
        self.node[who] = int(world.head[world.first[here] : world.first[here + 1]].max())
        return move(Kind.GO, from_=here, to=self.node[who], **place)


async def walked(actor: Actor, walk: Walk, steps: int) -> None:
    """A step of everybody is durable before the next: no block holds anybody's last steps alone.

    Nothing behind the block would tell of those, and nothing could stand in for them.
    """
    async with linked(actor) as client:
        for _ in range(steps):
            last = await walk.go(client, 1)
            await until(partial(durable, actor, last), step_ms=1)


def durable(actor: Actor, position: int) -> bool:
    return actor.counters().value("durable") >= position


def blocks_of(folder: Path) -> list[Block]:
    blocks = LogFile(folder / "log", ground().world.world_id).read()
    return [block for block in blocks if len(block.records)]


def some_block(folder: Path, share: float) -> Block:
    """A block with a step in it, so far into the log."""
    blocks = [block for block in blocks_of(folder) if (block.records["kind"] == Kind.GO).any()]
    return blocks[int(len(blocks) * share)]


def flip(folder: Path, block: Block) -> None:
    """Change one bit of a block's first step."""
    at = int(np.flatnonzero(block.records["kind"] == Kind.GO)[0])
    with (folder / "log" / f"segment-{block.segment:010d}.log").open("r+b") as file:
        place = block.page * 4096 + 64 + at * 64 + 20
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 4]))


def without(records: np.ndarray[tuple[int], np.dtype[np.void]], gone: Block) -> Model:
    """The oracle fed a log without a block: its moves take their numbers, its ticks their time."""
    model = ground().model()
    for position, record in enumerate(records, 1):
        raw = record.tobytes()
        if gone.first <= position < gone.first + len(gone.records):
            if record["kind"] in PLAYER_KINDS:
                raw = bytes([Kind.STRIKE]) + raw[1:]
            elif record["kind"] != Kind.TICK:
                continue
        if record["kind"] != Kind.HASH:
            model.position = position - 1
            model.apply(raw)
    model.position = len(records)
    return model


def opened(folder: Path, *names: str) -> Timeline:
    return open_timeline(folder, ground().world_file, names)


def test_a_bad_record_stops_every_reading_until_it_is_named(short_path: Path) -> None:
    async def play() -> None:
        async with serving(short_path) as actor:
            await walked(actor, Walk(), 20)
            await actor.stop()

    within(play)
    records = np.concatenate([block.records for block in blocks_of(short_path)])
    bad, other = some_block(short_path, 0.4), some_block(short_path, 0.7)
    flip(short_path, bad)
    first, last = bad.first, bad.first + len(bad.records) - 1
    with pytest.raises(LogDamagedError, match=f"0/{first} to 0/{last} are lost") as caught:
        opened(short_path).fork(before=f"0/{first}")
    assert caught.value.code == "HG1511"
    assert f"--without 0/{first}" in caught.value.fix
    found = verify_all(opened(short_path).history)
    assert found.first_bad() == (0, found.partitions[0].problems[0])
    assert found.partitions[0].problems[0].position == first
    for name in (f"0/{first - 1}", f"0/{last + 1}"):
        with pytest.raises(LogDamagedError, match=f"0/{first} to 0/{last} are lost"):
            opened(short_path, name).head()
    timeline = opened(short_path, f"0/{first}")
    for point in (f"0:{first - 1}", "0:0", "head"):
        run = timeline.fork(at=point).replay()
        assert run.hashes() == {0: without(records, bad).state_hash()} == run.head_hashes()
    kept = timeline.fork(before=f"0/{first}", name="over")
    assert kept.recipe.without == (f"0/{first}",)
    again = opened(short_path).kept_fork("over")
    assert again.drop(event=f"0/{first}").replay().hashes() == run.hashes()
    assert len(timeline.lookup(players=(1,), kinds=(Kind.STRIKE, Kind.GO))) == 19
    flip(short_path, other)
    with pytest.raises(LogDamagedError, match=f"0/{other.first} to"):
        opened(short_path, f"0/{first}").head()
    both = opened(short_path, f"0/{first}", f"0/{other.first}")
    assert both.head() == {0: len(records)}
    flip(short_path, bad)
    flip(short_path, other)
    with pytest.raises(ForkError, match=f"0/{first} can be read") as refused:
        opened(short_path, f"0/{first}").head()
    assert refused.value.code == "HG1736"


def huntgraph(folder: Path, words: str) -> subprocess.CompletedProcess[str]:
    """Run a verb about the history of a folder."""
    where = ["--dir", str(folder), "--world", str(ground().world_file)]
    command = [sys.executable, "-m", "huntgraph", *words.split(), *where]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_message_says_the_command_that_goes_on(short_path: Path) -> None:
    async def play() -> None:
        async with serving(short_path) as actor:
            await walked(actor, Walk(), 10)
            await actor.stop()

    within(play)
    bad = some_block(short_path, 0.5)
    flip(short_path, bad)
    refused = huntgraph(short_path, f"fork create over --before 0/{bad.first}")
    assert refused.returncode != 0
    told = re.search(r"huntgraph (fork create) NAME( --before \S+ --without \S+)", refused.stderr)
    assert told is not None, refused.stderr
    assert huntgraph(short_path, f"{told[1]} over{told[2]}").returncode == 0
    shown = json.loads(huntgraph(short_path, "fork diff over --json").stdout)
    assert shown["players"] == []
    looked = huntgraph(short_path, f"lookup --kind strike --without 0/{bad.first} --json")
    struck = np.isin(bad.records["kind"], PLAYER_KINDS).sum()
    assert len(json.loads(looked.stdout)["events"]) == struck
    behind = f"why 0/{bad.first + len(bad.records)}"
    assert "HG1511" in huntgraph(short_path, behind).stderr
    told = json.loads(huntgraph(short_path, f"{behind} --without 0/{bad.first} --json").stdout)
    assert told["kind"]


def test_the_hunt_goes_on_without_a_record_that_went_bad(short_path: Path) -> None:
    """The live state, with the record's effect, is that of a snapshot made before it went bad."""
    walk = Walk()

    async def play() -> None:
        options = ground().options(short_path)
        async with serving(short_path) as actor:
            await walked(actor, walk, 15)
            bad = some_block(short_path, 0.5)
            made = await make_snapshot(short_path, options.world, players=PLAYERS)
            assert made.position > bad.first + len(bad.records)
            flip(short_path, bad)
            await walked(actor, walk, 2)
            # What is behind the snapshot is read as ever, by the program too.
            await make_snapshot(short_path, options.world, players=PLAYERS)
            timeline = opened(short_path, f"0/{bad.first}")
            fork = timeline.fork(before=f"0/{bad.first}")
            (change, *_) = fork.diff().players
            who = {int(row["player"]) for row in bad.records if row["kind"] == Kind.GO}
            assert change.player in who
            assert change.was != change.now
            await adopt(fork, reason="a bad sector", who="a tester")
            await judge(actor, fork.history, change.player, change.now or {})
            await actor.stop()
        # It starts from the snapshot behind the lost records, which it tells of.
        async with serving(short_path) as actor:
            (damage,) = actor.ready.damaged
            assert f"positions {bad.first}..=" in damage
            await actor.stop()

    within(play)


async def judge(actor: Actor, history: History, player: int, now: dict[str, object]) -> None:
    """The player stands where it stood in the fork, and the log with its snapshot says so too."""
    status = await actor.status()
    counters = actor.counters()
    await until(lambda: counters.value("durable") >= status.position)
    history.index()
    engine = history.engine_at(0, status.position)
    assert engine.state_hash() == status.state_hash
    state = engine.player(player)
    assert state is not None
    assert state.node == now["node"]


async def live(folder: Path, walk: Walk, steps: int) -> int:
    """Walk so many steps, have a snapshot made, and walk two more; gives the state hash."""
    async with serving(folder) as actor:
        await walked(actor, walk, steps)
        await make_snapshot(folder, ground().options(folder).world, players=PLAYERS)
        await walked(actor, walk, 2)
        stopped = await actor.stop()
        assert stopped is not None
        return stopped.state_hash


async def start_again(folder: Path, walk: Walk) -> tuple[int, str]:
    """The state hash an actor starts with, and what it passed over; then everybody goes on."""
    async with serving(folder) as actor:
        status = await actor.status()
        (damage,) = actor.ready.damaged
        await walked(actor, walk, 2)
        await actor.stop()
        return status.state_hash, damage


def test_an_actor_starts_over_a_bad_record_that_a_snapshot_is_behind(short_path: Path) -> None:
    walk = Walk()
    state_hash = within(lambda: live(short_path, walk, 10))
    bad = some_block(short_path, 0.4)
    flip(short_path, bad)
    last = bad.first + len(bad.records) - 1
    again, damage = within(lambda: start_again(short_path, walk))
    assert again == state_hash
    assert f"positions {bad.first}..={last} were durable" in damage
    # A second start passes over it too. Without the snapshot there is none.
    within(lambda: start_again(short_path, walk))
    shutil.rmtree(short_path / "snapshots")
    with pytest.raises(ActorError, match="log-damaged"):
        within(lambda: start_again(short_path, walk))


def test_an_actor_writes_a_bad_header_again(short_path: Path) -> None:
    """Without a snapshot too, and readers find the whole log behind it."""
    walk = Walk()
    state_hash = within(lambda: live(short_path, walk, 10))
    shutil.rmtree(short_path / "snapshots")
    (segment, *_) = sorted((short_path / "log").glob("segment-*.log"))
    whole = segment.read_bytes()[:4096]
    with segment.open("r+b") as file:
        file.write(bytes(4096))
    with pytest.raises(LogError, match="the segment's header is damaged"):
        verify_all(opened(short_path).history)
    again, damage = within(lambda: start_again(short_path, walk))
    assert again == state_hash
    assert "segment 1 is damaged at byte 0 (its header, written again" in damage
    assert segment.read_bytes()[:4096] == whole
    assert verify_all(opened(short_path).history).sound


def test_no_loss_is_so_long_that_it_is_taken_for_the_end(short_path: Path) -> None:
    """Beyond the pages in which one who follows the log looks for more."""
    walk = Walk()
    state_hash = within(lambda: live(short_path, walk, 40))
    blocks = blocks_of(short_path)
    first = blocks[1]
    behind = next(block for block in blocks if block.page > first.page + 70)
    with (short_path / "log" / f"segment-{first.segment:010d}.log").open("r+b") as file:
        file.seek(first.page * 4096)
        file.write(bytes((behind.page - first.page) * 4096))
    (problem,) = verify_all(opened(short_path).history).partitions[0].problems
    assert problem.position == first.first
    assert f"0/{first.first} to 0/{behind.first - 1} are lost" in problem.what
    again, damage = within(lambda: start_again(short_path, walk))
    assert again == state_hash
    assert f"positions {first.first}..={behind.first - 1} were durable" in damage


def test_a_log_that_ends_before_a_snapshot_has_lost_records(short_path: Path) -> None:
    """A log's folder is put back from a copy that is too old."""
    walk = Walk()
    within(lambda: live(short_path, walk, 5))
    shutil.copytree(short_path / "log", short_path / "copy")
    within(lambda: live(short_path, walk, 5))
    assert verify(short_path, ground().world).sound
    shutil.rmtree(short_path / "log")
    (short_path / "copy").rename(short_path / "log")
    found = verify(short_path, ground().world)
    (problem,) = found.problems
    assert problem.position == found.positions + 1
    assert "records are lost: there is a snapshot at" in problem.what
    assert verify_all(opened(short_path).history).first_bad() == (0, problem)


def test_a_gap_in_numbers_that_is_left_open_is_caught(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: nothing stands in for what is lost, so that all later moves are refused."""

    async def play() -> None:
        async with serving(short_path) as actor:
            await walked(actor, Walk(), 10)
            await actor.stop()

    within(play)
    records = np.concatenate([block.records for block in blocks_of(short_path)])
    bad = some_block(short_path, 0.5)
    flip(short_path, bad)
    monkeypatch.setattr(lost, "_missing", lambda table, gaps: iter(()))
    run = opened(short_path, f"0/{bad.first}").fork(at="0:0").replay()
    assert run.hashes() != {0: without(records, bad).state_hash()}
    assert MOVE.itemsize == records.dtype.itemsize
