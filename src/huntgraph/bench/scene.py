"""What every measurement stands on: a world, a hunt, certificates and a private folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from huntgraph import _core
from huntgraph.cluster import Authority, Leaf
from huntgraph.schema import RULE, Form, Kind
from huntgraph.schema import Rule as Winning
from huntgraph.world import generate

__all__ = [
    "IdlePolicy",
    "Options",
    "Scene",
    "Watch",
    "build",
    "hunt_rows",
    "paths",
    "private_folder",
    "traffic_rows",
]

IdlePolicy: TypeAlias = Literal["block", "yield", "spin"]
Watch: TypeAlias = Callable[[str], None]
"""Called now and then with a word on how far a measurement is; what it raises ends it."""

SEED: Final = 1
TRAFFIC: Final = {"stock": 4, "points": 5, "index": 3, "delay": 100, "cost": 2}
"""Heat 4 a move, a bucket of 32, an eighth cools in 5 s, weight 2 a bucket: one move in eight
along the same edge moves its weight."""


@dataclass(frozen=True, slots=True)
class Options:
    """What may be chosen; ``seconds`` is the length of each part of a measurement.

    ``players`` and ``targets`` (hunts of one treasure each) are those of a partition; ``edges`` and
    ``rate`` of all ``partitions`` together. Players enter within ``reach`` cells of their target,
    0 for anywhere. ``maps`` also takes real maps, where there are any.
    """

    seconds: float
    edges: int
    players: int
    rate: int
    partitions: int
    targets: int
    reach: int
    maps: bool
    idle_policy: IdlePolicy
    directory: Path


@dataclass(frozen=True)
class Scene:
    """A world in a file, the rows of its hunts, and both ends' certificates."""

    options: Options
    folder: Path
    world_file: Path
    nodes: int
    edges: int
    rows: NDArray[np.void]
    server: Leaf
    client: Leaf
    core: _core.BenchScene


@contextmanager
def private_folder(options: Options) -> Iterator[Path]:
    """Make a folder, which is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="hg-bench-", dir=options.directory))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def build(options: Options) -> Iterator[Scene]:
    """Make all of it in a private folder."""
    with private_folder(options) as folder:
        world = generate(options.edges, SEED)
        world_file = folder / "world.hgw"
        world.save(world_file)
        hunt, traffic = hunt_rows(0, world.nodes // 2), traffic_rows(1)
        authority = Authority.create_or_open(folder / "certificates")
        (folder / "in-process").mkdir()
        core = _core.BenchScene(
            world_file,
            folder / "in-process",
            _raw(hunt),
            _raw(traffic),
            players=options.players,
            seconds=options.seconds,
        )
        yield Scene(
            options=options,
            folder=folder,
            world_file=world_file,
            nodes=world.nodes,
            edges=world.edges,
            rows=np.concatenate([hunt, traffic]),
            server=authority.server_identity(),
            client=authority.client_identity(),
            core=core,
        )


def paths(leaf: Leaf) -> tuple[Path, Path, Path]:
    """Give an identity as the native side takes it."""
    return leaf.certificate, leaf.key, leaf.authority


def _raw(rows: NDArray[np.void]) -> NDArray[np.uint8]:
    return rows.view(np.uint8).reshape(-1, 64)


def hunt_rows(slot: int, node: int) -> NDArray[np.void]:
    """Give a hunt of one treasure, which nobody claims: dtype RULE, shape (3,)."""
    rows = np.zeros(3, dtype=RULE)
    rows["hunt"] = slot
    rows["kind"] = [Kind.HUNT_BEGIN, Kind.HUNT_STAGE, Kind.HUNT_PUBLISH]
    rows["hunt_id"][0] = slot + 1
    stage: Any = rows[1]
    stage["form"], stage["rule"] = Form.TREASURE, Winning.PLAYER
    stage["from"], stage["points"] = node, 1
    rows["count"][2] = 1
    return rows


def traffic_rows(slot: int) -> NDArray[np.void]:
    """Give a hunt with no stage, only the traffic rule, in force from its opening on."""
    rows = np.zeros(3, dtype=RULE)
    rows["kind"] = [Kind.HUNT_BEGIN, Kind.HUNT_TRAFFIC, Kind.HUNT_PUBLISH]
    rows["hunt"] = slot
    rows["hunt_id"][0] = slot + 1
    for name, value in TRAFFIC.items():
        rows[name][1] = value
    rows["count"][2] = 1
    return rows
