"""Verbs that name nodes of the whole world, and hunts of all slots, over three running actors."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import numpy as np

from huntgraph.cli.exits import Exit
from huntgraph.world import Parts, World, generate, split
from tests.contract.test_hunt_over_parts import (
    BOTS,
    PARTS,
    Verbs,
    author,
    crossings,
    passes,
    replayed,
)
from tests.contract.test_parts import served


def town(folder: Path) -> tuple[World, Parts]:
    """A world in parts, in a folder ``town``."""
    world = generate(edges=3000, seed=5)
    split(world, PARTS).save(folder / "town")
    return world, Parts.open(folder / "town")


def test_edges_are_found_in_the_partition_of_their_tail(short_path: Path) -> None:
    world, parts = town(short_path)
    owner, _ = parts.locate(np.arange(world.nodes))
    (first, second), (tail, head) = next(iter(crossings(world, owner).items()))
    inside = next(int(node) for node in world.row(tail)[0] if owner[node] == first)
    far = next(int(n) for n in np.flatnonzero(owner == second) if parts.local_ids(first, n) < 0)
    verbs = Verbs(short_path)
    with served(short_path, "--parts", "town") as (process, _):
        for ends in ((tail, head), (tail, inside)):
            words = [str(node) for node in ends]
            told = verbs.json("edge", "price", *words, "--cost", "77")
            assert (told["from"], told["to"], told["partition"]) == (*ends, first)
        assert verbs.json("edge", "close", str(head), str(tail))["partition"] == second
        said = verbs("edge", "remove", str(tail), str(inside))
        assert f"removed in partition {first} at position" in said.stdout
        refused = verbs("edge", "add", str(tail), str(far), "--cost", "5")
        assert (refused.returncode, "has no border with" in refused.stderr) == (Exit.FAILED, True)
        lost = verbs("edge", "close", str(world.nodes), "0")
        assert (lost.returncode, "HG1130" in lost.stderr) == (Exit.FAILED, True)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    models = replayed(short_path / "run", parts)
    at = {node: int(parts.local_ids(first, node)) for node in (tail, head, inside)}
    weights = models[first].weights()
    assert weights[models[first].find_slot(at[tail], at[head])] == 77
    assert weights[models[first].find_slot(at[tail], at[inside])] == 0
    back = (int(parts.local_ids(second, node)) for node in (head, tail))
    assert models[second].closed[models[second].find_slot(*back)]


def test_hunts_are_listed_and_shown_over_all_partitions(short_path: Path) -> None:
    world, parts = town(short_path)
    start, order = author(world, parts, short_path / "night.yaml")
    verbs = Verbs(short_path)
    with served(short_path, "--parts", "town", "--hunt", "night.yaml") as (process, _):
        words = ("--players", str(BOTS), "--start", str(start), "--rate", "40", "--seconds", "300")
        verbs.json("bots", *words)
        (hunt,) = verbs.json("hunt", "ls")["hunts"]
        assert (hunt["slot"], hunt["name"]) == (0, "over-the-borders")
        assert hunt["states"] == {"OPEN": PARTS}
        assert hunt["treasures_won"] == BOTS + 1
        assert [each["partition"] for each in hunt["partitions"]] == list(range(PARTS))
        assert len(verbs.json("hunt", "ls", "--all")["hunts"]) == 8
        shown = verbs.json("hunt", "show", "0")
        ford, crown, chest = shown["stages"]
        assert [ford["partition"], crown["partition"], chest["partition"]] == [
            order[1],
            order[1],
            order[2],
        ]
        assert (ford["form"], crown["who"], crown["wins"]) == ("clue", "exclusive", 1)
        assert crown["winner"] > 0
        assert parts.locate(ford["node"])[0] == order[1]
        told = verbs.json("hunt", "pause")["partitions"]
        asyncio.run(passes(short_path / "run", told, 1))
        lines = verbs("hunt", "ls").stdout
        assert "over-the-borders" in lines
        assert "PAUSED" in lines
        assert "treasure" in verbs("hunt", "show", "0").stdout
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert verbs("hunt", "ls").returncode == Exit.UNREACHABLE
