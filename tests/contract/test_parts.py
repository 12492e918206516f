"""`huntgraph serve --parts`: one actor a part, found over the gateway, stopped in good order."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from huntgraph.client import Identity, connect_all
from huntgraph.cluster import find_parts
from huntgraph.errors import UsageError
from huntgraph.schema import Code, Kind
from huntgraph.world import World
from tests.coast import parts_of_the_world
from tests.contract.test_neighbours import way_out
from tests.servers import move


def ask(url: str) -> Any:
    """What the gateway says."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


@contextmanager
def served(folder: Path, *source: str) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """Run `huntgraph serve` in ``folder/run``; the process, and what it tells when it is ready."""
    words = ["serve", *source, "--dir", "run", "--players", "64", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "huntgraph", *words],
        cwd=folder,
        env={**os.environ, "HUNTGRAPH_HOME": str(folder / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        except BaseException:
            process.kill()
            raise


def test_parts_are_served_as_one_world(short_path: Path) -> None:
    parts = parts_of_the_world(3)
    for part in parts:
        part.save(short_path / f"part-{part.partition:02}.hgw")
    with served(short_path, "--parts", ".") as (process, facts):
        listed = ask(f"{facts['http']}/partitions")["partitions"]
        urls = {each["partition"]: each["url"] for each in listed}
        assert sorted(urls) == [0, 1, 2]
        assert {each["partition"]: each["url"] for each in facts["partitions"]} == urls
        ready = ask(f"{facts['http']}/readyz")
        assert [each["reasons"] for each in ready["partitions"]] == [[], [], []]
        tail, head = way_out(parts[0])
        twin = asyncio.run(walk_out(urls, Identity(**facts["identity"]), tail, head))
        assert twin == (int(parts[0].owner[head]), int(parts[0].twin[head]))
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert not (short_path / "run" / "serve.json").exists()


def test_a_generated_world_is_split_once_and_served(short_path: Path) -> None:
    source = ("--partitions", "3", "--edges", "2000")
    for _ in range(2):
        with served(short_path, *source) as (process, facts):
            files = [Path(each["world"]) for each in facts["partitions"]]
            found = [World.open(file) for file in files]
            assert [world.partition for world in found] == [0, 1, 2]
            assert sum(world.own_nodes for world in found) < sum(world.nodes for world in found)
            top = [sys.executable, "-m", "huntgraph", "top", "run", "--once", "--json"]
            shown = json.loads(subprocess.check_output(top, cwd=short_path, timeout=60))
            assert [each["partition"] for each in shown["partitions"]] == ["0", "1", "2"]
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        made = {file: file.stat().st_mtime_ns for file in files}
    assert made == {file: file.stat().st_mtime_ns for file in files}
    assert "Splitting" not in said


async def walk_out(
    urls: dict[int, str], identity: Identity, tail: int, head: int
) -> tuple[int, int]:
    """One player enters partition 0, walks over the border and stands there."""
    async with connect_all(urls, identity=identity) as links:
        moves = [move(Kind.ENTER, 7, 1, to=tail), move(Kind.GO, 7, 2, from_=tail, to=head)]
        # A claim of nothing is refused where the player stands: over the border.
        moves.append(move(Kind.CLAIM, 7, 3))
        updates = await links.send(np.concatenate(moves))
        assert updates["code"].tolist() == [Code.OK, Code.OK, Code.UNKNOWN_HUNT]
        await links.durable()
        assert links.durable_seq(7) == 3
        return links.partition_of(7), int(updates["node"][2])


def test_a_folder_without_all_parts_is_refused(tmp_path: Path) -> None:
    for number in (0, 2):
        (tmp_path / f"part-{number:02}.hgw").touch()
    with pytest.raises(UsageError, match="2 parts"):
        find_parts(tmp_path)
    (tmp_path / "part-01.hgw").touch()
    assert list(find_parts(tmp_path)) == [0, 1, 2]
