"""One hunt over three running actors: published, played by bots, paused, and published anew."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from huntgraph.bus import Counters
from huntgraph.cli.exits import Exit
from huntgraph.cluster import Control
from huntgraph.hunt import load
from huntgraph.hunt.parts import OPENS_AFTER
from huntgraph.model import Border, Model
from huntgraph.schema import State
from huntgraph.world import Parts, World, generate, split
from tests.contract.test_parts import served
from tests.fault.follower import Follower
from tests.fault.logfile import LogFile
from tests.joined import check
from tests.servers import until

PARTS, BOTS = 3, 12
PAGE = """
hunt: over-the-borders
start: [{start}]
stages:
  - {{clue: ford, at: {ford}, points: 5, text: Over the first border}}
  - {{treasure: crown, at: {crown}, who: exclusive, needs: ford, text: One of all wins it}}
  - {{treasure: chest, at: {chest}, needs: ford, points: 20, text: Over the second border}}
gates:
  - {{gate: near, edges: [{near}], flips_when: [ford]}}
  - {{gate: far, edges: [{far}], flips_when: [crown]}}
"""


ORDERS = {
    "publish night.yaml": OPENS_AFTER + 1,
    "pause": 1,
    "resume": 1,
    "extend 10m": 1,
    "close": 1,
}
"""Orders, and the ticks after which each is in effect."""


class Verbs:
    """`huntgraph` in a folder, on what is served from its folder `run`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "huntgraph", *words, "--dir", "run"],
            cwd=self.folder,
            env={**os.environ, "HUNTGRAPH_HOME": str(self.folder / "home")},
            capture_output=True,
            text=True,
            timeout=360,
            check=False,
        )

    def json(self, *words: str) -> Any:
        done = self(*words, "--json")
        assert done.returncode == Exit.OK, done.stderr
        return json.loads(done.stdout)


def crossings(world: World, owner: np.ndarray[Any, Any]) -> dict[tuple[int, int], tuple[int, int]]:
    """An edge of the whole world from each partition into each other that has one, and back."""
    tail, head = world.tails(), world.head
    back = world.find_edges(head, tail) >= 0
    crossing = np.flatnonzero((world.cost > 0) & back & (owner[tail] != owner[head]))
    return {
        (int(owner[tail[at]]), int(owner[head[at]])): (int(tail[at]), int(head[at]))
        for at in crossing
    }


def author(world: World, parts: Parts, file: Path) -> tuple[int, list[int]]:
    """Write a hunt that leads from one partition into the next two; its start, and their order."""
    owner, _ = parts.locate(np.arange(world.nodes))
    ways = crossings(world, owner)
    middle = next(m for m in range(PARTS) if sum(m == there for _, there in ways) == PARTS - 1)
    first, last = (number for number in range(PARTS) if number != middle)
    tail, ford = ways[first, middle]
    _, chest = ways[middle, last]
    crown = next(n for n in np.flatnonzero(owner == middle).tolist() if n not in (ford, tail))
    spots = {"start": tail, "ford": ford, "crown": crown, "chest": chest}
    # Edges that nobody needs: back over the first border, and out of the last partition.
    shut = {"near": [ford, tail], "far": list(ways[last, middle])}
    file.write_text(PAGE.format(**spots, **shut))
    return tail, [first, middle, last]


def replayed(run: Path, parts: Parts) -> list[Model]:
    """The model of each partition, fed with its actor's log."""
    models = []
    for number, world in enumerate(parts):
        assert world.owner is not None
        assert world.twin is not None
        halo = slice(world.own_nodes, None)
        border = Border(number, world.owner[halo], world.twin[halo])
        model = Model(world.first, world.head, world.cost, 64, 2048, border)
        log = LogFile(run / f"actor-{number:02}" / "log", world.world_id, number)
        follower = Follower(model, log)
        follower.catch_up()
        assert follower.compared > 0
        models.append(follower.model)
    return models


def test_bots_play_one_hunt_over_three_partitions(short_path: Path) -> None:
    world = generate(edges=3000, seed=5)
    split(world, PARTS).save(short_path / "town")
    parts = Parts.open(short_path / "town")
    start, order = author(world, parts, short_path / "night.yaml")
    verbs = Verbs(short_path)
    with served(short_path, "--parts", "town", "--hunt", "night.yaml") as (process, _):
        words = ("--players", str(BOTS), "--start", str(start), "--rate", "40", "--seconds", "300")
        played = verbs.json("bots", *words)
        assert played["claims"] == BOTS + 1, played
        paused = verbs.json("hunt", "pause")
        assert [each["partition"] for each in paused["partitions"]] == [0, 1, 2]
        asyncio.run(passes(short_path / "run", paused["partitions"], ORDERS["pause"]))
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    models = replayed(short_path / "run", parts)
    assert check(models) == []
    hunts = [model.hunts[0] for model in models]
    assert [hunt.state for hunt in hunts] == [State.PAUSED] * PARTS
    _, middle, last = order
    ford, crown, _ = hunts[middle].stages
    chest = hunts[last].stages[2]
    assert [(stage.owner, stage.wins) for stage in (ford, crown, chest)] == [
        (0, BOTS),
        (0, 1),
        (0, BOTS),
    ]
    assert [[gate.shut for gate in hunt.gates] for hunt in hunts] == [[True, True]] * PARTS
    for model, hunt in zip(models, hunts, strict=True):
        assert all(model.closed[edge] for edge in hunt.edges)
    assert sum(len(hunt.edges) for hunt in hunts) == 2


async def passes(run: Path, told: list[dict[str, int]], ticks: int) -> None:
    """Wait until so many ticks have passed in each partition since it was told."""
    for each in told:
        counters = Counters(run / f"actor-{each['partition']:02}" / "counters")
        await until(partial(_reaches, counters, each["tick"] + ticks))


def _reaches(counters: Counters, tick: int) -> bool:
    return counters.value("tick") >= tick


async def publish_alone(run: Path, partition: int, rows: np.ndarray[Any, Any]) -> None:
    """Publish in one partition, as somebody may who knows no better."""
    control = await Control.open(run / f"actor-{partition:02}" / "control.sock")
    async with control:
        assert not (await control.send(rows)).updates["code"].any()


def test_a_hunt_is_published_everywhere_or_nowhere(short_path: Path) -> None:
    world = generate(edges=3000, seed=5)
    split(world, PARTS).save(short_path / "town")
    parts = Parts.open(short_path / "town")
    author(world, parts, short_path / "night.yaml")
    rows = load(short_path / "night.yaml").compile_parts(parts, 0)
    verbs = Verbs(short_path)
    with served(short_path, "--parts", "town") as (process, _):
        asyncio.run(publish_alone(short_path / "run", 2, rows[2]))
        refused = verbs("hunt", "publish", "night.yaml")
        assert refused.returncode == Exit.FAILED
        assert "partition 2" in refused.stderr
        assert "not published anywhere" in refused.stderr
        closed = verbs("hunt", "close")
        assert (closed.returncode, "done in partitions 2" in closed.stderr) == (Exit.FAILED, True)
        for words, ticks in ORDERS.items():
            told = verbs.json("hunt", *words.split())["partitions"]
            assert [each["partition"] for each in told] == [0, 1, 2]
            asyncio.run(passes(short_path / "run", told, ticks))
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    hunts = [model.hunts[0] for model in replayed(short_path / "run", parts)]
    assert {hunt.state for hunt in hunts} == {State.CLOSED}
    assert len({hunt.hunt_id for hunt in hunts}) == 1
