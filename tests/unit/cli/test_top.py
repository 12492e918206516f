"""`huntgraph top` over real actors: folders, a gateway, a terminal, a pipe."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from huntgraph.bus import Reading
from huntgraph.cli.exits import Exit
from huntgraph.cli.top import COLUMNS
from huntgraph.cli.top_rows import Row, row_of, total
from huntgraph.cli.top_source import Folder, GatewayAt
from huntgraph.cli.top_watch import Watch
from huntgraph.cluster import Layout
from huntgraph.errors import ActorError
from huntgraph.gateway import Gateway, PartitionView
from tests.contract.runner import Runner
from tests.servers import until
from tests.sim.client_scene import Scene, Walk
from tests.unit.bus.test_counters import write_counters

PLAYERS = 50
FRAMES = 20
SEGMENT_MIB = 16
"""Of the scene's actor."""


def top(*words: str) -> list[str]:
    return [sys.executable, "-m", "huntgraph", "top", *words]


async def run(*words: str) -> tuple[int, str]:
    """Run it to its end, as a process; gives status and standard output."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*top(*words), stdout=pipe, stderr=pipe)
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode()


async def one_window(watch: Watch, scene: Scene, rng: random.Random, actor: Any) -> dict[str, Any]:
    """What a watch shows of players who walk between its two looks."""
    async with scene.connect(actor) as link:
        walk = Walk(scene.world, range(1, PLAYERS + 1), rng)
        await link.send(walk.enter())
        moves, tick = PLAYERS, actor.counters().value("tick")
        await until(lambda: actor.counters().value("tick") >= tick + 2)
        await asyncio.to_thread(watch.look)
        for _ in range(FRAMES):
            moves += len(await link.send(walk.step()))
        tick = actor.counters().value("tick")
        await until(lambda: actor.counters().value("tick") >= tick + 2)
        await asyncio.to_thread(watch.look)
    return watch.to_dict()


def test_figures_are_those_of_the_time_between_two_looks(
    short_path: Path, rng: random.Random, seed: int
) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        actor = await scene.start()
        # A thread of the actor makes the segment that is ready, in its own time.
        await until(lambda: actor.counters().value("log_disk_bytes") == 2 * SEGMENT_MIB << 20)
        folder = Watch([Folder(short_path)])
        body = await one_window(folder, scene, rng, actor)
        (row,) = body["partitions"]
        assert (row["partition"], row["state"], row["players"]) == ("0", "running", PLAYERS)
        assert row["moves_per_s"] > 0
        assert row["refused_per_s"] == 0
        histogram = actor.counters().histogram("frame_ns")
        assert 0 < row["applied_p50_us"] <= row["applied_p99_us"] <= histogram.max_ns / 1e3
        assert 0 < row["durable_p50_us"] <= row["durable_p99_us"]
        assert row["allocations"] == actor.counters().value("allocations")
        assert row["resident_mib"] > 1
        assert row["log_gib"] == round(2 * SEGMENT_MIB / 1024, 2), "a segment in use and one ready"
        assert row["ring_gaps"] is None, "no gateway is there to know"
        assert body["total"] == {k: v for k, v in row.items() if k != "partition"} | {
            "state": "1 running"
        }
        await actor.stop()
        folder.look()
        folder.look()
        assert folder.to_dict()["partitions"][0]["state"] == "stopped"

    scene.run(play())


def test_rates_add_up_whatever_the_time_between_two_looks() -> None:
    def seen(name: str, moves: int, elapsed_s: float) -> Row:
        before, after = (
            Reading(1, 1, {"moves": m, "answers_full": 2 * m}, {}) for m in (5, 5 + moves)
        )
        return row_of(name, before, after, elapsed_s)

    rows = [seen("0", 600, 0.2), seen("1", 100, 0.05), row_of("2", None, None, 1.0)]
    found = total(rows).to_dict()
    assert [row.to_dict()["moves_per_s"] for row in rows] == [3_000, 2_000, None]
    assert (found["moves_per_s"], found["refused_per_s"]) == (5_000, 10_000)


def test_a_gateway_shows_what_its_folders_show(
    short_path: Path, rng: random.Random, seed: int
) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        actor = await scene.start()
        view = PartitionView(short_path / "actor", partition=0)
        async with Gateway([view]) as gateway:
            facts = {"world": "x", "identity": {}, "partitions": []}
            Layout(short_path).write_facts(facts | {"http": gateway.url})
            view.gaps_told = 3
            watch = Watch([GatewayAt(gateway.url), Folder(short_path)])
            body = await one_window(watch, scene, rng, actor)
            remote, local = body["partitions"]
            assert remote["partition"] == gateway.url.removeprefix("http://") + "/0"
            assert local["partition"] == f"{short_path}/0"
            assert remote["state"] == local["state"] == "running"
            assert [remote[name] for name in ("players", "ring_gaps")] == [PLAYERS, 3]
            assert local["ring_gaps"] == 3
            whole = body["total"]
            assert (whole["state"], whole["players"]) == ("2 running", 2 * PLAYERS)
            both = remote["moves_per_s"] + local["moves_per_s"]
            assert whole["moves_per_s"] == pytest.approx(both, abs=0.2)
            assert len(watch.cells()) == 3
            status, out = await run(
                "--once", "--json", "--every-s", "0.2", "--gateway", gateway.url
            )
            assert status == Exit.OK
            shown = json.loads(out)
            assert shown["schema"] == "huntgraph.top/1"
            assert shown["partitions"][0]["players"] == PLAYERS
        watch.look()
        assert watch.to_dict()["partitions"][0]["state"] == "away"

    scene.run(play())


def test_a_pipe_gets_plain_text_and_a_terminal_a_table_until_ctrl_c(
    short_path: Path, seed: int
) -> None:
    scene = Scene(short_path, seed)

    async def play() -> None:
        await scene.start()
        status, out = await run("--once", "--every-s", "0.2", str(short_path))
        head, row = (line for line in out.splitlines() if line.strip(" \u2500"))
        assert status == Exit.OK
        assert re.split(r"\s{2,}", head.strip()) == list(COLUMNS)
        assert re.split(r"\s{2,}", row.strip())[:3] == ["0", "running", "0"]
        assert "\x1b" not in out
        assert await asyncio.to_thread(on_terminal, short_path) == Exit.INTERRUPTED

    scene.run(play())


def on_terminal(folder: Path) -> int:
    """Watch it appear on a terminal, press Ctrl-C there, and give the exit status."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    words = top("--every-s", "0.2", str(folder))
    process = subprocess.Popen(words, stdout=theirs, stderr=subprocess.PIPE, env=environment)
    os.close(theirs)
    with process:
        shown = b""
        while shown.count(b"running") < 2:
            shown += os.read(ours, 65_536)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    os.close(ours)
    assert b"\x1b[" in shown
    return process.returncode


def test_nothing_to_watch_is_said_so(short_path: Path) -> None:
    run = Runner(short_path)
    for words, code in (("top --once", "HG1463"), ("top --gateway http://127.0.0.1:9", "HG1482")):
        done = run(words)
        assert (done.returncode, done.stdout) == (Exit.UNREACHABLE, "")
        assert done.stderr.startswith(f"error {code}")
        assert "fix: " in done.stderr
        assert "Traceback" not in done.stderr


def test_what_is_no_gateway_is_said_so(tmp_path: Path) -> None:
    for url in ("ftp://127.0.0.1", "no address"):
        with pytest.raises(ActorError) as caught:
            GatewayAt(url).look()
        assert caught.value.code == "HG1482"


def state(tmp_path: Path, *, beats: bool = True, **numbers: int) -> Row:
    """The row of a file with these numbers, its heartbeat moving or not."""
    looks = []
    for beat in (1, 1 + beats):
        write_counters(tmp_path / "counters", {"heartbeat_ms": beat, **numbers}, {})
        (look,) = Folder(tmp_path).look()
        looks.append(look.reading)
    return row_of("0", looks[0], looks[1], 1.0)


def test_states(tmp_path: Path) -> None:
    assert state(tmp_path).state == "running"
    assert state(tmp_path, beats=False).state == "silent"
    assert state(tmp_path, draining=1).state == "draining"
    assert state(tmp_path, beats=False, draining=1).state == "stopped"
    assert state(tmp_path, log_room=3).state == "log full"
    assert state(tmp_path, log_failed=1, beats=False).state == "log failed"
    both = total([state(tmp_path), state(tmp_path), row_of("1", None, None, 0.0)])
    assert both.state == "2 running, 1 away"
    assert both.cells()[2:5] == ["0", "-", "-"]
    assert len(both.cells()) == len(COLUMNS)
