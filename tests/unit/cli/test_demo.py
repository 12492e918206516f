"""The demo on a small world: a real actor, real links, and a proof that can fail."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huntgraph.cli.demo_hunt import district, district_hunt
from huntgraph.cli.demo_proof import prove
from huntgraph.cli.exits import Exit
from huntgraph.cli.output import Progress
from huntgraph.cluster import Layout, Stopped
from huntgraph.hunt import check
from huntgraph.timeline import verify
from huntgraph.world import World, generate

SMALL = "demo --edges 20k --players 40 --links 2 --side 40 --json"


def start(home: Path, words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "huntgraph", *words.split()],
        env={**os.environ, "HUNTGRAPH_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass
class Ran:
    """A demo that ran to its end."""

    layout: Layout
    world: World
    body: dict[str, Any]
    talk: str

    @property
    def stopped(self) -> Stopped:
        proof = self.body["proof"]
        position = proof["positions"]
        return Stopped(position, position, int(proof["actor_state_hash"], 16))


@pytest.fixture(scope="module")
def ran() -> Iterator[Ran]:
    home = Path(tempfile.mkdtemp(prefix="hg-"))
    with start(home, f"{SMALL} --seconds 300 --rate 100") as process:
        out, talk = process.communicate(timeout=360)
    assert process.returncode == Exit.OK, talk
    layout = Layout(home / "demo")
    world = World.open(layout.folder / "world-20000-1.hgw")
    yield Ran(layout, world, json.loads(out), talk)
    shutil.rmtree(home, ignore_errors=True)


def test_all_is_won_and_proved(ran: Ran) -> None:
    body = ran.body
    assert body["schema"] == "huntgraph.demo/1"
    assert body["sound"]
    assert body["finished"], body
    assert body["problems"] == []
    # Two treasures for each player, one for each team, one for one player alone.
    assert body["bots"]["claims"] == body["proof"]["receipts_checked"] == 40 * 2 + 2 + 1
    assert body["proof"]["state_hash"] == body["proof"]["actor_state_hash"]
    assert body["proof"]["moves"] == body["bots"]["moves"]
    assert body["proof"]["hashes_compared"] > 0
    assert "seq_gap" not in body["bots"]["refused"]


def test_without_a_terminal_it_prints_plain_lines(ran: Ran) -> None:
    lines = [line for line in ran.talk.splitlines() if line.startswith("time ")]
    assert lines
    for word in ("moves/s", "applied p50", "durable p50", "claims", "epoch age", "players"):
        assert word in lines[0]
    assert "\x1b" not in ran.talk


def problems(ran: Ran, stopped: Stopped, receipts: np.ndarray[Any, Any]) -> list[str]:
    bar = Progress("")
    try:
        return prove(ran.layout.actor, ran.world, stopped, receipts, bar).problems
    finally:
        bar.close()


def test_the_proof_finds_what_differs(ran: Ran) -> None:
    receipts = verify(ran.layout.actor, ran.world).receipts
    assert problems(ran, ran.stopped, receipts) == []
    forged = receipts.copy()
    forged["player"][3] += 1
    assert "receipt 4 given to player" in problems(ran, ran.stopped, forged)[0]
    assert "never reached" in problems(ran, ran.stopped, receipts[1:])[0]
    other = replace(ran.stopped, state_hash=ran.stopped.state_hash ^ 1)
    assert "state hash" in problems(ran, other, receipts)[0]
    longer = replace(ran.stopped, position=ran.stopped.position + 1)
    assert "ends at position" in " ".join(problems(ran, longer, receipts))


def test_interrupted_it_leaves_nothing_running(short_path: Path) -> None:
    with start(short_path, f"{SMALL} --seconds 60 --rate 1") as process:
        assert process.stderr is not None
        actor = 0
        for line in process.stderr:
            if line.strip().startswith("actor"):
                actor = int(line.rsplit(" ", 1)[1])
            if line.startswith("time "):
                break
        assert Path(f"/proc/{actor}").exists()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == Exit.INTERRUPTED
    assert out == ""
    assert not Path(f"/proc/{actor}").exists()


def test_two_in_one_folder_are_refused(short_path: Path) -> None:
    with start(short_path, f"{SMALL} --seconds 60 --rate 1") as first:
        assert first.stderr is not None
        for line in first.stderr:
            if line.startswith("live after"):
                break
        with start(short_path, SMALL) as second:
            _, talk = second.communicate(timeout=60)
        assert second.returncode == Exit.FAILED
        assert "another huntgraph runs" in talk
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)


def test_bots_play_a_served_hunt(short_path: Path) -> None:
    with start(short_path, "serve --edges 20k --json") as server:
        assert server.stdout is not None
        folder = Path(json.loads(server.stdout.readline())["directory"])
        world = World.open(folder / "world-20000-1.hgw")
        district_hunt(world, seed=2, side=30).save(folder / "hunt.yaml")
        with start(short_path, f"hunt publish {folder / 'hunt.yaml'}") as publish:
            publish.communicate(timeout=60)
        assert publish.returncode == Exit.OK
        words = "bots --players 30 --links 3 --teams 2 --seconds 300 --rate 100 --json"
        with start(short_path, words) as bots:
            out, talk = bots.communicate(timeout=360)
        assert bots.returncode == Exit.OK, talk
        body = json.loads(out)
        assert body["claims"] == 30 * 2 + 2 + 1, body
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    assert server.returncode == Exit.OK
    with start(short_path, "verify --json") as verified:
        out, _ = verified.communicate(timeout=60)
    found = json.loads(out)
    assert (found["problems"], found["receipts"]) == ([], body["claims"])


def test_a_district_hunt_is_a_hunt_of_the_whole_world() -> None:
    world = generate(60_000, seed=9)
    hunt = district_hunt(world, seed=3, side=50)
    inside = set(district(world, 50).tolist())
    assert {stage.at for stage in hunt.stages} <= inside
    assert [finding for finding in check(hunt, world) if finding.severity == "error"] == []
    assert district_hunt(world, seed=3, side=50).hunt_id == hunt.hunt_id
