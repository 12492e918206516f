"""What the disk does to an actor: no space, damage, torn ends, a directory that is not its own."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from huntgraph.cluster.actor import Actor
from huntgraph.cluster.snapshots import make_snapshot
from huntgraph.errors import ActorError
from huntgraph.schema import Code, Kind
from huntgraph.world import generate
from tests.fault.follower import Follower, prove
from tests.fault.logfile import PAGE, Block, LogFile
from tests.servers import PLAYERS, ground, linked, move, serving, within

pytestmark = pytest.mark.fault
MOVES = 60


async def lived(directory: Path, moves: int = MOVES, *, snapshot: bool = False) -> int:
    """Some moves on disk, the actor killed; the last position it told was durable."""
    actor = await Actor.start(ground().options(directory))
    try:
        async with linked(actor) as client:
            for seq in range(1, moves + 1):
                updates, _ = await client.moves(move(Kind.ENTER, 5, seq, to=seq))
                assert updates["code"][0] in (Code.OK, Code.DUPLICATE)
            durable = 0
            while durable < int(updates["position"][0]):
                durable = max(durable, (await client.frame(5))[1])
        if snapshot:
            await make_snapshot(directory, ground().world_file, players=PLAYERS)
    finally:
        await actor.kill()
    return durable


async def refused_start(directory: Path, **changes: Any) -> ActorError:
    """The error of an actor that does not start."""
    actor = None
    try:
        actor = await Actor.start(ground().options(directory, **changes))
    except ActorError as error:
        refusal = error
    if actor is not None:
        await actor.kill()
        raise AssertionError(f"it started, with {changes}")
    assert refusal.what
    assert refusal.fix
    return refusal


def blocks_of(directory: Path) -> list[Block]:
    """The blocks of a log, as an independent reader finds them."""
    return LogFile(directory / "log", ground().world.world_id).read()


def segment_of(directory: Path, block: Block) -> Path:
    return directory / "log" / f"segment-{block.segment:010d}.log"


def flip(path: Path, at: int) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


def bytes_of(directory: Path) -> dict[str, bytes]:
    """The files of a log, by name."""
    return {path.name: path.read_bytes() for path in sorted((directory / "log").iterdir())}


def test_a_full_disk_refuses_moves_and_goes_on_when_space_is_back(
    short_path: Path, seed: int
) -> None:
    folder = short_path / "disk"
    folder.mkdir()
    own = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    probe = subprocess.run([*own, "mount", "-t", "tmpfs", "tmpfs", str(folder)], check=False)
    if probe.returncode:
        pytest.skip("this system lets nobody mount a small file system in memory")
    command = [*own, sys.executable, "-m", "tests.fault.full_disk", str(folder), str(seed)]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=root
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["refused"] > 0
    assert told["answered"] > 1000


def test_a_second_actor_on_the_directory_is_refused_and_the_first_goes_on(
    short_path: Path,
) -> None:
    async def test() -> None:
        directory = short_path / "run"
        async with serving(directory) as actor, linked(actor) as client:
            assert (await client.moves(move(Kind.ENTER, 1, 1, to=1)))[0]["code"][0] == Code.OK
            error = await refused_start(directory)
            assert error.code == "HG3012"
            assert "log-locked" in error.what or "lock" in error.what
            assert str(directory) in error.where
            assert "another actor" in error.fix
            updates, _ = await client.moves(move(Kind.ENTER, 1, 2, to=2))
            assert updates["code"][0] == Code.OK
            assert (await actor.status()).durable > 0

    within(test)


def test_damage_before_the_watermark_is_named_and_nothing_is_changed(
    short_path: Path, rng: random.Random
) -> None:
    async def test() -> None:
        directory = short_path / "run"
        durable = await lived(directory)
        full = [block for block in blocks_of(directory) if len(block.records)]
        early = [block for block in full if block.first < durable // 2]
        for block in rng.sample(early, min(5, len(early))):
            at = block.page * PAGE + rng.randrange(64 + 64 * len(block.records))
            flip(segment_of(directory, block), at)
            before = bytes_of(directory)
            error = await refused_start(directory)
            assert error.code == "HG3012"
            assert str(block.first) in error.what
            assert f"{block.segment}" in error.what
            assert bytes_of(directory) == before
            flip(segment_of(directory, block), at)
        async with serving(directory) as actor:
            assert actor.ready.position >= durable

    within(test)


def test_a_torn_tail_is_cut_and_told(short_path: Path, rng: random.Random) -> None:
    async def test() -> None:
        directory = short_path / "run"
        durable = await lived(directory)
        for size in (1, 4096, 10_000):
            log = LogFile(directory / "log", ground().world.world_id)
            last = log.read()[-1]
            path = segment_of(directory, last)
            data = bytearray(path.read_bytes())
            start = log.page * PAGE
            data[start : start + size] = rng.randbytes(size - 1) + b"\1"
            path.write_bytes(data)
            actor = await Actor.start(ground().options(directory))
            await actor.kill()
            assert actor.ready.cut_bytes == -(-size // PAGE) * PAGE
            assert actor.ready.position == log.last_position >= durable
            follower = Follower.of(ground(), directory)
            follower.catch_up()
            assert follower.log.last_position >= log.last_position

    within(test)


def test_a_damaged_snapshot_is_passed_over(short_path: Path, rng: random.Random) -> None:
    async def test() -> None:
        directory = short_path / "run"
        await lived(directory, 30, snapshot=True)
        await lived(directory, 60, snapshot=True)
        old, new = sorted((directory / "snapshots").glob("*.snap"))
        flip(new, rng.randrange(new.stat().st_size))
        actor = await Actor.start(ground().options(directory))
        await actor.kill()
        older = int(old.stem.rpartition("-")[2])
        assert actor.ready.replayed == actor.ready.position - older
        flip(old, rng.randrange(old.stat().st_size))
        async with serving(directory) as actor:
            assert actor.ready.replayed == actor.ready.position
            stopped = await actor.stop()
        assert stopped is not None
        prove(ground(), directory, stopped.state_hash)

    within(test)


def test_a_damaged_or_missing_or_other_world_is_refused(
    short_path: Path, rng: random.Random
) -> None:
    async def test() -> None:
        directory = short_path / "run"
        await lived(directory, 5)
        before = bytes_of(directory)
        for name in ("damaged", "short", "empty", "other"):
            world = short_path / f"{name}.hgw"
            shutil.copy(ground().world_file, world)
            if name == "damaged":
                # Rows, heads, costs and gaps: positions behind them are no actor's concern.
                flip(world, rng.randrange(PAGE, 6 * ground().world.edges))
            elif name == "other":
                generate(2000, seed=5).save(world)
            else:
                os.truncate(world, 0 if name == "empty" else world.stat().st_size // 3)
            error = await refused_start(directory, world=world)
            assert error.code.startswith("HG30")
            assert name == "other" or str(world) in error.where
        error = await refused_start(directory, world=short_path / "none.hgw")
        assert "none.hgw" in error.where
        assert bytes_of(directory) == before

    within(test)


def test_the_log_of_another_partition_is_refused(short_path: Path) -> None:
    async def test() -> None:
        directory = short_path / "run"
        await lived(directory, 5)
        error = await refused_start(directory, partition=3)
        assert error.code == "HG3012"

    within(test)


def test_a_directory_that_is_a_file_is_refused(short_path: Path) -> None:
    async def test() -> None:
        directory = short_path / "run"
        directory.mkdir()
        (directory / "log").write_text("in the way")
        error = await refused_start(directory)
        assert error.code == "HG3010"
        assert str(directory / "log") in error.where

    within(test)


def test_a_lost_log_beside_snapshots_is_refused(short_path: Path) -> None:
    """A snapshot ahead of its log: state that no log explains must not be served."""

    async def test() -> None:
        directory = short_path / "run"
        await lived(directory, snapshot=True)
        shutil.rmtree(directory / "log")
        error = await refused_start(directory)
        assert error.code.startswith("HG30")
        assert "panicked" not in error.what

    within(test)


def test_a_log_removed_under_a_running_actor_stops_nothing_at_once(short_path: Path) -> None:
    """It holds its files: moves go on; a move is durable or the actor says that its log failed."""

    async def test() -> None:
        directory = short_path / "run"
        actor = await Actor.start(ground().options(directory))
        try:
            async with linked(actor) as client:
                await client.moves(move(Kind.ENTER, 1, 1, to=1))
                shutil.rmtree(directory / "log")
                updates, _ = await client.moves(move(Kind.ENTER, 1, 2, to=2))
                assert updates["code"][0] in (Code.OK, Code.LOG_FAILED)
        finally:
            await actor.kill()

    within(test)
